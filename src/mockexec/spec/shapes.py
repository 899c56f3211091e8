"""What a text value may become: the JSON types a schema admits, and those of its parts.

A parameter or form field arrives as text, and the schema says whether ``5`` is a number. The shape
is generous: where a schema offers alternatives, all of them count. The validator decides later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from mockexec.spec.load import Document

# A schema and the URI of the file it stands in.
Place = tuple[Any, str]

_ANY: frozenset[str] = frozenset()


class Shape:
    """The JSON types of a value; ``types`` is empty where any will do.

    Parts are worked out when asked for, so a recursive schema has a shape like any other.
    """

    def __init__(self, document: Document, places: tuple[Place, ...]) -> None:
        self._document = document
        self._places = places

    @cached_property
    def types(self) -> frozenset[str]:
        """The admitted types: string, number, integer, boolean, null, array, object."""
        return _union([_types(self._document, place, ()) for place in self._places])

    @cached_property
    def items(self) -> Shape | None:
        """The shape of an element, or None where nothing is said about elements."""
        return self._part("items", "prefixItems")

    @cached_property
    def additional(self) -> Shape | None:
        """The shape of properties without a name of their own, or None where nothing is said."""
        return self._part("additionalProperties")

    @cached_property
    def properties(self) -> Mapping[str, Shape]:
        """The shapes of the named properties."""
        found: dict[str, list[Place]] = {}
        for node, uri in self._facets:
            properties = node.get("properties")
            if isinstance(properties, dict):
                for name, schema in properties.items():
                    found.setdefault(name, []).append((schema, uri))
        return {name: Shape(self._document, tuple(places)) for name, places in found.items()}

    def _part(self, *keys: str) -> Shape | None:
        places: list[Place] = []
        for node, uri in self._facets:
            for key in keys:
                value = node.get(key)
                schemas = value if isinstance(value, list) else [value]
                places.extend((schema, uri) for schema in schemas if isinstance(schema, dict))
        return Shape(self._document, tuple(places)) if places else None

    @cached_property
    def _facets(self) -> list[tuple[dict[str, Any], str]]:
        """Every schema that has a say about this value, each once."""
        found: dict[int, tuple[dict[str, Any], str]] = {}
        queue = [*reversed(self._places)]
        while queue:
            node, uri = queue.pop()
            if not isinstance(node, dict) or id(node) in found:
                continue
            found[id(node)] = (node, uri)
            queue.extend(_parts(self._document, node, uri))
        return [*found.values()]

    def __repr__(self) -> str:
        return f"Shape({'|'.join(sorted(self.types)) or 'any'})"


def _parts(document: Document, node: dict[str, Any], uri: str) -> Iterator[Place]:
    if isinstance(node.get("$ref"), str):
        target, home, _ = document.target(node, uri)
        yield target, home
        if document.version < "3.1":
            return
    for key in ("allOf", "oneOf", "anyOf"):
        parts = node.get(key)
        for part in parts if isinstance(parts, list) else ():
            yield part, uri
    for key in ("then", "else"):
        if key in node:
            yield node[key], uri


def _types(document: Document, place: Place, above: tuple[int, ...]) -> frozenset[str]:
    """The types one schema admits. ``above`` are the schemas being asked already."""
    node, uri = place
    if not isinstance(node, dict) or id(node) in above:
        return _ANY
    above = (*above, id(node))
    types = _ANY
    if isinstance(node.get("$ref"), str):
        target, home, _ = document.target(node, uri)
        types = _types(document, (target, home), above)
        if document.version < "3.1":
            return types
    types = _both(types, _own_types(node, document.version))
    for part in _schemas(node, "allOf"):
        types = _both(types, _types(document, (part, uri), above))
    for key in ("oneOf", "anyOf"):
        parts = [_types(document, (part, uri), above) for part in _schemas(node, key)]
        if parts:
            types = _both(types, _union(parts))
    nullable = {"2.0": "x-nullable", "3.0": "nullable"}.get(document.version, "")
    return types | {"null"} if types and node.get(nullable) is True else types


def _schemas(node: dict[str, Any], key: str) -> list[Any]:
    value = node.get(key)
    return value if isinstance(value, list) else []


def _own_types(node: dict[str, Any], version: str) -> frozenset[str]:
    written = node.get("type")
    if written == "file":
        return frozenset(("string",))
    if isinstance(written, str):
        return frozenset((written,))
    if isinstance(written, list):
        return frozenset(item for item in written if isinstance(item, str))
    if "const" in node and version >= "3.1":
        return frozenset((_type_of(node["const"]),))
    if isinstance(node.get("enum"), list):
        return frozenset(_type_of(value) for value in node["enum"])
    return _ANY


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def _union(several: list[frozenset[str]]) -> frozenset[str]:
    """What at least one admits; any, as soon as one admits any."""
    if not several or _ANY in several:
        return _ANY
    return frozenset().union(*several)


def _both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """What both admit; an integer is a number. Contradictions come out as the first one."""
    if not one or not other:
        return one or other
    common = one & other
    if "integer" in one ^ other and "number" in one ^ other:
        common |= {"integer"}
    return common or one
