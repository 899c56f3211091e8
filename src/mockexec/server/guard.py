"""Who may use the control API: it can undo everything, so not every page in a browser may.

On a loopback address it is open to programs of this machine, and closed to pages of other origins:
a browser tells theirs in ``Origin``, and a name that somebody else pointed at this machine in
``Host``. On any other address, and wherever a token is set, callers need the token.
"""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

# The key in the ASGI scope under which our own server tells the address that it listens on.
LISTENING = "mockexec.listening"


class Denial(NamedTuple):
    """Why a request may not use the control API; the status is 401 or 403."""

    status: int
    message: str


def denial(scope: Any, token: str) -> Denial | None:
    """Why this request may not use the control API; None when it may.

    ``token``: what callers must show; empty where none is set.
    """
    headers = dict(scope["headers"])
    if token:
        return _without_token(headers.get(b"authorization", b""), token)
    server = scope.get("server") or ("", None)
    listening = scope.get(LISTENING) or server[0]
    if _is_address(listening) and not _is_loopback(listening):
        return Denial(
            403,
            f"the mock listens on {listening}, where others can reach it: start it with "
            "--control-token TOKEN and send Authorization: Bearer TOKEN, or with --host 127.0.0.1",
        )
    host = headers.get(b"host", b"").decode("latin-1")
    if not _is_own(host, listening):
        return Denial(
            403,
            f"the Host {host[:80]!r} is none of this machine's own names: use localhost or "
            "127.0.0.1, or start the mock with --control-token",
        )
    origin = headers.get(b"origin")
    if origin is not None and _authority(origin.decode("latin-1")) != host.lower():
        return Denial(403, f"pages of {origin.decode('latin-1')[:80]} may not use the control API")
    return None


def _without_token(authorization: bytes, token: str) -> Denial | None:
    scheme, _, given = authorization.partition(b" ")
    if scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), token.encode()):
        return None
    return Denial(401, "the control API needs the token that the mock was started with")


def _is_own(host: str, listening: str) -> bool:
    """Whether a Host header names this machine: loopback, or what the server is bound to."""
    name = _name(host)
    return name in {"localhost", listening.lower()} or _is_loopback(name)


def _name(host: str) -> str:
    """The host of ``host:port``, in lower case; empty where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _authority(origin: str) -> str:
    """``host:port`` of an origin; empty for the ``null`` of sandboxed pages, which is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_loopback(text: str) -> bool:
    return _is_address(text) and ip_address(text).is_loopback
