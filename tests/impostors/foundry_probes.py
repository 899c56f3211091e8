"""The main story of Foundry, and for every planted fault the request that shows it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.impostors.foundry import (
    AUTOMATION,
    CLOSED,
    EXPIRED_TOKEN,
    FUNCTION,
    SCORING,
    TOKENS,
    WEAK_TOKEN,
)

UNKNOWN = "ri.function-registry.main.function.00000000-0000-4000-8000-000000000000"
EVER = "2000-01-01T00:00:00Z"
GRANT = {
    "grant_type": "client_credentials",
    "client_id": "mockexec-client",
    "client_secret": "mockexec-secret",
}
# So often the list is looked at until something has arrived; each look takes some milliseconds.
_LOOKS_MAX = 5_000

Json = dict[str, Any]


def _ask(
    client: httpx.Client,
    body: Any,
    resource: str = SCORING,
    *,
    token: str | None = TOKENS["main"],
    method: str = "POST",
    preview: str | None = "true",
) -> httpx.Response:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    path = f"/api/v2/observability/resources/{resource}/listExecutions"
    query = {} if preview is None else {"preview": preview}
    return client.request(method, path, params=query, headers=headers, json=body)


def _page(client: httpx.Client, resource: str = SCORING, **body: Any) -> Json:
    response = _ask(client, {"startTime": EVER, **body}, resource)
    assert response.status_code == 200, response.text
    page: Json = response.json()
    return page


def _pages(client: httpx.Client, resource: str = SCORING, **body: Any) -> list[list[Json]]:
    page = _page(client, resource, **body)
    pages = [page["data"]]
    while "nextPageToken" in page:
        page = _page(client, resource, **body, pageToken=page["nextPageToken"])
        pages.append(page["data"])
    return pages


def _all(client: httpx.Client, resource: str = SCORING, **body: Any) -> list[Json]:
    return [one for page in _pages(client, resource, **body) for one in page]


def _past(client: httpx.Client, **body: Any) -> list[Json]:
    """What the busy resource has of the time before the server started."""
    return _all(client, FUNCTION, endTime=_before_arrivals(client), **body)


def _before_arrivals(client: httpx.Client) -> str:
    """A time between what was there and what arrived since: for half an hour nothing was."""
    later: str | None = None
    for one in _all(client, FUNCTION):
        if later and _time(later) - _time(one["startTime"]) > timedelta(minutes=20):
            return later
        later = one["startTime"]
    raise AssertionError("nothing has arrived")


def _where(client: httpx.Client, where: Json, resource: str = SCORING) -> list[Json]:
    return _all(client, resource, where=where)


def _found(client: httpx.Client, where: Json) -> int:
    return len(_past(client, where=where))


def _ids(executions: list[Json]) -> list[str]:
    return [one["foundryTraceId"] for one in executions]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _refusal(response: httpx.Response) -> tuple[int, str, Json]:
    error = response.json()
    return response.status_code, error["errorName"], error["parameters"]


def _eq(field: str, value: Any, kind: str = "eq") -> Json:
    return {"type": kind, "field": field, "value": value}


def _not(part: Json) -> Json:
    return {"type": "not", "filter": part}


FAILED = _eq("status", "FAILED")
CALLED = _not({"type": "isNull", "field": "callerRid"})


def story(client: httpx.Client) -> None:
    """Executions arrive, are listed page by page, filtered, and what must not be is refused."""
    _arrivals(client)
    _lists(client)
    _windows(client)
    _filters(client)
    _refusals(client)
    _tokens(client)


def _arrivals(client: httpx.Client) -> None:
    before = _ids(_all(client, FUNCTION))
    for _ in range(_LOOKS_MAX):
        now = _all(client, FUNCTION)
        if len(now) >= len(before) + 2:
            break
    assert _ids(now)[2:] == before or _ids(now)[3:] == before
    assert now[0]["duration"]["unit"] in {"MILLISECONDS", "SECONDS"}


def _lists(client: httpx.Client) -> None:
    everything = _past(client)
    assert len(everything) > 100
    times = [one["startTime"] for one in everything]
    assert times == sorted(times, reverse=True)
    keys = [(-_time(one["startTime"]).timestamp(), one["foundryTraceId"]) for one in everything]
    assert keys == sorted(set(keys))
    for size in (7, 50, 1000):
        pages = _pages(client, FUNCTION, pageSize=size, endTime=_before_arrivals(client))
        assert {len(page) for page in pages[:-1]} <= {min(size, 100)}
        assert [one for page in pages for one in page] == everything
    scores = _all(client)
    assert [len(page) for page in _pages(client, pageSize=len(scores))] == [len(scores)]
    assert {one["resourceRid"] for one in scores} == {SCORING}
    assert {"failureReason" in one for one in everything if one["status"] == "SUCCEEDED"} == {False}


def _windows(client: httpx.Client) -> None:
    scores = _all(client)
    first, last = scores[8]["startTime"], scores[2]["startTime"]
    assert _ids(_all(client, startTime=first, endTime=last)) == _ids(scores[3:9])
    assert _all(client, startTime=first, endTime=first) == []
    ahead = (_time(first) + timedelta(hours=2)).isoformat().replace("+00:00", "+02:00")
    assert _ids(_all(client, startTime=ahead, endTime=last)) == _ids(scores[3:9])
    lately = _ask(client, {}).json()["data"]
    assert _ids(lately) == _ids(scores)[: len(lately)]
    assert 0 < len(lately) < len(scores)
    response = _ask(client, {"startTime": last, "endTime": first})
    assert _refusal(response)[:2] == (400, "InvalidExecutionFilter")


def _filters(client: httpx.Client) -> None:
    everything = _past(client)
    failed = [one for one in everything if one["status"] == "FAILED"]
    called = [one for one in everything if "callerRid" in one]
    assert _past(client, where=FAILED) == failed
    assert _past(client, where=CALLED) == called
    both = [one for one in failed if one in called]
    assert _past(client, where={"type": "and", "filters": [FAILED, CALLED]}) == both
    either = [one for one in everything if one in failed or one in called]
    assert _past(client, where={"type": "or", "filters": [FAILED, CALLED]}) == either
    assert _past(client, where=_not(FAILED)) == [one for one in everything if one not in failed]
    timeouts = _eq("failureReason", ["timeout", "object_not_found"], "in")
    assert _past(client, where=timeouts) == [
        one for one in everything if one.get("failureReason") in timeouts["value"]
    ]
    bounds = [_eq("duration", {"value": 2, "unit": "MINUTES"}, kind) for kind in ("gte", "lte")]
    (exact,) = _past(client, where={"type": "and", "filters": bounds})
    assert exact["duration"] == {"value": 120, "unit": "SECONDS"}
    users = [_found(client, where) for where in ({"type": "isNull", "field": "userId"}, FAILED)]
    assert 0 < users[0] < len(everything)
    deep: Json = FAILED
    for _ in range(48):
        deep = _not(deep)
    assert _past(client, where=deep) == failed


def _refusals(client: httpx.Client) -> None:
    assert _refusal(_ask(client, {}, UNKNOWN)) == (
        404, "ResourceNotFound", {"resourceRid": UNKNOWN},
    )  # fmt: skip
    for resource, name in (
        (CLOSED, "ListExecutionsPermissionDenied"),
        (AUTOMATION, "ListExecutionsResourcePermissionDenied"),
    ):
        assert _refusal(_ask(client, {}, resource)) == (403, name, {"resourceRid": resource})
        assert _ask(client, {}, resource, token=TOKENS["other"]).json()["data"]
    for body, status, name in (
        ({"pageSize": 0}, 400, "InvalidPageSize"),
        ({"pageSize": "ten"}, 422, "Conjure:UnprocessableEntity"),
        ({"pageToken": "v1.bm90LW91cnM"}, 400, "InvalidPageToken"),
        ({"where": {"type": "eq"}}, 400, "InvalidExecutionFilter"),
        ({"where": _eq("duration", {"value": 1, "unit": "DAYS"}, "gte")}, 400,
         "InvalidExecutionFilter"),
        ({"startTime": "0000-01-01T00:00:00Z"}, 422, "Conjure:UnprocessableEntity"),
        ([], 422, "Conjure:UnprocessableEntity"),
    ):  # fmt: skip
        assert _refusal(_ask(client, body))[:2] == (status, name)
    for preview, name in (
        (None, "ApiFeaturePreviewUsageOnly"),
        ("false", "ApiFeaturePreviewUsageOnly"),
        ("maybe", "Default:InvalidArgument"),
    ):
        assert _refusal(_ask(client, {}, preview=preview))[:2] == (400, name)
    assert _ask(client, {}, method="PUT").headers["allow"] == "POST"
    unknown = client.get("/api/v2/observability")
    assert (unknown.status_code, unknown.content) == (404, b"")


def _tokens(client: httpx.Client) -> None:
    for token, status, name in (
        (None, 401, "MissingCredentials"),
        ("nobody's", 401, "Default:Unauthorized"),
        (EXPIRED_TOKEN, 401, "Default:Unauthorized"),
        (WEAK_TOKEN, 403, "ApiUsageDenied"),
    ):
        assert _refusal(_ask(client, {}, token=token))[:2] == (status, name)
    answer = _grant(client)
    assert answer.headers["cache-control"] == "no-store"
    assert _ask(client, {}, token=answer.json()["access_token"]).status_code == 200
    by_header = client.post(
        "/multipass/api/oauth2/token",
        data={"grant_type": "client_credentials", "scope": "offline_access"},
        auth=("mockexec-client", "mockexec-secret"),
    ).json()
    assert by_header["scope"] == "offline_access"
    assert _ask(client, {}, token=by_header["access_token"]).status_code == 403
    for change, error in (
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "everything!"}, "invalid_scope"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ):
        assert _grant(client, **change).json()["error"] == error


def _grant(client: httpx.Client, **changed: str) -> httpx.Response:
    return client.post("/multipass/api/oauth2/token", data=GRANT | changed)


def _two_pages(client: httpx.Client) -> list[str]:
    first = _page(client, pageSize=4)
    second = _page(client, pageSize=4, pageToken=first["nextPageToken"])
    return _ids(first["data"] + second["data"])


def _one_of_three(client: httpx.Client) -> int:
    """Pages of two: behind one of them is the third of those that started together."""
    return len({*_ids(_past(client, pageSize=2))})


def _ties(client: httpx.Client) -> bool:
    starts = [(one["startTime"], one["foundryTraceId"]) for one in _past(client)]
    together = [pair for pair in itertools.pairwise(starts) if pair[0][0] == pair[1][0]]
    return all(first < second for first, second in together)


def _by_start(client: httpx.Client) -> bool:
    starts = [one["startTime"] for one in _past(client)]
    return starts == sorted(starts, reverse=True)


def _window(client: httpx.Client, newest: int, oldest: int) -> int:
    scores = _all(client)
    window = {"startTime": scores[oldest]["startTime"], "endTime": scores[newest]["startTime"]}
    return len(_all(client, **window))


def _in_another_zone(client: httpx.Client) -> int:
    since = _time(_all(client)[3]["startTime"]) + timedelta(hours=9)
    return len(_all(client, startTime=since.isoformat().replace("+00:00", "+09:00")))


def _other_filter(client: httpx.Client) -> int:
    token = _page(client, pageSize=4)["nextPageToken"]
    return _ask(client, {"startTime": EVER, "where": FAILED, "pageToken": token}).status_code


def _status(body: Json, resource: str = SCORING, token: str = TOKENS["main"]) -> Probe:
    return lambda client: _ask(client, body, resource, token=token).status_code


def _with(where: Json) -> Probe:
    return lambda client: _found(client, where)


def _occurrences(client: httpx.Client) -> int:
    return len({_ask(client, {}, UNKNOWN).json()["errorInstanceId"] for _ in range(2)})


Probe = Callable[[httpx.Client], object]
SHORT = {"type": "or", "filters": [FAILED, _eq("resourceVersion", "1.2.0")]}

PROBES: dict[str, Probe] = {
    "page-overlaps": lambda client: len({*_two_pages(client)}),
    "page-loses-ties": _one_of_three,
    "full-last-page-continues": lambda client: len(_pages(client, pageSize=6)),
    "page-size-unbounded": lambda client: len(_page(client, FUNCTION, pageSize=110)["data"]),
    "default-page-of-20": lambda client: len(_page(client, FUNCTION)["data"]),
    "negative-page-size-accepted": _status({"pageSize": -1}),
    "token-of-another-query": _other_filter,
    "broken-token-first-page": _status({"pageToken": "v1.bm90LW91cnM"}),
    "order-by-end": _by_start,
    "ties-unordered": _ties,
    "start-time-exclusive": lambda client: _window(client, 2, 8),
    "end-time-inclusive": lambda client: _window(client, 2, 8),
    "zone-ignored": _in_another_zone,
    "default-window-unlimited": lambda client: len(_ask(client, {}).json()["data"]),
    "filter-or-as-and": _with({"type": "or", "filters": [FAILED, CALLED]}),
    "filter-not-ignored": _with(_not(FAILED)),
    "filter-not-loses-absent": _with(_not(_eq("failureReason", "timeout"))),
    "filter-in-first-value": _with(_eq("status", ["FAILED", "SUCCEEDED"], "in")),
    "filter-or-leaks": lambda client: {one["resourceRid"] for one in _where(client, SHORT)},
    "filter-wrong-ignored": _status({"where": _eq("colour", "red")}),
    "filter-unicode-fails": _status({"where": _eq("failureReason", "失敗")}),
    "duration-unit-ignored": _with(_eq("duration", {"value": 1, "unit": "MINUTES"}, "gte")),
    "duration-lte-exclusive": _with(_eq("duration", {"value": 2, "unit": "MINUTES"}, "lte")),
    "duration-as-text": lambda client: {type(one["duration"]["value"]) for one in _past(client)},
    "running-listed": lambda client: len(_past(client)),
    "reason-on-success": lambda client: {
        one["status"] for one in _past(client) if "failureReason" in one
    },
    "closed-resource-listed": _status({}, CLOSED),
    "unknown-resource-empty": _status({}, UNKNOWN),
    "expired-token-accepted": _status({}, token=EXPIRED_TOKEN),
    "scope-unchecked": _status({}, token=WEAK_TOKEN),
    "secret-unchecked": lambda client: (
        _grant(client, client_secret="wrong").status_code
    ),  # wrong on purpose
    "error-without-facts": lambda client: _refusal(_ask(client, {}, UNKNOWN)),
    "error-id-repeated": _occurrences,
    "missing-allow": lambda client: _ask(client, {}, method="PUT").headers.get("allow"),
}
