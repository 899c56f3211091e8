"""The executions of every API in the caller's world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import nlargest
from typing import Any

from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.server.mock import Mock
from mockexec.server.views import execution_view, summary_view
from mockexec.simulation.execution import Execution
from mockexec.simulation.lifecycle import IllegalTransition
from mockexec.simulation.world import Arrival, Realm, World


class ExecutionsControl:
    """Seeing them, adding some, pushing them along."""

    operations = ("listExecutions", "createExecution", "getExecution", "updateExecution")

    def __init__(self, mock: Mock) -> None:
        self._mock = mock

    async def list_executions(self, call: Call) -> Reply:
        """The latest created first; the whole store is looked through, as no index fits all."""
        offset, limit = call.query["offset"], call.query["limit"]
        found = list(self._selected(call))
        latest = nlargest(
            offset + limit, found, key=lambda entry: (entry[1].created_ns, entry[1].id)
        )
        page = [summary_view(api, execution) for api, execution in latest[offset:]]
        return Reply(200, {"total": len(found), "executions": page})

    async def create_execution(self, call: Call) -> Reply:
        """One arrives, as the API's own arrivals do."""
        name = call.body["api"]
        realm = self._realm(call.world, name)
        arrive = realm.model.arrive
        if arrive is None:
            raise Refusal(
                "conflict", f"nothing arrives by itself at {name}: use its own operations"
            )
        arrival = _arrival(realm, call.body)
        try:
            execution = arrive(realm, arrival, call.now_ns)
        except (LookupError, TypeError, ValueError) as error:
            # Only the dialect knows what an arrival's data may say, and it trusts its fixtures.
            raise Refusal(
                "conflict",
                f"{name} cannot start an execution from {dict(arrival.data)}: "
                f"{type(error).__name__} {error}",
            ) from error
        location = f"{call.base_path}/executions/{execution.id}"
        return Reply(201, execution_view(name, execution), (("location", location),))

    async def get_execution(self, call: Call) -> Reply:
        """One execution; does not count as a reading of it."""
        realm, execution = self._find(call)
        return Reply(200, execution_view(realm.name, execution))

    async def update_execution(self, call: Call) -> Reply:
        """Pushed along, if the lifecycle has the way."""
        realm, execution = self._find(call)
        try:
            execution = self._pushed(realm, execution, call.body["state"])
        except IllegalTransition as error:
            raise Refusal("conflict", str(error)) from None
        return Reply(200, execution_view(realm.name, execution))

    def _pushed(self, realm: Realm, execution: Execution, state: str) -> Execution:
        """The execution in ``state``, going on by its plan where that leads through it."""
        noted = self._mock.apis[realm.name].dialect.pushed
        own = noted(execution, state, realm.world.now_ns) if noted is not None else {}
        for position, step in enumerate(execution.plan):
            if step.state == state:
                data = {**(step.data or {}), **own}
                return realm.move(execution, state, plan=execution.plan[position + 1 :], data=data)
        return realm.move(execution, state, data=own)

    def _selected(self, call: Call) -> Iterator[tuple[str, Execution]]:
        state, group = call.query.get("state"), call.query.get("group")
        for realm in self._realms(call):
            for execution in realm.executions.all():
                if state in {None, execution.state} and group in {None, execution.group}:
                    yield realm.name, execution

    def _find(self, call: Call) -> tuple[Realm, Execution]:
        wanted = call.path["id"]
        found = [
            (realm, execution)
            for realm in self._realms(call)
            if (execution := realm.executions.get(wanted)) is not None
        ]
        if not found:
            raise Refusal("not_found", f"there is no execution {wanted[:200]!r}")
        if len(found) > 1:
            names = ", ".join(realm.name for realm, _ in found)
            raise Refusal("conflict", f"{wanted!r} is in {names}: say which with ?api=")
        return found[0]

    def _realms(self, call: Call) -> list[Realm]:
        name = call.query.get("api")
        if name is None:
            return [call.world.realms[known] for known in self._mock.apis]
        return [self._realm(call.world, name)]

    def _realm(self, world: World, name: str) -> Realm:
        if name not in self._mock.apis:
            known = ", ".join(self._mock.apis)
            raise Refusal("not_found", f"there is no API {name[:100]!r}; there are: {known}")
        return world.realms[name]


def _arrival(realm: Realm, body: dict[str, Any]) -> Arrival:
    """The arrival that ``body`` asks for: a process of the scenario, its own data, or both."""
    data = body.get("data", {})
    processes = {arrival.name: arrival for arrival in realm.scenario.arrivals}
    if "arrival" in body:
        if body["arrival"] not in processes:
            known = ", ".join(processes) or "none"
            raise Refusal(
                "not_found",
                f"the scenario {realm.scenario.name} of {realm.name} has no arrival "
                f"{body['arrival'][:100]!r}; there are: {known}",
            )
        process = processes[body["arrival"]]
    else:
        process = next(iter(processes.values()), Arrival("by hand", 1, {}))
    return replace(process, data={**process.data, **data})
