"""Forms whose fields spell out objects and lists."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Response

from mockexec.api import Api
from tests.server.test_control import send
from tests.server.test_examples import RESPONSES, api_of
from tests.support import serve

FORM = {
    "type": "object",
    "properties": {
        "plain": {"type": "boolean"},
        "joined": {"type": "array", "items": {"type": "string"}},
        "repeated": {"type": "array", "items": {"type": "integer"}},
        "written": {"type": "object"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "address": {"$ref": "#/components/schemas/Address"},
        "notes": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
ADDRESS = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "floor": {"type": "integer"},
        "lift": {"type": "boolean"},
        "near": {"type": "array", "items": {"$ref": "#/components/schemas/Address"}},
    },
}
DEEP = {"style": "deepObject", "explode": True}
ENCODING = {"tags": DEEP, "address": DEEP, "notes": DEEP, "joined": {"explode": False}}


def form_api(example: Any) -> Api:
    """One operation that takes a form whose fields are written in every way there is."""
    media = {"schema": FORM, "encoding": ENCODING, "example": example}
    body = {"required": True, "content": {"application/x-www-form-urlencoded": media}}
    return api_of({"requestBody": body, "responses": RESPONSES}, Address=ADDRESS)


def test_a_form_may_hold_objects_and_lists_however_deep() -> None:
    """The server reads back what the example spells out, types and all."""
    value = {
        "plain": True, "joined": ["a,b", "c d", "&"], "repeated": [1, 2], "written": {"a": [1]},
        "tags": ["x", "y&z"],
        "address": {"city": "Århus", "floor": 3, "lift": False,
                    "near": [{"city": "A=B", "near": [{"floor": -1}]}, {"city": ""}]},
        "notes": {"1": "one", "a b": "two"},
    }  # fmt: skip
    with serve(form_api(value)) as mock:
        (described,) = mock.get("/_mockexec/apis").json()
        answer = send(mock, described["operations"][0]["example"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["body"] == value


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("tags[]=a&tags[]=b", {"tags": ["a", "b"]}),
        ("tags%5B%5D=a", {"tags": ["a"]}),
        ("tags[1]=b&tags[10]=c&tags[0]=a", {"tags": ["a", "b", "c"]}),
        ("tags=a&tags=b", {"tags": ["a", "b"]}),
        ("address[near][][city]=x", {"address": {"near": [{"city": "x"}]}}),
        ("notes[]=x", {"notes": {"": "x"}}),
        # Of these the document says nothing, so that they may be lists.
        ("other=a&other=2", {"other": ["a", "2"]}),
        ("address[other]=a&address[other]=b", {"address": {"other": ["a", "b"]}}),
    ],
)
def test_lists_in_forms_are_read_as_clients_write_them(text: str, body: Any) -> None:
    """With empty brackets, with numbers in any order, or by repeating the name."""
    answer = send_form(text)
    assert answer.status_code == 200, answer.text
    assert answer.json()["body"] == body


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("address[city]=a&address[city][x]=b", "has a value of its own"),
        ("address[city][x]=b&address[city]=a", "has parts"),
        ("address[city]=a&address[city]=b", "must be given once"),
        ("address[city=a", "must be named as in field[key]"),
        ("address]city[=a", ""),
        ("address[a]b=c", "must be named as in field[key]"),
        ("address" + "[a]" * 1000 + "=x", "must be named as in field[key]"),
        ("tags[" + "9" * 5000 + "]=x", "/tags"),
        ("tags[x]=a", "/tags"),
        ("address[floor]=x", "/address/floor"),
        ("address=x", "/address"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(text: str, reason: str) -> None:
    """With the field's name; what is no part of such a field is a field like any other."""
    answer = send_form(text)
    assert answer.status_code == (400 if reason else 200), answer.text
    assert reason in answer.text


def send_form(text: str) -> Response:
    """The answer to a form as it is written."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    with serve(form_api({}), strict=False) as mock:
        return mock.post("/echo/things", content=text, headers=headers)
