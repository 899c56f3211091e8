"""Foundry's executions against a model: arrive, run, stop, list, filter, page, be refused, expire.

The model is written from what the API is said to do. Foundry's own operations only list, so the
control API starts executions and stops them; what it tells of a new one is all the model learns.
"""

from __future__ import annotations

import dataclasses
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from mockexec.simulation.instants import (
    DAY,
    HOUR,
    MILLISECOND,
    MINUTE,
    SECOND,
    format_instant,
    parse_duration,
)
from tests.machine import ApiMachine, fixed_scenario

USER = "9b5c1f0a-3f6e-4a77-8f5e-6d2c4b8a9e10"
OTHER_USER = "1e7d3c58-0b4f-4c92-a6e1-3f9b8d2c7a45"
FUNCTION = "ri.function-registry.main.function.c26f11c8-cdb3-4f44-9f5d-9816ea1c82da"
ACTION = "ri.actions.main.action-type.8d2f5b90-31ce-4a6b-9c1e-07f4a5d3b812"
MONITOR = "ri.object-sentinel.main.monitor.f7c14421-54f4-4e9f-b6f2-1971b79d612b"
PIPELINE = "ri.eddie.main.pipeline.b3d90e7f-52a4-4c18-8f6d-e1c07b9a2d34"
SALARIES = "ri.function-registry.main.function.7d5f0a3e-91c2-4b6d-8e4f-2a1b3c4d5e6f"
LETTERS = "ri.automation.main.automation.0b9c8d7e-6f5a-4b3c-9d2e-1f0a9b8c7d6e"
UNKNOWN = "ri.function-registry.main.function.00000000-0000-4000-8000-000000000000"
WORKSHOP = "ri.workshop.main.module.f1e2d3c4-b5a6-7890-1234-567890abcdef"
SCOPE = "api:observability-read"

# Who may not look into a resource, and what they are told.
DENIED = {
    (SALARIES, USER): "ListExecutionsPermissionDenied",
    (LETTERS, USER): "ListExecutionsResourcePermissionDenied",
    (LETTERS, OTHER_USER): "ListExecutionsResourcePermissionDenied",
}
# By resource: how long its runs are queued, and how long they then run.
SPANS = {
    FUNCTION: (0, 60 * SECOND),
    ACTION: (20 * SECOND, 400 * MILLISECOND),
    MONITOR: (0, 0),
    PIPELINE: (0, 2 * HOUR),
    SALARIES: (0, 60 * SECOND),
}
REASON = {"weight": 1, "data": [{"failureReason": "timeout"}]}
PROFILES = {
    "function": {"running": "60s", "outcomes": {"completed": 1, "failed": REASON}},
    "action": {"queued": "20s", "running": "400ms", "outcomes": {"failed": REASON}},
    "automation": {"running": "0s", "outcomes": {"completed": 1}},
    "*": {"running": "2h", "outcomes": {"completed": 1}},
}
REASONS = ("timeout", "invalid_parameter", None)
STOPPED = {"cancelled": "cancelled", "terminated": "terminated"}


def told(number: int, resource: str, started: str, ran: str) -> dict[str, Any]:
    """An execution of the scenario; its number decides the rest."""
    failed = number % 3 == 0
    shown = {
        # Ties in time are to be settled by the ids, not by the order here.
        "foundryTraceId": f"run-{number * 37 % 181:03}",
        "resource": resource,
        "started": started,
        "ran": ran,
        "status": "FAILED" if failed else "SUCCEEDED",
        # As in the source document's example: also where nothing failed, and then never shown.
        "failureReason": REASONS[number // 3 % 3],
        "resourceVersion": f"1.{number % 4}.0",
        "callerRid": (None, WORKSHOP, MONITOR)[number // 2 % 3],
        "userId": (USER, None, OTHER_USER)[number // 5 % 3],
        "traceOwningRid": (FUNCTION, MONITOR)[number // 4 % 2],
    }
    return {key: value for key, value in shown.items() if value is not None}


def ran(number: int, ago_m: int) -> str:
    """How long: a fifth of them ends in the world's first hour, wherever they stand in the list."""
    return ("400ms", "0s", f"{ago_m + number % 9 * 7}m", "1500us", "30s")[number % 5]


SPECIAL = (
    (FUNCTION, "-90061001us", "999us"),
    (FUNCTION, "10m", "5s"),  # begins after the world
    (FUNCTION, "3h", "5s"),
    (FUNCTION, "-29d23h59m", "1s"),
    (FUNCTION, "-29d23h", "40h"),  # too old to be seen when it ends
    (FUNCTION, "-26d", "25d500ms"),
    (FUNCTION, "-23h59m59s", "1s"),
    (PIPELINE, "-5m", "20m"),
    (SALARIES, "-1h", "3s"),
    (SALARIES, "-2h", "3s"),
    (LETTERS, "-1h", "3s"),
)
TOLD = [
    # Three at a time, from the last half hour to more than a day ago.
    *(told(n, FUNCTION, f"-{n // 3 * 29 + 1}m", ran(n, n // 3 * 29 + 1)) for n in range(160)),
    *(told(160 + n, *special) for n, special in enumerate(SPECIAL)),
]


@dataclass
class Run:
    """An execution as it should be; ``end_ns`` is when it ends if nobody stops it."""

    id: str
    resource: str
    created_ns: int
    start_ns: int
    end_ns: int
    failed: bool
    reason: str | None
    version: str
    trace_owner: str
    caller: str | None
    user: str | None

    @property
    def order(self) -> tuple[int, str]:
        """Newest start first, ties by trace id."""
        return -(self.start_ns // MILLISECOND), self.id

    @property
    def ran_ms(self) -> int:
        """How long it ran, by times of whole milliseconds."""
        return self.end_ns // MILLISECOND - self.start_ns // MILLISECOND

    def is_purged(self, now_ns: int) -> bool:
        """Finished, and older than 30 days."""
        return self.end_ns <= now_ns and self.created_ns < now_ns - 30 * DAY

    def wire(self) -> dict[str, Any]:
        """What the API should show, with the duration in milliseconds."""
        # An integer has 32 bits here: milliseconds that need more are shown as whole seconds.
        cut_ms = self.ran_ms % 1_000 if self.ran_ms >= 2**31 else 0
        shown = {
            "foundryTraceId": self.id,
            "resourceRid": self.resource,
            "resourceVersion": self.version,
            "traceOwningRid": self.trace_owner,
            "startTime": format_instant(self.start_ns, digits=3),
            "duration": self.ran_ms - cut_ms,
            "status": "FAILED" if self.failed else "SUCCEEDED",
            "failureReason": self.reason if self.failed else None,
            "callerRid": self.caller,
        }
        return {key: value for key, value in shown.items() if value is not None}


@dataclass(eq=False)
class Walk:
    """A list that is being paged through: the query, and how far it has come."""

    resource: str
    query: dict[str, Any]
    from_ns: int
    to_ns: int
    as_of_ns: int
    promised: set[str] = field(default_factory=set)  # what the list held at its first page
    seen: list[Run] = field(default_factory=list)
    token: str | None = None
    issued_ns: int = 0


UNITS_MS = {"MILLISECONDS": 1, "SECONDS": 1_000, "MINUTES": 60_000, "HOURS": 3_600_000}


def holds(where: Mapping[str, Any], run: Run) -> bool:
    """Whether a filter selects a finished run."""
    kind = where["type"]
    if kind == "not":
        return not holds(where["filter"], run)
    if kind in {"and", "or"}:
        parts = [holds(part, run) for part in where["filters"]]
        return all(parts) if kind == "and" else any(parts)
    if where["field"] == "duration":
        bound_ms: int = where["value"]["value"] * UNITS_MS[where["value"]["unit"]]
        return run.ran_ms >= bound_ms if kind == "gte" else run.ran_ms <= bound_ms
    actual = {
        "status": "FAILED" if run.failed else "SUCCEEDED",
        "userId": run.user,
        "callerRid": run.caller,
        "resourceVersion": run.version,
        "failureReason": run.reason if run.failed else None,
        "foundryTraceId": run.id,
        "traceOwningRid": run.trace_owner,
    }[where["field"]]
    if kind == "isNull":
        return actual is None
    wanted: list[str] = [where["value"]] if kind == "eq" else where["value"]
    return actual in wanted


VALUES = {
    "status": ["SUCCEEDED", "FAILED"],
    "userId": [USER, OTHER_USER],
    "callerRid": [WORKSHOP, MONITOR, "nobody"],
    "resourceVersion": ["1.0.0", "1.2.0", "3.0.0"],
    "failureReason": ["timeout", "invalid_parameter", "cancelled"],
    "foundryTraceId": ["run-000", "run-037", "run-074"],
    "traceOwningRid": [FUNCTION, MONITOR],
}
DURATIONS = [
    {"value": value, "unit": unit}
    for value, unit in ((0, "HOURS"), (1, "MILLISECONDS"), (400, "MILLISECONDS"), (30, "SECONDS"),
                        (1, "MINUTES"), (90, "MINUTES"), (2, "HOURS"))
]  # fmt: skip
TESTS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        *({"type": "eq", "field": f, "value": v} for f, vs in VALUES.items() for v in vs),
        *({"type": "in", "field": f, "value": vs[n:]} for f, vs in VALUES.items() for n in (0, 1)),
        *({"type": kind, "field": "duration", "value": v} for kind in ("gte", "lte") for v in DURATIONS),
        *({"type": "isNull", "field": f} for f in ("userId", "callerRid")),
    ]
)  # fmt: skip
STATUS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"type": "eq", "field": "status", "value": value} for value in VALUES["status"]]
)
FILTERS = st.recursive(
    st.one_of(STATUS, TESTS),
    lambda inner: st.one_of(
        st.builds(lambda part: {"type": "not", "filter": part}, inner),
        st.builds(
            lambda kind, parts: {"type": kind, "filters": parts},
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
    ),
    max_leaves=5,
)
# A filter that the table of operators does not allow, and where it says so.
BAD_FILTERS = [
    ({"type": "eq", "field": "duration", "value": DURATIONS[0]}, "/where/field"),
    ({"type": "gte", "field": "status", "value": "FAILED"}, "/where/field"),
    ({"type": "isNull", "field": "status"}, "/where/field"),
    ({"type": "eq", "field": "status", "value": "RUNNING"}, "/where/value"),
    ({"type": "eq", "field": "callerRid"}, "/where/value"),
    ({"type": "lte", "field": "duration", "value": {"value": -1, "unit": "HOURS"}}, "/where/value/value"),
    ({"type": "lte", "field": "duration", "value": {"value": 1, "unit": "DAYS"}}, "/where/value/unit"),
    ({"type": "in", "field": "userId", "value": []}, "/where/value"),
    ({"type": "not", "filter": {"type": "or", "filters": []}}, "/where/filter/filters"),
    ({"type": "matches", "field": "callerRid", "value": "x"}, "/where/type"),
]  # fmt: skip


def _mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Three times out of four ``usual``, so that what comes later is reached."""
    return st.sampled_from([usual] * (3 * len(others)) + list(others))


INDEX = st.integers(0, 999)
SIZES = st.one_of(st.integers(1, 9), st.sampled_from([40, 99, 100, 101, 5000, None]))
# A bound of the window: near the start of a run (by its place from the newest), in some zone.
BOUND = st.tuples(
    st.one_of(st.integers(0, 8), INDEX),
    st.sampled_from([-MILLISECOND, -1, 0, 1, MILLISECOND // 2, MILLISECOND, DAY]),
    st.sampled_from([None, "+05:30", "-08:00"]),
)
WINDOWS = st.one_of(
    st.just((None, None)),
    st.tuples(BOUND, st.none()),
    st.tuples(st.just("ever"), st.none()),
    st.tuples(st.one_of(st.none(), BOUND), BOUND),
)
Bound = tuple[int, int, str | None]


class FoundryMachine(ApiMachine):
    """Resources whose runs take a fixed time; past, present and future runs at the start."""

    api = "foundry"
    scenario = fixed_scenario("foundry", PROFILES)
    scenario = dataclasses.replace(scenario, data={**scenario.data, "executions": TOLD})

    def __init__(self) -> None:
        super().__init__()
        self.runs = [_modelled(raw, self.now_ns) for raw in TOLD]
        self.walks: list[Walk] = []
        self.minted: list[tuple[str, int, frozenset[str]]] = []

    def of(self, walk: Walk) -> list[Run]:
        """What a walk's list holds, as of its first page, but for what is purged by now."""
        where = walk.query.get("where")
        return sorted(
            (
                run
                for run in self.runs
                if run.resource == walk.resource
                and run.end_ns <= walk.as_of_ns
                and not run.is_purged(self.now_ns)
                and walk.from_ns <= run.start_ns < walk.to_ns
                and (where is None or holds(where, run))
            ),
            key=lambda run: run.order,
        )

    def post(self, resource: str, token: str | None, **more: Any) -> httpx.Response:
        """A request to list; the preview is asked for unless ``params`` says otherwise."""
        headers = {"authorization": f"Bearer {token}" if token else None, **more.pop("headers", {})}
        path = f"/foundry/api/v2/observability/resources/{resource}/listExecutions"
        return self.served.post(path, **{"params": {"preview": "true"}, **more}, headers=headers)

    # What happens.

    @rule(resource=_mostly(FUNCTION, *SPANS))
    def arrive(self, resource: str) -> None:
        """A run begins; chance decides its caller, user, version, and how it will end."""
        body = {"api": "foundry", "data": {"resource": resource}}
        response = self.served.post("/_mockexec/executions", json=body)
        assert response.status_code == 201, response.text
        made = response.json()
        created_ns = self.now_ns - self.now_ns % MILLISECOND
        queued_ns, running_ns = SPANS[resource]
        failed = (made["plan"][-1]["state"] if made["plan"] else made["state"]) == "failed"
        assert made["id"] not in {run.id for run in self.runs}
        self.runs.append(
            Run(
                made["id"],
                resource,
                created_ns,
                created_ns + queued_ns,
                created_ns + queued_ns + running_ns,
                failed,
                "timeout" if failed else None,
                made["data"]["resourceVersion"],
                made["data"]["traceOwningRid"],
                made["data"].get("callerRid"),
                made["owner"] or None,
            )
        )

    @rule(by=st.sampled_from(["1ns", "500us", *["1s", "20s", "1m"] * 2, "10m", "1h", "25h", "29d"]))
    def pass_time(self, by: str) -> None:
        """The clock goes on."""
        self.advance(by)

    @rule(
        index=INDEX,
        running=_mostly(True, False),
        state=st.sampled_from(["completed", "failed", *STOPPED]),
    )
    def stop(self, index: int, running: bool, state: str) -> None:
        """A running one ends at once, a finished one stays as it was, a purged one is unknown."""
        started = [run for run in self.runs if run.start_ns <= self.now_ns]
        live = [run for run in started if run.end_ns > self.now_ns] if running else []
        run = (live or started)[index % len(live or started)]
        expected = 200 if run.end_ns > self.now_ns else 404 if run.is_purged(self.now_ns) else 409
        response = self.served.request(
            "PATCH", f"/_mockexec/executions/{run.id}", json={"state": state}
        )
        assert response.status_code == expected, response.text
        if expected == 200:
            # A failure that its life did not hold has no reason; stopping has its own.
            was_to_fail, run.failed = run.failed, state != "completed"
            if state != "failed" or not was_to_fail:
                run.reason = STOPPED.get(state)
            run.end_ns = self.now_ns

    # Lists.

    @rule(
        resource=_mostly(FUNCTION, *SPANS),
        caller=INDEX,
        window=WINDOWS,
        where=st.one_of(st.none(), FILTERS),
        size=SIZES,
    )
    def list_(
        self,
        resource: str,
        caller: int,
        window: tuple[Bound | str | None, Bound | None],
        where: dict[str, Any] | None,
        size: int | None,
    ) -> None:
        """The first page of any window and any filter is that of the model."""
        now_ns = self.now_ns
        walk = Walk(resource, {}, now_ns - DAY, now_ns, now_ns)
        if where is not None:
            walk.query["where"] = where
        start, end = window
        if start is not None:
            walk.query["startTime"], walk.from_ns = self.bound(start, resource)
        if end is not None:
            walk.query["endTime"], walk.to_ns = self.bound(end, resource)
        token, subject = self.reader(caller)
        response = self.post(resource, token, json={**walk.query, **_sized(size)})
        if (resource, subject) in DENIED:
            _refused(response, 403, DENIED[resource, subject], {"resourceRid": resource})
        elif start and end and walk.from_ns > walk.to_ns:
            assert "/startTime" in _refused(response, 400, "InvalidExecutionFilter", {})
        else:
            walk.promised = {run.id for run in self.of(walk)}
            self.check_page(walk, response, size)

    def bound(self, chosen: Bound | str, resource: str) -> tuple[str, int]:
        """A bound of the window: its text in some zone, and its instant."""
        if isinstance(chosen, str):
            return "1970-01-01T00:00:00Z", 0
        index, nudge_ns, zone = chosen
        finished = [r for r in self.runs if r.resource == resource and r.end_ns <= self.now_ns]
        near = finished or self.runs
        instant_ns = near[-1 - index % len(near)].start_ns + nudge_ns
        if zone is None:
            return format_instant(instant_ns, digits=9), instant_ns
        offset_ns = (int(zone[1:3]) * HOUR + int(zone[4:]) * MINUTE) * (1 if zone[0] == "+" else -1)
        return format_instant(instant_ns + offset_ns, digits=9, zone=zone), instant_ns

    def check_page(self, walk: Walk, response: httpx.Response, size: int | None) -> None:
        """The next page of a walk: what is left, from its beginning, and a token if there is more."""
        assert response.status_code == 200, response.text
        left = self.of(walk)
        if walk.seen:
            left = [run for run in left if run.order > walk.seen[-1].order]
        page = left[: min(size or 100, 100)]
        body = response.json()
        assert [_in_ms(execution) for execution in body["data"]] == [run.wire() for run in page]
        assert ("nextPageToken" in body) == (len(left) > len(page))
        walk.seen += page
        walk.token, walk.issued_ns = body.get("nextPageToken"), self.now_ns
        if walk.token is not None:
            assert walk.token.startswith("v1.")
            self.walks.append(walk)
            return
        seen = [run.id for run in walk.seen]
        assert len(set(seen)) == len(seen)
        missed = walk.promised.difference(seen)
        assert all(run.is_purged(self.now_ns) for run in self.runs if run.id in missed)

    @precondition(lambda self: self.walks)
    @rule(
        index=INDEX,
        caller=INDEX,
        size=SIZES,
        rounds=st.integers(1, 6),
        by=st.sampled_from(["0s", "7m", "20m", "1h", "3601s"]),
    )
    def follow(self, index: int, caller: int, size: int | None, rounds: int, by: str) -> None:
        """The next pages are as the list was, though time passes and runs finish meanwhile."""
        walk = self.walks[index % len(self.walks)]
        while rounds and walk in self.walks:
            self.advance(by)
            self.walks.remove(walk)
            self.next_page(walk, caller, size)
            rounds -= 1

    def next_page(self, walk: Walk, caller: int, size: int | None) -> None:
        """Whoever may look may go on, until the token is older than an hour."""
        token, subject = self.reader(caller)
        body = {**walk.query, **_sized(size), "pageToken": walk.token}
        response = self.post(walk.resource, token, json=body)
        if (walk.resource, subject) in DENIED:
            facts = {"resourceRid": walk.resource}
            _refused(response, 403, DENIED[walk.resource, subject], facts)
        elif self.now_ns > walk.issued_ns + HOUR:
            _refused(response, 400, "InvalidPageToken", {"pageToken": walk.token})
        else:
            self.check_page(walk, response, size)

    @precondition(lambda self: self.walks)
    @rule(
        index=INDEX,
        change=st.sampled_from(["startTime", "endTime", "where", "resource", "token", "cut"]),
    )
    def misuse(self, index: int, change: str) -> None:
        """A token with another query, or changed, is refused; the walk can still go on."""
        walk = self.walks[index % len(self.walks)]
        assert walk.token is not None
        page_token, query, resource = walk.token, dict(walk.query), walk.resource
        if change == "resource":
            resource = FUNCTION if resource != FUNCTION else PIPELINE
        elif change == "token":
            middle = len(page_token) // 2
            other = "A" if page_token[middle] != "A" else "B"
            page_token = page_token[:middle] + other + page_token[middle + 1 :]
        elif change == "cut":
            page_token = page_token[:-1]
        elif change in query:
            del query[change]
        else:
            given = {"type": "isNull", "field": "userId"}
            query[change] = given if change == "where" else format_instant(walk.as_of_ns)
        body = {**query, "pageToken": page_token}
        response = self.post(resource, "foundry-other-token", json=body)
        _refused(response, 400, "InvalidPageToken", {"pageToken": page_token})

    # Callers and refusals.

    @rule(
        wanted=st.sampled_from([None, SCOPE, f"{SCOPE} offline_access", "offline_access"]),
        in_header=st.booleans(),
        client=st.sampled_from(["mockexec-client", "mockexec-ontology-client"]),
    )
    def mint(self, wanted: str | None, in_header: bool, client: str) -> None:
        """A client gets a token for an hour, with those scopes that it asked for and may have."""
        secret = client.replace("client", "secret")
        form = {"grant_type": "client_credentials"}
        if wanted is not None:
            form["scope"] = wanted
        headers: dict[str, str | None] = {"authorization": None}
        if in_header:
            headers["authorization"] = f"Basic {b64encode(f'{client}:{secret}'.encode()).decode()}"
        else:
            form |= {"client_id": client, "client_secret": secret}
        path = "/foundry/multipass/api/oauth2/token"
        response = self.served.post(path, data=form, headers=headers)
        assert response.status_code == 200, response.text
        shown = response.json()
        assert (shown["token_type"], shown["expires_in"]) == ("bearer", 3600)
        may = {"api:ontologies-read"} | ({SCOPE} if client == "mockexec-client" else set())
        scopes = frozenset(may & set(wanted.split()) if wanted else may)
        assert set(shown["scope"].split()) == scopes
        self.minted.append((shown["access_token"], self.now_ns + HOUR, scopes))

    def reader(self, choice: int) -> tuple[str, str]:
        """A token that is good now, and whose it is (a client's: nobody's of these two)."""
        good = [t for t, end_ns, scopes in self.minted if end_ns > self.now_ns and SCOPE in scopes]
        known = [("foundry-dev-token", USER), ("foundry-other-token", OTHER_USER)]
        # The client's service user may look where the first user may.
        return [*known, *((token, USER) for token in good)][choice % (2 + len(good))]

    @precondition(lambda self: self.minted)
    @rule(index=INDEX)
    def use_minted(self, index: int) -> None:
        """A minted token is good for its hour and for its scopes."""
        token, end_ns, scopes = self.minted[index % len(self.minted)]
        response = self.post(FUNCTION, token, json={"pageSize": 1})
        if end_ns <= self.now_ns:
            _refused(response, 401, "Default:Unauthorized", {"error": "EXPIRED"})
        elif SCOPE not in scopes:
            _refused(response, 403, "ApiUsageDenied", {"missingScope": SCOPE})
        else:
            assert response.status_code == 200, response.text

    @rule(
        token=_mostly("foundry-dev-token", None, "x", "foundry-expired-token", "foundry-weak-token"),
        preview=_mostly("true", None, "false", "maybe"),
        kind=_mostly("application/json", "text/plain"),
        resource=_mostly(FUNCTION, UNKNOWN, SALARIES, LETTERS),
        body=_mostly("good", "none", "broken", "mistyped"),
        size=_mostly(1, 0, -(2**31)),
        page_token=_mostly(None, "v1.bm90LW91cnM", "abc"),
        times=_mostly(False, True),
        where=st.sampled_from(BAD_FILTERS),
    )  # fmt: skip
    def refuse(
        self,
        token: str | None,
        preview: str | None,
        kind: str,
        resource: str,
        body: str,
        size: int,
        page_token: str | None,
        times: bool,
        where: tuple[dict[str, Any], str],
    ) -> None:
        """Of all that is wrong with a request, the first in the decided order is told."""
        bad = {
            "pageSize": "ten" if body == "mistyped" else size,
            "pageToken": page_token,
            "where": where[0],
        }
        if times:
            bad["startTime"], bad["endTime"] = "2026-01-01T00:00:00Z", "2025-12-31T23:59:59.999Z"
        content: dict[str, Any] = {"json": bad}
        if body in {"none", "broken"}:
            content = {"content": b"{" if body == "broken" else b""}
        params = {} if preview is None else {"preview": preview}
        headers = {"content-type": kind}
        response = self.post(resource, token, params=params, headers=headers, **content)
        rid = {"resourceRid": resource}
        # (is it wrong, status, name, parameters, what the description must name)
        order: list[tuple[Any, int, str, dict[str, Any], str]] = [
            (token is None, 401, "MissingCredentials", {}, ""),
            (token == "foundry-expired-token", 401, "Default:Unauthorized", {"error": "EXPIRED"}, ""),
            (token == "x", 401, "Default:Unauthorized", {}, ""),
            (token == "foundry-weak-token", 403, "ApiUsageDenied", {"missingScope": SCOPE}, SCOPE),
            (preview in {None, "false"}, 400, "ApiFeaturePreviewUsageOnly", {}, "preview=true"),
            (preview == "maybe", 400, "Default:InvalidArgument", {}, "parameter preview"),
            (kind == "text/plain", 415, "Conjure:UnsupportedMediaType", {}, "text/plain"),
            (body == "none", 400, "MissingPostBody", {}, "body"),
            (body == "broken", 422, "Conjure:UnprocessableEntity", {}, "body"),
            (body == "mistyped", 422, "Conjure:UnprocessableEntity", {}, "/pageSize"),
            (resource == UNKNOWN, 404, "ResourceNotFound", rid, ""),
            (resource != FUNCTION, 403, DENIED.get((resource, USER), ""), rid, ""),
            (size < 1, 400, "InvalidPageSize", {"pageSize": size}, ""),
            (page_token, 400, "InvalidPageToken", {"pageToken": page_token}, ""),
            (times, 400, "InvalidExecutionFilter", {}, "/startTime"),
            (True, 400, "InvalidExecutionFilter", {}, where[1]),
        ]  # fmt: skip
        _, status, name, facts, place = next(entry for entry in order if entry[0])
        # What is particular begins a sentence, so that it may have a capital.
        assert place.lower() in _refused(response, status, name, facts).lower()


def _modelled(raw: Mapping[str, Any], now_ns: int) -> Run:
    start_ns = now_ns + parse_duration(raw["started"])
    start_ns -= start_ns % MILLISECOND
    return Run(
        raw["foundryTraceId"],
        raw["resource"],
        start_ns,
        start_ns,
        start_ns + parse_duration(raw["ran"]),
        raw["status"] == "FAILED",
        raw.get("failureReason"),
        raw["resourceVersion"],
        raw["traceOwningRid"],
        raw.get("callerRid"),
        raw.get("userId"),
    )


def _sized(size: int | None) -> dict[str, int]:
    return {} if size is None else {"pageSize": size}


def _in_ms(execution: dict[str, Any]) -> dict[str, Any]:
    duration = execution["duration"]
    return {**execution, "duration": duration["value"] * UNITS_MS[duration["unit"]]}


def _refused(response: httpx.Response, status: int, name: str, facts: Mapping[str, Any]) -> str:
    """The description of a refusal, which must be this one in the vendor's form."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {
        "errorCode", "errorName", "errorInstanceId", "errorDescription", "parameters",
    }  # fmt: skip
    code = {401: "UNAUTHORIZED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
    assert (body["errorName"], body["errorCode"]) == (name, code.get(status, "INVALID_ARGUMENT"))
    assert body["parameters"] == facts
    assert str(UUID(body["errorInstanceId"])) == body["errorInstanceId"]
    description: str = body["errorDescription"]
    return description


TestFoundry = FoundryMachine.TestCase
