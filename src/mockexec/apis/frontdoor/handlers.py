"""The operations: fetch, decide, translate."""

from __future__ import annotations

from mockexec.apis.frontdoor import auth, paging, wire
from mockexec.apis.frontdoor.auth import READ, WRITE
from mockexec.apis.frontdoor.properties import STATUSES
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.simulation.execution import Execution
from mockexec.simulation.lifecycle import CANCELLED


async def create_token(call: Call) -> Reply:
    """POST /oauth/token."""
    token = auth.token_for(call)
    body = {
        "access_token": token.value,
        "token_type": "Bearer",
        "expires_in": auth.TOKEN_LIFETIME_S,
        "scope": " ".join(sorted(token.scopes)),
    }
    return Reply(200, body, (("cache-control", "no-store"),))


async def list_executions(call: Call) -> Reply:
    """GET /{frontdoorId}/executions."""
    frontdoor = auth.reach(call, READ)
    page = paging.read_page(call, frontdoor)
    if call.accepts == wire.HAL:
        return Reply(200, wire.hal_page(page, _address(call, frontdoor)), media_type=wire.HAL)
    return Reply(200, wire.spring_page(page))


async def find_execution(call: Call) -> Reply:
    """GET /{frontdoorId}/executions:find."""
    frontdoor = auth.reach(call, READ)
    process_id = call.query["processId"]
    newest = call.realm.executions.range("processId", (frontdoor, process_id)).page(0, 1)
    if not newest:
        raise Refusal("not_found", f"Execution with processId {process_id} not found")
    return _one(call, frontdoor, call.realm.seen(newest[0]))


async def get_execution(call: Call) -> Reply:
    """GET /{frontdoorId}/executions/{id}."""
    frontdoor = auth.reach(call, READ)
    return _one(call, frontdoor, _owned(call, frontdoor, call.realm.read(call.path["id"])))


async def cancel_execution(call: Call) -> Reply:
    """POST /{frontdoorId}/executions/{id}:cancel."""
    frontdoor = auth.reach(call, WRITE)
    execution = _owned(call, frontdoor, call.realm.executions.get(call.path["id"]))
    if execution.is_final:
        word = STATUSES[execution.state]
        raise Refusal("conflict", f"Execution {execution.id} is already {word}")
    return _one(call, frontdoor, call.realm.move(execution, CANCELLED))


def _owned(call: Call, frontdoor: str, execution: Execution | None) -> Execution:
    """``execution``, unless it is not there or another frontdoor's."""
    if execution is None or execution.group != frontdoor:
        raise Refusal("not_found", f"Execution {call.path['id']} not found")
    return execution


def _one(call: Call, frontdoor: str, execution: Execution) -> Reply:
    if call.accepts == wire.HAL:
        model = wire.hal_execution(execution, _address(call, frontdoor))
        return Reply(200, model, media_type=wire.HAL)
    return Reply(200, wire.plain_execution(execution))


def _address(call: Call, frontdoor: str) -> str:
    """The URL of a frontdoor's executions, as this client reaches them."""
    return f"{call.base_url}/{frontdoor}/executions"
