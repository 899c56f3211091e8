"""What the control API shows of the simulation, as JSON-ready data (see ``control.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockexec.errors import Violation
from mockexec.simulation.clock import machine_ns
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import SECOND, format_instant, format_iso_duration
from mockexec.simulation.journal import Exchange
from mockexec.simulation.lifecycle import TRANSITIONS, Step
from mockexec.simulation.session import Session
from mockexec.simulation.snapshot import Snapshot
from mockexec.simulation.world import Faults, World

# The largest whole number that JSON carries everywhere.
_INTEGER_MAX = (1 << 53) - 1


def clock_view(world: World) -> dict[str, Any]:
    """What the clock of ``world`` shows."""
    return {
        "now": _instant(world.now_ns),
        "mode": world.clock.mode,
        "scale": world.clock.scale,
        "next_due": _instant(world.next_due_ns),
    }


def summary_view(api: str, execution: Execution) -> dict[str, Any]:
    """An execution as an entry of a list."""
    return {
        "id": execution.id,
        "api": api,
        "group": execution.group,
        "owner": execution.owner,
        "state": execution.state,
        "created": _instant(execution.created_ns),
        "changed": _instant(execution.changed_ns),
        "started": _instant(execution.started_ns),
        "finished": _instant(execution.finished_ns),
        "due": _instant(execution.due_ns),
    }


def execution_view(api: str, execution: Execution) -> dict[str, Any]:
    """An execution with its past, its future and its data."""
    return {
        **summary_view(api, execution),
        "history": [
            {"at": _instant(event.at_ns), "name": event.name} for event in execution.history
        ],
        "plan": [_step_view(step) for step in execution.plan],
        "next": sorted(TRANSITIONS[execution.state]),
        "data": plain(execution.data),
    }


def exchange_view(exchange: Exchange, query: str) -> dict[str, Any]:
    """One entry of the journal; ``query`` as it may be shown."""
    return {
        "id": exchange.id,
        "at": _instant(exchange.at_ns),
        "took_ms": exchange.took_ns / 1_000_000,
        "api": exchange.api,
        "operation_id": exchange.operation_id,
        "method": exchange.method,
        "path": exchange.path,
        "query": query,
        "status": exchange.status,
        "fault": exchange.fault,
        "notes": [violation_view(note) for note in exchange.notes],
    }


def session_view(session: Session) -> dict[str, Any]:
    """A session: where it is reached, and how it stands."""
    return {
        "name": session.name,
        "base_path": f"/@{session.name}",
        "seed": session.world.chance.seed,
        "now": _instant(session.world.clock.now_ns()),
        "requests": len(session.world.journal),
        "snapshots": len(session.snapshots),
        "idle_seconds": max(0, machine_ns() - session.used_ns) // SECOND,
    }


def snapshot_view(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot without its content."""
    return {"id": snapshot.id, "name": snapshot.name, "taken": _instant(snapshot.taken_ns)}


def fault_view(faults: Faults, fault_id: str) -> dict[str, Any]:
    """A fault as it was armed, with the calls that counted and those that it struck."""
    calls, hits = faults.counts[fault_id]
    return {"id": fault_id, **faults.armed[fault_id].body, "calls": calls, "hits": hits}


def violation_view(violation: Violation) -> dict[str, Any]:
    """What is wrong with one input."""
    return {
        "in": violation.location,
        "name": violation.name,
        "pointer": violation.pointer,
        "message": violation.message,
    }


def plain(value: Any) -> Any:
    """A dialect's own data as JSON has it; what JSON has no form for becomes a text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, str | bool | float):
        return value
    if isinstance(value, int) and abs(value) <= _INTEGER_MAX:
        return value
    return str(value)


def _step_view(step: Step) -> dict[str, Any]:
    after = None if step.after_ns is None else format_iso_duration(step.after_ns)
    return {"state": step.state, "after": after, "reads": step.reads}


def _instant(ns: int | None) -> str | None:
    return None if ns is None else format_instant(ns, digits=9)
