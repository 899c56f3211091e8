"""Request bodies: read within bounds, decoded by their media type, checked against the document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from fnmatch import fnmatchcase
from io import BytesIO
from typing import Any

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from mockexec.errors import Violation
from mockexec.http.call import Call
from mockexec.http.negotiation import parse_content_type
from mockexec.http.refusal import Refusal, invalid
from mockexec.server.nested_forms import Branch, gathered, grow
from mockexec.server.parameters import (
    Undecodable,
    item_types,
    property_shape,
    scalar,
    unquote,
)
from mockexec.spec.operations import Body, MediaType
from mockexec.spec.schemas import Schemas, Shape, Validator

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

DEPTH_MAX = 150
_FORM_FIELDS_MAX = 1000
_NAMED_MAX = 32
_NAMED_LENGTH_MAX = 80
_UTF8 = {"utf-8", "utf8", "us-ascii", "ascii"}


class ClientGone(Exception):  # noqa: N818  # it names what happened
    """The client closed the connection before its request was whole."""


async def read_body(receive: Receive, declared: bytes | None, max_bytes: int) -> bytes:
    """The whole body.

    Raises:
        Refusal: it is larger than ``max_bytes``, by its Content-Length or in fact.
        ClientGone: it never came to its end.
    """
    if declared is not None and declared.isdigit() and int(declared[:20]) > max_bytes:
        raise _too_large(max_bytes)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        return body
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        if size > max_bytes:
            raise _too_large(max_bytes)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    if size > max_bytes:
        raise _too_large(max_bytes)
    return b"".join(chunks)


def _too_large(max_bytes: int) -> Refusal:
    # The rest of the body is not read, so the connection cannot be used again.
    return Refusal(
        "too_large",
        f"the body is larger than {max_bytes} bytes",
        headers=(("connection", "close"),),
    )


class BodyReader:
    """The request body of one operation, ready to run."""

    __slots__ = ("_body", "_exact", "_max_bytes", "_named_before", "_ranges", "_strict")

    def __init__(self, body: Body, schemas: Schemas, *, strict: bool, max_bytes: int) -> None:
        self._body = body
        self._max_bytes = max_bytes
        self._strict = strict
        decoders = {name: _Decoder(media, schemas) for name, media in body.content.items()}
        essences = {name.partition(";")[0].strip(): d for name, d in decoders.items()}
        self._exact = {name: d for name, d in essences.items() if "*" not in name}
        self._ranges = [(name, d) for name, d in essences.items() if "*" in name]
        # By Content-Type as clients wrote it lately.
        self._named_before: dict[bytes, tuple[str, _Decoder]] = {}

    async def read(self, call: Call, receive: Receive) -> tuple[Violation, ...]:
        """Sets ``call.body`` and ``call.content_type``; returns notes on unknown properties.

        Raises:
            Refusal: too large, of an unsupported type, malformed, or against its schema.
        """
        content_type = call.headers.get(b"content-type")
        length = call.headers.get(b"content-length")
        raw = call.raw_body = await read_body(receive, length, self._max_bytes)
        if not raw and content_type is None:
            return self._empty()
        named = self._named_before.get(content_type) if content_type is not None else None
        call.content_type, decoder = named or self._decoder_for(content_type)
        if not raw and not decoder.takes_empty:
            return self._empty()
        # Set before it is checked: a dialect may want to look at a body that it refuses.
        value = call.body = decoder.decode(raw, content_type or b"")
        validator = decoder.validator
        if validator is not None:
            seen = decoder.view(value) if decoder.has_uploads else value
            if not validator.is_valid(seen):
                raise invalid(validator.violations(seen))
        known = decoder.known
        if not known or type(value) is not dict or value.keys() <= known:
            return ()
        notes = tuple(_unknown(key) for key in value if key not in known)
        if self._strict:
            raise invalid(notes)
        return notes

    def _empty(self) -> tuple[Violation, ...]:
        if self._body.required:
            violation = Violation("body", "", "", "is missing")
            raise Refusal("missing_body", "body is missing", violations=(violation,))
        return ()

    def _decoder_for(self, header: bytes | None) -> tuple[str, _Decoder]:
        """The media type without its parameters, and what reads it."""
        offered = ", ".join(self._body.content)
        if header is None:
            raise Refusal(
                "unsupported_media_type", f"Content-Type is missing; send one of: {offered}"
            )
        essence, parameters = parse_content_type(header.decode("latin-1"))
        charset = parameters.get("charset", "utf-8").lower()
        if charset not in _UTF8:
            raise Refusal(
                "unsupported_media_type", f"charset {charset[:40]!r} is not supported; send utf-8"
            )
        ranged = (d for pattern, d in self._ranges if fnmatchcase(essence, pattern))
        decoder = self._exact.get(essence) or next(ranged, None)
        if decoder is None:
            raise Refusal(
                "unsupported_media_type",
                f"Content-Type {essence[:80]!r} is not supported; send one of: {offered}",
            )
        if len(self._named_before) < _NAMED_MAX and len(header) <= _NAMED_LENGTH_MAX:
            self._named_before[header] = essence, decoder
        return essence, decoder


class Upload(bytes):
    """A file of a multipart form: its bytes, with ``filename`` and ``content_type``."""

    filename: str = ""
    content_type: str = ""


class _Decoder:
    """One media type of a body."""

    __slots__ = ("_decode", "has_uploads", "known", "takes_empty", "validator")

    def __init__(self, media: MediaType, schemas: Schemas) -> None:
        essence = media.name.partition(";")[0].strip()
        reference = media.schema
        shape = schemas.shape(reference) if reference is not None else None
        self.validator: Validator | None = (
            schemas.validator(reference, "request") if reference is not None else None
        )
        closed = shape is not None and shape.additional is None
        # The top-level properties that the document names, unless it admits others.
        self.known = frozenset(shape.properties) if shape is not None and closed else None
        self.takes_empty = False
        self.has_uploads = essence == "multipart/form-data"
        self._decode: Callable[[bytes, bytes], Any]
        if essence == "application/json" or essence.endswith("+json"):
            self._decode = _decode_json
        elif essence == "application/x-www-form-urlencoded":
            self._decode = lambda raw, _: _decode_form(raw, media, shape)
        elif essence == "multipart/form-data":
            self._decode = lambda raw, header: _decode_multipart(raw, header, shape)
        elif essence.startswith("text/"):
            self._decode = _decode_text
        else:
            # Bytes have no JSON form: a schema for them can only say that they are binary.
            self._decode = lambda raw, _: raw
            self.validator = None

    def decode(self, raw: bytes, content_type: bytes) -> Any:
        """The value; raises Refusal when the bytes are not of the media type."""
        try:
            return self._decode(raw, content_type)
        except (Undecodable, UnicodeDecodeError, orjson.JSONDecodeError, FormParserError) as error:
            reason = (
                f"must be UTF-8 text: {error.reason}"
                if isinstance(error, UnicodeDecodeError)
                else str(error)
            )
            violation = Violation("body", "", "", reason)
            raise Refusal(
                "malformed_body", f"body cannot be read: {reason}", violations=(violation,)
            ) from None

    def view(self, value: Any) -> Any:
        """``value`` as JSON Schema sees it: a file counts as a string."""
        if isinstance(value, dict) and any(_has_upload(part) for part in value.values()):
            return {key: _as_text(part) for key, part in value.items()}
        return value


def _unknown(key: str) -> Violation:
    """A note on a top-level property that the document does not name."""
    return Violation("body", "", f"/{key[:100]}", "is not a property that the document knows")


def _has_upload(value: Any) -> bool:
    return isinstance(value, Upload) or (
        isinstance(value, list) and any(isinstance(item, Upload) for item in value)
    )


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return value.decode("latin-1") if isinstance(value, Upload) else value


def _decode_json(raw: bytes, _header: bytes) -> Any:
    # orjson refuses NaN, infinities, lone surrogates, what is not UTF-8 and depth over 1024.
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"must be JSON: {error}") from None
    if raw.count(b"[") + raw.count(b"{") > DEPTH_MAX and _is_deeper(value, DEPTH_MAX):
        raise Undecodable(f"must be JSON: nested deeper than {DEPTH_MAX} levels")
    return value


def _is_deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in {dict, list}
        ]
        if not level:
            return False
    return True


def _decode_text(raw: bytes, _header: bytes) -> str:
    return raw.decode()


def _decode_form(raw: bytes, media: MediaType, shape: Shape | None) -> dict[str, Any]:
    fields: dict[str, list[str]] = {}
    pairs = raw.decode("ascii", "surrogateescape").split("&") if raw else []
    if len(pairs) > _FORM_FIELDS_MAX:
        raise Undecodable(f"must have at most {_FORM_FIELDS_MAX} form fields")
    for pair in pairs:
        if pair:
            name, _, text = pair.partition("=")
            fields.setdefault(_form_text(name), []).append(text)
    value: dict[str, Any] = {}
    tree: Branch = {}
    for name, texts in fields.items():
        if _is_deep(name, media):
            grow(tree, name, [_form_text(text) for text in texts])
            continue
        inner = property_shape(shape, name)
        encoding = media.encoding.get(name)
        exploded = encoding.explode if encoding is not None else True
        value[name] = _form_value(name, texts, inner, exploded=exploded)
    for name, node in tree.items():
        value[name] = gathered(node, property_shape(shape, name), name)
    return value


def _is_deep(name: str, media: MediaType) -> bool:
    """Whether a field is, or is a part of, one that the document has spelled out in parts."""
    encoding = media.encoding.get(name.partition("[")[0])
    return encoding is not None and encoding.style == "deepObject"


def _form_value(name: str, texts: Sequence[str], shape: Shape | None, *, exploded: bool) -> Any:
    admitted = shape.types if shape is not None else frozenset()
    if "array" in admitted:
        items = texts if exploded else texts[0].split(",")
        types = item_types(shape)
        return [scalar(_form_text(text), types) for text in items]
    if len(texts) > 1:
        if admitted:
            raise Undecodable(f"form field {name[:80]} must be given once")
        # Where any value will do, a list will.
        return [_form_text(text) for text in texts]
    text = _form_text(texts[0])
    if "object" in admitted:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise Undecodable(f"form field {name[:80]} must be JSON: {error}") from None
    return scalar(text, admitted)


def _form_text(text: str) -> str:
    if not text.isascii():
        # A body that was not percent-encoded after all: take its bytes as they are.
        text = text.encode("ascii", "surrogateescape").decode()
        return text.replace("+", " ")
    return unquote(text, plus=True)


def _decode_multipart(raw: bytes, header: bytes, shape: Shape | None) -> dict[str, Any]:
    _, options = parse_options_header(header)
    boundary = options.get(b"boundary")
    if not boundary:
        raise Undecodable("must be multipart/form-data with a boundary in its Content-Type")
    value: dict[str, Any] = {}
    for name, part in _parts(raw, boundary):
        inner = property_shape(shape, name)
        admitted = inner.types if inner is not None else frozenset()
        decoded: Any = part
        if not isinstance(part, Upload):
            decoded = _part_value(part, item_types(inner) if "array" in admitted else admitted)
        if "array" in admitted:
            value.setdefault(name, []).append(decoded)
        elif name not in value:
            value[name] = decoded
        elif admitted:
            raise Undecodable(f"form field {name[:80]} must be given once")
        else:
            before = value[name]
            value[name] = [*(before if isinstance(before, list) else [before]), decoded]
    return value


def _part_value(part: bytes, types: frozenset[str]) -> Any:
    if "object" in types:
        return orjson.loads(part)
    return scalar(part.decode(), types)


def _parts(raw: bytes, boundary: bytes) -> list[tuple[str, bytes]]:
    """(field name, content) of every part; content is an ``Upload`` for files."""
    collector = _PartCollector()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": collector.begin,
            "on_header_field": collector.header_field,
            "on_header_value": collector.header_value,
            "on_header_end": collector.header_end,
            "on_part_data": collector.data,
            "on_part_end": collector.end,
            "on_end": collector.finish,
        },
    )
    parser.write(raw)
    parser.finalize()
    if not collector.finished:
        raise Undecodable("must end with the closing boundary")
    return collector.parts


class _PartCollector:
    """Callbacks of the multipart parser."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, bytes]] = []
        self.finished = False
        self._field = BytesIO()
        self._value = BytesIO()
        self._content = BytesIO()
        self._headers: dict[bytes, bytes] = {}

    def begin(self) -> None:
        if len(self.parts) >= _FORM_FIELDS_MAX:
            raise Undecodable(f"must have at most {_FORM_FIELDS_MAX} form fields")
        self._headers, self._content = {}, BytesIO()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._field.write(data[start:end])

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value.write(data[start:end])

    def header_end(self) -> None:
        self._headers[self._field.getvalue().lower()] = self._value.getvalue()
        self._field, self._value = BytesIO(), BytesIO()

    def data(self, data: bytes, start: int, end: int) -> None:
        self._content.write(data[start:end])

    def end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name")
        if name is None:
            raise Undecodable("must name every part in its Content-Disposition")
        content: bytes = self._content.getvalue()
        if b"filename" in options:
            upload = Upload(content)
            upload.filename = options[b"filename"].decode("utf-8", "replace")
            upload.content_type = self._headers.get(b"content-type", b"").decode("latin-1")
            content = upload
        self.parts.append((name.decode(), content))

    def finish(self) -> None:
        self.finished = True
