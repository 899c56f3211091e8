"""Validators: what they accept, and how they say what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockexec.errors import DocumentError
from mockexec.spec.load import load_document
from mockexec.spec.operations import SchemaRef, operations
from mockexec.spec.schemas import Schemas
from tests.spec.support import component, document, problems, validator, with_schemas

SELF = {"$ref": "#/components/schemas/X"}


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string", "nullable": True}, ["", None], [1]),
        ({"type": "string", "enum": ["a"], "nullable": True}, ["a", None], ["b"]),
        ({"allOf": [{"type": "string"}], "nullable": True}, ["a", None], [1]),
        ({"nullable": True}, [None, 1, "a"], []),
        ({"type": "string"}, ["a"], [None]),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, [2], [1]),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": False}, [1], [0]),
        ({"type": "number", "maximum": 1, "exclusiveMaximum": True}, [0.9], [1]),
        ({"type": "integer", "format": "int32"}, [2**31 - 1, -(2**31)], [2**31, -(2**31) - 1]),
        ({"type": "integer", "format": "int64"}, [2**63 - 1], [2**63, 10**400]),
        ({"type": "integer", "format": "int32", "minimum": 5}, [5], [4]),
        ({"type": "string", "format": "int64"}, ["9" * 30], [1]),
        ({"type": "string", "format": "byte"}, ["", "aGk=", "aGkh"], ["aGk", "@@", "aGk=\n"]),
        ({"type": "string", "format": "byte", "pattern": "^a"}, ["aGk="], ["bGk=", "a"]),
        ({"type": "string", "format": "binary"}, ["\x00anything"], [1]),
        ({"type": "string", "format": "password"}, ["x"], [1]),
        ({"type": "number", "format": "double"}, [1.5, 1], ["1"]),
        ({"type": "string", "format": "unheard-of"}, ["x"], [1]),
        (
            {"type": "string", "format": "date-time"},
            ["2025-08-11T09:00:00Z", "2025-08-11T09:00:00.123+02:00", "2016-12-31T23:59:60Z"],
            [
                "2025-08-11T09:00:00",
                "2025-08-11 09:00:00Z",
                "2025-02-30T00:00:00Z",
                "2025-08-11T24:00:00Z",
                "2025-08-11T09:00:00+0200",
                "2025-08-11",
            ],
        ),
        ({"type": "string", "format": "date"}, ["2025-08-11"], ["2025-13-01", "20250811"]),
        (
            {"type": "string", "format": "uuid"},
            ["3d6d2b6e-6c7a-4a7f-8c3d-9a9d2e1f0b1c"],
            ["3d6d2b6e6c7a4a7f8c3d9a9d2e1f0b1c", "x"],
        ),
        ({"type": "string", "format": "email"}, ["a@example.com"], ["a"]),
        ({"type": "string", "format": "uri"}, ["https://example.com/a"], ["/a"]),
        ({"type": "string", "pattern": r"^\d+$"}, ["12"], ["\u0665", "1\n", ""]),
        ({"type": "string", "pattern": r"^(?!x)\w+$"}, ["ab"], ["xb"]),
        ({"type": "object", "additionalProperties": False}, [{}], [{"a": 1}]),
        (
            {"type": "object", "properties": {"nullable": {"type": "string"}}},
            [{}],
            [{"nullable": 1}],
        ),
        ({"type": "integer"}, [1, 1.0], [1.5, True]),
        ({"type": "array", "items": SELF, "maxItems": 1}, [[], [[[]]]], [[[], []], [1]]),
    ],
)
def test_the_dialect_of_3_0(schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    """3.0.3, Schema Object and Data Types, as JSON Schema 2020-12."""
    found = validator(schema)
    for value in good:
        assert problems(found, value) == [], value
    for value in bad:
        assert problems(found, value) != [], value


def test_beside_a_reference_nothing_counts_in_3_0() -> None:
    """3.0.3, Reference Object; from 3.1 on siblings apply."""
    schema = {"$ref": "#/components/schemas/S", "maxLength": 1, "nullable": True}
    assert validator(schema, S={"type": "string"}).is_valid("long")
    assert not validator(schema, S={"type": "string"}).is_valid(None)
    assert not validator(schema, "3.1.0", S={"type": "string"}).is_valid("long")


def test_the_dialect_of_3_1() -> None:
    """Type lists, numeric exclusive bounds, const, prefixItems, unevaluated properties."""
    assert validator({"type": ["integer", "null"]}, "3.1.0").is_valid(None)
    assert not validator({"exclusiveMinimum": 1}, "3.1.0").is_valid(1)
    assert not validator({"type": "string", "nullable": True}, "3.1.0").is_valid(None)
    assert not validator({"prefixItems": [{"const": 1}], "items": False}, "3.1.0").is_valid([1, 2])
    closed = validator(
        {"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, "3.1.0"
    )
    assert closed.is_valid({"a": 1})
    assert problems(closed, {"a": 1, "b": 2}) == [("/b", "is not a known part of this")]


def test_dynamic_references() -> None:
    """JSON Schema 2020-12, 8.2.3.2: the outermost dynamic anchor decides."""
    tree = {
        "$id": "https://example.com/tree",
        "$dynamicAnchor": "node",
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
    }
    strict = {
        "$id": "https://example.com/strict",
        "$dynamicAnchor": "node",
        "$ref": "tree",
        "unevaluatedProperties": False,
    }
    loaded = with_schemas("3.1.0", Tree=tree, Strict=strict)
    schemas = Schemas(loaded)
    misspelt: Any = {"children": [{"childen": []}]}
    assert schemas.validator(component(loaded, "Tree"), "request").is_valid(misspelt)
    assert problems(schemas.validator(component(loaded, "Strict"), "request"), misspelt)


def test_an_older_dialect_may_be_chosen() -> None:
    """3.1, jsonSchemaDialect: in draft 7 an ``items`` list is a tuple."""
    for dialect, valid in [(None, True), ("http://json-schema.org/draft-07/schema#", False)]:
        named = {"jsonSchemaDialect": dialect} if dialect else {}
        schema = {"definitions": {"a": {}}, "items": [{"type": "string"}]} if dialect else {}
        made = document("3.1.0", components={"schemas": {"X": schema}}, **named)
        found = Schemas(made).validator(component(made, "X"), "request")
        assert found.is_valid([1]) is valid


ACCOUNT = {
    "type": "object",
    "required": ["id", "name", "secret"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "secret": {"$ref": "#/components/schemas/Secret"},
    },
}
SECRET = {"type": "string", "writeOnly": True}


def test_read_only_properties_are_not_required_of_requests() -> None:
    """3.0.3, readOnly: required takes effect on the response only; one that is sent is let through."""
    request = validator(ACCOUNT, Secret=SECRET)
    assert request.is_valid({"name": "n", "secret": "s"})
    assert request.is_valid({"name": "n", "secret": "s", "id": 1})
    assert problems(request, {}) == [("/name", "is missing"), ("/secret", "is missing")]


def test_write_only_properties_stay_out_of_responses() -> None:
    """3.0.3, writeOnly: required takes effect on the request only, and it should not be sent back."""
    response = validator(ACCOUNT, "3.0.3", "response", Secret=SECRET)
    assert response.is_valid({"id": 1, "name": "n"})
    assert problems(response, {"id": 1, "name": "n", "secret": "s"}) == [
        ("/secret", "must not be there")
    ]
    assert problems(response, {}) == [("/id", "is missing"), ("/name", "is missing")]


def test_required_beside_an_all_of_knows_its_read_only_properties() -> None:
    """The property may be described in one part and required in another."""
    base = {"type": "object", "properties": {"id": {"readOnly": True}}}
    composed = {"allOf": [{"$ref": "#/components/schemas/Base"}, {"required": ["id", "a"]}]}
    assert problems(validator(composed, Base=base), {}) == [("/a", "is missing")]
    direct = {"allOf": [{"$ref": "#/components/schemas/Base"}], "required": ["id"]}
    assert validator(direct, Base=base).is_valid({})
    assert not validator(direct, "3.0.3", "response", Base=base).is_valid({})


def test_a_reference_into_a_nullable_composition_holds() -> None:
    """Such a schema is wrapped to admit null; what points into it still finds its way."""
    outer = {"nullable": True, "allOf": [{"properties": {"a": {"type": "integer"}}}]}
    inner = {"$ref": "#/components/schemas/Outer/allOf/0/properties/a"}
    found = validator({"properties": {"i": inner}}, Outer=outer)
    assert problems(found, {"i": "x"}) == [("/i", 'must be an integer, got "x"')]
    assert validator({"$ref": "#/components/schemas/Outer"}, Outer=outer).is_valid(None)


def test_parameters_of_2_0_are_schemas() -> None:
    """``required: true`` and ``type: file`` are no obstacles, ``x-nullable`` is known."""
    schema = {"in": "query", "name": "p", "required": True, "type": "integer", "x-nullable": True}
    made = document("2.0", paths={"/a": {"get": {"parameters": [schema]}}})
    ref = operations(made)[0].parameters[0].schema
    assert ref is not None
    assert Schemas(made).validator(ref, "request").is_valid(None)
    assert problems(Schemas(made).validator(ref, "request"), "x") == [
        ("", 'must be an integer or null, got "x"')
    ]


@pytest.mark.parametrize(
    ("schema", "value", "pointer", "message"),
    [
        ({"type": "integer"}, "abc", "", 'must be an integer, got "abc"'),
        ({"type": "object"}, [], "", "must be an object, got an array"),
        ({"maximum": 250}, 300, "", "must be at most 250, got 300"),
        ({"minimum": 0}, -1, "", "must be at least 0, got -1"),
        ({"multipleOf": 5}, 7, "", "must be a multiple of 5, got 7"),
        ({"required": ["a/b"]}, {}, "/a~1b", "is missing"),
        ({"additionalProperties": False}, {"x~": 1}, "/x~0", "is not a known property"),
        ({"enum": ["a", "b", None]}, "c", "", 'must be "a", "b" or null, got "c"'),
        ({"minLength": 1}, "", "", "must have at least 1 character, got 0"),
        ({"maxItems": 2}, [1, 2, 3], "", "must have at most 2 items, got 3"),
        ({"minProperties": 2}, {}, "", "must have at least 2 properties, got 0"),
        ({"uniqueItems": True}, [1, 1], "", "must not hold the same item twice"),
        ({"format": "uuid"}, "x", "", 'must be a UUID, got "x"'),
        ({"format": "byte"}, "@", "", 'must be base64, got "@"'),
        ({"pattern": "^a$"}, "b", "", 'must match the pattern ^a$, got "b"'),
        ({"not": {"type": "string"}}, "b", "", 'must not be of a form that is excluded, got "b"'),
        ({"items": {"properties": {"a": {"type": "null"}}}}, [{}, {"a": 1}], "/1/a", "must be null, got 1"),
        ({"maxLength": 5}, "x" * 9, "", "must have at most 5 characters, got 9"),
        ({"enum": ["y"]}, "x" * 90, "", f'must be "y", got "{"x" * 60}…"'),
        ({"oneOf": [{"type": "string"}, {"type": "object"}]}, 1, "", "must be a string or an object, got 1"),
        ({"oneOf": [{}, {}]}, 1, "", "fits more than one of the forms of which it must fit one"),
        ({"anyOf": [{"minimum": 3}, {"multipleOf": 2}]}, 1, "", "fits none of the 2 forms it may have"),
    ],
)  # fmt: skip
def test_messages_are_plain(schema: Any, value: Any, pointer: str, message: str) -> None:
    """What was expected and what came, in words, at the place it is about."""
    assert problems(validator(schema), value) == [(pointer, message)]


def test_messages_of_3_1_keywords() -> None:
    """const, property names, contains, conditions, dependent and tuple schemas."""
    schema = {
        "propertyNames": {"maxLength": 3},
        "properties": {"c": {"const": 1}, "k": {"contains": {"const": 1}}, "t": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}}},
        "if": {"required": ["c"]},
        "then": {"required": ["t"]},
        "else": {"required": ["e"]},
        "dependentSchemas": {"k": {"required": ["dep"]}},
        "patternProperties": {"^p": {"type": "integer"}},
        "additionalProperties": {"type": "boolean"},
    }  # fmt: skip
    found = validator(schema, "3.1.0")
    assert sorted(problems(found, {"c": 2, "k": [2], "t": [1, "a"], "p1": "x", "other": 1})) == [
        ("", "has a property whose name must have at most 3 characters, got 5"),
        ("/c", "must be 1, got 2"),
        ("/dep", "is missing"),
        ("/k", "must hold an item of the required form"),
        ("/other", "must be true or false, got 1"),
        ("/p1", 'must be an integer, got "x"'),
        ("/t/0", "must be a string, got 1"),
        ("/t/1", 'must be an integer, got "a"'),
    ]
    assert problems(found, {}) == [("/e", "is missing")]


def test_the_meant_form_is_explained() -> None:
    """Of several forms, the one whose tag or type fits is taken to be meant."""
    cat = {"type": "object", "required": ["kind", "lives"], "properties": {"kind": {"enum": ["cat"]}, "lives": {"type": "integer"}}}  # fmt: skip
    dog = {"type": "object", "required": ["kind", "name"], "properties": {"kind": {"enum": ["dog"]}, "name": {"type": "string"}}}  # fmt: skip
    refs = [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]
    found = validator({"oneOf": refs}, Cat=cat, Dog=dog)
    assert problems(found, {"kind": "dog", "name": 1}) == [("/name", "must be a string, got 1")]
    assert problems(found, {"kind": "cat"}) == [("/lives", "is missing")]
    assert problems(found, {"kind": "cow"}) == [("/kind", 'must be "cat" or "dog", got "cow"')]
    assert problems(found, {"name": "Rex"}) == [("/kind", "is missing")]


def test_there_are_at_most_twenty_violations() -> None:
    """A value with a thousand mistakes is explained by some of them."""
    found = validator({"type": "array", "items": {"type": "integer"}})
    assert len(found.violations(["x"] * 1000, location="query", name="q")) == 20
    first = found.violations(["x"], location="query", name="q")[0]
    assert (first.location, first.name, first.pointer) == ("query", "q", "/0")


FILTER = {
    "oneOf": [
        {"type": "object", "required": ["and"], "properties": {"and": {"type": "array", "items": SELF}}},
        {"type": "object", "required": ["or"], "properties": {"or": {"type": "array", "items": SELF}}},
        {"type": "object", "required": ["leaf"], "properties": {"leaf": {"type": "integer"}}},
    ]
}  # fmt: skip


def test_recursive_choices_are_explained_in_time() -> None:
    """Neither depth nor width of a filter makes the explanation expensive."""
    found = validator(FILTER)
    deep: Any = {"leaf": "bad"}
    for _ in range(60):
        deep = {"and": [deep]}
    assert problems(found, deep) == [("/and/0" * 60 + "/leaf", 'must be an integer, got "bad"')]
    wide = {"or": [{"leaf": 1}] * 10_000 + [{"leaf": "bad"}]}
    assert problems(found, wide) == [("/or/10000/leaf", 'must be an integer, got "bad"')]


def nested(levels: int) -> Any:
    value: Any = {"leaf": "bad"}
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("\ud800", "half of a surrogate pair"),
        ({"a": ["\udfff"]}, "half of a surrogate pair"),
        ({"\ud800": 1}, "a property whose name holds half"),
        ({1: 1}, "a property whose name is not text"),
        (b"bytes", "must be a JSON value"),
        (object(), "must be a JSON value"),
        ({1, 2}, "must be a JSON value"),
        (nested(250), "nested deeper than 200 levels"),
        (nested(3000), "nested deeper than 200 levels"),
        (10**5000, "got a number of more than 150 digits"),
        (float("nan"), "got NaN"),
        (float("inf"), "got Infinity"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_hostile_values_are_explained(value: Any, message: str) -> None:
    """Whatever comes, the answer is a list of violations, never an exception."""
    found = validator({"type": "object", "additionalProperties": {"type": "array"}})
    assert any(message in item.message for item in found.violations(value))
    assert found.is_valid(value) in (True, False)


def test_a_backtracking_pattern_is_stopped() -> None:
    """A pattern that no linear engine can run is cut short and then does not match."""
    found = validator({"type": "string", "pattern": "^(?=a)(a|aa)+(?=c)c$"})
    assert found.is_valid("aac")
    assert not found.is_valid("a" * 50_000)
    assert len(found.violations("a" * 50_000)) == 1
    nested_quantifier = validator({"type": "string", "pattern": "^(a+)+$"})
    assert not nested_quantifier.is_valid("a" * 50_000 + "b")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "strin"},
        {"type": "string", "pattern": "("},
        {"minLength": -1},
        {"properties": 5},
    ],
)
def test_what_is_no_schema_is_an_error_of_the_document(schema: Any) -> None:
    """A schema that cannot be compiled is named by its place, when it is first asked for."""
    made = document(paths={"/a": {"get": {"parameters": [{"name": "p", "in": "query", "schema": schema}]}}})  # fmt: skip
    ref = operations(made)[0].parameters[0].schema
    assert ref is not None
    with pytest.raises(DocumentError, match="cannot be used"):
        Schemas(made).validator(ref, "request")


def test_validators_are_shared() -> None:
    """Places that refer to the same schema get the same validator."""
    made = with_schemas(A={"$ref": "#/components/schemas/B"}, B={"type": "string"})
    schemas = Schemas(made)
    assert schemas.validator(component(made, "A"), "request") is schemas.validator(
        component(made, "B"), "request"
    )


def test_schemas_of_odd_places_and_names() -> None:
    """Names with slashes, tildes, percent signs, spaces and letters of any script work."""
    name = "a/b~c %41{ü}"
    made = load_document(
        json.loads(json.dumps({"openapi": "3.0.3", "paths": {}, "components": {"schemas": {name: {"type": "integer"}}}}))
    )  # fmt: skip
    found = Schemas(made).validator(
        SchemaRef(made, made.uri, "/components/schemas/a~1b~0c %41{ü}"), "request"
    )
    assert (found.is_valid(1), found.is_valid("1")) == (True, False)
