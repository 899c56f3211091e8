"""A scenario's content: frontdoors, the executions told one by one, a history, and arrivals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

from mockexec.errors import FixtureError
from mockexec.http.auth import keep_fixture_tokens
from mockexec.simulation.chance import Random
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import parse_duration
from mockexec.simulation.lifecycle import (
    CANCELLED,
    COMPLETED,
    FAILED,
    RUNNING,
    Plan,
    Profile,
    Step,
    draw_plan,
)
from mockexec.simulation.world import Arrival, Realm, born

_ENDS = {"FINISHED": COMPLETED, "FAILED": FAILED, "CANCELLED": CANCELLED}


class _Task(NamedTuple):
    """A kind of work: how it lives and what it is called."""

    profile: Profile
    weight: float
    name: str


def populate(realm: Realm) -> None:
    """Fills a fresh realm from its scenario."""
    keep_fixture_tokens(realm)
    data = realm.scenario.data
    frontdoors = realm.table("frontdoors")
    for frontdoor in data["frontdoors"]:
        frontdoors[frontdoor["id"]] = frontdoor["owner"]
    told = [_told(realm, raw) for raw in data["executions"]]
    taken = {execution.id for execution in told}
    ids = (id_ for number in count(1) if (id_ := f"exe-{number}") not in taken)
    realm.load([*told, *_history(realm, ids)])


def arrive(realm: Realm, arrival: Arrival, at_ns: int) -> Execution:
    """Starts one execution of the arrival process at ``at_ns``."""
    random = realm.random("tasks")
    tasks = _tasks(realm, arrival.data.get("tasks"))
    task = _drawn(tasks, random)
    return realm.start(
        _next_id(realm),
        group=arrival.data["frontdoor"],
        plan=draw_plan(task.profile, random),
        at_ns=at_ns,
        data=_data(realm, task, random),
    )


def _told(realm: Realm, raw: Mapping[str, Any]) -> Execution:
    """An execution of which the fixture says all; one that never ends runs until cancelled."""
    now_ns = realm.world.now_ns
    started_ns = now_ns + parse_duration(raw["started"])
    plan: Plan = (Step(RUNNING),)
    if "ended" in raw:
        lasted_ns = now_ns + parse_duration(raw["ended"]) - started_ns
        plan = (Step(RUNNING), Step(_ENDS[raw.get("status", "FINISHED")], max(lasted_ns, 0)))
    data = {"process_id": raw["process"], "name": raw["name"]}
    return born(raw["id"], group=raw["frontdoor"], plan=plan, at_ns=started_ns, data=data)


def _history(realm: Realm, ids: Iterator[str]) -> Iterator[Execution]:
    """The executions of the past that nobody told one by one, oldest first."""
    random = realm.random("history")
    now_ns = realm.world.now_ns
    for raw in realm.scenario.data["history"]:
        within_ns = parse_duration(raw["within"])
        tasks = _tasks(realm, raw.get("tasks"))
        agos_ns = sorted((random.randrange(within_ns) for _ in range(raw["count"])), reverse=True)
        for ago_ns in agos_ns:
            task = _drawn(tasks, random)
            yield born(
                next(ids),
                group=raw["frontdoor"],
                plan=draw_plan(task.profile, random),
                at_ns=now_ns - ago_ns,
                data=_data(realm, task, random),
            )


def _tasks(realm: Realm, names: list[str] | None) -> list[_Task]:
    """The tasks of these names, all of the scenario's for None."""
    known, profiles = realm.scenario.data["tasks"], realm.scenario.profiles
    tasks = []
    for name in known if names is None else names:
        if name not in known:
            raise FixtureError(f"{_scenario(realm)}: there is no task {name!r}")
        raw = known[name]
        if raw["profile"] not in profiles:
            raise FixtureError(f"{_scenario(realm)}: tasks/{name}: no profile {raw['profile']!r}")
        tasks.append(_Task(profiles[raw["profile"]], raw["weight"], raw["name"]))
    return tasks


def _scenario(realm: Realm) -> str:
    return f"scenario {realm.scenario.name} of {realm.name}"


def _drawn(tasks: list[_Task], random: Random) -> _Task:
    return random.choices(tasks, [task.weight for task in tasks])[0]


def _data(realm: Realm, task: _Task, random: Random) -> dict[str, Any]:
    target = random.choice(realm.scenario.data["targets"])
    return {
        "process_id": f"prc-{random.getrandbits(48):012x}",
        "name": task.name.replace("{target}", target),
    }


def _next_id(realm: Realm) -> str:
    """The next free ``exe-<number>``; numbers that fixtures or users took are passed over."""
    numbers = realm.table("numbers")
    number = (numbers.get("last") or len(realm.executions)) + 1
    while realm.executions.get(f"exe-{number}") is not None:
        number += 1
    numbers["last"] = number
    return f"exe-{number}"
