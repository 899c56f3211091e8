"""The world's own costs: no HTTP, a hundred thousand executions unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import Served, serve

from conftest import WORKFLOW
from mockexec.apis.sailpoint.filters import parse
from mockexec.apis.sailpoint.paging import Listing, stretches_of
from mockexec.apis.sailpoint.populate import launch
from mockexec.apis.sailpoint.selection import select
from mockexec.apis.sailpoint.wire import STATUSES
from mockexec.simulation.instants import DAY
from mockexec.simulation.session import Session
from mockexec.simulation.snapshot import export_snapshot, restored
from mockexec.simulation.world import World

Benchmark = Callable[..., Any]
EVERYTHING = "start_time ge 2000-01-01T00:00:00Z"
FILTER = f'status eq "Completed" and {EVERYTHING}'
STARTED = 500


def _start(world: World) -> Any:
    realm = world.realms["sailpoint"]
    return launch(realm, realm.table("workflows").get(WORKFLOW), world.now_ns)


def test_settle_nothing(benchmark: Benchmark, world: World) -> None:
    """What every request pays: nothing is due."""
    assert benchmark(world.settle) == world.now_ns


def test_settle_lives(benchmark: Benchmark) -> None:
    """The whole lives of 500 executions, all due at once."""
    with serve("sailpoint", scenario="empty", strict=False) as served:
        for _ in range(STARTED):
            _start(served.world)
        begun = served.world

    def due() -> tuple[tuple[World], dict[str, Any]]:
        world = begun.fork()
        world.clock.advance(7 * DAY)
        return (world,), {}

    benchmark.pedantic(World.settle, setup=due, rounds=20)  # type: ignore[attr-defined]  # a fixture's method


def test_start(benchmark: Benchmark, world: World) -> None:
    """An execution begins, its whole life drawn."""
    assert benchmark(_start, world).group == WORKFLOW


def test_parse_filter(benchmark: Benchmark) -> None:
    """A filter that nobody has asked before."""
    assert benchmark(lambda: stretches_of(select(parse(FILTER), STATUSES)))


@pytest.mark.parametrize(
    ("filters", "offset"),
    [(EVERYTHING, 0), (EVERYTHING, 40_000), (FILTER, 0)],
    ids=["first", "40,000th", "filtered"],
)
def test_page(benchmark: Benchmark, world: World, filters: str, offset: int) -> None:
    """A page of 250 and the length of its list."""
    realm = world.realms["sailpoint"]
    chosen = select(parse(filters), STATUSES)

    def page() -> tuple[int, int]:
        listing = Listing(
            realm, WORKFLOW, stretches_of(chosen),
            oldest_ns=world.now_ns - 90 * DAY, newest_ns=world.now_ns,
        )  # fmt: skip
        return len(listing.page(offset, 250)), len(listing)

    size, total = benchmark(page)
    assert size == 250
    assert total > size


def test_fork(benchmark: Benchmark, world: World) -> None:
    """A session begins."""
    assert benchmark(world.fork).now_ns == world.now_ns


def test_snapshot(benchmark: Benchmark, world: World) -> None:
    """A world is put aside."""

    def keep() -> None:
        session = Session("s", world)
        session.keep_snapshot("", world.fork())

    benchmark(keep)


def test_restore(benchmark: Benchmark, world: World) -> None:
    """And taken up again."""
    snapshot = Session("s", world).keep_snapshot("", world.fork())
    assert benchmark(restored, snapshot).now_ns == world.now_ns


def test_export(benchmark: Benchmark) -> None:
    """A snapshot of the scenario ``busy`` as JSON data."""
    with serve("sailpoint", scenario="busy", strict=False) as served:
        snapshot = Session("s", served.world).keep_snapshot("", served.world)
        assert benchmark(export_snapshot, snapshot, served.mock.codec)


def test_reset(benchmark: Benchmark, huge: Served) -> None:
    """A session goes back to the start."""
    session = Session("s", huge.world)
    benchmark(huge.mock.reset, session)
