"""Compiled validators: one per schema and direction, made on first use.

The schemas of a document are handed to jsonschema-rs once per direction, as whole files with their
``$ref``s in place; a validator is a reference into them. Compiling one takes about a tenth of a
millisecond, asking it a few microseconds.

Regular expressions run in linear time, unless they look around or refer back, which no linear
engine can; those are stopped after ``BACKTRACK_MAX`` steps and then count as not matching.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import jsonschema_rs

from mockexec.errors import Violation
from mockexec.spec.dialect import Converted, Direction
from mockexec.spec.explain import Explainer, unreadable
from mockexec.spec.load import Document
from mockexec.spec.operations import SchemaRef
from mockexec.spec.shapes import Shape

__all__ = ["Direction", "Schemas", "Shape", "Validator"]

VIOLATIONS_MAX = 20
BACKTRACK_MAX = 100_000

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
        self._compilers: dict[Direction, _Compiler] = {}
        self._validators: dict[tuple[str, str, Direction], Validator] = {}

    def validator(self, ref: SchemaRef, direction: Direction) -> Validator:
        """The validator of the schema for values that go in that direction.

        Raises DocumentError, with the place, where the schema is none.
        """
        uri, pointer = self._target(ref)
        key = (uri, pointer, direction)
        found = self._validators.get(key)
        if found is None:
            found = self._validators[key] = self._make(uri, pointer, direction)
        return found

    def shape(self, ref: SchemaRef) -> Shape:
        """What a text value described by the schema may become."""
        return Shape(self.document, ((ref.raw, ref.uri),))

    def registry(self, direction: Direction) -> jsonschema_rs.Registry:
        """All files as JSON Schema 2020-12, under their URIs."""
        return self._compiler(direction).registry

    def reference(self, ref: SchemaRef, direction: Direction) -> dict[str, Any]:
        """The schema as a reference into ``registry``."""
        return {"$ref": self.converted(direction).address(ref.uri, ref.pointer)}

    def converted(self, direction: Direction) -> Converted:
        """All files as JSON Schema 2020-12, as plain values."""
        return self._compiler(direction).converted

    def _target(self, ref: SchemaRef) -> tuple[str, str]:
        """Where the schema really is: many places that only refer to it share its validator."""
        node, uri, pointer = ref.raw, ref.uri, ref.pointer
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            if len(node) > 1 and self.document.version >= "3.1":
                break
            node, uri, pointer = self.document.target(node, uri)
        return uri, pointer

    def _make(self, uri: str, pointer: str, direction: Direction) -> Validator:
        compiler = self._compiler(direction)
        try:
            address = compiler.converted.address(uri, pointer)
            return Validator(compiler.compile({"$ref": address}), address, compiler.explainer)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            problem = f"this schema cannot be used: {error.message}"
            raise self.document.error(problem, uri, pointer) from None

    def _compiler(self, direction: Direction) -> _Compiler:
        if direction not in self._compilers:
            compiler = _Compiler(self.document, direction)
            self._compilers[direction] = compiler
            if not compiler.converted.directional:
                self._compilers = {"request": compiler, "response": compiler}
        return self._compilers[direction]


class _Compiler:
    """Compiles schemas of one document for one direction."""

    def __init__(self, document: Document, direction: Direction) -> None:
        self.converted = Converted(document, direction)
        self.registry = jsonschema_rs.Registry([*self.converted.resources.items()])
        dialect = str(document.raw.get("jsonSchemaDialect", "")).removesuffix("#")
        # Everything but the older drafts, OpenAPI's own dialect included, is 2020-12.
        self._draft = _DRAFTS.get(dialect, jsonschema_rs.Draft202012Validator)
        self.explainer = Explainer(self.converted, self.compile)

    def compile(self, schema: dict[str, Any]) -> jsonschema_rs.Validator:
        return self._draft(
            schema,
            registry=self.registry,
            validate_formats=True,
            offline=True,
            pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACK_MAX),
        )


class Validator:
    """Says whether a value fits a schema, and if not, why."""

    __slots__ = ("_address", "_compiled", "_explainer")

    def __init__(
        self, compiled: jsonschema_rs.Validator, address: str, explainer: Explainer
    ) -> None:
        self._compiled = compiled
        self._address = address
        self._explainer = explainer

    def is_valid(self, value: Any) -> bool:
        """Whether the value fits. It must not be nested deeper than some thousand levels."""
        try:
            return self._compiled.is_valid(value)
        except ValueError:
            # Not JSON at all: half a surrogate pair, bytes, a key that is no text.
            return False

    def violations(self, value: Any, *, location: str = "body", name: str = "") -> list[Violation]:
        """What is wrong with the value, at most 20 things; nothing if it fits.

        Half a surrogate pair, more than 200 levels or what is not JSON is told wherever it is;
        ``is_valid`` does not look into parts that the schema says nothing about.
        """
        problem = unreadable(value)
        if problem is not None:
            return [Violation(location, name, *problem)]
        if self.is_valid(value):
            return []
        found = islice(self._explainer.explain(self._address, value), VIOLATIONS_MAX)
        return [Violation(location, name, pointer, text) for pointer, text in found]
