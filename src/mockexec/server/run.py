"""The server that carries the application: with ``connection``, all that knows uvicorn.

The protocol implementation is named, not chosen by what happens to be installed: they differ in
what they refuse. One process only, since the world lives in its memory.
"""

from __future__ import annotations

import errno
import gc
import socket
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

import uvicorn

from mockexec.errors import MockexecError, UsageError
from mockexec.server.connection import Connection
from mockexec.server.outbox import Outbox

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
    # Requests leave little behind: with the usual thresholds most collections find nothing. But
    # the young are looked at while they are few: whoever asks meanwhile has to wait.
    gc.set_threshold(10_000, 200, 100)
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


class _Server(uvicorn.Server):
    """uvicorn, with an event that tells whether it has started."""

    def __init__(
        self, app: Any, sock: socket.socket, ready: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=partial(Connection, sock.getsockname()[0], Outbox()),  # type: ignore[arg-type]  # it only calls it
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
