"""An impostor of Foundry's listExecutions (``specs/foundry.yaml``)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

from starlette.applications import Starlette

from tests.impostors.document import Problem
from tests.impostors.foundry_filters import BadFilter, Filters, Predicate
from tests.impostors.kit import (
    MILLISECOND,
    SECOND,
    Answer,
    Asked,
    Impostor,
    Principal,
    Refused,
    basic,
    bearer,
    rfc3339,
)

FAULTS = {
    "page-overlaps": "The next page begins with the last execution of the page before.",
    "page-loses-ties": "A page token remembers only a start time: of executions that started in"
    " the same millisecond, those behind the page are lost.",
    "full-last-page-continues": "A last page that is exactly full has a token for an empty page.",
    "page-size-unbounded": "A pageSize above 100 is not reduced to 100.",
    "default-page-of-20": "Without a pageSize a page holds 20 executions, not 100.",
    "negative-page-size-accepted": "A pageSize of zero or less gives a page of the default size.",
    "token-of-another-query": "A page token is accepted with another filter than it was given for.",
    "broken-token-first-page": "A page token that cannot be read gives the first page.",
    "order-by-end": "The list is ordered by when executions ended, not by when they started.",
    "ties-unordered": "Executions of the same millisecond do not follow each other by trace id.",
    "start-time-exclusive": "The execution that started exactly at startTime is left out.",
    "end-time-inclusive": "The execution that started exactly at endTime is listed.",
    "zone-ignored": "The offset of a time is dropped: 12:00+02:00 counts as 12:00Z.",
    "default-window-unlimited": "Without startTime everything is listed, not the last 24 hours.",
    "filter-or-as-and": "The filter `or` selects as `and` does.",
    "filter-not-ignored": "The filter `not` selects what it should leave out.",
    "filter-not-loses-absent": "`not` leaves out executions that lack the field, as SQL does.",
    "filter-in-first-value": "The filter `in` looks at the first of its values only.",
    "filter-or-leaks": "With `or` in the filter the list has executions of other resources.",
    "filter-wrong-ignored": "A filter on a wrong field or operator is ignored, not refused.",
    "filter-unicode-fails": "A filter with a character beyond Latin-1 gives a 500.",
    "duration-unit-ignored": "The filters gte and lte take every unit for milliseconds.",
    "duration-lte-exclusive": "The filter lte leaves out durations that equal the bound.",
    "duration-as-text": "The value of a duration of a minute or more is text, not a number.",
    "running-listed": "An execution that still runs is listed as succeeded.",
    "reason-on-success": "Executions that succeeded after a retry show a failureReason.",
    "closed-resource-listed": "A resource that only somebody else may look into is listed.",
    "unknown-resource-empty": "A resource that does not exist gives an empty list, not a 404.",
    "expired-token-accepted": "An access token past its hour is accepted.",
    "scope-unchecked": "A token without the scope api:observability-read is accepted.",
    "secret-unchecked": "The token endpoint does not compare the client's secret.",
    "error-without-facts": "ResourceNotFound and its like come without their parameters.",
    "error-id-repeated": "Every refusal has the same errorInstanceId.",
    "missing-allow": "405 comes without the header Allow.",
}

FUNCTION = "ri.function-registry.main.function.c26f11c8-cdb3-4f44-9f5d-9816ea1c82da"
SCORING = "ri.function-registry.main.function.4e0b6c1d-9a57-4f0e-b7f3-52a8d0c4e961"
CLOSED = "ri.function-registry.main.function.7d5f0a3e-91c2-4b6d-8e4f-2a1b3c4d5e6f"
AUTOMATION = "ri.automation.main.automation.0b9c8d7e-6f5a-4b3c-9d2e-1f0a9b8c7d6e"

TOKENS = {"main": "foundry-dev-token", "other": "foundry-other-token"}
WEAK_TOKEN, EXPIRED_TOKEN = "foundry-weak-token", "foundry-expired-token"

_MAIN = "9b5c1f0a-3f6e-4a77-8f5e-6d2c4b8a9e10"
_OTHER = "1e7d3c58-0b4f-4c92-a6e1-3f9b8d2c7a45"
_READ = "api:observability-read"
_CLIENT_SCOPES = (_READ, "offline_access")
_CLIENT = ("mockexec-client", "mockexec-secret")
_LIFETIME_S = 3600

# How many executions of the past, and who may look: None for everybody, else one user and the
# name of the error for all others.
_RESOURCES = {
    FUNCTION: (104, None),
    SCORING: (12, None),
    CLOSED: (15, (_OTHER, "ListExecutionsPermissionDenied")),
    AUTOMATION: (9, (_OTHER, "ListExecutionsResourcePermissionDenied")),
}
_CALLERS = (
    None,
    "ri.workshop.main.module.f1e2d3c4-b5a6-7890-1234-567890abcdef",
    "ri.object-sentinel.main.monitor.f7c14421-54f4-4e9f-b6f2-1971b79d612b",
)
_REASONS = ("timeout", "invalid_parameter", "object_not_found")
_VERSIONS = ("1.2.0", "1.1.0", "1.0.3")

_OCCURRENCE = "00813215-0844-4716-be7b-a3fe0fce9e42"
_SECRET = b"an impostor keeps no secrets"
_PAGE_MAX = 100
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_RETENTION_MS = 30 * _DAY_MS
_ARRIVE_EVERY_MS = 1500
# After a long rest not everything that would have come is made up for.
_ARRIVALS_MAX = 20

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
# Name → status, class, text.
_ERRORS = {
    "InvalidExecutionFilter": (400, "INVALID_ARGUMENT", "The execution filter is invalid."),
    "ApiFeaturePreviewUsageOnly": (400, "INVALID_ARGUMENT", "The endpoint needs preview=true."),
    "InvalidPageSize": (400, "INVALID_ARGUMENT", "The page size is zero or negative."),
    "InvalidPageToken": (400, "INVALID_ARGUMENT", "The page token cannot be used."),
    "MissingPostBody": (400, "INVALID_ARGUMENT", "A post body is required."),
    "Default:InvalidArgument": (400, "INVALID_ARGUMENT", "An argument is invalid."),
    "MissingCredentials": (401, "UNAUTHORIZED", "The bearer token is missing."),
    "Default:Unauthorized": (401, "UNAUTHORIZED", "The bearer token is invalid."),
    "ApiUsageDenied": (403, "PERMISSION_DENIED", "The token lacks a scope."),
    "ListExecutionsPermissionDenied": (403, "PERMISSION_DENIED", "Not these executions."),
    "ListExecutionsResourcePermissionDenied": (403, "PERMISSION_DENIED", "Not this resource."),
    "ResourceNotFound": (404, "NOT_FOUND", "The resource could not be found."),
    "Conjure:NotAcceptable": (406, "INVALID_ARGUMENT", "The Accept header cannot be met."),
    "Default:RequestEntityTooLarge": (413, "REQUEST_ENTITY_TOO_LARGE", "The body is too large."),
    "Conjure:UnsupportedMediaType": (415, "INVALID_ARGUMENT", "The content type is not read here."),
    "Conjure:UnprocessableEntity": (422, "INVALID_ARGUMENT", "The body cannot be read."),
}
_NAMES = {
    "not_acceptable": "Conjure:NotAcceptable",
    "too_large": "Default:RequestEntityTooLarge",
    "unsupported_media_type": "Conjure:UnsupportedMediaType",
    "missing_body": "MissingPostBody",
    "malformed_body": "Conjure:UnprocessableEntity",
}


class _Named(Refused):
    """A refusal by the vendor's name of it."""

    def __init__(self, name: str, message: str = "", **facts: Any) -> None:
        super().__init__(_ERRORS[name][0], name, message)
        self.facts = facts


@dataclass(frozen=True)
class _Cursor:
    """Where a page begins: the window, when its first page was given, and what was shown last."""

    from_ms: int
    to_ms: int
    as_of_ms: int
    after: list[Any] | None = None


def make_app(fault: str | None = None) -> Starlette:
    """The server, with one of ``FAULTS`` or correct."""
    return Foundry(fault).app()


class Foundry(Impostor):
    """The server."""

    name = "foundry"

    # The past, and what arrives

    def seed(self) -> None:
        """Four resources, and what ran of them in the last weeks."""
        self.db.execute("CREATE TABLE tokens (value PRIMARY KEY, user, scopes, expires_ns)")
        self.db.execute(
            "CREATE TABLE executions (id PRIMARY KEY, resource, version, owner, status, reason,"
            " caller, user, start_ms, end_ms)"
        )
        for value, user, scopes, lives_s in (
            (TOKENS["main"], _MAIN, _READ, 10**8),
            (TOKENS["other"], _OTHER, _READ, 10**8),
            (WEAK_TOKEN, _MAIN, "api:ontologies-read", 10**8),
            (EXPIRED_TOKEN, _MAIN, _READ, -3600),
        ):
            self._keep(value, user, scopes, lives_s)
        now_ms = self._now_ms()
        # One has just finished when the first request comes.
        self._arrives_ms = now_ms - 1000
        for resource, (count, _) in _RESOURCES.items():
            for index in range(count):
                # Half of them in the last day, the others in the weeks before.
                ago_ms = index * _HOUR_MS // 3 if index < count // 2 else index * 6 * _HOUR_MS
                self._insert(resource, now_ms - _HOUR_MS // 2 - ago_ms - self.ids.below(600_000))
        self._insert_examples(now_ms)

    def _insert_examples(self, now_ms: int) -> None:
        # Three at a time in one millisecond, in the last day and before.
        for hours in (5, 11, 17, 70):
            for _ in range(3):
                self._insert(FUNCTION, now_ms - hours * _HOUR_MS)
        for runs_ms in (30_000, 120_000, 2 * _HOUR_MS):
            self._insert(FUNCTION, now_ms - 9 * _HOUR_MS - runs_ms, runs_ms)
        # These still run; none of them is listed before it has finished.
        for hours in (1, 3):
            self._insert(FUNCTION, now_ms - hours * _HOUR_MS, 12 * _HOUR_MS)

    def _insert(self, resource: str, start_ms: int, runs_ms: int | None = None) -> None:
        if runs_ms is None:
            longest_ms = 300_000 if self.ids.below(5) == 0 else 6_000
            runs_ms = self.ids.between(80, longest_ms)
        failed = self.ids.below(4) == 0
        self.db.execute(
            "INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.ids.uuid(),
                resource,
                self._one(_VERSIONS),
                self._one((resource, _CALLERS[2])),
                "FAILED" if failed else "SUCCEEDED",
                self._one(_REASONS) if failed else None,
                self._one(_CALLERS),
                self._one((_MAIN, _OTHER, None)),
                start_ms,
                start_ms + runs_ms,
            ),
        )

    def _one(self, values: tuple[Any, ...]) -> Any:
        return values[self.ids.below(len(values))]

    def _now_ms(self) -> int:
        return self.now_ns() // MILLISECOND

    def call(self, asked: Asked) -> Answer:
        """Lets arrive what is due before the operation looks."""
        now_ms = self._now_ms()
        oldest_ms = now_ms - _ARRIVALS_MAX * _ARRIVE_EVERY_MS
        self._arrives_ms = max(self._arrives_ms, oldest_ms)
        while self._arrives_ms <= now_ms:
            self._insert(FUNCTION, self._arrives_ms, self.ids.between(100, 400))
            self._arrives_ms += _ARRIVE_EVERY_MS
        return super().call(asked)

    # Refusals

    def forgives(self, asked: Asked, problem: Problem) -> bool:
        """What is wrong with a filter or the sign of a page size is told after the resource."""
        if asked.operation_id != "listExecutions" or problem.location != "body":
            return False
        if problem.pointer == "/pageSize":
            size = asked.body["pageSize"]
            whole = isinstance(size, int | float) and not isinstance(size, bool)
            return whole and size == int(size) and -(2**31) <= size < 1
        return problem.pointer.split("/")[1:2] == ["where"]

    def refusal(self, refused: Refused, asked: Asked) -> Answer:
        """The vendor's error body; some answers have none."""
        headers = dict(refused.headers)
        if refused.status == 405 and self.fault == "missing-allow":
            headers.pop("allow")
        if refused.reason in {"unknown_path", "method_not_allowed"}:
            return Answer(refused.status, None, headers)
        if asked.operation_id == "createToken" and refused.status in {400, 401}:
            return _token_error(refused)
        named = refused if isinstance(refused, _Named) else _named(refused, asked)
        status, code, text = _ERRORS[named.reason]
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        repeated = self.fault == "error-id-repeated"
        occurrence = _OCCURRENCE if repeated else self.ids.uuid()
        body = {
            "errorCode": code,
            "errorName": named.reason,
            "errorInstanceId": occurrence,
            "errorDescription": f"{text} {named.message}".strip(),
            "parameters": {} if self.fault == "error-without-facts" else named.facts,
        }
        return Answer(status, body, headers)

    # Who asks

    def authenticate(self, asked: Asked, schemes: tuple[Mapping[str, list[str]], ...]) -> Principal:
        """The holder of a token that has the scope."""
        value = bearer(asked.request)
        if value is None:
            raise _Named("MissingCredentials")
        row = self.db.execute("SELECT * FROM tokens WHERE value = ?", (value,)).fetchone()
        if row is None:
            raise _Named("Default:Unauthorized", "It is not known.")
        if row["expires_ns"] <= self.now_ns() and self.fault != "expired-token-accepted":
            raise _Named("Default:Unauthorized", "It has expired.", error="EXPIRED")
        principal = Principal(row["user"], frozenset(row["scopes"].split()))
        for scope in (scope for one in schemes for scopes in one.values() for scope in scopes):
            if scope not in principal.scopes and self.fault != "scope-unchecked":
                raise _Named("ApiUsageDenied", missingScope=scope)
        return principal

    def create_token(self, asked: Asked) -> Answer:
        """POST /multipass/api/oauth2/token."""
        self._check_client(asked)
        wanted = asked.body.get("scope", "").split()
        scopes = " ".join(one for one in _CLIENT_SCOPES if not wanted or one in wanted)
        value = self.ids.hex(48)
        self._keep(value, "5a0e9c37-6d1b-4f84-b2c9-8e7f1a3d6b02", scopes, _LIFETIME_S)
        body = {
            "access_token": value,
            "token_type": "bearer",
            "expires_in": _LIFETIME_S,
            "scope": scopes,
        }
        return Answer(200, body, {"cache-control": "no-store"})

    def _check_client(self, asked: Asked) -> None:
        given = (asked.body.get("client_id"), asked.body.get("client_secret"))
        header = basic(asked.request)
        if header is not None:
            # RFC 6749, section 2.3.1: both parts are form-encoded.
            named = unquote_plus(header[0]), unquote_plus(header[1])
            if any(one not in (None, other) for one, other in zip(given, named, strict=True)):
                raise Refused(400, "invalid_request", "form and header name different clients")
            given = named
        wrong = given[0] != _CLIENT[0] or None in given
        if wrong or (given[1] != _CLIENT[1] and self.fault != "secret-unchecked"):
            raise Refused(401, "invalid_client", "the client or its secret is wrong")

    def _keep(self, value: str, user: str, scopes: str, lives_s: int) -> None:
        row = (value, user, scopes, self.now_ns() + lives_s * SECOND)
        self.db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?)", row)

    # The list

    def list_executions(self, asked: Asked) -> Answer:
        """POST /api/v2/observability/resources/{resourceRid}/listExecutions."""
        resource, body = asked.path["resourceRid"], asked.body
        if resource not in _RESOURCES and self.fault == "unknown-resource-empty":
            return Answer(200, {"data": []})
        self._check_resource(asked, resource)
        size = self._page_size(body)
        query = _digest([resource, *(body.get(key) for key in ("startTime", "endTime", "where"))])
        cursor = self._read_token(body.get("pageToken"), query) or self._first(body)
        rows = self._matching(resource, body.get("where"), cursor)
        shown = rows[:size]
        page: dict[str, Any] = {"data": [self._execution_json(row) for row in shown]}
        if len(rows) > size or (len(rows) == size and self.fault == "full-last-page-continues"):
            after = list(self._key(shown[-1]))
            page["nextPageToken"] = self._token(
                _Cursor(**{**asdict(cursor), "after": after}), query
            )
        return Answer(200, page)

    def _check_resource(self, asked: Asked, resource: str) -> None:
        if resource not in _RESOURCES:
            raise _Named("ResourceNotFound", resourceRid=resource)
        viewer = _RESOURCES[resource][1]
        if viewer is None or self.fault == "closed-resource-listed":
            return
        if viewer[0] != asked.caller.name:
            raise _Named(viewer[1], resourceRid=resource)

    def _page_size(self, body: Mapping[str, Any]) -> int:
        size = body.get("pageSize")
        if size is None:
            return 20 if self.fault == "default-page-of-20" else _PAGE_MAX
        if size < 1:
            if self.fault == "negative-page-size-accepted":
                return _PAGE_MAX
            raise _Named("InvalidPageSize", pageSize=size)
        return int(size) if self.fault == "page-size-unbounded" else min(int(size), _PAGE_MAX)

    def _first(self, body: Mapping[str, Any]) -> _Cursor:
        """The cursor of a first page; the last day unless the body says otherwise."""
        now_ms = self._now_ms()
        start, end = self._instant(body, "startTime"), self._instant(body, "endTime")
        if start is not None and end is not None and start > end:
            raise _Named("InvalidExecutionFilter", "startTime is after endTime.")
        if start is None:
            start = 0 if self.fault == "default-window-unlimited" else now_ms - _DAY_MS
        # The present millisecond is not over yet, so that it does not belong to the window.
        return _Cursor(start, now_ms if end is None else end, now_ms)

    def _instant(self, body: Mapping[str, Any], key: str) -> int | None:
        """A time of the body in milliseconds, rounded up."""
        if body.get(key) is None:
            return None
        try:
            return _parse(body[key], with_zone=self.fault != "zone-ignored")
        except (ValueError, OverflowError) as error:
            raise _Named("Conjure:UnprocessableEntity", f"{key} is no time.") from error

    def _matching(self, resource: str, where: Any, cursor: _Cursor) -> list[dict[str, Any]]:
        """What a query selects, from the cursor on."""
        leaks = (
            self.fault == "filter-or-leaks"
            and isinstance(where, dict)
            and where.get("type") == "or"
        )
        selects = self._predicate(where)
        rows = self.db.execute(
            "SELECT id AS foundryTraceId, resource, version AS resourceVersion, status,"
            " owner AS traceOwningRid, reason AS failureReason, caller AS callerRid,"
            " user AS userId, start_ms, end_ms, end_ms - start_ms AS duration FROM executions"
            " WHERE (resource = ? OR ?) AND start_ms >= ? AND start_ms BETWEEN ? AND ?"
            " AND end_ms <= ?",
            (resource, leaks, self._now_ms() - _RETENTION_MS, *self._bounds(cursor)),
        )
        found = [row for row in map(dict, rows.fetchall()) if selects(row)]
        if cursor.after is not None:
            found = [row for row in found if self._is_behind(row, cursor.after)]
        return sorted(found, key=self._key)

    def _bounds(self, cursor: _Cursor) -> tuple[int, int, int]:
        """The first and the last start, and the last end, of what belongs to the list."""
        first_ms = cursor.from_ms + (self.fault == "start-time-exclusive")
        last_ms = cursor.to_ms - (self.fault != "end-time-inclusive")
        # What finishes after the first page was given does not come up on a later one.
        ended_ms = cursor.as_of_ms
        return first_ms, last_ms, 2**62 if self.fault == "running-listed" else ended_ms

    def _predicate(self, where: Any) -> Predicate:
        if where is None:
            return lambda _row: True
        try:
            return Filters(self.fault).predicate(where)
        except BadFilter as error:
            if self.fault == "filter-wrong-ignored":
                return lambda _row: True
            raise _Named("InvalidExecutionFilter", str(error)) from error

    def _key(self, row: Mapping[str, Any]) -> tuple[int, str]:
        """What the list is ordered by, ascending."""
        start_ms, trace_id = row["start_ms"], row["foundryTraceId"]
        if self.fault == "order-by-end":
            return -row["end_ms"], trace_id
        return -start_ms, trace_id[::-1] if self.fault == "ties-unordered" else trace_id

    def _is_behind(self, row: Mapping[str, Any], after: list[Any]) -> bool:
        """Whether an execution comes after the last one shown."""
        key = list(self._key(row))
        if self.fault == "page-loses-ties":
            return bool(key[0] > after[0])
        return key >= after if self.fault == "page-overlaps" else key > after

    def _execution_json(self, row: Mapping[str, Any]) -> dict[str, Any]:
        end_ms = min(row["end_ms"], self._now_ms())
        told = {
            "traceOwningRid": row["traceOwningRid"],
            "foundryTraceId": row["foundryTraceId"],
            "resourceRid": row["resource"],
            "resourceVersion": row["resourceVersion"],
            "status": row["status"],
            "startTime": rfc3339(row["start_ms"] * MILLISECOND),
            "duration": self._duration(end_ms - row["start_ms"]),
        }
        reason = row["failureReason"]
        if self.fault == "reason-on-success" and row["duration"] % 3 == 0:
            reason = reason or "timeout"
        optional = {"failureReason": reason, "callerRid": row["callerRid"]}
        return told | {key: value for key, value in optional.items() if value is not None}

    def _duration(self, ms: int) -> dict[str, Any]:
        unit, size = ("SECONDS", 1000) if ms % 1000 == 0 else ("MILLISECONDS", 1)
        as_text = self.fault == "duration-as-text" and ms >= 60_000
        return {"value": str(ms // size) if as_text else ms // size, "unit": unit}

    # Page tokens

    def _token(self, cursor: _Cursor, query: str) -> str:
        content = {"query": query, "issued_ms": self._now_ms(), "cursor": asdict(cursor)}
        data = json.dumps(content).encode()
        return f"v1.{base64.urlsafe_b64encode(_signature(data) + data).decode().rstrip('=')}"

    def _read_token(self, token: str | None, query: str) -> _Cursor | None:
        """The cursor in a page token; None without one."""
        if token is None:
            return None
        content = _opened(token)
        if content is None:
            if self.fault == "broken-token-first-page":
                return None
            raise _Named("InvalidPageToken", "It is not of this server.", pageToken=token)
        if content["query"] != query and self.fault != "token-of-another-query":
            raise _Named("InvalidPageToken", "It is of another query.", pageToken=token)
        if content["issued_ms"] < self._now_ms() - _HOUR_MS:
            raise _Named("InvalidPageToken", "It is too old.", pageToken=token)
        return _Cursor(**content["cursor"])


def _opened(token: str) -> Any:
    """What a page token holds; None if it was not given out here."""
    try:
        data = base64.urlsafe_b64decode(token.removeprefix("v1.").encode() + b"==")
    except ValueError:
        return None
    signature, content = data[:32], data[32:]
    good = token.startswith("v1.") and hmac.compare_digest(signature, _signature(content))
    return json.loads(content) if good else None


def _signature(data: bytes) -> bytes:
    return hmac.digest(_SECRET, data, "sha256")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _parse(text: str, *, with_zone: bool) -> int:
    """RFC 3339 in milliseconds since 1970, rounded up.

    Raises:
        ValueError: it is not that, or not of the years 1 to 9999.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, minute, second, fraction, zone = match.groups()
    offset = timedelta()
    if with_zone and zone not in {"Z", "z"}:
        hours, minutes = zone[1:].split(":")
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if zone[0] == "-" else 1)
    # The 60th second is a leap second, which is that of the next minute.
    at = datetime.fromisoformat(f"{day}T{minute}:00+00:00") - datetime(1970, 1, 1, tzinfo=UTC)
    whole_ms = (at - offset) // timedelta(milliseconds=1) + int(second) * 1000
    digits = (fraction or ".0")[1:]
    return whole_ms + int(-(-int(digits) * 1000 // 10 ** len(digits)))


def _named(refused: Refused, asked: Asked) -> _Named:
    """The vendor's name of what the way to the handler has refused."""
    places = {one.location for one in refused.problems}
    preview = asked.query.get("preview", asked.operation_id != "listExecutions")
    if refused.status in {400, 415} and preview is not True:
        # A value that is no boolean at all is left as the text it is.
        if preview in (None, False):
            return _Named("ApiFeaturePreviewUsageOnly")
        return _Named("Default:InvalidArgument", refused.message)
    if places - {"body"}:
        return _Named("Default:InvalidArgument", refused.message)
    return _Named(_NAMES.get(refused.reason, "Conjure:UnprocessableEntity"), refused.message)


def _token_error(refused: Refused) -> Answer:
    """RFC 6749, section 5.2."""
    if refused.status == 401:
        body = {"error": "invalid_client", "error_description": refused.message}
        return Answer(401, body, {"www-authenticate": 'Basic realm="foundry"'})
    code = "invalid_request"
    for problem in refused.problems:
        if problem.pointer == "/grant_type":
            code = "unsupported_grant_type"
        elif problem.pointer == "/scope":
            code = "invalid_scope"
    return Answer(400, {"error": code, "error_description": refused.message})
