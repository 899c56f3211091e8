"""How the control API is reached: on the server's own thread, in this thread, or by HTTP.

The door never touches a world itself: whatever it does is a request to the control API, whether
the mock runs in this process or on another machine. A world is changed by its server's thread
alone, so no lock is needed anywhere; and what a test in Python can do, a test in any other
language can do too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from mockexec.errors import UsageError
from mockexec.server.app import App

T = TypeVar("T")


class Carrier(Protocol):
    """Carries one request to a mock and its answer back."""

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """(status, body) of the answer; ``path`` begins with a slash and may have a query."""


class LoopApp(App):
    """The application, with the loop that serves it once the server has started."""

    loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """As for any application."""
        self.loop = asyncio.get_running_loop()
        await super().start()


class ThreadCarrier:
    """Calls an application on the loop that serves it, without a socket."""

    def __init__(self, app: LoopApp, url: str) -> None:
        self._app = app
        self._host = urlsplit(url).netloc

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Returns when the server's thread has answered."""
        loop = self._app.loop
        if loop is None or loop.is_closed():
            raise UsageError("the mock has stopped: its `with` block is over")
        exchange = _exchange(self._app, self._host, method, path, headers, body)
        return asyncio.run_coroutine_threadsafe(exchange, loop).result()


class InlineCarrier:
    """Calls an application in this thread, inside or outside of a running loop."""

    def __init__(self, app: App, url: str) -> None:
        self._app = app
        self._host = urlsplit(url).netloc

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Answers at once."""
        return at_once(_exchange(self._app, self._host, method, path, headers, body))


class HttpCarrier:
    """Calls a mock that runs elsewhere."""

    def __init__(self, url: str) -> None:
        # A proxy named in the environment has no business between a test and its mock.
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=60)

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Raises UsageError where nothing answers."""
        try:
            answer = self._client.request(method, path, headers=headers, content=body)
        except httpx.HTTPError as error:
            raise UsageError(f"no mock answers at {self._client.base_url}: {error}") from error
        return answer.status_code, answer.content

    def close(self) -> None:
        """Ends its connections."""
        self._client.close()


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits; none of the control API's does.

    So a test may turn its mock in the midst of a running loop, where waiting for a coroutine from
    a plain function is not possible.
    """
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("the control API wanted to wait, which it never does")


async def _exchange(
    app: App, host: str, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, bytes]:
    target, _, query = path.partition("?")
    sent = {"host": host, "content-length": str(len(body)), **headers}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": target, "raw_path": target.encode(), "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }  # fmt: skip
    status = 0
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(parts)
