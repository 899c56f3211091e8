"""Example requests: what is put together for a document is understood as it was meant."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockexec.api import Api, Dialect, make_api
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.server.examples import Example, Examples
from mockexec.simulation.world import Model
from mockexec.spec.load import load_document
from tests.server.test_control import send
from tests.support import serve

TEXTS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters=",.;=&|%'\""),
    min_size=1,
    max_size=6,
)
LISTS = st.lists(TEXTS, min_size=2, max_size=4)
OBJECTS = st.dictionaries(st.sampled_from(["r", "g", "b"]), TEXTS, min_size=2)
ANY = {"type": "string"}
SCHEMAS: dict[type, dict[str, Any]] = {
    str: ANY,
    list: {"type": "array", "items": ANY},
    dict: {"type": "object", "properties": dict.fromkeys("rgb", ANY)},
}
# (location, style, explode, values); what the specification leaves undefined is left out.
STYLES = [
    *[("path", style, explode, values)
      for style in ("simple", "label", "matrix")
      for explode in (False, True)
      for values in (TEXTS, LISTS, OBJECTS)],
    *[("query", "form", explode, values)
      for explode in (False, True)
      for values in (TEXTS, LISTS, OBJECTS)],
    ("query", "spaceDelimited", False, LISTS),
    ("query", "pipeDelimited", False, LISTS),
    ("query", "deepObject", True, OBJECTS),
    ("header", "simple", False, st.lists(st.sampled_from(["a", "b"]), min_size=2)),
    ("header", "simple", True, st.dictionaries(st.sampled_from("rgb"), st.just("x"), min_size=2)),
    ("cookie", "form", False, st.sampled_from(["a", "100%", "<b>"])),
]  # fmt: skip


def api_of(operation: dict[str, Any], path: str = "/things", **schemas: Any) -> Api:
    """An API with one operation that answers with what it was given."""
    document = load_document(
        {
            "openapi": "3.0.3",
            "info": {"title": "Echo", "version": "1"},
            "paths": {path: {"post": {"operationId": "echo", **operation}}},
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "basic": {"type": "http", "scheme": "basic"},
                    "query": {"type": "apiKey", "in": "query", "name": "key"},
                    "cookie": {"type": "apiKey", "in": "cookie", "name": "key"},
                },
            },
        }
    )

    async def echo(call: Call) -> Reply:
        given = {**call.path, **call.query, **call.header, **call.cookie}
        return Reply(200, {"given": given, "body": call.body})

    def render(refusal: Refusal, call: Call) -> Reply:
        del call
        return Reply(refusal.status, {"message": refusal.message})

    return make_api(
        document,
        Dialect(
            name="echo",
            model=Model("echo", indexes=(), populate=lambda _realm: None),
            handlers={"echo": echo},
            render=render,
            verifiers={},
            development_token=lambda _realm: "it's a token",
        ),
    )


def example_of(api: Api) -> Example:
    """The example of its only operation."""
    with serve(api) as mock:
        found = Examples(api).request(api.operations[0], mock.realm("echo"))
    assert found is not None
    return found


RESPONSES = {"200": {"description": "What came.", "content": {"application/json": {}}}}


@pytest.mark.parametrize(("location", "style", "explode", "values"), STYLES)
@settings(max_examples=4)
@given(data=st.data())
def test_a_parameter_arrives_as_the_document_gives_it(
    data: st.DataObject, location: str, style: str, explode: bool, values: Any
) -> None:
    """In every place and style: the server reads back what the example says."""
    value = data.draw(values)
    parameter = {
        "name": "thing", "in": location, "required": True, "style": style, "explode": explode,
        "schema": SCHEMAS[type(value)], "example": value,
    }  # fmt: skip
    path = "/things/{thing}" if location == "path" else "/things"
    api = api_of({"parameters": [parameter], "responses": RESPONSES}, path)
    with serve(api) as mock:
        (described,) = mock.get("/_mockexec/apis").json()
        answer = send(mock, described["operations"][0]["example"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["given"] == {"thing": value}


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", {"a": [1, "ü", None]}),
        ("application/x-www-form-urlencoded", {"a": "1 & 2", "b": "ü"}),
        ("multipart/form-data", {"a": "one\ntwo", "b": "ü"}),
        ("multipart/form-data", {"a": ["one", "two", "three"]}),
        ("application/x-www-form-urlencoded", {"a": ["1", "2", "3"]}),
        ("text/plain", "just so"),
    ],
)
def test_a_body_arrives_as_the_document_gives_it(media_type: str, body: Any) -> None:
    """JSON, forms and plain text."""
    content = {media_type: {"schema": {}, "example": body}}
    api = api_of({"requestBody": {"required": True, "content": content}, "responses": RESPONSES})
    with serve(api) as mock:
        (described,) = mock.get("/_mockexec/apis").json()
        answer = send(mock, described["operations"][0]["example"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["body"] == body


def test_what_no_example_gives_is_generated() -> None:
    """A value that fits its schema, the same every time."""
    schema = {"type": "string", "format": "uuid"}
    parameter = {"name": "id", "in": "query", "required": True, "schema": schema}
    optional = {"name": "more", "in": "query", "schema": schema}
    api = api_of({"parameters": [parameter, optional], "responses": RESPONSES})
    first = example_of(api)
    assert first == example_of(api)
    assert "more=" not in first.url
    with serve(api) as mock:
        (described,) = mock.get("/_mockexec/apis").json()
        assert send(mock, described["operations"][0]["example"]).status_code == 200


def test_a_parameter_without_any_value_has_no_example() -> None:
    """None is said rather than something that would fail."""
    schema = {"type": "string", "enum": ["a"], "minLength": 5}
    parameter = {"name": "id", "in": "query", "required": True, "schema": schema}
    api = api_of({"parameters": [parameter], "responses": RESPONSES})
    with serve(api) as mock:
        (described,) = mock.get("/_mockexec/apis").json()
    assert described["operations"][0]["example"] is None


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("basic", ("Authorization", "Basic aXQncyBhIHRva2VuOml0J3MgYSB0b2tlbg==")),
        ("cookie", ("Cookie", "key=it's a token")),
    ],
)
def test_credentials_go_where_the_document_wants_them(
    scheme: str, expected: tuple[str, str]
) -> None:
    """In a header of their own."""
    api = api_of({"security": [{scheme: []}], "responses": RESPONSES})
    assert expected in example_of(api).headers.items()


def test_a_key_in_the_query_is_part_of_the_address() -> None:
    """Percent-encoded."""
    api = api_of({"security": [{"query": []}], "responses": RESPONSES})
    assert example_of(api).url == "/things?key=it%27s%20a%20token"


def test_the_command_is_safe_in_a_shell() -> None:
    """Quotes and all, a shell hands curl just the words that were meant."""
    example = Example("PUT", "http://x/?a='&b=$(c)", {"A": "it's"}, '{"b": "`c`"}')
    assert shlex.split(example.curl()) == [
        "curl", "-sS", "-X", "PUT", "-H", "A: it's", "--data-raw", '{"b": "`c`"}',
        "http://x/?a='&b=$(c)",
    ]  # fmt: skip
