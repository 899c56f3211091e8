"""``serve --reload``: an application that is made anew when one of its documents has changed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mockexec.errors import MockexecError
from mockexec.server.app import App
from mockexec.server.replies import Send

logger = logging.getLogger("mockexec")

_Stamps = dict[Path, tuple[int, int]]


class Reloading:
    """An ASGI application around the one of ``make``.

    Each request looks whether a file has changed since, so that the first one after a change is
    answered from the new document. Its worlds begin anew. A document that cannot be read is
    reported once, and the last good one goes on.
    """

    def __init__(self, make: Callable[[], App]) -> None:
        self._make = make
        self.app = make()
        self._stamps = _stamps(self._files())

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        """One request, or the server's start and end."""
        if scope["type"] == "http":
            stamps = _stamps(self._stamps)
            if stamps != self._stamps:
                self._stamps = stamps
                await self._reload()
        await self.app(scope, receive, send)

    async def _reload(self) -> None:
        try:
            app = self._make()
        except MockexecError as error:
            logger.error("not reloaded: %s", error)  # noqa: TRY400  # the user's mistake, not ours
            return
        await app.start()
        self.app = app
        # A new document may refer to other files.
        self._stamps = _stamps(self._files())
        logger.warning("reloaded: %s", ", ".join(app.mock.apis))

    def _files(self) -> list[Path]:
        uris = [uri for api in self.app.mock.apis.values() for uri in api.document.files]
        return [Path(unquote(urlsplit(uri).path)) for uri in uris if uri.startswith("file:")]


def _stamps(files: _Stamps | list[Path]) -> _Stamps:
    """When each was changed, and its size; an editor may have taken one away for a moment."""
    found: _Stamps = {}
    for file in files:
        try:
            status = file.stat()
        except FileNotFoundError:
            found[file] = (0, 0)
        else:
            found[file] = (status.st_mtime_ns, status.st_size)
    return found
