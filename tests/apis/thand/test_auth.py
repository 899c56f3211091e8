"""Sessions, and how they are made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockexec.errors import UsageError
from mockexec.settings import Settings
from tests.apis.thand.vendor import API, NOBODY, b64, deflate, event, send, session, status
from tests.support import Served, serve

NO_SESSION = "no user session found in context"


def ways(token: str) -> list[dict[str, str | None]]:
    return [
        {"authorization": f"Bearer {token}"},
        {"authorization": None, "x-api-key": token},
    ]


@pytest.mark.parametrize("headers", ways("thand-other-token"))
def test_a_development_token_either_way(headers: dict[str, str | None]) -> None:
    """Row "auth": the fixtures' plain tokens work as Bearer and as X-API-Key."""
    with serve("thand") as served:
        found = served.get(f"{API}/executions", headers=headers).json()["executions"]
    assert [each["user"] for each in found] == ["bob@example.com"]


@pytest.mark.parametrize("headers", ways(session("bob@example.com")))
def test_an_encoded_session_either_way(headers: dict[str, str | None]) -> None:
    """Row "auth": a session as the agent encodes it stands for its user's e-mail address."""
    with serve("thand") as served:
        found = served.get(f"{API}/executions", headers=headers).json()["executions"]
    assert [each["user"] for each in found] == ["bob@example.com"]


def test_an_expired_session_still_counts() -> None:
    """Row "auth": the agent does not look at the expiry here, which is some hours ahead."""
    with serve("thand") as served:
        served.advance("2d")
        for headers in ways(session("bob@example.com")):
            assert served.get(f"{API}/executions", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "title"),
    [
        ("GET", "/executions", "unable to get user for list of running workflows"),
        ("POST", "/execution", "unable to get user for creating workflow"),
        ("GET", "/execution/wf_abc123", "unable to get user to get workflow information"),
        ("GET", "/execution/wf_abc123/cancel", "unable to get user for terminating workflow"),
        ("GET", "/execution/wf_abc123/terminate", "unable to get user for terminating workflow"),
        ("GET", "/execution/wf_abc123/signal?input=x", "unable to get user for signaling workflow"),
    ],
)
def test_without_a_session(method: str, path: str, title: str) -> None:
    """Row "auth": every operation answers 401 in the agent's words, and nothing happens."""
    with serve("thand") as served:
        answer = served.request(method, f"{API}{path}", headers=NOBODY)
        assert answer.status_code == 401
        assert answer.json() == {
            "code": 401,
            "title": f"Unauthorized: {title}",
            "message": NO_SESSION,
        }
        assert answer.headers["www-authenticate"] == "Bearer"
        assert status(served, "wf_abc123") == "running"


UNREADABLE: dict[str, str] = {
    "unknown": "nobody-knows-this-token",
    "expired": "thand-expired-token",
    "empty": "",
    "another key": session(secret={"password": "other"}),
    "no provider": session(provider=""),
    "provider not text": session(provider=7),
    "another version": session(version=2),
    "another type": session(inner_type="workflow_signal"),
    "inner missing": session(session=None),
    "inner broken": session(session="????"),
    "outer type": b64(deflate({"type": "session", "data": {"version": 1, "session": ""}})),
    "outer data": b64(deflate({"type": "session_local", "data": []})),
    "not compressed": b64(b"session"),
}


@pytest.mark.parametrize("token", UNREADABLE.values(), ids=UNREADABLE)
def test_a_token_that_cannot_be_read_is_no_session(token: str) -> None:
    """Row "auth": the agent ignores what it cannot decode, so it is answered like none."""
    with serve("thand") as served:
        for headers in ways(token):
            answer = served.get(f"{API}/executions", headers=headers)
            assert answer.status_code == 401
            assert answer.json()["message"] == NO_SESSION


def test_an_unreadable_token_does_not_hide_a_good_one() -> None:
    """Row "auth": one way may be broken as long as the other holds a session."""
    with serve("thand") as served:
        answer = served.get(
            f"{API}/executions",
            headers={"authorization": "Bearer nonsense", "x-api-key": "thand-dev-token"},
        )
    assert answer.status_code == 200


@pytest.mark.parametrize("value", ["thand-dev-token", "Basic dGhhbmQtZGV2LXRva2VuOg==", "Bearer"])
def test_the_authorization_must_be_bearer(value: str) -> None:
    """Row "auth": a token without its scheme, or under another one, is no session."""
    with serve("thand") as served:
        answer = served.get(f"{API}/executions", headers={"authorization": value})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "token",
    [
        "thand-incomplete-token",
        session(None),
        session("nobody"),
        session("a b@example.com"),
        session("é@example.com"),
        session("x" * 300 + "@example.com"),
    ],
)
def test_a_user_without_an_address_is_incomplete(token: str) -> None:
    """Facts: a session that names no e-mail address is a 401 with a title of its own."""
    with serve("thand") as served:
        answer = served.get(f"{API}/executions", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.json() == {
        "code": 401,
        "title": "Unauthorized: user information is incomplete",
        "message": "",
    }
    assert answer.headers["www-authenticate"] == "Bearer"


def test_any_token_stands_for_the_development_user() -> None:
    """With `any_token` every token that names nobody else is the development one."""
    with serve("thand", any_token=True) as served:
        answer = served.get(f"{API}/executions", headers={"authorization": "Bearer whatever"})
        assert answer.json()["executions"][0]["user"] == "alice@example.com"
        assert served.get(f"{API}/executions", headers=NOBODY).status_code == 401


def minted(served: Served, kind: str, **options: str) -> str:
    """What ``mockexec token thand --kind …`` prints."""
    mints = served.mock.apis["thand"].dialect.mints
    return mints[kind](served.realm("thand"), served.mock.settings, options)


def test_a_session_can_be_minted() -> None:
    """Row "signal": a minted session token is one that the API knows."""
    with serve("thand") as served:
        token = minted(served, "session", user="bob@example.com")
        for headers in ways(token):
            found = served.get(f"{API}/executions", headers=headers).json()["executions"]
            assert [each["user"] for each in found] == ["bob@example.com"]
        own = minted(served, "session")
        found = served.get(f"{API}/executions", headers=ways(own)[0]).json()["executions"]
        assert {each["user"] for each in found} == {"alice@example.com"}


def test_a_signal_can_be_minted() -> None:
    """Row "signal": minted approvals are granted, refused, or any event at all."""
    with serve("thand") as served:
        form = minted(served, "signal", event=json.dumps(event(type="com.thand.form")))
        assert send(served, "wf_abc123", form).status_code == 200
        assert status(served, "wf_abc123") == "running"
        assert send(served, "wf_abc123", minted(served, "signal")).status_code == 200
        assert status(served, "wf_abc123") == "running"
        refused = minted(served, "signal", approved="false")
        assert send(served, "wf_abc122", refused).status_code == 200
        assert status(served, "wf_abc122") == "failed"


def test_what_is_minted_uses_the_servers_key() -> None:
    """Row "signal": with another key configured, minted sessions and signals are made with it."""
    with serve("thand", options={"thand.password": "correct horse"}) as served:
        token = minted(served, "session", user="alice@example.com")
        answer = send(served, "wf_abc123", minted(served, "signal"), headers=ways(token)[1])
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("session", {"expires": "soon"}, "expires"),
        ("session", {"email": "x"}, "unknown option 'email'"),
        ("session", {"user": "bob"}, "user must be an e-mail address, got 'bob'"),
        ("signal", {"approved": "maybe"}, "true or false"),
        ("signal", {"event": "{"}, "not JSON"),
        ("signal", {"event": "[]"}, "JSON object"),
    ],
)
def test_a_wrong_option_of_minting_is_told(kind: str, options: Any, reason: str) -> None:
    """A minting option that is unknown or wrong is a usage error that names it."""
    with serve("thand") as served:
        mint = served.mock.apis["thand"].dialect.mints[kind]
        with pytest.raises(UsageError, match=reason):
            mint(served.realm("thand"), Settings(), options)
