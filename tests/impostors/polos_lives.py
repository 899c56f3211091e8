"""How Polos runs live: what happens when, from the queue to the end.

A run is a row with its facts and its steps. A step says when it happens and which fields it sets;
how a run stands is the sum of the steps whose time has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.impostors.kit import Ids

_WORKERS = ("c2f8a6d1-3e57-4b90-8a1c-6d9e0f4b7523", "6b94e0f7-21ad-4c38-b5d6-f07a3c8e1d92")

MS = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

# The five published states, by the finer ones of the orchestrator.
STATUS = {
    "queued": "pending",
    "claimed": "pending",
    "running": "running",
    "waiting": "running",
    "pending_cancel": "running",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
FINAL = {"completed", "failed", "cancelled"}

FIELDS = (
    "id", "workflow_id", "status", "payload", "result", "error", "created_at", "started_at",
    "completed_at", "deployment_id", "assigned_to_worker", "parent_execution_id",
    "root_execution_id", "retry_count", "step_key", "queue_name", "concurrency_key", "batch_id",
    "session_id", "user_id", "output_schema_name", "cancelled_at", "cancelled_by",
    "run_timeout_seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Workflow:
    """How the runs of a workflow go."""

    type: str = "workflow"
    runs_ms: tuple[int, int] = (100, 300)
    retries: int = 0
    # What a completed run has for a result; a run nobody has one for hands its payload back.
    result: Any = None
    # Set on workflows that fail.
    error: str | None = None
    # The steps at which it asks a person, with what it asks.
    asks: Mapping[str, Any] = field(default_factory=dict)


_CONNECTION = "ConnectionError: inventory service closed the connection"
WORKFLOWS = {
    "order_processing": Workflow(result={"shipped": True, "carrier": "DHL"}),
    "refund_review": Workflow(
        result={"handled": True},
        asks={
            "approve_refund": {
                "question": "Refund 184.50 EUR to Lena Fischer?",
                "order_id": "ORD-20388",
            }
        },
    ),
    "contract_renewal": Workflow(
        result={"renewed": True}, asks={"sign_off": {"question": "Renew for 24 months?"}}
    ),
    "weekly_sales_report": Workflow(
        runs_ms=(30, 80), retries=2, error="TimeoutError: the query took longer than 300 s"
    ),
    "nightly_inventory_sync": Workflow(runs_ms=(150, 250), retries=1, result={"rows": 18422}),
    "customer_onboarding": Workflow(),
    "support_agent": Workflow("agent", result={"answer": "It left Leipzig.", "tokens": 1284}),
    "copywriting_agent": Workflow("agent", error="ContextLengthError: too many tokens"),
    "lookup_customer": Workflow("tool", runs_ms=(30, 60), result={"found": True}),
}
_UNREGISTERED = Workflow()

_LONG = 20 * HOUR
_PARENT = "8c5d3b90-e1f6-4a72-b04e-7d92f6c18a35"
_BELOW = {"parent_execution_id": _PARENT, "root_execution_id": _PARENT}
_CUSTOMER = {"customer_name": "Nils Bergström"}
# The executions whose ids stand in the document: id, workflow, age, payload, more facts, time in
# the queue, time of running.
TOLD: tuple[tuple[str, str, int, Any, dict[str, Any], int, int], ...] = (
    ("3f9c2a6e-5b1d-4c8f-9a47-e2d06b71c5f8", "order_processing", 6 * MINUTE,
     {"order_id": "ORD-20417"}, {"user_id": "mira.keller"}, 2 * SECOND, 53 * SECOND),
    ("5d27c9b4-0e6f-4a13-b7d8-94f1e8c20a6b", "refund_review", 40 * MINUTE,
     {"order_id": "ORD-20388", "amount_eur": 184.5}, {}, SECOND, 12 * SECOND),
    ("27b6f0d3-c849-4e15-a9d2-5f8e1c7b0346", "contract_renewal", 3 * HOUR,
     {"contract_id": "CTR-00871"}, {}, 4 * SECOND, 2 * MINUTE),
    ("b81e4d07-62fa-4f3c-8d95-1a7c3e9f5042", "nightly_inventory_sync", 25 * MINUTE,
     {"warehouse": "Rotterdam"}, {}, 2 * SECOND, _LONG),
    ("0c4be1d8-93a7-4f52-8e6b-d17f5a3c9e20", "order_processing", 4 * MINUTE,
     {"order_id": "ORD-20419"}, {"queue_name": "orders-bulk"}, _LONG, 20 * SECOND),
    ("91d7e3b0-4c85-4f2a-b6e1-0a5d8c7f3e94", "weekly_sales_report", 5 * HOUR,
     {"region": "EMEA"}, {"run_timeout_seconds": 1800}, SECOND, 4 * MINUTE),
    # Longer than its time limit.
    ("d4a96f18-20c7-4b5e-8d3f-6e1b9a7c5042", "customer_onboarding", 5 * HOUR,
     {"region": "APAC"}, {"run_timeout_seconds": 1800}, SECOND, 40 * MINUTE),
    # A parent and two children: cancelling one of them cancels all.
    (_PARENT, "customer_onboarding", 12 * MINUTE, _CUSTOMER, {}, SECOND, _LONG),
    ("f0a71e68-3d9c-4b54-92e7-c6b85d0f1a23", "lookup_customer", 11 * MINUTE,
     _CUSTOMER, {**_BELOW, "step_key": "lookup"}, SECOND, _LONG),
    ("49e2d8c7-a65b-4f01-8b3a-10f7e9c5d6b4", "support_agent", 10 * MINUTE,
     _CUSTOMER, {**_BELOW, "step_key": "welcome_note"}, _LONG, 30 * SECOND),
)  # fmt: skip
# The same, in the other project.
TOLD_OF_OTHER = (
    ("e7305c8a-1b4d-4f96-a2d7-9c0e6f58b413", "customer_onboarding", 2 * HOUR,
     {"topic": "Spring sale"}, dict[str, Any](), SECOND, _LONG),
)  # fmt: skip

Step = dict[str, Any]


@dataclass
class Run:
    """One row: what never changes, and what happens when."""

    id: str
    project: str
    workflow: str
    created_us: int
    facts: dict[str, Any]
    # In order of time; ``at`` in microseconds, ``set`` what it changes.
    steps: list[Step]

    @property
    def kind(self) -> Workflow:
        """How it goes; a workflow that nobody has registered has a way of its own."""
        return WORKFLOWS.get(self.workflow, _UNREGISTERED)

    def at(self, now_us: int) -> dict[str, Any]:
        """How it stands, with the orchestrator's own ``state``."""
        stands = {**dict.fromkeys(FIELDS), **self.facts, "retry_count": 0}
        for step in self.steps:
            if step["at"] <= now_us:
                stands |= step["set"]
        stands["status"] = STATUS[stands["state"]]
        return stands

    def stop(self, now_us: int, *steps: Step) -> None:
        """Drops what was to come, and goes on with ``steps``."""
        self.steps = [step for step in self.steps if step["at"] <= now_us] + list(steps)


class Lives:
    """Makes the steps of runs; some of the faults are in here."""

    def __init__(self, ids: Ids, fault: str | None) -> None:
        self._ids = ids
        self._fault = fault

    def whole(self, run: Run, queued_us: int, runs_us: tuple[int, int]) -> list[Step]:
        """Everything from the queue to the end, or to the first question."""
        kind, at_us = run.kind, run.created_us
        steps = [_step(at_us, state="queued")]
        started_us: int | None = None
        for attempt in range(kind.retries + 1):
            steps += self._taken(at_us, queued_us, started=started_us)
            at_us += queued_us
            started_us = started_us or at_us
            at_us += self._ids.between(*runs_us)
            if attempt < kind.retries:
                back = {
                    "retry_count": attempt + 1,
                    "error": _CONNECTION,
                    "assigned_to_worker": None,
                }
                steps.append(_step(at_us, state="queued", **back))
        if kind.asks:
            steps.append(_step(at_us, state="waiting", waits_for=next(iter(kind.asks))))
        else:
            steps.append(self._end(run, at_us))
        return _cut(steps, started_us, run.facts["run_timeout_seconds"])

    def _taken(self, at_us: int, queued_us: int, started: int | None) -> list[Step]:
        """A worker claims a run and begins; a second beginning does not count."""
        worker = _WORKERS[self._ids.below(len(_WORKERS))]
        begins_us = at_us + queued_us
        claimed = _step(at_us + queued_us // 2, state="claimed", assigned_to_worker=worker)
        begun = _step(begins_us, state="running", started_at=started or begins_us)
        return [claimed, begun]

    def _end(self, run: Run, at_us: int, answers: Mapping[str, Any] | None = None) -> Step:
        kind = run.kind
        shown_us: int | None = at_us
        if self._fault == "end-before-start":
            shown_us = at_us - 5 * SECOND
        if kind.error is not None:
            if self._fault == "failed-without-end":
                shown_us = None
            return _step(at_us, state="failed", error=kind.error, completed_at=shown_us)
        result = run.facts["payload"] if kind.result is None else kind.result
        if answers:
            result = {**result, "approvals": dict(answers)}
        return _step(at_us, state="completed", result=result, error=None, completed_at=shown_us)

    def resumed(self, run: Run, at_us: int, answer: Any, stretch: int = 1) -> list[Step]:
        """What follows an answer: the queue once more, then the end."""
        asked = run.at(at_us)["waits_for"]
        started_us = run.at(at_us)["started_at"]
        queued_us = 20 * MS * stretch
        ends_us = at_us + queued_us + self._ids.between(*run.kind.runs_ms) * MS * stretch
        return [
            _step(at_us, state="queued", waits_for=None, assigned_to_worker=None),
            *self._taken(at_us, queued_us, started_us),
            self._end(run, ends_us, {asked: answer}),
        ]

    def cancel(self, run: Run, now_us: int) -> None:
        """Cancels a run that has not ended: at once, or when its worker confirms."""
        asked = {"cancelled_at": now_us, "cancelled_by": "user"}
        gone = {"state": "cancelled", "assigned_to_worker": None}
        match run.at(now_us)["state"]:
            case "pending_cancel":
                # Asking again renews the time of asking, and the worker is not asked twice.
                run.steps.insert(-1, _step(now_us, **asked))
            case "running" | "waiting":
                if self._fault == "cancelled-without-time":
                    gone["cancelled_at"] = None
                pending = _step(now_us, state="pending_cancel", waits_for=None, **asked)
                confirmed = _step(now_us + self._ids.between(150, 250) * MS, **gone)
                run.stop(now_us, pending, confirmed)
            case _:
                run.stop(now_us, _step(now_us, **gone, **asked))


def _step(at_us: int, **changes: Any) -> Step:
    return {"at": at_us, "set": changes}


def _cut(steps: list[Step], started_us: int | None, timeout_s: int | None) -> list[Step]:
    """``steps`` up to the run's time limit, and the cancellation by the system behind it.

    Waiting for a person does not count.
    """
    if started_us is None or timeout_s is None:
        return steps
    late_us = started_us + max(timeout_s, 0) * SECOND
    kept = [step for step in steps if step["at"] <= late_us]
    if len(kept) == len(steps):
        return steps
    gone = {"state": "cancelled", "cancelled_by": "system", "assigned_to_worker": None}
    return [*kept, _step(late_us, **gone, cancelled_at=late_us)]
