"""The control API: an API like any other, whose handlers turn the mock itself.

Its document is ``control.yaml``; what it shows is made in ``views``. Every operation acts on the
world of the caller's own session.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import nlargest
from pathlib import Path
from typing import Any

from mockexec.api import Api, Dialect, make_api, snake_case
from mockexec.errors import FixtureError, UsageError
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.server.examples import Examples
from mockexec.server.mock import CONTROL, Mock
from mockexec.server.views import (
    clock_view,
    exchange_view,
    execution_view,
    summary_view,
    violation_view,
)
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import format_instant, parse_duration, parse_instant
from mockexec.simulation.journal import EXCHANGES_MAX
from mockexec.simulation.lifecycle import IllegalTransition
from mockexec.simulation.world import Arrival, Model, Realm, World
from mockexec.spec.load import load_document

_DOCUMENT = Path(__file__).parent / "control.yaml"
_OPERATIONS = (
    "getHealth", "listApis", "getClock", "setClock", "advanceClock", "runUntilIdle",
    "listExecutions", "createExecution", "getExecution", "updateExecution", "reset", "listJournal",
)  # fmt: skip


def make_control(mock: Mock) -> Api:
    """The control API of ``mock``."""
    control = Control(mock)
    dialect = Dialect(
        name=CONTROL,
        model=Model(CONTROL, indexes=(), populate=lambda _realm: None),
        handlers={name: getattr(control, snake_case(name)) for name in _OPERATIONS},
        render=render,
        verifiers={},
        development_token=lambda _realm: "",
    )
    return make_api(load_document(_DOCUMENT, keep=True), dialect)


def render(refusal: Refusal, call: Call) -> Reply:
    """A refusal in this API's own shape."""
    del call
    body = {
        "error": refusal.reason,
        "message": refusal.message,
        "violations": [violation_view(violation) for violation in refusal.violations],
    }
    return Reply(refusal.status, body, refusal.headers)


class Control:
    """The handlers, named as the operations of ``control.yaml``."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._examples = {name: Examples(api) for name, api in mock.apis.items()}

    async def get_health(self, call: Call) -> Reply:
        """Alive."""
        del call
        return Reply(200, {"status": "ok"})

    async def list_apis(self, call: Call) -> Reply:
        """Every API with what one needs to call it."""
        return Reply(200, [self._api_view(call, api) for api in self._mock.apis.values()])

    async def get_clock(self, call: Call) -> Reply:
        """The clock as it is."""
        return Reply(200, clock_view(call.world))

    async def set_clock(self, call: Call) -> Reply:
        """First the instant, then the mode."""
        clock = call.world.clock
        if "now" in call.body:
            try:
                instant_ns = parse_instant(call.body["now"])
            except ValueError as error:
                raise Refusal("invalid", f"body /now: {error}") from None
            try:
                clock.set(instant_ns)
            except ValueError as error:
                raise Refusal("conflict", str(error)) from None
        if "mode" in call.body:
            clock.change_mode(call.body["mode"], call.body.get("scale", 1.0))
        return _settled(call.world)

    async def advance_clock(self, call: Call) -> Reply:
        """Forward, and everything that is due by then happens."""
        try:
            call.world.clock.advance(parse_duration(call.body["by"]))
        except ValueError as error:
            raise Refusal("conflict", str(error)) from None
        return _settled(call.world)

    async def run_until_idle(self, call: Call) -> Reply:
        """Forward until nothing moves by itself."""
        call.world.run_until_idle()
        return _settled(call.world)

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
            execution = _pushed(realm, execution, call.body["state"])
        except IllegalTransition as error:
            raise Refusal("conflict", str(error)) from None
        return Reply(200, execution_view(realm.name, execution))

    async def reset(self, call: Call) -> Reply:
        """A fresh world."""
        wanted = call.body or {}
        seed = wanted.get("seed", self._mock.seed)
        scenario = wanted.get("scenario", self._mock.scenario)
        try:
            self._mock.reset(call.session, scenario=scenario, seed=seed)
        except UsageError as error:
            raise Refusal("not_found", str(error)) from None
        except FixtureError as error:
            raise Refusal("conflict", str(error)) from None
        now = format_instant(call.session.world.now_ns, digits=9)
        return Reply(200, {"scenario": scenario, "seed": seed, "now": now})

    async def list_journal(self, call: Call) -> Reply:
        """The latest exchanges, filtered before they are counted."""
        wanted = {
            "api": call.query.get("api"),
            "operation_id": call.query.get("operation"),
            "status": call.query.get("status"),
        }
        found = [
            exchange
            for exchange in call.world.journal.newest(EXCHANGES_MAX)
            if all(
                value is None or getattr(exchange, key) == value for key, value in wanted.items()
            )
        ]
        return Reply(200, [exchange_view(exchange) for exchange in found[: call.query["limit"]]])

    def _api_view(self, call: Call, api: Api) -> dict[str, Any]:
        # The APIs of a session lie beside its control API.
        base_url = call.base_url.removesuffix(CONTROL) + api.name
        realm = call.world.realms[api.name]
        return {
            "name": api.name,
            "title": api.title,
            "base_url": base_url,
            "spec_url": f"{base_url}/openapi.json",
            "docs_url": f"{base_url}/docs",
            "token": api.dialect.development_token(realm),
            "scenario": realm.scenario.name,
            "operations": [
                {
                    "operation_id": operation.id,
                    "method": operation.method,
                    "path": operation.path,
                    "example": None
                    if (request := self._examples[api.name].request(operation, realm)) is None
                    else request.at(base_url).as_data(),
                }
                for operation in api.operations
            ],
        }

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


def _settled(world: World) -> Reply:
    world.settle()
    return Reply(200, clock_view(world))


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


def _pushed(realm: Realm, execution: Execution, state: str) -> Execution:
    """The execution in ``state``, going on by its plan where that leads through it."""
    for position, step in enumerate(execution.plan):
        if step.state == state:
            return realm.move(execution, state, plan=execution.plan[position + 1 :], data=step.data)
    return realm.move(execution, state)
