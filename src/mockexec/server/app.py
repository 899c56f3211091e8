"""The outermost ASGI application: finds the API of a request and hands it over.

::

    /{api}/docs, /{api}/openapi.json, /{api}/openapi.yaml    the documents, as they are
    /{api}/…                                                 that API's Connexion application
    /_mockexec/…                                             the control API
    /@name/…                                                 all of it, in a session of that name
    /…                                                       the only API, where there is one
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import orjson

from mockexec.http.call import Reply
from mockexec.server.connexion_app import Mount
from mockexec.server.control import make_control
from mockexec.server.docs import Docs
from mockexec.server.explain import Explainer, Place
from mockexec.server.fault_injection import cut
from mockexec.server.guard import denial
from mockexec.server.handlers import handlers_for
from mockexec.server.mock import CONTROL, Mock
from mockexec.server.pipeline import VISIT, Visit
from mockexec.server.replies import Send, send_reply
from mockexec.simulation.session import BadSessionName, SessionsFull

# Below the control API, what whoever looks after the process may always ask.
_OPEN = "/health"
_IMPORT_MAX_BYTES = 64 * 1024 * 1024


class App:
    """The ASGI application of one mock."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        settings = mock.settings
        self.control = control = make_control(mock, Explainer(mock.apis, self._place))
        apis = [*mock.apis.values(), control]
        self._mounts: dict[str, Mount] = {
            api.name: Mount(api, handlers_for(api), settings, mock.metrics)
            for api in mock.apis.values()
        }
        # No page on another origin has any business with the control API; and what it exports,
        # a whole world, it must take back.
        own = replace(
            settings, cors=False, body_max_bytes=max(settings.body_max_bytes, _IMPORT_MAX_BYTES)
        )
        self._mounts[CONTROL] = Mount(control, handlers_for(control), own, mock.metrics)
        self._docs = {api.name: Docs(api) for api in apis}
        self._only = next(iter(mock.apis)) if len(mock.apis) == 1 else None

    async def start(self) -> None:
        """Lets every application compile its plans, so that no request pays for it."""
        for mount in self._mounts.values():
            await mount.start()

    def __call__(self, scope: Any, receive: Any, send: Send) -> Awaitable[None]:
        """One request, or the server's start and end."""
        if scope["type"] == "http":
            return self._serve(scope, receive, send)
        return self._live(receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Send) -> None:
        raw_path: str = scope["raw_path"].decode("latin-1")
        prefix = ""
        headers = dict(scope["headers"])
        name_given = headers.get(b"mockexec-session")
        wanted = None if name_given is None else name_given.decode("latin-1")
        if raw_path.startswith("/@"):
            slash = raw_path.find("/", 2)
            prefix = raw_path if slash < 0 else raw_path[:slash]
            wanted, raw_path = unquote(prefix[2:]), raw_path[len(prefix) :] or "/"
        found = self._split(raw_path, prefix)
        if found is None:
            await send_reply(self._unknown(raw_path[1:].partition("/")[0]), (), send)
            return
        name, base_path, below = found
        if name == CONTROL and below != _OPEN:
            denied = denial(scope, self.mock.settings.control_token)
            if denied is not None:
                await send_reply(_denied(*denied), (), send)
                return
        session = self.mock.base
        if wanted is not None:
            try:
                session = self.mock.sessions.use(wanted)
            except (BadSessionName, SessionsFull) as error:
                status = 400 if isinstance(error, BadSessionName) else 429
                await send_reply(_plain(status, "session", str(error)), (), send)
                return
        docs = self._docs[name]
        if below in docs.paths:
            await docs.serve(scope, send, below, session.address(base_path), session)
            return
        visit = scope[VISIT] = Visit(session, base_path, below, headers)
        await self._mounts[name](scope, receive, send)
        if visit.is_cut:
            cut(scope)

    def _split(self, raw_path: str, prefix: str = "") -> tuple[str, str, str] | None:
        """(API, base path, path below it) of a raw path without its session's ``prefix``."""
        slash = raw_path.find("/", 1)
        name, below = (raw_path[1:], "/") if slash < 0 else (raw_path[1:slash], raw_path[slash:])
        if name in self._mounts:
            return name, f"{prefix}/{name}", below
        return None if self._only is None else (self._only, prefix, raw_path)

    def _place(self, raw_path: str) -> Place | None:
        """Where a request to one of the APIs would go; the control API is none of them."""
        found = self._split(raw_path)
        if found is None or found[0] == CONTROL:
            return None
        name, base_path, below = found
        return Place(self.mock.apis[name], self._mounts[name], base_path, below)

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


def _plain(status: int, error: str, message: str) -> Reply:
    return Reply(status, {"error": error, "message": message})


def _denied(status: int, message: str) -> Reply:
    """In the control API's own shape; a challenge where a token would help."""
    challenge = (("www-authenticate", "Bearer"),) if status == 401 else ()
    error = "unauthenticated" if status == 401 else "forbidden"
    return Reply(status, {"error": error, "message": message, "violations": []}, challenge)
