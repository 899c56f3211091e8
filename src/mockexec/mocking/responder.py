"""Answers from the document alone, for operations that no dialect handles.

What can be known when the server starts is worked out then: which response, its examples that fit
their schemas, its headers. Only generating waits for the first request that needs it.

``Prefer: code=404, example=NAME, dynamic=true`` chooses among what is documented (RFC 7240 says
how the header is read).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from mockexec.errors import Violation
from mockexec.http.call import Call, Handler, Reply
from mockexec.http.negotiation import negotiate
from mockexec.http.refusal import Refusal, invalid
from mockexec.mocking.encoding import as_header, as_text, concrete, is_json
from mockexec.mocking.generate import Generator, NoValue
from mockexec.simulation.chance import Random
from mockexec.spec.operations import Header, MediaType, Operation, Response
from mockexec.spec.schemas import Schemas

logger = logging.getLogger("mockexec")

_BODILESS = (204, 205, 304)
# Headers that belong to the connection; the server writes them itself.
_CONNECTION_HEADERS = {
    "connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding",
}  # fmt: skip
# Names of examples that the document did not give.
_UNNAMED = ""
_HEADER_TRIES_MAX = 10
# What an operation answers whose document gives no response at all.
_UNDESCRIBED = Response("default", "", {}, {}, {}, "")


def answer_from_document(operation: Operation, schemas: Schemas) -> Handler:
    """The handler that answers ``operation`` as its document says, success unless told otherwise.

    It raises a Refusal where the request prefers what is not documented.
    """
    documented = operation.responses or {"default": _UNDESCRIBED}
    responses = {
        status: _Responder(operation, response, schemas) for status, response in documented.items()
    }
    status, usual = _usual(responses)
    purpose = f"generate/{operation.id}"

    async def handle(call: Call) -> Reply:
        wanted = preferences(call)
        if not wanted:
            return usual.reply(call, status, purpose, {})
        if "code" not in wanted:
            return usual.reply(call, status, purpose, wanted)
        code, chosen = _chosen(responses, wanted["code"])
        return chosen.reply(call, code, purpose, wanted)

    return handle


def _usual(responses: Mapping[str, _Responder]) -> tuple[int, _Responder]:
    """The lowest success; without one the lowest of the rest."""
    for first in "23":
        fitting = sorted(status for status in responses if status.startswith(first))
        if fitting:
            # 2XX sorts after every single status.
            return int(fitting[0].replace("X", "0")), responses[fitting[0]]
    if "default" in responses:
        return 200, responses["default"]
    status = min(responses)
    return int(status.replace("X", "0")), responses[status]


def _chosen(responses: Mapping[str, _Responder], code: str) -> tuple[int, _Responder]:
    if re.fullmatch(r"[2-5][0-9][0-9]", code):
        for status in (code, f"{code[0]}XX", "default"):
            if status in responses:
                return int(code), responses[status]
    documented = ", ".join(responses) or "none"
    raise _unfulfillable(f"code={code[:40]} is not documented; there are: {documented}")


def _unfulfillable(message: str) -> Refusal:
    return invalid([Violation("header", "Prefer", "", message)])


# Preferences (RFC 7240, section 2)

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_WORD = rf'(?:"((?:[^"\\]|\\.)*)"|({_NAME}))'
_PREFERENCE = re.compile(rf"[\s,]*({_NAME})(?:\s*=\s*{_WORD})?((?:\s*;[^,]*)?)\s*(?:,|$)")
_KNOWN = ("code", "example", "dynamic")


def preferences(call: Call) -> dict[str, str]:
    """The preferences that mean something here, names in lower case; of repeated ones the first."""
    found: dict[str, str] = {}
    for name, value in call.raw_headers:
        if name == b"prefer":
            for key, text in _parsed(value.decode("latin-1")):
                if key in _KNOWN:
                    found.setdefault(key, text)
    return found


def _parsed(header: str) -> Iterator[tuple[str, str]]:
    position = 0
    while match := _PREFERENCE.match(header, position):
        quoted = match[2]
        value = match[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        yield match[1].lower(), value or ""
        position = match.end()


def _applied(wanted: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """RFC 7240, section 3."""
    if not wanted:
        return ()
    return (("preference-applied", ", ".join(f"{key}={value}" for key, value in wanted.items())),)


# Responses


class _Responder:
    """One documented response."""

    def __init__(self, operation: Operation, response: Response, schemas: Schemas) -> None:
        self._label = f"{operation.id} {response.status}"
        self._bodies = {
            name: _BodyMaker(media, schemas, f"{self._label} {name}")
            for name, media in response.content.items()
        }
        self._offered = tuple(self._bodies)
        self._headers = [
            _HeaderMaker(header, schemas, self._label)
            for header in response.headers.values()
            if header.name.lower() not in _CONNECTION_HEADERS
        ]

    def reply(self, call: Call, status: int, purpose: str, wanted: Mapping[str, str]) -> Reply:
        """The response as ``status``."""
        random = _Once(call, purpose)
        made = (header.line(random) for header in self._headers)
        headers = (*(line for line in made if line is not None), *_applied(wanted))
        if status in _BODILESS or not self._bodies:
            if "example" in wanted:
                raise _unfulfillable(f"{self._label} has no body, so it has no examples")
            return Reply(status, headers=headers)
        media_type = self._media_type(call)
        body = self._bodies[media_type].body(random, wanted)
        return Reply(status, body, headers, concrete(media_type))

    def _media_type(self, call: Call) -> str:
        if call.accepts in self._bodies:
            return call.accepts
        # What was negotiated is for the success; another response may come in other types.
        return negotiate(call.raw_header(b"accept") or "", self._offered) or self._offered[0]


class _Once:
    """The generator of one reply, drawn from the world only if something needs it."""

    def __init__(self, call: Call, purpose: str) -> None:
        self._call = call
        self._purpose = purpose
        self._random: Random | None = None

    def get(self) -> Random:
        if self._random is None:
            self._random = self._call.realm.random(self._purpose)
        return self._random


class _BodyMaker:
    """The bodies of one media type."""

    def __init__(self, media: MediaType, schemas: Schemas, label: str) -> None:
        self._media = media
        self._schemas = schemas
        self._label = label
        self._examples = {
            name: self._encoded(value)
            for name, value in media.examples.items()
            if _fits(media, schemas, name, value, label)
        }
        self._generator: Generator | None = None

    def body(self, random: _Once, wanted: Mapping[str, str]) -> bytes:
        """The body that is wanted: a named example, a generated one, or the document's first."""
        if "example" in wanted:
            return self._named(wanted["example"])
        is_dynamic = wanted.get("dynamic", "false").lower() == "true"
        if not is_dynamic and self._examples:
            return self._first()
        if self._media.schema is None:
            return self._first() if self._examples else self._encoded({})
        try:
            return self._encoded(self._generate(random.get(), examples=not is_dynamic))
        except NoValue as reason:
            if self._examples:
                return self._first()
            logger.warning("%s: no example, and none can be made: %s", self._label, reason)
            raise Refusal("internal", f"no example, and none can be made: {reason}") from None

    def _named(self, name: str) -> bytes:
        if name in self._examples and name != _UNNAMED:
            return self._examples[name]
        there = ", ".join(name for name in self._examples if name != _UNNAMED) or "none"
        raise _unfulfillable(
            f"example={name[:80]} is not there for {self._label}; there are: {there}"
        )

    def _first(self) -> bytes:
        """Named ones stand before the single example, that before the schema's own."""
        own = self._examples.keys() & {"default"}
        names = [name for name in self._examples if name not in own] or [*self._examples]
        return self._examples[names[0]]

    def _generate(self, random: Random, *, examples: bool) -> Any:
        assert self._media.schema is not None  # noqa: S101  # asked before
        if self._generator is None:
            self._generator = Generator(self._schemas, self._media.schema)
        return self._generator.value(random, examples=examples)

    def _encoded(self, value: Any) -> bytes:
        name = self._media.name
        return orjson.dumps(value) if is_json(name) else as_text(name, value)


def _fits(media: MediaType, schemas: Schemas, name: str, value: Any, label: str) -> bool:
    """Whether an example may be sent; one that breaks its schema is passed over, and said."""
    if media.schema is None:
        return True
    if not is_json(media.name) and isinstance(value, str):
        return True  # a text in the format itself, which no schema describes
    violations = schemas.validator(media.schema, "response").violations(value)
    if violations:
        first = violations[0]
        logger.warning(
            "%s: the example %r breaks its schema and is not used: %s %s",
            label, name, first.pointer, first.message,
        )  # fmt: skip
    return not violations


class _HeaderMaker:
    """One documented header."""

    def __init__(self, header: Header, schemas: Schemas, label: str) -> None:
        self._name = header.name.lower()
        self._required = header.required
        self._schema = header.schema
        self._schemas = schemas
        self._label = label
        self._text = self._example(header)
        self._generator: Generator | None = None

    def _example(self, header: Header) -> str | None:
        for name, value in header.examples.items():
            if self._schema is not None:
                validator = self._schemas.validator(self._schema, "response")
                if not validator.is_valid(value):
                    logger.warning(
                        "%s: the example %r of the header %s breaks its schema and is not used",
                        self._label, name, header.name,
                    )  # fmt: skip
                    continue
            text = as_header(value)
            if text is not None:
                return text
        return None

    def line(self, random: _Once) -> tuple[str, str] | None:
        """The header, or None where nothing can be made of an optional one."""
        if self._text is not None:
            return self._name, self._text
        text = self._generated(random)
        if text is None and self._required:
            raise Refusal("internal", f"{self._label}: no value for the header {self._name}")
        return None if text is None else (self._name, text)

    def _generated(self, random: _Once) -> str | None:
        if self._schema is None:
            return "value" if self._required else None
        try:
            if self._generator is None:
                self._generator = Generator(self._schemas, self._schema)
            for _ in range(_HEADER_TRIES_MAX):
                text = as_header(self._generator.value(random.get(), name=self._name))
                if text is not None:
                    return text
        except NoValue:
            return None
        return None
