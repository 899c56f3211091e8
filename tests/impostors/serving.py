"""Runs an impostor: over HTTP on a free port of 127.0.0.1, or in process, which is quicker."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

_STOP_WITHIN_S = 10


class _Announced(uvicorn.Server):
    """A server that says when it listens; uvicorn itself would have to be asked again and again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts listening."""
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Serves ``app`` while the block runs; gives its URL, ``http://127.0.0.1:PORT``.

    Every impostor answers below its name: ``{url}/sailpoint/workflows``.
    """
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        # What a fault breaks is told in the answer, not in the log.
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    server = _Announced(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        if not server.ready.wait(_STOP_WITHIN_S):
            raise RuntimeError("the impostor did not start")
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_STOP_WITHIN_S)


class LivesOn:
    """An app as a real server runs it: a handler that fails is answered with 500, and that is all."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        answered = False

        async def told(message: Any) -> None:
            nonlocal answered
            await send(message)
            answered = message["type"] == "http.response.body" and not message.get("more_body")

        try:
            await self._app(scope, receive, told)
        except Exception:
            # Starlette answers first and then raises, for the server's log.
            if not answered:
                raise


class InProcess(httpx.BaseTransport):
    """Sends what an ordinary client asks straight to an app."""

    def __init__(self, app: Starlette) -> None:
        # A real server answers 500 and lives on.
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._loop = asyncio.new_event_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The app's answer."""
        return self._loop.run_until_complete(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        body = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    def close(self) -> None:
        """Ends it."""
        self._loop.close()
