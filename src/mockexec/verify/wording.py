"""What Schemathesis's failures are called here: a title that names the cause, a promise, a place.

Failures are told apart by their codes (``ST101`` …), which Schemathesis never reuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from mockexec.spec.load import Document
from mockexec.spec.operations import Operation, Response
from mockexec.spec.pointers import escape, join
from mockexec.verify.target import Exchanged

_TITLE_MAX = 160
_BODY_MAX = 400


@dataclass(frozen=True, slots=True)
class Told:
    """A failure in our words."""

    title: str
    expected: str
    cause: str
    pointer: str
    symptom: Mapping[str, Any] | None = None


def told(failure: Any, operation: Operation, exchanged: Exchanged | None, doc: Document) -> Told:
    """A failure of Schemathesis in our words; one of an unknown kind keeps its own."""
    # Of several answers to one case, refusals for the time being first, the failure is of one.
    status = getattr(failure, "status_code", exchanged.status if exchanged else 0)
    maker = _MAKERS.get(failure.code)
    if maker is None:
        first = failure.message.strip().partition("\n")[0]
        title = f"{failure.title}: {first}" if first else failure.title
        return Told(one_line(title), "what the check says", failure.title, operation.pointer)
    title, expected, cause = maker(failure, status)
    pointer = _pointer(failure, operation, exchanged, doc)
    return Told(one_line(title), expected, cause, pointer, _symptom(failure, status))


def answer(exchanged: Exchanged) -> str:
    """An answer as one reads it: status, type, and as much of the body as helps."""
    phrase = HTTPStatus(exchanged.status).phrase if exchanged.status in _STATUSES else ""
    kind = exchanged.header("content-type")
    text = exchanged.text
    shown = text if len(text) <= _BODY_MAX else f"{text[:_BODY_MAX]}…"
    line = " ".join(part for part in (str(exchanged.status), phrase, kind and f"({kind})") if part)
    return f"{line}: {shown}" if shown else line


def one_line(text: str) -> str:
    """The text on one line, cut where it is too long to be read at a glance."""
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_MAX else f"{line[: _TITLE_MAX - 1]}…"


def response_for(operation: Operation, status: int) -> Response | None:
    """What the document says of this status: itself, its range, or the default."""
    for name in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
        if name in operation.responses:
            return operation.responses[name]
    return None


_STATUSES = frozenset(status.value for status in HTTPStatus)


def _server_error(failure: Any, status: int) -> tuple[str, str, str]:
    del failure
    return f"a request makes the server fail: {status}", "an answer below 500", str(status)


def _undocumented_status(failure: Any, status: int) -> tuple[str, str, str]:
    known = ", ".join(map(str, failure.defined_status_codes))
    return f"answers {status}, which the document does not have", f"one of {known}", str(status)


def _no_type(failure: Any, status: int) -> tuple[str, str, str]:
    kinds = ", ".join(failure.media_types)
    return f"the {status} answer has no Content-Type", f"Content-Type: {kinds}", str(status)


def _undocumented_type(failure: Any, status: int) -> tuple[str, str, str]:
    known = ", ".join(failure.defined_content_types)
    title = f"the {status} answer comes as {failure.content_type}, which the document does not have"
    return title, f"Content-Type: {known}", f"{status} {failure.content_type}"


def _broken_type(failure: Any, status: int) -> tuple[str, str, str]:
    title = f"the {status} answer has the Content-Type {failure.actual!r}, which is none"
    return title, f"Content-Type: {failure.defined}", str(status)


def _no_headers(failure: Any, status: int) -> tuple[str, str, str]:
    names = ", ".join(failure.missing_headers)
    return f"the {status} answer lacks the header {names}", f"the header {names}", names


def _schema(failure: Any, status: int) -> tuple[str, str, str]:
    message = failure.validation_message.partition("\n")[0]
    where = _pointer_of(failure.instance_path)
    title = f"the {status} answer breaks its schema{f' at {where}' if where else ''}: {message}"
    places = [str(key) for key in failure.instance_path if not isinstance(key, int)]
    rule = str(failure.schema_path[-1]) if failure.schema_path else ""
    return title, "an answer that fits its schema", f"{status} {'/'.join(places)} {rule}"


def _no_json(failure: Any, status: int) -> tuple[str, str, str]:
    del failure
    return f"the {status} answer says it is JSON and is none", "a JSON body", str(status)


def _unreadable(failure: Any, status: int) -> tuple[str, str, str]:
    first = failure.message.strip().partition("\n")[0]
    return f"the {status} answer cannot be read: {first}", "a body of the type it names", first


def _discriminator(failure: Any, status: int) -> tuple[str, str, str]:
    first = failure.message.strip().partition("\n")[0]
    return f"the {status} answer: {first}", "a value the discriminator knows", first


def _slow(failure: Any, status: int) -> tuple[str, str, str]:
    del status
    title = f"an answer took {failure.elapsed:.1f} s"
    return title, f"an answer within {failure.deadline:.1f} s", ""


def _accepted(failure: Any, status: int) -> tuple[str, str, str]:
    what = _what_is_wrong(failure.message)
    title = f"accepts a request that the document forbids ({status}){what and f': {what}'}"
    return title, "a refusal with a status from 400 to 499", _component(what)


def _refused(failure: Any, status: int) -> tuple[str, str, str]:
    del failure
    title = f"refuses a request that fits the document ({status})"
    return title, "an answer that is no refusal of the request", str(status)


def _header_not_missed(failure: Any, status: int) -> tuple[str, str, str]:
    name = failure.header_name
    title = f"takes a request without the required header {name} ({status})"
    return title, "a refusal: 400, 401, 403, 406, 415 or 422", name


def _wrong_method(failure: Any, status: int) -> tuple[str, str, str]:
    if failure.failure_reason == "missing_allow_header":
        title = f"the 405 answer to {failure.method} lacks the header Allow"
        return title, "Allow with the methods there are (RFC 9110, 15.5.6)", "allow"
    title = f"answers {failure.method}, which the document does not have, with {status}"
    return title, "405 Method Not Allowed", "status"


def _allow(failure: Any, status: int) -> tuple[str, str, str]:
    del status
    missing, more = ", ".join(failure.missing_methods), ", ".join(failure.undocumented_methods)
    parts = [f"misses {missing}"] if missing else []
    parts += [f"names {more}, which the document does not have"] if more else []
    return (
        f"Allow {' and '.join(parts)}",
        "exactly the methods of the document",
        f"{missing}|{more}",
    )


def _used_after_free(failure: Any, status: int) -> tuple[str, str, str]:
    title = (
        f"what was deleted is still there: {failure.usage} answers {status} after {failure.free}"
    )
    return title, "404 Not Found or 410 Gone", failure.free


def _not_available(failure: Any, status: int) -> tuple[str, str, str]:
    del status
    made, missing = failure.created_with, failure.not_available_with
    return f"what {made} created is not there for {missing}", "what was created", missing


def _ignored_auth(failure: Any, status: int) -> tuple[str, str, str]:
    scenario = str(failure.scenario)
    how = "without credentials" if "no" in scenario else "with wrong credentials"
    return f"answers {status} {how}", "401 Unauthorized", scenario


def _object_level(failure: Any, status: int) -> tuple[str, str, str]:
    title = f"{failure.peer} gets what belongs to {failure.owner} ({status})"
    return title, "403 or 404", ""


_MAKERS = {
    "ST101": _server_error,
    "ST102": _server_error,
    "ST103": _undocumented_status,
    "ST104": _no_type,
    "ST105": _undocumented_type,
    "ST106": _broken_type,
    "ST107": _no_headers,
    "ST108": _schema,
    "ST109": _no_json,
    "ST110": _unreadable,
    "ST111": _discriminator,
    "ST112": _slow,
    "ST201": _accepted,
    "ST202": _refused,
    "ST203": _header_not_missed,
    "ST204": _wrong_method,
    "ST205": _allow,
    "ST301": _used_after_free,
    "ST302": _not_available,
    "ST401": _ignored_auth,
    "ST402": _object_level,
}


def _symptom(failure: Any, status: int) -> dict[str, Any] | None:
    """What the last answer shows while the failure is there, see ``verify.symptoms``."""
    match failure.code:
        case "ST101" | "ST102":
            return {"kind": "status", "least": 500, "most": 599}
        case "ST103" | "ST202" | "ST302":
            return {"kind": "status", "least": status, "most": status}
        case "ST201" | "ST203" | "ST401" | "ST402":
            return {"kind": "status", "least": 200, "most": 399}
        case "ST301":
            return {"kind": "status_not", "right": [404, 410]}
        case "ST104":
            return {"kind": "no_header", "status": status, "names": ["content-type"]}
        case "ST105":
            value = failure.content_type
            return {"kind": "header", "status": status, "name": "content-type", "value": value}
        case "ST107":
            return {"kind": "no_header", "status": status, "names": failure.missing_headers}
        case "ST109":
            return {"kind": "no_json", "status": status}
        case "ST108" if failure.schema_path:
            rule = failure.schema_path[-1]
            return {
                "kind": "schema",
                "status": status,
                "path": list(failure.instance_path),
                "rule": rule,
                "limit": failure.schema.get(rule),
                "was": type(failure.instance).__name__,
            }
        case "ST204" if failure.failure_reason == "missing_allow_header":
            return {"kind": "no_header", "status": 405, "names": ["allow"]}
        case "ST204":
            return {"kind": "status_not", "right": [405]}
        case "ST205":
            value = failure.allow_header
            return {"kind": "header", "status": status, "name": "allow", "value": value}
    return None


# What the failures break: the answer that came, the list of answers, what requests may be.
_OF_ANSWER = frozenset(("ST104", "ST105", "ST106", "ST107", "ST108", "ST109", "ST110", "ST111"))
_OF_RESPONSES = frozenset(("ST101", "ST102", "ST103"))


def _pointer(failure: Any, operation: Operation, exchanged: Exchanged | None, doc: Document) -> str:
    """Where in the root file of the document the promise stands that is broken."""
    if failure.code in _OF_RESPONSES:
        return join(operation.pointer, "responses")
    if failure.code not in _OF_ANSWER or exchanged is None:
        return operation.pointer
    response = response_for(operation, exchanged.status)
    if response is None:
        return join(operation.pointer, "responses")
    if failure.code == "ST107":
        return response.pointer
    kind = (exchanged.header("content-type") or "").partition(";")[0].strip().lower()
    media = response.content.get(kind)
    if failure.code != "ST108" or media is None or media.schema is None:
        return response.pointer
    return _down(doc, media.schema.uri, media.schema.pointer, failure.schema_path)


def _down(doc: Document, uri: str, pointer: str, path: Sequence[Any]) -> str:
    """The pointer of what ``path`` leads to from a schema, through references, as far as it goes.

    Schemathesis tests a schema of its own, made from the document's; where they differ the way
    ends.
    """
    home = uri
    node, uri, pointer = doc.resolve(doc.at(uri, pointer), uri, pointer)
    for key in path:
        if key == "$ref":
            continue
        try:
            below = node[key]
        except (LookupError, TypeError):
            break
        node, uri, pointer = doc.resolve(below, uri, join(pointer, key))
    return pointer if uri == home else ""


def _pointer_of(path: Sequence[Any]) -> str:
    return "".join(f"/{escape(key)}" for key in path)


def _what_is_wrong(message: str) -> str:
    """What Schemathesis's message says is against the rules in the request."""
    for line in message.splitlines():
        if ":" in line and line.strip().lower().startswith(("invalid component", "description")):
            return line.partition(":")[2].strip()
    return ""


def _component(what: str) -> str:
    return what.partition(" ")[0]
