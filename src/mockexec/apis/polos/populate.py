"""Fixtures to executions: those told one by one, a history by chance, and arrivals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockexec.apis.polos import lives
from mockexec.apis.polos.lives import one_of
from mockexec.apis.polos.submission import deployment, shared_data, submit
from mockexec.apis.polos.workflows import UNREGISTERED_PROFILE, workflow
from mockexec.http.auth import keep_fixture_tokens
from mockexec.simulation.chance import Random
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import parse_duration
from mockexec.simulation.world import Arrival, Realm, Scenario, born

_RUNS_PER_SESSION = 4


def check(scenario: Scenario) -> None:
    """Whether the profiles that workflows name are there, and family trees are trees.

    Raises:
        FixtureError: they are not.
    """
    for index, entry in enumerate(scenario.data["workflows"]):
        if entry["profile"] not in scenario.profiles:
            pointer = ("workflows", index, "profile")
            raise scenario.error(pointer, f"there is no profile {entry['profile']!r}")
    if UNREGISTERED_PROFILE not in scenario.profiles:
        reason = f"there is no profile {UNREGISTERED_PROFILE!r}, for workflows not listed here"
        raise scenario.error(("profiles",), reason)
    executions = scenario.data.get("executions", ())
    parents = {raw["id"]: raw.get("parent") for raw in executions}
    for index, raw in enumerate(executions):
        line = [raw["id"]]
        while (parent := parents.get(line[-1])) is not None and parent not in line:
            line.append(parent)
        if parent == raw["id"]:
            reason = f"the execution is its own ancestor: {' -> '.join([*line, parent])}"
            raise scenario.error(("executions", index, "parent"), reason)


def populate(realm: Realm) -> None:
    """Fills a fresh realm from its scenario."""
    keep_fixture_tokens(realm)
    realm.load([*_told(realm), *_history(realm)])


def arrive(realm: Realm, arrival: Arrival, at_ns: int) -> Execution:
    """A run that somebody submits: of the arrival's ``workflow``, or of any."""
    random = realm.draws("arrivals")
    project = realm.scenario.data["projects"][0]["id"]
    workflow_id = arrival.data.get("workflow")
    if workflow_id is None:
        workflow_id = one_of(realm.scenario.data["workflows"], random)["id"]
    entry = workflow(realm, workflow_id)
    person = one_of(realm.scenario.data["people"], random)
    request = {
        "payload": _payload(entry, random, person),
        "user_id": person["username"],
        "run_timeout_seconds": entry.get("run_timeout_seconds"),
    }
    shared = shared_data(realm, project, request)
    return submit(realm, project, workflow_id, request, shared, at_ns=at_ns)


def _told(realm: Realm) -> Iterator[Execution]:
    """The scenario's ``executions``."""
    random = realm.random("told")
    for raw in realm.scenario.data.get("executions", ()):
        project = raw.get("project", realm.scenario.data["projects"][0]["id"])
        entry = workflow(realm, raw["workflow"])
        yield born(
            raw["id"],
            group=raw["workflow"],
            owner=project,
            at_ns=realm.world.now_ns + parse_duration(raw["created"]),
            plan=lives.told(raw, random, realm.scenario.data),
            data={
                "type": entry["type"],
                "asks": entry.get("asks", {}),
                "payload": raw["payload"],
                "deployment": deployment(realm, project),
                "queue": raw.get("queue", raw["workflow"]),
                "concurrency_key": raw.get("concurrency_key"),
                "session": raw.get("session"),
                "user": raw.get("user"),
                "batch": raw.get("batch"),
                "parent": raw.get("parent"),
                "root": raw.get("root"),
                "step_key": raw.get("step_key"),
                "timeout_s": raw.get("run_timeout_seconds"),
            },
        )


def _history(realm: Realm) -> Iterator[Execution]:
    """The scenario's ``history``: ``count`` runs, spread over the time ``within`` before now."""
    history = realm.scenario.data.get("history")
    if history is None:
        return
    random = realm.random("history")
    scenario = realm.scenario.data
    project = scenario["projects"][0]
    profiles = realm.scenario.profiles
    count, within_ns = history["count"], parse_duration(history["within"])
    sessions = [realm.uuid("sessions") for _ in range(count // _RUNS_PER_SESSION + 1)]
    for position in range(count):
        entry = one_of(scenario["workflows"], random)
        person = one_of(scenario["people"], random)
        payload = _payload(entry, random, person)
        timeout_s = entry.get("run_timeout_seconds")
        plan = lives.drawn(
            profiles[entry["profile"]], random, scenario, payload=payload, timeout_s=timeout_s
        )
        # One in each slice of the time, so that they lie evenly and still irregularly.
        age_ns = int((position + random.random()) / count * within_ns)
        yield born(
            realm.uuid(),
            group=entry["id"],
            owner=project["id"],
            at_ns=realm.world.now_ns - age_ns,
            plan=lives.answered(plan, random),
            data={
                "type": entry["type"],
                "asks": entry.get("asks", {}),
                "payload": payload,
                "deployment": project["deployment"],
                "queue": entry["id"],
                "session": one_of(sessions, random),
                "user": person["username"],
                "timeout_s": timeout_s,
            },
        )


def _payload(entry: Mapping[str, Any], random: Random, person: Mapping[str, Any]) -> Any:
    """One of the workflow's payloads; ``{number}``, ``{name}`` and ``{email}`` are filled in."""
    payloads = entry.get("payloads")
    if not payloads:
        return {}
    number = int(10_000 + random.random() * 90_000)
    return {key: _filled(value, number, person) for key, value in one_of(payloads, random).items()}


def _filled(value: Any, number: int, person: Mapping[str, Any]) -> Any:
    if type(value) is not str or "{" not in value:
        return value
    return (
        value.replace("{number}", str(number))
        .replace("{name}", person["name"])
        .replace("{email}", person["email"])
    )
