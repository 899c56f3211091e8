"""The token endpoint: credentials, scopes, lifetimes, and its own kind of refusals."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import httpx
import pytest

from tests.apis.foundry.support import Run, refused, send, world_of
from tests.support import Served, serve

PATH = "/foundry/multipass/api/oauth2/token"
CLIENT = {"client_id": "mockexec-client", "client_secret": "mockexec-secret"}
GRANT = {"grant_type": "client_credentials"}


def ask(mock: Served, *, basic: str | None = None, **form: str) -> httpx.Response:
    """Asks for a token."""
    header = None if basic is None else f"Basic {b64encode(basic.encode()).decode()}"
    return mock.post(PATH, data={**GRANT, **form}, headers={"authorization": header})


def refusal(response: httpx.Response, status: int, error: str) -> str:
    """The description of a refusal, which must be this one."""
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    assert set(body) == {"error", "error_description"}
    assert body["error"] == error
    return str(body["error_description"])


def test_a_token_by_credentials_in_the_form() -> None:
    """Row `operations`: as the Python SDK sends them."""
    with serve("foundry") as mock:
        response = ask(mock, **CLIENT, scope="api:observability-read offline_access")
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        body = response.json()
        assert send(mock, token=body.pop("access_token")).status_code == 200
    assert body == {"token_type": "bearer", "expires_in": 3600, "scope": "api:observability-read"}


def test_a_token_by_http_basic() -> None:
    """Row `operations`: as the TypeScript SDK sends them."""
    with serve("foundry") as mock:
        response = ask(
            mock, basic="mockexec-client:mockexec-secret", scope="api:observability-read"
        )
        assert send(mock, token=response.json()["access_token"]).status_code == 200


def test_basic_credentials_are_form_encoded_first() -> None:
    """RFC 6749 section 2.3.1: a secret may hold a colon or a blank."""
    odd = {"id": "odd client", "secret": "a:b%c+d", "subject": "x", "scopes": []}
    with world_of(Run("a"), sections={"clients": [odd]}) as mock:
        assert ask(mock, basic="odd+client:a%3Ab%25c%2Bd").status_code == 200
        assert ask(mock, client_id="odd client", client_secret="a:b%c+d").status_code == 200


def test_both_places_may_name_the_same_client() -> None:
    """But not two different ones."""
    with serve("foundry") as mock:
        same = ask(mock, basic="mockexec-client:mockexec-secret", **CLIENT)
        other = ask(mock, basic="mockexec-client:mockexec-secret", client_id="another")
    assert same.status_code == 200
    assert "different clients" in refusal(other, 400, "invalid_request")


def test_without_a_scope_the_token_has_all_of_them() -> None:
    """As the Python SDK documents it."""
    with serve("foundry") as mock:
        assert ask(mock, **CLIENT).json()["scope"] == "api:observability-read api:ontologies-read"
        assert ask(mock, **CLIENT, scope="").json()["scope"] == (
            "api:observability-read api:ontologies-read"
        )


def test_a_token_has_no_more_scopes_than_its_client() -> None:
    """Asking does not help: the API is still denied."""
    with serve("foundry") as mock:
        response = ask(
            mock,
            client_id="mockexec-ontology-client",
            client_secret="mockexec-ontology-secret",
            scope="api:observability-read api:ontologies-read",
        )
        body = response.json()
        assert body["scope"] == "api:ontologies-read"
        refused(send(mock, token=body["access_token"]), 403, "ApiUsageDenied")


def test_a_token_lives_for_an_hour_of_the_world_s_clock() -> None:
    """Then it has EXPIRED."""
    with serve("foundry") as mock:
        token = ask(mock, **CLIENT).json()["access_token"]
        mock.advance("3599s")
        assert send(mock, token=token).status_code == 200
        mock.advance("1s")
        body = refused(send(mock, token=token), 401, "Default:Unauthorized")
    assert body["parameters"] == {"error": "EXPIRED"}


def test_every_token_is_another() -> None:
    """Two requests, two tokens."""
    with serve("foundry") as mock:
        assert ask(mock, **CLIENT).json() != ask(mock, **CLIENT).json()


@pytest.mark.parametrize(
    ("basic", "form"),
    [
        (None, {}),
        (None, {"client_id": "mockexec-client"}),
        (None, {"client_secret": "mockexec-secret"}),
        (None, {"client_id": "mockexec-client", "client_secret": "wrong"}),
        (None, {"client_id": "nobody", "client_secret": "mockexec-secret"}),
        ("mockexec-client:wrong", {}),
        ("no colon", {}),
    ],
)
def test_wrong_credentials_are_an_invalid_client(basic: str | None, form: dict[str, str]) -> None:
    """401 with the scheme, as RFC 6749 section 5.2 says."""
    with serve("foundry") as mock:
        response = ask(mock, basic=basic, **form)
    refusal(response, 401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic ")


def test_a_broken_basic_header_is_an_invalid_client() -> None:
    """What is not base64 is not looked into."""
    with serve("foundry") as mock:
        response = mock.post(PATH, data=GRANT, headers={"authorization": "Basic !!!"})
    assert "HTTP Basic" in refusal(response, 401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "error", "place"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type", "grant_type"),
        ({"scope": "everything!"}, "invalid_scope", "scope"),
        ({"scope": "api:observability-read  offline_access"}, "invalid_scope", "scope"),
    ],
)
def test_a_wrong_form_is_told_by_its_error(form: dict[str, str], error: str, place: str) -> None:
    """RFC 6749 section 5.2: which field, and what is wrong with it."""
    with serve("foundry") as mock:
        response = ask(mock, **{**CLIENT, **form})
    assert place in refusal(response, 400, error)


def test_a_form_without_a_grant_is_an_invalid_request() -> None:
    """As is one with a field twice, and none at all."""
    form_type = {"content-type": "application/x-www-form-urlencoded"}
    with serve("foundry") as mock:
        for content in (b"", b"client_id=a", b"grant_type=client_credentials&scope=a&scope=b"):
            response = mock.post(PATH, content=content, headers=form_type)
            refusal(response, 400, "invalid_request")


def test_other_refusals_have_the_vendor_s_body() -> None:
    """A wrong content type is no matter of OAuth."""
    with serve("foundry") as mock:
        response = mock.post(PATH, json={**GRANT, **CLIENT})
    refused(response, 415, "Conjure:UnsupportedMediaType")


def test_the_endpoint_needs_no_token() -> None:
    """And looks at none."""
    with serve("foundry") as mock:
        headers = {"authorization": "Bearer of-nobody"}
        assert mock.post(PATH, data={**GRANT, **CLIENT}, headers=headers).status_code == 200
