"""What an API says of itself: its document, and Swagger UI over it, without any network.

::

    {base}/openapi.json, {base}/openapi.yaml    the document
    {base}/docs                                 Swagger UI, the development token filled in
    {base}/<file>                               further files that the document refers to
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import orjson

from mockexec.api import Api
from mockexec.server.published import Published
from mockexec.server.replies import Send
from mockexec.simulation.session import Session

_STATIC = Path(__file__).parent / "static"
# Media types as registered; YAML's is of RFC 9512.
_JSON, _YAML, _HTML = "application/json", "application/yaml", "text/html; charset=utf-8"
_STATIC_FILES = {
    "swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "favicon.png": ("swagger-ui/favicon-32x32.png", "image/png"),
    "start.js": ("start.js", "text/javascript; charset=utf-8"),
}
# Swagger UI sets style attributes and shows its icons from data: URLs; it needs nothing else.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="{base_path}/docs/favicon.png">
<link rel="stylesheet" href="{base_path}/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui" data-config="{config}"></div>
<script src="{base_path}/docs/swagger-ui-bundle.js"></script>
<script src="{base_path}/docs/start.js"></script>
</body>
</html>
"""


class _Page(NamedTuple):
    """A ready answer. ``headers`` are those that its kind has beyond the usual."""

    body: bytes
    media_type: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


_Maker = Callable[[str, Session], _Page]


class Docs:
    """The pages about one API. ``paths`` are the raw paths below its base that they answer at.

    An operation of the document at one of these paths comes first: the page is then left out.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._published = Published(api)
        own = {operation.path for operation in api.operations}
        self._makers: Mapping[str, _Maker] = {
            path: maker for path, maker in self._pages().items() if path not in own
        }
        self.paths = frozenset(self._makers)

    async def serve(
        self,
        scope: Any,
        send: Callable[[Any], Awaitable[None]],
        below: str,
        base_path: str,
        session: Session,
    ) -> None:
        """Answers GET and HEAD of ``below``, one of ``paths``, for a reader at ``base_path``."""
        if scope["method"] not in {"GET", "HEAD"}:
            await _send_other_method(send)
            return
        page = self._makers[below](base_path, session)
        etag = b'"' + blake2b(page.body, digest_size=16).hexdigest().encode() + b'"'
        known = next((value for name, value in scope["headers"] if name == b"if-none-match"), b"")
        # Always asked for anew and answered 304: a document on a developer's machine changes.
        headers = [(b"etag", etag), (b"cache-control", b"no-cache"), *page.headers]
        if etag in known or known == b"*":
            await _send(send, 304, headers, b"")
            return
        headers += [
            (b"content-type", page.media_type.encode()),
            (b"content-length", str(len(page.body)).encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        await _send(send, 200, headers, b"" if scope["method"] == "HEAD" else page.body)

    def _pages(self) -> dict[str, _Maker]:
        published = self._published
        pages: dict[str, _Maker] = {
            **self._further_files(),
            "/openapi.json": lambda base, _: _Page(published.json(base), _JSON),
            "/openapi.yaml": lambda base, _: _Page(published.yaml(base), _YAML),
            "/docs": self._page,
            "/docs/": self._page,
        }
        for name in _STATIC_FILES:
            pages[f"/docs/{name}"] = _static_maker(name)
        return pages

    def _further_files(self) -> dict[str, _Maker]:
        """The document's other files, where a reader of ``/openapi.json`` looks for them."""
        folder, _, _ = self._api.document.uri.rpartition("/")
        pages: dict[str, _Maker] = {}
        for uri, data in self._api.document.files.items():
            path = uri.removeprefix(folder)
            if uri not in {path, self._api.document.uri}:
                pages[path] = _file_maker(path, data)
        return pages

    def _page(self, base_path: str, session: Session) -> _Page:
        api = self._api
        config = {
            "url": f"{base_path}/openapi.json",
            "base": base_path or "/",
            "token": api.dialect.development_token(session.world.realms[api.name]),
            "schemes": {name: scheme.raw for name, scheme in api.security_schemes.items()},
        }
        text = _PAGE.format(
            title=html.escape(api.title),
            base_path=html.escape(base_path),
            config=html.escape(orjson.dumps(config).decode()),
        )
        policy = (b"content-security-policy", _PAGE_POLICY.encode())
        return _Page(text.encode(), _HTML, (policy,))


def _file_maker(path: str, data: Any) -> _Maker:
    """A further file of a document, as JSON, which is YAML too."""
    media_type = _JSON if PurePosixPath(path).suffix == ".json" else _YAML
    return lambda _base, _session: _Page(orjson.dumps(data), media_type)


def _static_maker(name: str) -> _Maker:
    return lambda _base, _session: _static(name)


@cache
def _static(name: str) -> _Page:
    """One of Swagger UI's files, or ours: read at the first request, shared by all APIs."""
    file, media_type = _STATIC_FILES[name]
    return _Page((_STATIC / file).read_bytes(), media_type)


async def _send_other_method(send: Send) -> None:
    body = orjson.dumps({"error": "method_not_allowed", "message": "only GET and HEAD are allowed"})
    headers = [
        (b"allow", b"GET, HEAD"),
        (b"content-type", _JSON.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await _send(send, 405, headers, body)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
