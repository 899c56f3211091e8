"""From fixtures to executions: the past of a scenario, and what arrives by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mockexec.apis.thand import plans
from mockexec.apis.thand.sessions import is_address
from mockexec.apis.thand.workflows import enabled_workflow
from mockexec.http.auth import keep_fixture_tokens
from mockexec.simulation.chance import Random
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import DAY, MILLISECOND, parse_duration
from mockexec.simulation.lifecycle import Plan
from mockexec.simulation.store import Index
from mockexec.simulation.world import Arrival, Model, Pointer, Realm, Scenario, born

_LIVES_MAX = 500
_NO_APPROVERS = {"after": "0s", "granted": 0, "refused": 0, "ignored": 1}


def check(scenario: Scenario) -> None:
    """Whether the workflows and profiles that a scenario names are there.

    Raises:
        FixtureError: one of them is not.
    """
    data = scenario.data
    for name, workflow in data["workflows"].items():
        if workflow["profile"] not in scenario.profiles:
            pointer = ("workflows", name, "profile")
            raise scenario.error(pointer, f"there is no profile {workflow['profile']!r}")
    for section in ("executions", "arrivals"):
        for index, raw in enumerate(data.get(section, ())):
            if raw.get("workflow") is not None:
                _check_workflow(scenario, (section, index, "workflow"), raw["workflow"])
    for index, batch in enumerate(data.get("history", ())):
        for position, name in enumerate(batch.get("workflows", ())):
            _check_workflow(scenario, ("history", index, "workflows", position), name)


def _check_workflow(scenario: Scenario, pointer: Pointer, name: str) -> None:
    if name not in scenario.data["workflows"]:
        raise scenario.error(pointer, f"there is no workflow {name!r}")


def populate(realm: Realm) -> None:
    """Fills a fresh realm: tokens, the executions named in the scenario, then its batches."""
    keep_fixture_tokens(realm)
    data = realm.scenario.data
    named = [_named(realm, raw) for raw in data.get("executions", ())]
    realm.load([*named, *_batches(realm, data.get("history", ()))])


def arrive(realm: Realm, arrival: Arrival, at_ns: int) -> Execution:
    """Somebody starts a workflow; simulated approvers answer it.

    ``arrival.data`` may name the ``workflow`` and the ``user``; both are drawn otherwise.

    Raises:
        ValueError: it names no workflow of the scenario, or a user without an e-mail address.
    """
    random = realm.draws("arrivals")
    name = arrival.data.get("workflow") or random.choice(_enabled_names(realm))
    owner = arrival.data.get("user") or random.choice(realm.scenario.data["people"])["email"]
    if name not in realm.scenario.data["workflows"]:
        raise ValueError(f"there is no workflow {name!r}")
    if not isinstance(owner, str) or not is_address(owner):
        raise ValueError(f"user must be an e-mail address, got {owner!r}")
    plan = _answered_plan(realm, name, random)
    return start(realm, name, owner=owner, plan=plan, at_ns=at_ns)


def start(realm: Realm, workflow: str, *, owner: str, plan: Plan, at_ns: int) -> Execution:
    """Starts an execution of the workflow ``workflow`` at ``at_ns``."""
    return realm.start(
        _free_id(realm, at_ns),
        group=workflow,
        plan=plan,
        at_ns=at_ns,
        owner=owner,
        data=_data(realm, workflow, realm.uuid("runs")),
    )


def _open_key(execution: Execution) -> tuple[str, int] | None:
    return None if execution.is_final else (execution.owner, execution.created_ns)


# How long a closed execution can still be looked at is the workflow engine's usual retention.
MODEL = Model(
    "thand",
    indexes=(Index("open", _open_key),),
    populate=populate,
    arrive=arrive,
    retention_ns=30 * DAY,
    check=check,
)


def _free_id(realm: Realm, at_ns: int) -> str:
    """``wf_`` and the nanoseconds of the start, as the agent makes them.

    A clock that stands still would give the same again and again, so the nanoseconds below the
    millisecond are chance.
    """
    ns = _milliseconds(at_ns) + int(realm.hex("ids", 12), 16) % MILLISECOND
    while realm.executions.get(f"wf_{ns}") is not None:
        ns += 1
    return f"wf_{ns}"


def _milliseconds(ns: int) -> int:
    return ns - ns % MILLISECOND


def _data(realm: Realm, workflow: str, run_id: str) -> dict[str, Any]:
    definition = realm.scenario.data["workflows"][workflow]
    return {"run_id": run_id, "type": definition["type"], "profile": definition["profile"]}


def _named(realm: Realm, raw: Mapping[str, Any]) -> Execution:
    """An execution that the scenario names, with the end it gives it, if it does."""
    definition = realm.scenario.data["workflows"][raw["workflow"]]
    ends = raw.get("ends")
    if ends is not None:
        plan = plans.ending(ends["as"], parse_duration(ends["after"]))
    else:
        random = realm.random("history")
        plan = plans.unanswered(realm.profile(definition["profile"]), definition, random)
    return born(
        raw["id"],
        group=raw["workflow"],
        plan=plan,
        at_ns=realm.world.now_ns + parse_duration(raw["started"]),
        owner=raw["user"],
        data=_data(realm, raw["workflow"], raw["run_id"]),
    )


def _batches(realm: Realm, batches: Sequence[Mapping[str, Any]]) -> Iterator[Execution]:
    now_ns, uuid, position = realm.world.now_ns, realm.uuid, 0
    for batch in batches:
        random = realm.random("history")
        names = batch.get("workflows") or _enabled_names(realm)
        owners = batch.get("users") or [each["email"] for each in realm.scenario.data["people"]]
        lives = _lives(realm, names, batch, random)
        within_ms = parse_duration(batch["within"]) // MILLISECOND
        for _ in range(batch["count"]):
            name = random.choice(names)
            at_ns = _milliseconds(now_ns - random.randrange(within_ms) * MILLISECOND)
            # The position keeps apart what starts within the same millisecond.
            yield born(
                f"wf_{at_ns + position}",
                group=name,
                plan=random.choice(lives[name]),
                at_ns=at_ns,
                owner=random.choice(owners),
                data=_data(realm, name, uuid("runs")),
            )
            position += 1


def _lives(
    realm: Realm, names: Sequence[str], batch: Mapping[str, Any], random: Random
) -> dict[str, list[Plan]]:
    """Plans to choose from, by workflow: drawing one for each of a huge batch takes too long."""
    approvers = batch.get("approvers")
    size = min(batch["count"], _LIVES_MAX)
    return {
        name: [_answered_plan(realm, name, random, approvers) for _ in range(size)]
        for name in names
    }


def _answered_plan(
    realm: Realm, name: str, random: Random, approvers: Mapping[str, Any] | None = None
) -> Plan:
    definition = realm.scenario.data["workflows"][name]
    plan = plans.unanswered(realm.profile(definition["profile"]), definition, random)
    if approvers is None:
        approvers = realm.scenario.data.get("approvers", _NO_APPROVERS)
    return plans.answered(plan, approvers, random)


def _enabled_names(realm: Realm) -> list[str]:
    return [name for name in realm.scenario.data["workflows"] if enabled_workflow(realm, name)]
