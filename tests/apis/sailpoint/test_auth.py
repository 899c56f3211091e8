"""Tokens and what they may do."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import httpx
import pytest

from tests.apis.sailpoint.scenes import LIST, RUNNING, SEND_EMAIL
from tests.support import Served, serve

TOKEN = "/sailpoint/oauth/token"
CLIENT = {
    "grant_type": "client_credentials",
    "client_id": "b61429f5203d4f3b9c60d2a5e7f8c104",
    "client_secret": "sailpoint-development-secret",
}
APPLICATION = {
    **CLIENT,
    "client_id": "1c0b6e1e9a2b4e0f8f3f6a7f5d0e4c21",
    "client_secret": "sailpoint-application-secret",
}


def _grant(mock: Served, **more: Any) -> httpx.Response:
    return mock.post(TOKEN, headers={"authorization": None}, **more)


def _bearer(mock: Served, client: dict[str, str]) -> dict[str, str]:
    return {"authorization": f"Bearer {_grant(mock, data=client).json()['access_token']}"}


@pytest.mark.parametrize(
    "more",
    [
        {"data": CLIENT},
        {"files": {name: (None, value) for name, value in CLIENT.items()}},
        {"params": CLIENT},
    ],
    ids=["urlencoded", "multipart", "query"],
)
def test_credentials_come_in_a_form_or_in_the_query(mock: Served, more: dict[str, Any]) -> None:
    """The three ways of the vendor's guide give the same kind of token, and it works."""
    response = _grant(mock, **more)
    body = response.json()
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert (body["token_type"], body["expires_in"]) == ("bearer", 749)
    assert (body["scope"], body["user_id"]) == ("sp:scopes:all", "595826")
    bearer = {"authorization": f"Bearer {body['access_token']}"}
    assert mock.get(LIST, headers=bearer).status_code == 200


def test_the_token_is_a_json_web_token(mock: Served) -> None:
    """Three parts; the middle one tells the scopes and the lifetime."""
    body = _grant(mock, data=CLIENT).json()
    payload = body["access_token"].split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["exp"] - claims["iat"] == 749
    assert claims["jti"] == body["jti"]
    assert claims["scope"] == ["sp:scopes:all"]


def test_a_token_lives_749_seconds_of_the_worlds_clock(mock: Served) -> None:
    """Then the API says that it has expired."""
    bearer = _bearer(mock, CLIENT)
    mock.advance("748s")
    assert mock.get(LIST, headers=bearer).status_code == 200
    mock.advance("1s")
    expired = mock.get(LIST, headers=bearer)
    assert expired.status_code == 401
    assert expired.json() == {"error": "JWT validation failed: JWT is expired"}


@pytest.mark.parametrize(
    ("more", "status", "error"),
    [
        ({"data": {**CLIENT, "client_secret": "wrong"}}, 401, "invalid_client"),
        ({"params": {**CLIENT, "client_id": "nobody"}}, 401, "invalid_client"),
        ({}, 401, "invalid_client"),
        ({"data": {**CLIENT, "grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"params": {**CLIENT, "grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"data": {"grant_type": "client_credentials"}}, 400, "invalid_request"),
        ({"data": {**CLIENT, "grant_type": ""}}, 400, "unsupported_grant_type"),
        ({"data": {"client_id": "a", "client_secret": "b"}}, 400, "invalid_request"),
        ({"params": {k: v for k, v in CLIENT.items() if k != "grant_type"}}, 400,
         "invalid_request"),
    ],
)  # fmt: skip
def test_a_refused_token_request_says_why_in_oauths_words(
    mock: Served, more: dict[str, Any], status: int, error: str
) -> None:
    """RFC 6749, section 5.2."""
    response = _grant(mock, **more)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["error_description"]
    assert ("www-authenticate" in response.headers) == (status == 401)


def test_a_token_that_may_read_starts_and_cancels_nothing(mock: Served) -> None:
    """Scopes are those of the document."""
    reader = {"authorization": "Bearer sailpoint-read-token"}
    assert mock.get(LIST, headers=reader).status_code == 200
    for path in (
        f"/sailpoint/workflow-executions/{RUNNING}/cancel",
        f"/sailpoint/workflows/execute/external/{SEND_EMAIL}",
    ):
        refused = mock.post(path, headers=reader)
        assert refused.status_code == 403
        cause = refused.json()["causes"][0]["text"]
        assert cause == "the token lacks the scope sp:workflow-execute:external"
    assert mock.get(f"/sailpoint/workflow-executions/{RUNNING}").json()["status"] == "Executing"


def test_an_application_starts_from_outside_and_nothing_else(mock: Served) -> None:
    """It has the scope to test as well, but testing needs a user."""
    application = _bearer(mock, APPLICATION)
    external = f"/sailpoint/workflows/execute/external/{SEND_EMAIL}"
    assert mock.post(external, headers=application).status_code == 200
    test = f"/sailpoint/workflows/{SEND_EMAIL}/test"
    refused = mock.post(test, headers=application, json={"input": {}})
    assert refused.status_code == 403
    assert "needs a user" in refused.json()["causes"][0]["text"]


def test_any_token_is_taken_when_asked_to() -> None:
    """``--any-token``: any text counts as the development token; none is still refused."""
    with serve("sailpoint", any_token=True) as mock:
        assert mock.get(LIST, headers={"authorization": "Bearer whatever"}).status_code == 200
        assert mock.get(LIST, headers={"authorization": None}).status_code == 401
