"""Polos' runs against a model: submitted, lived, retried, answered, timed out, cancelled, listed.

The model is written from what the API is said to do. A run is a list of what will happen to it and
when; whatever a user does cuts that list off and goes on with another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from mockexec.simulation.instants import MICROSECOND, SECOND, format_instant
from tests.apis.polos.vendor import (
    API,
    EXPIRED_KEY,
    OTHER_KEY,
    OTHER_PROJECT,
    PROJECT,
    UNKNOWN,
    refused,
)
from tests.machine import ApiMachine, fixed_scenario

WORKER = "c2f8a6d1-3e57-4b90-8a1c-6d9e0f4b7523"
CLEANUP_NS = 5 * SECOND
STEPS = ("approve_refund", "sign_off")
ASKS = {step: {"question": f"May I {step}?"} for step in STEPS}
DEPLOYMENTS = {PROJECT: "dep-2026-02-20-a41c9e", OTHER_PROJECT: "dep-2026-01-31-07be52"}


class Life(NamedTuple):
    """How the runs of a workflow live; times in seconds, no ``claimed_s``: it is not seen."""

    kind: str
    queued_s: int
    claimed_s: int | None
    running_s: int
    retries: int = 0
    asks: tuple[str, ...] = ()
    result: Any = None  # None: it hands its payload back
    error: str | None = None


LIVES = {
    "order_processing": Life("workflow", 2, 1, 10, result={"shipped": True}),
    "weekly_sales_report": Life("workflow", 2, None, 10, retries=2, error="no luck"),
    "refund_review": Life("workflow", 2, 1, 10, asks=STEPS, result={"handled": True}),
    "support_agent": Life("agent", 1, None, 40, error="too long"),
    "lookup_customer": Life("tool", 0, None, 1, result={"found": True}),
    "unheard/öf": Life("workflow", 2, 1, 5),
}
PROFILES: dict[str, dict[str, Any]] = {
    "*": {
        "queued": "2s", "claimed": "1s", "running": "10s", "cleanup": "5s",
        "outcomes": {"completed": {"weight": 1, "data": [{"result": {"shipped": True}}]}},
    },
    "slow": {
        "queued": "2s", "running": "10s", "cleanup": "5s", "retries": 2, "retry_chance": 1.0,
        "outcomes": {"failed": {"weight": 1, "data": [{"error": "no luck"}]}},
    },
    "asks": {
        "queued": "2s", "claimed": "1s", "running": "10s", "cleanup": "5s", "waits_for": STEPS,
        "outcomes": {"completed": {"weight": 1, "data": [{"result": {"handled": True}}]}},
    },
    "agent": {
        "queued": "1s", "running": "40s", "cleanup": "5s",
        "outcomes": {"failed": {"weight": 1, "data": [{"error": "too long"}]}},
    },
    "tool": {
        "running": "1s", "cleanup": "5s",
        "outcomes": {"completed": {"weight": 1, "data": [{"result": {"found": True}}]}},
    },
    "unregistered": {"queued": "2s", "claimed": "1s", "running": "5s", "cleanup": "5s"},
}  # fmt: skip


def _workflows(registered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**w, "asks": ASKS} if w["id"] == "refund_review" else w for w in registered]


class Happening(NamedTuple):
    """What becomes of a run at an instant: its phase, and the fields that change."""

    at_ns: int
    phase: str
    changes: dict[str, Any]


# What users see of each phase.
STATUSES = {
    "queued": "pending", "claimed": "pending",
    "running": "running", "waiting": "running", "cancelling": "running",
    "completed": "completed", "failed": "failed", "cancelled": "cancelled",
}  # fmt: skip
ENDED = {"completed", "failed", "cancelled"}


@dataclass
class Run:
    """A run as it should be."""

    id: str
    project: str
    workflow: str
    created_ns: int
    fields: dict[str, Any]  # all 24, as they are at the submission
    happenings: list[Happening] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)

    @property
    def life(self) -> Life:
        """How runs of its workflow live."""
        return LIVES[self.workflow]

    def phase(self, now_ns: int) -> str:
        """Where it stands."""
        past = [h.phase for h in self.happenings if h.at_ns <= now_ns]
        return past[-1] if past else "queued"

    def wire(self, now_ns: int) -> dict[str, Any]:
        """What its GET should show."""
        shown = {**self.fields, "status": STATUSES[self.phase(now_ns)]}
        for happening in self.happenings:
            if happening.at_ns <= now_ns:
                shown.update(happening.changes)
        return shown

    def asked(self, now_ns: int) -> str | None:
        """The step at which it waits for a person."""
        if self.phase(now_ns) != "waiting":
            return None
        return next(step for step in self.life.asks if step not in self.answers)

    def instead(self, now_ns: int, *happenings: Happening) -> None:
        """From now on these happen, and not what was to come."""
        self.happenings = [h for h in self.happenings if h.at_ns <= now_ns] + list(happenings)

    def attempts(self, from_ns: int, retries: int) -> list[Happening]:
        """Its way from the queue to its end, or to where it asks a person, with its retries."""
        life, at_ns = self.life, from_ns
        happenings = []
        for attempt in range(retries + 1):
            at_ns += life.queued_s * SECOND
            if life.claimed_s is not None:
                happenings.append(Happening(at_ns, "claimed", {"assigned_to_worker": WORKER}))
                at_ns += life.claimed_s * SECOND
            started = {} if happenings and attempt else {"started_at": instant(at_ns)}
            if self.answers:
                started = {}
            happenings.append(
                Happening(at_ns, "running", {"assigned_to_worker": WORKER, **started})
            )
            if attempt < retries:
                # An attempt that fails does so half-way.
                at_ns += life.running_s * SECOND // 2
                failed = {"assigned_to_worker": None, "error": "boom", "retry_count": attempt + 1}
                happenings.append(Happening(at_ns, "queued", failed))
        happenings.append(self.end(at_ns + life.running_s * SECOND))
        return happenings

    def end(self, at_ns: int) -> Happening:
        """What it comes to when it has worked: a question, success or failure."""
        life = self.life
        if len(self.answers) < len(life.asks):
            return Happening(at_ns, "waiting", {})
        over = {"completed_at": instant(at_ns)}
        if life.error is not None:
            return Happening(at_ns, "failed", {**over, "error": life.error})
        result = self.fields["payload"] if life.result is None else life.result
        if self.answers:
            result = {**result, "approvals": dict(self.answers)}
        return Happening(at_ns, "completed", {**over, "result": result, "error": None})

    def live(self, from_ns: int) -> None:
        """Goes on from the queue, as long as its time limit lets it."""
        coming = self.attempts(from_ns, 0 if self.answers else self.life.retries)
        limit_s = self.fields["run_timeout_seconds"]
        if limit_s is not None:
            start_ns = next(h.at_ns for h in coming if h.phase == "running")
            first_ns = next((h.at_ns for h in self.happenings if h.phase == "running"), start_ns)
            # The time with a person counts, but only work is cut off, not waiting.
            deadline_ns = max(first_ns + max(int(limit_s), 0) * SECOND, start_ns)
            if coming[-1].at_ns > deadline_ns:
                coming = [h for h in coming if h.at_ns <= deadline_ns]
                coming.append(Happening(deadline_ns, "cancelled", cancelled("system", deadline_ns)))
        self.happenings += coming

    def cancel(self, now_ns: int) -> None:
        """A user asks for it; what has not started stops at once, what runs is cleaned up first."""
        phase, at = self.phase(now_ns), {"cancelled_at": instant(now_ns)}
        if phase == "cancelling":
            coming = [h for h in self.happenings if h.at_ns > now_ns]
            self.instead(now_ns, Happening(now_ns, "cancelling", at), *coming)
        elif phase in {"queued", "claimed"}:
            self.instead(now_ns, Happening(now_ns, "cancelled", cancelled("user", now_ns)))
        else:
            self.instead(
                now_ns,
                Happening(now_ns, "cancelling", {**at, "cancelled_by": "user"}),
                Happening(now_ns + CLEANUP_NS, "cancelled", {"assigned_to_worker": None}),
            )


def instant(ns: int) -> str:
    """As the API writes it: microseconds, and an offset."""
    return format_instant(ns, digits=6, zone="+00:00")


def cancelled(by: str, at_ns: int) -> dict[str, Any]:
    """What changes when a run ends so at once."""
    return {"cancelled_at": instant(at_ns), "cancelled_by": by, "assigned_to_worker": None}


class Caller(NamedTuple):
    """Who asks: the header, the project of the key, and what is said to who is nobody."""

    header: str | None
    project: str = ""
    refusal: str = ""


CALLERS = [
    Caller(f"Bearer {OTHER_KEY}", OTHER_PROJECT),
    Caller(f"Bearer {EXPIRED_KEY}", refusal="Invalid API key"),
    Caller("Bearer sk_guessed", refusal="Invalid API key"),
    Caller("Bearer guessed", refusal="Invalid authentication token"),
    Caller(
        None,
        refusal="Authentication required. Provide either an API key (Bearer sk_...) or a JWT token"
        " in cookie",
    ),
]
FIELDS = (
    "id", "root_execution_id", "workflow_id", "session_id", "created_at", "status", "completed_at",
    "payload", "result", "error",
)  # fmt: skip
EMPTY = dict.fromkeys(
    (
        "id", "workflow_id", "status", "payload", "result", "error", "created_at", "started_at",
        "completed_at", "deployment_id", "assigned_to_worker", "parent_execution_id",
        "root_execution_id", "retry_count", "step_key", "queue_name", "concurrency_key", "batch_id",
        "session_id", "user_id", "output_schema_name", "cancelled_at", "cancelled_by",
        "run_timeout_seconds",
    )
)  # fmt: skip


def _mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Three times out of four ``usual``, so that what comes later is reached."""
    return st.sampled_from([usual] * (3 * len(others)) + list(others))


INDEX = st.integers(0, 999)
WHO = _mostly(-1, *range(len(CALLERS)), 0, 0)  # -1: the development key
WORKFLOW = st.sampled_from([*LIVES, "refund_review"])
PAYLOAD: st.SearchStrategy[Any] = st.sampled_from([{"a": [1, None]}, None, 0, "ü", []])
LIMIT = st.sampled_from([None, 4, 10, 15.0, 25, 60, 0, -1, None])
PARENT = _mostly(None, *range(6))
LATER = st.sampled_from(["0s", "1s", "3s", "5s", "10s"])
# Whatever else a request may say of one run, and of all runs of a batch.
OWN: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"queue_name": "express", "concurrency_key": "c-1"}, {"queue_name": None}]
)
SHARED: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"session_id": "s-1", "user_id": "u-1"},
        {"session_id": None, "user_id": None, "deployment_id": None},
        {"deployment_id": "dep-7", "step_key": "one", "user_id": "u-2"},
        {"root_execution_id": UNKNOWN, "wait_for_subworkflow": True},
    ]
)
# A request that is wrong, and what is said: status, type, and words of the sentence.
WRONG: list[tuple[str, dict[str, Any], int, str, str]] = [
    ("POST workflows/wf/run", {"json": {}}, 422, "UNPROCESSABLE_ENTITY", "/payload"),
    ("POST workflows/wf/run", {"json": []}, 422, "UNPROCESSABLE_ENTITY", "Failed to deserialize the JSON body"),
    ("POST workflows/wf/run", {"json": {"payload": 1, "run_timeout_seconds": 2**31}}, 422, "UNPROCESSABLE_ENTITY",
     "/run_timeout_seconds"),
    ("POST workflows/wf/run", {"json": {"payload": 1, "parent_execution_id": "x"}}, 422, "UNPROCESSABLE_ENTITY",
     "/parent_execution_id"),
    ("POST workflows/wf/run", {"json": {"payload": 1, "parent_execution_id": UNKNOWN}}, 404, "NOT_FOUND",
     "Parent execution not found"),
    ("POST workflows/wf/run", {"content": b"{", "headers": {"content-type": "application/json"}}, 400,
     "BAD_REQUEST", "Failed to parse the request body as JSON: "),
    ("POST workflows/wf/run", {"content": b"1", "headers": {"content-type": "text/plain"}}, 415,
     "UNSUPPORTED_MEDIA_TYPE", "Expected request with `Content-Type: application/json`"),
    ("POST workflows/wf/run", {"json": {"payload": 1}, "headers": {"x-project-id": UNKNOWN}}, 404, "NOT_FOUND",
     "Project not found"),
    ("POST workflows/wf/run", {"json": {"payload": 1}, "headers": {"x-project-id": None}}, 400, "BAD_REQUEST",
     "X-Project-ID header is required"),
    ("POST workflows/wf/run", {"json": {"payload": 1}, "headers": {"x-project-id": "x"}}, 400, "BAD_REQUEST",
     "X-Project-ID header "),
    ("POST workflows/batch_run", {"json": {"workflows": []}}, 400, "BAD_REQUEST", "/workflows"),
    # The second does not fit, so the first is not started either.
    ("POST workflows/batch_run", {"json": {"workflows": [{"workflow_id": "wf", "payload": 1}, {"payload": 1}]}},
     422, "UNPROCESSABLE_ENTITY", "/workflows/1/workflow_id"),
    (f"GET executions/{UNKNOWN}", {}, 404, "NOT_FOUND", "Execution not found"),
    (f"POST executions/{UNKNOWN}/cancel", {}, 404, "CANCELLATION_ERROR", "Execution not found"),
    (f"GET approvals/{UNKNOWN}/x", {}, 404, "NOT_FOUND", "Execution not found"),
    ("GET executions/nope", {}, 400, "BAD_REQUEST", "Invalid execution ID"),
    (f"POST executions/{UNKNOWN[:-1]}/cancel", {}, 400, "BAD_REQUEST", "Invalid execution ID"),
    ("GET approvals/nope/x", {}, 400, "BAD_REQUEST", "Invalid execution ID"),
]  # fmt: skip


class PolosMachine(ApiMachine):
    """Six workflows whose runs take a fixed time, in two projects."""

    api = "polos"
    scenario = fixed_scenario("polos", PROFILES)
    scenario = dataclasses.replace(
        scenario,
        data={
            **scenario.data,
            "workers": [WORKER],
            "attempt_errors": ["boom"],
            "workflows": _workflows(scenario.data["workflows"]),
        },
    )

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[Run] = []
        key = self.scenario.data["tokens"][0]["value"]
        self.dev = Caller(f"Bearer {key}", PROJECT)

    def teardown(self) -> None:
        """When a story is over, its runs still go their ways to the end."""
        for by in ("15s", "1h"):
            self.advance(by)
            for run in self.runs:
                assert self.shown(run) == run.wire(self.now_ns)

    # How the API is asked.

    def caller(self, index: int) -> Caller:
        """The development key, or another of the scenario's, or none."""
        return self.dev if index < 0 else CALLERS[index]

    def ask(
        self, method: str, path: str, caller: Caller, project: str | None = None, **more: Any
    ) -> httpx.Response:
        """A request below the API's root; ``project`` is the header's."""
        headers = {
            "authorization": caller.header,
            "x-project-id": project,
            **more.pop("headers", {}),
        }
        return self.served.request(method, f"{API}/{path}", headers=headers, **more)

    def is_refused(self, response: httpx.Response, caller: Caller, run: Run | None = None) -> bool:
        """Whether this caller must be turned away (from this run), and, if so, that it is."""
        if not caller.project:
            assert refused(response) == (401, "UNAUTHORIZED", caller.refusal)
            assert response.headers["www-authenticate"] == "Bearer"
        elif run is not None and run.project != caller.project:
            said = "Project does not match execution project"
            assert refused(response) == (403, "FORBIDDEN", said)
        else:
            return False
        return True

    def chosen(self, index: int, *phases: str) -> Run:
        """A run, if possible one in such a phase; small numbers are the latest ones."""
        fit = [run for run in self.runs if run.phase(self.now_ns) in phases]
        known = fit or self.runs
        return known[-1 - index % len(known)]

    def asking(self, index: int) -> Run:
        """Most often one that may still ask a person, one time in eight any."""
        now_ns = self.now_ns
        fit = [r for r in self.runs if r.life.asks and r.phase(now_ns) not in ENDED]
        known = fit if fit and index % 8 != 3 else self.runs
        return known[-1 - index // 8 % len(known)]

    def shown(self, run: Run) -> dict[str, Any]:
        """What the API says of a run, to its own project."""
        key = self.dev if run.project == PROJECT else CALLERS[0]
        response = self.ask("GET", f"executions/{run.id}", key)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    # Submissions.

    def submit(
        self, caller: Caller, path: str, body: dict[str, Any], entries: list[dict[str, Any]]
    ) -> None:
        """One request, and the runs that it should start."""
        parent_id = body.get("parent_execution_id")
        parent = next((run for run in self.runs if run.id == parent_id), None)
        response = self.ask(
            "POST", f"workflows/{path}", caller, caller.project or PROJECT, json=body
        )
        if self.is_refused(response, caller):
            return
        if parent is not None and parent.project != caller.project:
            said = "Access to project forbidden"
            assert refused(response) == (403, "PROJECT_ACCESS_FORBIDDEN", said)
            return
        assert response.status_code == 200, response.text
        is_batch = "workflows" in body
        made = response.json()["executions"] if is_batch else [response.json()]
        runs = []
        for answer, entry in zip(made, entries, strict=True):
            assert answer == {
                "execution_id": answer["execution_id"],
                "created_at": instant(self.now_ns),
            }
            assert str(UUID(answer["execution_id"])) == answer["execution_id"]
            runs.append(self.modelled(answer["execution_id"], caller, body, entry, parent))
        ids = [run.id for run in self.runs + runs]
        assert len(set(ids)) == len(ids)
        self.learn_ids(runs, is_batch=is_batch, has_parent=parent is not None)
        self.runs += runs

    def modelled(
        self,
        identifier: str,
        caller: Caller,
        shared: dict[str, Any],
        entry: dict[str, Any],
        parent: Run | None,
    ) -> Run:
        """The run that an entry of a request should start."""
        above: dict[str, Any] = {} if parent is None else parent.fields
        root = None if parent is None else above["root_execution_id"] or parent.id
        fields = {
            **EMPTY,
            "id": identifier,
            "workflow_id": entry["workflow_id"],
            "payload": entry["payload"],
            "created_at": instant(self.now_ns),
            "retry_count": 0,
            "deployment_id": shared.get("deployment_id") or DEPLOYMENTS[caller.project],
            "parent_execution_id": shared.get("parent_execution_id"),
            "root_execution_id": shared.get("root_execution_id") or root,
            "step_key": shared.get("step_key"),
            "queue_name": entry.get("queue_name") or entry["workflow_id"],
            "concurrency_key": entry.get("concurrency_key"),
            "session_id": shared.get("session_id") or above.get("session_id"),
            "user_id": shared.get("user_id") or above.get("user_id"),
            "run_timeout_seconds": entry.get("run_timeout_seconds"),
        }
        run = Run(identifier, caller.project, entry["workflow_id"], self.now_ns, fields)
        run.live(self.now_ns)
        return run

    def learn_ids(self, runs: list[Run], *, is_batch: bool, has_parent: bool) -> None:
        """What only the server knows: one batch id for all, and a session where none was given."""
        first = self.shown(runs[0])
        learnt = {}
        if is_batch:
            learnt["batch_id"] = first["batch_id"]
        if runs[0].fields["session_id"] is None and not has_parent:
            learnt["session_id"] = first["session_id"]
        for name, value in learnt.items():
            assert str(UUID(value)) == value
            assert value not in {run.fields[name] for run in self.runs}
        for run in runs:
            run.fields.update(learnt)
            assert self.shown(run) == run.wire(self.now_ns)

    def parent(self, index: int | None) -> dict[str, Any]:
        """The part of a request that names one of the latest runs as parent."""
        if index is None or index >= len(self.runs):
            return {}
        return {"parent_execution_id": self.runs[-1 - index].id}

    @initialize(limit=LIMIT)
    def begin(self, limit: float | None) -> None:
        """One run of each workflow, and another project's."""
        entries = [
            {"workflow_id": workflow, "payload": workflow, "run_timeout_seconds": limit}
            for workflow in LIVES
        ]
        self.submit(self.dev, "batch_run", {"workflows": entries}, entries)
        self.run(0, "refund_review", 1, limit, {}, {}, None)

    @rule(
        who=WHO, workflow=WORKFLOW, payload=PAYLOAD, limit=LIMIT, own=OWN, shared=SHARED,
        parent=PARENT,
    )  # fmt: skip
    def run(
        self,
        who: int,
        workflow: str,
        payload: Any,
        limit: float | None,
        own: dict[str, Any],
        shared: dict[str, Any],
        parent: int | None,
    ) -> None:
        """One run is queued, with all that was asked for."""
        body = {"payload": payload, **own, **shared, **self.parent(parent)}
        if limit is not None:
            body["run_timeout_seconds"] = limit
        path = f"{workflow.replace('/', '%2F')}/run"
        self.submit(self.caller(who), path, body, [{**body, "workflow_id": workflow}])

    @rule(
        who=WHO,
        entries=st.lists(st.tuples(WORKFLOW, PAYLOAD, LIMIT, OWN), min_size=1, max_size=4),
        shared=SHARED,
        parent=PARENT,
    )
    def batch(
        self,
        who: int,
        entries: list[tuple[str, Any, float | None, dict[str, Any]]],
        shared: dict[str, Any],
        parent: int | None,
    ) -> None:
        """Several are queued, in the order of the request, and belong together."""
        workflows = [
            {"workflow_id": workflow, "payload": payload, "run_timeout_seconds": limit, **own}
            for workflow, payload, limit, own in entries
        ]
        body = {"workflows": workflows, **shared, **self.parent(parent)}
        self.submit(self.caller(who), "batch_run", body, workflows)

    @rule(who=WHO, wrong=st.sampled_from(WRONG))
    def ask_wrongly(self, who: int, wrong: tuple[str, dict[str, Any], int, str, str]) -> None:
        """A request that does not fit changes nothing and is told why."""
        line, sent, status, error_type, words = wrong
        caller, (method, path) = self.caller(who), line.split()
        response = self.ask(method, path, caller, caller.project, **sent)
        if not path.startswith("approvals") and self.is_refused(response, caller):
            return
        told = refused(response)
        assert told[:2] == (status, error_type), response.text
        assert words in told[2]

    # Life.

    @rule(
        by=st.sampled_from(["1ns", "700us", "1s", "3s", "9s", "13s", "20s", "40s", "2m"]),
        index=INDEX,
    )
    def pass_time(self, by: str, index: int) -> None:
        """The clock goes on, and some of the runs are where the model has them."""
        self.advance(by)
        for run in self.runs[index % 4 :: 4]:
            assert self.shown(run) == run.wire(self.now_ns)

    @rule(index=INDEX, early=_mostly(0, 1), times=st.integers(1, 4))
    def follow(self, index: int, early: int, times: int) -> None:
        """What is to happen to a run happens at its instant, and not a nanosecond earlier."""
        run = self.chosen(index, "queued", "claimed", "running", "cancelling")
        for _ in range(times):
            coming = [h.at_ns for h in run.happenings if h.at_ns > self.now_ns]
            if coming:
                self.served.world.clock.set(max(min(coming) - early, self.now_ns))
                assert self.shown(run) == run.wire(self.now_ns)

    @rule(
        index=INDEX, who=WHO, phase=st.sampled_from([*STATUSES, "running", "cancelling"]), by=LATER
    )
    def cancel(self, index: int, who: int, phase: str, by: str) -> None:
        """A run is cancelled, whatever it is at, by whoever may."""
        self.advance(by)
        self.cancel_run(self.chosen(index, phase), self.caller(who))

    def cancel_run(self, run: Run, caller: Caller) -> None:
        """It, all below it and all above it are cancelled; what is over stays as it is."""
        now_ns = self.now_ns
        response = self.ask("POST", f"executions/{run.id}/cancel", caller)
        if self.is_refused(response, caller, run):
            return
        if run.phase(now_ns) in ENDED:
            said = f"Execution cannot be cancelled (status: {run.phase(now_ns)})"
            assert refused(response) == (400, "CANCELLATION_ERROR", said)
            return
        run.cancel(now_ns)
        relatives = [*self.below(run), *self.above(run)]
        for relative in relatives:
            if relative.phase(now_ns) not in {*ENDED, "cancelling"}:
                relative.cancel(now_ns)
        assert response.status_code == 200, response.text
        assert response.json() == {
            "execution_id": run.id,
            "status": run.wire(now_ns)["status"],
            "cancelled_at": instant(now_ns),
        }
        for changed in (run, *relatives):
            assert self.shown(changed) == changed.wire(now_ns)

    @rule(
        workflows=st.lists(WORKFLOW, min_size=2, max_size=4),
        root=PARENT,
        by=st.sampled_from(["0s", "2s", "4s", "13s"]),
        index=INDEX,
        twice=st.booleans(),
    )
    def cancel_family(
        self, workflows: list[str], root: int | None, by: str, index: int, twice: bool
    ) -> None:
        """Each of these is the parent of the next; some time later one of them is cancelled."""
        for place, workflow in enumerate(workflows):
            self.run(-1, workflow, None, None, {}, {}, 0 if place else root)
            self.advance(by)
        family = self.runs[-len(workflows) :]
        for _ in range(1 + twice):
            self.cancel_run(family[index % len(family)], self.dev)
            self.advance("2s")

    def below(self, run: Run) -> Iterator[Run]:
        """Its children and theirs."""
        for child in self.runs:
            if child.fields["parent_execution_id"] == run.id:
                yield child
                yield from self.below(child)

    def above(self, run: Run) -> Iterator[Run]:
        """Its parent and theirs."""
        for parent in self.runs:
            if run.fields["parent_execution_id"] == parent.id:
                yield parent
                yield from self.above(parent)

    @rule(
        index=INDEX,
        patient=_mostly(True, False),
        steps=st.lists(_mostly(None, *STEPS, "another"), min_size=1, max_size=3),
        data=st.sampled_from([{"approved": True}, False, None]),
    )
    def answer(self, index: int, patient: bool, steps: list[str | None], data: Any) -> None:
        """Somebody answers a run, if patient when it asks; at the step it asks or at another."""
        run = self.asking(index)
        for step in steps:
            if patient and run.happenings[-1].phase == "waiting":
                self.served.world.clock.set(max(run.happenings[-1].at_ns, self.now_ns))
            self.answer_run(run, step or run.asked(self.now_ns) or STEPS[0], data)
            assert self.shown(run) == run.wire(self.now_ns)

    def answer_run(self, run: Run, step: str, data: Any) -> None:
        """The first answer at the step where it waits lets it go on; others are conflicts."""
        response = self.ask(
            "POST", f"approvals/{run.id}/{step}/submit", Caller(None), json={"data": data}
        )
        if step not in run.life.asks:
            assert refused(response) == (404, "NOT_FOUND", "Approval not found")
        elif step != run.asked(self.now_ns):
            status = STATUSES[run.phase(self.now_ns)]
            said = f"Execution is not waiting for approval (status: {status})"
            assert refused(response) == (409, "CONFLICT", said)
        else:
            assert (response.status_code, response.content) == (200, b"")
            run.answers[step] = data
            run.instead(self.now_ns, Happening(self.now_ns, "queued", {}))
            run.live(self.now_ns)

    # Reading.

    @rule(index=INDEX, who=WHO, upper=st.booleans(), by=LATER)
    def get(self, index: int, who: int, upper: bool, by: str) -> None:
        """All 24 fields, as the model has them, for its own project only."""
        self.advance(by)
        caller, run = self.caller(who), self.chosen(index)
        identifier = run.id.upper() if upper else run.id
        response = self.ask("GET", f"executions/{identifier}", caller)
        if not self.is_refused(response, caller, run):
            assert response.status_code == 200, response.text
            assert response.json() == run.wire(self.now_ns)

    @rule(index=INDEX, step=st.sampled_from([*STEPS, "another"]))
    def approval(self, index: int, step: str) -> None:
        """Anyone sees what is asked while it is asked, and how the run stands otherwise."""
        run = self.asking(index)
        response = self.ask("GET", f"approvals/{run.id}/{step}", Caller(None))
        if step not in run.life.asks:
            assert refused(response) == (404, "NOT_FOUND", "Approval not found")
            return
        waits = run.asked(self.now_ns) == step
        assert response.json() == {
            "execution_id": run.id,
            "step_key": step,
            "status": "waiting" if waits else STATUSES[run.phase(self.now_ns)],
            "data": ASKS[step] if waits else None,
        }

    # Lists.

    def listed(
        self,
        project: str,
        kind: str,
        workflow: str | None = None,
        start_us: int | None = None,
        end_us: int | None = None,
    ) -> list[dict[str, Any]]:
        """A project's runs of a kind, newest first, created between two times (both included)."""
        found = [
            run
            for run in self.runs
            if run.project == project
            and run.life.kind == kind
            and workflow in {None, run.workflow}
            and (start_us is None or start_us <= run.created_ns // MICROSECOND)
            and (end_us is None or run.created_ns // MICROSECOND <= end_us)
        ]
        found.sort(key=lambda run: (run.created_ns, run.id), reverse=True)
        return [{key: run.wire(self.now_ns)[key] for key in FIELDS} for run in found]

    @rule(
        who=WHO,
        project=_mostly(None, PROJECT, OTHER_PROJECT, UNKNOWN),
        kind=st.sampled_from([None, "workflow", "agent", "tool"]),
        workflow=_mostly(None, *LIVES, "nothing"),
        limit=st.one_of(st.none(), st.integers(0, 6), st.just(10_000)),
        offset=st.one_of(st.none(), st.integers(0, 6), st.just(2**63 - 1)),
        start=st.one_of(st.none(), INDEX),
        end=st.one_of(st.none(), INDEX),
        zone=st.sampled_from(["Z", "+05:30", "nonsense"]),
    )
    def list_(
        self,
        who: int,
        project: str | None,
        kind: str | None,
        workflow: str | None,
        limit: int | None,
        offset: int | None,
        start: int | None,
        end: int | None,
        zone: str,
    ) -> None:
        """Any page of any filter is that of the model; a time that cannot be read is no filter."""
        caller = self.caller(who)
        project = project or caller.project or PROJECT
        asked = {"workflow_type": kind, "workflow_id": workflow, "limit": limit, "offset": offset}
        bounds: list[int | None] = []
        for name, index in (("start_time", start), ("end_time", end)):
            bounds.append(None)
            if index is not None and self.runs:
                bound_us = (
                    self.runs[index % len(self.runs)].created_ns // MICROSECOND + index % 3 - 1
                )
                asked[name] = _in_zone(bound_us * MICROSECOND, zone)
                bounds[-1] = None if zone == "nonsense" else bound_us
        params = {name: value for name, value in asked.items() if value is not None}
        response = self.ask("GET", "workflows/runs", caller, project, params=params)
        if self.is_refused(response, caller):
            return
        if project != caller.project:
            said = "Access to project forbidden"
            assert refused(response) == (403, "PROJECT_ACCESS_FORBIDDEN", said)
            return
        every = self.listed(project, kind or "workflow", workflow, *bounds)
        first, size = offset or 0, 50 if limit is None else limit
        assert response.status_code == 200, response.text
        assert response.json() == every[first : first + size]

    @rule(limit=st.integers(2, 6), by=st.sampled_from(["1us", "2s", "1h"]))
    def walk(self, limit: int, by: str) -> None:
        """Page after page up to a time holds every run once, though new ones start meanwhile."""
        end_us = self.now_ns // MICROSECOND
        query = {"limit": limit, "end_time": instant(self.now_ns)}
        promised = [run["id"] for run in self.listed(PROJECT, "workflow", end_us=end_us)]
        seen: list[str] = []
        while True:
            params = {**query, "offset": len(seen)}
            page = self.ask("GET", "workflows/runs", self.dev, PROJECT, params=params).json()
            every = self.listed(PROJECT, "workflow", end_us=end_us)
            assert page == every[len(seen) : len(seen) + limit]
            seen += [run["id"] for run in page]
            if len(page) < limit:
                break
            self.advance(by)
            if len(seen) == limit:
                self.run(-1, "order_processing", 0, None, {}, {}, None)
        assert seen == promised


def _in_zone(ns: int, zone: str) -> str:
    """An instant's text in a zone; no text of an instant for a zone that is none."""
    if zone == "+05:30":
        return format_instant(ns + 19_800 * SECOND, digits=6, zone=zone)
    return format_instant(ns, digits=6, zone=zone)


TestPolos = PolosMachine.TestCase
