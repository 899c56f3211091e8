"""What the tests share: a mock served in process, without a socket.

``python -m tests.support sailpoint 8000`` serves one by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from mockexec import catalog
from mockexec.api import Api
from mockexec.server.app import App
from mockexec.server.mock import Mock
from mockexec.settings import Settings
from mockexec.simulation.clock import Clock, Mode
from mockexec.simulation.instants import parse_duration
from mockexec.simulation.world import Realm, Scenario, World


class Served:
    """A mock and a client for it; paths begin with the API's name: ``/sailpoint/workflows``.

    The development token is sent unless a request brings an Authorization header of its own
    (None: no such header at all).
    """

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        self.app = App(mock)
        self._loop = asyncio.new_event_loop()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=_plain(self.app), raise_app_exceptions=False),
            base_url="http://mock.test",
        )
        self._loop.run_until_complete(self.app.start())

    def close(self) -> None:
        """Ends the client and its loop."""
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()

    @property
    def world(self) -> World:
        """The world as it stands."""
        return self.mock.base.world

    def realm(self, api: str) -> Realm:
        """One API's part of it."""
        return self.world.realms[api]

    def token(self, api: str) -> str:
        """The development token of ``api``."""
        return self.mock.apis[api].dialect.development_token(self.realm(api))

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str | None] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Sends one request; ``more`` as for httpx (params, json, data, files, content)."""
        api = path.split("/")[1]
        sent: dict[str, str | None] = {"accept": "*/*"}
        if api in self.mock.apis:
            sent["authorization"] = f"Bearer {self.token(api)}"
        sent |= {key.lower(): value for key, value in (headers or {}).items()}
        request = self._client.build_request(
            method, path, headers={k: v for k, v in sent.items() if v is not None}, **more
        )
        for name, value in sent.items():
            if value is None and name in request.headers:
                del request.headers[name]
        return self._loop.run_until_complete(self._client.send(request))

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """POST."""
        return self.request("POST", path, **more)

    def advance(self, by: str) -> None:
        """Turns the clock forward by a duration such as ``10m`` and lets happen what is due."""
        self.world.clock.advance(parse_duration(by))
        self.world.settle()


def _plain(app: App) -> Any:
    """The application with plain header names: some keep their capitals on a real socket."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        async def send_plain(message: Any) -> None:
            if "headers" in message:
                names = [(bytes(name).lower(), value) for name, value in message["headers"]]
                message = {**message, "headers": names}
            await send(message)

        await app(scope, receive, send_plain)

    return wrapped


@contextmanager
def serve(
    *apis: str | Api,
    scenario: str | Mapping[str, Scenario] = "default",
    seed: int = 1,
    strict: bool = True,
    any_token: bool = False,
    clock: Mode = "frozen",
    options: Mapping[str, str] | None = None,
    body_max_bytes: int = 1024 * 1024,
) -> Iterator[Served]:
    """A fresh mock of ``apis`` (names or values); ``scenario`` is a name, or values by API."""
    loaded = [catalog.api(api) if isinstance(api, str) else api for api in apis]

    def load(api: str, name: str) -> Scenario:
        if not isinstance(scenario, str):
            return scenario[api]
        return catalog.scenario(api, name) if api in catalog.names() else Scenario(api, name, {})

    mock = Mock(
        loaded,
        load,
        settings=Settings(
            strict=strict,
            any_token=any_token,
            options=options or {},
            body_max_bytes=body_max_bytes,
        ),
        scenario=scenario if isinstance(scenario, str) else "default",
        seed=seed,
        clock=Clock(clock),
    )
    served = Served(mock)
    try:
        yield served
    finally:
        served.close()


if __name__ == "__main__":
    import sys

    import uvicorn

    with serve(sys.argv[1], clock="real", strict=False) as by_hand:
        uvicorn.run(by_hand.app, port=int(sys.argv[2]), access_log=False, ws="none")
