"""Compiled validators: one per schema and direction, made on first use.

The schemas of a document are handed to jsonschema-rs once per direction, as whole files with their
``$ref``s in place; a validator is a reference into them. Compiling one takes about a tenth of a
millisecond, asking it a few microseconds.

Regular expressions run in linear time, unless they look around or refer back, which no linear
engine can; those are stopped after ``BACKTRACK_MAX`` steps and then count as not matching.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs

from mockexec.errors import Violation
from mockexec.spec import messages
from mockexec.spec.dialect import Direction, resources
from mockexec.spec.load import Document
from mockexec.spec.operations import SchemaRef
from mockexec.spec.pointers import join
from mockexec.spec.shapes import Shape

__all__ = ["Direction", "Schemas", "Shape", "Validator"]

VIOLATIONS_MAX = 20
BACKTRACK_MAX = 100_000
# Beyond 254 levels jsonschema-rs reports no errors any more, and on a recursive schema some
# thousands overflow its stack. Whoever parses input bounds its depth lower than this.
DEPTH_MAX = 200

_DRAFTS: dict[str, type[jsonschema_rs.Validator]] = {
    "http://json-schema.org/draft-04/schema": jsonschema_rs.Draft4Validator,
    "http://json-schema.org/draft-06/schema": jsonschema_rs.Draft6Validator,
    "http://json-schema.org/draft-07/schema": jsonschema_rs.Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": jsonschema_rs.Draft201909Validator,
}


class Schemas:
    """All schemas of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._registries: dict[Direction, jsonschema_rs.Registry] = {}
        self._validators: dict[tuple[str, str, Direction], Validator] = {}
        dialect = str(document.raw.get("jsonSchemaDialect", "")).removesuffix("#")
        # Everything but the older drafts, OpenAPI's own dialect included, is 2020-12.
        self._draft = _DRAFTS.get(dialect, jsonschema_rs.Draft202012Validator)

    def validator(self, ref: SchemaRef, direction: Direction) -> Validator:
        """The validator of the schema for values that go in that direction.

        Raises DocumentError, with the place, where the schema is none.
        """
        uri, pointer = self._target(ref)
        key = (uri, pointer, direction)
        found = self._validators.get(key)
        if found is None:
            found = self._validators[key] = Validator(self._compile(uri, pointer, direction))
        return found

    def _target(self, ref: SchemaRef) -> tuple[str, str]:
        """Where the schema really is: many places that only refer to it share its validator."""
        node, uri, pointer = ref.raw, ref.uri, ref.pointer
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            if len(node) > 1 and self.document.version >= "3.1":
                break
            node, uri, pointer = self.document.target(node, uri)
        return uri, pointer

    def shape(self, ref: SchemaRef) -> Shape:
        """What a text value described by the schema may become."""
        return Shape(self.document, ((ref.raw, ref.uri),))

    def registry(self, direction: Direction) -> jsonschema_rs.Registry:
        """All files as JSON Schema 2020-12, under their URIs."""
        if direction not in self._registries:
            files, directional = resources(self.document, direction)
            registry = jsonschema_rs.Registry(files)
            self._registries[direction] = registry
            if not directional:
                self._registries = {"request": registry, "response": registry}
        return self._registries[direction]

    def reference(self, ref: SchemaRef) -> dict[str, Any]:
        """The schema as a reference into ``registry``."""
        return {"$ref": self.document.address(ref.uri, ref.pointer)}

    def _compile(self, uri: str, pointer: str, direction: Direction) -> jsonschema_rs.Validator:
        try:
            return self._draft(
                {"$ref": self.document.address(uri, pointer)},
                registry=self.registry(direction),
                validate_formats=True,
                offline=True,
                pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACK_MAX),
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            problem = f"this schema cannot be used: {error.message}"
            raise self.document.error(problem, uri, pointer) from None


class Validator:
    """Says whether a value fits a schema, and if not, why."""

    __slots__ = ("_compiled",)

    def __init__(self, compiled: jsonschema_rs.Validator) -> None:
        self._compiled = compiled

    def is_valid(self, value: Any) -> bool:
        """Whether the value fits. It must not be nested deeper than some thousand levels."""
        try:
            return self._compiled.is_valid(value)
        except ValueError:
            # Not JSON at all: half a surrogate pair, bytes, a key that is no text.
            return False

    def violations(self, value: Any, *, location: str = "body", name: str = "") -> list[Violation]:
        """What is wrong with the value, at most 20 things; nothing if it fits."""
        problem = _unreadable(value)
        if problem is not None:
            return [Violation(location, name, *problem)]
        found = islice(self._problems(value), VIOLATIONS_MAX)
        return [Violation(location, name, pointer, text) for pointer, text in found]

    def _problems(self, value: Any) -> Iterator[tuple[str, str]]:
        for error in self._compiled.iter_errors(value):
            yield from _plain(error, value)


def _plain(error: jsonschema_rs.ValidationError, value: Any) -> Iterator[tuple[str, str]]:
    """(pointer, message) of an error, and of those it consists of."""
    pointer = join("", *error.instance_path)
    kind = error.kind.name
    details = error.kind.as_dict()
    part = _at(value, error.instance_path)
    if kind == "required":
        yield join(pointer, details["property"]), "is missing"
    elif kind in ("additionalProperties", "unevaluatedProperties"):
        for unexpected in details["unexpected"]:
            yield join(pointer, unexpected), "is not a known property"
    elif kind in ("anyOf", "oneOf") and details.get("context"):
        yield from _alternatives(pointer, details["context"], part, value)
    elif kind == "propertyNames":
        inner = details["error"]
        text = messages.message(inner.kind.name, inner.kind.as_dict(), inner.instance)
        yield pointer, f"has a property whose name {text or inner.message}"
    else:
        yield pointer, messages.message(kind, details, part) or f"is not valid ({kind})"


def _alternatives(
    pointer: str, branches: Sequence[Sequence[jsonschema_rs.ValidationError]], part: Any, value: Any
) -> Iterator[tuple[str, str]]:
    """What keeps a value from every one of several forms.

    Forms of another type than the value's are not what was meant: if one other form is left, its
    own errors are the answer.
    """
    if any(not branch for branch in branches):
        yield pointer, "fits more than one of the forms of which it must fit one"
        return
    meant = [branch for branch in branches if not _wrong_type(branch, pointer)]
    if len(meant) == 1:
        for error in meant[0]:
            yield from _plain(error, value)
        return
    if not meant:
        types = {kind: None for branch in branches for kind in _types(branch, pointer)}
        yield pointer, f"must be {messages.type_words([*types])}, got {messages.shown(part)}"
        return
    firsts = [next(_plain(branch[0], value)) for branch in meant[:3]]
    reasons = "; ".join(f"{at[len(pointer):] or 'it'} {text}" for at, text in firsts)
    yield pointer, f"fits none of the {len(branches)} forms it may have ({reasons})"


def _wrong_type(branch: Sequence[jsonschema_rs.ValidationError], pointer: str) -> bool:
    return bool(_types(branch, pointer))


def _types(branch: Sequence[jsonschema_rs.ValidationError], pointer: str) -> list[str]:
    """The types a form wants, if it refuses the value itself for its type."""
    for error in branch:
        if error.kind.name == "type" and join("", *error.instance_path) == pointer:
            return [str(name) for name in error.kind.as_dict()["types"]]
    return []


def _at(value: Any, path: Sequence[str | int]) -> Any:
    """The part of the value an error is about. The error's own copy loses large numbers."""
    for key in path:
        value = value[key]
    return value


def _unreadable(value: Any) -> tuple[str, str] | None:
    """(pointer, message) of the first thing in a value that is not JSON, or not within bounds."""
    stack: list[tuple[Any, str, int]] = [(value, "", 1)]
    while stack:
        node, pointer, depth = stack.pop()
        if depth > DEPTH_MAX:
            return "", f"is nested deeper than {DEPTH_MAX} levels"
        if isinstance(node, dict):
            for key, item in node.items():
                if not isinstance(key, str):
                    return pointer, "has a property whose name is not text"
                problem = _bad_text(key)
                if problem is not None:
                    return pointer, f"has a property whose name {problem}"
                stack.append((item, join(pointer, key), depth + 1))
        elif isinstance(node, list):
            stack.extend((item, join(pointer, i), depth + 1) for i, item in enumerate(node))
        elif isinstance(node, str):
            problem = _bad_text(node)
            if problem is not None:
                return pointer, problem
        elif node is not None and not isinstance(node, bool | int | float):
            return pointer, f"must be a JSON value, got {messages.shown(node)}"
    return None


def _bad_text(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no text"
    return None
