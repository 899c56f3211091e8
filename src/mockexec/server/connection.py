"""A client's connection: uvicorn's HTTP/1.1 protocol, with less to do for each request.

uvicorn starts a task for every request as soon as its head is read, makes an event to wait for the
body, looks at every header of an answer with two regular expressions, sends head and body one after
the other, and sets and cancels a timer. All of it together costs more than most of our answers.
Here a request begins when everything that came with it has been read, and begins at once: one that
never waits needs neither task nor event, and its answer goes out in one piece. Whatever is out of
the ordinary (waiting, chunks, ``Connection: close``, a client that is slow to read) goes uvicorn's
own way.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from mockexec.server.fault_injection import LINE
from mockexec.server.guard import LISTENING
from mockexec.server.outbox import Outbox, Outlet
from mockexec.server.upgrades import has_body, parser_of_the_rest

_BODY_AHEAD_MAX = 64 * 1024
_BODILESS = {204, 304}


class Connection(HttpToolsProtocol):
    """One connection. It offers itself to faults as the ``Line`` of every request.

    The scope also tells where the server listens: a connection that came in on the loopback
    address does not tell whether others may come in elsewhere.
    """

    def __init__(self, listening: str, outbox: Outbox, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._listening = listening
        self._outbox = outbox
        self._current: _Cycle | None = None  # the one that is being answered
        self._due: _Cycle | None = None  # to begin when what came has been read
        self._is_reading = False
        self._is_idle = False
        self._idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A client has come."""
        super().connection_made(cast("asyncio.Transport", Outlet(transport, self._outbox)))

    def data_received(self, data: bytes) -> None:
        """The client has sent something."""
        self._is_idle = False
        self._is_reading = True
        try:
            self._parse(data)
            self._begin_due()
        finally:
            self._is_reading = False

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no request; what came whole before it is answered first."""
        if self._due is not None and self._due.more_body:
            self._due = None
        self._begin_due()
        super().send_400_response(msg)

    def _parse(self, data: bytes) -> None:
        try:
            while data:
                data = self._parse_on(data)
        except httptools.HttpParserError:
            message = "Invalid HTTP request received."
            self.logger.warning(message)
            self.send_400_response(message)

    def _parse_on(self, data: bytes) -> bytes:
        """Parses until a request asks for another protocol; returns what follows its head."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.parser = parser_of_the_rest(self, self.headers)
            return data[upgrade.args[0] :]
        return b""

    # What the parser finds.

    def on_message_begin(self) -> None:
        """A request begins."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        parser = self.parser
        version = parser.get_http_version()
        raw_path, query = _split(self.url)
        path = raw_path.decode("ascii")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme or "http",
            "method": parser.get_method().decode("ascii"),
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self.headers,
            "state": {},
            LINE: self,
            LISTENING: self._listening,
        }
        self.scope = scope  # type: ignore[assignment]  # ASGI lets servers add keys
        before, self.cycle = self.cycle, _Cycle(self, version)
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            # Sent ahead: it waits for its turn.
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > _BODY_AHEAD_MAX:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """All of it has been read, unless the parser took its body for another protocol."""
        if self.parser.should_upgrade() and has_body(self.headers):
            return
        self.cycle.more_body = False
        self.cycle.message_event.set()

    # Requests and their answers.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        assert isinstance(cycle, _Cycle)  # noqa: S101  # it makes no others
        if self._is_reading:
            self._due = cycle
        else:
            self._current = cycle
            super()._start_asgi_task(cycle, app)

    def _begin_due(self) -> None:
        while self._due is not None:
            cycle, self._due = self._due, None
            self._begin(cycle)

    def _begin(self, cycle: _Cycle) -> None:
        """Answers a request; if it has to wait for something, it goes on as a task."""
        self._current = cycle
        coroutine = cycle.run_asgi(self.app)
        try:
            awaited = coroutine.send(None)
        except StopIteration:
            return
        task = self.loop.create_task(_finish(coroutine, awaited))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_response_complete(self) -> None:
        """An answer is over."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._is_idle, self._idle_since = True, self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_again(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        """Nothing: the one timer there is looks for itself whether anything has happened."""

    def timeout_keep_alive_handler(self) -> None:
        """Closes a connection that has not been used for long."""
        left_s = float(self.timeout_keep_alive)
        if self._is_idle:
            left_s += self._idle_since - self.loop.time()
        if left_s > 0:
            self._look_again(left_s)
        else:
            super().timeout_keep_alive_handler()

    def _look_again(self, after_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            after_s, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed, by whomever."""
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        # The connection and its last request hold each other. Let go, all of it is freed at once,
        # and not when the collector comes, which is seldom: some 10 KB for each connection.
        self.cycle = self.scope = self._current = self._due = None  # type: ignore[assignment]  # as at first

    # What it offers as a ``Line``.

    def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Sends a whole answer at once; False: nothing was sent, it has to go ASGI's way."""
        return self._current is not None and self._current.answer(status, headers, body)

    def cut(self) -> None:
        """Closes the connection when what was sent has gone out; nothing more is sent."""
        if self._current is not None:
            # Else uvicorn would complain that the application did not answer, and do it itself.
            self._current.disconnected = True
        self.transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be, by whomever."""
        return self.transport.is_closing()


class _Bell:
    """An ``asyncio.Event`` that is made when somebody waits."""

    __slots__ = ("_event", "_is_rung")

    def __init__(self) -> None:
        self._is_rung = False
        self._event: asyncio.Event | None = None

    def set(self) -> None:
        self._is_rung = True
        if self._event is not None:
            self._event.set()

    def clear(self) -> None:
        self._is_rung = False
        if self._event is not None:
            self._event.clear()

    async def wait(self) -> None:
        if self._is_rung:
            return
        self._event = self._event or asyncio.Event()
        await self._event.wait()


class _Cycle(RequestResponseCycle):
    """A request and its answer. The head of an answer waits for the first part of its body."""

    def __init__(self, connection: Connection, version: str) -> None:
        super().__init__(
            connection.scope,
            connection.transport,
            connection.flow,
            connection.logger,
            connection.access_logger,
            access_log=False,
            default_headers=connection.server_state.default_headers,
            message_event=_Bell(),  # type: ignore[arg-type]  # an event as far as it is used
            expect_100_continue=connection.expect_100_continue,
            keep_alive=version != "1.0" and connection.parser.should_keep_alive(),
            on_response=connection.on_response_complete,
        )
        self._head: Any = None

    async def receive(self) -> Any:
        """ASGI's: the next part of the request."""
        if self.more_body or self.waiting_for_100_continue or not self.body:
            return await super().receive()
        self.message_event.clear()
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Any) -> None:
        """ASGI's: a part of the answer."""
        if message["type"] == "http.response.start" and not self.response_started:
            self._head = message
            return
        head, self._head = self._head, None
        if head is not None:
            if not message.get("more_body") and self.answer(
                head["status"], head["headers"], message["body"]
            ):
                return
            await super().send(head)
        await super().send(message)

    def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Sends a whole answer at once, unless something about it is out of the ordinary."""
        is_usual = self.keep_alive and not self.disconnected and not self.flow.write_paused
        if not is_usual or self.scope["method"] == "HEAD":
            return False
        parts = [STATUS_LINE[status]]
        length = 0 if status in _BODILESS else None
        for name, value in self.default_headers + headers:
            if name == b"content-length":
                length = int(value)
            elif name == b"connection":
                return False
            parts += (name, b": ", value, b"\r\n")
        if length != len(body):
            return False
        parts += (b"\r\n", body)
        self.response_started = self.response_complete = True
        self.transport.write(b"".join(parts))
        self.message_event.set()
        self.on_response()
        return True


def _split(url: bytes) -> tuple[bytes, bytes]:
    """(path, query) of a request's target."""
    if url.startswith(b"/") and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    return parsed.path or b"/", parsed.query or b""


async def _finish(coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
    """Goes on, as a task, with a coroutine that was begun outside of one and ``awaited`` this."""
    await _rest(coroutine, awaited)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    while True:
        try:
            result = yield awaited
        except BaseException as error:  # a cancellation, say, is the coroutine's to answer
            go_on = partial(coroutine.throw, error)
        else:
            go_on = partial(coroutine.send, result)
        try:
            awaited = go_on()
        except StopIteration:
            return
