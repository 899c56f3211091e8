"""A schema as alternatives of keywords, with ``$ref``, ``allOf``, ``oneOf`` and ``anyOf`` resolved.

Two schemas may say the same in different ways: ``nullable`` or ``anyOf`` with null, one ``allOf``
or several. Here each becomes a list of alternatives, and each alternative a list of facets, the
plain schemas that all have to hold. ``oneOf`` counts as ``anyOf``: that no second alternative may
hold is hardly ever what tells two versions apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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
    pointer: str

    def below(self, *keys: str | int) -> Part:
        """The place that ``keys`` lead to from here."""
        return Part(self.uri, join(self.pointer, *keys))


# A schema that is the conjunction of its parts; without any it admits everything.
Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Facet:
    """One plain schema and its place."""

    part: Part
    node: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Facets that hold together. ``branch`` is the outermost member of a union it came from."""

    facets: tuple[Facet, ...]
    branch: Part | None = None

    def with_key(self, key: str) -> Iterator[Facet]:
        """The facets that have this keyword."""
        return (facet for facet in self.facets if key in facet.node)

    @property
    def types(self) -> frozenset[str]:
        """The JSON types that are admitted, see ``TYPES``."""
        found = TYPES
        for facet in self.facets:
            found &= _types(facet.node)
        return found

    @property
    def values(self) -> list[Any] | None:
        """The values it is limited to by an enum or const, or None."""
        for facet in self.facets:
            if "const" in facet.node:
                return [facet.node["const"]]
            if isinstance(facet.node.get("enum"), list):
                return list(facet.node["enum"])
        return None

    @property
    def names(self) -> dict[str, None]:
        """The names of the described properties, in order."""
        return {
            name: None
            for facet in self.with_key("properties")
            for name, node in facet.node["properties"].items()
            if node is not False
        }

    @property
    def required(self) -> dict[str, Part]:
        """The names of the required properties, and where that is said."""
        return {
            name: facet.part.below("required", index)
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
        self._validators: dict[Parts, jsonschema_rs.Draft202012Validator] = {}

    def parts(self, ref: SchemaRef | None) -> Parts:
        """The schema of an operation; None, where there is none, admits everything."""
        if ref is None:
            return ()
        return (self.resolved(_part(self._converted.address(ref.uri, ref.pointer))),)

    def node(self, part: Part) -> Any:
        """The converted schema at a place."""
        return follow(self._converted.resources[part.uri], tokens(part.pointer))

    def resolved(self, part: Part) -> Part:
        """The place that a schema which is nothing but a reference leads to."""
        node = self.node(part)
        while isinstance(node, dict) and len(node) == 1 and isinstance(node.get("$ref"), str):
            part = _part(node["$ref"])
            node = self.node(part)
        return part

    def alternatives(self, parts: Parts) -> tuple[Alternative, ...]:
        """The alternatives of a schema, none where it admits nothing.

        Raises TooManyAlternativesError where there are more than 256.
        """
        found = self._alternatives.get(parts)
        if found is None:
            made = [self._expanded(part, frozenset()) for part in parts]
            possible = (item for item in _products(made) if item.types)
            found = self._alternatives[parts] = tuple(dict.fromkeys(possible, None))
        return found

    def _expanded(self, part: Part, above: frozenset[Part]) -> list[Alternative]:
        node = self.node(part)
        if node is False:
            return []
        if not isinstance(node, dict) or part in above:
            return [Alternative(())]
        above |= {part}
        factors = [[Alternative((_Hashable(part, node),))]]
        if isinstance(node.get("$ref"), str):
            factors.append(self._expanded(_part(node["$ref"]), above))
        for index in range(len(_list(node, "allOf"))):
            factors.append(self._expanded(part.below("allOf", index), above))
        for key in ("anyOf", "oneOf"):
            if _list(node, key):
                factors.append(self._union(part, key, above))
        return _products(factors)

    def _union(self, part: Part, key: str, above: frozenset[Part]) -> list[Alternative]:
        found = []
        for index in range(len(_list(self.node(part), key))):
            branch = self.resolved(part.below(key, index))
            for item in self._expanded(branch, above):
                found.append(Alternative(item.facets, branch))
        return found

    def admits(self, parts: Parts, value: Any) -> bool:
        """Whether the value fits the schema. Raises DocumentError where the schema is none."""
        validator = self._validators.get(parts)
        if validator is None:
            validator = self._validators[parts] = self._compiled(parts)
        return validator.is_valid(value)

    def _compiled(self, parts: Parts) -> jsonschema_rs.Draft202012Validator:
        try:
            return jsonschema_rs.Draft202012Validator(
                self.schema(parts), registry=self._registry, validate_formats=True, offline=True
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            problem = f"this schema cannot be used: {error.message}"
            raise self.document.error(problem, *self.place(parts[0])) from None

    def schema(self, parts: Iterable[Part]) -> dict[str, Any]:
        """A schema as a value of its own, which refers to its parts."""
        return {"allOf": [{"$ref": self._address(part)} for part in parts]}

    def _address(self, part: Part) -> str:
        return self.document.address(part.uri, part.pointer)

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
            if _matches(pattern, name):
                described = True
                yield self.resolved(facet.part.below("patternProperties", pattern))
        if not described and says_something(facet.node.get("additionalProperties", True)):
            yield self.resolved(facet.part.below("additionalProperties"))

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
                found.append(self.resolved(facet.part.below("prefixItems", index)))
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

    # Places in the document

    def place(self, part: Part) -> tuple[str, str]:
        """The file and pointer of what was converted to ``part``."""
        uri, pointer = part
        if uri in self.document.identified:
            uri, root = self.document.identified[uri]
            pointer = root + pointer
        return uri, self._written(uri, pointer)

    def _written(self, uri: str, pointer: str) -> str:
        """The pointer without the ``anyOf`` that some schemas are wrapped in to admit null."""
        node = self.document.at(uri, "")
        found: list[str] = []
        keys = iter(tokens(pointer))
        for key in keys:
            if key == "anyOf" and isinstance(node, dict) and key not in node:
                next(keys, None)
                continue
            found.append(key)
            try:
                node = follow(node, [key])
            except LookupError:
                node = None
        return join("", *found)


class _Hashable(Facet):
    """A facet that is told from others by its place alone."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Facet) and self.part == other.part

    def __hash__(self) -> int:
        return hash(self.part)


def _products(factors: Sequence[Sequence[Alternative]]) -> list[Alternative]:
    """Every way to take one alternative of each factor."""
    size = 1
    for factor in factors:
        size *= len(factor)
    if size > ALTERNATIVES_MAX:
        raise TooManyAlternativesError
    return [_joined(chosen) for chosen in product(*factors)]


def _joined(chosen: Sequence[Alternative]) -> Alternative:
    facets = dict.fromkeys(facet for item in chosen for facet in item.facets)
    branch = next((item.branch for item in chosen if item.branch is not None), None)
    return Alternative(tuple(facets), branch)


def _part(address: str) -> Part:
    uri, _, fragment = address.partition("#")
    return Part(uri, unquote(fragment))


def _list(node: dict[str, Any], key: str) -> list[Any]:
    value = node.get(key)
    return value if isinstance(value, list) else []


def says_something(schema: Any) -> bool:
    """Whether a schema says more than that everything is admitted."""
    return schema is not True and schema != {}


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        # The dialect of JSON Schema has a few things that Python's has not; lint tells the rest.
        return False
