"""A scenario's workflows and executions, brought into a fresh world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockexec.http.auth import keep_fixture_tokens
from mockexec.simulation.chance import Random
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import HOUR, parse_duration
from mockexec.simulation.lifecycle import (
    CANCELLED,
    COMPLETED,
    FAILED,
    RUNNING,
    Plan,
    Step,
    draw_plan,
)
from mockexec.simulation.world import Arrival, Realm, Scenario, born

_FINAL_OF = {"Completed": COMPLETED, "Failed": FAILED, "Canceled": CANCELLED}
# A step that waits for something has no length of its own; its events are spread over this.
_WAIT_SHOWN_AS_NS = HOUR


def check(scenario: Scenario) -> None:
    """Whether the workflows and profiles that a scenario names are there.

    Raises:
        FixtureError: one of them is not.
    """
    workflows = scenario.data["workflows"]
    for index, workflow in enumerate(workflows):
        if workflow["profile"] not in scenario.profiles:
            pointer = ("workflows", index, "profile")
            raise scenario.error(pointer, f"there is no profile {workflow['profile']!r}")
    known = {workflow["id"] for workflow in workflows}
    for section in ("executions", "history", "arrivals"):
        for index, raw in enumerate(scenario.data.get(section, ())):
            if raw["workflow"] not in known:
                pointer = (section, index, "workflow")
                raise scenario.error(pointer, f"there is no workflow {raw['workflow']!r}")


def populate(realm: Realm) -> None:
    """Fills a fresh realm from its scenario."""
    data = realm.scenario.data
    keep_fixture_tokens(realm)
    workflows = realm.table("workflows")
    for raw in data["workflows"]:
        workflows[raw["id"]] = _workflow(realm, raw)
    executions = [_told(realm, raw) for raw in data.get("executions", ())]
    for raw in data.get("history", ()):
        executions += _past(realm, raw)
    realm.load(executions)


def arrive(realm: Realm, arrival: Arrival, at_ns: int) -> Execution:
    """Starts the workflow that an arrival is for; one that names none takes any enabled one.

    Raises:
        LookupError: there is no such workflow, or none that is enabled.
    """
    workflows, workflow_id = realm.table("workflows"), arrival.data.get("workflow")
    if workflow_id is None:
        enabled = [workflow for _, workflow in workflows.items() if workflow["enabled"]]
        if not enabled:
            raise LookupError("no workflow is enabled")
        return launch(realm, realm.draws("arriving").choice(enabled), at_ns)
    workflow = workflows.get(workflow_id)
    if workflow is None:
        raise LookupError(f"there is no workflow {workflow_id!r}")
    return launch(realm, workflow, at_ns)


def launch(realm: Realm, workflow: Any, at_ns: int) -> Execution:
    """Starts a workflow.

    Raises:
        RealmFull: no further execution fits.
    """
    execution_id, request_id, random = realm.birth()
    plan = draw_plan(realm.profile(workflow["profile"]), random)
    return realm.start(
        execution_id,
        group=workflow["id"],
        plan=plan,
        at_ns=at_ns,
        data={"requestId": request_id, "planned_ns": _planned_ns(plan)},
    )


def _workflow(realm: Realm, raw: Mapping[str, Any]) -> dict[str, Any]:
    """A workflow with all that its wire form needs; the scenario's relative times made absolute."""
    random = realm.random("owners")
    people = realm.scenario.data["people"]
    now_ns = realm.world.now_ns
    # Nobody made a workflow on the full hour, to the nanosecond.
    within_the_hour = random.randrange(HOUR)
    return {
        "id": raw["id"],
        "name": raw["name"],
        "description": raw["description"],
        "owner": _identity(random.choice(people)),
        "creator": _identity(random.choice(people)),
        "modified_by": _identity(random.choice(people)),
        "created_ns": now_ns + parse_duration(raw["created"]) - within_the_hour,
        "modified_ns": now_ns + parse_duration(raw["modified"]) - within_the_hour,
        "definition": _definition(raw["steps"]),
        "steps": raw["steps"],
        "enabled": raw["enabled"],
        "trigger": raw["trigger"],
        "profile": raw["profile"],
    }


def _identity(person: Mapping[str, str]) -> dict[str, str]:
    # The vendor's identity ids are 32 hexadecimal digits.
    return {"type": "IDENTITY", "id": person["id"].replace("-", ""), "name": person["name"]}


def _definition(steps: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The vendor's form of a chain of steps: each names the next, the last one is ``success``."""
    names = [step["name"] for step in steps]
    definition = {
        step["name"]: {
            "type": "action",
            "actionId": step["action"],
            "attributes": step.get("attributes", {}),
            "nextStep": following,
        }
        for step, following in zip(steps, [*names[1:], "success"], strict=True)
    }
    return {"start": names[0], "steps": {**definition, "success": {"type": "success"}}}


def _told(realm: Realm, raw: Mapping[str, Any]) -> Execution:
    """An execution that the scenario tells one by one: its start, its length, its end."""
    at_ns = realm.world.now_ns + parse_duration(raw["started"])
    runs_ns = parse_duration(raw["runs"])
    final = _FINAL_OF[raw["status"]]
    data = {"reason": raw["reason"]} if "reason" in raw else None
    plan = (Step(RUNNING), Step(final, runs_ns, data))
    request_id = raw.get("request_id") or realm.hex("requests")
    return born(
        raw["id"],
        group=raw["workflow"],
        plan=plan,
        at_ns=at_ns,
        data={"requestId": request_id, "planned_ns": runs_ns},
    )


def _past(realm: Realm, raw: Mapping[str, Any]) -> Iterator[Execution]:
    """Executions of the past, drawn from their workflow's profile; some of them still run."""
    # One generator for all: a hundred thousand of them would each take longer to make than to use.
    random = realm.random("history")
    workflow: Any = realm.table("workflows").get(raw["workflow"])
    profile, workflow_id = realm.profile(workflow["profile"]), workflow["id"]
    within_ns, now_ns = parse_duration(raw["within"]), realm.world.now_ns
    # The oldest first: what a page shows lies together in memory, however many there are.
    ages_ns = sorted((int(random.random() * within_ns) for _ in range(raw["count"])), reverse=True)
    for age_ns in ages_ns:
        plan = draw_plan(profile, random)
        yield born(
            _uuid(random),
            group=workflow_id,
            plan=plan,
            at_ns=now_ns - 1 - age_ns,
            data={
                "requestId": f"{random.getrandbits(128):032x}",
                "planned_ns": _planned_ns(plan),
            },
        )


def _uuid(random: Random) -> str:
    # What str(UUID(int=…, version=4)) gives, at a third of the cost.
    digits = f"{random.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _planned_ns(plan: Plan) -> int:
    planned_ns = 0
    for step in plan:
        planned_ns += _WAIT_SHOWN_AS_NS if step.after_ns is None else step.after_ns
    return planned_ns
