"""Generated values: whatever a schema asks for, over HTTP, checked by another validator."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no stubs
import jsonschema_rs
import pytest

from mockexec.mocking.generate import Generator
from mockexec.server.generic import generic_api
from mockexec.simulation.chance import Chance
from mockexec.spec.load import load_document
from mockexec.spec.operations import operations
from mockexec.spec.schemas import Schemas
from tests.support import serve

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"

SCHEMAS: dict[str, Any] = {
    "all_of": {
        "allOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
            {"type": "object", "required": ["b"], "properties": {"a": {"minimum": 7}}},
        ]
    },
    "any": {},
    "bounded": {"type": "integer", "exclusiveMinimum": 41, "maximum": 42},
    "contains": {
        "type": "array",
        "items": {"type": "integer"},
        "contains": {"minimum": 100, "multipleOf": 7},
        "minContains": 2,
        "maxItems": 4,
    },
    "distinct": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3},
    "conditional": {
        "type": "object",
        "properties": {"kind": {"enum": ["a", "b"]}, "a": {"type": "integer"}},
        "required": ["kind"],
        "if": {"properties": {"kind": {"const": "a"}}},
        "then": {"required": ["a"]},
        "else": {"properties": {"a": False}},
    },
    "exclusion": {"type": "integer", "minimum": 1, "maximum": 3, "not": {"enum": [1, 3]}},
    "long": {"type": "string", "minLength": 300, "maxLength": 301},
    "map": {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z]{2}-[0-9]+$"},
        "additionalProperties": {"type": "array", "items": {"type": "boolean"}, "minItems": 1},
        "minProperties": 3,
    },
    "multiple": {"type": "number", "multipleOf": 0.25, "exclusiveMinimum": 0, "maximum": 1},
    "narrow": {"type": "number", "minimum": 0.12345, "maximum": 0.12346},
    "null_only": {"type": "null"},
    "one_of_overlap": {
        "oneOf": [{"type": "integer", "minimum": 0}, {"type": "integer", "maximum": 9}]
    },
    "pattern_properties": {
        "type": "object",
        "patternProperties": {"^x-": {"type": "integer"}},
        "additionalProperties": False,
        "minProperties": 2,
    },
    "prefix": {
        "type": "array",
        "prefixItems": [{"const": "a"}, {"type": "boolean"}],
        "items": {"type": "integer"},
        "minItems": 3,
    },
    "recursive": {"$ref": "#/components/schemas/Tree"},
    "mutual": {"$ref": "#/components/schemas/Group"},
    "short": {"type": "string", "maxLength": 2, "minLength": 1},
    "two_patterns": {"type": "string", "allOf": [{"pattern": "^ab"}, {"pattern": "[0-9]{3}$"}]},
}
COMPONENTS = {
    "Tree": {
        "type": "object",
        "required": ["value", "left", "right"],
        "properties": {
            "value": {"type": "integer"},
            "left": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]},
            "right": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]},
        },
    },
    "Group": {
        "type": "object",
        "required": ["members"],
        "properties": {
            "members": {"type": "array", "items": {"$ref": "#/components/schemas/Member"}}
        },
    },
    "Member": {
        "type": "object",
        "required": ["groups"],
        "properties": {
            "groups": {
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/components/schemas/Group"},
            }
        },
    },
}
PATTERNS = [
    r"^ri\.[a-z-]+\.main\.function\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    r"^\d{3}-\d{2}-\d{4}$",
    r"^(GET|POST) \/v[12]\/[\w\-]+$",
    r"^[^\s@]+@[^\s@]+\.[^\s@]+$",
    r"^(?<year>\d{4})-(?<month>0[1-9]|1[0-2])$",
    r"^\p{Lu}\p{Ll}+$",
    r"needle",
    r"^\u0041\x42$",
    r"^[\[\]{}()]+$",
    r"^(0|[1-9][0-9]*)(\.[0-9]{1,3})?$",
    r"^.{5,10}$",
    r"^[一-龠]{2}$",
]
FORMATS = [
    "date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname",
    "ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "uri-template", "uuid",
    "json-pointer", "relative-json-pointer", "regex", "byte", "binary", "password",
    "no-such-format",
]  # fmt: skip


def _samples(schema: Any, count: int = 20, *, name: str = "value") -> list[Any]:
    """Values of a property called ``name``, as ``count`` requests get them."""
    body = {"type": "object", "required": [name], "properties": {name: schema}}
    content = {"application/json": {"schema": body}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "components": {"schemas": COMPONENTS},
        "paths": {
            "/": {
                "get": {
                    "operationId": "one",
                    "responses": {"200": {"description": "ok", "content": content}},
                }
            }
        },
    }
    with serve(generic_api(load_document(document), "t")) as served:
        replies = [served.get("/t/") for _ in range(count)]
    assert {reply.status_code for reply in replies} == {200}
    return [reply.json()[name] for reply in replies]


@pytest.mark.parametrize("name", SCHEMAS)
def test_values_fit_their_schema(name: str) -> None:
    """Every sample of every kind of schema is valid, by a validator that is not ours."""
    schema = {"components": {"schemas": COMPONENTS}, **SCHEMAS[name]}
    validator = jsonschema.Draft202012Validator(schema)
    for value in _samples(SCHEMAS[name]):
        validator.validate(value)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_texts_match_their_pattern(pattern: str) -> None:
    """A pattern of the ECMA dialect is met by every sample."""
    matches = jsonschema_rs.validator_for({"pattern": pattern}).is_valid
    for text in _samples({"type": "string", "pattern": pattern}):
        assert matches(text), text


@pytest.mark.parametrize("format_name", FORMATS)
def test_texts_are_of_their_format(format_name: str) -> None:
    """Every format gives valid texts, those that mean nothing here too."""
    schema = {"type": "string", "format": format_name}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    for text in _samples(schema):
        assert isinstance(text, str)
        assert validator.is_valid(text), text


def test_values_vary() -> None:
    """Twenty samples of a wide schema are not all alike."""
    assert len({*_samples({"type": "integer"})}) > 10
    assert len({*_samples({"type": "string", "format": "uuid"})}) == 20


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        ("email", r"[^@ ]+@[^@ ]+\.[a-z]+"),
        ("ownerEmail", r"[^@ ]+@[^@ ]+\.[a-z]+"),
        ("createdBy", r"[A-Z].* .*[a-z]"),
        ("first_name", r"[A-Z][a-z]+"),
        ("homepageUrl", r"https?://.+"),
        ("country_code", r"[A-Z]{2}"),
        ("updatedAt", r"202\d-\d\d-\d\dT.*"),
        ("description", r"[A-Z].* .*\."),
    ],
)
def test_names_tell_what_a_text_is(name: str, looks: str) -> None:
    """A text under a telling name looks like what it is called."""
    for text in _samples({"type": "string"}, 5, name=name):
        assert re.fullmatch(looks, text), text


def test_a_name_does_not_outweigh_the_schema() -> None:
    """A text that the name suggests is used only if it fits."""
    for text in _samples({"type": "string", "maxLength": 3}, name="email"):
        assert len(text) <= 3


def test_texts_are_readable() -> None:
    """Plain texts are words, not noise."""
    for text in _samples({"type": "string"}):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", text)


def test_sizes_are_bounded() -> None:
    """A schema that branches without end gives bodies of moderate size."""
    node: dict[str, Any] = {
        "type": "array",
        "minItems": 1,
        "items": {"$ref": "#/components/schemas/Group"},
    }
    assert max(len(json.dumps(value)) for value in _samples(node)) < 100_000


def test_examples_of_parts_are_used() -> None:
    """The document's own examples of properties are preferred to made ones."""
    schema = {
        "type": "object",
        "required": ["id", "n"],
        "properties": {
            "id": {"type": "string", "examples": ["ex-1"]},
            "n": {"type": "integer", "default": 5, "examples": ["not a number"]},
        },
    }
    assert _samples(schema, 3) == [{"id": "ex-1", "n": 5}] * 3


def test_what_cannot_be_made_is_said() -> None:
    """A schema that admits nothing is an error of the document, answered as such."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {
            "/": {
                "get": {
                    "operationId": "one",
                    "responses": {
                        "200": {
                            "description": "ok",
                            "content": {"application/json": {"schema": {"not": {}}}},
                        }
                    },
                }
            }
        },
    }
    with serve(generic_api(load_document(document), "t"), strict=False) as served:
        reply = served.get("/t/")
        assert reply.status_code == 500
        assert "none can be made" in reply.json()["detail"]


@pytest.mark.parametrize(
    "name", ["argo-workflows", "discord", "github", "kubernetes", "openai", "stripe"]
)
def test_real_documents(name: str) -> None:
    """Every JSON success of a real document gets a body that fits it (a sample of 25 schemas)."""
    path = CORPUS / f"{name}.json.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not beside the checkout")
    document = load_document(json.loads(gzip.decompress(path.read_bytes())))
    schemas, chance = Schemas(document), Chance(1)
    refs = {
        (media.schema.uri, media.schema.pointer): media.schema
        for operation in operations(document)
        for status, response in operation.responses.items()
        for media in response.content.values()
        if status.startswith("2") and media.schema and "json" in media.name
    }
    chosen = [*refs.values()][:: max(1, len(refs) // 25)]
    assert chosen
    for ref in chosen:
        value = Generator(schemas, ref).value(chance.random(ref.pointer))
        assert schemas.validator(ref, "response").is_valid(value)
