"""Row "auth": bearer, basic, the token endpoint, and what a token reaches."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.apis.frontdoor import EXECUTIONS, FRONTDOOR, GLOBEX, JSON, NOBODYS, STAGING
from tests.support import Served, serve

CLIENT = {
    "grant_type": "client_credentials",
    "client_id": "dev-client",
    "client_secret": "dev-secret",
}
UNAUTHORIZED = {"error": "unauthorized", "message": "Bearer token is missing or invalid"}


def basic(text: str) -> str:
    """An Authorization header with these HTTP Basic credentials."""
    return f"Basic {b64encode(text.encode()).decode()}"


def minted(served: Served, **more: str) -> Any:
    """What the token endpoint gives the development client."""
    reply = served.post(
        "/frontdoor/oauth/token", json=CLIENT | more, headers={"authorization": None}
    )
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer frontdoor-dev-token",
        "bearer frontdoor-dev-token",
        basic("anyone:frontdoor-dev-token"),
        basic(":frontdoor-dev-token"),
        basic("ünïcode:frontdoor-dev-token"),
    ],
)
def test_the_token_decides_as_bearer_or_as_password(authorization: str) -> None:
    """Row "auth": Bearer, and Basic username:token with a free username."""
    with serve("frontdoor") as served:
        reply = served.get(EXECUTIONS, headers={"authorization": authorization})
    assert reply.status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        "Bearerfrontdoor-dev-token",
        "frontdoor-dev-token",
        "Token frontdoor-dev-token",
        "Bearer frontdoor-expired-token",
        "Bearer frontdoor-dev-token,x",
        "Basic",
        "Basic frontdoor-dev-token",
        "Basic !!!",
        basic("frontdoor-dev-token"),
        basic("frontdoor-dev-token:"),
        basic("anyone:unknown"),
        "Basic " + b64encode(b"\xff:\xff").decode(),
    ],
)
def test_any_failed_authentication_is_401(authorization: str | None) -> None:
    """Rows "auth" and "errors": one body for whatever is wrong, and the challenge."""
    with serve("frontdoor") as served:
        for method, path in (
            ("GET", EXECUTIONS),
            ("GET", f"{EXECUTIONS}:find?processId=abc-123"),
            ("GET", f"{EXECUTIONS}/exe-1"),
            ("POST", f"{EXECUTIONS}/exe-1:cancel"),
        ):
            refused = served.request(method, path, headers={"authorization": authorization})
            assert refused.status_code == 401
            assert refused.json() == UNAUTHORIZED
            challenge = refused.headers["www-authenticate"]
            assert challenge == 'Bearer realm="frontdoor", Basic realm="frontdoor"'


def test_authentication_comes_before_the_parameters() -> None:
    """A stranger with wrong parameters learns that a token is missing, nothing else."""
    with serve("frontdoor") as served:
        refused = served.get("/frontdoor/none/executions?page=x", headers={"authorization": None})
    assert refused.status_code == 401


@pytest.mark.parametrize("frontdoor", [NOBODYS, GLOBEX])
def test_a_frontdoor_out_of_reach_is_403_not_found(frontdoor: str) -> None:
    """Row "errors": unknown or another's, the same 403 with the guide's words."""
    with serve("frontdoor") as served:
        for method, path in (
            ("GET", "executions"),
            ("GET", "executions:find?processId=glx-17"),
            ("GET", "executions/exe-8"),
            ("POST", "executions/exe-8:cancel"),
        ):
            refused = served.request(method, f"/frontdoor/{frontdoor}/{path}")
            assert refused.status_code == 403
            assert refused.json() == {
                "error": "not_found",
                "message": f"Frontdoor {frontdoor} not found",
            }
        reply = served.get(
            f"/frontdoor/{GLOBEX}/executions/exe-8",
            headers={"authorization": "Bearer frontdoor-other-token", **JSON},
        )
    assert reply.json()["status"] == "RUNNING"


def test_a_token_reaches_every_frontdoor_of_its_account() -> None:
    """The development token reaches both of its account's frontdoors, in either letter case."""
    with serve("frontdoor") as served:
        for frontdoor in (FRONTDOOR, STAGING, FRONTDOOR.upper()):
            assert served.get(f"/frontdoor/{frontdoor}/executions").status_code == 200
        upper = served.get(f"/frontdoor/{FRONTDOOR.upper()}/executions/exe-1", headers=JSON)
    assert upper.json()["id"] == "exe-1"


def test_a_token_without_the_scope_reads_and_does_not_cancel() -> None:
    """Row "auth": reading asks for frontdoor.read, cancelling for frontdoor.write."""
    weak = {"authorization": "Bearer frontdoor-weak-token"}
    with serve("frontdoor") as served:
        assert served.get(f"{EXECUTIONS}/exe-1", headers=weak).status_code == 200
        refused = served.post(f"{EXECUTIONS}/exe-1:cancel", headers=weak)
        write_only = minted(served, scope="frontdoor.write")["access_token"]
        only = {"authorization": f"Bearer {write_only}"}
        assert served.get(EXECUTIONS, headers=only).status_code == 403
        assert served.post(f"{EXECUTIONS}/exe-1:cancel", headers=only).status_code == 200
    assert refused.status_code == 403
    assert refused.json()["error"] == "not_found"


@pytest.mark.parametrize("form", ["json", "data"])
def test_the_token_endpoint_takes_json_and_forms(form: str) -> None:
    """Row "auth": client credentials, as JSON or form, give a bearer token that works."""
    audience = {"audience": "https://gateway.production.netfoundry.io/frontdoor"}
    with serve("frontdoor") as served:
        reply = served.post(
            "/frontdoor/oauth/token",
            headers={"authorization": None},
            **{form: CLIENT | audience},
        )
        assert reply.status_code == 200
        body = reply.json()
        token = body.pop("access_token")
        listed = served.get(EXECUTIONS, headers={"authorization": f"Bearer {token}"})
    assert body == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "frontdoor.read frontdoor.write",
    }
    assert reply.headers["cache-control"] == "no-store"
    assert listed.status_code == 200


def test_a_minted_token_ends_by_the_worlds_clock() -> None:
    """Row "auth": after expires_in seconds of the world's time the token is a 401."""
    with serve("frontdoor") as served:
        bearer = {"authorization": f"Bearer {minted(served)['access_token']}"}
        served.advance("3599s")
        assert served.get(EXECUTIONS, headers=bearer).status_code == 200
        served.advance("1s")
        assert served.get(EXECUTIONS, headers=bearer).status_code == 401


def test_two_minted_tokens_differ_and_both_work() -> None:
    """Each request mints a token of its own; a seed mints the same ones again."""
    with serve("frontdoor") as served:
        tokens = [minted(served)["access_token"] for _ in range(2)]
        for token in tokens:
            reply = served.get(EXECUTIONS, headers={"authorization": f"Bearer {token}"})
            assert reply.status_code == 200
    assert tokens[0] != tokens[1]
    with serve("frontdoor") as served:
        assert [minted(served)["access_token"] for _ in range(2)] == tokens


def test_a_client_reaches_what_its_account_owns() -> None:
    """Another client's token reaches the other account's frontdoor, and only that."""
    other = {"client_id": "other-client", "client_secret": "other-secret"}
    with serve("frontdoor") as served:
        bearer = {"authorization": f"Bearer {minted(served, **other)['access_token']}"}
        assert served.get(f"/frontdoor/{GLOBEX}/executions", headers=bearer).status_code == 200
        assert served.get(EXECUTIONS, headers=bearer).status_code == 403


@pytest.mark.parametrize(
    "wrong", [{"client_secret": "no"}, {"client_id": "no"}, {"client_id": "", "client_secret": ""}]
)
def test_wrong_client_credentials_are_401(wrong: dict[str, str]) -> None:
    """Row "errors": 401 for any failed authentication, at the token endpoint too."""
    with serve("frontdoor") as served:
        refused = served.post("/frontdoor/oauth/token", json=CLIENT | wrong)
    assert refused.status_code == 401
    assert refused.json() == {"error": "unauthorized", "message": "Client credentials are invalid"}
    assert "www-authenticate" in refused.headers


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"grant_type": "password"}, "Value for grant_type must be of client_credentials"),
        ({"client_id": 5}, "Value for client_id must be of String"),
        ({"scope": "admin"}, "Value for scope must be of frontdoor.read, frontdoor.write or both"),
    ],
)
def test_a_wrong_token_request_is_told_in_the_vendors_words(
    body: dict[str, Any], message: str
) -> None:
    """Row "errors": type errors of the body read as those of parameters do."""
    with serve("frontdoor") as served:
        refused = served.post("/frontdoor/oauth/token", json=CLIENT | body)
    assert refused.status_code == 400
    assert refused.json() == {"error": "invalid_request", "message": message}


def test_a_client_gets_no_scope_that_it_does_not_have() -> None:
    """A read-only client that asks for frontdoor.write is refused; without a wish it may read."""
    client = {"client_id": "read-only-client", "client_secret": "read-only-secret"}
    with serve("frontdoor") as served:
        assert minted(served, **client)["scope"] == "frontdoor.read"
        refused = served.post(
            "/frontdoor/oauth/token", json=CLIENT | client | {"scope": "frontdoor.write"}
        )
    assert refused.status_code == 400
    assert refused.json()["message"] == "Value for scope must be of frontdoor.read"


def test_any_token_takes_every_well_formed_credential() -> None:
    """With any_token a made-up token is the development one; a missing one is still missing."""
    with serve("frontdoor", any_token=True) as served:
        for authorization in ("Bearer made-up", basic("me:made-up")):
            reply = served.get(EXECUTIONS, headers={"authorization": authorization})
            assert reply.status_code == 200
        for absent in (None, "Bearer ", basic("me:"), "Basic !!!"):
            refused = served.get(EXECUTIONS, headers={"authorization": absent})
            assert refused.status_code == 401
