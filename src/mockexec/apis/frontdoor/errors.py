"""Refusals in the vendor's one form, ``{"error", "message"}``.

The guide documents three codes with their words; the rest are ours, for statuses it lacks. A value
of the wrong type is told as it says: ``Value for <property> must be of <type>``.
"""

from __future__ import annotations

from mockexec.errors import Violation
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal, place

_CODES = {
    "invalid": "invalid_request",
    "missing_body": "invalid_request",
    "malformed_body": "invalid_request",
    "unauthenticated": "unauthorized",
    # Not "forbidden": the guide's 403 says that the frontdoor is not there.
    "forbidden": "not_found",
    "not_found": "not_found",
    "unknown_path": "not_found",
    "method_not_allowed": "method_not_allowed",
    "not_acceptable": "not_acceptable",
    "conflict": "conflict",
    "too_large": "payload_too_large",
    "unsupported_media_type": "unsupported_media_type",
    "rate_limited": "too_many_requests",
    "full": "too_many_requests",
}

_TYPES = {
    "frontdoorId": "UUID",
    "id": "String",
    "processId": "String",
    "page": "Integer",
    "size": "Integer",
    "sort": "property[,asc|desc] with property id, processId, name, status, startedAt or createdAt",
    "grant_type": "client_credentials",
    "client_id": "String",
    "client_secret": "String",
    "audience": "String",
    "scope": "frontdoor.read, frontdoor.write or both",
}

# What the type's name alone does not tell.
_BEYOND_THE_TYPE = ("must be at least", "must be at most", "must be given once")

_CHALLENGE = ("www-authenticate", 'Bearer realm="frontdoor", Basic realm="frontdoor"')


def render(refusal: Refusal, call: Call) -> Reply:
    """The vendor's reply to ``refusal``."""
    body = {
        "error": _CODES.get(refusal.reason, "internal_error"),
        "message": _message(refusal, call),
    }
    return Reply(refusal.status, body, (*refusal.headers, *_headers(refusal)))


def _headers(refusal: Refusal) -> tuple[tuple[str, str], ...]:
    if refusal.status == 401:
        return (_CHALLENGE,)
    if refusal.status == 429 and not any(name == "retry-after" for name, _ in refusal.headers):
        return (("retry-after", "1"),)
    return ()


def _message(refusal: Refusal, call: Call) -> str:
    if refusal.reason == "unauthenticated" and call.operation_id != "createToken":
        # One sentence for whatever is wrong with a token, as the guide has it.
        return "Bearer token is missing or invalid"
    if refusal.reason in {"missing_body", "malformed_body"}:
        return f"Value for body must be of JSON object or form: {refusal.message}"
    if refusal.reason == "invalid" and refusal.violations:
        return "; ".join(_sentence(violation) for violation in refusal.violations)
    return refusal.message[:1].upper() + refusal.message[1:]


def _sentence(violation: Violation) -> str:
    """The guide's sentence for one wrong value."""
    name, said = violation.name or violation.pointer.strip("/"), violation.message
    if name not in _TYPES:
        if violation.location == "body" and not name:
            return "Value for body must be of JSON object or form"
        return f"{place(violation)} {said}"
    sentence = f"Value for {name} must be of {_TYPES[name]}"
    if said.startswith(_BEYOND_THE_TYPE):
        # "Integer at most 2000, got 3000"
        return sentence + said.removeprefix("must be")
    return sentence
