"""The world: clock, chance, timetable and one realm per API. Everything in it is a function of
(seed, scenarios, requests, clock moves), and the whole of it can be forked for next to nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mockexec.errors import FixtureError
from mockexec.simulation.chance import Chance, Random
from mockexec.simulation.clock import Clock
from mockexec.simulation.execution import Event, Execution, due
from mockexec.simulation.instants import DAY
from mockexec.simulation.journal import Journal
from mockexec.simulation.lifecycle import QUEUED, Plan, Profile
from mockexec.simulation.sorted_map import SortedMap
from mockexec.simulation.store import Index, Store
from mockexec.simulation.timetable import Entry, Timetable

EXECUTIONS_MAX = 1_000_000
# Of a jump in time, over all processes: more would be seen by nobody, and take seconds.
_ARRIVALS_PER_JUMP_MAX = 4_000
_FAR_FUTURE_NS = 1 << 62


class RealmFull(Exception):  # noqa: N818  # it names what happened
    """No further execution fits; nothing old is thrown away for a new one."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A process that starts executions by itself: one ``every_ns`` on average, as a Poisson does.

    ``data`` tells the dialect what to start (a workflow, a profile, a group).
    """

    name: str
    every_ns: int
    data: Mapping[str, Any]


# Keys and positions that lead to a place in a scenario's data.
Pointer = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """The content of one fixture file, checked against its schema. Shared by all worlds.

    ``locate`` gives file and line of a place; None for a scenario that came from no file.
    """

    api: str
    name: str
    data: Mapping[str, Any]
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    arrivals: tuple[Arrival, ...] = ()
    locate: Callable[[Pointer], tuple[str, int]] | None = field(
        default=None, compare=False, repr=False
    )

    def error(self, pointer: Pointer, message: str) -> FixtureError:
        """What is wrong at ``pointer``, to be raised."""
        file: str = f"scenario {self.name} of {self.api}"
        line: int | None = None
        if self.locate is not None:
            file, line = self.locate(pointer)
        key = "/".join(str(part) for part in pointer)
        return FixtureError(f"{key}: {message}", file=file, line=line)


def _sound(_scenario: Scenario) -> None:
    """Whatever fits the schema will do."""


@dataclass(frozen=True, slots=True)
class Model:
    """What the world must know of an API to simulate it.

    ``populate`` fills a fresh realm from its scenario; ``arrive`` starts one execution at an
    instant (None: nothing arrives by itself); finished executions created longer than
    ``retention_ns`` ago are forgotten (None: kept). ``check`` raises FixtureError for what is
    wrong with a scenario that its schema cannot see.
    """

    api: str
    indexes: tuple[Index, ...]
    populate: Callable[[Realm], None]
    arrive: Callable[[Realm, Arrival, int], Execution] | None = None
    retention_ns: int | None = None
    executions_max: int = EXECUTIONS_MAX
    check: Callable[[Scenario], None] = _sound


class Timer(NamedTuple):
    """What the timetable holds: a step of an execution, or an arrival."""

    api: str
    execution_id: str  # empty: an arrival
    version: int  # of the execution, or the arrival's position in the scenario


_AGE = "_age"


class Faults:
    """The faults in force, in the order they were armed, and what they have seen.

    What a fault is, is not the simulation's matter; that it is part of a world, is. ``counts``
    holds (calls that counted, strikes) by fault id, ``origins`` the world at the arming of those
    that answer from it.
    """

    __slots__ = ("armed", "counts", "made", "origins", "replies")

    def __init__(self) -> None:
        self.made = 0  # how many ids were given
        self.armed: dict[str, Any] = {}
        self.counts: dict[str, tuple[int, int]] = {}
        self.origins: dict[str, World] = {}
        # The last answer of each (API, operation) while faults are armed, to deliver it again.
        self.replies: dict[tuple[str, str], Any] = {}

    def fork(self) -> Faults:
        """A copy that goes on by itself."""
        twin = Faults()
        twin.armed, twin.counts = self.armed.copy(), self.counts.copy()
        twin.origins, twin.replies = self.origins.copy(), self.replies.copy()
        twin.made = self.made
        return twin

    def next_id(self) -> str:
        """An id that no fault of this world has or had, unless somebody chose it."""
        while True:
            self.made += 1
            if f"fault-{self.made}" not in self.armed:
                return f"fault-{self.made}"

    def arm(self, fault_id: str, fault: Any, origin: World | None = None) -> None:
        """Puts a fault in force, last of all, in place of one of the same id."""
        self.disarm(fault_id)
        self.armed[fault_id] = fault
        self.counts[fault_id] = (0, 0)
        if origin is not None:
            # Its own faults never strike, and would keep all earlier origins alive.
            origin.faults = Faults()
            self.origins[fault_id] = origin

    def disarm(self, fault_id: str) -> bool:
        """Ends a fault; says whether there was one."""
        self.counts.pop(fault_id, None)
        self.origins.pop(fault_id, None)
        was_armed = self.armed.pop(fault_id, None) is not None
        if not self.armed:
            self.replies.clear()
        return was_armed


def _age_key(execution: Execution) -> tuple[int] | None:
    return (execution.created_ns,) if execution.is_final else None


class Realm:
    """One API's part of a world: executions, tables for everything else, scenario, chance."""

    __slots__ = (
        "_next_retire_ns", "executions", "model", "name", "scenario", "tables", "world",
    )  # fmt: skip

    def __init__(self, world: World, model: Model, scenario: Scenario) -> None:
        self.world = world
        self.model = model
        self.name = model.api
        self.scenario = scenario
        aged = (Index(_AGE, _age_key),) if model.retention_ns is not None else ()
        self.executions = Store((*model.indexes, *aged))
        self.tables: dict[str, SortedMap[Any]] = {}
        # Nothing is forgotten before this instant; it may be too early.
        self._next_retire_ns = _FAR_FUTURE_NS

    def fork(self, world: World) -> Realm:
        """Its copy in another world."""
        twin: Realm = Realm.__new__(Realm)
        twin.world, twin.model, twin.name = world, self.model, self.name
        twin.scenario = self.scenario
        twin.executions = self.executions.fork()
        twin.tables = {name: table.fork() for name, table in self.tables.items()}
        twin._next_retire_ns = self._next_retire_ns
        return twin

    # What a dialect does with executions.

    def table(self, name: str) -> SortedMap[Any]:
        """The table ``name`` (tokens, approvals, …) of this world; its values must not change."""
        table = self.tables.get(name)
        if table is None:
            table = self.tables[name] = SortedMap()
        return table

    def read(self, execution_id: str) -> Execution | None:
        """The execution as a user reads it: counts as a reading for those that progress by it."""
        execution = self.executions.get(execution_id)
        return None if execution is None else self.seen(execution)

    def seen(self, execution: Execution) -> Execution:
        """``read`` for one that is at hand."""
        plan = execution.plan
        wanted = plan[0].reads if plan else None
        if wanted is None:
            return execution
        if execution.reads < wanted:
            execution = execution._replace(reads=execution.reads + 1)
        else:
            execution = execution.stepped(self.world.now_ns)
        return self._keep(execution)

    def start(
        self,
        execution_id: str,
        *,
        group: str,
        plan: Plan,
        at_ns: int | None = None,
        owner: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> Execution:
        """Starts an execution, now or at ``at_ns``; what its plan has due at once has happened.

        Raises:
            RealmFull: there are as many as the model allows.
        """
        if len(self.executions) >= self.model.executions_max:
            raise RealmFull(f"{self.name} holds {len(self.executions)} executions, its maximum")
        at_ns = self.world.now_ns if at_ns is None else at_ns
        execution = born(execution_id, group=group, plan=plan, at_ns=at_ns, owner=owner, data=data)
        return self._keep(execution.played(at_ns))

    def move(
        self,
        execution: Execution,
        state: str,
        *,
        plan: Plan = (),
        data: Mapping[str, Any] | None = None,
    ) -> Execution:
        """A transition now, with a new plan (none: it stays there).

        Raises:
            IllegalTransition: the lifecycle has no such way.
        """
        return self._keep(execution.moved(state, self.world.now_ns, plan, data))

    def resume(self, execution: Execution, data: Mapping[str, Any] | None = None) -> Execution:
        """Brings on the step that a waiting execution's plan holds back."""
        step = execution.plan[0]
        merged = {**(step.data or {}), **(data or {})}
        return self._keep(
            execution.moved(step.state, self.world.now_ns, execution.plan[1:], merged)
        )

    def amend(
        self,
        execution: Execution,
        *,
        event: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Execution:
        """Notes an event and new data without a transition; its plan goes on as it was."""
        if event is not None:
            at = Event(self.world.now_ns, event)
            execution = execution._replace(history=(*execution.history, at))
        if data:
            execution = execution._replace(data={**execution.data, **data})
        self.executions.put(execution)
        return execution

    def load(self, executions: Iterable[Execution]) -> None:
        """Takes in many executions at once (a scenario's), played up to now."""
        now_ns = self.world.now_ns
        played = [execution.played(now_ns) for execution in executions]
        self.executions.load(played)
        self._find_next_retire()
        for execution in played:
            if execution.due_ns is not None:
                self.world.schedule(
                    execution.due_ns, Timer(self.name, execution.id, execution.version)
                )

    def replace(
        self,
        *,
        executions: Iterable[Execution],
        tables: Mapping[str, Iterable[tuple[Any, Any]]],
    ) -> None:
        """Puts this in place of all executions and tables; the timetable is the world's to mend."""
        self.executions = Store(self.executions.indexes)
        self.executions.load(executions)
        self.tables = {name: SortedMap(rows) for name, rows in tables.items()}
        self._find_next_retire()

    def profile(self, name: str) -> Profile:
        """The scenario's lifecycle profile ``name``."""
        return self.scenario.profiles[name]

    def random(self, purpose: str) -> Random:
        """A generator for the next event of ``purpose``, this API's own."""
        return self.world.chance.random(f"{self.name}/{purpose}")

    def draws(self, purpose: str) -> Random:
        """The same for an event that needs a handful of draws."""
        return self.world.chance.draws(f"{self.name}/{purpose}")

    def uuid(self, purpose: str = "ids") -> str:
        """The next UUID for ``purpose``, this API's own."""
        return self.world.chance.uuid(f"{self.name}/{purpose}")

    def birth(self, purpose: str = "births") -> tuple[str, str, Random]:
        """A UUID, 32 hexadecimal digits and a generator for something new, this API's own."""
        return self.world.chance.birth(f"{self.name}/{purpose}")

    def hex(self, purpose: str = "ids", digits: int = 32) -> str:
        """The next hexadecimal text for ``purpose``, this API's own."""
        return self.world.chance.hex(f"{self.name}/{purpose}", digits)

    # What the world does with them.

    def _keep(self, execution: Execution) -> Execution:
        self.executions.put(execution)
        if execution.due_ns is not None:
            self.world.schedule(execution.due_ns, Timer(self.name, execution.id, execution.version))
        elif self.model.retention_ns is not None and execution.is_final:
            self._retire_at(execution.created_ns + self.model.retention_ns + 1)
        return execution

    def fire(self, timer: Timer, due_ns: int) -> None:
        """What the timetable has due: a step of an execution, or an arrival."""
        if not timer.execution_id:
            self._arrive(timer.version, due_ns)
            return
        execution = self.executions.get(timer.execution_id)
        # A timer whose execution has changed since is void: the change made its own.
        if execution is not None and execution.version == timer.version:
            self._keep(execution.stepped(due_ns))

    def schedule_arrivals(self) -> None:
        """Lets the scenario's arrival processes begin."""
        for position in range(len(self.scenario.arrivals)):
            self._schedule_arrival(position, self.world.now_ns)

    def _schedule_arrival(self, position: int, after_ns: int) -> None:
        arrival = self.scenario.arrivals[position]
        random = self.draws(f"arrivals/{arrival.name}")
        gap_ns = max(1_000_000, int(random.expovariate(1.0) * arrival.every_ns))
        self.world.schedule(after_ns + gap_ns, Timer(self.name, "", position))

    def _arrive(self, position: int, due_ns: int) -> None:
        arrival = self.scenario.arrivals[position]
        # After a long jump only what can still be seen, and only so many, arrive.
        window_ns = min(
            self.model.retention_ns or 30 * DAY, self.world.arrivals_per_jump_max * arrival.every_ns
        )
        earliest_ns = self.world.now_ns - window_ns
        if due_ns < earliest_ns:
            self._schedule_arrival(position, earliest_ns)
            return
        if self.model.arrive is not None and len(self.executions) < self.model.executions_max:
            self.model.arrive(self, arrival, due_ns)
        self._schedule_arrival(position, due_ns)

    def _retire_at(self, at_ns: int) -> None:
        self._next_retire_ns = min(self._next_retire_ns, at_ns)
        self.world.wake(at_ns)

    def _find_next_retire(self) -> None:
        """Asks the oldest finished execution when it will be forgotten."""
        self._next_retire_ns = _FAR_FUTURE_NS
        if self.model.retention_ns is not None:
            for oldest in self.executions.range(_AGE).page(0, 1, reverse=False):
                self._retire_at(oldest.created_ns + self.model.retention_ns + 1)

    def retire(self) -> None:
        """Forgets the finished executions whose retention is over."""
        if self.model.retention_ns is not None and self._next_retire_ns <= self.world.now_ns:
            limit_ns = self.world.now_ns - self.model.retention_ns
            expired = self.executions.range(_AGE, high=(limit_ns,))
            for execution in expired.page(0, len(expired), reverse=False):
                self.executions.remove(execution.id)
            self._find_next_retire()

    def wake(self) -> None:
        """Has the world look again when something is to be forgotten."""
        self.world.wake(self._next_retire_ns)


def born(
    execution_id: str,
    *,
    group: str,
    plan: Plan,
    at_ns: int,
    owner: str = "",
    data: Mapping[str, Any] | None = None,
) -> Execution:
    """An execution queued at ``at_ns``, in no world yet."""
    return Execution(
        execution_id,
        group,
        QUEUED,
        at_ns,
        at_ns,
        owner,
        None,
        None,
        due(plan, at_ns),
        1,
        0,
        plan,
        (Event(at_ns, QUEUED),),
        data or {},
    )


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Filling a world makes a million objects and no garbage: looking for some doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class World:
    """A private simulation. ``now_ns`` is the instant of the request being served: it moves when
    ``settle`` is called, so that one request sees one instant.
    """

    __slots__ = (
        "_next_due_ns", "_timetable", "chance", "clock", "faults", "journal", "now_ns", "realms",
    )  # fmt: skip

    def __init__(
        self,
        models: Iterable[Model],
        scenarios: Mapping[str, Scenario],
        *,
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        """``scenarios`` by API name, one for each model."""
        self.clock = clock or Clock()
        self.chance = Chance(seed)
        self.journal = Journal()
        self.faults = Faults()
        self.now_ns = self.clock.now_ns()
        self._timetable: Timetable[Timer] = Timetable()
        self._next_due_ns = _FAR_FUTURE_NS
        self.realms: dict[str, Realm] = {}
        with _collector_paused():
            for model in models:
                model.check(scenarios[model.api])
                realm = self.realms[model.api] = Realm(self, model, scenarios[model.api])
                model.populate(realm)
                realm.schedule_arrivals()

    def fork(self) -> World:
        """A world of its own that begins as this one stands; costs the same at any size."""
        twin: World = World.__new__(World)
        twin.clock, twin.chance, twin.journal = self.clock.fork(), self.chance.fork(), Journal()
        twin.now_ns = self.now_ns
        twin.faults = self.faults.fork()
        twin._timetable, twin._next_due_ns = self._timetable.fork(), self._next_due_ns
        twin.realms = {name: realm.fork(twin) for name, realm in self.realms.items()}
        return twin

    @property
    def arrivals_per_jump_max(self) -> int:
        """How many arrivals of one process a jump in time brings at most, about."""
        processes = sum(len(realm.scenario.arrivals) for realm in self.realms.values())
        return _ARRIVALS_PER_JUMP_MAX // max(processes, 1)

    def schedule(self, due_ns: int, timer: Timer) -> None:
        """Enters a timer; equal instants fire in the order of entry."""
        self._timetable.add(due_ns, timer)
        self.wake(due_ns)

    def wake(self, at_ns: int) -> None:
        """Makes sure that settling looks at what is due from this instant on."""
        self._next_due_ns = min(self._next_due_ns, at_ns)

    def settle(self) -> int:
        """Lets everything happen that is due by now, in time order; returns now."""
        now_ns = self.now_ns = self.clock.now_ns()
        if self._next_due_ns <= now_ns:
            self._fire_due(now_ns)
        return now_ns

    def _fire_due(self, until_ns: int) -> None:
        while (entry := self._timetable.pop(until_ns)) is not None:
            due_ns, _, timer = entry
            self.realms[timer.api].fire(timer, due_ns)
        for realm in self.realms.values():
            realm.retire()
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Works out when the next thing is due."""
        first = self._timetable.first()
        self._next_due_ns = _FAR_FUTURE_NS if first is None else first[0]
        for realm in self.realms.values():
            realm.wake()

    def timers(self) -> Iterable[Entry[Timer]]:
        """The timetable: (due instant, order of entry, timer), in time order."""
        return self._timetable

    def replace_timers(self, timers: Iterable[Entry[Timer]]) -> None:
        """Puts another timetable in place of this one."""
        self._timetable = Timetable(timers)
        self._look_ahead()

    @property
    def next_due_ns(self) -> int | None:
        """When the next thing happens by itself; None when nothing will."""
        first = self._timetable.first()
        return first[0] if first is not None else None

    def run_until_idle(self) -> int:
        """Turns the clock from timer to timer until no execution has a step due; returns now.

        Arrivals are held back meanwhile, else there would be no end: each process goes on from
        the instant reached.
        """
        self.settle()
        held: list[Timer] = []
        while (first := self._timetable.first()) is not None:
            due_ns, _, timer = first
            if timer.execution_id:
                self.clock.set(max(due_ns, self.clock.now_ns()))
                self.now_ns = self.clock.now_ns()
                self._fire_due(due_ns)
            else:
                self._timetable.pop(due_ns)
                held.append(timer)
        for timer in held:
            self.realms[timer.api]._schedule_arrival(timer.version, self.now_ns)  # noqa: SLF001  # one module
        return self.settle()
