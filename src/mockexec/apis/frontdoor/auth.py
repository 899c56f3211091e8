"""Tokens: who calls, what a client may ask for, and which frontdoors a token reaches."""

from __future__ import annotations

from mockexec.http.auth import (
    Principal,
    Token,
    authorization,
    basic_credentials,
    fixture_client,
    issue_token,
    known_token,
)
from mockexec.http.call import Call
from mockexec.http.refusal import Refusal
from mockexec.simulation.world import Realm

READ = "frontdoor.read"
WRITE = "frontdoor.write"

TOKEN_LIFETIME_S = 3600

_DEVELOPMENT_TOKEN = "frontdoor-dev-token"  # noqa: S105  # a name in the fixtures, not a secret


def development_token(realm: Realm) -> str:  # noqa: ARG001  # the signature of Dialect
    """The token that every scenario holds for the docs page and the printed commands."""
    return _DEVELOPMENT_TOKEN


def verify_bearer(call: Call, scopes: tuple[str, ...]) -> Principal | None:  # noqa: ARG001  # see reach
    """Whom ``Bearer <token>`` stands for; None when the header has another scheme or none."""
    scheme, credentials = authorization(call.raw_header(b"authorization"))
    return _principal(call, credentials) if scheme == "bearer" else None


def verify_basic(call: Call, scopes: tuple[str, ...]) -> Principal | None:  # noqa: ARG001  # see reach
    """Whom ``Basic <username:token>`` stands for; the username is free, the token decides."""
    scheme, credentials = authorization(call.raw_header(b"authorization"))
    if scheme != "basic":
        return None
    pair = basic_credentials(credentials)
    return _principal(call, pair[1] if pair else "")


def reach(call: Call, scope: str) -> str:
    """The frontdoor of the call, as the world writes its id, if the token reaches it for ``scope``.

    The vendor has one answer for a frontdoor that is not there, one that is another's and a token
    that is too weak, so that none of them tells a stranger anything. It needs the path decoded,
    which is why scopes are not looked at any earlier.

    Raises:
        Refusal: it does not.
    """
    named: str = call.path["frontdoorId"]
    frontdoor = named.lower()
    owner = call.realm.table("frontdoors").get(frontdoor)
    if owner is None or owner != call.caller.subject or scope not in call.caller.scopes:
        raise Refusal("forbidden", f"Frontdoor {named} not found")
    return frontdoor


def token_for(call: Call) -> Token:
    """A fresh token for the client credentials in the body.

    Raises:
        Refusal: unknown credentials, or a scope that the client does not have.
    """
    body = call.body
    client = fixture_client(call.realm, body["client_id"], body["client_secret"])
    if client is None:
        raise Refusal("unauthenticated", "Client credentials are invalid")
    allowed = frozenset(client["scopes"])
    asked = frozenset(body["scope"].split()) if "scope" in body else allowed
    if not asked <= allowed:
        words = " or ".join(sorted(allowed))
        raise Refusal("invalid", f"Value for scope must be of {words}")
    return issue_token(call.realm, client["subject"], asked, lifetime_s=TOKEN_LIFETIME_S)


def _principal(call: Call, value: str) -> Principal:
    if call.settings.any_token and value:
        value = _DEVELOPMENT_TOKEN
    token = known_token(call.realm, value)
    if token is None:
        raise Refusal("unauthenticated", "the token is unknown or expired")
    return token.principal()
