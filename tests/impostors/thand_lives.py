"""How Thand's executions live: what happens when, and what the history says of it.

An execution is a row with its steps. A step says when it happens, which state it leads to, and
which events it leaves in the history; how an execution stands is what its steps have led to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.impostors.kit import MILLISECOND, SECOND, Ids

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

# States of ours; the API shows the open ones as running.
WAITING, WORKING, CLEANING = "waiting", "working", "cleaning"
OPEN = {WAITING, WORKING, CLEANING}

SIGNALED = "WorkflowExecutionSignaled"
_TASK = ("WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted")
_BEGIN = ("WorkflowExecutionStarted", *_TASK, "ActivityTaskScheduled", "ActivityTaskStarted")
_WORK = (*_TASK, "ActivityTaskScheduled", "ActivityTaskStarted")
_END = {
    "completed": ("ActivityTaskCompleted", "WorkflowExecutionCompleted"),
    "failed": ("WorkflowExecutionFailed",),
    "canceled": ("WorkflowExecutionCanceled",),
    "terminated": ("WorkflowExecutionTerminated",),
    "timed_out": ("TimerFired", "WorkflowExecutionTimedOut"),
}


@dataclass(frozen=True)
class Workflow:
    """A workflow that can be started, unless it is disabled."""

    type: str
    # What its input must fit, as JSON Schema.
    input: dict[str, Any]
    approvals: int = 0
    within_ns: int = 24 * HOUR
    enabled: bool = True


_REASON = {"type": "string", "minLength": 3, "maxLength": 2000}
_TEXT = {"type": "string", "minLength": 1}
WORKFLOWS = {
    "default": Workflow(
        "ElevateWorkflow",
        {
            "type": "object",
            "required": ["role", "provider", "reason"],
            "properties": {
                "role": {**_TEXT, "maxLength": 200},
                "provider": {"enum": ["aws", "azure", "gcp", "github", "kubernetes", "okta"]},
                "reason": _REASON,
                "duration": {"type": "string", "format": "duration"},
            },
        },
        approvals=1,
    ),
    "production-database": Workflow(
        "DatabaseAccessWorkflow",
        {
            "type": "object",
            "required": ["database", "mode", "reason"],
            "properties": {
                "database": {"type": "string", "pattern": "^[a-z][a-z0-9-]{2,62}$"},
                "mode": {"enum": ["read", "write"]},
                "reason": _REASON,
                "ticket": {"type": "string", "pattern": "^[A-Z]{2,10}-[0-9]{1,7}$"},
            },
        },
        approvals=2,
        within_ns=8 * HOUR,
    ),
    "break-glass": Workflow(
        "BreakGlassWorkflow",
        {
            "type": "object",
            "required": ["role", "incident"],
            "properties": {
                "role": _TEXT,
                "incident": {"type": "string", "pattern": "^INC-[0-9]{1,8}$"},
            },
        },
    ),
    "local-sudo": Workflow(
        "LocalSudoWorkflow",
        {
            "type": "object",
            "required": ["hostname", "minutes"],
            "properties": {
                "hostname": {**_TEXT, "maxLength": 253},
                "minutes": {"type": "integer", "minimum": 5, "maximum": 480},
            },
        },
    ),
    "access-review": Workflow(
        "AccessReviewWorkflow",
        {
            "type": "object",
            "required": ["team"],
            "properties": {
                "team": _TEXT,
                "reviewers": {
                    "type": "array",
                    "maxItems": 10,
                    "items": {"type": "string", "format": "email"},
                },
            },
        },
        approvals=1,
        within_ns=168 * HOUR,
    ),
    "vpn-legacy": Workflow("VpnAccessWorkflow", {"type": "object"}, enabled=False),
}

ALICE, BOB = "alice@example.com", "bob@example.com"
# The executions that the document and its kind name: id, run id, workflow, owner, minutes since
# the start, and how it ended after how many minutes.
TOLD: tuple[tuple[str, str, str, str, int, str, float], ...] = (
    ("wf_abc123", "run_456789", "default", ALICE, 5, "", 0),
    ("wf_abc122", "5b0c4a1e-7a57-4c2e-9a53-0a8f7a0f3b11", "production-database", ALICE, 120, "", 0),
    ("wf_abc121", "0c3a1d54-1f63-4b8f-8b0d-2f6c0d1f9a02", "default", ALICE, 300, "completed", 133),
    ("wf_abc120", "9f4bb0d2-33a5-47a1-bb0b-6a3ad54e7c13", "default", ALICE, 420, "canceled", 48),
    ("wf_abc119", "41d6cf0c-0f6d-4a0b-a0e5-7de5a0d0c524", "local-sudo", ALICE, 1560, "failed", 0.5),
    ("wf_abc118", "e2b7f9a8-5f1c-4a35-8a5e-0c6e62c0f935", "default", ALICE, 1800, "timed_out", 480),
    (
        "wf_abc117",
        "7c9e5a60-90a4-4f13-93d4-b0d8c8c1aa46",
        "break-glass",
        ALICE,
        3000,
        "terminated",
        2,
    ),
    ("wf_def456", "2a6d8f3e-4b17-4f0e-8f2b-15a0d7c3bb57", "default", BOB, 40, "", 0),
    ("wf_def455", "c85e0f47-6a2b-4d9c-b3a1-9e1f4d2acc68", "default", BOB, 540, "completed", 180),
)


@dataclass
class Execution:
    """One row."""

    id: str
    run_id: str
    workflow: str
    owner: str
    started_ns: int
    # In order of time; ``at`` in nanoseconds, ``state`` and ``events``.
    steps: list[dict[str, Any]] = field(default_factory=list)
    # How many approvals it still needs.
    approvals: int = 0

    @property
    def closes_ns(self) -> int:
        """When it closes, as things stand; the last step is always an end."""
        at_ns: int = self.steps[-1]["at"]
        return at_ns

    def due(self, now_ns: int) -> list[dict[str, Any]]:
        """The steps that have happened."""
        return [step for step in self.steps if step["at"] <= now_ns]

    def state(self, now_ns: int) -> str:
        """How it stands, in words of ours."""
        state: str = self.due(now_ns)[-1]["state"]
        return state

    def go_on(self, now_ns: int, *steps: dict[str, Any]) -> None:
        """Drops what was to come, and goes on with ``steps``."""
        self.steps = [*self.due(now_ns), *steps]

    def note(self, now_ns: int, event: str) -> None:
        """Leaves an event in the history, and changes nothing."""
        due = self.due(now_ns)
        note = {"at": now_ns, "state": due[-1]["state"], "events": [event]}
        self.steps = [*due, note, *self.steps[len(due) :]]


class Lives:
    """Makes the steps of executions; some of the faults are in here."""

    def __init__(self, ids: Ids, fault: str | None) -> None:
        self._ids = ids
        self._fault = fault

    def begin(self, execution: Execution, stretch: int = 1) -> None:
        """Its steps from the start; ``stretch`` makes it work slower."""
        workflow, at_ns = WORKFLOWS[execution.workflow], execution.started_ns
        execution.approvals = workflow.approvals
        if workflow.approvals:
            overdue = _ended(at_ns + workflow.within_ns, "timed_out")
            asks = _step(at_ns, WAITING, *_BEGIN, "ActivityTaskCompleted", "TimerStarted")
            execution.steps = [asks, overdue]
        else:
            execution.steps = [_step(at_ns, WORKING, *_BEGIN), self._done(at_ns, stretch)]

    def end(self, execution: Execution, state: str, at_ns: int) -> None:
        """Lets it end so, then."""
        execution.go_on(at_ns, self._end(at_ns, state, execution.started_ns))

    def cancel(self, execution: Execution, now_ns: int, cleanup_ns: int | None = None) -> None:
        """Begins the clean-up."""
        if cleanup_ns is None:
            cleanup_ns = self._ids.between(200, 300) * MILLISECOND
        last = "terminated" if self._fault == "cancel-ends-terminated" else "canceled"
        asked = _step(now_ns, CLEANING, "WorkflowExecutionCancelRequested")
        execution.go_on(now_ns, asked, self._end(now_ns + cleanup_ns, last, execution.started_ns))

    def approve(
        self, execution: Execution, now_ns: int, *, granted: bool, stretch: int = 1
    ) -> None:
        """Hands the decision to an execution that waits for one."""
        if self._fault == "refusal-grants":
            granted = True
        if not granted:
            refused = self._end(now_ns, "failed", execution.started_ns)
            refused["events"].insert(0, SIGNALED)
            execution.go_on(now_ns, refused)
            return
        execution.approvals -= 1
        if execution.approvals:
            overdue = _ended(now_ns + WORKFLOWS[execution.workflow].within_ns, "timed_out")
            asks = _step(now_ns, WAITING, SIGNALED, *_TASK, "TimerStarted")
            execution.go_on(now_ns, asks, overdue)
        else:
            works = _step(now_ns, WORKING, SIGNALED, *_WORK)
            execution.go_on(now_ns, works, self._done(now_ns, stretch))

    def _done(self, at_ns: int, stretch: int) -> dict[str, Any]:
        takes_ns = self._ids.between(100, 400) * MILLISECOND * stretch
        return self._end(at_ns + takes_ns, "completed", at_ns)

    def _end(self, at_ns: int, state: str, started_ns: int) -> dict[str, Any]:
        ended = _ended(at_ns, state)
        if self._fault == "end-not-in-history":
            ended["events"] = []
        elif self._fault == "end-dated-back":
            ended["shown_at"] = started_ns - SECOND
        return ended


def _step(at_ns: int, state: str, *events: str) -> dict[str, Any]:
    return {"at": at_ns, "state": state, "events": list(events)}


def _ended(at_ns: int, state: str) -> dict[str, Any]:
    return _step(at_ns, state, *_END[state])
