"""Who calls: plain development tokens and the agent's encoded sessions, sent either way.

A user is known by e-mail address: the subject of a token is one.
"""

from __future__ import annotations

from mockexec.apis.thand.envelope import Secret
from mockexec.apis.thand.errors import incomplete_user
from mockexec.apis.thand.sessions import is_address, read_session
from mockexec.http.auth import Principal, authorization, known_token
from mockexec.http.call import Call
from mockexec.settings import Settings

API = "thand"
DEVELOPMENT_TOKEN = "thand-dev-token"  # noqa: S105  # a mock's token, printed by design
# The dialect's settings with their defaults; the agent's own defaults.
OPTIONS = {"password": Secret().password, "salt": Secret().salt}


def secret_of(settings: Settings) -> Secret:
    """What sessions and signals of this server are encrypted with."""
    return Secret(*(settings.option(API, name, default) for name, default in OPTIONS.items()))


def verify_bearer(call: Call, scopes: tuple[str, ...]) -> Principal | None:
    """The user of ``Authorization: Bearer``; None when it stands for nobody."""
    del scopes  # the agent knows none
    scheme, credentials = authorization(call.raw_header(b"authorization"))
    return _principal(call, credentials) if scheme == "bearer" else None


def verify_api_key(call: Call, scopes: tuple[str, ...]) -> Principal | None:
    """The user of ``X-API-Key``; None when it stands for nobody."""
    del scopes  # the agent knows none
    return _principal(call, call.raw_header(b"x-api-key") or "")


def _principal(call: Call, text: str) -> Principal | None:
    """None for what cannot be read, as the agent ignores it: the caller has no session then."""
    if not text:
        return None
    token = known_token(call.realm, text)
    if token is not None:
        email: str | None = token.subject
    else:
        email = read_session(text, secret_of(call.settings))
    if email is None and call.settings.any_token:
        development = known_token(call.realm, DEVELOPMENT_TOKEN)
        email = development.subject if development is not None else None
    if email is None:
        return None
    if not is_address(email):
        raise incomplete_user()
    return Principal(email, token=text)
