"""The sequence of a comparison: all peers take turns, so that a slow hour slows all of them.

Each repetition starts every peer anew, for each document once. Between its turns a peer is held
still (SIGSTOP), so that it takes nothing from the one that is measured.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from statistics import median
from typing import Any

from . import load
from .cases import SCENARIOS, TOKEN, Scenario, raw_requests
from .figures import PeerFigures, Run, line
from .install import Place
from .peers import Peer, Start
from .process import Server, StartError, ask, free_port

# What a peer is started for, by document: that it answers this is what "ready" means.
_READY = {
    document: next(each for each in SCENARIOS if each.document == document)
    for document in ("executions", "long", "wide")
}
_SOAK = ("one", "list", "filter", "400", "401", "404")
_SOAK_REQUESTS = (10_000, 100_000, 500_000, 1_000_000)
_MIB = 1024 * 1024
_JOURNAL_MAX = 1000


@dataclass(frozen=True)
class Options:
    """How it is measured: seconds of a run, of the one before it that does not count (0: none), and
    of the one after the start; how often; the cores of server and load; how long a start may take.
    """

    seconds: int
    warmup_s: int
    start_warmup_s: int
    repetitions: int
    server_core: int
    ready_limit_s: float
    only: frozenset[str] = frozenset(scenario.key for scenario in SCENARIOS)

    def scenarios(self, document: str) -> list[Scenario]:
        """Those that were chosen, of one document."""
        return [each for each in SCENARIOS if each.key in self.only and each.document == document]


class UnexpectedAnswerError(Exception):
    """A peer does not answer a scenario as it must to be measured."""


@dataclass
class _Running:
    """A peer while it runs."""

    peer: Peer
    server: Server
    port: int
    prefix: str


class Comparison:
    """Measures ``peers``; ``documents`` are the files to serve, in the folder of the others."""

    def __init__(
        self,
        place: Place,
        peers: list[Peer],
        documents: dict[str, Path],
        options: Options,
        say: Callable[[str], None],
    ) -> None:
        self._place = place
        self._documents = documents
        self._files = documents["executions"].parent
        self._options = options
        self._say = say
        self._peers = list(peers)
        self.figures = {
            peer.key: PeerFigures(
                peer.key, peer.title, place.version(peer.package), list(peer.lacks), peer.is_ours
            )
            for peer in peers
        }
        self._runs: dict[tuple[str, str], list[Run]] = defaultdict(list)
        self._ready: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._memory: dict[tuple[str, str], list[int]] = defaultdict(list)
        for peer in peers:
            self._note_skips(peer)

    def run(self) -> None:
        """Everything; ``figures`` has what was found, also when it is broken off."""
        try:
            for number in range(self._options.repetitions):
                turn = number % len(self._peers)
                order = self._peers[turn:] + self._peers[:turn]
                for document in self._documents:
                    self._repetition(f"{number + 1}/{self._options.repetitions}", document, order)
        finally:
            self._conclude()

    def soak(self, peer: Peer) -> None:
        """A million requests of many kinds to one peer; its memory on the way."""
        running = self._start(peer, "executions")
        if running is None:
            return
        scenarios = [each for each in SCENARIOS if each.key in _SOAK]
        # In turn, so that every kind has been asked for at the first mark.
        requests = [
            raw
            for scenario in scenarios
            for raw in raw_requests(scenario, running.prefix, running.port)
        ]
        memory = self.figures[peer.key].memory_soak_mib
        count, marks = 0, list(_SOAK_REQUESTS)
        running.server.go_on()
        try:
            while marks:
                count += self._send(running, requests, status=200, seconds=1).requests
                if count >= marks[0]:
                    memory[str(count)] = running.server.memory_bytes() / _MIB
                    self._say(f"soak: {memory[str(count)]:.1f} MiB after {count:,} requests")
                    marks.pop(0)
        except load.LoadError as error:
            self._say(f"soak: broken off after {count:,} requests: {error}")
        finally:
            running.server.end()

    def _note_skips(self, peer: Peer) -> None:
        skipped = self.figures[peer.key].skipped
        for scenario in SCENARIOS:
            if scenario.key in self._options.only and scenario.key in peer.skips:
                skipped[scenario.key] = peer.skips[scenario.key]

    def _repetition(self, number: str, document: str, order: Iterable[Peer]) -> None:
        """All peers with one document, once."""
        scenarios = self._options.scenarios(document)
        running: list[_Running] = []
        try:
            for peer in order:
                if any(peer.is_asked(scenario) for scenario in scenarios):
                    self._say(f"{number} {document}: starting {peer.title}")
                    started = self._start(peer, document)
                    if started is not None:
                        running.append(started)
            # What only mockexec has comes last, so that memory is compared after the same work.
            self._round(number, running, [each for each in scenarios if not each.is_ours_alone])
            for each in running:
                if each.server.is_alive():
                    self._memory[each.peer.key, document].append(each.server.memory_bytes())
            self._round(number, running, [each for each in scenarios if each.is_ours_alone])
        finally:
            for each in running:
                each.server.end()

    def _round(self, number: str, running: list[_Running], scenarios: list[Scenario]) -> None:
        """Each scenario goes round all peers before the next one begins."""
        for scenario in scenarios:
            for each in running:
                if each.peer.is_asked(scenario):
                    self._measure(each, scenario, number)

    def _start(self, peer: Peer, document: str) -> _Running | None:
        """Starts, warms up and holds a peer; None, with the reason noted, if it does not start."""
        start = Start(document, self._documents[document], free_port(), self._files)
        server = Server(
            peer.command(self._place, start),
            core=self._options.server_core,
            env={**start.env, **peer.env},
            folder=self._files,
            log=self._files / f"{peer.key}.log",
        )
        running = _Running(peer, server, start.port, peer.prefixes.get(document, ""))
        path = running.prefix + _READY[document].path
        try:
            limit_s = self._options.ready_limit_s
            ready_s = server.wait_ready(start.port, path, _headers(_READY[document]), limit_s)
            self._ready[peer.key, document].append(ready_s)
            if document == "executions":
                self._memory[peer.key, "ready"].append(server.memory_bytes())
            if self._options.start_warmup_s:
                self._load(running, _READY[document], self._options.start_warmup_s)
            server.hold()
        except (StartError, load.LoadError) as error:
            self._leave_out(running, document, str(error))
            return None
        except BaseException:
            server.end()
            raise
        return running

    def _leave_out(self, running: _Running, when: str, reason: str) -> None:
        self._say(f"{running.peer.title} is left out ({when}): {reason}")
        self.figures[running.peer.key].left_out = f"{when}: {reason}"
        running.server.end()

    def _measure(self, running: _Running, scenario: Scenario, number: str) -> None:
        """One run of one peer in one scenario, unless it does not answer as it must."""
        figures = self.figures[running.peer.key]
        server = running.server
        if not server.is_alive():
            return
        server.go_on()
        try:
            if scenario.is_ours_alone:
                _reset(running.port)
            self._check(running, scenario)
            # A journal is filled in any case: the world was reset, and it with it.
            warmup_s = max(self._options.warmup_s, int(scenario.is_journal_full))
            if warmup_s:
                self._load(running, scenario, warmup_s)
            if scenario.is_journal_full:
                _check_journal(running.port)
            before_s = server.cpu_s()
            measured = self._load(running, scenario, self._options.seconds)
            used_s = server.cpu_s() - before_s
        except (UnexpectedAnswerError, load.LoadError, OSError, HTTPException) as error:
            figures.skipped[scenario.key] = str(error)
            self._say(f"{scenario.title}: {running.peer.title}: {error}")
            return
        finally:
            if server.is_alive():
                server.hold()
        if not server.is_alive():
            self._leave_out(running, scenario.title, f"it ended\n{server.last_lines()}")
            return
        run = Run(
            requests_per_s=measured.requests / measured.seconds,
            cpu_us=used_s / max(1, measured.requests) * 1e6,
            p50_ms=measured.p50_ms,
            p99_ms=measured.p99_ms,
            wrong=measured.wrong,
            lost=measured.lost,
        )
        self._runs[running.peer.key, scenario.key].append(run)
        amiss = f", {run.wrong} wrong (the last {measured.wrong_status})" if run.wrong else ""
        amiss += f", {run.lost} lost" if run.lost else ""
        self._say(
            f"{number} {scenario.title:26} {running.peer.title:26} {run.requests_per_s:9,.0f} /s"
            f" {run.cpu_us:8.1f} µs  p50 {run.p50_ms:7.2f}  p99 {run.p99_ms:7.2f} ms{amiss}"
        )

    def _load(self, running: _Running, scenario: Scenario, seconds: int) -> load.Load:
        return self._send(
            running,
            raw_requests(scenario, running.prefix, running.port),
            status=running.peer.status(scenario),
            connections=scenario.connections,
            seconds=seconds,
        )

    def _send(
        self,
        running: _Running,
        requests: list[bytes],
        *,
        status: int,
        seconds: int,
        connections: int = 32,
    ) -> load.Load:
        return load.run(
            requests,
            running.port,
            status=status,
            connections=connections,
            seconds=seconds,
            folder=self._files,
        )

    def _check(self, running: _Running, scenario: Scenario) -> None:
        """One request: its status, and that there is what was asked for.

        Lists of another length or unfiltered are noted: not every mock knows better.

        Raises:
            UnexpectedAnswerError: it is another answer than the scenario wants.
        """
        headers = _headers(scenario)
        # Each path once: sessions begin with their first request, which is not what is measured.
        for path in scenario.paths(running.prefix):
            status, body = ask(running.port, scenario.method, path, headers, scenario.body)
        expected = running.peer.status(scenario)
        if status != expected:
            raise UnexpectedAnswerError(f"answers {status} instead of {expected}")
        if expected != 200:
            return
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise UnexpectedAnswerError(f"answers no JSON: {body[:100]!r}") from error
        if note := _shortcoming(answer, scenario):
            self.figures[running.peer.key].noted[scenario.key] = note

    def _conclude(self) -> None:
        """The medians."""
        for (key, scenario), runs in self._runs.items():
            self.figures[key].lines[scenario] = line(runs)
        for (key, document), seconds in self._ready.items():
            self.figures[key].ready_s[document] = median(seconds)
        for (key, when), sizes in self._memory.items():
            self.figures[key].memory_mib[when] = median(sizes) / _MIB


def _headers(scenario: Scenario) -> dict[str, str]:
    """The headers of a single request."""
    headers = {"Authorization": f"Bearer {TOKEN}"} if scenario.is_signed else {}
    return headers | ({"Content-Type": "application/json"} if scenario.body else {})


def _shortcoming(answer: Any, scenario: Scenario) -> str:
    """In what an answer differs from what was asked for, if it does."""
    if not answer:
        raise UnexpectedAnswerError("answers nothing")
    if scenario.items is None:
        return ""
    found = [f"a list of {len(answer)} instead"] if len(answer) != scenario.items else []
    if scenario.key == "filter" and any(each["status"] != "Completed" for each in answer):
        found.append("the filter is not applied")
    return ", ".join(found)


def _reset(port: int) -> None:
    """Mockexec's world as at the start, without the executions that were created meanwhile.

    Thousands of them still run, and every session forked now would have to end each for itself.
    """
    status, body = ask(port, "POST", "/_mockexec/reset", {"Content-Type": "application/json"}, "{}")
    if status >= 300:
        raise UnexpectedAnswerError(f"the world is not reset: {status} {body[:200]!r}")


def _check_journal(port: int) -> None:
    """That mockexec's journal holds as many exchanges as it may."""
    _, body = ask(port, "GET", f"/_mockexec/journal?limit={_JOURNAL_MAX}", {})
    journal = json.loads(body)
    found = len(journal if isinstance(journal, list) else journal["exchanges"])
    if found < _JOURNAL_MAX:
        raise UnexpectedAnswerError(f"the journal holds {found} exchanges only")
