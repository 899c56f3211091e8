"""The vendor's JSON for executions and workflows.

Source: the reference page "List Workflow Executions" (a revision between 2024-05-23 and
2025-02-27): names, order, status words and times with nine fraction digits are its own. Inferred:
``closeTime`` is left out while an execution is open (the page says nothing of it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockexec.http.remembered import Shared, remembered, remembered_list
from mockexec.simulation import lifecycle
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import format_instant

EXECUTING = "Executing"
COMPLETED = "Completed"
FAILED = "Failed"
CANCELED = "Canceled"
STATUSES = (COMPLETED, FAILED, CANCELED, EXECUTING)

# The vendor tells four statuses apart: whatever is not over is executing.
STATUS_OF = dict.fromkeys(lifecycle.STATES, EXECUTING) | {
    lifecycle.COMPLETED: COMPLETED,
    lifecycle.FAILED: FAILED,
    lifecycle.CANCELLED: CANCELED,
    lifecycle.TERMINATED: CANCELED,
}


def instant(ns: int) -> str:
    """A time as the vendor writes it: UTC, nine fraction digits."""
    return format_instant(ns, digits=9)


def execution(one: Execution) -> dict[str, Any]:
    """``WorkflowExecution``."""
    if one.finished_ns is None:
        return {
            "id": one.id,
            "workflowId": one.group,
            "requestId": one.data["requestId"],
            "startTime": format_instant(one.created_ns, digits=9),
            "status": EXECUTING,
        }
    return {
        "id": one.id,
        "workflowId": one.group,
        "requestId": one.data["requestId"],
        "startTime": format_instant(one.created_ns, digits=9),
        "closeTime": format_instant(one.finished_ns, digits=9),
        "status": STATUS_OF[one.state],
    }


@remembered
def shared_execution(one: Execution) -> Shared:
    """``execution``, once for all replies that show it."""
    return Shared(execution(one))


executions = remembered_list(remembered(execution))


def workflow(
    one: Mapping[str, Any], *, executions_total: int, failures_total: int
) -> dict[str, Any]:
    """``Workflow``, with its counts as they stand."""
    return {
        "id": one["id"],
        "name": one["name"],
        "description": one["description"],
        "owner": one["owner"],
        "creator": one["creator"],
        "created": instant(one["created_ns"]),
        "modifiedBy": one["modified_by"],
        "modified": instant(one["modified_ns"]),
        "definition": one["definition"],
        "enabled": one["enabled"],
        "trigger": one["trigger"],
        "executionCount": executions_total,
        "failureCount": failures_total,
    }
