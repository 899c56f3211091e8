"""What the tests of Foundry share: requests, worlds told in full, and a plain model of a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from mockexec.simulation.instants import (
    DAY,
    HOUR,
    MILLISECOND,
    MINUTE,
    SECOND,
    format_instant,
    parse_duration,
)
from mockexec.simulation.lifecycle import Profile
from mockexec.simulation.world import Arrival, Scenario
from tests.support import Served, serve

RESOURCE = "ri.function-registry.main.function.c26f11c8-cdb3-4f44-9f5d-9816ea1c82da"
OTHER_RESOURCE = "ri.function-registry.main.function.4e0b6c1d-9a57-4f0e-b7f3-52a8d0c4e961"
CLOSED_RESOURCE = "ri.function-registry.main.function.7d5f0a3e-91c2-4b6d-8e4f-2a1b3c4d5e6f"
UNKNOWN_RESOURCE = "ri.function-registry.main.function.00000000-0000-4000-8000-000000000000"

USER = "9b5c1f0a-3f6e-4a77-8f5e-6d2c4b8a9e10"
OTHER_USER = "1e7d3c58-0b4f-4c92-a6e1-3f9b8d2c7a45"
CALLER = "ri.workshop.main.module.f1e2d3c4-b5a6-7890-1234-567890abcdef"


def path(resource: str = RESOURCE) -> str:
    """Where a resource's executions are listed."""
    return f"/foundry/api/v2/observability/resources/{resource}/listExecutions"


def send(
    mock: Served, body: Any = None, *, resource: str = RESOURCE, token: str | None = None
) -> httpx.Response:
    """A well-formed listExecutions request."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return mock.post(path(resource), params={"preview": "true"}, json=body or {}, headers=headers)


def listed(mock: Served, body: Any = None, *, resource: str = RESOURCE) -> list[dict[str, Any]]:
    """The executions of one page."""
    response = send(mock, body, resource=resource)
    assert response.status_code == 200, response.text
    data: list[dict[str, Any]] = response.json()["data"]
    return data


def followed(mock: Served, body: Mapping[str, Any]) -> list[list[str]]:
    """The trace ids of every page, by following the tokens."""
    pages, token = [], None
    while True:
        response = send(mock, {**body, "pageToken": token})
        assert response.status_code == 200, response.text
        pages.append(ids(response.json()["data"]))
        token = response.json().get("nextPageToken")
        if token is None:
            return pages


def ids(data: list[dict[str, Any]]) -> list[str]:
    """The trace ids of a page."""
    return [execution["foundryTraceId"] for execution in data]


def refused(response: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """The body of a refusal, which must be this one."""
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    assert body["errorName"] == name, body
    return body


@dataclass(frozen=True)
class Run:
    """An execution as a test tells it: ``ago_ms`` before the world's start, ``ran_ms`` long."""

    id: str
    ago_ms: int = 60_000
    ran_ms: int = 1_000
    status: str = "SUCCEEDED"
    reason: str | None = None
    version: str = "1.0.0"
    caller: str | None = None
    user: str | None = None
    trace_owner: str = RESOURCE

    def fixture(self) -> dict[str, Any]:
        """As a scenario file would hold it."""
        told = {
            "foundryTraceId": self.id,
            "resource": RESOURCE,
            "started": f"{-self.ago_ms}ms",
            "ran": f"{self.ran_ms}ms",
            "status": self.status,
            "failureReason": self.reason,
            "resourceVersion": self.version,
            "callerRid": self.caller,
            "userId": self.user,
            "traceOwningRid": self.trace_owner,
        }
        return {key: value for key, value in told.items() if value is not None}

    def started_ms(self, start_ms: int) -> int:
        """When it started, in a world that began at ``start_ms``."""
        return start_ms - self.ago_ms

    def finished_ms(self, start_ms: int) -> int:
        """When it finished, or will."""
        return self.started_ms(start_ms) + self.ran_ms


@contextmanager
def world_of(
    *runs: Run,
    arrivals: tuple[Arrival, ...] = (),
    profiles: Mapping[str, Any] | None = None,
    sections: Mapping[str, Any] | None = None,
    strict: bool = True,
) -> Iterator[Served]:
    """A mock whose only executions are ``runs`` of ``RESOURCE``; its clock is frozen."""
    raw_profiles = profiles or {"quick": {"running": "1s"}}
    data: dict[str, Any] = {
        "people": [{"id": USER}, {"id": OTHER_USER}],
        "tokens": [
            {
                "value": "foundry-dev-token",
                "subject": USER,
                "scopes": ["api:observability-read"],
            }
        ],
        "resources": [
            {"rid": rid, "profile": next(iter(raw_profiles)), "versions": ["1.0.0"]}
            for rid in (RESOURCE, OTHER_RESOURCE)
        ],
        "executions": [run.fixture() for run in runs],
        **(sections or {}),
    }
    parsed = {name: Profile.parse(name, raw) for name, raw in raw_profiles.items()}
    scenario = Scenario("foundry", "told", data, parsed, arrivals)
    with serve("foundry", scenario={"foundry": scenario}, strict=strict) as mock:
        yield mock


def arrival(every: str) -> Arrival:
    """Runs of ``RESOURCE`` that start by themselves."""
    return Arrival("runs", parse_duration(every), {"resource": RESOURCE})


def at(mock: Served, *, ago_ms: float = 0) -> str:
    """An instant before the mock's now, as the API writes it but to the nanosecond."""
    return format_instant(mock.world.clock.now_ns() - int(ago_ms * MILLISECOND), digits=9)


# The model: what a list holds, said a second time in the plainest words.

_UNITS = {"MILLISECONDS": MILLISECOND, "SECONDS": SECOND, "MINUTES": MINUTE, "HOURS": HOUR}
DAY_MS = DAY // MILLISECOND


def fields(run: Run) -> dict[str, Any]:
    """What a filter can ask of a finished run; None where there is nothing."""
    return {
        "status": run.status,
        "duration": run.ran_ms,
        "userId": run.user,
        "callerRid": run.caller,
        "resourceVersion": run.version,
        "failureReason": run.reason if run.status == "FAILED" else None,
        "foundryTraceId": run.id,
        "traceOwningRid": run.trace_owner,
    }


def selects(where: Mapping[str, Any] | None, run: Run) -> bool:
    """Whether a filter selects a run."""
    match where:
        case None:
            return True
        case {"type": "and", "filters": parts}:
            return all(selects(part, run) for part in parts)
        case {"type": "or", "filters": parts}:
            return any(selects(part, run) for part in parts)
        case {"type": "not", "filter": part}:
            return not selects(part, run)
    value = fields(run)[where["field"]]
    match where:
        case {"type": "eq", "value": wanted}:
            return bool(value == wanted)
        case {"type": "in", "value": wanted}:
            return value in wanted
        case {"type": "isNull"}:
            return value is None
        case {"type": kind, "value": {"value": count, "unit": unit}}:
            bound_ms = count * _UNITS[unit] / MILLISECOND
            return bool(value >= bound_ms if kind == "gte" else value <= bound_ms)
    raise AssertionError(where)


def expected(
    runs: list[Run],
    *,
    start_ms: int,
    now_ms: int,
    from_ms: int | None = None,
    to_ms: int | None = None,
    where: Mapping[str, Any] | None = None,
) -> list[str]:
    """The trace ids that a list holds at ``now_ms``, in order."""
    low = now_ms - DAY_MS if from_ms is None else from_ms
    high = now_ms if to_ms is None else to_ms
    shown = [
        run
        for run in runs
        if low <= run.started_ms(start_ms) < high
        and run.finished_ms(start_ms) <= now_ms
        and selects(where, run)
    ]
    return [run.id for run in sorted(shown, key=lambda run: (run.ago_ms, run.id))]
