"""Executions as the API shows them.

Source: the vendor's page "Execution Management", read in November 2026, whose bodies these are word
for word. Inferred: the words for closed states (the engine's, in the page's lower case), the
history beyond its first event (the engine's event names), ``execution_time`` as the time from the
start to now or to the end.
"""

from __future__ import annotations

from typing import Any

from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import SECOND, format_instant, format_iso_duration
from mockexec.simulation.lifecycle import (
    CANCELLED,
    CANCELLING,
    CLAIMED,
    COMPLETED,
    FAILED,
    QUEUED,
    RUNNING,
    TERMINATED,
    WAITING,
)

TASK_QUEUE = "thand-task-queue"
SIGNALED = "WorkflowExecutionSignaled"
# The key in an execution's data that tells a failure by time from the others.
TIMED_OUT = "timed_out"

_STATUS = {
    QUEUED: "running",
    CLAIMED: "running",
    RUNNING: "running",
    WAITING: "running",
    CANCELLING: "running",
    COMPLETED: "completed",
    FAILED: "failed",
    CANCELLED: "canceled",
    TERMINATED: "terminated",
}

_TASK = ("WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted")
_ACTIVITY = ("ActivityTaskScheduled", "ActivityTaskStarted")
# What the engine notes when an execution comes into a state, from another or from any.
_EVENTS: dict[str | tuple[str, str], tuple[str, ...]] = {
    QUEUED: ("WorkflowTaskScheduled",),
    ("", QUEUED): ("WorkflowExecutionStarted",),
    CLAIMED: (),
    RUNNING: (*_TASK, *_ACTIVITY),
    (WAITING, RUNNING): (SIGNALED, *_TASK, *_ACTIVITY),
    # The request for approval has gone out, and its time begins to run.
    WAITING: ("ActivityTaskCompleted", "TimerStarted"),
    COMPLETED: ("ActivityTaskCompleted", "WorkflowExecutionCompleted"),
    FAILED: ("WorkflowExecutionFailed",),
    (WAITING, FAILED): (SIGNALED, "WorkflowExecutionFailed"),
    CANCELLING: ("WorkflowExecutionCancelRequested",),
    CANCELLED: ("WorkflowExecutionCanceled",),
    TERMINATED: ("WorkflowExecutionTerminated",),
}
_OVERDUE = ("TimerFired", "WorkflowExecutionTimedOut")


def summary(execution: Execution, now_ns: int) -> dict[str, Any]:
    """An execution as the list shows it."""
    created_ns, finished_ns = execution.created_ns, execution.finished_ns
    elapsed_ns = (now_ns if finished_ns is None else finished_ns) - created_ns
    data = execution.data
    return {
        "workflow_id": execution.id,
        "run_id": data["run_id"],
        "status": status(execution),
        "start_time": format_instant(created_ns),
        "execution_time": format_iso_duration(elapsed_ns - elapsed_ns % SECOND),
        "task_queue": TASK_QUEUE,
        "user": execution.owner,
        "workflow_type": {"name": data["type"]},
    }


def details(execution: Execution, now_ns: int) -> dict[str, Any]:
    """An execution with its history."""
    return {**summary(execution, now_ns), "history": _history(execution)}


def started(execution: Execution) -> dict[str, Any]:
    """The answer to starting one."""
    return {
        "workflow_id": execution.id,
        "run_id": execution.data["run_id"],
        "status": status(execution),
    }


def status(execution: Execution) -> str:
    """The state in the API's words."""
    if execution.state == FAILED and execution.data.get(TIMED_OUT):
        return "timed_out"
    return _STATUS[execution.state]


def _history(execution: Execution) -> list[dict[str, str]]:
    events = []
    state = ""
    for event in execution.history:
        names: tuple[str, ...] = (event.name,)
        if event.name in _STATUS:
            names = _EVENTS.get((state, event.name)) or _EVENTS[event.name]
            state = event.name
            if state == FAILED and execution.data.get(TIMED_OUT):
                names = _OVERDUE
        timestamp = format_instant(event.at_ns)
        events += [{"event_type": name, "timestamp": timestamp} for name in names]
    return events
