"""Bearer tokens with scopes, and the client credentials grant.

Sources: the endpoint's reference page (scope), the vendor's Python SDK (credentials in the form)
and TypeScript SDK (HTTP Basic). Inferred: a token lives an hour; the form of the grant's errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from mockexec.http.auth import (
    Principal,
    Token,
    authorization,
    basic_credentials,
    fixture_client,
    known_token,
)
from mockexec.http.call import Call
from mockexec.http.refusal import Refusal
from mockexec.simulation.world import Realm

TOKEN_LIFETIME_S = 3600


def development_token(_realm: Realm) -> str:
    """The token that every scenario knows, with all scopes."""
    return "foundry-dev-token"


def verify_oauth2(call: Call, scopes: tuple[str, ...]) -> Principal | None:
    """Whom the bearer token stands for; None when there is none."""
    scheme, value = authorization(call.raw_header(b"authorization"))
    if scheme != "bearer" or not value:
        return None
    token = known_token(call.realm, value)
    if token is None and call.settings.any_token:
        token = known_token(call.realm, development_token(call.realm))
    if token is None:
        raise _unknown_token(call, value)
    for scope in scopes:
        if scope not in token.scopes:
            raise Refusal(
                "ApiUsageDenied",
                f"the token lacks the scope {scope}",
                status=403,
                details={"missingScope": scope},
            )
    return token.principal()


def _unknown_token(call: Call, value: str) -> Refusal:
    once: Token | None = call.realm.table("tokens").get(value)
    if once is None:
        return Refusal("Default:Unauthorized", "the token is not known", status=401)
    return Refusal(
        "Default:Unauthorized",
        "the token has expired",
        status=401,
        details={"error": "EXPIRED"},
    )


def authenticate_client(call: Call) -> Mapping[str, Any]:
    """The client whose credentials stand in the form or in the Authorization header.

    Raises:
        Refusal: there are none, they are wrong, or the two places name different clients.
    """
    form = call.body
    scheme, encoded = authorization(call.raw_header(b"authorization"))
    client_id, secret = form.get("client_id"), form.get("client_secret")
    if scheme == "basic":
        header = basic_credentials(encoded)
        if header is None:
            raise _invalid_client("the Authorization header is not HTTP Basic")
        # RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
        from_header = unquote_plus(header[0]), unquote_plus(header[1])
        if client_id not in (None, from_header[0]) or secret not in (None, from_header[1]):
            raise Refusal(
                "invalid_request",
                "the form and the Authorization header name different clients",
                status=400,
            )
        client_id, secret = from_header
    if client_id is None or secret is None:
        raise _invalid_client(
            "client_id and client_secret are missing: give them in the form or as HTTP Basic"
        )
    client = fixture_client(call.realm, client_id, secret)
    if client is None:
        raise _invalid_client("the client id or the client secret is wrong")
    return client


def _invalid_client(message: str) -> Refusal:
    return Refusal("invalid_client", message, status=401)
