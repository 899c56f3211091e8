"""Executions in the vendor's JSON.

Source: the reference page of ``GET /api/v1/executions/{execution_id}`` (24 fields, five states);
the summary in lists and the answers to submissions from the vendor's published server. Inferred:
that the finer states of the server fold into the five as ``STATUS_BY_STATE`` says, and that times
always have six fraction digits.
"""

from __future__ import annotations

from typing import Any

from mockexec.http.remembered import Shared, remembered, remembered_list
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import format_instant
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

STATUS_BY_STATE = {
    QUEUED: "pending",
    CLAIMED: "pending",
    RUNNING: "running",
    WAITING: "running",
    CANCELLING: "running",
    COMPLETED: "completed",
    FAILED: "failed",
    CANCELLED: "cancelled",
    TERMINATED: "cancelled",
}
_ENDED_BY_ITSELF = frozenset({COMPLETED, FAILED})


def instant(ns: int) -> str:
    """``2026-02-24T11:45:54.123456+00:00``: the offset is never written ``Z``."""
    return format_instant(ns, digits=6, zone="+00:00")


def execution(e: Execution) -> dict[str, Any]:
    """All 24 fields, null where there is nothing to say."""
    get = e.data.get
    cancelled_ns = _cancelled_ns(e)
    return {
        "id": e.id,
        "workflow_id": e.group,
        "status": STATUS_BY_STATE[e.state],
        "payload": get("payload"),
        "result": get("result"),
        "error": get("error"),
        "created_at": instant(e.created_ns),
        "started_at": None if e.started_ns is None else instant(e.started_ns),
        "completed_at": _completed_at(e),
        "deployment_id": get("deployment"),
        "assigned_to_worker": get("worker"),
        "parent_execution_id": get("parent"),
        "root_execution_id": get("root"),
        # The lifecycle counts the attempts that failed, which is the number of retries.
        "retry_count": get("attempts", 0),
        "step_key": get("step_key"),
        "queue_name": get("queue"),
        "concurrency_key": get("concurrency_key"),
        "batch_id": get("batch"),
        "session_id": get("session"),
        "user_id": get("user"),
        # The vendor's clients import a class of this name, so it stays null.
        "output_schema_name": None,
        "cancelled_at": None if cancelled_ns is None else instant(cancelled_ns),
        "cancelled_by": get("cancelled_by"),
        "run_timeout_seconds": get("timeout_s"),
    }


def run(e: Execution) -> dict[str, Any]:
    """An execution as the list of runs shows it."""
    get = e.data.get
    return {
        "id": e.id,
        "root_execution_id": get("root"),
        "workflow_id": e.group,
        "session_id": get("session"),
        "created_at": instant(e.created_ns),
        "status": STATUS_BY_STATE[e.state],
        "completed_at": _completed_at(e),
        "payload": get("payload"),
        "result": get("result"),
        "error": get("error"),
    }


@remembered
def shared_execution(e: Execution) -> Shared:
    """``execution``, once for all replies that show it."""
    return Shared(execution(e))


runs = remembered_list(remembered(run))


def submission(e: Execution) -> dict[str, Any]:
    """The answer to a submission."""
    return {"execution_id": e.id, "created_at": instant(e.created_ns)}


def cancellation(e: Execution) -> dict[str, Any]:
    """The answer to a cancel call."""
    return {
        "execution_id": e.id,
        "status": STATUS_BY_STATE[e.state],
        "cancelled_at": instant(e.data["cancelled_ns"]),
    }


def approval(e: Execution, step_key: str) -> dict[str, Any]:
    """What a person is asked at ``step_key``; once it is handled, only how the run stands."""
    waits = e.state == WAITING and e.data.get("waits_for") == step_key
    return {
        "execution_id": e.id,
        "step_key": step_key,
        "status": "waiting" if waits else STATUS_BY_STATE[e.state],
        "data": e.data["asks"][step_key] if waits else None,
    }


def _completed_at(e: Execution) -> str | None:
    """The vendor never sets it on a cancelled run."""
    if e.finished_ns is None or e.state not in _ENDED_BY_ITSELF:
        return None
    return instant(e.finished_ns)


def _cancelled_ns(e: Execution) -> int | None:
    """When a user asked for it, or when the system did it."""
    asked_ns: int | None = e.data.get("cancelled_ns")
    if asked_ns is not None:
        return asked_ns
    return e.finished_ns if e.state in {CANCELLED, TERMINATED} else None
