"""httpx straight into the application: no socket, no thread."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from mockexec.server.app import App
from mockexec.server.fault_injection import Aborted


class InProcessTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """For ``httpx.AsyncClient``, and for ``httpx.Client`` where no loop is running.

    A fault that closes the connection raises ``httpx.RemoteProtocolError``, as a server that
    hangs up does.
    """

    def __init__(self, app: App) -> None:
        self._asgi = httpx.ASGITransport(app=_Plain(app))
        self._runner: asyncio.Runner | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request in the running loop."""
        try:
            return await self._asgi.handle_async_request(request)
        except Aborted as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request in a loop of its own."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(self._whole(request))

    def close(self) -> None:
        """Ends that loop; a later request begins another."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    async def _whole(self, request: httpx.Request) -> httpx.Response:
        answer = await self.handle_async_request(request)
        content = await answer.aread()
        return httpx.Response(
            answer.status_code, headers=answer.headers, content=content, request=request
        )


class _Plain:
    """The application, with header names as httpx looks them up.

    Some names keep their capitals on the wire by refusing to be lowered, which here nobody needs.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def plain(message: Any) -> None:
            if "headers" in message:
                headers = [(bytes(name).lower(), value) for name, value in message["headers"]]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, plain)
