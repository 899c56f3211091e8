"""What all impostors share: the way of a request up to its handler, time, ids and storage.

The order of refusals: 404 and 405, then 401 and 403, then 406, 413, 415 and 400, then the handler.
An API derives from ``Impostor``: it renders refusals in its vendor's words, knows its tokens, and
has one method per operation, named as the operation in snake case.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import sqlite3
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from tests.impostors.document import Document, Operation, Parameter, Problem, load

BODY_MAX = 1024 * 1024
DEPTH_MAX = 100
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii"}


class Refused(Exception):  # noqa: N818  # a refusal is an answer, not an error
    """A request that is answered with a status of 4xx.

    ``reason`` is a word for the API's own tables: ``unknown_path``, ``method_not_allowed``,
    ``not_acceptable``, ``too_large``, ``unsupported_media_type``, ``malformed_body``,
    ``missing_body``, ``invalid``, and whatever its handlers invent.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        problems: Iterable[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.problems = tuple(problems)
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Principal:
    """Who asks."""

    name: str
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Asked:
    """A request on its way to a handler; each step fills in what it finds."""

    request: Request
    # Scheme, host and base path: ``http://127.0.0.1:4711/sailpoint``.
    base_url: str
    # None for a path or method that the document does not have.
    operation: Operation | None = None
    principal: Principal | None = None
    # The media type of ``produces`` that the client likes best.
    accept: str = "application/json"
    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    # None when there is none.
    body: Any = None

    @property
    def caller(self) -> Principal:
        """Who asks, on an operation that needs to know."""
        assert self.principal is not None
        return self.principal

    @property
    def operation_id(self) -> str:
        """The operation's id; empty when the document does not have the operation."""
        return self.operation.id if self.operation else ""


@dataclass
class Answer:
    """What a handler returns: ``value`` becomes JSON, bytes stay as they are, None is no body."""

    status: int
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


class Ids:
    """Ids that nobody guesses and that are the same in every run."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def hex(self, digits: int = 32) -> str:
        """A fresh text of hexadecimal digits, 64 at most."""
        self._count += 1
        return hashlib.sha256(f"{self._seed}:{self._count}".encode()).hexdigest()[:digits]

    def uuid(self) -> str:
        """A fresh UUID of version 4."""
        return str(uuid.UUID(hex=self.hex(), version=4))

    def below(self, limit: int) -> int:
        """A whole number from 0 on, smaller than ``limit``."""
        return int(self.hex(12), 16) % limit

    def between(self, low: int, high: int) -> int:
        """A whole number, ``low`` and ``high`` included."""
        return low + self.below(high - low + 1)


class Impostor(ABC):
    """A server for one document."""

    # The API's name: that of its document, and the first segment of its paths.
    name: str

    def __init__(self, fault: str | None = None) -> None:
        self.fault = fault
        self.document: Document = load(self.name)
        self.ids = Ids(self.name)
        self.db = _database()
        self._last_ns = 0
        self.seed()

    def app(self) -> Starlette:
        """The server; it answers under ``/{name}``."""
        app = Starlette()
        # Not a route: those do not match a path with a line break in it.
        app.router.default = _Endpoint(self)
        return app

    @abstractmethod
    def seed(self) -> None:
        """Makes the tables and fills them with the past."""

    @abstractmethod
    def refusal(self, refused: Refused, asked: Asked) -> Answer:
        """The vendor's words for what is refused, with its headers."""

    @abstractmethod
    def authenticate(self, asked: Asked, schemes: tuple[Mapping[str, list[str]], ...]) -> Principal:
        """Who asks; called for operations that need to know.

        ``schemes`` are the alternatives of the document: scheme → scopes.

        Raises:
            Refused: 401 or 403.
        """

    def locate(self, path: str) -> str:
        """The path as the document writes it; still percent-encoded, without the base path."""
        return path

    def forgives(self, asked: Asked, problem: Problem) -> bool:  # noqa: ARG002  # for overriding
        """Whether a value that breaks the document is let through: a place for faults."""
        return False

    def now_ns(self) -> int:
        """The wall clock, in nanoseconds since 1970; every call gives a later one."""
        # A stand-in for a real server has the clock of one.
        now_ns = time.time_ns()  # noqa: TID251
        self._last_ns = max(now_ns, self._last_ns + 1)
        return self._last_ns

    def call(self, asked: Asked) -> Answer:
        """The operation's own answer."""
        assert asked.operation is not None
        handler = getattr(self, re.sub(r"(?<!^)(?=[A-Z])", "_", asked.operation.id).lower())
        answer: Answer = handler(asked)
        return answer


def rfc3339(at_ns: int, digits: int = 3) -> str:
    """A point in time in UTC, with so many digits after the second."""
    seconds, rest_ns = divmod(at_ns, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{rest_ns:09d}"[: digits + 1] if digits else ""
    return f"{text}{fraction}Z"


def bearer(request: Request) -> str | None:
    """The token of ``Authorization: Bearer …``; None without, or with another scheme."""
    scheme, _, value = request.headers.get("authorization", "").strip().partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value.strip() else None


def basic(request: Request) -> tuple[str, str] | None:
    """User and password of ``Authorization: Basic …``; None when it is not that."""
    scheme, _, value = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def _database() -> sqlite3.Connection:
    # One connection in the server's one thread; the tests make the app in another.
    db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    db.row_factory = sqlite3.Row
    return db


class _Endpoint:
    """The way of one request; an ASGI app, so that Starlette sends it every method."""

    def __init__(self, impostor: Impostor) -> None:
        self._impostor = impostor

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        root = f"{request.url.scheme}://{request.url.netloc}"
        asked = Asked(request, f"{root}/{self._impostor.name}")
        try:
            answer = await self._answer(asked)
        except Refused as refused:
            answer = self._impostor.refusal(refused, asked)
        await _response(answer)(scope, receive, send)

    async def _answer(self, asked: Asked) -> Answer:
        impostor = self._impostor
        operation, values = _route(impostor, asked)
        asked.operation = operation
        if operation.security and {} not in operation.security:
            asked.principal = impostor.authenticate(asked, operation.security)
        asked.accept = _negotiate(operation, asked.request)
        problems = list(_read_parameters(asked, operation, values))
        if operation.bodies:
            asked.body, found = await _read_body(asked.request, operation)
            problems += found
        problems = [one for one in problems if not impostor.forgives(asked, one)]
        if problems:
            message = "; ".join(f"{one.place} {one.message}" for one in problems)
            raise Refused(400, "invalid", message, problems=problems)
        return impostor.call(asked)


def _response(answer: Answer) -> Response:
    if answer.value is None:
        return Response(status_code=answer.status, headers=answer.headers)
    body = answer.value
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    # Not Starlette's own way, which adds a charset to some media types.
    headers = {**answer.headers, "content-type": answer.media_type}
    return Response(body, status_code=answer.status, headers=headers)


def _route(impostor: Impostor, asked: Asked) -> tuple[Operation, dict[str, str]]:
    raw: bytes = asked.request.scope.get("raw_path") or asked.request.url.path.encode()
    path = raw.decode("latin-1").partition("?")[0]
    base = f"/{impostor.name}"
    if not path.startswith(f"{base}/"):
        raise Refused(404, "unknown_path", "there is nothing here")
    path = impostor.locate(path.removeprefix(base))
    found = [
        (one, match.groupdict())
        for one in impostor.document.operations
        if (match := one.pattern.fullmatch(path))
    ]
    if not found:
        raise Refused(404, "unknown_path", "there is nothing here")
    for one in found:
        if one[0].method == asked.request.method:
            return one
    # Of the most literal path: `/a/{id}:cancel`, not `/a/{id}`.
    allow = ", ".join(sorted(one.method for one, _ in found if one.path == found[0][0].path))
    message = f"the method {asked.request.method} is not allowed here, only {allow}"
    raise Refused(405, "method_not_allowed", message, headers={"allow": allow})


def _negotiate(operation: Operation, request: Request) -> str:
    """RFC 9110, section 12.5.1: the media type with the highest weight, by the closest range."""
    accept = ",".join(request.headers.getlist("accept"))
    ranges = [_range(one) for one in accept.split(",") if one.strip()]
    if not ranges:
        return operation.produces[0]
    best = max(operation.produces, key=lambda media: _weight(media, ranges))
    if _weight(best, ranges) <= 0:
        message = f"Accept must allow one of: {', '.join(operation.produces)}"
        raise Refused(406, "not_acceptable", message)
    return best


def _range(text: str) -> tuple[str, float]:
    media, *settings = (piece.strip().lower() for piece in text.split(";"))
    weight = next((one[2:] for one in settings if one.startswith("q=")), "1")
    known = re.fullmatch(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?", weight)
    return media, float(weight) if known else 0.0


def _weight(media: str, ranges: list[tuple[str, float]]) -> float:
    for wanted in (media, f"{media.partition('/')[0]}/*", "*/*"):
        weights = [weight for one, weight in ranges if one == wanted]
        if weights:
            return max(weights)
    return 0.0


def _read_parameters(
    asked: Asked, operation: Operation, segments: Mapping[str, str]
) -> Iterable[Problem]:
    query, headers = _query(asked.request), asked.request.headers
    places = {"path": asked.path, "query": asked.query, "header": asked.headers}
    for one in operation.parameters:
        if one.location == "path":
            texts = [unquote_to_bytes(segments[one.name])]
        elif one.location == "query":
            texts = [value for name, value in query if name == one.name.encode()]
        else:
            texts = [text.encode("latin-1") for text in headers.getlist(one.name)]
        value, problems = _read_one(one, texts)
        places[one.location][one.name] = value
        yield from problems


def _read_one(parameter: Parameter, texts: list[bytes]) -> tuple[Any, list[Problem]]:
    place = (parameter.location, parameter.name)
    if not texts:
        problems = [Problem(*place, "", "is missing")] if parameter.required else []
        return parameter.default, problems
    try:
        decoded = [text.decode() for text in texts]
    except UnicodeDecodeError:
        if parameter.location != "header":
            return None, [Problem(*place, "", "must be UTF-8")]
        # HTTP says nothing of how headers are encoded; this reading never fails.
        decoded = [text.decode("latin-1") for text in texts]
    try:
        value = parameter.decode(decoded)
    except ValueError as error:
        return decoded[-1], [Problem(*place, "", str(error))]
    return value, list(parameter.checker.problems(value, *place))


def _query(request: Request) -> list[tuple[bytes, bytes]]:
    raw: bytes = request.scope["query_string"]
    pairs = (piece.partition(b"=") for piece in raw.split(b"&") if piece)
    return [(_unplus(name), _unplus(value)) for name, _, value in pairs]


def _unplus(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


async def _read_body(request: Request, operation: Operation) -> tuple[Any, list[Problem]]:
    data = await _bytes(request)
    if not data:
        if operation.body_required:
            raise Refused(400, "missing_body", "the body is missing")
        return None, []
    media = _media_type(request, operation)
    if media == "application/json":
        body = parse_json(data)
    elif media == "application/x-www-form-urlencoded":
        body = _parse_form(data)
    else:
        body = await _parse_multipart(request, data)
    return body, list(operation.bodies[media].problems(body, "body"))


async def _bytes(request: Request) -> bytes:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_MAX:
            raise Refused(413, "too_large", f"Request body must not exceed {BODY_MAX} bytes")
    return data


def _media_type(request: Request, operation: Operation) -> str:
    text = request.headers.get("content-type", "")
    media, *settings = (piece.strip() for piece in text.split(";"))
    media = media.lower()
    charsets = [one[8:].strip('"').lower() for one in settings if one.lower()[:8] == "charset="]
    if media not in operation.bodies or any(one not in _CHARSETS for one in charsets):
        message = f"Content-Type {text} is not supported" if text else "Content-Type is missing"
        raise Refused(415, "unsupported_media_type", message)
    return media


def parse_json(data: bytes) -> Any:
    """JSON as RFC 8259 has it, of bounded depth.

    Raises:
        Refused: it is not that.
    """
    try:
        value = json.loads(data.decode(), parse_constant=_no_constant, parse_float=_finite)
        # Lone surrogates can be written in JSON, and are no text.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refused(400, "malformed_body", "the body is not JSON") from error
    if not _is_shallow(value):
        raise Refused(400, "malformed_body", f"the body nests more than {DEPTH_MAX} levels")
    return value


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError(text)
    return value


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        level = [
            item
            for one in level
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return True
    return False


def _parse_form(data: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            data.decode(), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except ValueError as error:
        raise Refused(400, "malformed_body", "the body is not a form") from error
    return dict(pairs)


async def _parse_multipart(request: Request, data: bytes) -> dict[str, str]:
    async def again() -> dict[str, Any]:
        return {"type": "http.request", "body": data, "more_body": False}

    try:
        form = await Request(request.scope, again).form(max_fields=100)
        values = {
            name: value if isinstance(value, str) else (await value.read()).decode()
            for name, value in form.multi_items()
        }
        json.dumps(values, ensure_ascii=False).encode()
    except (MultiPartException, HTTPException, ValueError) as error:
        raise Refused(400, "malformed_body", "the body is not a form") from error
    return values
