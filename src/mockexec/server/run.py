"""The server that carries the application. The only module that knows uvicorn.

The protocol implementation is named, not chosen by what happens to be installed: they differ in
what they refuse. One process only, since the world lives in its memory.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mockexec.errors import MockexecError, UsageError
from mockexec.server.fault_injection import LINE
from mockexec.server.guard import LISTENING

# How long a request in flight may still take when the server is told to stop.
_GRACE_S = 0.4
# A browser or a pool of connections comes back after a while; five seconds, the usual, races it.
_KEEP_ALIVE_S = 75
_BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens at ``host`` and ``port``; 0 takes any free port.

    Clients may connect from now on: they wait until a server takes the socket over.

    Raises:
        UsageError: the address cannot be had, with the reason in one line.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"cannot listen on host {host!r}: {error.strerror}") from None
    try:
        # Else a port is barred for a minute after a server on it has stopped.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise UsageError(_bind_failure(error, host, port)) from None
    return sock


def base_url(sock: socket.socket) -> str:
    """The address of a listening socket as a client on this machine writes it."""
    host, port = sock.getsockname()[:2]
    # "All interfaces" is no address to connect to.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # read, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: Any, sock: socket.socket, *, ready: Callable[[], None] = lambda: None) -> None:
    """Serves ``app`` on a socket from ``bind`` until the process is told to stop (Ctrl-C).

    ``ready`` is called when requests are answered, and a signal ends the server in good order.
    """
    # What is loaded stays until the end: the collector need not look at it again and again.
    gc.freeze()
    # Requests leave little behind: with the usual thresholds most collections find nothing.
    gc.set_threshold(100_000, 20, 100)
    gc.enable()
    try:
        _Server(app, sock, ready).run(sockets=[sock])
    except KeyboardInterrupt:
        # uvicorn has stopped in good order and hands the signal on to whoever started it.
        return


class BackgroundServer:
    """Serves ``app`` in a thread of its own for as long as the context lasts, at ``url``."""

    def __init__(self, app: Any, host: str = "127.0.0.1", port: int = 0) -> None:
        self._sock = bind(host, port)
        self._server = _Server(app, self._sock)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="mockexec", daemon=True)
        self.url = base_url(self._sock)

    def __enter__(self) -> Self:
        """Returns when the first request can be answered."""
        self._thread.start()
        self._server.settled.wait()
        if not self._server.started:
            self._thread.join()
            raise MockexecError("the server could not start, see the log") from self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Returns when the server has stopped."""
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._sock])
        except BaseException as error:  # uvicorn exits; __enter__ raises it
            self._failure = error
        finally:
            self._sock.close()
            self._server.settled.set()


class _Joining(asyncio.Transport):
    """A connection's transport that sends the head of a response along with its body.

    uvicorn writes them one after the other, and each write is a system call, a packet, and a call
    of the client's: together they take as long as all that we do for a small answer.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._head = b""
        self._is_head_due = True
        # As they are: these are asked for each request.
        self.is_closing = transport.is_closing  # type: ignore[method-assign]
        self.get_extra_info = transport.get_extra_info  # type: ignore[method-assign]
        self.pause_reading = transport.pause_reading  # type: ignore[method-assign]
        self.resume_reading = transport.resume_reading  # type: ignore[method-assign]

    def write(self, data: bytes) -> None:  # type: ignore[override]  # uvicorn has nothing but bytes
        """Sends it, unless it is a head, which waits for what follows."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif self._is_head_due and not data.startswith(b"HTTP/1.1 100 "):
            self._head, self._is_head_due = data, False
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """The response is over: what waits is sent, and what comes next is a head again."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""
        self._is_head_due = True

    def close(self) -> None:
        """Closes the connection when everything was sent."""
        self.flush()
        self._transport.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hands what is received to another protocol."""
        self._transport.set_protocol(protocol)


class _Connection(HttpToolsProtocol):
    """uvicorn's, offering itself to faults as the ``Line`` of every request.

    The scope also tells where the server listens: a connection that came in on the loopback
    address does not tell whether others may come in elsewhere.
    """

    def __init__(self, listening: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._listening = listening
        self._current: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """A client has connected."""
        super().connection_made(_Joining(transport))

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or was sent away."""
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            # uvicorn leaves it where the client broke the connection off.
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        # The connection and its last request hold each other. Let go, all of it is freed at once,
        # and not when the collector comes, which is seldom: some 10 KB for each connection.
        self.cycle = self.scope = self._current = None  # type: ignore[assignment]  # as at first

    def on_response_complete(self) -> None:
        """A response is over."""
        self.transport.flush()  # type: ignore[attr-defined]  # ours
        super().on_response_complete()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        extended: dict[str, Any] = self.scope  # type: ignore[assignment]  # ASGI lets servers add keys
        extended[LINE] = self
        extended[LISTENING] = self._listening

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Not always the latest: requests that were sent ahead wait for their turn.
        self._current = cycle
        super()._start_asgi_task(cycle, app)

    def cut(self) -> None:
        """Closes the connection when what was sent has gone out; nothing more is sent."""
        if self._current is not None:
            # Else uvicorn would complain that the application did not answer, and do it itself.
            self._current.disconnected = True
        self.transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be, by whomever."""
        return self.transport.is_closing()


class _Server(uvicorn.Server):
    """uvicorn, with an event that tells whether it has started."""

    def __init__(
        self, app: Any, sock: socket.socket, ready: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=partial(_Connection, sock.getsockname()[0]),  # type: ignore[arg-type]  # it only calls it
                ws="none",
                lifespan="on",
                interface="asgi3",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                # Only what the application says goes out, and the date.
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_GRACE_S,  # type: ignore[arg-type]  # asyncio takes parts of a second
            )
        )
        # Set once it has started, or never will.
        self.settled = threading.Event()
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's, told to those who wait."""
        await super().startup(sockets=sockets)
        self.settled.set()
        self._ready()


def _bind_failure(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken; choose another with --port (0 takes a free one)"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs more rights than this user has"
    return f"cannot listen on {host} port {port}: {error.strerror}"
