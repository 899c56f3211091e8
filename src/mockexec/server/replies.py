"""Replies: checked against the document, encoded, sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import orjson

from mockexec.errors import Violation
from mockexec.http.call import Reply
from mockexec.http.remembered import Shared
from mockexec.spec.operations import Operation, Response
from mockexec.spec.schemas import Schemas, Validator

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# What a browser on another origin needs to read a reply.
CORS = (
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "*, Authorization"),
)
_BODILESS = {204, 304}
_NEVER_A_BODY = {204, 205, 304}
_SENT_BY_THE_SERVER = {"connection", "content-length", "content-type", "date"}


class _ResponseChecker:
    """One documented response."""

    __slots__ = ("_bodiless", "_headers", "_ranges", "_validators")

    def __init__(self, operation: Operation, response: Response, schemas: Schemas) -> None:
        self._bodiless = operation.method == "HEAD"
        self._validators: dict[str, Validator | None] = {
            name.partition(";")[0].strip(): (
                schemas.validator(media.schema, "response") if media.schema else None
            )
            for name, media in response.content.items()
        }
        self._headers = tuple(
            name
            for header in response.headers.values()
            if header.required and (name := header.name.lower()) not in _SENT_BY_THE_SERVER
        )
        self._ranges = tuple(name for name in self._validators if "*" in name)

    def check(self, reply: Reply) -> list[Violation]:
        body = reply.body
        if type(body) is Shared:
            if self in body.checked_by and not self._headers:
                return []
            found = self.check(reply._replace(body=body.value))
            if not found:
                body.checked_by.append(self)
            return found
        found = []
        if self._headers:
            sent = {name.lower() for name, _ in reply.headers}
            found = [
                Violation("response", name, "", f"header {name} is missing")
                for name in self._headers
                if name not in sent
            ]
        if type(body) is bytes and not body:
            # Also where the status falls under a range or `default`, which has a body.
            if self._validators and not self._bodiless and reply.status not in _NEVER_A_BODY:
                found.append(Violation("response", "", "", "has no body, one is documented"))
            return found
        essence: str | None = reply.media_type
        if essence not in self._validators:
            essence = self._documented(reply.media_type.partition(";")[0])
        if essence is None:
            message = f"has the undocumented media type {reply.media_type}"
            return [*found, Violation("response", "", "", message)]
        validator = self._validators[essence]
        if validator is None or type(body) is bytes or validator.is_valid(body):
            return found
        return found + validator.violations(body, location="response")

    def _documented(self, essence: str) -> str | None:
        """The documented media type, or range of them, that ``essence`` belongs to."""
        if essence in self._validators:
            return essence
        return next((name for name in self._ranges if fnmatchcase(essence, name)), None)


class ReplyChecker:
    """All documented responses of an operation: exact status first, then ranges, then default."""

    __slots__ = ("_by_status", "_ranges")

    def __init__(self, operation: Operation, schemas: Schemas) -> None:
        checkers = {
            status.upper(): _ResponseChecker(operation, response, schemas)
            for status, response in operation.responses.items()
        }
        self._by_status = {int(key): value for key, value in checkers.items() if key.isdecimal()}
        self._ranges = {key: value for key, value in checkers.items() if not key.isdecimal()}

    def check(self, reply: Reply) -> list[Violation]:
        """How ``reply`` breaks the document; empty when it does not."""
        checker = self._by_status.get(reply.status) or self._ranged(reply.status)
        if checker is None:
            message = f"has the undocumented status {reply.status}"
            return [Violation("response", "", "", message)]
        return checker.check(reply)

    def _ranged(self, status: int) -> _ResponseChecker | None:
        return self._ranges.get(f"{status // 100}XX") or self._ranges.get("DEFAULT")


class _AsWritten(bytes):
    """A header name that keeps its capitals: uvicorn lowers the names it is given, and some
    clients look a header up exactly as the vendor's document writes it.
    """

    def lower(self) -> bytes:
        return self


@lru_cache(maxsize=256)
def _header_bytes(name: str, value: str) -> tuple[bytes, bytes]:
    encoded = name.encode("latin-1")
    return encoded if name.islower() else _AsWritten(encoded), value.encode("latin-1", "replace")


def encode(reply: Reply, extra: tuple[tuple[str, str], ...]) -> tuple[bytes, list[Any]]:
    """(body, headers) as they go on the wire."""
    status, content, headers, media_type = reply
    if type(content) is bytes:
        body = content
    else:
        body = content.encoded if type(content) is Shared else orjson.dumps(content)
    sent: list[tuple[bytes, bytes]] = []
    if status not in _BODILESS:
        if body:
            sent.append(_header_bytes("content-type", media_type))
        sent.append((b"content-length", b"%d" % len(body)))
    if headers or extra:
        sent += [_header_bytes(name, value) for name, value in headers + extra]
    return body, sent


async def send_reply(reply: Reply, extra: tuple[tuple[str, str], ...], send: Send) -> None:
    """Sends ``reply`` with ``extra`` headers."""
    body, headers = encode(reply, extra)
    await send_whole(reply.status, headers, body, send)


async def send_whole(status: int, headers: list[Any], body: bytes, send: Send) -> None:
    """Sends what ``encode`` made."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
