"""A check as a value, and what all checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mockexec.verify.findings import Finding
from mockexec.verify.probe import UNREADABLE, Probe
from mockexec.verify.target import Unreachable

Needs = Callable[[Probe], str | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of ours. ``needs`` tells why it cannot be run on a target, None if it can."""

    name: str
    title: str
    needs: Needs
    play: Callable[[Probe], Iterator[Finding]]

    def run(self, probe: Probe) -> Iterator[Finding]:
        """What it finds, and what every answer on its way showed."""
        probe.check = self.name
        told = 0
        try:
            for finding in self.play(probe):
                told += 1
                yield finding
                told += len(probe.breaches)
                yield from _drain(probe)
        except UNREADABLE:
            # An answer that breaks the document leads a check astray, and is a finding itself.
            if not told and not probe.breaches:
                raise
        except Unreachable:
            # What was seen before the connection broke may well be why it did.
            yield from _drain(probe)
            raise
        yield from _drain(probe)


def _drain(probe: Probe) -> Iterator[Finding]:
    while probe.breaches:
        yield probe.breaches.pop(0)


def nothing(_probe: Probe) -> str | None:
    """For checks that a document alone is enough for."""
    return None


def executions(probe: Probe) -> str | None:
    """For checks that must know how executions are read."""
    return None if probe.traits.life else "the API declares no executions"


def lists(probe: Probe) -> str | None:
    """For checks of lists."""
    return None if probe.traits.lists else "the API declares no list"


def changing(probe: Probe) -> str | None:
    """For checks that change something."""
    return None if probe.target.can_change else "it changes something, which is not allowed here"


def all_of(*needs: Needs) -> Needs:
    """The first reason of several."""

    def first(probe: Probe) -> str | None:
        return next((reason for need in needs if (reason := need(probe)) is not None), None)

    return first
