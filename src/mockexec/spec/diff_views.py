"""A schema as alternatives of keywords, with ``$ref``, ``allOf``, ``oneOf`` and ``anyOf`` resolved.

Two schemas may say the same in different ways: ``nullable`` or ``anyOf`` with null, one ``allOf``
or several. Here each becomes a list of alternatives, and each alternative a list of facets, the
plain schemas that all have to hold. ``oneOf`` counts as ``anyOf``: that no second alternative may
hold is hardly ever what tells two versions apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import unquote

import jsonschema_rs

from mockexec.spec.dialect import Direction
from mockexec.spec.operations import SchemaRef
from mockexec.spec.pointers import follow, join, tokens
from mockexec.spec.schemas import Schemas

ALTERNATIVES_MAX = 256

# ``number`` is both: what is whole and what is not.
TYPES = frozenset(("null", "boolean", "integer", "fraction", "string", "array", "object"))


class Part(NamedTuple):
    """A schema by its place among the converted ones."""

    uri: str
    # As a tuple and not as a pointer: there are many, and each is extended many times.
    keys: tuple[str, ...]

    def below(self, *keys: str) -> Part:
        """The place that ``keys`` lead to from here."""
        return Part(self.uri, self.keys + keys)


# A schema that is the conjunction of its parts; without any it admits everything.
Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Facet:
    """One plain schema and its place."""

    part: Part
    node: dict[str, Any] = field(compare=False)


@dataclass(frozen=True)
class Alternative:
    """Facets that hold together. ``branch`` is the outermost member of a union it came from."""

    facets: tuple[Facet, ...]
    branch: Part | None = None

    def with_key(self, key: str) -> Iterator[Facet]:
        """The facets that have this keyword."""
        return (facet for facet in self.facets if key in facet.node)

    @cached_property
    def types(self) -> frozenset[str]:
        """The JSON types that are admitted, see ``TYPES``."""
        found = TYPES
        for facet in self.facets:
            found &= _types(facet.node)
        return found

    @cached_property
    def values(self) -> list[Any] | None:
        """The values it is limited to by an enum or const, or None."""
        for facet in self.facets:
            if "const" in facet.node:
                return [facet.node["const"]]
            if isinstance(facet.node.get("enum"), list):
                return list(facet.node["enum"])
        return None

    @cached_property
    def names(self) -> dict[str, None]:
        """The names of the described properties, in order."""
        return {
            name: None
            for facet in self.with_key("properties")
            for name, node in facet.node["properties"].items()
            if node is not False
        }

    @cached_property
    def required(self) -> dict[str, Part]:
        """The names of the required properties, and where that is said."""
        return {
            name: facet.part.below("required", str(index))
            for facet in self.with_key("required")
            for index, name in enumerate(facet.node["required"])
        }


def _types(node: dict[str, Any]) -> frozenset[str]:
    written = node.get("type")
    names = [written] if isinstance(written, str) else written
    found = TYPES
    if isinstance(names, list):
        found = frozenset(names) & TYPES
        if "number" in names:
            found |= {"integer", "fraction"}
    values = [node["const"]] if "const" in node else node.get("enum")
    if isinstance(values, list):
        found &= frozenset(type_of(value) for value in values)
    return found


def type_of(value: Any) -> str:
    """The member of ``TYPES`` a JSON value belongs to."""
    if value is None:
        return "null"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "fraction"
    names = {bool: "boolean", int: "integer", str: "string", list: "array"}
    return names.get(type(value), "object")


class TooManyAlternativesError(Exception):
    """A schema has more alternatives than can be looked at."""


class Views:
    """The schemas of one document, for values that go in one direction."""

    def __init__(self, schemas: Schemas, direction: Direction) -> None:
        self.document = schemas.document
        self._converted = schemas.converted(direction)
        self._registry = schemas.registry(direction)
        self._alternatives: dict[Parts, tuple[Alternative, ...]] = {}
        self._resolved: dict[Part, Part] = {}
        self._validators: dict[Parts, jsonschema_rs.Draft202012Validator] = {}
        self._patterns: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def parts(self, ref: SchemaRef | None) -> Parts:
        """The schema of an operation; None, where there is none, admits everything."""
        if ref is None:
            return ()
        return (self.resolved(_part(self._converted.address(ref.uri, ref.pointer))),)

    def node(self, part: Part) -> Any:
        """The converted schema at a place."""
        return follow(self._converted.resources[part.uri], part.keys)

    def resolved(self, part: Part) -> Part:
        """The place that a schema which is nothing but a reference leads to."""
        found = self._resolved.get(part)
        if found is None:
            found, node = part, self.node(part)
            while isinstance(node, dict) and len(node) == 1 and isinstance(node.get("$ref"), str):
                found = _part(node["$ref"])
                node = self.node(found)
            self._resolved[part] = found
        return found

    def target(self, part: Part) -> Part:
        """Where the ``$ref`` of the schema at a place leads, whatever stands beside it."""
        return self.resolved(_part(self.node(part)["$ref"]))

    def facets(self, part: Part) -> Iterator[Facet]:
        """The facets of all alternatives of a schema."""
        for alternative in self.alternatives((part,)):
            yield from alternative.facets

    def alternatives(self, parts: Parts) -> tuple[Alternative, ...]:
        """The alternatives of a schema, none where it admits nothing.

        Raises TooManyAlternativesError where there are more than 256.
        """
        found = self._alternatives.get(parts)
        if found is None:
            made = [self._expanded(part, frozenset()) for part in parts]
            possible = dict.fromkeys(item for item in _products(made) if item.types)
            found = self._alternatives[parts] = _needed([*possible])
        return found

    def _expanded(self, part: Part, above: frozenset[Part]) -> list[Alternative]:
        node = self.node(part)
        if node is False:
            return []
        if not isinstance(node, dict) or part in above:
            return [Alternative(())]
        above |= {part}
        factors = [[Alternative((Facet(part, node),))]]
        if isinstance(node.get("$ref"), str):
            factors.append(self._expanded(_part(node["$ref"]), above))
        whole = range(len(_list(node, "allOf")))
        factors += [self._expanded(part.below("allOf", str(index)), above) for index in whole]
        unions = [key for key in ("anyOf", "oneOf") if _list(node, key)]
        factors += [self._union(part, key, above) for key in unions]
        return _products(factors)

    def _union(self, part: Part, key: str, above: frozenset[Part]) -> list[Alternative]:
        found = []
        for index in range(len(_list(self.node(part), key))):
            branch = self.resolved(part.below(key, str(index)))
            expanded = self._expanded(branch, above)
            found += [Alternative(item.facets, branch) for item in expanded]
        return found

    def admits(self, parts: Parts, value: Any) -> bool:
        """Whether the value fits the schema. Raises DocumentError where the schema is none."""
        if not parts:
            return True
        validator = self._validators.get(parts)
        if validator is None:
            schema = {"allOf": [{"$ref": self._address(part)} for part in parts]}
            validator = self._validators[parts] = self._compiled(schema, parts[0])
        return validator.is_valid(value)

    def _compiled(self, schema: dict[str, Any], part: Part) -> jsonschema_rs.Draft202012Validator:
        try:
            return jsonschema_rs.Draft202012Validator(
                schema, registry=self._registry, validate_formats=True, offline=True
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            problem = f"this schema cannot be used: {error.message}"
            raise self.document.error(problem, *self.place(part)) from None

    def _address(self, part: Part) -> str:
        return self.document.address(part.uri, join("", *part.keys))

    # What an alternative says about properties and items

    def property(self, alternative: Alternative, name: str) -> Parts:
        """What the facets say about the property, whether they describe it or not."""
        found = [part for facet in alternative.facets for part in self._said(facet, name)]
        if not found or name not in alternative.names:
            found += self._schemas(alternative, "unevaluatedProperties")
        return tuple(dict.fromkeys(found))

    def _said(self, facet: Facet, name: str) -> Iterator[Part]:
        described = False
        if name in facet.node.get("properties", ()):
            described = True
            yield self.resolved(facet.part.below("properties", name))
        for pattern in facet.node.get("patternProperties", ()):
            place = facet.part.below("patternProperties", pattern)
            if self._matches(pattern, name, place):
                described = True
                yield self.resolved(place)
        if not described and says_something(facet.node.get("additionalProperties", True)):
            yield self.resolved(facet.part.below("additionalProperties"))

    def _matches(self, pattern: str, name: str, part: Part) -> bool:
        found = self._patterns.get(pattern)
        if found is None:
            found = self._patterns[pattern] = self._compiled({"pattern": pattern}, part)
        return found.is_valid(name)

    def others(self, alternative: Alternative) -> Parts:
        """What the facets say about properties that they do not describe."""
        return (
            *self._schemas(alternative, "additionalProperties"),
            *self._schemas(alternative, "unevaluatedProperties"),
        )

    def item(self, alternative: Alternative, index: int) -> Parts:
        """What the facets say about the item at ``index``."""
        found = []
        for facet in alternative.facets:
            if index < len(_list(facet.node, "prefixItems")):
                found.append(self.resolved(facet.part.below("prefixItems", str(index))))
            elif says_something(facet.node.get("items", True)):
                found.append(self.resolved(facet.part.below("items")))
        return tuple(dict.fromkeys(found))

    def _schemas(self, alternative: Alternative, key: str) -> list[Part]:
        return [
            self.resolved(facet.part.below(key))
            for facet in alternative.with_key(key)
            if says_something(facet.node[key])
        ]

    def is_false(self, parts: Parts) -> bool:
        """Whether a part is plainly ``false``."""
        return any(self.node(part) is False for part in parts)

    def default(self, part: Part) -> Any:
        """The default of a schema as written; the converted one has none."""
        node = self.document.at(*self.place(part))
        return node.get("default") if isinstance(node, dict) else None

    # Places in the document

    def place(self, part: Part) -> tuple[str, str]:
        """The file and pointer of what was converted to ``part``."""
        uri, keys = part
        root = ""
        if uri in self.document.identified:
            uri, root = self.document.identified[uri]
        return uri, root + self._written(self.document.at(uri, root), keys)

    def _written(self, node: Any, keys: Sequence[str]) -> str:
        """The pointer without the ``anyOf`` that some schemas are wrapped in to admit null."""
        found: list[str] = []
        flag = {"2.0": "x-nullable", "3.0": "nullable"}.get(self.document.version)
        left = iter(keys)
        for key in left:
            # A schema with the flag has an ``anyOf`` only where it was wrapped.
            if key == "anyOf" and isinstance(node, dict) and node.get(flag) is True:
                next(left, None)
                continue
            if not isinstance(node, list) and key not in node:
                break  # a keyword that the conversion made, such as the bounds of int32
            found.append(key)
            node = follow(node, [key])
        return join("", *found)


def _products(factors: Sequence[Sequence[Alternative]]) -> list[Alternative]:
    """Every way to take one alternative of each factor."""
    size = 1
    for factor in factors:
        size *= len(factor)
    if size > ALTERNATIVES_MAX:
        raise TooManyAlternativesError
    return [_joined(chosen) for chosen in product(*factors)]


def _needed(alternatives: Sequence[Alternative]) -> tuple[Alternative, ...]:
    """The alternatives without those that only add to what another one asks for."""
    if len(alternatives) < 2:
        return tuple(alternatives)
    sets = [frozenset(item.facets) for item in alternatives]
    return tuple(
        item
        for item, own in zip(alternatives, sets, strict=True)
        if not any(other < own for other in sets)
    )


def _joined(chosen: Sequence[Alternative]) -> Alternative:
    facets = dict.fromkeys(facet for item in chosen for facet in item.facets)
    branch = next((item.branch for item in chosen if item.branch is not None), None)
    return Alternative(tuple(facets), branch)


def _part(address: str) -> Part:
    uri, _, fragment = address.partition("#")
    return Part(uri, tuple(tokens(unquote(fragment))))


def _list(node: dict[str, Any], key: str) -> list[Any]:
    value = node.get(key)
    return value if isinstance(value, list) else []


def says_something(schema: Any) -> bool:
    """Whether a schema says more than that everything is admitted."""
    return schema is not True and schema != {}
