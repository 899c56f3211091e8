"""Where references stand in an OpenAPI document, and where the places they name are.

A ``$ref`` is only a reference where the specification has an object: not inside an example, a
default or an extension, and not as the name of a property. The walk below therefore knows the few
keys whose values are maps of names, and those whose values are data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

# Keys whose value is a map from names, chosen by the author, to objects.
NAME_MAPS = frozenset(
    [
        "$defs",
        "callbacks",
        "content",
        "definitions",
        "dependentSchemas",
        "encoding",
        "examples",
        "headers",
        "links",
        "mediaTypes",
        "parameters",
        "pathItems",
        "paths",
        "patternProperties",
        "properties",
        "requestBodies",
        "responses",
        "schemas",
        "securityDefinitions",
        "securitySchemes",
        "variables",
        "webhooks",
        "additionalOperations",
    ]
)
# Keys whose value is data, in which nothing is a reference.
DATA = frozenset(
    [
        "const",
        "dataValue",
        "default",
        "enum",
        "example",
        "mapping",
        "required",
        "scopes",
        "security",
        "tags",
        "value",
    ]
)


@dataclass(frozen=True, slots=True)
class Found:
    """A reference, or a name a reference can use.

    ``base`` is the URI relative references are resolved against: the file's, or the nearest
    ``$id`` (JSON Schema 2020-12, 8.2.1).
    """

    node: dict[str, Any]
    base: str


@dataclass(slots=True)
class Walk:
    """What a walk over one part of a file found."""

    references: list[Found]
    ids: list[Found]
    anchors: list[Found]


def walk(node: Any, base: str, seen: set[int], *, literal_examples: bool, with_ids: bool) -> Walk:
    """All references at and below ``node``, an object of the specification or a schema.

    ``seen`` holds the identities of nodes already walked, over several calls. ``literal_examples``
    is true for 2.0, where ``examples`` holds bodies; ``with_ids`` from 3.1 on, where ``$id`` and
    ``$anchor`` have a meaning.
    """
    found = Walk([], [], [])
    stack: list[tuple[Any, str]] = [(node, base)]
    while stack:
        node, base = stack.pop()
        if isinstance(node, list):
            stack.extend((item, base) for item in node if isinstance(item, dict | list))
            continue
        if not isinstance(node, dict) or id(node) in seen:
            continue
        seen.add(id(node))
        if with_ids:
            if isinstance(node.get("$id"), str):
                base = urljoin(base, node["$id"])
                found.ids.append(Found(node, base))
            if "$anchor" in node or "$dynamicAnchor" in node:
                found.anchors.append(Found(node, base))
        if isinstance(node.get("$ref"), str):
            found.references.append(Found(node, base))
        stack.extend((child, base) for child in _objects(node, literal_examples))
    return found


def _objects(node: dict[str, Any], literal_examples: bool) -> Iterator[Any]:
    for key, value in node.items():
        if not isinstance(value, dict | list) or key in DATA or key.startswith("x-"):
            continue
        if key == "examples" and (literal_examples or isinstance(value, list)):
            continue
        if key in NAME_MAPS and isinstance(value, dict):
            yield from value.values()
            # A map of callbacks holds maps of path items, or a reference to one.
        else:
            yield value


def pointer_to(root: Any, target: Any) -> list[str | int]:
    """The keys that lead from ``root`` to the very object ``target``; slow, for messages only."""
    stack: list[tuple[Any, tuple[Any, ...]]] = [(root, ())]
    while stack:
        node, path = stack.pop()
        if node is target:
            return [*path]
        if isinstance(node, dict):
            stack.extend((value, (*path, key)) for key, value in node.items())
        elif isinstance(node, list):
            stack.extend((value, (*path, index)) for index, value in enumerate(node))
    return []
