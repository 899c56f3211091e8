"""Requests to many sessions of one mock, and the same requests to a session that is alone.

``python -m tests.server.session_play`` is the process behind ``Alone``: it makes a mock that nobody
has asked anything, and forks itself for every question, so that nothing, not even a cache, is left
of the question before.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from mockexec import catalog
from mockexec.server.app import App
from mockexec.server.fault_injection import Aborted
from mockexec.server.mock import Mock
from mockexec.settings import Settings
from mockexec.simulation.clock import Clock
from mockexec.simulation.world import Scenario

APIS = catalog.built_in_names()
EXECUTIONS = 10_000
# Scenarios and seeds of worlds that are ready to be forked, so that no story waits for one.
FATES = (("default", 1), ("busy", 1), ("empty", 1), ("empty", 2), ("failing", 3))
_HUGE = 100_000
# What tells the machine's time: in the journal, and in its HAR file.
_TIMED = re.compile(rb'"(took_ms|time|wait)":[0-9.e-]+')


class Asked(NamedTuple):
    """A request, as it goes over the wire."""

    method: str
    path: str  # with its query
    headers: Sequence[tuple[str, str]] = ()
    body: str = ""


class Answer(NamedTuple):
    """Its answer, without what tells the machine's time; the status 0 is a connection cut."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: str


def scaled(api: str, size: int) -> Scenario:
    """The scenario ``huge`` with about ``size`` executions, where nothing arrives by itself."""
    scenario = catalog.scenario(api, "huge")

    def scale(part: Any) -> Any:
        return {**part, "count": max(1, part["count"] * size // _HUGE)}

    history = scenario.data["history"]
    history = [scale(part) for part in history] if isinstance(history, list) else scale(history)
    return dataclasses.replace(scenario, data={**scenario.data, "history": history}, arrivals=())


def make_mock(executions: int = EXECUTIONS) -> Mock:
    """All APIs, the base world with so many executions in all, and a frozen clock."""
    base = {api: scaled(api, executions // len(APIS)) for api in APIS}
    mock = Mock(
        [catalog.api(api) for api in APIS],
        lambda api, name: base[api] if name == "default" else _slowly(catalog.scenario(api, name)),
        settings=Settings(strict=True, options={"sailpoint.rate_limit": "on"}),
        seed=1,
        clock=Clock("frozen"),
    )
    for scenario, seed in FATES:
        mock.fresh_world(scenario, seed)
    return mock


def _slowly(scenario: Scenario) -> Scenario:
    """The scenario with a hundredth of its arrivals: a day is over soon."""
    arrivals = [
        dataclasses.replace(arrival, every_ns=100 * arrival.every_ns)
        for arrival in scenario.arrivals
    ]
    return dataclasses.replace(scenario, arrivals=tuple(arrivals))


async def ask(app: App, asked: Asked) -> Answer:
    """One request, straight into the application; its body comes in pieces."""
    path, _, query = asked.path.partition("?")
    sent = asked.body.encode()
    pieces = [sent[:9], sent[9:]]
    headers = [(name.lower().encode(), value.encode()) for name, value in asked.headers]
    headers += [(b"host", b"localhost"), (b"content-length", b"%d" % len(sent))]
    scope = {
        "type": "http", "method": asked.method, "scheme": "http", "path": path, "root_path": "",
        "raw_path": path.encode(), "query_string": query.encode(), "headers": headers,
    }  # fmt: skip
    heard: list[Any] = []
    received: list[bytes] = []

    async def receive() -> dict[str, Any]:
        # Here the other requests that are under way go on.
        await asyncio.sleep(0)
        piece = pieces.pop(0) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            heard.append(message)
        received.append(message.get("body", b""))

    try:
        await app(scope, receive, send)
    except Aborted:
        return Answer(0, [], b"".join(received).decode("latin-1"))
    (start,) = heard
    body = b"".join(received)
    if "/_mockexec/journal" in path:
        body = _TIMED.sub(b"", body)
    told = [
        (bytes(name).decode("latin-1"), value.decode("latin-1"))
        for name, value in start["headers"]
        # The length of a journal depends on how long its exchanges took.
        if not (name == b"content-length" and "/_mockexec/journal" in path)
    ]
    return Answer(start["status"], told, body.decode("latin-1"))


class Alone:
    """What a session is answered when nobody else is there, and nobody ever was."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.server.session_play"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def answers(self, asked: Iterable[Asked]) -> list[Answer]:
        """The answers to these requests, one after the other."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(list(asked)).encode() + b"\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return [
            Answer(status, [(name, value) for name, value in headers], body)
            for status, headers, body in told
        ]


async def _play(app: App, asked: Iterable[Asked]) -> list[Answer]:
    return [await ask(app, one) for one in asked]


def _main() -> None:
    app = App(make_mock())
    asyncio.run(app.start())
    # Nothing of all this is garbage, and looking through it would copy its memory in every fork.
    gc.freeze()
    for line in sys.stdin.buffer:
        child = os.fork()
        if not child:
            asked = [Asked(*one) for one in json.loads(line)]
            answers = asyncio.run(_play(app, asked))
            sys.stdout.buffer.write(json.dumps(answers).encode() + b"\n")
            sys.stdout.buffer.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    _main()
