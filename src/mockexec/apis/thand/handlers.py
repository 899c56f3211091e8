"""What each operation does: fetch, decide, translate."""

from __future__ import annotations

from urllib.parse import parse_qs

from mockexec.apis.thand import errors, plans, wire
from mockexec.apis.thand.auth import secret_of
from mockexec.apis.thand.envelope import BrokenEnvelope
from mockexec.apis.thand.populate import start
from mockexec.apis.thand.signals import BadSignal, Signal, read_signal
from mockexec.apis.thand.workflows import enabled_workflow, input_violations
from mockexec.http.call import Call, Reply
from mockexec.simulation.execution import Execution
from mockexec.simulation.lifecycle import (
    CANCELLING,
    FAILED,
    RUNNING,
    TERMINATED,
    WAITING,
    cancel_plan,
)

LIST_MAX = 100
# The workflow engine's own limit for one execution.
_SIGNALS_MAX = 10_000


async def list_executions(call: Call) -> Reply:
    """The caller's running executions, newest first."""
    found = call.realm.executions.range("open", (call.caller.subject,))
    page = found.page(0, LIST_MAX)
    return _reply({"executions": [wire.summary(each, call.now_ns) for each in page]})


async def create_execution(call: Call) -> Reply:
    """Starts a workflow in the caller's name."""
    name = call.body["workflow"]
    workflow = enabled_workflow(call.realm, name)
    if workflow is None:
        raise errors.no_workflow(name)
    violations = input_violations(workflow, call.body.get("input", {}))
    if violations:
        raise errors.bad_input(violations)
    random = call.realm.draws("plans")
    plan = plans.unanswered(call.realm.profile(workflow["profile"]), workflow, random)
    execution = start(call.realm, name, owner=call.caller.subject, plan=plan, at_ns=call.now_ns)
    return _reply(wire.started(execution), 201)


async def get_execution(call: Call) -> Reply:
    """One execution, whoever owns it."""
    execution = call.realm.read(call.path["id"])
    if execution is None:
        raise errors.no_execution(call.path["id"], running=False)
    return _reply(wire.details(execution, call.now_ns))


async def cancel_execution(call: Call) -> Reply:
    """Begins the clean-up of a running execution; its end comes by itself."""
    execution = _own_running(call, "terminate")
    if execution.state != CANCELLING:
        profile = call.realm.profile(execution.data["profile"])
        plan = cancel_plan(profile, call.realm.draws("plans"))
        call.realm.move(execution, CANCELLING, plan=plan)
    return _reply({"status": "ok", "message": "Workflow cancellation signal sent"})


async def terminate_execution(call: Call) -> Reply:
    """Ends a running execution at once."""
    call.realm.move(_own_running(call, "terminate"), TERMINATED)
    return _reply({"status": "ok", "message": "Workflow termination signal sent"})


async def signal_execution(call: Call) -> Reply:
    """Hands a signal to a running execution."""
    signal = _decoded(call)
    execution = _own_running(call, "signal")
    _deliver(call, execution, signal)
    return _reply({"message": "Signal sent successfully", "workflow_id": execution.id})


def require_input(call: Call) -> None:
    """The one check that the server makes before it looks for a session."""
    values = parse_qs(call.raw_query, keep_blank_values=True).get("input", [""])
    if not any(values):
        raise errors.input_required()


def _decoded(call: Call) -> Signal:
    try:
        return read_signal(call.query["input"], secret_of(call.settings))
    except BrokenEnvelope as broken:
        raise errors.bad_signal("Failed to decode workflow state", str(broken)) from None
    except BadSignal as bad:
        raise errors.bad_signal(bad.title, bad.message) from None


def _deliver(call: Call, execution: Execution, signal: Signal) -> None:
    """Only an execution that waits for an approval is moved by one; else the signal is noted."""
    if execution.state == WAITING and signal.approved is False:
        call.realm.move(execution, FAILED)
    elif execution.state == WAITING and signal.approved:
        rest = plans.granted(execution.plan)
        call.realm.move(execution, RUNNING, plan=rest, data={"waits_for": None})
    elif sum(event.name == wire.SIGNALED for event in execution.history) >= _SIGNALS_MAX:
        raise errors.too_many_signals()
    else:
        call.realm.amend(execution, event=wire.SIGNALED)


def _own_running(call: Call, verb: str) -> Execution:
    execution = call.realm.executions.get(call.path["id"])
    if execution is None:
        raise errors.no_execution(call.path["id"], running=True)
    if execution.owner != call.caller.subject:
        raise errors.not_owner(verb)
    if execution.is_final:
        raise errors.not_running()
    return execution


def _reply(body: object, status: int = 200) -> Reply:
    return Reply(status, body, (errors.NO_STORE,), "application/json; charset=utf-8")
