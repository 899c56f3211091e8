"""Refusals in the vendor's words.

Source: the reference page's own bodies for 400, 401, 403, 404, 429 and 500; "400.0 Bad request
syntax" as captured from the service; RFC 6749, section 5.2, for the token endpoint. Inferred: the
other statuses, in the same envelope. The specific reason stands in ``causes``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal, place

TOKEN_OPERATION = "createToken"  # noqa: S105  # a name

_SYNTAX = ("400.0 Bad request syntax", "The request could not be parsed.")
_GENERAL = {
    400: (
        "400.1 Bad Request Content",
        "The request was syntactically correct but its content is semantically invalid.",
    ),
    403: (
        "403 Forbidden",
        "The server understood the request but refuses to authorize it.",
    ),
    404: (
        "404 Not found",
        "The server did not find a current representation for the target resource.",
    ),
    405: (
        "405 Method Not Allowed",
        "The method is known by the server but not supported by the target resource.",
    ),
    406: (
        "406 Not Acceptable",
        "The server cannot produce a response matching the list of acceptable values.",
    ),
    413: (
        "413 Payload Too Large",
        "The request entity is larger than the server is willing to process.",
    ),
    415: (
        "415 Unsupported Media Type",
        "The server refuses the request because its payload is in an unsupported format.",
    ),
    500: ("500.0 Internal Fault", "An internal fault occurred."),
}
_PHRASES = {one.value: one.phrase for one in HTTPStatus}
# What cannot be parsed, as opposed to what can be and is wrong.
_SYNTAX_REASONS = {"malformed_body", "filter_syntax"}
_FULL_RETRY_AFTER = ("retry-after", "10")


def render(refusal: Refusal, call: Call) -> Reply:
    """The vendor's reply to what was refused."""
    if refusal.status == 401:
        headers = (*refusal.headers, ("www-authenticate", "Bearer"))
        return Reply(401, _unauthenticated(refusal, call), headers)
    if refusal.status == 429:
        return _too_many(refusal)
    if refusal.status == 400 and call.operation_id == TOKEN_OPERATION:
        return Reply(400, _token_error(refusal), refusal.headers)
    return Reply(refusal.status, _error_response(refusal, call), refusal.headers)


def _unauthenticated(refusal: Refusal, call: Call) -> dict[str, Any]:
    if call.operation_id == TOKEN_OPERATION:
        return {"error": "invalid_client", "error_description": refusal.message}
    reason = "JWT is missing" if refusal.details.get("missing") else refusal.message
    return {"error": f"JWT validation failed: {reason}"}


def _too_many(refusal: Refusal) -> Reply:
    """The body has no place for a reason; the header says when to come back."""
    headers = refusal.headers
    if all(name != "retry-after" for name, _ in headers):
        headers = (*headers, _FULL_RETRY_AFTER)
    return Reply(429, {"message": " Rate Limit Exceeded "}, headers)


def _token_error(refusal: Refusal) -> dict[str, Any]:
    other_grant = any(
        "grant_type" in (violation.name, violation.pointer.removeprefix("/"))
        and violation.message != "is missing"
        for violation in refusal.violations
    )
    return {
        "error": "unsupported_grant_type" if other_grant else "invalid_request",
        "error_description": refusal.message,
    }


def _error_response(refusal: Refusal, call: Call) -> dict[str, Any]:
    code, text = _SYNTAX if refusal.reason in _SYNTAX_REASONS else _general(refusal.status)
    causes = [_message(refusal.message)]
    if refusal.violations:
        causes = [_message(f"{place(one)} {one.message}") for one in refusal.violations]
    return {
        "detailCode": code,
        "trackingId": call.realm.hex("errors"),
        "messages": [_message(text)],
        "causes": causes,
    }


def _general(status: int) -> tuple[str, str]:
    """The code and text of a status; the standard's words where the vendor has none."""
    known = _GENERAL.get(status)
    if known is not None:
        return known
    phrase = _PHRASES.get(status, "Error")
    return f"{status} {phrase}", f"{phrase}."


def _message(text: str) -> dict[str, str]:
    return {"locale": "en-US", "localeOrigin": "DEFAULT", "text": text}
