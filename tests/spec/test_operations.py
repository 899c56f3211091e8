"""Operations: every version of OpenAPI comes out as the same values."""

from __future__ import annotations

from typing import Any

import pytest

from mockexec.errors import DocumentError
from mockexec.spec.operations import Operation, operations, security_schemes, server_paths
from mockexec.spec.schemas import Schemas
from tests.spec.support import document, problems

OK = {"200": {"description": "ok"}}


def only(version: str = "3.0.3", /, path: str = "/a", **parts: Any) -> Operation:
    """The one operation of a document: ``parts`` are its fields."""
    made = document(version, paths={path: {"get": {"responses": OK} | parts}})
    (operation,) = operations(made)
    return operation


def parameter(version: str = "3.0.3", /, **parts: Any) -> Any:
    """The one parameter of an operation."""
    base: Any = {"name": "p", "in": "query"} | ({} if version == "2.0" else {"schema": {}})
    (found,) = only(version, parameters=[base | parts]).parameters
    return found


def test_operations_come_in_document_order() -> None:
    """Paths as written, methods as written in each; extensions are no operations."""
    empty = {"responses": OK}
    made = document(
        paths={
            "/b": {"post": empty, "get": empty, "x-note": {}, "summary": "s"},
            "x-extension": {},
            "/a": {"trace": empty},
        }
    )
    assert [(o.method, o.path) for o in operations(made)] == [
        ("POST", "/b"),
        ("GET", "/b"),
        ("TRACE", "/a"),
    ]


def test_missing_and_repeated_ids_are_made() -> None:
    """Every operation has an id of its own; the first of two keeps the written one."""
    made = document(
        paths={
            "/a/{id}": {"get": {"responses": OK}},
            "/b": {"get": {"operationId": "one"}, "put": {"operationId": "one"}},
            "/c": {"get": {"operationId": "put_/b"}},
        }
    )
    assert [o.id for o in operations(made)] == ["get_/a/{id}", "one", "put_/b_2", "put_/b"]


def test_an_operation_carries_what_it_says() -> None:
    """Texts, tags, flags and extensions; the path item's texts where it has none."""
    made = document(
        paths={
            "/a": {
                "summary": "of the path",
                "get": {"tags": ["x"], "deprecated": True, "x-inferred": "yes", "responses": OK},
                "put": {"summary": "own", "description": "long"},
            }
        }
    )
    get, put = operations(made)
    assert (get.summary, get.tags, get.deprecated) == ("of the path", ("x",), True)
    assert get.extensions == {"x-inferred": "yes"}
    assert get.responses["200"].description == "ok"
    assert (put.summary, put.description, put.body, put.deprecated) == ("own", "long", None, False)


def test_path_item_parameters_are_merged_and_overridden() -> None:
    """The operation's own wins by name and place; a name may be used in two places."""
    made = document(
        paths={
            "/a/{id}": {
                "parameters": [
                    {"name": "id", "in": "path", "schema": {"type": "string"}},
                    {"name": "id", "in": "query", "schema": {"type": "string"}},
                ],
                "get": {
                    "parameters": [{"name": "id", "in": "query", "schema": {"type": "integer"}}]
                },
            }
        }
    )
    (operation,) = operations(made)
    found = [
        (p.location, p.required, p.schema.raw["type"]) for p in operation.parameters if p.schema
    ]
    assert found == [("path", True, "string"), ("query", False, "integer")]


@pytest.mark.parametrize(
    ("written", "style", "explode"),
    [
        ({"in": "query"}, "form", True),
        ({"in": "query", "explode": False}, "form", False),
        ({"in": "query", "style": "deepObject"}, "deepObject", False),
        ({"in": "query", "style": "pipeDelimited", "explode": True}, "pipeDelimited", True),
        ({"in": "path"}, "simple", False),
        ({"in": "path", "style": "matrix", "explode": True}, "matrix", True),
        ({"in": "header"}, "simple", False),
        ({"in": "cookie"}, "form", True),
        ({"in": "cookie", "style": "cookie"}, "cookie", True),
    ],
)
def test_styles_have_their_defaults(written: dict[str, Any], style: str, explode: bool) -> None:
    """3.0.3, Parameter Object: style by place, explode by style."""
    found = parameter(**written)
    assert (found.style, found.explode) == (style, explode)


@pytest.mark.parametrize(
    ("collection", "location", "style", "explode"),
    [
        (None, "query", "form", False),
        ("csv", "query", "form", False),
        ("multi", "query", "form", True),
        ("ssv", "query", "spaceDelimited", False),
        ("tsv", "query", "tabDelimited", False),
        ("pipes", "query", "pipeDelimited", False),
        ("csv", "header", "simple", False),
        (None, "path", "simple", False),
    ],
)
def test_collection_formats_of_2_0_become_styles(
    collection: str | None, location: str, style: str, explode: bool
) -> None:
    """2.0, Parameter Object: collectionFormat."""
    written = {"in": location, "type": "array", "items": {"type": "integer"}}
    found = parameter("2.0", **written | ({"collectionFormat": collection} if collection else {}))
    assert (found.style, found.explode) == (style, explode)
    assert Schemas(found.schema.document).shape(found.schema).types == {"array"}


def test_ignored_header_parameters_are_left_out() -> None:
    """3.0.3: header parameters Accept, Content-Type and Authorization shall be ignored."""
    names = ["Accept", "content-type", "Authorization", "X-Mine"]
    found = only(parameters=[{"name": name, "in": "header", "schema": {}} for name in names])
    assert [p.name for p in found.parameters] == ["X-Mine"]


def test_a_parameter_may_have_content() -> None:
    """Then the media type is kept and the schema is that of the content."""
    media = {"schema": {"type": "object"}, "example": {"a": 1}}
    found = parameter(content={"Application/JSON": media})
    assert found.media_type == "application/json"
    assert found.schema.raw == {"type": "object"}
    assert found.examples == {"": {"a": 1}}


def test_examples_come_in_order_of_closeness() -> None:
    """The named ones first, the schema's own next, its default last; references are followed."""
    made = document(
        "3.1.0",
        paths={
            "/a": {
                "get": {
                    "parameters": [
                        {
                            "name": "p",
                            "in": "query",
                            "examples": {
                                "one": {"value": 1},
                                "two": {"$ref": "#/components/examples/Two"},
                                "far": {"externalValue": "https://example.com"},
                            },
                            "schema": {"default": 9, "$ref": "#/components/schemas/S"},
                        }
                    ]
                }
            }
        },
        components={
            "examples": {"Two": {"value": None}},
            "schemas": {"S": {"examples": [3, 4], "example": 5}},
        },
    )
    found = operations(made)[0].parameters[0].examples
    assert [*found.items()] == [
        ("one", 1),
        ("two", None),
        ("schema", 5),
        ("schema-1", 3),
        ("schema-2", 4),
        ("default", 9),
    ]


def test_bodies_responses_headers_and_links() -> None:
    """Everything of 3.0 arrives, references followed, names of media types in lower case."""
    made = document(
        paths={
            "/a": {
                "post": {
                    "requestBody": {"$ref": "#/components/requestBodies/B"},
                    "responses": {
                        "201": {"$ref": "#/components/responses/R"},
                        "4xx": {"description": "no"},
                        "default": {"description": "else"},
                        "x-note": "none",
                    },
                }
            }
        },
        components={
            "requestBodies": {
                "B": {
                    "required": True,
                    "content": {
                        "Multipart/Form-Data": {
                            "schema": {"properties": {"f": {"type": "array"}}},
                            "encoding": {
                                "f": {"contentType": "text/csv", "style": "pipeDelimited"},
                                "g": {},
                            },
                        }
                    },
                }
            },
            "responses": {
                "R": {
                    "description": "made",
                    "headers": {
                        "x-rate": {"required": True, "schema": {"type": "integer"}},
                        "Content-Type": {"schema": {"type": "string"}},
                    },
                    "content": {"application/json": {"example": {"id": 1}}},
                    "links": {
                        "get": {"operationId": "g", "parameters": {"id": "$response.body#/id"}},
                        "ref": {"operationRef": "#/paths/~1a/post", "requestBody": 5},
                    },
                }
            },
        },
    )
    (operation,) = operations(made)
    assert operation.body is not None
    assert operation.body.required
    form = operation.body.content["multipart/form-data"]
    assert (form.encoding["f"].content_type, form.encoding["f"].explode) == ("text/csv", False)
    assert (form.encoding["g"].style, form.encoding["g"].explode) == ("form", True)
    assert [*operation.responses] == ["201", "4XX", "default"]
    created = operation.responses["201"]
    assert (created.description, created.pointer) == ("made", "/components/responses/R")
    assert [*created.headers] == ["x-rate"]
    assert created.headers["x-rate"].required
    assert created.content["application/json"].examples == {"": {"id": 1}}
    assert created.links["get"].parameters == {"id": "$response.body#/id"}
    assert (created.links["ref"].operation_ref, created.links["ref"].request_body) == (
        "#/paths/~1a/post",
        5,
    )


def test_security_is_the_operations_own_or_the_documents() -> None:
    """Alternatives stay apart; an empty list needs nothing, an empty map lets anyone in."""
    made = document(
        security=[{"a": ["r"], "b": []}],
        paths={
            "/inherits": {"get": {}},
            "/nothing": {"get": {"security": []}},
            "/optional": {"get": {"security": [{}, {"a": ["w"]}]}},
        },
    )
    assert [o.security for o in operations(made)] == [
        ({"a": ("r",), "b": ()},),
        (),
        ({}, {"a": ("w",)}),
    ]


def test_security_schemes() -> None:
    """The kinds of 3.0, and basic of 2.0 as http."""
    schemes = {
        "k": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "b": {"type": "http", "scheme": "Bearer"},
        "r": {"$ref": "#/components/securitySchemes/b"},
    }
    found = security_schemes(document(components={"securitySchemes": schemes}))
    assert (found["k"].type, found["k"].location, found["k"].parameter) == (
        "apiKey",
        "header",
        "X-Key",
    )
    assert (found["b"].type, found["b"].scheme, found["r"].scheme) == ("http", "bearer", "bearer")
    old = security_schemes(document("2.0", securityDefinitions={"x": {"type": "basic"}}))
    assert (old["x"].type, old["x"].scheme) == ("http", "basic")
    assert security_schemes(document()) == {}


def test_server_paths() -> None:
    """The path part of every server, variables filled in; the base path of 2.0."""
    servers = [
        {"url": "/v1/"},
        {"url": "https://{host}/{base}/x", "variables": {"base": {"default": "b"}}},
        {"url": "https://example.com"},
        {"url": "v2"},
        {"url": "/v1"},
    ]
    assert server_paths(document(servers=servers)) == ("/v1", "/b/x", "", "/v2")
    assert server_paths(document()) == ("",)
    assert server_paths(document("2.0", basePath="/api/")) == ("/api",)
    assert server_paths(document("2.0", basePath="/")) == ("",)
    assert server_paths(document("2.0")) == ("",)


def test_bodies_of_2_0() -> None:
    """A body parameter is a body of what the operation consumes, a response of what it produces."""
    made = document(
        "2.0",
        consumes=["application/json"],
        produces=["application/json", "text/csv"],
        paths={
            "/a": {
                "post": {
                    "parameters": [
                        {"in": "body", "name": "b", "required": True, "schema": {"type": "array"}}
                    ],
                    "responses": {
                        "200": {
                            "description": "ok",
                            "schema": {"type": "object", "example": {"s": 1}},
                            "headers": {"X-Rate": {"type": "integer"}},
                            "examples": {"application/json": {"a": 1}},
                        },
                        "204": {"description": "nothing"},
                    },
                }
            }
        },
    )
    (operation,) = operations(made)
    assert operation.parameters == ()
    assert operation.body is not None
    assert operation.body.required
    assert [*operation.body.content] == ["application/json"]
    answer = operation.responses["200"]
    assert [*answer.content] == ["application/json", "text/csv"]
    assert [*answer.content["application/json"].examples.items()] == [
        ("", {"a": 1}),
        ("schema", {"s": 1}),
    ]
    assert operation.responses["204"].content == {}
    rate = answer.headers["X-Rate"].schema
    assert rate is not None
    assert not Schemas(made).validator(rate, "response").is_valid("5")


def test_forms_of_2_0() -> None:
    """Form fields, also those of the path item and of components, make one schema."""
    made = document(
        "2.0",
        parameters={"N": {"in": "formData", "name": "n", "type": "integer", "required": True}},
        paths={
            "/a": {
                "parameters": [{"in": "formData", "name": "n", "type": "string"}],
                "post": {
                    "parameters": [
                        {"$ref": "#/parameters/N"},
                        {
                            "in": "formData",
                            "name": "tags",
                            "type": "array",
                            "items": {"type": "string"},
                            "collectionFormat": "multi",
                        },
                    ]
                },
                "put": {"parameters": [{"in": "formData", "name": "f", "type": "file"}]},
            }
        },
    )
    post, put = operations(made)
    assert post.body is not None
    assert put.body is not None
    assert [*post.body.content] == ["application/x-www-form-urlencoded"]
    assert [*put.body.content] == ["multipart/form-data"]
    form = post.body.content["application/x-www-form-urlencoded"]
    assert form.schema is not None
    assert form.encoding["tags"].explode
    validator = Schemas(made).validator(form.schema, "request")
    assert validator.is_valid({"n": 1, "tags": ["a"]})
    assert problems(validator, {"tags": [1]}) == [
        ("/n", "is missing"),
        ("/tags/0", "must be a string, got 1"),
    ]
    shape = Schemas(made).shape(form.schema)
    assert shape.properties["n"].types == {"integer"}


def test_additions_of_3_2() -> None:
    """The query method and any other method count as operations."""
    made = document(
        "3.2.0",
        paths={
            "/a": {
                "query": {"operationId": "q"},
                "additionalOperations": {"COPY": {"operationId": "c"}},
            }
        },
    )
    assert [(o.id, o.method) for o in operations(made)] == [("q", "QUERY"), ("c", "COPY")]


def test_a_path_item_may_refer_and_add() -> None:
    """What stands beside the reference is taken too, from 3.1 on a common layout."""
    made = document(
        "3.1.0",
        paths={"/a": {"$ref": "#/components/pathItems/P", "put": {"operationId": "p"}}},
        components={"pathItems": {"P": {"get": {"operationId": "g"}}}},
    )
    assert {o.id: o.pointer for o in operations(made)} == {
        "p": "/paths/~1a/put",
        "g": "/components/pathItems/P/get",
    }


@pytest.mark.parametrize(
    "paths",
    [
        {"/a": []},
        {"/a": {"get": 5}},
        {"/a": {"get": {"parameters": {}}}},
        {"/a": {"get": {"parameters": [{}]}}},
        {"/a": {"get": {"parameters": [5]}}},
        {"/a": {"get": {"responses": {"200": "ok"}}}},
        {"/a": {"get": {"responses": []}}},
        {"/a": {"get": {"responses": {"200": {"content": []}}}}},
        {"/a": {"get": {"responses": {"200": {"content": {"a/b": 1}}}}}},
    ],
)
def test_a_malformed_document_is_named(paths: dict[str, Any]) -> None:
    """Structure that is not as it should be is an error about its place, never another one."""
    with pytest.raises(DocumentError, match=r"document: .*/paths"):
        operations(document(paths=paths))
