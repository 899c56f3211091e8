"""Every schema and every example of a document, by place.

Only ``lint`` and ``diff`` ask for all of them; serving looks at schemas as operations need them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from mockexec.spec.load import Document
from mockexec.spec.operations import SchemaRef
from mockexec.spec.pointers import join
from mockexec.spec.references import DATA, NAME_MAPS

# Which way the values of a place go; None where it is used both ways, or the place does not say.
Way = Literal["request", "response"] | None

_SCHEMA = frozenset(
    [
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "itemSchema",
        "items",
        "not",
        "propertyNames",
        "schema",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
_SCHEMA_LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_SCHEMA_MAPS = frozenset(
    ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties", "schemas"]
)
_WAYS: dict[str, Way] = {
    "callbacks": None,
    "headers": "response",
    "parameters": "request",
    "requestBodies": "request",
    "requestBody": "request",
    "responses": "response",
}


@dataclass(frozen=True, slots=True)
class Place:
    """An object of the document; ``is_schema`` says that it is a schema."""

    node: dict[str, Any]
    uri: str
    pointer: str
    is_schema: bool
    way: Way


@dataclass(frozen=True, slots=True)
class Example:
    """A value that is written down for a schema."""

    value: Any
    schema: SchemaRef
    uri: str
    pointer: str
    way: Way


def places(document: Document) -> Iterator[Place]:
    """Every object of the specification that can be reached from the root, each once."""
    seen: set[tuple[int, bool]] = set()
    stack = [Place(document.raw, document.uri, "", False, None)]
    while stack:
        place = stack.pop()
        if (id(place.node), place.is_schema) in seen:
            continue
        seen.add((id(place.node), place.is_schema))
        yield place
        # Reversed, so that what is written first is also taken from the stack first.
        stack.extend(reversed([*_below(document, place)]))


def _below(document: Document, place: Place) -> Iterator[Place]:
    if isinstance(place.node.get("$ref"), str):
        target, uri, pointer = document.target(place.node, place.uri)
        # Places in the same file are reached on their own, where they are written.
        if isinstance(target, dict) and uri != document.uri:
            yield Place(target, uri, pointer, place.is_schema, place.way)
    for key, value in place.node.items():
        if key in DATA or key.startswith("x-") or key == "$ref":
            continue
        way = _WAYS.get(key, place.way)
        pointer = join(place.pointer, key)
        if isinstance(value, dict) and key in NAME_MAPS:
            if key == "examples" and document.version == "2.0":
                continue
            is_schema = key in _SCHEMA_MAPS or (
                # Parameters and headers of 2.0 are schemas themselves.
                document.version == "2.0" and key in ("headers", "parameters")
            )
            for name, item in value.items():
                if isinstance(item, dict):
                    yield Place(item, place.uri, join(pointer, name), is_schema, way)
        elif isinstance(value, dict):
            yield Place(value, place.uri, pointer, key in _SCHEMA, way)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    is_schema = key in _SCHEMA_LISTS or (
                        document.version == "2.0" and key == "parameters" and _is_simple(item)
                    )
                    yield Place(item, place.uri, join(pointer, index), is_schema, way)


def _is_simple(parameter: dict[str, Any]) -> bool:
    return parameter.get("in") != "body"


def schemas(document: Document) -> Iterator[Place]:
    """Every schema, also those inside other schemas."""
    return (place for place in places(document) if place.is_schema)


def examples(document: Document) -> Iterator[Example]:
    """Every example and default, of schemas, parameters, headers and bodies."""
    for place in places(document):
        if place.is_schema:
            yield from _of_schema(document, place)
        elif document.version == "2.0" and isinstance(place.node.get("examples"), dict):
            yield from _of_old_response(document, place)
        elif "schema" in place.node and _is_structured(place):
            yield from _of_object(document, place)


def _of_schema(document: Document, place: Place) -> Iterator[Example]:
    node = place.node
    # Up to 3.0 nothing counts beside a $ref.
    if "$ref" in node and document.version < "3.1":
        return
    schema = SchemaRef(document, place.uri, place.pointer)
    for key in ("example", "default"):
        if key in node:
            yield Example(node[key], schema, place.uri, join(place.pointer, key), None)
    if isinstance(node.get("examples"), list):
        for index, value in enumerate(node["examples"]):
            pointer = join(place.pointer, "examples", index)
            yield Example(value, schema, place.uri, pointer, None)


def _of_object(document: Document, place: Place) -> Iterator[Example]:
    schema = SchemaRef(document, place.uri, join(place.pointer, "schema"))
    if "example" in place.node:
        pointer = join(place.pointer, "example")
        yield Example(place.node["example"], schema, place.uri, pointer, place.way)
    named = place.node.get("examples")
    for name, written in named.items() if isinstance(named, dict) else ():
        at = join(place.pointer, "examples", name)
        example, uri, pointer = document.resolve(written, place.uri, at)
        for key in ("dataValue", "value"):
            if isinstance(example, dict) and key in example:
                yield Example(example[key], schema, uri, join(pointer, key), place.way)


def _of_old_response(document: Document, place: Place) -> Iterator[Example]:
    if "schema" not in place.node:
        return
    schema = SchemaRef(document, place.uri, join(place.pointer, "schema"))
    for name, value in place.node["examples"].items():
        if is_json(name):
            pointer = join(place.pointer, "examples", name)
            yield Example(value, schema, place.uri, pointer, "response")


def _is_structured(place: Place) -> bool:
    """Whether values here are written as data: parameters and headers, JSON and form bodies.

    An example of another media type is text, such as XML, that its schema does not describe.
    """
    parts = place.pointer.rsplit("/", 2)
    if len(parts) < 3 or parts[1] != "content":
        return True
    name = parts[2].replace("~1", "/").replace("~0", "~")
    return is_json(name) or name.lower().startswith(("application/x-www-form", "multipart/"))


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON (RFC 6839, 3.1 for the ``+json`` ones)."""
    essence = media_type.split(";", maxsplit=1)[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")
