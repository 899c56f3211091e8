"""The events of an execution: its workflow's steps, one after the other.

The steps share the time that the execution was planned to take when it started, so that what has
been told once never changes. The vendor's list of event types has none for a cancellation: the
events of a cancelled execution end with the last one before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockexec.apis.sailpoint.wire import CANCELED, COMPLETED, FAILED, STATUS_OF, instant
from mockexec.simulation.execution import Execution


def events(one: Execution, workflow: Mapping[str, Any], now_ns: int) -> list[dict[str, Any]]:
    """``WorkflowExecutionEvent``s up to now, oldest first."""
    start_ns = one.created_ns
    started = [
        _event("WorkflowExecutionScheduled", start_ns, {}),
        _event("WorkflowExecutionStarted", start_ns, {"attempt": 1}),
    ]
    return [*started, *_activities(one, workflow, now_ns), *_ending(one)]


def _activities(
    one: Execution, workflow: Mapping[str, Any], now_ns: int
) -> Iterator[dict[str, Any]]:
    steps = [step for step in workflow["steps"] if "action" in step]
    status = STATUS_OF[one.state]
    finished_ns = one.finished_ns
    until_ns = now_ns if finished_ns is None else finished_ns
    for number, step in enumerate(steps):
        begin_ns = one.created_ns + one.data["planned_ns"] * number // len(steps)
        end_ns = one.created_ns + one.data["planned_ns"] * (number + 1) // len(steps)
        if status == COMPLETED:
            # Whatever ended it early, all its steps were done by then.
            begin_ns, end_ns = min(begin_ns, until_ns), min(end_ns, until_ns)
        elif begin_ns > until_ns or (status == CANCELED and begin_ns == until_ns):
            return
        attributes = {"activityType": step["action"], "displayName": step["name"]}
        yield _event("ActivityTaskScheduled", begin_ns, attributes)
        yield _event("ActivityTaskStarted", begin_ns, attributes)
        last = number == len(steps) - 1
        if status == FAILED and (last or end_ns > until_ns):
            reason = one.data.get("reason", "The step failed.")
            yield _event("ActivityTaskFailed", until_ns, {**attributes, "failure": reason})
            return
        if end_ns > until_ns or (status == CANCELED and end_ns == until_ns):
            return
        yield _event("ActivityTaskCompleted", end_ns, attributes)


def _ending(one: Execution) -> list[dict[str, Any]]:
    if one.finished_ns is None:
        return []
    status = STATUS_OF[one.state]
    if status == COMPLETED:
        return [_event("WorkflowExecutionCompleted", one.finished_ns, {})]
    if status == FAILED:
        failure = {"failure": one.data.get("reason", "A step failed.")}
        return [_event("WorkflowExecutionFailed", one.finished_ns, failure)]
    return []


def _event(name: str, at_ns: int, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": name, "timestamp": instant(at_ns), "attributes": dict(attributes)}
