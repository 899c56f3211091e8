"""Refusals as Foundry words them.

Sources: the endpoint's reference page (its four errors), the vendor's pages about errors (the body,
the general errors, and that some answers have no body), its published server library (framework
errors; busy answers without a body), its TypeScript SDK (``errorDescription``). The token endpoint
refuses as RFC 6749 section 5.2 says, which is inferred.

The description is the vendor's text, followed by what is particular about this refusal.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from mockexec.apis.foundry.query import read_query
from mockexec.errors import Violation
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal, describe


class _Error(NamedTuple):
    status: int
    code: str
    description: str


_ERRORS = {
    "InvalidExecutionFilter": _Error(
        400,
        "INVALID_ARGUMENT",
        "The provided execution filter is invalid. This may be due to missing required fields or "
        "other malformed filter parameters.",
    ),
    "ApiFeaturePreviewUsageOnly": _Error(
        400,
        "INVALID_ARGUMENT",
        "The given API endpoint is not for production use and is only supported in preview mode. "
        "Please add a preview=true query parameter to call this endpoint.",
    ),
    "InvalidPageSize": _Error(
        400,
        "INVALID_ARGUMENT",
        "The provided page size was zero or negative. Page sizes must be greater than zero.",
    ),
    "InvalidPageToken": _Error(
        400,
        "INVALID_ARGUMENT",
        "The provided page token could not be used to retrieve the next page of results.",
    ),
    "MissingPostBody": _Error(
        400,
        "INVALID_ARGUMENT",
        "A post body is required for this endpoint, but was not found in the request.",
    ),
    "Default:InvalidArgument": _Error(
        400, "INVALID_ARGUMENT", "One or more of the request's arguments is invalid."
    ),
    "MissingCredentials": _Error(
        401, "UNAUTHORIZED", "The Authorization header with a bearer token is missing."
    ),
    "Default:Unauthorized": _Error(
        401, "UNAUTHORIZED", "The given authorization token header is invalid."
    ),
    "ApiUsageDenied": _Error(403, "PERMISSION_DENIED", "You are not allowed to use Palantir APIs."),
    "ListExecutionsPermissionDenied": _Error(
        403,
        "PERMISSION_DENIED",
        "The provided token does not have permission to list executions for this resource.",
    ),
    "ListExecutionsResourcePermissionDenied": _Error(
        403, "PERMISSION_DENIED", "Could not listExecutions the Resource."
    ),
    "ResourceNotFound": _Error(404, "NOT_FOUND", "The given Resource could not be found."),
    "Conjure:NotAcceptable": _Error(
        406, "INVALID_ARGUMENT", "The Accept header for the request cannot be met."
    ),
    "Default:RequestEntityTooLarge": _Error(
        413, "REQUEST_ENTITY_TOO_LARGE", "The body of the request is too large."
    ),
    "Conjure:UnsupportedMediaType": _Error(
        415, "INVALID_ARGUMENT", "The Content-type header for the request is invalid."
    ),
    "Conjure:UnprocessableEntity": _Error(
        422, "INVALID_ARGUMENT", "One or more of the request's arguments is invalid."
    ),
    "Default:Internal": _Error(
        500,
        "INTERNAL",
        "An error occurred within the service. Contact a system administrator for help.",
    ),
}

# What the server itself refuses for, in the vendor's names.
_NAMES = {
    "invalid": "Default:InvalidArgument",
    "missing_body": "MissingPostBody",
    "malformed_body": "Conjure:UnprocessableEntity",
    "unauthenticated": "MissingCredentials",
    "not_acceptable": "Conjure:NotAcceptable",
    "too_large": "Default:RequestEntityTooLarge",
    "unsupported_media_type": "Conjure:UnsupportedMediaType",
    "internal": "Default:Internal",
}

# The vendor's server writes neither a path it does not know nor that it is busy into a body.
_BODILESS_STATUSES = {404, 405, 429, 503}

_OAUTH_STATUSES = {400, 401}


def render(refusal: Refusal, call: Call) -> Reply:
    """The vendor's answer to any refusal."""
    if call.operation_id == "createToken" and refusal.status in _OAUTH_STATUSES:
        return _token_error(refusal)
    if refusal.reason == "invalid" and refusal.violations:
        refusal = _named(refusal, call)
    name = _NAMES.get(refusal.reason, refusal.reason)
    error = _ERRORS.get(name)
    if error is None:
        if refusal.status in _BODILESS_STATUSES:
            return Reply(refusal.status, b"", refusal.headers)
        name, error = _by_status(refusal.status)
    headers = refusal.headers
    if error.status == 401:
        headers = (*headers, ("www-authenticate", "Bearer"))
    body = {
        "errorCode": error.code,
        "errorName": name,
        "errorInstanceId": call.realm.uuid("errors"),
        "errorDescription": f"{error.description} {_detail(refusal)}".strip(),
        "parameters": dict(refusal.details) if refusal.reason in _ERRORS else {},
    }
    return Reply(error.status, body, headers)


def _detail(refusal: Refusal) -> str:
    """What is particular about this refusal."""
    # The vendor's own texts say all there is to say of a missing body or token.
    if refusal.reason in {"missing_body", "unauthenticated"}:
        return ""
    detail = describe(refusal.violations) or refusal.message
    return f"{detail[:1].upper()}{detail[1:]}." if detail else ""


def _named(refusal: Refusal, call: Call) -> Refusal:
    """The refusal of inputs that break the document, by the name of what the vendor sees first."""
    violations = refusal.violations
    if any(violation.location != "body" for violation in violations):
        if call.operation_id == "listExecutions" and not _asks_for_preview(call):
            return Refusal("ApiFeaturePreviewUsageOnly", "", status=400)
        return refusal
    # A bad page size or filter counts for nothing before the resource is known and open to the
    # caller; reading the query finds what comes first, and has the better words for a filter.
    if all(_is_about_the_query(violation, call.body) for violation in violations):
        try:
            read_query(call)
        except Refusal as first:
            return first
        return Refusal("InvalidExecutionFilter", refusal.message, status=400)
    return Refusal(
        "Conjure:UnprocessableEntity", refusal.message, status=422, violations=violations
    )


def _asks_for_preview(call: Call) -> bool:
    """Whether ``preview`` is given and is not plainly false."""
    given = [value for name, value in parse_qsl(call.raw_query, True) if name == "preview"]
    return bool(given) and given != ["false"]


def _is_about_the_query(violation: Violation, body: Any) -> bool:
    """Whether the body can be read all the same: what is wrong is not a field's JSON type."""
    if violation.pointer == "/pageSize":
        size = body["pageSize"]
        return type(size) in {int, float} and -(2**31) <= size < 1 and size == int(size)
    return violation.pointer == "/where" or violation.pointer.startswith("/where/")


def _by_status(status: int) -> tuple[str, _Error]:
    """The nearest general error for a status that has none of its own, such as an injected 502."""
    name = "Default:Internal" if status >= 500 else "Default:InvalidArgument"
    return name, _ERRORS[name]._replace(status=status)


def _token_error(refusal: Refusal) -> Reply:
    """RFC 6749 section 5.2."""
    error = refusal.reason
    if error not in {"invalid_client", "invalid_request"}:
        error = _token_error_name(refusal.violations)
    headers = refusal.headers
    if refusal.status == 401:
        headers = (*headers, ("www-authenticate", 'Basic realm="foundry"'))
    return Reply(refusal.status, {"error": error, "error_description": refusal.message}, headers)


def _token_error_name(violations: tuple[Violation, ...]) -> str:
    by_field = {violation.pointer: violation.message for violation in violations}
    if "/grant_type" in by_field:
        missing = "missing" in by_field["/grant_type"]
        return "invalid_request" if missing else "unsupported_grant_type"
    return "invalid_scope" if "/scope" in by_field else "invalid_request"
