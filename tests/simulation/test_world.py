"""The world: time passes, executions live, forks go their own ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mockexec.simulation.clock import Clock
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import DAY, HOUR, MINUTE, SECOND
from mockexec.simulation.lifecycle import (
    CANCELLED,
    CANCELLING,
    COMPLETED,
    FINAL,
    QUEUED,
    RUNNING,
    TRANSITIONS,
    WAITING,
    IllegalTransition,
    Plan,
    Profile,
    cancel_plan,
    draw_plan,
)
from mockexec.simulation.store import Index
from mockexec.simulation.world import Arrival, Model, Realm, RealmFull, Scenario, World, born

PROFILES: dict[str, Any] = {
    "slow": {"queued": "10s", "running": "1m", "cleanup": "5s"},
    "varied": {
        "queued": "1s..10s",
        "running": "1s..5m",
        "outcomes": {"completed": 3, "failed": {"weight": 1, "data": [{"reason": "timeout"}]}},
        "retries": 2,
        "retry_chance": 0.5,
    },
    "asks": {"running": "10s", "waits_for": ["approval"]},
    "read": {"running": "1s", "progress": {"reads": 2}},
    "immediate": {"queued": "5s", "running": "1m", "progress": "immediate"},
}
INDEXES = (
    Index("started", lambda e: (e.group, e.created_ns)),
    Index("state", lambda e: (e.group, e.state, e.created_ns)),
)


def plan_of(realm: Realm, profile: str) -> Plan:
    """A plan drawn from a profile of the scenario."""
    return draw_plan(realm.profile(profile), realm.draws("plans"))


def arrive(realm: Realm, arrival: Arrival, at_ns: int) -> Execution:
    """One of the scenario's arrivals."""
    return realm.start(realm.uuid(), group=arrival.name, plan=plan_of(realm, "slow"), at_ns=at_ns)


def make_world(
    *,
    seed: int = 1,
    arrivals: tuple[Arrival, ...] = (),
    populate: Callable[[Realm], None] = lambda _realm: None,
    **model: Any,
) -> World:
    """A world with one API, ``x``, and a frozen clock."""
    profiles = {name: Profile.parse(name, raw) for name, raw in PROFILES.items()}
    scenario = Scenario("x", "test", {}, profiles, arrivals)
    return World(
        [Model("x", INDEXES, populate, arrive, **model)],
        {"x": scenario},
        seed=seed,
        clock=Clock("frozen"),
    )


def start(world: World, name: str = "one", profile: str = "slow", group: str = "g") -> Execution:
    """A fresh execution, now."""
    realm = world.realms["x"]
    return realm.start(name, group=group, plan=plan_of(realm, profile))


def state_of(world: World, name: str = "one") -> str:
    """Its state now."""
    world.settle()
    execution = world.realms["x"].executions.get(name)
    assert execution is not None
    return execution.state


def advance(world: World, by_ns: int) -> None:
    """Turns the clock."""
    world.clock.advance(by_ns)
    world.settle()


def test_an_execution_lives_by_its_plan() -> None:
    """Queued, running, completed: each at its own instant, whenever somebody looks."""
    world = make_world()
    begun_ns = start(world).created_ns
    assert state_of(world) == QUEUED
    advance(world, 10 * SECOND)
    assert state_of(world) == RUNNING
    advance(world, DAY)
    execution = world.realms["x"].executions.get("one")
    assert execution is not None
    assert (execution.state, execution.due_ns, execution.plan) == (COMPLETED, None, ())
    assert execution.started_ns == begun_ns + 10 * SECOND
    assert execution.finished_ns == begun_ns + 70 * SECOND
    assert [event.name for event in execution.history] == [QUEUED, RUNNING, COMPLETED]


@given(st.lists(st.integers(1, 100 * SECOND), max_size=30))
def test_how_often_one_looks_changes_nothing(pauses: list[int]) -> None:
    """The life of an execution does not depend on when the world settles."""
    watched, left_alone = make_world(seed=5), make_world(seed=5)
    for world in (watched, left_alone):
        for number in range(5):
            start(world, f"e{number}", "varied")
    for pause in pauses:
        advance(watched, pause)
    advance(left_alone, sum(pauses))
    assert list(watched.realms["x"].executions.all()) == list(
        left_alone.realms["x"].executions.all()
    )


@given(st.integers(0, 20 * MINUTE), st.integers(0, 500), st.sampled_from(sorted(PROFILES)))
def test_playing_at_once_is_playing_step_by_step(until_ns: int, seed: int, profile: str) -> None:
    """A scenario's past is made by the same rules as the present."""
    plan = plan_of(make_world(seed=seed).realms["x"], profile)
    at_once = born("e", group="g", plan=plan, at_ns=0).played(until_ns)
    stepwise = born("e", group="g", plan=plan, at_ns=0)
    while stepwise.due_ns is not None and stepwise.due_ns <= until_ns:
        stepwise = stepwise.stepped(stepwise.due_ns)
    assert at_once == stepwise


def test_cancelling_takes_its_clean_up() -> None:
    """The plan in force is dropped, the timer of the old one is void."""
    world = make_world()
    realm = world.realms["x"]
    execution = start(world)
    advance(world, 20 * SECOND)
    running = realm.executions.get(execution.id)
    assert running is not None
    plan = cancel_plan(realm.profile("slow"), realm.random("plans"), {"by": "user"})
    realm.move(running, CANCELLING, plan=plan)
    assert state_of(world) == CANCELLING
    advance(world, HOUR)
    ended = realm.executions.get(execution.id)
    assert ended is not None
    assert (ended.state, ended.data["by"]) == (CANCELLED, "user")
    assert ended.finished_ns == running.created_ns + 25 * SECOND


@pytest.mark.parametrize("final", sorted(FINAL))
def test_nothing_leaves_a_final_state(final: str) -> None:
    """Every way out of it is an illegal transition that names the state."""
    execution = born("e", group="g", plan=(), at_ns=0)._replace(state=final)
    for state in TRANSITIONS:
        with pytest.raises(IllegalTransition, match=final):
            execution.moved(state, 1)


def test_a_waiting_execution_waits_until_it_is_resumed() -> None:
    """No time brings it on, a signal does."""
    world = make_world()
    start(world, profile="asks")
    advance(world, 365 * DAY)
    assert state_of(world) == WAITING
    execution = world.realms["x"].executions.get("one")
    assert execution is not None
    assert execution.data["waits_for"] == "approval"
    world.realms["x"].resume(execution, {"approved": True})
    assert state_of(world) == RUNNING
    advance(world, 10 * SECOND)
    assert state_of(world) == COMPLETED


def test_progress_by_readings() -> None:
    """It stays as it is for so many readings; time does nothing."""
    world = make_world()
    start(world, profile="read")
    realm = world.realms["x"]
    advance(world, DAY)
    seen = [realm.read("one") for _ in range(4)]
    assert [e.state for e in seen if e] == [RUNNING, RUNNING, COMPLETED, COMPLETED]


def test_an_immediate_one_has_ended_when_it_is_first_read() -> None:
    """No time passes at all."""
    world = make_world()
    assert start(world, profile="immediate").is_final


def test_running_until_idle_ends_every_life_and_holds_arrivals_back() -> None:
    """The clock stands at the last transition; nothing arrived on the way."""
    world = make_world(arrivals=(Arrival("g", 1 * SECOND, {}),))
    first = start(world)
    reached = world.run_until_idle()
    assert reached == first.created_ns + 70 * SECOND
    assert [e.id for e in world.realms["x"].executions.all()] == ["one"]
    advance(world, HOUR)
    assert len(world.realms["x"].executions) > 1


def test_arrivals_come_as_often_as_said() -> None:
    """A Poisson process: near its mean over a long time, and the same for the same seed."""
    counts = []
    for _ in range(2):
        world = make_world(arrivals=(Arrival("g", MINUTE, {}),))
        advance(world, DAY)
        counts.append(len(world.realms["x"].executions))
    assert counts[0] == counts[1]
    assert 1200 < counts[0] < 1680


def test_a_jump_of_centuries_is_bounded_work() -> None:
    """Only what can still be seen arrives, and about four thousand in all."""
    world = make_world(arrivals=(Arrival("g", SECOND, {}), Arrival("h", MINUTE, {})))
    advance(world, 500 * 365 * DAY)
    assert 3_600 < len(world.realms["x"].executions) < 4_400


def test_what_is_older_than_the_retention_is_forgotten() -> None:
    """Finished ones only; a running one stays however old."""
    world = make_world(retention_ns=DAY)
    start(world, "done")
    advance(world, HOUR)
    start(world, "asks", "asks")
    advance(world, DAY)
    assert [e.id for e in world.realms["x"].executions.all()] == ["asks"]


def test_retention_needs_no_timer_to_be_due() -> None:
    """What ended long ago is forgotten although nothing else happens any more."""
    world = make_world(retention_ns=DAY)
    start(world, "one", "immediate")
    advance(world, DAY)
    assert len(world.realms["x"].executions) == 1
    advance(world, 1)
    assert len(world.realms["x"].executions) == 0


def test_a_full_realm_says_so_and_forgets_nothing() -> None:
    """The bound is an error for the newcomer, not a loss for the rest."""
    world = make_world(executions_max=2)
    start(world, "a")
    start(world, "b")
    with pytest.raises(RealmFull, match="holds 2"):
        start(world, "c")
    assert len(world.realms["x"].executions) == 2


def test_the_clock_never_goes_back() -> None:
    """A refusal that tells the time."""
    clock = Clock("frozen", start_ns=10)
    with pytest.raises(ValueError, match="only moves forward"):
        clock.set(9)
    with pytest.raises(ValueError, match="9999"):
        clock.advance(1 << 70)


def test_a_scaled_clock_passes_faster() -> None:
    """A thousand times at least as fast as the machine's, and never back."""
    clock = Clock("scaled", scale=1000.0, start_ns=0)
    readings = [clock.now_ns() for _ in range(100)]
    assert readings == sorted(readings)
    clock.change_mode("frozen")
    assert clock.now_ns() == clock.now_ns() >= readings[-1]


def test_one_apis_chance_does_not_shift_anothers() -> None:
    """Streams are by purpose."""
    quiet, busy = make_world(), make_world()
    for _ in range(10):
        busy.chance.uuid("other/ids")
    assert quiet.realms["x"].uuid() == busy.realms["x"].uuid()
    assert make_world(seed=2).realms["x"].uuid() != make_world(seed=1).realms["x"].uuid()


class ForkedWorlds(RuleBasedStateMachine):
    """Many forks of one world; each must be what it would be had it lived alone."""

    def __init__(self) -> None:
        super().__init__()
        self.worlds = [make_world(seed=3)]
        self.stories: list[list[tuple[str, int]]] = [[]]

    @rule(index=st.integers(0, 20))
    def fork(self, index: int) -> None:
        """A fork begins with its origin's story."""
        index %= len(self.worlds)
        if len(self.worlds) < 5:
            self.worlds.append(self.worlds[index].fork())
            self.stories.append(list(self.stories[index]))

    @rule(index=st.integers(0, 20), by=st.integers(1, 3 * MINUTE))
    def advance(self, index: int, by: int) -> None:
        """Time passes in one of them."""
        self.tell(index, "advance", by)

    @rule(index=st.integers(0, 20), number=st.integers(0, 3))
    def start(self, index: int, number: int) -> None:
        """Something starts in one of them."""
        self.tell(index, "start", number)

    def tell(self, index: int, what: str, value: int) -> None:
        """Does it and writes it down."""
        index %= len(self.worlds)
        self.stories[index].append((what, value))
        self.live(self.worlds[index], what, value, len(self.stories[index]))

    @staticmethod
    def live(world: World, what: str, value: int, step: int) -> None:
        """One line of a story."""
        if what == "advance":
            advance(world, value)
        else:
            start(world, f"e{step}", "varied", group=f"g{value}")

    @invariant()
    def each_is_as_if_alone(self) -> None:
        """Replaying a story in a fresh world gives the same executions, lists and instants."""
        for world, story in zip(self.worlds, self.stories, strict=True):
            alone = make_world(seed=3)
            for step, (what, value) in enumerate(story, 1):
                self.live(alone, what, value, step)
            assert list(world.realms["x"].executions.all()) == list(
                alone.realms["x"].executions.all()
            )
            assert world.next_due_ns == alone.next_due_ns


TestForkedWorlds = ForkedWorlds.TestCase


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 20))
def test_pages_of_a_range_partition_it(low: int, high: int, size: int) -> None:
    """Every execution in the window once, newest first, and the count agrees."""

    def populate(realm: Realm) -> None:
        realm.load(born(f"e{n}", group="g", plan=(), at_ns=n % 50 * SECOND) for n in range(60))

    world = make_world(populate=populate)
    found = world.realms["x"].executions.range(
        "started", ("g",), low=(low * SECOND,), high=(high * SECOND,)
    )
    expected = sorted((n % 50, f"e{n}") for n in range(60) if low <= n % 50 < high)[::-1]
    pages = [found.page(offset, size) for offset in range(0, len(found) + size, size)]
    assert [e.id for page in pages for e in page] == [name for _, name in expected]
    assert len(found) == len(expected)
    assert [e.id for e in found.iterate(reverse=False)] == [name for _, name in expected[::-1]]
