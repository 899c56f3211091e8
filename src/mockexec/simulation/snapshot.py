"""Snapshots: a world as it stood, to go back to, or to carry elsewhere as JSON.

Keeping one costs a fork. The JSON form holds everything that a world is made of (executions,
tables, timetable, counters of chance, clock), so that the same requests afterwards give the same
bytes; the scenario is named, not copied, since it comes with the mock.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from types import NoneType
from typing import Any, NamedTuple

from mockexec.simulation.execution import Event, Execution
from mockexec.simulation.instants import INSTANT_MAX, format_instant
from mockexec.simulation.lifecycle import TRANSITIONS, IllegalTransition, Step
from mockexec.simulation.world import Faults, Timer, World

FORMAT = 1

_SCALE_MAX = 1_000_000
# What foreign data makes go wrong where it is not what it should be.
_MALFORMED = (LookupError, TypeError, ValueError, AttributeError, IllegalTransition)

_PLAIN = frozenset((str, int, float, bool, NoneType))

# A value that JSON has no form for is an object with this one key.
_TAG = "~"


class BadSnapshot(ValueError):  # noqa: N818  # it names what was given
    """JSON data that is no snapshot of this mock's."""


class Snapshot(NamedTuple):
    """A world put aside. ``world`` is never used itself, only forked."""

    id: str
    name: str
    taken_ns: int
    world: World


class Codec:
    """Between the values of a world and JSON.

    ``records`` are named tuples that worlds hold, by the API they are of (empty: of all), whose
    name they bear in JSON: two dialects may well have a ``Window`` each. ``parse_fault`` makes an
    armed fault of its id and its body, or raises ValueError.
    """

    def __init__(
        self,
        records: Mapping[str, Iterable[type]] | None = None,
        parse_fault: Callable[[str, Any], Any] | None = None,
    ) -> None:
        self._parse_fault = parse_fault
        self._records: dict[str, type] = {}
        self._names: dict[type, str] = {tuple: "tuple"}
        houses: tuple[type, ...] = (Event, Step, Timer)
        for kind in houses:
            self._enter(kind.__name__, kind)
        for api, kinds in (records or {}).items():
            for kind in kinds:
                self._enter(f"{api}.{kind.__name__}" if api else kind.__name__, kind)

    def _enter(self, name: str, record: type) -> None:
        if name in self._records:
            raise ValueError(f"two records are called {name}: snapshots could not tell them apart")
        self._records[name] = record
        self._names[record] = name

    def encode(self, value: Any) -> Any:
        """JSON data that ``decode`` makes an equal value of."""
        kind = type(value)
        # By far the most there is, and isinstance of an abstract class is slow.
        if kind in _PLAIN:
            return value
        if kind is dict or isinstance(value, Mapping):
            if any(type(key) is not str for key in value):
                pairs = [[self.encode(key), self.encode(one)] for key, one in value.items()]
                return {_TAG: ["map", pairs]}
            plain = {key: self.encode(inner) for key, inner in value.items()}
            return {_TAG: ["dict", plain]} if _TAG in plain else plain
        if isinstance(value, list):
            return [self.encode(item) for item in value]
        if isinstance(value, bytes):
            return {_TAG: ["bytes", b64encode(value).decode()]}
        if isinstance(value, frozenset):
            return {_TAG: ["set", [self.encode(item) for item in sorted(value)]]}
        if isinstance(value, tuple):
            name = self._names.get(kind)
            if name is None:
                raise TypeError(f"snapshots do not know {kind.__name__}; its dialect must name it")
            return {_TAG: [name, [self.encode(item) for item in value]]}
        raise TypeError(f"snapshots do not know {kind.__name__}")

    def decode(self, data: Any) -> Any:
        """The value; raises BadSnapshot for a kind that is not known."""
        if isinstance(data, list):
            return [self.decode(item) for item in data]
        if not isinstance(data, dict):
            return data
        if _TAG not in data:
            return {key: self.decode(inner) for key, inner in data.items()}
        kind, content = data[_TAG]
        if kind == "dict":
            return {key: self.decode(inner) for key, inner in content.items()}
        if kind == "map":
            return {self.decode(key): self.decode(inner) for key, inner in content}
        if kind == "bytes":
            return b64decode(content)
        items = [self.decode(item) for item in content]
        if kind == "set":
            return frozenset(items)
        if kind == "tuple":
            return tuple(items)
        if kind not in self._records:
            raise BadSnapshot(f"there is no record {kind!r}")
        return self._records[kind](*items)

    def fault(self, fault_id: str, body: Any) -> Any:
        """An armed fault; raises ValueError for what is none."""
        if self._parse_fault is None:
            raise BadSnapshot("faults are not known here")
        return self._parse_fault(fault_id, body)


def export_snapshot(snapshot: Snapshot, codec: Codec) -> dict[str, Any]:
    """The snapshot as JSON data, its clock at the instant when it was taken."""
    data = export_world(snapshot.world, codec)
    data["clock"]["now_ns"] = snapshot.taken_ns
    taken = format_instant(snapshot.taken_ns, digits=9)
    return {"id": snapshot.id, "name": snapshot.name, "taken": taken, **data}


def restored(snapshot: Snapshot) -> World:
    """A copy of the snapshot's world. A clock that runs goes on from the snapshot's instant."""
    world = snapshot.world.fork()
    world.clock.restore({**world.clock.export(), "now_ns": snapshot.taken_ns})
    return world


def scenario_of(data: Any, *, without: str) -> str | None:
    """The scenario that an export's realms name, ``without`` one of them; None: they name none.

    Raises:
        BadSnapshot: they name several, or the data is no export.
    """
    realms = data.get("realms") if isinstance(data, dict) else None
    if not isinstance(realms, dict) or not all(isinstance(one, dict) for one in realms.values()):
        raise BadSnapshot("has no realms")
    # What has no fixtures has the scenario "none" in every world.
    names = {str(one.get("scenario")) for api, one in realms.items() if api != without} - {"none"}
    if len(names) > 1:
        raise BadSnapshot(f"of several scenarios: {', '.join(sorted(names))}")
    return names.pop() if names else None


def export_world(world: World, codec: Codec) -> dict[str, Any]:
    """The world as JSON data."""
    return {
        "format": FORMAT,
        "clock": world.clock.export(),
        "chance": world.chance.export(),
        "faults": _export_faults(world.faults, codec),
        "timetable": [
            [due_ns, order, codec.encode(timer)] for due_ns, order, timer in world.timers()
        ],
        "realms": {
            name: {
                "scenario": realm.scenario.name,
                "executions": [
                    [codec.encode(field) for field in execution]
                    for execution in realm.executions.all()
                ],
                "tables": {
                    table: [[codec.encode(key), codec.encode(value)] for key, value in rows.items()]
                    for table, rows in realm.tables.items()
                },
            }
            for name, realm in world.realms.items()
        },
    }


def import_world(data: Any, empty: World, codec: Codec) -> World:
    """The world that ``data`` tells of, in a fork of ``empty`` (a world of the same scenario).

    Raises:
        BadSnapshot: the data is of another format, of other APIs, or malformed.
    """
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadSnapshot(f"not a snapshot of format {FORMAT}")
    world = empty.fork()
    try:
        if data["realms"].keys() != world.realms.keys():
            served = ", ".join(sorted(world.realms))
            raise BadSnapshot(f"a snapshot of other APIs than {served}")
        _check_clock(data["clock"])
        world.clock.restore(data["clock"])
        world.chance.restore(data["chance"])
        for name, part in data["realms"].items():
            realm = world.realms[name]
            realm.replace(
                executions=[_execution(fields, codec) for fields in part["executions"]],
                tables={
                    table: [(codec.decode(key), codec.decode(value)) for key, value in rows]
                    for table, rows in part["tables"].items()
                },
            )
        world.replace_timers(
            (int(due_ns), int(order), codec.decode(timer))
            for due_ns, order, timer in data["timetable"]
        )
        _check_timers(world)
        world.settle()
        _import_faults(data["faults"], world, codec)
    except BadSnapshot:
        raise
    except _MALFORMED as error:
        raise BadSnapshot(f"malformed: {error!r:.200}") from None
    return world


def _export_faults(faults: Faults, codec: Codec) -> dict[str, Any]:
    return {
        "made": faults.made,
        "armed": [
            {
                "id": fault_id,
                "body": armed.body,
                "counts": list(faults.counts[fault_id]),
                # The world that stale answers come from is a world like any other.
                "origin": None
                if fault_id not in faults.origins
                else export_world(faults.origins[fault_id], codec),
            }
            for fault_id, armed in faults.armed.items()
        ],
        "replies": [[*key, codec.encode(reply)] for key, reply in faults.replies.items()],
    }


def _import_faults(data: Any, world: World, codec: Codec) -> None:
    faults = world.faults = Faults()
    faults.made = int(data["made"])
    for one in data["armed"]:
        fault_id = str(one["id"])
        origin = None if one["origin"] is None else import_world(one["origin"], world, codec)
        faults.arm(fault_id, codec.fault(fault_id, one["body"]), origin)
        calls, hits = one["counts"]
        faults.counts[fault_id] = (int(calls), int(hits))
    faults.replies = {(str(a), str(o)): codec.decode(reply) for a, o, reply in data["replies"]}


def _check_clock(data: Any) -> None:
    scale = {"real": 1.0, "frozen": 0.0}.get(data["mode"])
    if data["mode"] not in {"real", "frozen", "scaled"} or scale not in {None, data["scale"]}:
        raise BadSnapshot(f"no clock is {data['mode']!r:.40} at the scale {data['scale']!r:.40}")
    if not (0 <= data["scale"] <= _SCALE_MAX and 0 <= data["now_ns"] <= INSTANT_MAX):
        raise BadSnapshot("its clock shows what no clock can")


def _check_timers(world: World) -> None:
    for _, _, timer in world.timers():
        realm = world.realms[timer.api]
        if not timer.execution_id:
            # Raises where there is no such process.
            realm.scenario.arrivals[timer.version]


def _execution(fields: list[Any], codec: Codec) -> Execution:
    execution = Execution(*(codec.decode(field) for field in fields))
    steps = (execution.state, *(step.state for step in execution.plan))
    if not all(state in TRANSITIONS for state in steps):
        raise BadSnapshot(f"{execution.id!r:.80} is in a state that there is not")
    return execution
