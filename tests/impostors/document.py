"""What an impostor reads from an OpenAPI 3.0 document: operations, decoders and validators.

Only what the five documents use: parameters of primitive types, JSON and form bodies, ``$ref``s
within the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs
import yaml

SPECS = Path(__file__).parents[2] / "specs"

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?", re.ASCII)
_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


class Problem(NamedTuple):
    """What is wrong with one value of a request.

    ``location`` is ``path``, ``query``, ``header`` or ``body``; ``pointer`` leads into the value.
    """

    location: str
    name: str
    pointer: str
    message: str

    @property
    def place(self) -> str:
        """Where it is, in words: ``query parameter limit``, ``body /input``."""
        if self.location == "body":
            return f"body {self.pointer}".rstrip()
        return f"{self.location} parameter {self.name}{self.pointer}"


class Checker:
    """One compiled schema."""

    def __init__(self, schema: Mapping[str, Any], registry: jsonschema_rs.Registry) -> None:
        self._compiled = jsonschema_rs.Draft202012Validator(
            convert(schema), registry=registry, validate_formats=True
        )

    def problems(self, value: Any, location: str, name: str = "") -> Iterator[Problem]:
        """What the schema has against ``value``."""
        for error in self._compiled.iter_errors(value):
            pointer = "".join(
                "/" + str(step).replace("~", "~0").replace("/", "~1")
                for step in error.instance_path
            )
            yield Problem(location, name, pointer, error.message[:300])


@dataclass(frozen=True)
class Parameter:
    """One parameter in path, query or header."""

    location: str
    name: str
    required: bool
    schema: Mapping[str, Any]
    checker: Checker

    @property
    def default(self) -> Any:
        """What counts when a request leaves it out; None when the document has no default."""
        return self.schema.get("default")

    def decode(self, texts: list[str]) -> Any:
        """The value that stands in a request.

        Raises:
            ValueError: it is not of the parameter's type.
        """
        if self.schema.get("type") == "array":
            item = self.schema.get("items", {}).get("type", "string")
            return [_primitive(text, item) for text in texts]
        if len(texts) > 1:
            raise ValueError("must be given once")
        return _primitive(texts[0], self.schema.get("type", "string"))


@dataclass(frozen=True)
class Operation:
    """One operation, ready to be called."""

    id: str
    method: str
    path: str
    pattern: re.Pattern[str]
    parameters: tuple[Parameter, ...]
    # By media type. Without any the operation takes no body.
    bodies: Mapping[str, Checker]
    body_required: bool
    # The media types of a successful answer, the one that is sent by default first.
    produces: tuple[str, ...]
    # Each one is enough; every scheme in it is needed, with its scopes.
    security: tuple[Mapping[str, list[str]], ...]


@dataclass
class Document:
    """One of the five documents."""

    raw: Mapping[str, Any]
    # The most literal path first: ``/a/find`` goes before ``/a/{id}``.
    operations: list[Operation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._registry = jsonschema_rs.Registry([("urn:document", _convert_components(self.raw))])
        for path, item in self.raw["paths"].items():
            for method in _METHODS:
                if method in item:
                    self.operations.append(self._operation(path, method, item))
        self.operations.sort(key=lambda one: -len(re.sub(r"\{[^}]*\}", "", one.path)))

    def checker(self, schema: str) -> Checker:
        """The validator of a schema in ``components``."""
        return Checker({"$ref": f"#/components/schemas/{schema}"}, self._registry)

    def resolve(self, node: Any) -> Any:
        """``node``, or what it refers to."""
        while isinstance(node, Mapping) and "$ref" in node:
            target: Any = self.raw
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        node = item[method]
        body = self.resolve(node.get("requestBody", {}))
        found = [self.resolve(one) for one in node.get("parameters", [])]
        taken = {(one["in"], one["name"]) for one in found}
        shared = [self.resolve(one) for one in item.get("parameters", [])]
        found += [one for one in shared if (one["in"], one["name"]) not in taken]
        return Operation(
            id=node["operationId"],
            method=method.upper(),
            path=path,
            pattern=_pattern(path),
            parameters=tuple(self._parameter(one) for one in found),
            bodies={
                media: Checker(content.get("schema", {}), self._registry)
                for media, content in body.get("content", {}).items()
            },
            body_required=body.get("required", False),
            produces=self._produces(node),
            security=tuple(node.get("security", self.raw.get("security", []))),
        )

    def _parameter(self, node: Mapping[str, Any]) -> Parameter:
        schema = self.resolve(node["schema"])
        checker = Checker(node["schema"], self._registry)
        return Parameter(node["in"], node["name"], node.get("required", False), schema, checker)

    def _produces(self, node: Mapping[str, Any]) -> tuple[str, ...]:
        media = [
            name
            for status, response in node["responses"].items()
            if str(status).startswith("2")
            for name in self.resolve(response).get("content", {})
        ]
        # An answer without a body may still become a refusal, which has one.
        return tuple(dict.fromkeys(media)) or ("application/json",)


@cache
def load(name: str) -> Document:
    """The document of one API; read once, as it never changes."""
    text = (SPECS / f"{name}.yaml").read_text()
    return Document(yaml.load(text, yaml.CSafeLoader))


def convert(schema: Any) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema 2020-12 (OpenAPI 3.0.3, "Schema Object")."""
    if isinstance(schema, list):
        return [convert(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        # What stands beside a reference does not count in 3.0.
        return {"$ref": "urn:document" + schema["$ref"]}
    result = {key: _keyword(key, value) for key, value in schema.items()}
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if result.pop(exclusive, False) is True:
            result[exclusive] = result.pop(bound)
    if result.get("format") in _BOUNDS:
        low, high = _BOUNDS[result.pop("format")]
        result["minimum"] = max(low, result.get("minimum", low))
        result["maximum"] = min(high, result.get("maximum", high))
    if result.pop("nullable", False):
        return {"anyOf": [{"type": "null"}, result]}
    return result


def _keyword(key: str, value: Any) -> Any:
    # These hold values, not schemas.
    if key in {"example", "default", "enum", "required", "discriminator"}:
        return value
    if key == "properties":
        return {name: convert(one) for name, one in value.items()}
    return convert(value)


def _convert_components(raw: Mapping[str, Any]) -> dict[str, Any]:
    schemas = raw.get("components", {}).get("schemas", {})
    return {"components": {"schemas": {name: convert(one) for name, one in schemas.items()}}}


def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"(\{[^}]+\})", path)
    return re.compile(
        "".join(
            f"(?P<{piece[1:-1]}>[^/]+)" if piece.startswith("{") else re.escape(piece)
            for piece in pieces
        )
    )


def _primitive(text: str, kind: str) -> Any:
    if kind == "integer":
        if not _INTEGER.fullmatch(text):
            raise ValueError("must be an integer")
        return int(text)
    if kind == "number":
        if not _NUMBER.fullmatch(text):
            raise ValueError("must be a number")
        return float(text)
    if kind == "boolean":
        if text not in {"true", "false"}:
            raise ValueError("must be true or false")
        return text == "true"
    return text
