"""A user's document: its security schemes, and refusals as it describes them."""

from __future__ import annotations

import cProfile
from base64 import b64encode
from typing import Any

import pytest

from mockexec.api import Api
from mockexec.server.generic import generic_api
from mockexec.spec.load import load_document
from tests.support import Served, serve

OK = {"200": {"description": "ok", "content": {"application/json": {"schema": {"enum": ["ok"]}}}}}
SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "oauth": {"type": "oauth2", "flows": {}},
    "oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://example.com/.well-known"},
    "mtls": {"type": "mutualTLS"},
}


def _basic(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


def _api(operation: dict[str, Any], version: str = "3.0.3") -> Api:
    return generic_api(
        load_document(
            {
                "openapi": version,
                "info": {"title": "T", "version": "1"},
                "components": {"securitySchemes": SCHEMES},
                "paths": {
                    "/thing": {"get": {"operationId": "thing", "responses": OK, **operation}}
                },
            }
        ),
        "t",
    )


def _secured(scheme: str) -> Api:
    return _api({"security": [{scheme: []}]})


# For each scheme: how a token travels, and what is malformed.
TRAVEL: dict[str, Any] = {
    "bearer": lambda token: {"headers": {"authorization": f"Bearer {token}"}},
    "basic": lambda token: {"headers": {"authorization": _basic(f"user:{token}")}},
    "header": lambda token: {"headers": {"x-key": token, "authorization": None}},
    "query": lambda token: {"params": {"key": token}, "headers": {"authorization": None}},
    "cookie": lambda token: {"headers": {"cookie": f"sid={token}", "authorization": None}},
    "oauth": lambda token: {"headers": {"authorization": f"bearer {token}"}},
    "oidc": lambda token: {"headers": {"authorization": f"Bearer {token}"}},
}


@pytest.mark.parametrize("scheme", TRAVEL)
@pytest.mark.parametrize("strict", [True, False])
def test_the_development_token_opens_every_scheme(scheme: str, strict: bool) -> None:
    """The development token is taken wherever the scheme puts it."""
    with serve(_secured(scheme), strict=strict) as served:
        assert served.get("/t/thing", **TRAVEL[scheme]("t-dev-token")).status_code == 200


@pytest.mark.parametrize("scheme", TRAVEL)
def test_any_credential_will_do_unless_strict(scheme: str) -> None:
    """A mock for a front end takes any well-formed credential; a strict one only its own."""
    with serve(_secured(scheme), strict=False) as served:
        assert served.get("/t/thing", **TRAVEL[scheme]("another")).status_code == 200
    with serve(_secured(scheme), strict=True) as served:
        assert served.get("/t/thing", **TRAVEL[scheme]("another")).status_code == 401


@pytest.mark.parametrize("scheme", TRAVEL)
@pytest.mark.parametrize("strict", [True, False])
def test_no_credential_is_refused(scheme: str, strict: bool) -> None:
    """Without a credential: 401 with a challenge, as a problem."""
    with serve(_secured(scheme), strict=strict) as served:
        reply = served.get("/t/thing", headers={"authorization": None})
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"]
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["status"] == 401


@pytest.mark.parametrize(
    ("scheme", "header"),
    [
        ("bearer", "Bearer"),
        ("bearer", "Bearer a b"),
        ("bearer", "Bearer ü"),
        ("bearer", "t-dev-token"),
        ("basic", "Basic !!!"),
        ("basic", _basic("no colon")),
        ("basic", "Bearer t-dev-token"),
        ("oauth", "Basic dTpw"),
    ],
)
def test_malformed_credentials_are_refused(scheme: str, header: str) -> None:
    """A credential of another form than the scheme's is a 401."""
    with serve(_secured(scheme), strict=False) as served:
        reply = served.get("/t/thing", headers={"authorization": header.encode()})
        assert reply.status_code == 401


def test_a_key_in_the_authorization_header_may_be_a_bearer_token() -> None:
    """As documents of OpenAPI 2.0 describe bearer tokens; the bare token is taken as well."""
    document = {
        "swagger": "2.0",
        "info": {"title": "T", "version": "1"},
        "securityDefinitions": {"b": {"type": "apiKey", "in": "header", "name": "authorization"}},
        "security": [{"b": []}],
        "paths": {"/thing": {"get": {"responses": {"200": {"description": "ok"}}}}},
    }
    with serve(generic_api(load_document(document), "t")) as served:
        for header in ("Bearer t-dev-token", "t-dev-token"):
            reply = served.get("/t/thing", headers={"authorization": header})
            assert reply.status_code == 200


def test_mutual_tls_is_not_looked_at() -> None:
    """A client certificate is the connection's matter."""
    with serve(_secured("mtls")) as served:
        assert served.get("/t/thing", headers={"authorization": None}).status_code == 200


def test_anonymous_calls_where_the_document_lets_them_in() -> None:
    """An empty alternative admits calls without credentials."""
    with serve(_api({"security": [{"bearer": []}, {}]})) as served:
        assert served.get("/t/thing", headers={"authorization": None}).status_code == 200


LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer"}}


def _with_error(schema: Any, status: str = "400", **media: Any) -> Api:
    content = {"application/json": {"schema": schema, **media}}
    response = {"description": "no", "content": content}
    return _api({"parameters": [LIMIT], "responses": {**OK, status: response}})


def test_a_refusal_is_a_problem_with_violations() -> None:
    """RFC 9457, with place and reason of everything that is wrong."""
    with serve(_api({"parameters": [LIMIT]}), strict=False) as served:
        reply = served.get("/t/thing?limit=x")
        assert reply.status_code == 400
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["instance"] == "/thing"
        (violation,) = reply.json()["violations"]
        assert (violation["in"], violation["name"]) == ("query", "limit")
        assert "integer" in violation["message"]


@pytest.mark.parametrize("status", ["400", "4XX", "default"])
def test_a_documented_error_is_answered_as_documented(status: str) -> None:
    """The error has the documented form, and its text says what is wrong."""
    schema = {
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "integer"},
            "message": {"type": "string"},
            "trace": {"type": "string", "format": "uuid"},
        },
        "additionalProperties": False,
    }
    with serve(_with_error(schema, status)) as served:
        reply = served.get("/t/thing?limit=x")
        assert reply.status_code == 400
        assert reply.headers["content-type"] == "application/json"
        assert reply.json()["code"] == 400
        assert "limit" in reply.json()["message"]


def test_a_nested_error_is_told_inside() -> None:
    """The text is put where such errors have it: below ``error``, or in the first of ``errors``."""
    inner = {
        "type": "object",
        "required": ["message"],
        "properties": {"message": {"type": "string"}, "type": {"enum": ["invalid"]}},
    }
    one = {"type": "object", "required": ["error"], "properties": {"error": inner}}
    several = {
        "type": "object",
        "required": ["errors"],
        "properties": {"errors": {"type": "array", "items": inner, "minItems": 1}},
    }
    with serve(_with_error(one)) as served:
        assert "limit" in served.get("/t/thing?limit=x").json()["error"]["message"]
    with serve(_with_error(several)) as served:
        assert "limit" in served.get("/t/thing?limit=x").json()["errors"][0]["message"]


def test_a_text_that_does_not_fit_is_left_as_documented() -> None:
    """An error whose text is one of a few stays as its schema wants it."""
    schema = {
        "type": "object",
        "properties": {"message": {"enum": ["no"]}},
        "required": ["message"],
    }
    with serve(_with_error(schema)) as served:
        assert served.get("/t/thing?limit=x").json() == {"message": "no"}


def test_an_example_of_the_error_is_the_base() -> None:
    """A documented example keeps what the refusal does not know better."""
    schema = {"type": "object", "properties": {"message": {"type": "string"}}}
    api = _with_error(schema, example={"message": "bad", "help": "https://example.com"})
    with serve(api) as served:
        body = served.get("/t/thing?limit=x").json()
        assert body["help"] == "https://example.com"
        assert "limit" in body["message"]


def test_unknown_paths_and_methods_are_problems() -> None:
    """404 and 405 have no operation to describe them."""
    with serve(_api({})) as served:
        assert served.get("/t/nothing").json()["status"] == 404
        reply = served.post("/t/thing")
        assert (reply.status_code, reply.headers["allow"]) == (405, "GET")
        assert reply.json()["title"] == "method not allowed"


def test_a_refusal_that_is_not_documented_stays_one_when_strict() -> None:
    """A user's document need not list every refusal: 400 is not turned into 500."""
    with serve(_api({"parameters": [LIMIT], "security": [{"bearer": []}]})) as served:
        assert served.get("/t/thing?limit=x").status_code == 400
        assert served.get("/t/thing", headers={"accept": "image/png"}).status_code == 406
        assert served.get("/t/thing", headers={"authorization": None}).status_code == 401


@pytest.mark.parametrize(
    "response",
    [
        {"description": "no"},
        {"description": "no", "content": {"text/plain": {"schema": {"type": "string"}}}},
        {"description": "no", "headers": {"X-Trace": {"required": True}}},
        {"description": "no", "content": {"*/*": {"schema": {"type": "object"}}}},
    ],
)
def test_an_error_documented_without_content(response: dict[str, Any]) -> None:
    """A document that says little of an error gets a problem, also when strict."""
    api = _api({"parameters": [LIMIT], "responses": {**OK, "400": response}})
    with serve(api) as served:
        reply = served.get("/t/thing?limit=x")
        assert reply.status_code == 400
        assert "limit" in reply.json()["detail"]


def test_the_same_refusal_reads_the_same() -> None:
    """Generated parts of an error do not change from one request to the next."""
    schema = {
        "type": "object",
        "required": ["trace"],
        "properties": {"trace": {"type": "string", "format": "uuid"}},
    }
    with serve(_with_error(schema)) as served:
        bodies = {served.get("/t/thing?limit=x").text for _ in range(3)}
        assert len(bodies) == 1
        assert "trace" in bodies.pop()


def test_a_generated_refusal_is_made_once() -> None:
    """A refusal costs about what an answer does, whatever must be generated for its first time.

    Counted in function calls, which no other load on the machine can change.
    """
    schema = {
        "type": "object",
        "required": ["trace", "causes"],
        "properties": {
            "trace": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "causes": {"type": "array", "items": {"type": "string", "format": "uuid"}},
        },
    }
    with serve(_with_error(schema)) as served:
        for path in ("/t/thing?limit=1", "/t/thing?limit=x"):
            served.get(path)
        answer, refusal = _calls(served, "/t/thing?limit=1"), _calls(served, "/t/thing?limit=x")
    assert refusal < 1.5 * answer


def _calls(served: Served, path: str) -> int:
    """How many functions a request calls."""
    profile = cProfile.Profile()
    profile.runcall(served.get, path)
    return sum(entry.callcount for entry in profile.getstats())


def test_a_20_document_with_basic() -> None:
    """The schemes of OpenAPI 2.0 are verified as well."""
    document = {
        "swagger": "2.0",
        "info": {"title": "T", "version": "1"},
        "securityDefinitions": {"b": {"type": "basic"}},
        "security": [{"b": []}],
        "paths": {"/thing": {"get": {"responses": {"200": {"description": "ok"}}}}},
    }
    with serve(generic_api(load_document(document), "t"), strict=False) as served:
        assert served.get("/t/thing", headers={"authorization": _basic("a:b")}).status_code == 200
        reply = served.get("/t/thing", headers={"authorization": None})
        assert reply.headers["www-authenticate"] == 'Basic realm="mock"'
