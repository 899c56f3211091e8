"""Page tokens: signed, and tied to one query.

Sources: the vendor's page about paging (opaque, short-lived, the same request again with the token
added) and its examples (``v1.`` and base64). Inferred: what a token carries, and that it lives an
hour.
"""

from __future__ import annotations

from typing import NamedTuple

from mockexec.http.call import Call
from mockexec.http.paging import BadPageToken, seal, unseal
from mockexec.http.refusal import Refusal
from mockexec.simulation.instants import HOUR

_PREFIX = "v1."
_LIFETIME_NS = HOUR


class Cursor(NamedTuple):
    """Where a page begins.

    The window ``from_ms`` to ``to_ms`` (exclusive) and ``as_of_ns``, the instant of the first page,
    stay the same on all pages, so that following the tokens shows every execution once.
    ``after`` is (start, trace id) of the last execution shown; None: nothing was shown yet.
    """

    from_ms: int
    to_ms: int
    as_of_ns: int
    after: tuple[int, str] | None = None


def write_token(call: Call, query_digest: str, cursor: Cursor) -> str:
    """The token of the page that begins at ``cursor``, good from now on."""
    content = {"query": query_digest, "issued": call.now_ns, "cursor": cursor}
    return _PREFIX + seal(content, _key(call))


def read_token(call: Call, token: str, query_digest: str) -> Cursor:
    """The cursor that a token of this world carries.

    Raises:
        Refusal: InvalidPageToken; it is broken, too old, or of another query.
    """
    if not token.startswith(_PREFIX):
        raise _invalid(token, "the token does not begin with v1")
    try:
        content = unseal(token.removeprefix(_PREFIX), _key(call))
    except BadPageToken as error:
        raise _invalid(token, str(error)) from None
    if content["query"] != query_digest:
        raise _invalid(token, "the token belongs to a query with another resource, time or filter")
    if call.now_ns - content["issued"] > _LIFETIME_NS:
        raise _invalid(token, "the token is older than an hour")
    from_ms, to_ms, as_of_ns, (after_ms, after_id) = content["cursor"]
    return Cursor(from_ms, to_ms, as_of_ns, (after_ms, after_id))


def _invalid(token: str, reason: str) -> Refusal:
    return Refusal("InvalidPageToken", reason, status=400, details={"pageToken": token})


def _key(call: Call) -> bytes:
    return f"foundry/pages/{call.world.chance.seed}".encode()
