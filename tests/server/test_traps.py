"""Inputs that generated servers get wrong, on each API: read right, or refused as the vendor does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mockexec import catalog
from mockexec.api import Api, make_api
from mockexec.http.call import Call, Reply
from mockexec.server.bodies import Upload
from mockexec.spec.load import load_document
from tests.support import Served, serve

OPERATIONS = (
    "header", "query", "both", "number", "integer", "styles", "list", "create", "one", "latest",
    "find", "cancel", "optional", "text", "form",
)  # fmt: skip


async def echo(call: Call) -> Reply:
    """Answers with what was understood."""
    body = call.body
    if isinstance(body, dict):
        body = {k: f"{len(v)} bytes" if isinstance(v, Upload) else v for k, v in body.items()}
    understood = {
        "operation": call.operation_id, "path": call.path, "query": call.query,
        "header": dict(call.header), "cookie": dict(call.cookie), "body": body,
    }  # fmt: skip
    return Reply(200, understood)


@cache
def grafted(name: str) -> Api:
    """The trap operations with the error format of the API ``name``."""
    document = load_document(Path(__file__).parent / "traps.yaml")
    dialect = dataclasses.replace(
        catalog.api(name).dialect,
        handlers=dict.fromkeys(OPERATIONS, echo),
        gates={},
        throttle=lambda _settings: None,
        aliases=lambda _path: (),
    )
    return make_api(document, dialect)


@pytest.fixture(params=catalog.names(), scope="module")
def api(request: pytest.FixtureRequest) -> str:
    """Each API in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def served(api: str) -> Iterator[Served]:
    """The traps grafted onto one API; nothing here changes its world."""
    scenario = {api: catalog.scenario(api, "empty")}
    with serve(grafted(api), scenario=scenario, strict=False) as mock:
        yield mock


JSON = {"content-type": "application/json"}
GOOD: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("GET", "/header", {"headers": {"x-count": "5"}}, {"header": {"X-Count": 5}}),
    ("GET", "/header", {"headers": {"x-flag": "true"}}, {"header": {"X-Flag": True}}),
    ("GET", "/header", {"headers": {"x-list": "1, 2,3"}}, {"header": {"X-List": [1, 2, 3]}}),
    ("GET", "/header", {"headers": {"cookie": "a=b; visits=7"}}, {"cookie": {"visits": 7}}),
    ("GET", "/query?limit=5&page=4", {}, {"query": {"limit": 5, "page": 4}}),
    ("GET", "/query", {}, {"query": {"page": 3}}),
    ("GET", "/query?ratio=1.5e2", {}, {"query": {"ratio": 150.0, "page": 3}}),
    ("GET", "/query?either=true", {}, {"query": {"either": True, "page": 3}}),
    ("GET", "/query?either=4", {}, {"query": {"either": 4, "page": 3}}),
    ("GET", "/query?tags=a%2Cb", {}, {"query": {"tags": ["a,b"], "page": 3}}),
    ("GET", "/query?tags=a,b", {}, {"query": {"tags": ["a", "b"], "page": 3}}),
    ("GET", "/query?words=a&words=b,c", {}, {"query": {"words": ["a", "b,c"], "page": 3}}),
    ("GET", "/query?pipes=1|2%7C3", {}, {"query": {"pipes": [1, 2, 3], "page": 3}}),
    ("GET", "/query?spaces=1%202+3", {}, {"query": {"spaces": [1, 2, 3], "page": 3}}),
    ("GET", "/query?deep[low]=1&deep[name]=x", {}, {"query": {"deep": {"low": 1, "name": "x"}, "page": 3}}),
    ("GET", "/query?point=x,1,y,2", {}, {"query": {"point": {"x": 1, "y": 2}, "page": 3}}),
    ("GET", "/query?red=1&blue=2", {}, {"query": {"spread": {"red": 1, "blue": 2}, "page": 3}}),
    ("GET", "/query?filter=%7B%22a%22%3A1%7D", {}, {"query": {"filter": {"a": 1}, "page": 3}}),
    ("GET", "/query?word=a+b%20c%C3%A9", {}, {"query": {"word": "a b cé", "page": 3}}),
    ("GET", "/query?unknown=1", {}, {"query": {"page": 3}}),
    ("GET", "/both/7?id=x", {}, {"path": {"id": 7}, "query": {"id": "x"}}),
    ("GET", "/number/1e3", {}, {"path": {"n": 1000.0}}),
    ("GET", "/styles/.5/;matrix=1;matrix=2", {}, {"path": {"label": 5, "matrix": [1, 2]}}),
    ("GET", "/executions/latest", {}, {"operation": "latest"}),
    ("GET", "/executions:find", {}, {"operation": "find"}),
    ("GET", "/executions%3Afind", {}, {"operation": "find"}),
    ("POST", "/executions/x:cancel", {}, {"operation": "cancel", "path": {"id": "x"}}),
    ("GET", "/executions/a%2Fb", {}, {"path": {"id": "a/b"}}),
    ("POST", "/optional", {}, {"body": None}),
    ("POST", "/executions", {"content": b'{"count":1}', "headers": {"content-type": "Application/JSON; Charset=UTF-8"}}, {"body": {"count": 1}}),
    ("POST", "/executions", {"content": "chunked", "headers": JSON}, {"body": {"count": 1}}),
    ("POST", "/executions", {"json": {"count": 1, "next": {"count": 2}}}, {"body": {"count": 1, "next": {"count": 2}}}),
    ("POST", "/text", {"content": b"hello", "headers": {"content-type": "text/plain"}}, {"body": "hello"}),
    ("POST", "/form", {"data": {"count": "1", "flags": ["true", "false"]}}, {"body": {"count": 1, "flags": [True, False]}}),
    ("POST", "/form", {"data": {"count": "1"}, "files": {"file": ("a.bin", b"\x00\xff\x80")}}, {"body": {"count": 1, "file": "3 bytes"}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "request_", "expected"), GOOD, ids=lambda v: str(v)[:40]
)
def test_good_input_is_understood(
    served: Served,
    api: str,
    method: str,
    path: str,
    request_: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    """What the document allows is read as the document says."""
    if request_.get("content") == "chunked":
        request_ = {**request_, "content": _chunks([b'{"cou', b'nt":1}'])}
    response = served.request(method, f"/{api}{path}", **request_)

    assert response.status_code == 200, response.text
    understood = response.json()
    assert {key: understood[key] for key in expected} == expected


async def _chunks(parts: list[bytes]) -> Any:
    for part in parts:
        yield part


def json_body(content: bytes, content_type: str | None = "application/json") -> dict[str, Any]:
    """A request with exactly these bytes."""
    return {"content": content, "headers": {"content-type": content_type}}


# Method, path, request, status, what the refusal must name.
BAD: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/header", {"headers": {"x-count": "five"}}, 400, "X-Count"),
    ("GET", "/header", {"headers": {"x-flag": "yes"}}, 400, "X-Flag"),
    ("GET", "/header", {"headers": {"cookie": "visits=many"}}, 400, "visits"),
    ("GET", "/query?limit=%2B5", {}, 400, "limit"),
    ("GET", "/query?limit=+5", {}, 400, "limit"),
    ("GET", "/query?limit=%205", {}, 400, "limit"),
    ("GET", "/query?limit=5%20", {}, 400, "limit"),
    ("GET", "/query?limit=%D9%A5", {}, 400, "limit"),
    ("GET", "/query?limit=1_0", {}, 400, "limit"),
    ("GET", "/query?limit=", {}, 400, "limit"),
    ("GET", f"/query?limit={'9' * 5000}", {}, 400, "limit"),
    ("GET", "/query?limit=5&limit=7", {}, 400, "limit"),
    ("GET", "/query?ratio=nan", {}, 400, "ratio"),
    ("GET", "/query?ratio=inf", {}, 400, "ratio"),
    ("GET", "/query?ratio=1e400", {}, 400, "ratio"),
    ("GET", "/query?ratio=1_0.5", {}, 400, "ratio"),
    ("GET", "/query?flag=TRUE", {}, 400, "flag"),
    ("GET", "/query?small=2147483648", {}, 400, "small"),
    ("GET", "/query?ident=nope", {}, 400, "ident"),
    ("GET", "/query?word=%FF", {}, 400, "word"),
    ("GET", "/query?maybe=None", {}, 400, "maybe"),
    ("GET", "/query?either=word", {}, 400, "either"),
    ("GET", "/query?deep[low]=x", {}, 400, "deep"),
    ("GET", "/query?filter=%7B", {}, 400, "filter"),
    ("GET", "/both/7", {}, 400, "id"),
    ("GET", "/integer/abc", {}, 400, "n"),
    ("GET", "/integer/5.0", {}, 400, "n"),
    ("GET", f"/integer/{'9' * 5000}", {}, 400, "n"),
    ("GET", "/number/%2E", {}, 400, "n"),
    ("GET", "/number/+", {}, 400, "n"),
    ("GET", "/number/", {}, 400, "n"),
    ("GET", "/styles/5/;matrix=1", {}, 400, "label"),
    ("GET", "/executions/", {}, 404, ""),
    ("GET", "/executions/x/", {}, 404, ""),
    ("GET", "/nothing/here", {}, 404, ""),
    ("PUT", "/executions", {}, 405, ""),
    ("HEAD", "/executions", {}, 405, ""),
    ("OPTIONS", "/executions", {}, 405, ""),
    ("TRACE", "/executions", {}, 405, ""),
    ("QUERY", "/executions", {}, 405, ""),
    ("GET", "/executions/x:cancel", {}, 405, ""),
    ("GET", "/executions", {"headers": {"accept": "image/png"}}, 406, ""),
    ("POST", "/executions", json_body(b""), 400, "body"),
    ("POST", "/executions", json_body(b"", None), 400, "body"),
    ("POST", "/executions", json_body(b"\xff\xfe"), 400, "body"),
    ("POST", "/executions", json_body(b"[" * 100_000), 400, "body"),
    ("POST", "/executions", json_body(b'{"next":' * 600 + b"1" + b"}" * 600), 400, "body"),
    ("POST", "/executions", json_body(b'{"count":' + b"9" * 5000 + b"}"), 400, ""),
    ("POST", "/executions", json_body(b'{"count":NaN}'), 400, "body"),
    ("POST", "/executions", json_body(b'{"count":1,"ratio":NaN}'), 400, "body"),
    ("POST", "/executions", json_body(b'{"count":1,"name":"\\ud800"}'), 400, "body"),
    ("POST", "/executions", json_body(b'{"count":1,"small":2147483648}'), 400, "small"),
    ("POST", "/executions", json_body(b'{"count":1,"ident":"nope"}'), 400, "ident"),
    ("POST", "/executions", json_body(b'{"count":"one"}', "Application/JSON"), 400, "count"),
    ("POST", "/executions", json_body(b"{}"), 400, "count"),
    ("POST", "/executions", json_body(b'{"count":1}', None), 415, "application/json"),
    ("POST", "/executions", json_body(b'{"count":1}', "text/csv"), 415, "application/json"),
    ("POST", "/executions", json_body(b'{"count":1}', "application/json; charset=bogus"), 415, "bogus"),
    ("POST", "/executions", json_body(b'{"count":1}', "application/json; charset=latin-1"), 415, "latin-1"),
    ("POST", "/executions", json_body(b'{"count":1,"name":"' + b"x" * 1_048_576 + b'"}'), 413, ""),
    ("POST", "/text", json_body(b"", "text/plain"), 400, "body"),
    ("POST", "/text", json_body(b"too long", "text/plain"), 400, "body"),
    ("POST", "/text", json_body(b"\xff", "text/plain"), 400, "body"),
    ("POST", "/form", {"data": {"count": "one"}}, 400, "count"),
    ("POST", "/form", json_body(b"count=%FF", "application/x-www-form-urlencoded"), 400, "body"),
    ("POST", "/form", json_body(b"--x\r\nnonsense", "multipart/form-data; boundary=x"), 400, "body"),
    ("POST", "/form", json_body(b"count", "multipart/form-data"), 400, "boundary"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "named"), BAD, ids=lambda v: str(v)[:40]
)
def test_bad_input_is_refused_as_the_vendor_does(
    served: Served,
    api: str,
    method: str,
    path: str,
    request_: dict[str, Any],
    status: int,
    named: str,
) -> None:
    """A 4xx in the vendor's own format, that names the place."""
    response = served.request(method, f"/{api}{path}", **request_)

    # The vendors' own statuses: Foundry and Polos say 422 where a body does not fit its schema.
    same_family = {400: {400, 422}}.get(status, {status})
    assert response.status_code in same_family, response.text
    if status == 405:
        allowed = response.headers["allow"].split(", ")
        assert sorted(allowed) == allowed
        assert allowed == (["POST"] if path.endswith(":cancel") else ["GET", "POST"])
    assert_vendor_shape(api, response)
    if named and response.content:
        assert named.lower() in response.text.lower()


def assert_vendor_shape(api: str, response: Any) -> None:
    """The keys of the vendor's error body; Foundry answers unknown paths without one."""
    if not response.content:
        assert response.request.method == "HEAD" or api == "foundry"
        return
    keys = {
        "sailpoint": {"detailCode", "trackingId", "messages", "causes"},
        "foundry": {"errorCode", "errorName", "errorInstanceId", "parameters"},
        "frontdoor": {"error", "message"},
        "polos": {"error", "error_type"},
        "thand": {"code", "title", "message"},
    }[api]
    assert keys <= response.json().keys(), response.text


def test_every_api_is_covered() -> None:
    """A new API must be given its error shape above, or its traps prove nothing."""
    assert set(catalog.built_in_names()) == {"foundry", "frontdoor", "polos", "sailpoint", "thand"}
