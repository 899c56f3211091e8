"""Diff: one small pair of documents for each kind of change, and the laws that hold for all.

Whatever two documents are compared here are also compared the other way round: what breaks clients
must break servers then, and nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockexec.catalog import api, built_in_names
from mockexec.errors import DocumentError
from mockexec.spec.diff import Change, diff
from mockexec.spec.load import Document, load_document
from tests.spec.support import document, write
from tests.spec.test_corpus import CORPUS, unpacked

OK = {"200": {"description": "ok"}}
EXCHANGED = {"clients": "servers", "servers": "clients"}

CLIENTS, SERVERS, BOTH, NOBODY = ("clients",), ("servers",), ("clients", "servers"), ()


def compared(old: Document, new: Document) -> list[Change]:
    """The changes, once it is sure that the other way round they break the other party."""
    found = diff(old, new)
    back = [(change.rule, change.breaks) for change in diff(new, old)]
    mirrored = [(c.rule, tuple(sorted(EXCHANGED[party] for party in c.breaks))) for c in found]
    assert sorted(back) == sorted(mirrored)
    return found


def told(old: Document, new: Document) -> list[tuple[tuple[str, ...], str, str]]:
    """(whom it breaks, where, message) of every change."""
    return [(change.breaks, change.where, change.message) for change in compared(old, new)]


def paths(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[tuple[str, ...], str, str]]:
    """What is told of two documents with these paths."""
    return told(document(paths=old), document(paths=new))


def post(**parts: Any) -> dict[str, Any]:
    """Paths with one operation."""
    return {"/a": {"post": {"operationId": "a", "responses": OK} | parts}}


def query(**parts: Any) -> dict[str, Any]:
    """Paths with one operation with one query parameter."""
    return post(parameters=[{"name": "p", "in": "query", "schema": {"type": "string"}} | parts])


def asking(schema: Any, version: str = "3.0.3", /, **schemas: Any) -> Document:
    """A document whose operation takes a body of that schema."""
    body = {"content": {"application/json": {"schema": schema}}}
    parts: dict[str, Any] = {"components": {"schemas": schemas}} if schemas else {}
    return document(version, paths=post(requestBody=body), **parts)


def answering(schema: Any, version: str = "3.0.3", /, **schemas: Any) -> Document:
    """A document whose operation answers with that schema."""
    answer = {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}
    parts: dict[str, Any] = {"components": {"schemas": schemas}} if schemas else {}
    return document(version, paths=post(responses=answer), **parts)


def of(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    """An object schema."""
    return {"type": "object", "properties": properties, "required": [*required]} | more


# Operations and what surrounds their schemas

SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "other": {"type": "apiKey", "in": "header", "name": "x-key"},
    "token": {"type": "http", "scheme": "bearer"},
    "oauth": {
        "type": "oauth2",
        "flows": {
            "clientCredentials": {"tokenUrl": "/t", "scopes": {"r": "", "w": ""}},
            "implicit": {"authorizationUrl": "/a", "scopes": {"r": "", "w": ""}},
        },
    },
}


def secured(*security: dict[str, list[str]]) -> Document:
    """A document whose one operation has these alternatives."""
    components = {"securitySchemes": SCHEMES}
    return document(paths=post(security=[*security]), components=components)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (post() | {"/b": post()["/a"] | {}}, post(), [(CLIENTS, "", "gone")]),
        (post(), {"/a": {"get": post()["/a"]["post"]}}, [(CLIENTS, "", "gone"), (SERVERS, "", "new")]),
        (post(), post(operationId="z"), [(NOBODY, "", "its operationId is z now, was a")]),
        (post(), post(deprecated=True), [(NOBODY, "", "deprecated now")]),
        (post(), query(), [(SERVERS, "query parameter p", "new")]),
        (query(), post(), [(CLIENTS, "query parameter p", "gone")]),
        (post(), query(required=True), [(BOTH, "query parameter p", "new, and required")]),
        (query(), query(required=True), [(CLIENTS, "query parameter p", "required now")]),
        (query(required=True), query(), [(SERVERS, "query parameter p", "not required any more")]),
        (
            query(), query(**{"in": "header"}),
            [(CLIENTS, "query parameter p", "gone"), (SERVERS, "header parameter p", "new")],
        ),
        (query(**{"in": "header"}), query(**{"in": "header", "name": "P"}), []),
        (
            query(schema={"type": "array"}), query(schema={"type": "array"}, explode=False),
            [(BOTH, "query parameter p", "written as form now, was form (exploded)")],
        ),
        (query(), query(explode=False), []),
        (
            query(), query(allowReserved=True),
            [(SERVERS, "query parameter p", "reserved characters are admitted now")],
        ),
        (
            query(allowEmptyValue=True), query(),
            [(CLIENTS, "query parameter p", "no value is not admitted any more")],
        ),
        (
            query(schema={"type": "string", "default": "a"}), query(schema={"type": "string", "default": "b"}),
            [(BOTH, "query parameter p", 'the default is "b" now, was "a"')],
        ),
        (
            query(), query(schema={"type": "string", "default": "b"}),
            [(NOBODY, "query parameter p", 'the default "b" is new')],
        ),
        (
            query(), post(parameters=[{"name": "p", "in": "query", "content": {"application/json": {"schema": {"type": "string"}}}}]),
            [(BOTH, "query parameter p", "written as application/json now, was form")],
        ),
    ],
)  # fmt: skip
def test_operations_and_parameters(
    old: dict[str, Any], new: dict[str, Any], expected: list[Any]
) -> None:
    """Less of a request breaks clients, more of it breaks servers."""
    assert paths(old, new) == expected


def path_parameter(path: str, *names: str) -> dict[str, Any]:
    """Paths with one operation with these path parameters."""
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]
    return {path: {"get": {"operationId": "a", "parameters": parameters, "responses": OK}}}


def test_the_name_of_a_path_parameter_is_of_no_consequence() -> None:
    """Nobody sees it, so another one is compatible; the order is what counts."""
    old, new = path_parameter("/a/{x}/{y}", "y", "x"), path_parameter("/a/{k}/{x}", "k", "x")
    assert paths(old, new) == [
        (NOBODY, "path parameter k", "its name was x"),
        (NOBODY, "path parameter x", "its name was y"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([{"key": []}], [{"other": []}], []),
        ([{"key": []}], [{"token": []}], [(CLIENTS, "key does not suffice any more"), (SERVERS, "token suffices now")]),
        ([{"key": []}], [{"key": []}, {"token": []}], [(SERVERS, "token suffices now")]),
        ([{"key": []}], [{"key": [], "token": []}], [(CLIENTS, "key does not suffice any more")]),
        ([], [{"key": []}], [(CLIENTS, "no credentials at all does not suffice any more")]),
        ([{"key": []}], [{}, {"key": []}], [(SERVERS, "no credentials at all suffices now")]),
        (
            [{"oauth": ["r"]}], [{"oauth": ["r", "w"]}],
            [
                (CLIENTS, "oauth (by clientCredentials, r) does not suffice any more"),
                (CLIENTS, "oauth (by implicit, r) does not suffice any more"),
            ],
        ),
    ],
)  # fmt: skip
def test_security(old: list[Any], new: list[Any], expected: list[Any]) -> None:
    """Credentials that no longer suffice break clients; the names of schemes do not matter."""
    found = [(breaks, message) for breaks, _, message in told(secured(*old), secured(*new))]
    assert found == expected


def test_security_of_the_whole_document_is_one_change() -> None:
    """It names all operations, and stands where the requirement is written."""
    operations = post() | {"/b": {"get": {"operationId": "b", "responses": OK}}}
    components = {"securitySchemes": SCHEMES}
    old = document(paths=operations, components=components)
    new = document(paths=operations, components=components, security=[{"key": []}])
    (change,) = compared(old, new)
    assert change.operations == ("POST /a", "GET /b")
    assert change.new == "document: /security"


def body(required: bool = False, *media: str) -> dict[str, Any]:
    """Paths with an operation that has a body of these media types."""
    content = {name: {"schema": {"type": "string"}} for name in media or ("application/json",)}
    return post(requestBody={"content": content, "required": required})


def answer(**response: Any) -> dict[str, Any]:
    """Paths with an operation that answers this way."""
    return post(responses={"200": {"description": "ok"} | response})


def statuses(*names: str) -> dict[str, Any]:
    """Paths with an operation that answers with these statuses."""
    return post(responses=dict.fromkeys(names, OK["200"]))


TEXT = {"schema": {"type": "string"}}
JSON, XML = {"application/json": TEXT}, {"application/xml": TEXT}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (post(), body(), [(SERVERS, "request body", "new")]),
        (post(), body(True), [(BOTH, "request body", "new, and required")]),
        (body(), post(), [(CLIENTS, "request body", "gone")]),
        (body(), body(True), [(CLIENTS, "request body", "required now")]),
        (body(), body(False, "application/json; charset=utf-8"), []),
        (body(), body(False, "application/*"), [(SERVERS, "request body", "application/* is new")]),
        (body(), body(False, "application/json", "text/plain"), [(SERVERS, "request body", "text/plain is new")]),
        (body(False, "text/plain", "application/json"), body(), [(CLIENTS, "request body", "text/plain is gone")]),
        (answer(content=JSON), answer(content=JSON | XML), [(SERVERS, "response 200", "application/xml is new")]),
        (answer(content=JSON | XML), answer(content=JSON), [(CLIENTS, "response 200", "application/xml is gone")]),
        (answer(content=JSON), answer(), [(CLIENTS, "response 200", "its body is gone")]),
        (statuses("200"), statuses("200", "202"), [(CLIENTS, "response 202", "new")]),
        (statuses("200", "202"), statuses("200"), [(SERVERS, "response 202", "gone")]),
        (statuses("200"), statuses("200", "418"), [(NOBODY, "response 418", "new")]),
        (statuses("2XX"), statuses("200"), [(SERVERS, "response 2XX", "gone")]),
        (answer(), answer(headers={"X-A": TEXT}), [(NOBODY, "response 200, header X-A", "new")]),
        (answer(headers={"X-A": TEXT}), answer(headers={"x-a": TEXT}), []),
        (
            answer(headers={"X-A": TEXT | {"required": True}}), answer(headers={"X-A": TEXT}),
            [(CLIENTS, "response 200, header X-A", "not required any more")],
        ),
        (
            answer(headers={"X-A": TEXT | {"required": True}}), answer(),
            [(CLIENTS, "response 200, header X-A", "gone (it was required)")],
        ),
        (
            answer(headers={"X-A": TEXT}), answer(headers={"X-A": {"schema": {"type": "integer"}}}),
            [(BOTH, "response 200, header X-A", "an integer now, was a string")],
        ),
    ],
)  # fmt: skip
def test_bodies_and_responses(
    old: dict[str, Any], new: dict[str, Any], expected: list[Any]
) -> None:
    """An answer that widens breaks clients; what a client chooses among may grow."""
    assert paths(old, new) == expected


def test_a_failure_that_was_left_to_the_default_is_compared_with_it() -> None:
    """A success is not: ``default`` is for what goes wrong."""
    fails = {"description": "no", "content": {"application/json": {"schema": of({}, "code")}}}
    old = post(responses=OK | {"default": fails})
    new = post(responses=OK | {"404": OK["200"], "201": OK["200"], "default": fails})
    assert paths(old, new) == [
        (CLIENTS, "response 404", "its body is gone"),
        (CLIENTS, "response 201", "new"),
    ]


def test_the_base_path_is_part_of_every_operation() -> None:
    """Its change is told once, in 2.0 and since."""
    old, new = document("2.0", basePath="/v1"), document(servers=[{"url": "https://a.test/v2/"}])
    assert told(old, new) == [
        (CLIENTS, "servers", "the base path /v1 is gone"),
        (SERVERS, "servers", "the base path /v2 is new"),
    ]


def test_the_same_api_in_another_version_of_the_specification_is_the_same() -> None:
    """2.0 and 3.0 say it differently, and there is no change to tell."""
    field = {"type": "string", "x-nullable": True, "enum": ["a", "b"]}
    old = document(
        "2.0",
        consumes=["application/json"],
        paths=post(
            parameters=[
                {"name": "ids", "in": "query", "type": "array", "items": {"type": "integer"}},
                {"name": "body", "in": "body", "schema": of({"a": field}, "a")},
            ]
        ),
    )
    ids = {"type": "array", "items": {"type": "integer"}}
    renewed = of({"a": {"type": "string", "nullable": True, "enum": ["a", "b", None]}}, "a")
    new = document(
        paths=post(
            parameters=[{"name": "ids", "in": "query", "schema": ids, "explode": False}],
            requestBody={"content": {"application/json": {"schema": renewed}}},
        )
    )
    assert compared(old, new) == []


# Schemas


@pytest.mark.parametrize(
    ("old", "new", "narrows", "widens", "message"),
    [
        ({"type": "string"}, {"type": "integer"}, True, True, "an integer now, was a string"),
        ({"type": "number"}, {"type": "integer"}, True, False, "an integer now, was a number"),
        ({}, {"type": "string"}, True, False, "a string now, was anything"),
        ({"type": "string"}, {"type": "string", "nullable": True}, False, True, "may be null now"),
        ({"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": ["b"]}, True, False, 'may not be "a" any more'),
        ({"type": "string", "enum": ["a"]}, {"type": "string"}, False, True, 'not limited to "a" any more'),
        ({"type": "string"}, {"type": "string", "enum": ["a"]}, True, False, 'limited to "a" now'),
        ({"type": "string", "enum": ["aa"]}, {"type": "string", "maxLength": 1}, True, True, 'not limited to "aa" any more'),
        ({"type": "boolean"}, {"type": "boolean", "enum": [True]}, True, False, "may not be false any more"),
        ({"type": "integer"}, {"type": "integer", "minimum": 1}, True, False, "the minimum 1 is new"),
        ({"type": "integer", "maximum": 5}, {"type": "integer", "maximum": 9}, False, True, "the maximum is 9 now, was 5"),
        ({"type": "number", "minimum": 0}, {"type": "number", "minimum": 0, "exclusiveMinimum": True}, True, False, "the minimum is 0 (exclusive) now, was 0"),
        ({"type": "integer", "multipleOf": 2}, {"type": "integer", "multipleOf": 4}, True, False, "the factor is 4 now, was 2"),
        ({"type": "integer", "multipleOf": 2}, {"type": "integer", "multipleOf": 3}, True, True, "the factor is 3 now, was 2"),
        ({"type": "integer", "format": "int64"}, {"type": "integer"}, False, True, "the minimum -9223372036854775808 is gone"),
        ({"type": "string", "maxLength": 5}, {"type": "string"}, False, True, "the greatest length 5 is gone"),
        ({"type": "string", "pattern": "a"}, {"type": "string", "pattern": "b"}, True, True, "the pattern is b now, was a"),
        ({"type": "string"}, {"type": "string", "format": "uuid"}, True, False, "the format uuid is new"),
        ({"type": "string"}, {"type": "string", "format": "password"}, False, False, "the format password is new"),
        ({"type": "array"}, {"type": "array", "minItems": 1}, True, False, "the least number of items 1 is new"),
        ({"type": "array", "uniqueItems": True}, {"type": "array"}, False, True, "items need not differ any more"),
        (of({}), of({}, additionalProperties=False), True, False, "other properties are refused now"),
        (of({}, maxProperties=2), of({}, maxProperties=1), True, False, "the greatest number of properties is 1 now, was 2"),
        ({"type": "string"}, {"type": "string", "not": {"enum": ["a"]}}, True, False, "its not is new"),
        ({"not": {"type": "string"}}, {"not": {"type": "array"}}, True, True, "its not is changed"),
    ],
)  # fmt: skip
def test_keywords(
    old: dict[str, Any], new: dict[str, Any], narrows: bool, widens: bool, message: str
) -> None:
    """In a request what narrows breaks clients; in an answer, what widens."""
    asked = [party for party, breaks in (("clients", narrows), ("servers", widens)) if breaks]
    answered = [party for party, breaks in (("clients", widens), ("servers", narrows)) if breaks]
    assert (tuple(asked), "request body", message) in told(asking(old), asking(new))
    assert (tuple(answered), "response 200", message) in told(answering(old), answering(new))


A = {"type": "string"}


@pytest.mark.parametrize(
    ("old", "new", "asked", "answered", "message"),
    [
        (of({}), of({"a": A}), SERVERS, NOBODY, "new"),
        (of({"a": A}), of({}), CLIENTS, NOBODY, "gone"),
        (of({}), of({"a": A}, "a"), BOTH, SERVERS, "new, and required"),
        (of({"a": A}, "a"), of({}), BOTH, CLIENTS, "gone (it was required)"),
        (of({"a": A}), of({"a": A}, "a"), CLIENTS, SERVERS, "required now"),
        (of({}, additionalProperties=False), of({"a": A}, additionalProperties=False), SERVERS, CLIENTS, "new (it was refused)"),
        (of({"a": A}, additionalProperties=False), of({}, additionalProperties=False), CLIENTS, SERVERS, "gone, and refused"),
        (of({"a": {"type": "integer"}}), of({}, additionalProperties=A), BOTH, BOTH, "a string now, was an integer"),
    ],
)  # fmt: skip
def test_properties(
    old: dict[str, Any],
    new: dict[str, Any],
    asked: tuple[str, ...],
    answered: tuple[str, ...],
    message: str,
) -> None:
    """A property that is new in an answer harms nobody, unless others were refused."""
    assert (asked, "request body, a", message) in told(asking(old), asking(new))
    assert (answered, "response 200, a", message) in told(answering(old), answering(new))


def test_what_only_the_other_direction_has_is_no_change() -> None:
    """A readOnly property is not sent, a writeOnly one is not answered."""
    known, hidden = A | {"readOnly": True}, A | {"writeOnly": True}
    assert told(asking(of({})), asking(of({"a": known}, "a"))) == []
    assert told(asking(of({"a": A})), asking(of({"a": known}))) == [
        (CLIENTS, "request body, a", "gone")
    ]
    assert told(answering(of({})), answering(of({"a": hidden}, "a"))) == []


ITEMS = {"type": "array", "items": of({"a": {"type": "object", "additionalProperties": A}})}


def test_a_change_deep_inside_is_told_with_its_way() -> None:
    """Through items, properties and maps."""
    changed = {"type": "array", "items": of({"a": {"type": "object", "additionalProperties": {}}})}
    assert told(answering(ITEMS), answering(changed)) == [
        (CLIENTS, "response 200, [].a.*", "anything now, was a string")
    ]


def test_recursive_schemas_are_compared_once() -> None:
    """A tree differs in its leaf, and the comparison ends."""
    tree = {"$ref": "#/components/schemas/Tree"}

    def trees(kind: str) -> Document:
        node = of({"left": tree, "right": tree, "value": {"type": kind}})
        return answering(tree, Tree=node)

    assert told(trees("integer"), trees("number")) == [
        (CLIENTS, "response 200, value", "a number now, was an integer")
    ]


def test_a_shared_schema_is_one_change_of_many_operations() -> None:
    """Each direction tells it once, with the operations it concerns."""

    def shared(kind: str) -> Document:
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}
        answers = {"200": {"description": "ok", "content": content}}
        operations: dict[str, Any] = {
            method: {"operationId": method, "responses": answers} for method in ("get", "put")
        }
        operations["put"]["requestBody"] = {"content": content}
        return document(paths={"/a": operations}, components={"schemas": {"A": {"type": kind}}})

    found = compared(shared("integer"), shared("number"))
    assert [(c.breaks, c.operations, c.where) for c in found] == [
        (CLIENTS, ("GET /a", "PUT /a"), "response 200"),
        (SERVERS, ("PUT /a",), "request body"),
    ]


CAT = of({"kind": {"type": "string", "enum": ["cat"]}, "lives": {"type": "integer"}}, "kind")
DOG = of({"kind": {"type": "string", "enum": ["dog"]}, "bark": A}, "kind")
FOX = of({"kind": {"type": "string", "enum": ["fox"]}, "bark": A}, "kind")


def test_alternatives_are_told_apart_by_their_kind() -> None:
    """Whatever their order: what became of which, what is gone and what is new."""
    changed = of({"kind": {"type": "string", "enum": ["cat"]}, "lives": A}, "kind")
    old, new = asking({"oneOf": [CAT, DOG]}), asking({"anyOf": [FOX, changed]})
    assert sorted(told(old, new)) == [
        (CLIENTS, "request body", 'the alternative with kind "dog" is not admitted any more'),
        (BOTH, "request body, lives", "a string now, was an integer"),
        (SERVERS, "request body", 'the alternative with kind "fox" is admitted now'),
    ]


PARTS: dict[str, Any] = {"X": of({"a": A}, "a"), "Y": of({"b": A})}
X, Y = ({"$ref": f"#/components/schemas/{name}"} for name in "XY")
TWO_LIMITS = {"type": "integer", "allOf": [{"minimum": 2}, {"minimum": 5}]}
EVERY_WAY = {"anyOf": [{"type": "integer"}, {"type": "string"}]}


@pytest.mark.parametrize(
    ("version", "old", "new"),
    [
        ("3.0.3", of({"a": A, "b": A}, "a"), {"allOf": [X, Y]}),
        ("3.0.3", {"allOf": [X]}, X),
        ("3.0.3", X, {"oneOf": [X]}),
        ("3.0.3", {"allOf": [X], "nullable": True}, {"anyOf": [X, {"type": "object"} | Y], "nullable": True, "allOf": [X]}),
        ("3.1.0", {"type": ["string", "null"]}, {"anyOf": [{"type": "null"}, {"type": "string"}]}),
        ("3.1.0", {"type": ["integer", "string"]}, EVERY_WAY),
        ("3.1.0", {"const": 1}, {"enum": [1]}),
        ("3.1.0", {"enum": ["a", "b"]}, {"anyOf": [{"const": "b"}, {"const": "a"}]}),
        ("3.0.3", TWO_LIMITS, {"type": "integer", "minimum": 5}),
        ("3.0.3", {"type": "integer", "minimum": 4, "exclusiveMinimum": True}, {"type": "integer", "minimum": 5}),
        ("3.0.3", of({}), of({}, additionalProperties=True)),
        ("3.0.3", {"type": "string", "minLength": 0}, {"type": "string", "title": "A", "description": "a"}),
    ],
)  # fmt: skip
def test_the_same_in_other_words_is_no_change(version: str, old: Any, new: Any) -> None:
    """How a schema is put together does not matter."""
    assert told(asking(old, version, **PARTS), asking(new, version, **PARTS)) == []


def test_null_from_one_version_to_the_next() -> None:
    """3.0 and 3.1 write it differently and mean the same."""
    old = asking(of({"a": {"allOf": [X], "nullable": True}}), X=of({"n": A}))
    new = asking(of({"a": {"anyOf": [X, {"type": "null"}]}}), "3.1.0", X=of({"n": A}))
    assert told(old, new) == []


def test_too_many_alternatives_are_only_compared_as_written() -> None:
    """300 are the same as themselves, and otherwise changed in every way."""
    many = [of({"a": {"type": "string", "maxLength": n}}) for n in range(300)]
    assert told(asking({"anyOf": many}), asking({"anyOf": [*many]})) == []
    assert told(asking({"anyOf": many}), asking({"anyOf": many[1:]})) == [
        (BOTH, "request body", "changed, and has too many alternatives to say how")
    ]


def test_changes_stand_where_they_are_written(tmp_path: Path) -> None:
    """The line of the keyword in both files, also where null had to be admitted from outside."""
    text = """
        openapi: 3.0.3
        info: {title: T, version: "1"}
        paths:
          /a:
            post:
              operationId: a
              requestBody:
                content:
                  application/json:
                    schema:
                      nullable: true
                      allOf:
                        - type: object
                          properties:
                            a:
                              type: string
                              maxLength: 5
              responses: {"200": {description: ok}}
        """
    old = write(tmp_path, old=text)
    new = write(tmp_path, new=text.replace("maxLength: 5", "maxLength: 4"))
    (change,) = compared(load_document(old), load_document(new))
    assert (change.old, change.new) == (f"{old}:18", f"{new}:18")
    assert (change.where, change.message) == (
        "request body, a",
        "the greatest length is 4 now, was 5",
    )


def test_a_schema_that_cannot_be_used_is_an_error() -> None:
    """It is told as such, with its place, and not as a difference."""
    with pytest.raises(DocumentError, match="cannot be used"):
        diff(
            asking({"type": "string", "enum": ["a"], "pattern": "("}),
            asking({"type": "string", "enum": ["b"]}),
        )


# Laws

NAMES = ("a", "b")


def _typed(name: str, **keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(name)}, optional=keywords)


SMALL = st.integers(0, 3)
LEAVES: st.SearchStrategy[Any] = st.one_of(
    _typed("integer", minimum=SMALL, maximum=SMALL),
    _typed("number", exclusiveMinimum=SMALL, maximum=SMALL),
    _typed("string", minLength=SMALL, maxLength=SMALL),
    _typed("boolean"),
    _typed("null"),
    st.fixed_dictionaries({"enum": st.lists(st.sampled_from(["a", "b", 1, None]), min_size=1, unique=True)}),
    st.just({}),
)  # fmt: skip


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    """An object schema without other properties: for such, every reading is the same."""
    properties = draw(st.dictionaries(st.sampled_from(NAMES), inner, max_size=2))
    required = [name for name in properties if draw(st.booleans())]
    return of(properties, *required, additionalProperties=False)


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        objects(inner),
        _typed("array", items=inner, minItems=SMALL, maxItems=SMALL),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)}),
    ),
    max_leaves=5,
)


def narrowed(old: Any, new: Any) -> bool:
    """Whether it is told that a body of the new schema may be less than one of the old."""
    found = compared(asking(old, "3.1.0"), asking(new, "3.1.0"))
    return any("clients" in change.breaks for change in found)


def fits(schema: Any, value: Any) -> bool:
    return jsonschema_rs.Draft202012Validator(schema).is_valid(value)


VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 2, 3, 4, 0.5, "", "a", "b", "ab", "abc", "abcd"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(SCHEMAS)
def test_a_document_does_not_differ_from_itself(schema: Any) -> None:
    """Whatever is in it."""
    assert compared(asking(schema, "3.1.0"), asking(schema, "3.1.0")) == []


@settings(max_examples=100, deadline=None)
@given(SCHEMAS, SCHEMAS, st.lists(VALUES, max_size=30))
def test_what_is_refused_now_is_told(old: Any, new: Any, values: list[Any]) -> None:
    """No value that the old schema admits and the new one refuses goes without a change."""
    lost = [value for value in values if fits(old, value) and not fits(new, value)]
    if lost:
        assert narrowed(old, new), lost


@settings(max_examples=80, deadline=None)
@given(SCHEMAS, st.data())
def test_one_more_limit_breaks_clients_and_one_less_breaks_servers(
    schema: Any, data: st.DataObject
) -> None:
    """A conjunction never widens: at most clients break, and at most servers the other way."""
    limited = {"allOf": [schema, data.draw(LEAVES)]}
    found = compared(asking(schema, "3.1.0"), asking(limited, "3.1.0"))
    assert {party for change in found for party in change.breaks} <= {"clients"}


@settings(max_examples=80, deadline=None)
@given(SCHEMAS, SCHEMAS)
def test_what_surely_covers_the_old_schema_breaks_no_client(old: Any, new: Any) -> None:
    """An independent judge of schemas, where it is sure, is not contradicted."""
    covers = jsonschema_rs.canonicalize(new).covers(jsonschema_rs.canonicalize(old))
    if covers is jsonschema_rs.canonical.Containment.NO:
        assert narrowed(old, new)


@pytest.mark.parametrize("name", built_in_names())
def test_the_documents_that_come_along_do_not_differ_from_themselves(name: str) -> None:
    """Recursive filters, discriminators and all."""
    assert diff(api(name).document, api(name).document) == []


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus of vendors' documents")
def test_a_change_deep_in_a_vendors_document_is_found(tmp_path: Path) -> None:
    """A recursive schema of many operations: one change for each direction, and nothing else."""
    old = unpacked("argo-workflows", tmp_path)
    changed = json.loads(old.read_text())
    node = changed["definitions"]["io.argoproj.workflow.v1alpha1.NodeStatus"]
    node["properties"]["phase"] = {"type": "boolean"}
    new = tmp_path / "new.json"
    new.write_text(json.dumps(changed))
    found = diff(load_document(old), load_document(new))
    assert {change.message for change in found} == {"true or false now, was a string"}
    assert [change.where for change in found] == [
        "request body, workflow.status.nodes.*.phase",
        "response 200, items[].status.nodes.*.phase",
    ]
    assert all(len(change.operations) > 1 for change in found)
