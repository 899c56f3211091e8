"""What each operation does: fetch, decide, translate."""

from __future__ import annotations

from mockexec.apis.polos import lives, wire
from mockexec.apis.polos.auth import check_owner, project_of_header
from mockexec.apis.polos.cancellation import cancel
from mockexec.apis.polos.filters import runs
from mockexec.apis.polos.submission import shared_data, submit
from mockexec.apis.polos.workflows import profile
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.simulation.execution import Execution
from mockexec.simulation.lifecycle import QUEUED, WAITING


async def get_execution(call: Call) -> Reply:
    """One execution of the key's project. Counts as a reading."""
    execution_id = call.path["execution_id"].lower()
    execution = call.realm.executions.get(execution_id)
    if execution is None:
        raise _execution_not_found()
    check_owner(call, execution)
    return Reply(200, wire.shared_execution(call.realm.seen(execution)))


async def cancel_execution(call: Call) -> Reply:
    """Cancels an execution and its relatives."""
    execution = call.realm.executions.get(call.path["execution_id"].lower())
    if execution is None:
        # Only here the vendor documents the type of cancelling for a 404.
        raise Refusal(
            "not_found", "Execution not found", details={"error_type": "CANCELLATION_ERROR"}
        )
    check_owner(call, execution)
    if execution.is_final:
        raise Refusal(
            "not_cancellable",
            f"Execution cannot be cancelled (status: {wire.STATUS_BY_STATE[execution.state]})",
            status=400,
            details={"error_type": "CANCELLATION_ERROR"},
        )
    return Reply(200, wire.cancellation(cancel(call.realm, execution)))


async def run_workflow(call: Call) -> Reply:
    """Queues one run."""
    project = project_of_header(call, unknown="not_found")
    shared = shared_data(call.realm, project, call.body)
    started = submit(call.realm, project, call.path["workflow_id"], call.body, shared)
    return Reply(200, wire.submission(started))


async def run_workflow_batch(call: Call) -> Reply:
    """Queues several runs under one batch id."""
    project = project_of_header(call, unknown="not_found")
    shared = shared_data(call.realm, project, call.body)
    shared["batch"] = call.realm.uuid("batches")
    started = [
        submit(call.realm, project, entry["workflow_id"], entry, shared)
        for entry in call.body["workflows"]
    ]
    return Reply(200, {"executions": [wire.submission(execution) for execution in started]})


async def list_runs(call: Call) -> Reply:
    """A page of the project's runs, newest first."""
    # The vendor does not tell an unknown project from a foreign one here.
    project = project_of_header(call, unknown="forbidden")
    page = runs(call, project).page(call.query["offset"], call.query["limit"])
    return Reply(200, wire.runs(page))


async def get_approval(call: Call) -> Reply:
    """What a run asks at one step."""
    return Reply(200, wire.approval(_asking(call), call.path["step_key"]))


async def submit_approval(call: Call) -> Reply:
    """Hands a person's answer to the run, which is queued again."""
    execution, step_key = _asking(call), call.path["step_key"]
    if execution.state != WAITING or execution.data.get("waits_for") != step_key:
        status = wire.STATUS_BY_STATE[execution.state]
        raise Refusal("conflict", f"Execution is not waiting for approval (status: {status})")
    realm = call.realm
    plan = lives.resumed(
        execution,
        profile(realm, execution.group),
        realm.draws("plans"),
        answer=call.body["data"],
        now_ns=call.now_ns,
    )
    realm.move(execution, QUEUED, plan=plan, data={"waits_for": None})
    return Reply(200)


def _asking(call: Call) -> Execution:
    """The execution, which asks at this step some time in its life. Anyone may look."""
    execution = call.realm.executions.get(call.path["execution_id"].lower())
    if execution is None:
        raise _execution_not_found()
    if call.path["step_key"] not in execution.data.get("asks", {}):
        raise Refusal("not_found", "Approval not found")
    return execution


def _execution_not_found() -> Refusal:
    return Refusal("not_found", "Execution not found")
