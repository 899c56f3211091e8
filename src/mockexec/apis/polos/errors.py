"""Refusals in the vendor's one error body: ``{"error": …, "error_type": …}``.

Source: the vendor's published server. Where that sends an empty body or plain text (rejections of
its web framework), the body is ours and the sentence begins as the framework's does.
"""

from __future__ import annotations

from collections.abc import Sequence

from mockexec.errors import Violation
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal, place

_MISSING_CREDENTIALS = (
    "Authentication required. Provide either an API key (Bearer sk_...) or a JWT token in cookie"
)
_TYPE_BY_STATUS = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
    429: "TOO_MANY_REQUESTS",
}
_RETRY_AFTER = ("retry-after", "30")


def render(refusal: Refusal, call: Call) -> Reply:
    """The vendor's answer to ``refusal``."""
    del call  # the body is the same everywhere
    status, message = _status_and_message(refusal)
    error_type = refusal.details.get("error_type")
    if error_type is None:
        error_type = _TYPE_BY_STATUS.get(
            status, "BAD_REQUEST" if status < 500 else "INTERNAL_ERROR"
        )
    headers = refusal.headers
    if status == 401:
        headers = (*headers, ("www-authenticate", "Bearer"))
    if status == 429 and all(name.lower() != "retry-after" for name, _ in headers):
        headers = (*headers, _RETRY_AFTER)
    return Reply(status, {"error": message, "error_type": error_type}, headers)


def _status_and_message(refusal: Refusal) -> tuple[int, str]:
    match refusal.reason:
        case "invalid":
            return _invalid(refusal.violations)
        case "malformed_body" | "missing_body":
            reason = "; ".join(violation.message for violation in refusal.violations)
            return 400, f"Failed to parse the request body as JSON: {reason}"
        case "unsupported_media_type":
            expected = "Expected request with `Content-Type: application/json`"
            return 415, f"{expected}: {refusal.message}"
        case "unauthenticated" if refusal.details.get("missing"):
            return 401, _MISSING_CREDENTIALS
        case "unknown_path":
            return 404, f"Not found: {refusal.message}"
    return refusal.status, refusal.message


def _invalid(violations: Sequence[Violation]) -> tuple[int, str]:
    if violations and violations[0].location == "body":
        prefix = "Failed to deserialize the JSON body into the target type"
        wrong = "; ".join(f"{v.pointer or 'body'}: {v.message}" for v in violations)
        return 400 if _is_empty_batch(violations) else 422, f"{prefix}: {wrong}"
    return 400, "; ".join(dict.fromkeys(_parameter_message(v) for v in violations))


def _is_empty_batch(violations: Sequence[Violation]) -> bool:
    """Nothing to run is a bad request of its own to the vendor: the list itself is well-formed."""
    first = violations[0]
    return first.pointer == "/workflows" and first.message.startswith("must have at least 1 item")


def _parameter_message(violation: Violation) -> str:
    if violation.location == "path" and violation.name == "execution_id":
        return "Invalid execution ID"
    if violation.location == "header":
        missing = violation.message == "is missing"
        reason = "header is required" if missing else f"header {violation.message}"
        return f"{violation.name} {reason}"
    if violation.location == "query":
        where = f"{violation.name}{violation.pointer}"
        return f"Failed to deserialize query string: {where}: {violation.message}"
    return f"{place(violation)} {violation.message}"
