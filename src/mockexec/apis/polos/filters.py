"""Which runs a list shows."""

from __future__ import annotations

from mockexec.errors import Violation
from mockexec.http.call import Call
from mockexec.simulation.instants import MICROSECOND, parse_instant
from mockexec.simulation.store import Range


def runs(call: Call, project: str) -> Range:
    """The runs of ``project`` that the query of ``listRuns`` selects."""
    query = call.query
    prefix: tuple[str, ...] = (project, query["workflow_type"])
    index = "type"
    if "workflow_id" in query:
        index, prefix = "workflow", (*prefix, query["workflow_id"])
    start_us, end_us = _microseconds(call, "start_time"), _microseconds(call, "end_time")
    return call.realm.executions.range(
        index,
        prefix,
        low=() if start_us is None else (start_us * MICROSECOND,),
        high=None if end_us is None else ((end_us + 1) * MICROSECOND,),
    )


def _microseconds(call: Call, name: str) -> int | None:
    """The instant a parameter names, as exact as times are shown; None for no bound.

    The vendor overlooks a time it cannot read. So does the mock, and notes it in the journal.
    """
    text = call.query.get(name)
    if text is None:
        return None
    try:
        return parse_instant(text) // MICROSECOND
    except ValueError as error:
        note = Violation("query", name, "", f"is ignored, as the vendor does: {error}")
        call.notes = (*call.notes, note)
        return None
