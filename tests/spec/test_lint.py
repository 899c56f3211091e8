"""Lint: one small document for each rule, and none that makes it stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockexec.spec.lint import lint
from mockexec.spec.load import load_document
from tests.spec.support import document, write

OK = {"200": {"description": "ok"}}


def findings(version: str = "3.0.3", /, **parts: Any) -> list[tuple[str, str]]:
    """(rule, message) of everything lint says about a document."""
    return [(found.rule, found.message) for found in lint(document(version, **parts))]


def get(**parts: Any) -> dict[str, Any]:
    """Paths with one operation."""
    return {"/a": {"get": {"operationId": "a", "responses": OK} | parts}}


def query(**parts: Any) -> dict[str, Any]:
    """Paths with one operation with one query parameter."""
    return get(parameters=[{"name": "p", "in": "query"} | parts])


def test_a_good_document_has_no_findings() -> None:
    """Every rule is content with a document that uses most of the specification."""
    item = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "integer", "readOnly": True},
            "next": {"$ref": "#/components/schemas/Item"},
        },
        "example": {"id": 1, "next": {"id": 2}},
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}
    link = {"operationId": "getItem", "parameters": {"path.id": "$response.body#/id"}}
    found = findings(
        components={
            "schemas": {"Item": item},
            "securitySchemes": {"s": {"type": "http", "scheme": "bearer"}},
        },
        security=[{"s": []}],
        paths={
            "/items": {
                "post": {
                    "operationId": "createItem",
                    "requestBody": body,
                    "responses": {"201": {"description": "made", "links": {"get": link}} | body},
                }
            },
            "/items/{id}": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
                ],
                "get": {"operationId": "getItem", "responses": {"default": OK["200"]}},
            },
        },
    )
    assert found == []


@pytest.mark.parametrize(
    ("rule", "message", "parts"),
    [
        ("operation-id", "has no operationId", {"paths": {"/a": {"get": {"responses": OK}}}}),
        (
            "operation-id",
            "PUT /a has the operationId a of GET /a",
            {"paths": {"/a": {m: {"operationId": "a", "responses": OK} for m in ("get", "put")}}},
        ),
        (
            "path-parameters",
            "GET /a/{id} does not declare its path parameter id",
            {"paths": {"/a/{id}": get()["/a"]}},
        ),
        (
            "path-parameters",
            "the path parameter p is not part of /a",
            {"paths": query(**{"in": "path", "required": True, "schema": {}})},
        ),
        (
            "required-path-parameters",
            "p is not marked as required",
            {"paths": {"/{p}": query(**{"in": "path", "schema": {}})["/a"]}},
        ),
        (
            "unique-parameters",
            "the query parameter p is there twice",
            {"paths": get(parameters=[{"name": "p", "in": "query", "schema": {}}] * 2)},
        ),
        (
            "unique-paths",
            "/{b} matches the same paths as /{a}",
            {
                "paths": {
                    f"/{{{n}}}": {
                        "get": {
                            "operationId": n,
                            "parameters": [
                                {"name": n, "in": "path", "required": True, "schema": {}}
                            ],
                            "responses": OK,
                        }
                    }
                    for n in "ab"
                }
            },
        ),
        (
            "response-keys",
            "600 is no HTTP status",
            {"paths": get(responses=OK | {"600": {"description": "x"}})},
        ),
        ("security-schemes", "there is no security scheme x", {"security": [{"x": []}]}),
        ("security-schemes", "scheme y", {"paths": get(security=[{"y": []}])}),
        (
            "links",
            "leads to nobody, which is no operation",
            {"paths": get(responses={"200": {"description": "", "links": {"l": {"operationId": "nobody"}}}})},
        ),
        (
            "links",
            "sets nothing, which a has no parameter of",
            {
                "paths": get(
                    responses={
                        "200": {
                            "description": "",
                            "links": {"l": {"operationId": "a", "parameters": {"nothing": 1}}},
                        }
                    }
                )
            },
        ),
        ("links", "names no operation", {"paths": get(responses={"200": {"description": "", "links": {"l": {}}}})}),
        (
            "links",
            "leads to #/info, which is no operation",
            {"paths": get(responses={"200": {"description": "", "links": {"l": {"operationRef": "#/info"}}}})},
        ),
        (
            "usable-schemas",
            "is not a \"regex\"",
            {"components": {"schemas": {"A": {"type": "string", "pattern": "("}}}},
        ),
        (
            "impossible-schemas",
            "minimum and maximum contradict each other",
            {"components": {"schemas": {"A": {"type": "integer", "minimum": 2, "maximum": 1}}}},
        ),
        (
            "impossible-schemas",
            "contradict",
            {"paths": query(schema={"allOf": [{"type": "string"}, {"type": "integer"}]})},
        ),
        (
            "required-properties",
            "the required property nmae is not described",
            {"components": {"schemas": {"A": {"type": "object", "required": ["nmae"], "properties": {"name": {}}}}}},
        ),
        (
            "examples",
            'this example does not fit its schema: it must be an integer, got "x"',
            {"paths": query(schema={"type": "integer"}, example="x")},
        ),
        (
            "examples",
            "/0 must be a string, got 1",
            {"components": {"schemas": {"A": {"type": "array", "items": {"type": "string"}, "example": [1]}}}},
        ),
        (
            "examples",
            "this default does not fit its schema",
            {"components": {"schemas": {"A": {"type": "string", "default": 1}}}},
        ),
        (
            "examples",
            "/id is missing",
            {
                "paths": get(
                    responses={
                        "200": {
                            "description": "",
                            "content": {
                                "application/json": {
                                    "schema": {"type": "object", "required": ["id"], "properties": {"id": {"readOnly": True}}},
                                    "examples": {"e": {"value": {}}},
                                }
                            },
                        }
                    }
                )
            },
        ),
        (
            "examples",
            "must be an integer",
            {
                "paths": get(
                    responses={
                        "200": {
                            "description": "",
                            "headers": {"X-Rate": {"schema": {"type": "integer"}, "example": "x"}},
                        }
                    }
                )
            },
        ),
        ("specification", "\"title\" is a required property", {"info": {"version": "1"}}),
        ("specification", "", {"paths": get(responses={"200": {}})}),
    ],
)  # fmt: skip
def test_each_rule_finds_its_mistake(rule: str, message: str, parts: dict[str, Any]) -> None:
    """The mistake is found by its rule, and by no other of ours."""
    found = findings(**parts)
    assert [name for name, _ in found if name not in (rule, "specification")] == []
    assert any(name == rule and message in text for name, text in found), found


def test_keywords_of_3_0_are_named_in_3_1() -> None:
    """A boolean limit still works, and is reported."""
    found = findings(
        "3.1.0", components={"schemas": {"A": {"minimum": 1, "exclusiveMinimum": True}}}
    )
    assert ("usable-schemas", "exclusiveMinimum is a number from 3.1 on, not a boolean") in found


def test_examples_of_text_are_left_alone() -> None:
    """An XML example is text, which a schema of objects does not describe."""
    media = {"application/xml": {"schema": {"type": "object"}, "example": "<a/>"}}
    assert findings(paths=get(responses={"200": {"description": "", "content": media}})) == []


def test_examples_of_a_resource_may_show_either_side() -> None:
    """A schema's example may be what is sent or what is answered."""
    schema = {
        "type": "object",
        "required": ["id", "secret"],
        "properties": {"id": {"readOnly": True}, "secret": {"writeOnly": True}},
    }
    for example in ({"id": 1}, {"secret": "s"}):
        assert findings(components={"schemas": {"A": schema | {"example": example}}}) == []


def test_findings_have_lines_and_come_in_document_order(tmp_path: Path) -> None:
    """Files in the order of reference, lines rising."""
    path = write(
        tmp_path,
        api="""\
        openapi: 3.0.3
        info: {title: T, version: '1'}
        paths:
          /a:
            get:
              operationId: a
              parameters:
                - {name: p, in: query, schema: {type: integer}, example: x}
              responses:
                '200':
                  description: ok
                  content:
                    application/json:
                      schema:
                        $ref: other.yaml
          /b:
            get:
              responses: {'200': {description: ok}}
        """,
        other="""\
        type: object
        properties:
          a:
            type: string
            example: 5
        """,
    )
    found = [(f.location.rsplit("/", 1)[1], f.rule, f.severity) for f in lint(load_document(path))]
    assert found == [
        ("api.yaml:8", "examples", "error"),
        ("api.yaml:17", "operation-id", "warning"),
        ("other.yaml:5", "examples", "error"),
    ]


def test_documents_of_2_0_are_linted() -> None:
    """Parameters are schemas themselves there, and examples stand by media type."""
    found = findings(
        "2.0",
        paths=get(
            parameters=[{"name": "p", "in": "query", "type": "integer", "default": "x"}],
            responses={
                "200": {
                    "description": "ok",
                    "schema": {"type": "object"},
                    "examples": {"application/json": [], "text/xml": "<a/>"},
                }
            },
        ),
    )
    assert [rule for rule, _ in found] == ["examples", "examples"]


@pytest.mark.parametrize(
    "parts",
    [
        {"paths": {"/a": {"get": {"parameters": [{}]}}}},
        {"paths": {"/a": 5}},
        {"paths": {"/a": {"get": {"responses": {"200": 5}}}}},
        {"paths": get(security=5)},
        {"paths": get(security=["x"])},
        {"paths": get(tags=5)},
        {"components": 5},
        {"components": {"schemas": []}},
        {"components": {"schemas": {"A": 5}}},
        {"components": {"schemas": {"A": {"properties": [], "required": 5, "allOf": {}}}}},
        {"components": {"schemas": {"A": {"oneOf": [5], "enum": {}, "type": 5}}}},
        {"components": {"securitySchemes": {"A": []}}},
        {"servers": 5},
        {"servers": [5]},
        {"tags": 5},
        {"info": 5},
        {"security": {"a": 5}},
    ],
)
def test_malformed_documents_are_findings(parts: dict[str, Any]) -> None:
    """Whatever is wrong with a document comes out as findings, not as an exception."""
    assert findings(**parts) != []
