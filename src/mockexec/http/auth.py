"""Who calls: principals, credentials in headers, and the tokens a world knows."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from mockexec.http.refusal import Refusal
from mockexec.simulation.instants import SECOND, parse_duration
from mockexec.simulation.world import Realm

# The table of a realm that holds its tokens, by value.
TOKENS = "tokens"
TOKENS_MAX = 10_000
_NONE: Mapping[str, Any] = MappingProxyType({})


class Principal(NamedTuple):
    """Who a valid credential stands for; ``claims`` is the dialect's own."""

    subject: str
    scopes: frozenset[str] = frozenset()
    token: str = ""
    claims: Mapping[str, Any] = _NONE


class Token(NamedTuple):
    """A token as a world keeps it; ``expires_ns`` None means never."""

    value: str
    subject: str
    scopes: frozenset[str]
    expires_ns: int | None = None
    claims: Mapping[str, Any] = _NONE

    def principal(self) -> Principal:
        """Whom it stands for."""
        return Principal(self.subject, self.scopes, self.value, self.claims)


@lru_cache(maxsize=128)
def authorization(header: str | None) -> tuple[str, str]:
    """(scheme in lower case, credentials) of an Authorization header; two empty texts if none."""
    scheme, _, credentials = (header or "").partition(" ")
    return scheme.lower(), credentials.strip()


def basic_credentials(encoded: str) -> tuple[str, str] | None:
    """(user, password) of HTTP Basic credentials; None when they are not well-formed."""
    try:
        user, colon, password = b64decode(encoded, validate=True).decode().partition(":")
    except (Base64Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


def known_token(realm: Realm, value: str) -> Token | None:
    """The unexpired token ``value`` of this world, or None."""
    token: Token | None = realm.table(TOKENS).get(value)
    if token is None or (token.expires_ns is not None and token.expires_ns <= realm.world.now_ns):
        return None
    return token


def keep_token(realm: Realm, token: Token) -> Token:
    """Makes ``token`` valid in this world.

    Raises:
        Refusal: ``TOKENS_MAX`` unexpired ones are there already.
    """
    table = realm.table(TOKENS)
    if len(table) >= TOKENS_MAX:
        _drop_expired(realm)
    if len(table) >= TOKENS_MAX:
        raise Refusal("full", f"{TOKENS_MAX} tokens are in use; wait for some to expire")
    table[token.value] = token
    return token


def issue_token(
    realm: Realm,
    subject: str,
    scopes: frozenset[str],
    *,
    lifetime_s: int,
    value: str | None = None,
    claims: Mapping[str, Any] = _NONE,
) -> Token:
    """A fresh token, valid from now for ``lifetime_s`` seconds of the world's clock."""
    value = realm.hex("tokens", 48) if value is None else value
    expires_ns = realm.world.now_ns + lifetime_s * SECOND
    return keep_token(realm, Token(value, subject, scopes, expires_ns, claims))


def _drop_expired(realm: Realm) -> None:
    table, now_ns = realm.table(TOKENS), realm.world.now_ns
    for value, token in list(table.items()):
        if token.expires_ns is not None and token.expires_ns <= now_ns:
            table.discard(value)


def keep_fixture_tokens(realm: Realm) -> None:
    """Makes the scenario's ``tokens`` valid; their ``expires`` counts from the world's start."""
    table = realm.table(TOKENS)
    for raw in realm.scenario.data.get("tokens", ()):
        expires = raw.get("expires")
        table[raw["value"]] = Token(
            raw["value"],
            raw["subject"],
            frozenset(raw.get("scopes", ())),
            None if expires is None else realm.world.now_ns + parse_duration(expires),
            raw.get("claims", _NONE),
        )


def fixture_client(realm: Realm, client_id: str, secret: str) -> Mapping[str, Any] | None:
    """The scenario's client with these credentials, or None."""
    for client in realm.scenario.data.get("clients", ()):
        if client["id"] == client_id and client["secret"] == secret:
            found: Mapping[str, Any] = client
            return found
    return None
