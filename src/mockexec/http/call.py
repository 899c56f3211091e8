"""What a handler gets and gives: a decoded, validated call and a reply."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol

from mockexec.errors import Violation
from mockexec.http.auth import Principal
from mockexec.http.refusal import Refusal
from mockexec.settings import Settings
from mockexec.simulation.session import Session
from mockexec.simulation.world import Realm, World

_HOST = re.compile(r"(?:[A-Za-z0-9.\-_~]{1,255}|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?")


class Reply(NamedTuple):
    """An answer. ``body`` is JSON-ready data, or bytes that are sent as they are (none: ``b""``).

    ``headers`` are added to Content-Type and Content-Length, their names sent as written here.
    """

    status: int
    body: Any = b""
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"


class Call:
    """One request, decoded and checked against the document.

    ``path``, ``query``, ``header`` and ``cookie`` hold the documented parameters by their names,
    decoded, with the document's defaults filled in; ``body`` the decoded body (None: there was
    none); ``accepts`` the media type to answer with. ``principal`` is None where no security
    applies. ``stage`` is the last of its operation's checks that was begun, ``refusal`` what came
    of it. ``realm`` is this API's part of ``world``; ``now_ns`` the instant of this request;
    ``headers`` the headers by their names in lower case, of repeated ones the last.
    """

    __slots__ = (
        "accepts", "asked_at", "body", "content_type", "cookie", "header", "headers",
        "method", "notes", "now_ns", "operation_id", "path", "principal", "query", "raw_body",
        "raw_headers", "raw_path", "raw_query", "realm", "refusal", "scheme", "session",
        "settings", "stage", "world",
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        api: str,
        settings: Settings,
        method: str,
        scheme: str,
        base_path: str,
        raw_path: str,
        raw_query: str,
        raw_headers: list[tuple[bytes, bytes]],
        headers: Mapping[bytes, bytes],
    ) -> None:
        self.session = session
        self.world: World = session.world
        self.realm: Realm = self.world.realms[api]
        self.settings = settings
        self.method = method
        self.scheme = scheme
        self.asked_at = base_path
        self.raw_path = raw_path
        self.raw_query = raw_query
        self.raw_headers = raw_headers
        self.headers = headers
        self.now_ns = self.world.now_ns
        self.operation_id = ""
        self.path: Mapping[str, Any] = _NOTHING
        self.query: Mapping[str, Any] = _NOTHING
        self.header: Mapping[str, Any] = _NOTHING
        self.cookie: Mapping[str, Any] = _NOTHING
        self.body: Any = None
        self.raw_body = b""
        self.content_type = ""
        self.accepts = ""
        self.principal: Principal | None = None
        self.notes: tuple[Violation, ...] = ()
        self.stage = ""
        self.refusal: Refusal | None = None

    def raw_header(self, name: bytes) -> str | None:
        """The header ``name`` (lower case) as it came, the last if repeated; None if absent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def base_path(self) -> str:
        """Where the API lies for whoever follows a link of ours: inside the session, with or
        without the header that may have chosen it.
        """
        return self.session.address(self.asked_at)

    @property
    def base_url(self) -> str:
        """The API's address as this client sees it: ``http://127.0.0.1:8000/frontdoor``.

        A Host header that is no host is not repeated: it would make links that are no URIs.
        """
        host = self.raw_header(b"host") or ""
        if not _HOST.fullmatch(host):
            host = "localhost"
        return f"{self.scheme}://{host}{self.base_path}"

    @property
    def caller(self) -> Principal:
        """The principal of an operation whose document demands one."""
        if self.principal is None:
            raise LookupError(f"{self.operation_id} has no security in its document")
        return self.principal


_NOTHING: Mapping[str, Any] = {}

Handler = Callable[[Call], Awaitable[Reply]]


class Verifier(Protocol):
    """Whom a call's credential stands for, if these scopes are enough; None: it has none."""

    def __call__(self, call: Call, scopes: tuple[str, ...]) -> Principal | None:
        """Raises Refusal for a credential that is wrong."""
        ...
