"""Snapshots: a world as it stood, to go back to, or to carry elsewhere as JSON.

Keeping one costs a fork. The JSON form holds everything that a world is made of (executions,
tables, timetable, counters of chance, clock), so that the same requests afterwards give the same
bytes; the scenario is named, not copied, since it comes with the mock.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mockexec.simulation.execution import Event, Execution
from mockexec.simulation.lifecycle import Step
from mockexec.simulation.world import Timer, World

FORMAT = 1
SNAPSHOTS_MAX = 1000

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
    """Between the values of a world and JSON. ``records`` are the dialects' own named tuples."""

    def __init__(self, records: Iterable[type] = ()) -> None:
        self._records = {record.__name__: record for record in (Event, Step, Timer, *records)}

    def encode(self, value: Any) -> Any:
        """JSON data that ``decode`` makes an equal value of."""
        if value is None or isinstance(value, str | bool | int | float):
            return value
        if isinstance(value, Mapping):
            plain = {key: self.encode(inner) for key, inner in value.items()}
            return {_TAG: ["dict", plain]} if _TAG in plain else plain
        if isinstance(value, list):
            return [self.encode(item) for item in value]
        if isinstance(value, bytes):
            return {_TAG: ["bytes", b64encode(value).decode()]}
        if isinstance(value, frozenset):
            return {_TAG: ["set", [self.encode(item) for item in sorted(value)]]}
        if isinstance(value, tuple):
            name = type(value).__name__
            if name not in self._records and name != "tuple":
                raise TypeError(f"snapshots do not know {name}; its dialect must name it")
            return {_TAG: [name, [self.encode(item) for item in value]]}
        raise TypeError(f"snapshots do not know {type(value).__name__}")

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


def export_world(world: World, codec: Codec) -> dict[str, Any]:
    """The world as JSON data."""
    return {
        "format": FORMAT,
        "clock": world.clock.export(),
        "chance": world.chance.export(),
        "timetable": [[*key, codec.encode(timer)] for key, timer in world.timers()],
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
            ((due_ns, sequence), codec.decode(timer)) for due_ns, sequence, timer in data["timetable"]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, BadSnapshot):
            raise
        raise BadSnapshot(f"malformed: {error!r}") from None
    world.settle()
    return world


def _execution(fields: list[Any], codec: Codec) -> Execution:
    return Execution(*(codec.decode(field) for field in fields))
