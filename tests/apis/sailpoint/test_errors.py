"""Refusals: the documented bodies (row "errors")."""

from __future__ import annotations

import re
from typing import Any

import pytest

import mockexec
from mockexec.errors import UsageError
from tests.apis.sailpoint.scenes import LIST, SEND_EMAIL
from tests.support import Served, serve

TEST = f"/sailpoint/workflows/{SEND_EMAIL}/test"
JSON = {"content-type": "application/json"}


def _message(text: str) -> list[dict[str, str]]:
    return [{"locale": "en-US", "localeOrigin": "DEFAULT", "text": text}]


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "code", "text", "cause"),
    [
        ("GET", f"{LIST}?limit=x", {}, 400, "400.1 Bad Request Content",
         "The request was syntactically correct but its content is semantically invalid.",
         'query parameter limit must be an integer, got "x"'),
        ("POST", TEST, {"json": {"input": 5}}, 400, "400.1 Bad Request Content",
         "The request was syntactically correct but its content is semantically invalid.",
         "body /input must be an object, got 5"),
        ("POST", TEST, {"content": b"{", "headers": JSON}, 400, "400.0 Bad request syntax",
         "The request could not be parsed.", "body must be JSON"),
        ("GET", LIST, {"headers": {"authorization": "Bearer sailpoint-weak-token"}},
         403, "403 Forbidden", "The server understood the request but refuses to authorize it.",
         "the token lacks the scope sp:workflow:read"),
        ("GET", "/sailpoint/workflows/none", {}, 404, "404 Not found",
         "The server did not find a current representation for the target resource.",
         'path parameter id: there is no workflow "none"'),
        ("GET", "/sailpoint/nowhere", {}, 404, "404 Not found",
         "The server did not find a current representation for the target resource.", "/nowhere"),
        ("DELETE", LIST, {}, 405, "405 Method Not Allowed",
         "The method is known by the server but not supported by the target resource.",
         "DELETE is not allowed here, only GET"),
        ("GET", LIST, {"headers": {"accept": "text/csv"}}, 406, "406 Not Acceptable",
         "The server cannot produce a response matching the list of acceptable values.",
         "application/json"),
        ("POST", TEST, {"content": b" " * (1024 * 1024 + 1), "headers": JSON}, 413,
         "413 Payload Too Large",
         "The request entity is larger than the server is willing to process.", "1048576 bytes"),
        ("POST", TEST, {"content": b"{}", "headers": {"content-type": "text/plain"}}, 415,
         "415 Unsupported Media Type",
         "The server refuses the request because its payload is in an unsupported format.",
         "application/json"),
    ],
)  # fmt: skip
def test_a_refusal_has_the_vendors_form(
    mock: Served,
    method: str,
    path: str,
    more: dict[str, Any],
    status: int,
    code: str,
    text: str,
    cause: str,
) -> None:
    """ErrorResponseDto: the generic text in messages, the specific reason in causes."""
    response = mock.request(method, path, **more)
    body = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert re.fullmatch("[0-9a-f]{32}", body["trackingId"])
    assert cause in body["causes"][0]["text"]
    assert body == {
        "detailCode": code,
        "trackingId": body["trackingId"],
        "messages": _message(text),
        "causes": _message(body["causes"][0]["text"]),
    }


def test_every_error_has_a_tracking_id_of_its_own(mock: Served) -> None:
    """So that one can be told from another in a support ticket."""
    ids = {mock.get("/sailpoint/nowhere").json()["trackingId"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "JWT is missing"),
        ("Bearer sailpoint-expired-token", "JWT is expired"),
        ("Bearer who-knows", "JWT is invalid"),
        ("Bearer", "JWT is malformed"),
        ("Basic YTpi", "JWT is malformed"),
    ],
)
def test_401_has_a_body_of_its_own(mock: Served, header: str | None, reason: str) -> None:
    """One key, ``error``, and the header that HTTP asks for."""
    response = mock.get(LIST, headers={"authorization": header})
    assert response.status_code == 401
    assert response.json() == {"error": f"JWT validation failed: {reason}"}
    assert response.headers["www-authenticate"] == "Bearer"


def test_the_rate_limit_is_off_by_default(mock: Served) -> None:
    """No request is refused for being one of many."""
    assert {mock.get(f"{LIST}?limit=0").status_code for _ in range(120)} == {200}


def test_the_rate_limit_can_be_another() -> None:
    """Requests and a window; what is none is refused before anything is served."""
    with serve("sailpoint", options={"sailpoint.rate_limit": "2/1m"}) as mock:
        assert [mock.get(LIST).status_code for _ in range(3)] == [200, 200, 429]
        mock.advance("1m")
        assert mock.get(LIST).status_code == 200
    for wrong in ("yes", "0/10s", "5/0s", "5/soon", "5"):
        with (
            pytest.raises(UsageError, match="rate_limit"),
            mockexec.in_process("sailpoint", options={"sailpoint.rate_limit": wrong}),
        ):
            pass


def test_the_rate_limit_is_a_hundred_requests_per_token_in_ten_seconds() -> None:
    """The vendor's body, blanks and all; Retry-After is true; other tokens are not concerned."""
    other = {"authorization": "Bearer sailpoint-other-token"}
    with serve("sailpoint", options={"sailpoint.rate_limit": "on"}) as mock:
        assert {mock.get(f"{LIST}?limit=0").status_code for _ in range(60)} == {200}
        mock.advance("4s")
        assert {mock.get(f"{LIST}?limit=0").status_code for _ in range(40)} == {200}
        refused = mock.get(LIST)
        assert refused.status_code == 429
        assert refused.json() == {"message": " Rate Limit Exceeded "}
        assert refused.headers["retry-after"] == "6"
        assert mock.get(LIST, headers=other).status_code == 200
        mock.advance("5999ms")
        assert mock.get(LIST).headers["retry-after"] == "1"
        mock.advance("1ms")
        assert mock.get(LIST).status_code == 200
