"""Access tokens: who holds one, what they may do, how often they may ask.

Source: the vendor's developer guide (authentication; rate limit: 100 requests per token in 10
seconds, off here unless the option ``rate_limit`` is ``on`` or a limit of one's own). A client that
stands for a person (personal access token) has the claims of that person; one that stands for an
application has none, and only operations that take application authentication are open to it.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from mockexec.http.auth import Principal, Token, authorization, issue_token
from mockexec.http.call import Call
from mockexec.http.refusal import Refusal
from mockexec.settings import Settings
from mockexec.simulation.instants import SECOND, parse_duration
from mockexec.simulation.world import Realm

DEVELOPMENT_TOKEN = "sailpoint-dev-token"  # noqa: S105  # it opens nothing but a mock
ALL_SCOPES = "sp:scopes:all"
TOKEN_LIFETIME_S = 749

_LIMIT = re.compile(r"([1-9][0-9]{0,8})/(\S+)", re.ASCII)


class Limit(NamedTuple):
    """How many requests of one token are answered in how long a window."""

    requests: int
    window_ns: int


_DOCUMENTED = Limit(100, 10 * SECOND)


class Window(NamedTuple):
    """How often a token was used since ``start_ns``."""

    start_ns: int
    requests: int


def verify_user(call: Call, scopes: tuple[str, ...]) -> Principal | None:
    """The holder of a token with these scopes, if it is a person."""
    principal = verify_any(call, scopes)
    if principal is not None and principal.claims.get("application"):
        raise Refusal("forbidden", "the token stands for an application, this needs a user")
    return principal


def verify_any(call: Call, scopes: tuple[str, ...]) -> Principal | None:
    """The holder of a token with these scopes, a person or an application."""
    header = call.headers.get(b"authorization")
    if header is None:
        return None
    scheme, value = authorization(header.decode("latin-1"))
    if scheme != "bearer" or not value:
        raise Refusal("unauthenticated", "JWT is malformed")
    principal = _token(call, value).principal()
    if not principal.scopes.issuperset(scopes) and ALL_SCOPES not in principal.scopes:
        missing = [scope for scope in scopes if scope not in principal.scopes]
        raise Refusal("forbidden", f"the token lacks the scope {' '.join(missing)}")
    return principal


def _token(call: Call, value: str) -> Token:
    tokens = call.realm.table("tokens")
    token: Token | None = tokens.get(value)
    if token is None and call.settings.any_token:
        token = tokens.get(DEVELOPMENT_TOKEN)
    if token is None:
        raise Refusal("unauthenticated", "JWT is invalid")
    if token.expires_ns is not None and token.expires_ns <= call.now_ns:
        raise Refusal("unauthenticated", "JWT is expired")
    return token


def throttle(settings: Settings) -> Callable[[Call], None] | None:
    """Counts the requests of each token in windows that its first request opens, if that is on."""
    limit = read_limit(settings.option("sailpoint", "rate_limit", "off"))
    return None if limit is None else partial(_count, limit)


def _count(limit: Limit, call: Call) -> None:
    if call.principal is None:
        return
    windows, token = call.realm.table("windows"), call.principal.token
    window: Window | None = windows.get(token)
    if window is None or call.now_ns >= window.start_ns + limit.window_ns:
        window = Window(call.now_ns, 0)
    if window.requests >= limit.requests:
        left_ns = window.start_ns + limit.window_ns - call.now_ns
        raise Refusal(
            "rate_limited",
            f"more than {limit.requests} requests in {limit.window_ns / SECOND:g} seconds",
            headers=(("retry-after", str(-(-left_ns // SECOND))),),
        )
    windows[token] = window._replace(requests=window.requests + 1)


def read_limit(text: str) -> Limit | None:
    """The option ``rate_limit``: ``off``, ``on`` for the documented limit, or as ``100/10s``.

    Raises:
        ValueError: it is none of these.
    """
    if text in {"off", "on"}:
        return None if text == "off" else _DOCUMENTED
    match = _LIMIT.fullmatch(text)
    window_ns = 0 if match is None else parse_duration(match[2])
    if match is None or window_ns <= 0:
        raise ValueError(f"{text[:40]!r} is neither off nor on nor a limit such as 100/10s")
    return Limit(int(match[1]), window_ns)


def grant(realm: Realm, client: Mapping[str, Any]) -> dict[str, Any]:
    """A fresh token for a client of the scenario, as the token endpoint answers it."""
    scopes = client.get("scopes", [ALL_SCOPES])
    claims = client.get("claims", {})
    tenant = realm.scenario.data["tenant"]
    token_id = realm.uuid("tokens")
    issued_s = realm.world.now_ns // SECOND
    payload = {
        "tenant_id": tenant["id"],
        "pod": tenant["pod"],
        "org": tenant["org"],
        "scope": scopes,
        "client_id": client["id"],
        "iat": issued_s,
        "exp": issued_s + TOKEN_LIFETIME_S,
        "jti": token_id,
    }
    token = issue_token(
        realm,
        client["subject"],
        frozenset(scopes),
        lifetime_s=TOKEN_LIFETIME_S,
        value=_json_web_token(payload, client["secret"]),
        claims=claims,
    )
    person = {key: claims[key] for key in ("user_id", "identity_id") if key in claims}
    return {
        "access_token": token.value,
        "token_type": "bearer",
        "expires_in": TOKEN_LIFETIME_S,
        "scope": " ".join(scopes),
        "accessType": "OFFLINE",
        "tenant_id": tenant["id"],
        "internal": False,
        "pod": tenant["pod"],
        "strong_auth_supported": False,
        "org": tenant["org"],
        **person,
        "strong_auth": False,
        "enabled": True,
        "jti": token_id,
    }


def _json_web_token(payload: Mapping[str, Any], key: str) -> str:
    """A token in the form the vendor's have, signed (HS256) with the client's secret."""
    parts = [{"alg": "HS256", "typ": "JWT"}, payload]
    signed = b".".join(
        _base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts
    )
    signature = hmac.digest(key.encode(), signed, "sha256")
    return b".".join([signed, _base64url(signature)]).decode()


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
