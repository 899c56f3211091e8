"""A mock that is served, seen from Python: one world of it, and all that can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypedDict, Unpack
from urllib.parse import quote

import httpx

from mockexec.door.control import Control
from mockexec.door.parts import LiveClock, LiveExecutions, LiveFaults
from mockexec.door.values import Fault, Request, Requests, Snapshot, breaches_of, notes_of
from mockexec.errors import UsageError
from mockexec.server.mock import CONTROL

_JOURNAL_MAX = 1000


class When(TypedDict, total=False):
    """Which requests a fault strikes; what is left out does not restrict.

    ``path`` is a pattern (* stands for anything); ``nth`` only that matching request, from 1;
    ``every`` each so-many-th; ``probability`` by seeded chance; ``times`` how often at most;
    ``state`` the request names an execution in that state; ``since`` and ``until`` a window of the
    mock's clock.
    """

    api: str
    method: str
    path: str
    nth: int
    every: int
    probability: float
    times: int
    state: str
    since: str
    until: str


_WHEN = frozenset(When.__annotations__)


class Site:
    """What all sessions of one mock share: its address, its APIs, and how to reach them."""

    def __init__(
        self, url: str, control: Control, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self.control = control
        self.own_transport = transport
        # Tokens by scenario: every world of a scenario has the same.
        self.tokens: dict[str, dict[str, str]] = {}

    @cached_property
    def transport(self) -> httpx.BaseTransport:
        """The connections that all clients share; a new pool for each would cost more than most
        tests.
        """
        if self.own_transport is not None:
            return self.own_transport
        # The mock speaks plain HTTP: loading certificates would only cost time.
        return httpx.HTTPTransport(verify=False)

    def close(self) -> None:
        """Ends the connections, if any were made."""
        if "transport" in self.__dict__:
            self.transport.close()


class _Lent(httpx.BaseTransport):
    """A shared transport, which a client that is closed leaves open."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)


class Findings(NamedTuple):
    """``breaches``: answers that broke their document, a fault of the mock's; ``unmatched``:
    requests for which no operation has a path and method. One line each.
    """

    breaches: tuple[str, ...]
    unmatched: tuple[str, ...]


class LiveApi:
    """One API of a live mock: where it is, and what to send with a request."""

    def __init__(self, name: str, mock: LiveMock) -> None:
        self.name = name
        self.mock = mock
        self.url = f"{mock.url}/{name}"

    @property
    def token(self) -> str:
        """A credential that may do everything."""
        return self.mock.tokens[self.name]

    @cached_property
    def client(self) -> httpx.Client:
        """A client whose requests carry the token; its paths begin below ``url``."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.token}"},
            transport=_Lent(self.mock.site.transport),
            # A proxy named in the environment has no business between a test and its mock.
            trust_env=False,
        )

    def close(self) -> None:
        """Ends the client, if there is one."""
        if "client" in self.__dict__:
            self.client.close()


class LiveMock:
    """A served mock: its base world, or (``LiveSession``) a world of one's own.

    Whatever is refused (an unknown operation, a clock turned back) raises ``UsageError``.
    """

    def __init__(self, site: Site, session: str = "", *, scenario: str | None = None) -> None:
        self.site = site
        self.session_name = session
        self._scenario = scenario
        self._control = site.control.of(session)
        self._apis: dict[str, LiveApi] = {}
        self.url = f"{site.url}/@{session}" if session else site.url
        self.clock = LiveClock(self._control)
        self.executions = LiveExecutions(self._control)
        self.faults = LiveFaults(self._control)

    # Where it is.

    @property
    def urls(self) -> Mapping[str, str]:
        """The base URL of each API, by name."""
        return {name: f"{self.url}/{name}" for name in self.tokens}

    @property
    def tokens(self) -> Mapping[str, str]:
        """A credential for each API that may do everything, by name."""
        known = self.site.tokens
        if self._scenario is None or self._scenario not in known:
            views = self._control.ask("GET", "/apis")
            tokens = {view["name"]: view["token"] for view in views}
            if self._scenario is None:
                return tokens
            known[self._scenario] = tokens
        return known[self._scenario]

    @property
    def token(self) -> str:
        """The credential of the only API; with several of them, see ``tokens``."""
        tokens = self.tokens
        if len(tokens) != 1:
            raise UsageError(f"say which: tokens[{'], tokens['.join(map(repr, tokens))}]")
        return next(iter(tokens.values()))

    def api(self, name: str) -> LiveApi:
        """One API: its ``url``, its ``token``, and a ``client`` for it."""
        if name not in self._apis:
            if name not in self.tokens:
                raise UsageError(f"{name!r} is not served; there are: {', '.join(self.tokens)}")
            self._apis[name] = LiveApi(name, self)
        return self._apis[name]

    # Faults.

    def fault(self, kind: str, operation: str | None = None, **more: Any) -> Fault:
        """Puts a fault in force: ``more`` are its own fields, and those of ``When``."""
        when = {name: more.pop(name) for name in list(more) if name in _WHEN}
        if operation is not None:
            when["operation"] = operation
        return self.faults.arm({"kind": kind, **more, **({"when": when} if when else {})})

    def fail(
        self,
        operation: str | None = None,
        *,
        status: int = 503,
        message: str | None = None,
        retry_after: int | None = None,
        **when: Unpack[When],
    ) -> Fault:
        """Refuses requests with ``status``, in the vendor's words.

        ``operation`` is an operationId (None: every request); ``retry_after`` in seconds.
        """
        own = _given(message=message, retry_after=retry_after)
        return self.fault("status", operation, status=status, **own, **when)

    def latency(
        self,
        delay: str,
        operation: str | None = None,
        *,
        to: str | None = None,
        sigma: float | None = None,
        turns_clock: bool = False,
        **when: Unpack[When],
    ) -> Fault:
        """Answers later: by ``delay``, uniformly up to ``to``, or log-normally with ``sigma``.

        ``turns_clock``: a frozen clock is turned on instead, and nobody waits.
        """
        own = _given(to=to, sigma=sigma, turns_clock=turns_clock or None)
        return self.fault("latency", operation, delay=delay, **own, **when)

    def disconnect(
        self,
        operation: str | None = None,
        *,
        after_bytes: int | None = None,
        **when: Unpack[When],
    ) -> Fault:
        """Closes the connection before the answer, or after so many bytes of its body."""
        own = _given(after_bytes=after_bytes)
        return self.fault("disconnect", operation, **own, **when)

    # What happened.

    @property
    def requests(self) -> Requests:
        """What the APIs of this world were asked; the latest thousand are kept."""
        views = self._journal()
        file = self._control.ask("GET", f"/journal.har?limit={_JOURNAL_MAX}")
        entries = {entry["_id"]: entry for entry in file["log"]["entries"]}
        return Requests(
            [
                Request.read(view, entries[view["id"]])
                for view in views
                # What this door itself asks of the control API is nobody's request; and while the
                # one answer follows the other, the oldest may be forgotten.
                if view["api"] != CONTROL and view["id"] in entries
            ]
        )

    def assert_called(
        self,
        operation: str,
        *,
        times: int | None = None,
        api: str | None = None,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
    ) -> Requests:
        """Asserts that ``operation`` was called (``times``: so often); returns those calls.

        Raises:
            AssertionError: it was not; the message tells what was called instead.
        """
        asked = self.requests
        found = asked.where(operation=operation, api=api, method=method, path=path, status=status)
        if (times is None and found) or len(found) == times:
            return found
        wanted = "at least once" if times is None else f"{times} times"
        raise AssertionError(
            f"{operation} was called {len(found)} times, not {wanted}{_meant(operation, asked)}"
        )

    def findings(self) -> Findings:
        """What a look at the journal finds wrong, though no client may have noticed."""
        views = self._journal()
        return Findings(
            tuple(
                f"{view['operation_id']} answered {view['status']}: {note.pointer} {note.message}"
                for view in views
                for note in breaches_of(notes_of(view))
            ),
            tuple(
                f"{view['method']} /{view['api']}{view['path']}"
                for view in views
                if not view["operation_id"] and view["status"] >= 400 and view["api"] != CONTROL
            ),
        )

    def _journal(self) -> list[Any]:
        views: list[Any] = self._control.ask("GET", f"/journal?limit={_JOURNAL_MAX}")
        return views[::-1]

    def clear_requests(self) -> None:
        """Forgets what was asked so far."""
        self._control.ask("DELETE", "/journal")

    def save_har(self, path: str | Path) -> None:
        """Writes what was asked as a HAR file, as browsers open it; secrets are masked."""
        status, content = self._control.send("GET", f"/journal.har?limit={_JOURNAL_MAX}")
        if status != 200:
            raise UsageError(f"the journal cannot be exported: {content.decode()}")
        Path(path).write_bytes(content)

    # The world as a whole.

    def session(
        self, name: str | None = None, *, scenario: str | None = None, seed: int | None = None
    ) -> LiveSession:
        """A world of its own, in place of one of the same name.

        It begins as the base world stands, or as ``scenario`` does; ``seed`` decides what is left
        to chance from then on. As a context manager it is deleted in the end.
        """
        body = _given(name=name, scenario=scenario, seed=seed)
        made: str = self._control.ask("POST", "/sessions", body)["name"]
        return LiveSession(self.site, made, scenario=scenario)

    def reset(self, *, scenario: str | None = None, seed: int | None = None) -> None:
        """Puts a fresh world in place: as at the start, or of another scenario or seed."""
        body = _given(scenario=scenario, seed=seed)
        self._scenario = self._control.ask("POST", "/reset", body)["scenario"]
        self._apis.clear()

    def snapshot(self, name: str = "") -> Snapshot:
        """Puts the world aside as it stands: state, clock, chance and faults."""
        view = self._control.ask("POST", "/snapshots", {"name": name} if name else {})
        return Snapshot(view["id"], view["name"])

    def restore(self, snapshot: Snapshot) -> None:
        """Goes back to a snapshot of this world; it can be gone back to again."""
        self._control.ask("POST", f"/snapshots/{quote(snapshot.id, safe='')}/restore")
        # It may be of another scenario, whose tokens are others.
        self._scenario = None
        self._apis.clear()

    def export_snapshot(self, snapshot: Snapshot) -> Any:
        """A snapshot as JSON data, to be kept in a file."""
        return self._control.ask("GET", f"/snapshots/{quote(snapshot.id, safe='')}")

    def import_snapshot(self, data: Any) -> Snapshot:
        """The snapshot that ``export_snapshot`` told of, here or elsewhere, to be restored."""
        view = self._control.ask("POST", "/snapshots", {"import": data})
        return Snapshot(view["id"], view["name"])


class LiveSession(LiveMock):
    """A world of one's own in a served mock."""

    def close(self) -> None:
        """Deletes the session, and closes its clients; its next use would begin a new one."""
        for api in self._apis.values():
            api.close()
        # One that is gone already (idle for long, deleted by the test) is none to miss.
        self.site.control.ask("DELETE", f"/sessions/{self.session_name}", missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _given(**values: Any) -> dict[str, Any]:
    """What was given, without what was left out."""
    return {name: value for name, value in values.items() if value is not None}


def _meant(operation: str, asked: Requests) -> str:
    if not asked:
        return "; nothing was called"
    close = get_close_matches(operation, {one.operation for one in asked}, n=1)
    hint = f"; did you mean {close[0]}?" if close and close[0] != operation else ""
    lines = "\n".join(f"  {one}" for one in asked[-20:])
    return f"{hint}; what was called:\n{lines}"
