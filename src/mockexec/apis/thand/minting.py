"""What a user cannot make without the agent's key: sessions and signals, for ``mockexec token``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mockexec.apis.thand.auth import DEVELOPMENT_TOKEN, secret_of
from mockexec.apis.thand.sessions import is_address, mint_session
from mockexec.apis.thand.signals import approval, mint_signal
from mockexec.errors import UsageError
from mockexec.http.auth import known_token
from mockexec.settings import Settings
from mockexec.simulation.instants import format_instant, parse_duration
from mockexec.simulation.world import Realm

_DECISIONS = {"true": True, "false": False}


def session(realm: Realm, settings: Settings, options: Mapping[str, str]) -> str:
    """A session token, to be sent as Bearer or as X-API-Key.

    ``options``: ``user`` (an e-mail address; the development token's if left out), ``name``,
    ``provider``, ``expires`` (a duration, 8h if left out).
    """
    _only(options, "user", "name", "provider", "expires")
    token = known_token(realm, DEVELOPMENT_TOKEN)
    user = options.get("user") or (token.subject if token is not None else "")
    if not is_address(user):
        raise UsageError(f"user must be an e-mail address, got {user!r}")
    try:
        lifetime_ns = parse_duration(options.get("expires", "8h"))
    except ValueError as error:
        raise UsageError(f"expires: {error}") from None
    return mint_session(
        user,
        name=options.get("name") or user.partition("@")[0],
        session_id=realm.uuid("sessions"),
        expiry=format_instant(realm.world.now_ns + lifetime_ns),
        provider=options.get("provider") or "google",
        secret=secret_of(settings),
    )


def signal(realm: Realm, settings: Settings, options: Mapping[str, str]) -> str:
    """The ``input`` of a signal, to be percent-encoded into the URL.

    ``options``: ``approved`` (``true``, the default, or ``false``), or ``event``, the JSON text of
    a whole CloudEvent to send instead of an approval.
    """
    _only(options, "approved", "event")
    if "event" in options:
        return mint_signal(_event(options["event"]), secret_of(settings))
    decision = options.get("approved", "true")
    if decision not in _DECISIONS:
        raise UsageError(f"approved must be true or false, got {decision!r}")
    event = approval(
        approved=_DECISIONS[decision],
        event_id=realm.uuid("events"),
        time=format_instant(realm.world.now_ns),
    )
    return mint_signal(event, secret_of(settings))


def _event(text: str) -> dict[str, Any]:
    try:
        event = json.loads(text)
    except ValueError as error:
        raise UsageError(f"event is not JSON: {error}") from None
    if not isinstance(event, dict):
        raise UsageError("event must be a JSON object, a CloudEvent")
    return event


def _only(options: Mapping[str, str], *known: str) -> None:
    for name in options:
        if name not in known:
            raise UsageError(f"unknown option {name!r}; there are: {', '.join(known)}")
