"""What is tested: an ASGI application in this process, or a server at a URL.

``Target.send`` is the one way by which a check reaches it. It adds the credentials, keeps to the
rate limit and the budget, waits where the server asks for patience, and tells the run of every
exchange.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import unquote, urlsplit

import httpx

from mockexec.simulation.clock import machine_ns, pause

if TYPE_CHECKING:
    from mockexec.verify.events import Event

Principal = Literal["main", "other", "none"]
Headers = tuple[tuple[str, str], ...]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]

# How long one answer may take, and how long a 429 may ask us to wait altogether.
ANSWER_TIMEOUT_S = 30.0
PATIENCE_S = 120.0
TRIES_MAX = 5
# The host by which an application in this process is called; every check of a Host takes it.
IN_PROCESS_ORIGIN = "http://localhost"

_NS = 1_000_000_000


class Unreachable(Exception):  # noqa: N818  # says what the server is
    """No answer came: nothing listens, or the connection broke; the text says which."""

    request: Request | None = None


class BudgetSpent(Exception):  # noqa: N818  # an end, not an error
    """A limit of the run is reached; ends the run and is no finding. ``limit`` names it."""

    def __init__(self, limit: Literal["time", "requests", "stopped"]) -> None:
        super().__init__(f"the run's limit of {limit} is reached")
        self.limit = limit


class ChangeNotAllowed(Exception):  # noqa: N818  # a refusal, not an error
    """The request would change something on a server where that is not allowed."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, before credentials.

    ``path`` counts from the base URL, begins with a slash and is percent-encoded; ``query`` is the
    text after the question mark. ``principal``: whose credentials are added; a header that the
    request brings itself wins over one of theirs.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes | None = None
    principal: Principal = "main"


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request and its answer. ``url`` is without credentials; header names are in lower case.

    ``status`` 0: no answer came, which only the last of a finding's story may have.

    ``at_ns``: when it was sent, in nanoseconds since 1970 (by the clock of a mock, where it is
    one, so that a run repeats to the byte); ``took_s`` by the same clock.
    """

    request: Request
    url: str
    status: int
    headers: Headers
    body: bytes
    took_s: float = 0.0
    at_ns: int = 0

    def json(self) -> Any:
        """The body as JSON data; raises ValueError if it is none."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The first value of that header, None if it did not come."""
        wanted = name.lower()
        return next((value for known, value in self.headers if known == wanted), None)

    @property
    def text(self) -> str:
        """The body as text, with U+FFFD for what is none."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a principal adds to a request: headers, and pairs of the query (percent-encoded)."""

    headers: Headers = ()
    query: str = ""


class Wire(Protocol):
    """Carries a complete request and its answer; used by several threads at once."""

    def exchange(
        self, method: str, url: str, headers: Headers, body: bytes | None
    ) -> tuple[int, Headers, bytes]:
        """(status, headers, body) of the answer; raises Unreachable."""

    def close(self) -> None:
        """Ends its connections."""


class HttpWire:
    """Over a socket. Follows no redirect and keeps no cookie: an answer is tested as it comes."""

    def __init__(self, *, tls_verify: bool = True, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self._client = httpx.Client(
            verify=tls_verify,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            # Servers close idle connections after five seconds and more: we close ours before, so
            # that no request meets one that is just being closed.
            limits=httpx.Limits(keepalive_expiry=2.0),
        )
        self._timeout = httpx.Timeout(timeout_s).as_dict()

    def exchange(
        self, method: str, url: str, headers: Headers, body: bytes | None
    ) -> tuple[int, Headers, bytes]:
        """As ``Wire``."""
        try:
            request = httpx.Request(
                method,
                url,
                headers=[(name.encode(), value.encode("latin-1")) for name, value in headers],
                content=body,
                extensions={"timeout": self._timeout},
            )
            answer = self._client.send(request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{method} {url}: {error or type(error).__name__}") from error
        found = tuple((name.lower(), value) for name, value in answer.headers.multi_items())
        return answer.status_code, found, answer.content

    def close(self) -> None:
        """As ``Wire``."""
        self._client.close()


class AsgiWire:
    """Straight into an application; one request at a time, since its state is one thread's."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()

    def exchange(
        self, method: str, url: str, headers: Headers, body: bytes | None
    ) -> tuple[int, Headers, bytes]:
        """As ``Wire``. An exception of the application is a server that answers nothing."""
        with self._lock:
            try:
                return self._loop.run_until_complete(self._call(method, url, headers, body or b""))
            except Exception as error:
                raise Unreachable(f"{method} {url}: the application raised {error!r}") from error

    def close(self) -> None:
        """As ``Wire``."""
        with self._lock:
            self._loop.close()

    async def _call(
        self, method: str, url: str, headers: Headers, body: bytes
    ) -> tuple[int, Headers, bytes]:
        parts = urlsplit(url)
        sent = [(b"host", parts.netloc.encode())] if not _has(headers, "host") else []
        if (body or method in {"POST", "PUT", "PATCH"}) and not _has(headers, "content-length"):
            sent.append((b"content-length", str(len(body)).encode()))
        sent += [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": parts.scheme, "path": unquote(parts.path), "raw_path": parts.path.encode(),
            "root_path": "", "query_string": parts.query.encode(), "headers": sent,
            "client": ("127.0.0.1", 0), "server": (parts.hostname, parts.port or 80),
        }  # fmt: skip
        status = 0
        found: Headers = ()
        chunks: list[bytes] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status, found
            if message["type"] == "http.response.start":
                status = message["status"]
                # Some of our names keep their capitals by refusing to be lowered: plain bytes.
                found = tuple(
                    (bytes(name).decode("latin-1").lower(), value.decode("latin-1"))
                    for name, value in message.get("headers", ())
                )
            else:
                chunks.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return status, found, b"" if method == "HEAD" else b"".join(chunks)


@dataclass(slots=True)
class Limits:
    """What a run may cost. 0 is no limit."""

    requests_max: int = 0
    time_max_s: float = 0.0
    per_second_max: float = 0.0


@dataclass(frozen=True, slots=True)
class Times:
    """The clock of the target.

    ``turn``: turns a mock's clock by so many seconds; None is a real server, where one waits.
    """

    now_ns: Callable[[], int] = machine_ns
    turn: Callable[[float], None] | None = None


def _tell_nobody(event: Event) -> None:
    """A target that belongs to no run."""


@dataclass(slots=True)
class Target:
    """What is tested. May be used by several threads at once.

    ``base_url`` has no slash at its end. ``may_send`` is asked before every request of a target
    where not everything ``can_change``. ``tell`` takes events into the stream of the run.
    """

    wire: Wire
    base_url: str
    credentials: Mapping[Principal, Credentials] = field(default_factory=dict)
    times: Times = field(default_factory=Times)
    limits: Limits = field(default_factory=Limits)
    can_change: bool = True
    may_send: Callable[[Request], bool] = lambda request: True  # noqa: ARG005  # takes all
    tell: Callable[[Event], None] = _tell_nobody
    on_exchanged: Callable[[Exchanged], None] = lambda exchanged: None  # noqa: ARG005  # ditto
    requests: int = 0
    stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _deadline_ns: int = 0
    _next_slot_ns: int = 0

    def __post_init__(self) -> None:
        """The time of a run counts from here."""
        if self.limits.time_max_s:
            self._deadline_ns = machine_ns() + int(self.limits.time_max_s * _NS)

    @property
    def has_other(self) -> bool:
        """Whether there is a second principal, for checks of ownership."""
        return "other" in self.credentials

    @property
    def is_mock(self) -> bool:
        """Whether it is a mock whose clock can be turned."""
        return self.times.turn is not None

    def send(self, request: Request, *, patient: bool = True) -> Exchanged:
        """The answer to ``request``; redirects are not followed.

        ``patient``: an answer 429 with Retry-After is waited for and asked again, for two minutes
        at most.

        Raises:
            BudgetSpent: a limit of the run is reached.
            ChangeNotAllowed: see ``can_change``.
            Unreachable: no answer came.
        """
        patience_s = PATIENCE_S if patient else 0.0
        for _ in range(TRIES_MAX):
            exchanged = self._send_once(request)
            wait_s = retry_after_s(exchanged)
            if exchanged.status != 429 or wait_s is None or wait_s > patience_s:
                break
            patience_s -= wait_s
            self.wait(max(wait_s, 0.05))
        return exchanged

    def wait(self, seconds: float) -> None:
        """Lets that much time pass: turns the clock of a mock, really waits for a server.

        Raises:
            BudgetSpent: the run would be over by then.
        """
        if self.times.turn is not None:
            self.times.turn(seconds)
            return
        if self._deadline_ns and machine_ns() + int(seconds * _NS) > self._deadline_ns:
            raise BudgetSpent("time")
        asyncio.run(pause(int(seconds * _NS)))

    def now_ns(self) -> int:
        """The time of the target, as far as we know it."""
        return self.times.now_ns()

    @property
    def remaining_s(self) -> float | None:
        """What is left of the time, None without a limit."""
        if not self._deadline_ns:
            return None
        return max(0.0, (self._deadline_ns - machine_ns()) / _NS)

    @property
    def remaining_requests(self) -> int | None:
        """What is left of the requests, None without a limit."""
        if not self.limits.requests_max:
            return None
        return max(0, self.limits.requests_max - self.requests)

    def take_slot(self) -> None:
        """Counts one request against the budget and waits for its turn under the rate limit.

        Raises:
            BudgetSpent: a limit of the run is reached.
        """
        pause_ns = 0
        with self._lock:
            if self.stopped:
                raise BudgetSpent("stopped")
            if self.limits.requests_max and self.requests >= self.limits.requests_max:
                raise BudgetSpent("requests")
            if self._deadline_ns and machine_ns() > self._deadline_ns:
                raise BudgetSpent("time")
            self.requests += 1
            if self.limits.per_second_max:
                now_ns = machine_ns()
                slot_ns = max(now_ns, self._next_slot_ns)
                self._next_slot_ns = slot_ns + int(_NS / self.limits.per_second_max)
                pause_ns = slot_ns - now_ns
        if pause_ns:
            asyncio.run(pause(pause_ns))

    def url_of(self, request: Request) -> str:
        """Where a request goes, without credentials."""
        return f"{self.base_url}{request.path}" + (f"?{request.query}" if request.query else "")

    def close(self) -> None:
        """Ends its connections."""
        self.wire.close()

    def _send_once(self, request: Request) -> Exchanged:
        if not self.can_change and not self.may_send(request):
            raise ChangeNotAllowed(f"{request.method} {request.path} may change something")
        self.take_slot()
        credentials = self.credentials.get(request.principal, Credentials())
        url = self.url_of(request)
        full = url
        if credentials.query:
            full += ("&" if request.query else "?") + credentials.query
        at_ns = self.times.now_ns()
        sent = headers_with(request.headers, credentials)
        try:
            status, headers, body = self.wire.exchange(request.method, full, sent, request.body)
        except Unreachable as error:
            error.request = request
            raise
        took_s = (self.times.now_ns() - at_ns) / _NS
        exchanged = Exchanged(request, url, status, headers, body, took_s, at_ns)
        self.on_exchanged(exchanged)
        return exchanged


def headers_with(headers: Headers, credentials: Credentials) -> Headers:
    """The headers of a request and those of its principal that it does not bring itself."""
    own = {name.lower() for name, _ in headers}
    added = tuple(pair for pair in credentials.headers if pair[0].lower() not in own)
    accept = () if "accept" in own else (("Accept", "*/*"),)
    return (*accept, *added, *headers)


def retry_after_s(exchanged: Exchanged) -> float | None:
    """How long the answer asks to wait: seconds or a date (RFC 9110, 10.2.3); None if not."""
    text = exchanged.header("retry-after")
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, instant.timestamp() - exchanged.at_ns / _NS)


def _has(headers: Headers, name: str) -> bool:
    return any(known.lower() == name for known, _ in headers)
