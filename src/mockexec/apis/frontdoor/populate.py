"""A scenario's content: frontdoors, the executions told one by one, a history, and arrivals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

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
from mockexec.simulation.world import Arrival, Realm, Scenario, born

_ENDS = {"FINISHED": COMPLETED, "FAILED": FAILED, "CANCELLED": CANCELLED}


class _Task(NamedTuple):
    """A kind of work: how it lives and what it is called."""

    profile: Profile
    weight: float
    name: str


def check(scenario: Scenario) -> None:
    """Whether the frontdoors, tasks and profiles that a scenario names are there.

    Raises:
        FixtureError: one of them is not.
    """
    data = scenario.data
    for name, task in data["tasks"].items():
        if task["profile"] not in scenario.profiles:
            pointer = ("tasks", name, "profile")
            raise scenario.error(pointer, f"there is no profile {task['profile']!r}")
    frontdoors = {frontdoor["id"] for frontdoor in data["frontdoors"]}
    for section in ("executions", "history", "arrivals"):
        for index, raw in enumerate(data.get(section, ())):
            if raw["frontdoor"] not in frontdoors:
                reason = f"there is no frontdoor {raw['frontdoor']!r}"
                raise scenario.error((section, index, "frontdoor"), reason)
            for position, name in enumerate(raw.get("tasks", ())):
                if name not in data["tasks"]:
                    reason = f"there is no task {name!r}"
                    raise scenario.error((section, index, "tasks", position), reason)


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
    """Starts one execution of the arrival process at ``at_ns``.

    One that is asked for by hand may say its ``frontdoor`` (else the scenario's first), ``task``,
    ``target`` and ``process``.

    Raises:
        LookupError: it names a frontdoor or a task that is not there.
    """
    wanted = arrival.data
    frontdoor = wanted.get("frontdoor") or realm.scenario.data["frontdoors"][0]["id"]
    if frontdoor not in realm.table("frontdoors"):
        raise LookupError(f"there is no frontdoor {frontdoor!r}")
    random = realm.random("tasks")
    tasks = _tasks(realm, [wanted["task"]] if "task" in wanted else wanted.get("tasks"))
    task = random.choices(tasks, [task.weight for task in tasks])[0]
    plan = draw_plan(task.profile, random)
    target = wanted.get("target") or random.choice(realm.scenario.data["targets"])
    data = _data(task, target, random)
    if "process" in wanted:
        data["process_id"] = wanted["process"]
    return realm.start(_next_id(realm), group=frontdoor, plan=plan, at_ns=at_ns, data=data)


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
    """The executions of the past that nobody told one by one, oldest first in each frontdoor."""
    random = realm.random("history")
    now_ns = realm.world.now_ns
    for raw in realm.scenario.data["history"]:
        within_ns, amount = parse_duration(raw["within"]), raw["count"]
        tasks = _tasks(realm, raw.get("tasks"))
        # All at once, since scenarios hold up to a million.
        agos_ns = sorted((int(random.random() * within_ns) for _ in range(amount)), reverse=True)
        drawn = random.choices(tasks, [task.weight for task in tasks], k=amount)
        targets = random.choices(realm.scenario.data["targets"], k=amount)
        for ago_ns, task, target in zip(agos_ns, drawn, targets, strict=True):
            yield born(
                next(ids),
                group=raw["frontdoor"],
                plan=draw_plan(task.profile, random),
                at_ns=now_ns - ago_ns,
                data=_data(task, target, random),
            )


def _tasks(realm: Realm, names: list[str] | None) -> list[_Task]:
    """The tasks of these names, all of the scenario's for None; raises LookupError."""
    known, profiles = realm.scenario.data["tasks"], realm.scenario.profiles
    tasks = []
    for name in known if names is None else names:
        if name not in known:
            raise LookupError(f"there is no task {name!r}")
        raw = known[name]
        tasks.append(_Task(profiles[raw["profile"]], raw["weight"], raw["name"]))
    return tasks


def _data(task: _Task, target: str, random: Random) -> dict[str, Any]:
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
