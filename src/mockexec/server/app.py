"""The outermost ASGI application: finds the API of a request and hands it over.

::

    /{api}/docs, /{api}/openapi.json, /{api}/openapi.yaml    the documents, as they are
    /{api}/…                                                 that API's Connexion application
    /_mockexec/…                                             the control API
    /@name/…                                                 all of it, in a session of that name
    /…                                                       the only API, where there is one
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from mockexec.http.call import Reply
from mockexec.server.connexion_app import connexion_app
from mockexec.server.control import make_control
from mockexec.server.docs import Docs
from mockexec.server.handlers import handlers_for
from mockexec.server.mock import Mock
from mockexec.server.pipeline import VISIT, Visit
from mockexec.server.replies import Send, send_reply
from mockexec.simulation.session import BadSessionName, SessionsFull


class App:
    """The ASGI application of one mock."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        settings = mock.settings
        control = make_control(mock)
        apis = [*mock.apis.values(), control]
        self._mounts: dict[str, Any] = {
            api.name: connexion_app(api, handlers_for(api), settings) for api in mock.apis.values()
        }
        # No page on another origin has any business with the control API.
        self._mounts[control.name] = connexion_app(
            control, handlers_for(control), replace(settings, cors=False)
        )
        self._docs = {api.name: Docs(api) for api in apis}
        self._only = next(iter(mock.apis)) if len(mock.apis) == 1 else None

    async def start(self) -> None:
        """Lets every application compile its plans, so that no request pays for it."""
        for app in self._mounts.values():
            # Connexion builds its stack at the first call, whatever it is; this one asks nothing.
            await app({"type": "lifespan"}, _receive_nothing, _send_nowhere)

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        """One request, or the server's start and end."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Send) -> None:
        raw_path: str = scope["raw_path"].decode("latin-1")
        prefix = ""
        session = self.mock.base
        wanted = _session_header(scope["headers"])
        if raw_path.startswith("/@"):
            slash = raw_path.find("/", 2)
            prefix = raw_path if slash < 0 else raw_path[:slash]
            wanted, raw_path = prefix[2:], raw_path[len(prefix) :] or "/"
        if wanted:
            try:
                session = self.mock.sessions.use(wanted)
            except (BadSessionName, SessionsFull) as error:
                status = 400 if isinstance(error, BadSessionName) else 429
                await send_reply(_plain(status, "session", str(error)), (), send)
                return
        slash = raw_path.find("/", 1)
        name, below = (raw_path[1:], "/") if slash < 0 else (raw_path[1:slash], raw_path[slash:])
        base_path = f"{prefix}/{name}"
        mount = self._mounts.get(name)
        if mount is None:
            if self._only is None:
                await send_reply(self._unknown(name), (), send)
                return
            name, below, base_path = self._only, raw_path, prefix
            mount = self._mounts[name]
        docs = self._docs[name]
        if below in docs.paths:
            await docs.serve(scope, send, below, base_path, session)
            return
        scope[VISIT] = Visit(session, base_path, below)
        await mount(scope, receive, send)

    def _unknown(self, name: str) -> Reply:
        served = [f"/{key}" for key in self._mounts]
        body = {"error": "not_found", "message": f"nothing is served at /{name[:100]}"}
        return Reply(404, orjson.dumps({**body, "served": served}))

    async def _live(self, receive: Any, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await send({"type": "lifespan.shutdown.complete"})
                return


def _session_header(headers: list[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name == b"mockexec-session":
            return value.decode("latin-1")
    return ""


def _plain(status: int, error: str, message: str) -> Reply:
    return Reply(status, {"error": error, "message": message})


async def _receive_nothing() -> dict[str, Any]:
    return {"type": "lifespan.startup"}


async def _send_nowhere(message: Any) -> None:
    del message
