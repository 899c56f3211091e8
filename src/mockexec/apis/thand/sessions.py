"""The agent's encoded sessions: what its command line keeps and sends as Bearer or X-API-Key.

Source: the agent's published server (``internal/daemon/middleware.go``, ``models/common.go``)::

    token   = pack("session_local", {"version": 1, "expiry": ..., "session": <inner>})
    inner   = seal("session", {"uuid", "user": {...}, "token", ..., "expiry", "provider"})

As there, a token that cannot be read is ignored, and the expiry is not looked at.
"""

from __future__ import annotations

import re
from typing import Any

from mockexec.apis.thand.envelope import (
    BrokenEnvelope,
    Content,
    Secret,
    pack,
    seal,
    unpack,
    unseal,
)

_OUTER = "session_local"
_INNER = "session"
_VERSION = 1
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
# No labels such as ``xn--x``: whether they encode anything takes more than a pattern to tell.
_LABEL = r"(?!..--)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL}){{0,8}}")
_ADDRESS_LENGTH_MAX = 254


def is_address(text: str) -> bool:
    """Whether it is an e-mail address, which is what users are known by and shown as."""
    return len(text) <= _ADDRESS_LENGTH_MAX and _ADDRESS.fullmatch(text) is not None


def read_session(text: str, secret: Secret) -> str | None:
    """The e-mail address of the session's user, empty if it has none; None if it is no session."""
    try:
        outer = unpack(text)
        local = _object(outer, _OUTER)
        if local.get("version") != _VERSION or not isinstance(local.get("session"), str):
            return None
        session = _object(unseal(local["session"], secret), _INNER)
    except BrokenEnvelope:
        return None
    if not session.get("provider") or not isinstance(session["provider"], str):
        return None
    user = session.get("user")
    email = user.get("email") if isinstance(user, dict) else None
    return email if isinstance(email, str) else ""


def mint_session(
    email: str,
    *,
    name: str,
    session_id: str,
    expiry: str,
    secret: Secret,
    provider: str = "google",
) -> str:
    """A session token of this user; ``expiry`` is RFC 3339."""
    session = {
        "uuid": session_id,
        "user": {"username": email.partition("@")[0], "email": email, "name": name},
        "token": "",
        "refresh_token": "",
        "expiry": expiry,
        "provider": provider,
    }
    inner = seal(Content(_INNER, session), secret)
    return pack(Content(_OUTER, {"version": _VERSION, "expiry": expiry, "session": inner}))


def _object(content: Content, wanted: str) -> dict[str, Any]:
    if content.type != wanted or not isinstance(content.data, dict):
        raise BrokenEnvelope(f"expected a {wanted}, got {content.type}")
    return content.data
