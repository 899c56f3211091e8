"""Whether an answer is one that the document describes: status, media type, headers, body.

Every answer that any check gets comes through here, so that a field that vanishes in one state only
is found by whoever happens to bring an execution into that state.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from mockexec.api import Api
from mockexec.errors import Violation
from mockexec.spec.operations import Header, MediaType, Operation, Response
from mockexec.verify import signs
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.target import Exchanged

_BODILESS = {204, 205, 304}
# Sent by the server below the application, or told by ``content`` already.
_NOT_CHECKED = {"connection", "content-length", "content-type", "date"}
_INTEGER = re.compile(r"[+-]?\d{1,30}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Conformance:
    """Compares answers with one document.

    ``word`` reads the state off an execution, None where a value is none: it stands in titles.
    """

    api: Api
    word: Callable[[Any], str | None] = lambda _value: None

    def findings(
        self, operation: Operation, exchanged: Exchanged, *, odd: str = ""
    ) -> Iterator[Finding]:
        """What is wrong with the answer; ``odd``: what was out of the ordinary in the request."""
        for problem in self._problems(operation, exchanged, odd):
            yield Finding(
                check="conformance",
                title=problem.title,
                severity=problem.severity,
                operation=operation.id,
                expected=problem.expected,
                got=problem.got,
                pointer=problem.pointer,
                exchanges=(exchanged,),
                cause=problem.cause or problem.title,
                symptom=problem.symptom,
            )

    def _problems(self, operation: Operation, exchanged: Exchanged, odd: str) -> Iterator[_Problem]:
        status = exchanged.status
        if status >= 500:
            yield _Problem(
                f"{operation.id} fails with {status}" + (f" on {odd}" if odd else ""),
                "an answer that the document describes",
                f"{status} {exchanged.text[:200]}",
                operation.pointer,
                Severity.CRITICAL,
                # One broken place answers 500 to many requests: what was odd tells them apart.
                f"{status} {odd}",
                symptom=signs.answered(exchanged),
            )
            return
        response = described(operation, status)
        if response is None:
            if status < 400 or self.api.dialect.documents_refusals:
                known = ", ".join(operation.responses)
                yield _Problem(
                    f"{operation.id} answers {status}, which the document does not have"
                    + (f", to {odd}" if odd else ""),
                    f"one of {known}",
                    f"{status} {exchanged.text[:200]}",
                    f"{operation.pointer}/responses",
                    cause=f"undocumented {status}",
                    symptom=signs.answered(exchanged),
                )
            return
        yield from self._headers(operation, response, exchanged)
        yield from self._body(operation, response, exchanged)

    def _headers(
        self, operation: Operation, response: Response, exchanged: Exchanged
    ) -> Iterator[_Problem]:
        for header in response.headers.values():
            name = header.name.lower()
            if name in _NOT_CHECKED:
                continue
            text = exchanged.header(name)
            pointer = f"{response.pointer}/headers/{header.name}"
            where = f"the {exchanged.status} of {operation.id}"
            if text is None:
                if header.required:
                    yield _Problem(
                        f"{where} lacks the header {header.name}",
                        f"{header.name} in every such answer",
                        "no such header",
                        pointer,
                        symptom=signs.lacks_header(exchanged, header.name),
                    )
                continue
            wrong = self._header(header, text)
            if wrong:
                yield _Problem(
                    f"{where} has a wrong {header.name}", wrong, f"{header.name}: {text}", pointer,
                    symptom=signs.has_header(exchanged, name),
                )  # fmt: skip

    def _header(self, header: Header, text: str) -> str:
        if header.schema is None:
            return ""
        types = self.api.schemas.shape(header.schema).types
        value: Any = text
        if "integer" in types and _INTEGER.fullmatch(text):
            value = int(text)
        elif "number" in types and _NUMBER.fullmatch(text):
            value = float(text)
        elif "boolean" in types and text in {"true", "false"}:
            value = text == "true"
        elif types and not types & {"string", "integer", "number", "boolean"}:
            return ""  # lists and objects in headers are not decoded
        found = self.api.schemas.validator(header.schema, "response").violations(value)
        return found[0].message if found else ""

    def _body(
        self, operation: Operation, response: Response, exchanged: Exchanged
    ) -> Iterator[_Problem]:
        where = f"the {exchanged.status} of {operation.id}"
        if exchanged.request.method == "HEAD" or exchanged.status in _BODILESS:
            return
        if not response.content:
            return
        kinds = ", ".join(response.content)
        if not exchanged.body:
            yield _Problem(
                f"{where} has no body", kinds, "nothing", response.pointer,
                symptom={"kind": "no_body", "status": exchanged.status},
            )  # fmt: skip
            return
        sent = exchanged.header("content-type") or ""
        media = media_of(response, sent)
        if media is None:
            yield _Problem(
                f"{where} is {sent.partition(';')[0] or 'of no media type'}, not {kinds}",
                kinds,
                f"{sent or 'no Content-Type'}: {exchanged.text[:120]}",
                f"{response.pointer}/content",
                symptom=signs.has_header(exchanged, "content-type"),
            )
            return
        if not media.name.partition(";")[0].endswith("json"):
            return
        try:
            value = json.loads(exchanged.body)
        except ValueError as error:
            yield _Problem(
                f"{where} is no JSON", "JSON", str(error), response.pointer,
                symptom={"kind": "no_json", "status": exchanged.status},
            )  # fmt: skip
            return
        if media.schema is None:
            return
        violations = self.api.schemas.validator(media.schema, "response").violations(value)
        for violation in violations[:3]:
            yield self._violation(where, violation, value, media, exchanged)

    def _violation(
        self, where: str, violation: Violation, value: Any, media: MediaType, exchanged: Exchanged
    ) -> _Problem:
        place = _place(violation.pointer)
        state = self._state(value, violation.pointer)
        when = f" while it is {state}" if state else ""
        subject = place or "the body"
        message = violation.message
        what = message.split(", got ")[0]
        verb = "" if what.startswith(("is ", "has ", "must ")) else "is wrong: "
        pointer = media.schema.pointer if media.schema else ""
        return _Problem(
            f"{where}: {subject} {verb}{what}{when}",
            f"{subject} {what}" if what.startswith("must ") else f"{subject} as the schema has it",
            message,
            pointer,
            cause=f"{where} {place} {what.split(' ')[0]}",
            symptom=signs.like(exchanged, _steps(value, violation.pointer)),
        )

    def _state(self, value: Any, pointer: str) -> str | None:
        """The state of the innermost execution round the place."""
        found = self.word(value)
        for step in pointer.split("/")[1:]:
            if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            elif isinstance(value, Mapping) and step in value:
                value = value[step]
            else:
                break
            found = self.word(value) or found
        return found


@dataclass(frozen=True, slots=True)
class _Problem:
    title: str
    expected: str
    got: str
    pointer: str
    severity: Severity = Severity.HIGH
    cause: str = ""
    symptom: Mapping[str, Any] | None = None


def described(operation: Operation, status: int) -> Response | None:
    """The response of the document for a status: itself, its range, or the default."""
    by_name = {name.upper(): response for name, response in operation.responses.items()}
    for name in (str(status), f"{status // 100}XX", "DEFAULT"):
        if name in by_name:
            return by_name[name]
    return None


def media_of(response: Response, sent: str) -> MediaType | None:
    """The documented media type, or range of them, that a Content-Type belongs to."""
    essence = sent.partition(";")[0].strip().lower()
    for name, media in response.content.items():
        if fnmatchcase(essence, name.partition(";")[0].strip()):
            return media
    return None


def _steps(value: Any, pointer: str) -> list[Any]:
    """The pointer as keys and numbers, as far as the value has them."""
    found: list[Any] = []
    for step in pointer.split("/")[1:]:
        key: Any = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            key = int(step)
        elif not (isinstance(value, Mapping) and key in value):
            break
        found.append(key)
        value = value[key]
    return found


def _place(pointer: str) -> str:
    """``/content/3/finishedAt`` → ``content[].finishedAt``."""
    text = ""
    for step in pointer.split("/")[1:]:
        plain = step.replace("~1", "/").replace("~0", "~")
        text += "[]" if plain.isdecimal() else f".{plain}" if text else plain
    return text
