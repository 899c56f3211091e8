"""What a document says about a value beside its schema: examples, and the order of properties.

The canonical form that values are made from has lost both. Hints lead through the raw schemas in
step with it, as far as names go; where they are wrong, the examples do not validate and are not
used.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from mockexec.spec.operations import SchemaRef
from mockexec.spec.pointers import join
from mockexec.spec.schemas import Schemas


class Hints:
    """Hints about one value. ``places`` are the schemas that have a say about it."""

    def __init__(self, schemas: Schemas, places: tuple[SchemaRef, ...]) -> None:
        self._schemas = schemas
        self._document = schemas.document
        self._facets = tuple(self._reachable(places))
        self._parts: dict[str, Hints | None] = {}
        # Shared by all hints of one document, so that a recursive schema has finitely many.
        self._known: dict[tuple[SchemaRef, ...], Hints] = {places: self}

    @cached_property
    def examples(self) -> tuple[Any, ...]:
        """Examples of the value that their own schemas accept."""
        found: list[Any] = []
        for facet in self._facets:
            values = [*_examples(facet.raw)]
            if values:
                # Only now: compiling a validator for every part would take far more than it gives.
                validator = self._schemas.validator(facet, "response")
                found.extend(value for value in values if validator.is_valid(value))
        return tuple(found)

    @cached_property
    def order(self) -> dict[str, int]:
        """The position of every named property, as the document writes them."""
        names: dict[str, int] = {}
        for facet in self._facets:
            for name in _mapping(facet.raw, "properties"):
                names.setdefault(name, len(names))
        return names

    def below(self, name: str) -> Hints | None:
        """Hints about a property, or None."""
        return self._part(name, "properties", name) or self._part("*", "additionalProperties")

    @property
    def items(self) -> Hints | None:
        """Hints about the elements of a list, or None."""
        return self._part("[]", "items")

    def _part(self, key: str, *path: str) -> Hints | None:
        if key not in self._parts:
            places = tuple(
                SchemaRef(facet.document, facet.uri, join(facet.pointer, *path))
                for facet in self._facets
                if _has(facet.raw, path)
            )
            self._parts[key] = self._shared(places) if places else None
        return self._parts[key]

    def _shared(self, places: tuple[SchemaRef, ...]) -> Hints:
        found = self._known.get(places)
        if found is None:
            found = self._known[places] = Hints(self._schemas, places)
            found._known = self._known
        return found

    def _reachable(self, places: tuple[SchemaRef, ...]) -> Iterator[SchemaRef]:
        """Every schema that says something about the value, each once."""
        seen: set[tuple[str, str]] = set()
        queue = [*reversed(places)]
        while queue:
            place = queue.pop()
            node = place.raw
            if not isinstance(node, dict) or (place.uri, place.pointer) in seen:
                continue
            seen.add((place.uri, place.pointer))
            yield place
            for key in ("allOf", "oneOf", "anyOf"):
                parts = node.get(key)
                for index in range(len(parts) if isinstance(parts, list) else 0):
                    pointer = join(place.pointer, key, index)
                    queue.append(SchemaRef(self._document, place.uri, pointer))
            if isinstance(node.get("$ref"), str):
                _, uri, pointer = self._document.target(node, place.uri)
                queue.append(SchemaRef(self._document, uri, pointer))


def _examples(node: Any) -> Iterator[Any]:
    if "example" in node:
        yield node["example"]
    examples = node.get("examples")
    if isinstance(examples, list):
        yield from examples
    if node.get("default") is not None:
        yield node["default"]


def _mapping(node: Any, key: str) -> dict[str, Any]:
    value = node.get(key)
    return value if isinstance(value, dict) else {}


def _has(node: Any, path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(node, dict) or key not in node:
            return False
        node = node[key]
    return isinstance(node, dict)
