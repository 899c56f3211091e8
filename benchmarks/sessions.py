"""What a thousand sessions cost: forking, resetting, putting aside, and the memory of an idle one.

``python benchmarks/sessions.py`` begins a thousand sessions on a base of ten thousand executions,
changes each otherwise, and prints for every round the times (in the simulation alone, and as
requests to the control API in process, without a socket) and the memory of a session.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.server.session_play import APIS, Asked, ask, make_mock

from mockexec.server.app import App
from mockexec.server.mock import Mock
from mockexec.simulation.session import Session, Sessions

SESSIONS = 1000
ROUNDS = 3
JSON = [("content-type", "application/json")]


class Taken(NamedTuple):
    """Seconds: by the clock on the wall, and of the processor alone, which others do not add to."""

    wall: float
    processor: float


def now() -> Taken:
    """Both clocks."""
    return Taken(perf_counter(), thread_time())


def since(begun: Taken) -> Taken:
    """What has passed."""
    wall, processor = now()
    return Taken(wall - begun.wall, processor - begun.processor)


def begin(mock: Mock) -> None:
    """The base world as at the start, and no sessions."""
    mock.base = Session("", mock.fresh_world())
    mock.sessions = Sessions(mock.base)


def ways(number: int) -> list[Asked]:
    """What the session of this number does: other things than its neighbours."""
    prefix = f"/@s{number}/_mockexec"
    adds = [
        Asked("POST", f"{prefix}/executions", JSON, f'{{"api": "{APIS[number % len(APIS)]}"}}')
    ] * (number % 5)
    fault = Asked("POST", f"{prefix}/faults", JSON, '{"kind": "status", "when": {"nth": 2}}')
    turn = Asked("POST", f"{prefix}/clock/advance", JSON, f'{{"by": "{number}s"}}')
    asked = Asked("GET", f"/@s{number}/sailpoint/v3/workflows")
    return [*adds, fault, turn, *[asked] * 3]


async def change(app: App) -> None:
    """Every session does what is its own."""
    for number in range(SESSIONS):
        for one in ways(number):
            await ask(app, one)


def times(app: App, method: str, path: str) -> list[Taken]:
    """The times of one request to the control API of each session."""

    async def ask_each() -> list[Taken]:
        taken = []
        for number in range(SESSIONS):
            one = Asked(method, f"/@s{number}/_mockexec{path}")
            begun = now()
            answer = await ask(app, one)
            taken.append(since(begun))
            if answer.status not in {200, 201}:
                raise SystemExit(f"{one} was answered {answer}")
        return taken

    return asyncio.run(ask_each())


def called_s(call: Callable[[int], Any]) -> list[Taken]:
    """The times of one call for each session."""
    taken = []
    for number in range(SESSIONS):
        begun = now()
        kept = call(number)
        taken.append(since(begun))
        del kept
    return taken


def show(what: str, taken: list[Taken]) -> None:
    """p50, p99 and the worst, in microseconds: of the processor, and (on the wall)."""
    by_clock = [sorted(seconds * 1e6 for seconds in clock) for clock in zip(*taken, strict=True)]
    wall, processor = ([row[SESSIONS // 2], row[SESSIONS * 99 // 100], row[-1]] for row in by_clock)
    figures = zip(("p50", "p99", "max"), processor, wall, strict=True)
    print(f"{what:26}", *(f"{name} {cpu:6.0f} ({real:6.0f})  " for name, cpu, real in figures))


def memory(app: App) -> None:
    """What a session holds: as forked, and after changes of its own."""
    begin(app.mock)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(SESSIONS):
        app.mock.sessions.use(f"s{number}")
    gc.collect()
    idle, _ = tracemalloc.get_traced_memory()
    asyncio.run(change(app))
    gc.collect()
    changed, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for what, now in (("forked", idle), ("changed, with its journal", changed)):
        print(f"memory of a session, {what:25} {(now - before) / SESSIONS / 1024:6.1f} KiB")


def measure(app: App) -> None:
    """One round: first the simulation alone, then the same as requests."""
    mock = app.mock
    begin(mock)
    show("fork", called_s(lambda number: mock.sessions.use(f"s{number}")))
    asyncio.run(change(app))
    worlds = list(mock.sessions)
    show("snapshot", called_s(lambda n: worlds[n].keep_snapshot("", worlds[n].world.fork())))
    show("reset", called_s(lambda n: mock.reset(worlds[n])))
    begin(mock)
    show("first request of a session", times(app, "GET", "/clock"))
    asyncio.run(change(app))
    for path in ("/snapshots", "/snapshots/snap-1/restore", "/reset"):
        show(f"POST {path[1:]}", times(app, "POST", path))


def main() -> None:
    """Measures and prints."""
    app = App(make_mock())
    asyncio.run(app.start())
    # As a server does, see ``server.run``.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    realms = app.mock.base.world.realms.values()
    total = sum(len(realm.executions) for realm in realms)
    print(f"{SESSIONS} sessions on {total} executions; µs of the processor (on the wall)")
    for _ in range(ROUNDS):
        measure(app)
    memory(app)


if __name__ == "__main__":
    main()
