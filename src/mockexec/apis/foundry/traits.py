"""What the Foundry document promises in prose: see ``mockexec.traits``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mockexec.simulation.instants import (
    HOUR,
    MILLISECOND,
    format_instant,
    parse_instant,
)
from mockexec.simulation.lifecycle import CANCELLED, COMPLETED, FAILED, TERMINATED
from mockexec.traits import (
    ABSENT,
    And,
    Answer,
    Ask,
    Auth,
    Compare,
    Credential,
    Expression,
    Field,
    Filtering,
    Invalid,
    Item,
    Life,
    Limits,
    Listing,
    Minted,
    Not,
    Or,
    Order,
    Ownership,
    PageOf,
    Player,
    Problem,
    Promise,
    Refusals,
    Traits,
    Unknown,
    Window,
    bearer,
    spellings,
)

_FUNCTION = "ri.function-registry.main.function.c26f11c8-cdb3-4f44-9f5d-9816ea1c82da"
# In the default scenario only another user may look into this one.
_CLOSED = "ri.function-registry.main.function.7d5f0a3e-91c2-4b6d-8e4f-2a1b3c4d5e6f"
_NOBODYS = "ri.function-registry.main.function.00000000-0000-4000-8000-000000000000"
_EVER = "2000-01-01T00:00:00Z"
_UNITS_MS = {"MILLISECONDS": 1, "SECONDS": 1000, "MINUTES": 60_000, "HOURS": 3_600_000}


def _list(page: PageOf, resource: str = _FUNCTION, **more: Any) -> Ask:
    wanted = {
        "startTime": page.since,
        "endTime": page.until,
        "where": page.where,
        "pageSize": page.limit,
        "pageToken": page.at,
    }
    body = {name: value for name, value in wanted.items() if value is not None}
    return Ask("listExecutions", path={"resourceRid": resource}, body=body, **more)


def _next(page: PageOf, answer: Answer) -> PageOf | None:
    token = answer.body.get("nextPageToken")
    return None if token is None else replace(page, at=token)


def _duration_ms(item: Item) -> int:
    duration = item["duration"]
    return int(duration["value"]) * _UNITS_MS.get(duration["unit"], 86_400_000)


def _reason(item: Item) -> Problem | None:
    if item["status"] != "FAILED" and "failureReason" in item:
        return Problem(
            "an execution that succeeded has a failureReason",
            "failureReason on failed executions only",
            f"{item['status']} with failureReason {item['failureReason']!r}",
        )
    return None


def _resource(item: Item) -> Problem | None:
    if item["resourceRid"] not in {_FUNCTION, _CLOSED}:
        return Problem(
            "the list of a resource holds executions of another one",
            f"resourceRid {_FUNCTION}",
            f"resourceRid {item['resourceRid']}",
        )
    return None


_LIFE = Life(
    id=lambda item: str(item["foundryTraceId"]),
    word=lambda item: str(item["status"]),
    states={
        "SUCCEEDED": frozenset({COMPLETED}),
        "FAILED": frozenset({FAILED, CANCELLED, TERMINATED}),
    },
    rules=(_reason, _resource),
)

# Filters


def _text(name: str, *operators: str) -> Field:
    return Field(
        name=name,
        operators=("eq", "in", *operators),
        value=lambda item: item.get(name),
        extra=("nobody has this",),
        is_text=True,
    )


_FIELDS = (
    Field(
        name="status",
        operators=("eq", "in"),
        value=lambda item: item["status"],
        extra=("SUCCEEDED", "FAILED"),
    ),
    Field(
        name="duration",
        operators=("ge", "le"),
        value=_duration_ms,
        # Whole seconds, minutes and hours, which are written in those.
        extra=(0, 1000, 2000, 5000, 60_000, 3_600_000),
        near=lambda value, step: max(0, value + step),
    ),
    _text("callerRid", "null"),
    _text("resourceVersion"),
    _text("failureReason"),
    _text("foundryTraceId"),
    _text("traceOwningRid"),
    Field(
        name="userId",
        operators=("eq", "in", "null"),
        hidden=True,
        extra=("9b5c1f0a-3f6e-4a77-8f5e-6d2c4b8a9e10",),
    ),
)


def _write(expression: Expression) -> Any:
    match expression:
        case And(parts):
            return {"type": "and", "filters": [_write(part) for part in parts]}
        case Or(parts):
            return {"type": "or", "filters": [_write(part) for part in parts]}
        case Not(part):
            return {"type": "not", "filter": _write(part)}
        case Compare(field, operator, value):
            words = {"null": "isNull", "ge": "gte", "le": "lte"}
            written = {"type": words.get(operator, operator), "field": field.name}
            if operator == "null":
                return written
            if field.name == "duration":
                return {**written, "value": _bound(value)}
            return {**written, "value": list(value) if operator == "in" else value}


def _bound(ms: int) -> dict[str, Any]:
    """A duration in the largest unit that it is a whole number of."""
    if not ms:
        return {"value": 0, "unit": "HOURS"}
    units = [unit for unit, size in _UNITS_MS.items() if ms % size == 0]
    return {"value": ms // _UNITS_MS[units[-1]], "unit": units[-1]}


_FAILED = {"type": "eq", "field": "status", "value": "FAILED"}
_REFUSED = (
    ({"type": "isNull", "field": "status"}, "isNull on a field that is always there"),
    (
        {"type": "eq", "field": "duration", "value": {"value": 1, "unit": "SECONDS"}},
        "eq on duration",
    ),
    ({"type": "gte", "field": "status", "value": {"value": 1, "unit": "SECONDS"}}, "gte on status"),
    (
        {"type": "gte", "field": "duration", "value": {"value": 1, "unit": "DAYS"}},
        "a duration in days",
    ),
    (
        {"type": "lte", "field": "duration", "value": {"value": -1, "unit": "SECONDS"}},
        "a negative duration",
    ),
    ({"type": "eq", "field": "status", "value": "DONE"}, "a status that does not exist"),
    ({"type": "eq", "field": "colour", "value": "red"}, "a field that does not exist"),
    ({"type": "like", "field": "failureReason", "value": "t"}, "an operator that does not exist"),
    ({"type": "eq", "field": "status"}, "eq without a value"),
    ({"type": "in", "field": "status", "value": []}, "in without values"),
    ({"type": "and", "filters": []}, "an and of nothing"),
    ({"type": "or", "filters": []}, "an or of nothing"),
    ({"type": "not", "filter": {"type": "isNull", "field": "status"}}, "a wrong filter in a not"),
    ({"type": "or", "filters": [_FAILED, {"type": "eq"}]}, "a wrong filter in an or"),
)


_LIST = Listing(
    operation="listExecutions",
    ask=_list,
    items=lambda body: body["data"],
    next=_next,
    everything=PageOf(100, since=_EVER),
    limits=Limits(name="pageSize", default=100, least=1, most=100, over="clamped"),
    orders=(
        Order(
            name="newest start first, then by trace id",
            key=lambda item: parse_instant(item["startTime"]),
            descending=True,
            ties=lambda item: item["foundryTraceId"],
        ),
    ),
    filtering=Filtering(fields=_FIELDS, write=_write, refused=_REFUSED),
    window=Window(
        instant=lambda item: parse_instant(item["startTime"]),
        write=lambda ns: spellings(ns, digits=3),
        since_included=True,
        until_included=False,
        step_ns=MILLISECOND,
    ),
    seals=True,
    broken=(
        (PageOf(at="v1.bm90LW91cnM"), "a page token that the server did not give out"),
        (PageOf(at="abc"), "a page token that is none"),
        (PageOf(limit=-1), "a negative page size"),
        (
            PageOf(since="2026-01-02T00:00:00Z", until="2026-01-01T00:00:00Z"),
            "a window that ends before it begins",
        ),
    ),
)


def _wrong(answer: Answer) -> str | None:
    """The class of the error and the facts about it, as the vendor's page about errors has them."""
    body = answer.body
    if isinstance(body, dict) and "error_description" in body:
        return None  # the token endpoint's own form, which the document describes
    codes = {401: "UNAUTHORIZED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
             413: "REQUEST_ENTITY_TOO_LARGE"}  # fmt: skip
    wanted = codes.get(answer.status, "INVALID_ARGUMENT")
    if not isinstance(body, dict) or "errorCode" not in body:
        return "is not {errorCode, errorName, errorInstanceId, parameters}"
    if body["errorCode"] != wanted:
        return f"has the errorCode {body['errorCode']!r} instead of {wanted!r}"
    facts = {
        "ResourceNotFound": "resourceRid",
        "ListExecutionsPermissionDenied": "resourceRid",
        "ListExecutionsResourcePermissionDenied": "resourceRid",
        "InvalidPageSize": "pageSize",
        "InvalidPageToken": "pageToken",
        "ApiUsageDenied": "missingScope",
    }
    fact = facts.get(body.get("errorName", ""))
    if fact is not None and fact not in body.get("parameters", {}):
        return f"is {body['errorName']} without the parameter {fact}"
    return None


def _grant(scope: str = "api:observability-read", secret: str = "mockexec-secret") -> Ask:  # noqa: S107  # the document's example
    body = {
        "grant_type": "client_credentials",
        "client_id": "mockexec-client",
        "client_secret": secret,
        "scope": scope,
    }
    return Ask("createToken", body=body, principal="none")


def _grant_by_header() -> Ask:
    both = b64encode(b"mockexec-client:mockexec-secret").decode()
    return Ask(
        "createToken",
        header={"Authorization": f"Basic {both}"},
        body={"grant_type": "client_credentials"},
        principal="none",
    )


_FIRST = _list(PageOf(1))

_AUTH = Auth(
    broken=(
        Credential(name="a token nobody has", headers=bearer("no-such-token")),
        Credential(name="an empty token", headers={"Authorization": "Bearer"}),
        Credential(name="an unknown scheme", headers={"Authorization": "Digest abc"}),
    ),
    expired=(Credential(name="an expired token", headers=bearer("foundry-expired-token")),),
    weak=(
        (
            Credential(
                name="a token without api:observability-read",
                headers=bearer("foundry-weak-token"),
            ),
            (_FIRST,),
        ),
    ),
    minted=(
        Minted(
            name="a token with api:observability-read",
            ask=_grant(),
            headers=lambda body: bearer(body["access_token"]),
            good=(_FIRST,),
            lives_s=lambda body: float(body["expires_in"]),
        ),
        Minted(
            name="a token of a client that gave its secret as HTTP Basic",
            ask=_grant_by_header(),
            headers=lambda body: bearer(body["access_token"]),
            good=(_FIRST,),
        ),
        Minted(
            name="a token with offline_access only",
            ask=_grant("offline_access"),
            headers=lambda body: bearer(body["access_token"]),
            weak=(_FIRST,),
        ),
    ),
    refused_clients=((_grant(secret="wrong"), "a wrong client secret"),),  # noqa: S106  # as above
)


def _occurrences_differ(player: Player) -> Iterator[Problem]:
    ids = [player.send(_list(PageOf(1), _NOBODYS)).body for _ in range(2)]
    found = [body.get("errorInstanceId") for body in ids if isinstance(body, dict)]
    if len(found) == 2 and found[0] is not None and found[0] == found[1]:
        yield Problem(
            "two refusals have the same errorInstanceId",
            "an id of this one occurrence",
            f"{found[0]} twice",
        )


def _last_day(player: Player) -> Iterator[Problem]:
    """Without a window the last 24 hours are listed; what is older is not."""
    ever = player.items()
    answer = player.send(_list(PageOf(100)))
    if not answer.ok or not ever:
        return
    shown = {item["foundryTraceId"]: item["startTime"] for item in answer.body["data"]}
    # What time the server thinks it is is not known; it is not before its newest execution.
    newest_ns = max(parse_instant(item["startTime"]) for item in ever)
    old = [time for time in shown.values() if parse_instant(time) < newest_ns - 25 * HOUR]
    if old:
        yield Problem(
            "without a window, executions older than 24 hours are listed",
            "the last 24 hours",
            f"one of {min(old)}, while the newest is of {format_instant(newest_ns, digits=3)}",
        )
    between = [i for i in ever if shown and i["startTime"] > min(shown.values())]
    missing = [i["foundryTraceId"] for i in between[:100] if i["foundryTraceId"] not in shown]
    if missing and len(shown) < 100:
        yield Problem(
            "without a window, executions of the last 24 hours are missing",
            f"{len(between)} that started after {min(shown.values())}",
            f"without {missing[0]}",
        )


TRAITS = Traits(
    life=_LIFE,
    lists=(_LIST,),
    ownership=Ownership(
        closed=(_list(PageOf(5), _CLOSED), _list(PageOf(5, since=_EVER), _CLOSED)),
    ),
    auth=_AUTH,
    refusals=Refusals(
        wrong=_wrong,
        # The vendor's page about errors: some errors have no body.
        bodiless=frozenset({404, 405, 429, 503}),
        unknown=(
            Unknown(_list(PageOf(1), _NOBODYS), frozenset({404}), "a resource that does not exist"),
        ),
    ),
    invalid=(
        Invalid(
            ask=replace(_FIRST, query={"preview": "false"}),
            reason="preview=false",
            refused=frozenset({400}),
        ),
        Invalid(
            ask=replace(_FIRST, query={"preview": ABSENT}),
            reason="a request without preview",
            refused=frozenset({400}),
        ),
        Invalid(
            ask=Ask("listExecutions", path={"resourceRid": _FUNCTION}, body=ABSENT),
            reason="a request without a body",
            refused=frozenset({400}),
        ),
    ),
    no_store=("createToken",),
    promises=(
        Promise("every refusal has its own id", "listExecutions", False, _occurrences_differ),
        Promise("the default window", "listExecutions", False, _last_day),
    ),
    settle_s=1800,
)
