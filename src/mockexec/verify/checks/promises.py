"""What else an API promises: each promise of its traits is played through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mockexec.simulation.chance import Random
from mockexec.traits import Answer, Ask, Item, Player
from mockexec.verify.checks.check import Check
from mockexec.verify.findings import Finding
from mockexec.verify.probe import UNREADABLE, Probe, answer_of
from mockexec.verify.target import Exchanged

_STORY_MAX = 8


@dataclass(slots=True)
class _Stage(Player):
    """A promise's hold on the target, which remembers what was asked."""

    probe: Probe
    random: Random
    story: list[Exchanged] = field(default_factory=list)

    def send(self, ask: Ask) -> Answer:
        """As ``Player``."""
        exchanged = self.probe.send(ask)
        self.story.append(exchanged)
        return answer_of(exchanged)

    def settle(self, identifier: str) -> Item | None:
        """As ``Player``."""
        item, exchanges = self.probe.settle(identifier)
        self.story += exchanges[-1:]
        return item

    def wait(self, seconds: float) -> None:
        """As ``Player``."""
        self.probe.target.wait(seconds)

    def start(self, *, waits: bool = False) -> tuple[str, ...]:
        """As ``Player``."""
        for start in self.probe.starts(waits=waits)[:1]:
            ids, _, exchanged = self.probe.start(start)
            self.story.append(exchanged)
            return tuple(ids)
        return ()

    def items(self) -> Sequence[Item]:
        """As ``Player``."""
        listing = self.probe.traits.lists[0]
        walk = self.probe.walk(listing, listing.everything)
        self.story += walk.exchanges[-1:]
        return walk.items


def _needs(probe: Probe) -> str | None:
    return None if probe.traits.promises else "the API declares no further promises"


def _play(probe: Probe) -> Iterator[Finding]:
    for promise in probe.traits.promises:
        if promise.changes and not probe.target.can_change:
            continue
        stage = _Stage(probe, probe.random)
        try:
            for problem in promise.kept(stage):
                yield probe.finding(
                    problem.title,
                    problem.expected,
                    problem.got,
                    stage.story[-_STORY_MAX:],
                    operation=problem.operation or promise.operation,
                )
        except UNREADABLE as error:
            # An answer that is not as the promise's author took it to be. If it broke the
            # document that is a finding already; if it was a refusal, this one is it.
            last = stage.story[-1] if stage.story else None
            if not probe.breaches and last is not None:
                yield probe.finding(
                    f"{promise.name}: an answer is not what it should be",
                    "an answer that shows the execution",
                    f"{last.status} {last.text[:160]} ({type(error).__name__}: {error})",
                    stage.story[-_STORY_MAX:],
                    operation=promise.operation,
                )


PROMISES = Check("promises", "What else the document promises", _needs, _play)
