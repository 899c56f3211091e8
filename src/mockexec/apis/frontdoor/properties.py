"""What users see of an execution, shared by its JSON and by the orders it can be listed in."""

from __future__ import annotations

from mockexec.simulation.execution import Execution
from mockexec.simulation.lifecycle import COMPLETED, FAILED, FINAL, STATES

# Nothing waits in this API: what the world still has in its queue is already RUNNING to users.
STATUSES = {
    **{state: "CANCELLED" if state in FINAL else "RUNNING" for state in STATES},
    COMPLETED: "FINISHED",
    FAILED: "FAILED",
}


def process_id_of(execution: Execution) -> str:
    """The process; an execution that was added by hand may be one of its own."""
    process_id: str = execution.data.get("process_id", execution.id)
    return process_id


def name_of(execution: Execution) -> str:
    """What it does, in words."""
    name: str = execution.data.get("name", execution.id)
    return name


def started_ns_of(execution: Execution) -> int:
    """When it started, or came to be as long as it has not."""
    return execution.created_ns if execution.started_ns is None else execution.started_ns
