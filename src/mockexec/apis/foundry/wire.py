"""Foundry's words for an execution, and the JSON of a page.

Sources: the endpoint's reference page (July 2026) for the fields and the example; the vendor's API
definition for which may be absent. Inferred: the unit of a duration (whole seconds where it is
whole, else milliseconds), and that only failed executions have a failure reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mockexec.http.remembered import remembered
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import MILLISECOND, format_instant
from mockexec.simulation.lifecycle import CANCELLED, COMPLETED, TERMINATED

SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
STATUSES = (SUCCEEDED, FAILED)

# Foundry has no third way to end: what was stopped from outside counts as failed.
_STOPPED_REASONS = {CANCELLED: "cancelled", TERMINATED: "terminated"}


def status(execution: Execution) -> str:
    """The status of a finished execution."""
    return SUCCEEDED if execution.state == COMPLETED else FAILED


def failure_reason(execution: Execution) -> str | None:
    """The class of its failure; None when it succeeded, or failed without one."""
    if execution.state == COMPLETED:
        return None
    reason: str | None = execution.data.get("failureReason")
    return reason or _STOPPED_REASONS.get(execution.state)


def start_ms(execution: Execution) -> int:
    """When it started, in whole milliseconds since 1970: all that the API tells and compares.

    One that was stopped before it ran counts from its creation.
    """
    started_ns = execution.started_ns
    return (execution.created_ns if started_ns is None else started_ns) // MILLISECOND


def duration_ms(execution: Execution) -> int:
    """How long a finished execution ran, in milliseconds."""
    finished_ns = execution.finished_ns or execution.changed_ns
    return max(finished_ns // MILLISECOND - start_ms(execution), 0)


def resource_version(execution: Execution) -> str:
    """The version of the resource that ran."""
    version: str = execution.data.get("resourceVersion", "1.0.0")
    return version


def trace_owning_rid(execution: Execution) -> str:
    """The resource that owns its trace: the one that ran unless another is known."""
    rid: str = execution.data.get("traceOwningRid", execution.group)
    return rid


def caller_rid(execution: Execution) -> str | None:
    """What called the resource; None when nothing is known to have."""
    rid: str | None = execution.data.get("callerRid")
    return rid


def page(executions: Iterable[Execution], next_page_token: str | None) -> dict[str, Any]:
    """The answer of listExecutions; the last page has no token."""
    body: dict[str, Any] = {"data": [_execution(execution) for execution in executions]}
    if next_page_token is not None:
        body["nextPageToken"] = next_page_token
    return body


@remembered
def _execution(execution: Execution) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "duration": _duration(duration_ms(execution)),
        "foundryTraceId": execution.id,
        "resourceVersion": resource_version(execution),
        "traceOwningRid": trace_owning_rid(execution),
        "resourceRid": execution.group,
        "startTime": format_instant(start_ms(execution) * MILLISECOND, digits=3),
        "status": status(execution),
    }
    reason = failure_reason(execution)
    if reason is not None:
        shown["failureReason"] = reason
    caller = caller_rid(execution)
    if caller is not None:
        shown["callerRid"] = caller
    return shown


def _duration(milliseconds: int) -> dict[str, Any]:
    seconds, rest = divmod(milliseconds, 1000)
    # The document's integer has 32 bits: 24.8 days of milliseconds.
    if rest and milliseconds < 2**31:
        return {"unit": "MILLISECONDS", "value": milliseconds}
    return {"unit": "SECONDS", "value": seconds}
