"""The operations, by the names of the document."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mockexec.apis.sailpoint import auth, wire
from mockexec.apis.sailpoint.filters import FilterError, FilterSyntaxError, parse
from mockexec.apis.sailpoint.history import events
from mockexec.apis.sailpoint.paging import Listing, Stretch, stretches_of
from mockexec.apis.sailpoint.populate import launch
from mockexec.apis.sailpoint.selection import ALWAYS as AT_ANY_TIME
from mockexec.apis.sailpoint.selection import NEVER, select
from mockexec.errors import Violation
from mockexec.http.auth import fixture_client
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal, describe
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import DAY
from mockexec.simulation.lifecycle import CANCELLED

# After this an execution is archived: no list has it, and reading it gives 404 (source document).
RETENTION_NS = 90 * DAY

_EVERYTHING = stretches_of(dict.fromkeys(wire.STATUSES, AT_ANY_TIME))
_FAILURES = stretches_of(dict.fromkeys(wire.STATUSES, NEVER) | {wire.FAILED: AT_ANY_TIME})
_NOT_EXECUTED = "Workflow was not executed externally. Check enabled flag on workflow definition"


async def list_workflows(call: Call) -> Reply:
    """Every workflow of the tenant, by name."""
    workflows = [workflow for _, workflow in call.realm.table("workflows").items()]
    workflows.sort(key=lambda workflow: (workflow["name"].casefold(), workflow["id"]))
    offset, limit = call.query["offset"], call.query["limit"]
    return Reply(200, [_shown(call, one) for one in workflows[offset : offset + limit]])


async def get_workflow(call: Call) -> Reply:
    """One workflow."""
    return Reply(200, _shown(call, _workflow(call)))


async def get_workflow_executions(call: Call) -> Reply:
    """A page of a workflow's executions, newest start first."""
    selected = _selected(call.query.get("filters"))
    listing = _listing(call, _workflow(call)["id"], selected)
    page = listing.page(call.query["offset"], call.query["limit"])
    # Spelled as documented: the vendor's client looks it up by these very letters.
    headers = (("X-Total-Count", str(len(listing))),) if call.query["count"] else ()
    return Reply(200, wire.executions(page), headers)


async def get_workflow_execution(call: Call) -> Reply:
    """One execution."""
    return Reply(200, wire.shared_execution(call.realm.seen(_execution(call))))


async def get_workflow_execution_history(call: Call) -> Reply:
    """The events of one execution so far."""
    execution = _execution(call)
    workflow: Any = call.realm.table("workflows").get(execution.group)
    return Reply(200, events(execution, workflow, call.now_ns))


async def cancel_workflow_execution(call: Call) -> Reply:
    """Ends an execution that runs."""
    execution = _execution(call)
    if execution.is_final:
        status = wire.STATUS_OF[execution.state]
        raise Refusal(
            "closed",
            f'path parameter id: the workflow execution "{execution.id}" has closed with the '
            f"status {status} and cannot be canceled",
            status=400,
        )
    call.realm.move(execution, CANCELLED)
    return Reply(204)


async def test_workflow(call: Call) -> Reply:
    """Starts a workflow, enabled or not."""
    execution = launch(call.realm, _workflow(call), call.now_ns)
    return Reply(200, {"workflowExecutionId": execution.id})


async def create_external_execute_workflow(call: Call) -> Reply:
    """Starts a workflow if it is enabled, and says so if it is not."""
    workflow = _workflow(call)
    if not workflow["enabled"]:
        return Reply(200, {"message": _NOT_EXECUTED})
    execution = launch(call.realm, workflow, call.now_ns)
    return Reply(200, {"workflowExecutionId": execution.id})


async def create_token(call: Call) -> Reply:
    """A token for client credentials, from the form or, where there is none, from the query."""
    given = call.query if call.body is None else call.body
    client = fixture_client(call.realm, given.get("client_id", ""), given.get("client_secret", ""))
    if client is None:
        raise Refusal("unauthenticated", "Bad client credentials")
    if "grant_type" not in given:
        raise Refusal("invalid", "query parameter grant_type is missing")
    return Reply(200, auth.grant(call.realm, client), (("cache-control", "no-store"),))


def _workflow(call: Call) -> Any:
    workflow_id = call.path["id"]
    workflow = call.realm.table("workflows").get(workflow_id)
    if workflow is None:
        raise Refusal("not_found", f'path parameter id: there is no workflow "{workflow_id[:80]}"')
    return workflow


def _execution(call: Call) -> Execution:
    execution_id = call.path["id"]
    execution = call.realm.executions.get(execution_id)
    if execution is None or execution.created_ns < call.now_ns - RETENTION_NS:
        raise Refusal(
            "not_found",
            f'path parameter id: there is no workflow execution "{execution_id[:80]}", or it has '
            "been archived",
        )
    return execution


def _selected(filters: str | None) -> tuple[Stretch, ...]:
    if filters is None:
        return _EVERYTHING
    try:
        return _parsed(filters)
    except FilterError as error:
        violation = Violation("query", "filters", "", f"cannot be used: {error}")
        reason = "filter_syntax" if isinstance(error, FilterSyntaxError) else "invalid"
        raise Refusal(reason, describe([violation]), status=400, violations=(violation,)) from None


@lru_cache(maxsize=128)
def _parsed(filters: str) -> tuple[Stretch, ...]:
    """What a filter selects; clients send the same few again and again."""
    return stretches_of(select(parse(filters), wire.STATUSES))


def _listing(call: Call, workflow_id: str, selected: tuple[Stretch, ...]) -> Listing:
    return Listing(
        call.realm,
        workflow_id,
        selected,
        oldest_ns=call.now_ns - RETENTION_NS,
        newest_ns=call.now_ns,
    )


def _shown(call: Call, workflow: Any) -> dict[str, Any]:
    return wire.workflow(
        workflow,
        executions_total=len(_listing(call, workflow["id"], _EVERYTHING)),
        failures_total=len(_listing(call, workflow["id"], _FAILURES)),
    )
