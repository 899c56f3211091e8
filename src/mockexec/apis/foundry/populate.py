"""Foundry's part of a world: resources, their executions, and how new ones arrive.

Sources: the reference page (only finished executions are listed) and the observability overview
(run history of 30 days). The form of trace ids is that of the page's example, a UUID of version 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from mockexec.apis.foundry import wire
from mockexec.http.auth import keep_fixture_tokens
from mockexec.simulation.chance import Random
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import DAY, MILLISECOND, parse_duration
from mockexec.simulation.lifecycle import COMPLETED, FAILED, RUNNING, Step, draw_plan
from mockexec.simulation.store import Index
from mockexec.simulation.world import Arrival, Model, Realm, Scenario, born

T = TypeVar("T")

_RETENTION_NS = 30 * DAY
# Between 1582-10-15, where the time in a UUID begins, and 1970, in units of 100 ns.
_UUID_EPOCH_TICKS = 0x01B2_1DD2_1381_4000


class Resource(NamedTuple):
    """Something whose executions can be listed. ``viewers`` None: everybody may."""

    rid: str
    profile: str
    versions: tuple[str, ...]
    callers: tuple[str, ...]
    trace_owners: tuple[str, ...]
    attended: float  # the chance that a run has a user
    viewers: frozenset[str] | None
    denied_with: str


def check(scenario: Scenario) -> None:
    """Whether the resources and profiles that a scenario names are there.

    Raises:
        FixtureError: one of them is not.
    """
    resources = scenario.data.get("resources", ())
    for index, resource in enumerate(resources):
        if resource["profile"] not in scenario.profiles:
            pointer = ("resources", index, "profile")
            raise scenario.error(pointer, f"there is no profile {resource['profile']!r}")
    known = {resource["rid"] for resource in resources}
    for section in ("executions", "history", "arrivals"):
        for index, raw in enumerate(scenario.data.get(section, ())):
            if raw["resource"] not in known:
                pointer = (section, index, "resource")
                raise scenario.error(pointer, f"there is no resource {raw['resource']}")


def populate(realm: Realm) -> None:
    """Fills a fresh realm from its scenario."""
    data = realm.scenario.data
    keep_fixture_tokens(realm)
    resources = realm.table("resources")
    for raw in data.get("resources", ()):
        resources[raw["rid"]] = _resource(raw)
    told = (_told(realm, raw) for raw in data.get("executions", ()))
    past = (execution for raw in data.get("history", ()) for execution in _history(realm, raw))
    realm.load([*told, *past])


def arrive(realm: Realm, arrival: Arrival, at_ns: int) -> Execution:
    """Starts one run of the arrival's resource; of the scenario's first one if it names none."""
    rid = arrival.data.get("resource", realm.scenario.data["resources"][0]["rid"])
    execution = _drawn(realm, _known(realm, rid), realm.draws("arriving"), at_ns)
    return realm.start(
        execution.id,
        group=execution.group,
        plan=execution.plan,
        at_ns=execution.created_ns,
        owner=execution.owner,
        data=execution.data,
    )


def _resource(raw: Mapping[str, Any]) -> Resource:
    viewers = raw.get("viewers")
    return Resource(
        rid=raw["rid"],
        profile=raw["profile"],
        versions=tuple(raw["versions"]),
        callers=tuple(raw.get("callers", ())),
        trace_owners=tuple(raw.get("trace_owners", (raw["rid"],))),
        attended=raw.get("attended", 1.0),
        viewers=None if viewers is None else frozenset(viewers),
        denied_with=raw.get("denied_with", "ListExecutionsPermissionDenied"),
    )


def _known(realm: Realm, rid: str) -> Resource:
    resource: Resource | None = realm.table("resources").get(rid)
    if resource is None:
        raise LookupError(f"the scenario {realm.scenario.name} has no resource {rid}")
    return resource


def _told(realm: Realm, raw: Mapping[str, Any]) -> Execution:
    """An execution that the scenario tells in full."""
    started_ns = realm.world.now_ns + parse_duration(raw["started"])
    started_ns -= started_ns % MILLISECOND
    failed = raw["status"] == wire.FAILED
    # The reason comes with the end, as one that is stopped before has another.
    reason = {"failureReason": raw["failureReason"]} if "failureReason" in raw else None
    end = Step(FAILED if failed else COMPLETED, parse_duration(raw["ran"]), reason)
    shown = ("resourceVersion", "traceOwningRid", "callerRid")
    return born(
        raw["foundryTraceId"],
        group=_known(realm, raw["resource"]).rid,
        plan=(Step(RUNNING, 0), end),
        at_ns=started_ns,
        owner=raw.get("userId", ""),
        data={key: raw[key] for key in shown if key in raw},
    )


def _history(realm: Realm, raw: Mapping[str, Any]) -> Iterator[Execution]:
    """``count`` drawn executions of a resource, spread over the time before the world's start."""
    resource = _known(realm, raw["resource"])
    random = realm.random(f"history/{resource.rid}")
    within_ns, now_ns = parse_duration(raw["within"]), realm.world.now_ns
    # Oldest first, as they would have come: what is in order is indexed much faster.
    ages_ns = sorted((int(random.random() * within_ns) for _ in range(raw["count"])), reverse=True)
    for age_ns in ages_ns:
        yield _drawn(realm, resource, random, now_ns - 1 - age_ns)


def _drawn(realm: Realm, resource: Resource, random: Random, at_ns: int) -> Execution:
    """An execution of ``resource`` that comes into being at ``at_ns``, all else left to chance."""
    # Whole milliseconds, which is all that the API shows of a time.
    at_ns -= at_ns % MILLISECOND
    people = realm.scenario.data["people"]
    attended = random.random() < resource.attended
    caller = _pick((None, *resource.callers), random)
    data = {
        # The newest version comes first in the fixtures, and runs most.
        "resourceVersion": resource.versions[int(random.random() ** 3 * len(resource.versions))],
        "traceOwningRid": _pick(resource.trace_owners, random),
    }
    if caller is not None:
        data["callerRid"] = caller
    return born(
        _trace_id(at_ns, random),
        group=resource.rid,
        plan=draw_plan(realm.profile(resource.profile), random),
        at_ns=at_ns,
        owner=_pick(people, random)["id"] if attended else "",
        data=data,
    )


def _pick(items: Sequence[T], random: Random) -> T:
    """One of the items. Several times as fast as ``random.choice``, which a long history feels."""
    return items[int(random.random() * len(items))]


def _trace_id(at_ns: int, random: Random) -> str:
    """A UUID of version 6: the time, most significant part first, then chance."""
    time = f"{at_ns // 100 + _UUID_EPOCH_TICKS:015x}"
    tail = f"{random.getrandbits(62) | 1 << 63:016x}"
    return f"{time[:8]}-{time[8:12]}-6{time[12:]}-{tail[:4]}-{tail[4:]}"


def _started_key(execution: Execution) -> tuple[str, int] | None:
    if not execution.is_final:
        return None
    return execution.group, -wire.start_ms(execution)


def _status_key(execution: Execution) -> tuple[str, str, int] | None:
    if not execution.is_final:
        return None
    return execution.group, wire.status(execution), -wire.start_ms(execution)


MODEL = Model(
    "foundry",
    indexes=(Index("started", _started_key), Index("status", _status_key)),
    populate=populate,
    arrive=arrive,
    retention_ns=_RETENTION_NS,
    check=check,
)
