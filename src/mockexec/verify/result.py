"""What came out of a run: its events, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from mockexec.api import Api
from mockexec.verify.baseline import Baseline
from mockexec.verify.coverage import Coverage
from mockexec.verify.events import (
    Event,
    Finished,
    Found,
    PartFinished,
    Sent,
    Skipped,
    Started,
    Transitions,
    TransitionSeen,
    Trouble,
)
from mockexec.verify.findings import Finding, Group, Groups, merged


@dataclass(slots=True)
class Result:
    """A run, as far as it has gone. ``groups`` and ``accepted`` share the root causes."""

    api: Api
    coverage: Coverage
    baseline: Baseline = field(default_factory=Baseline)
    started: Started | None = None
    finished: Finished | None = None
    found: Groups = field(default_factory=Groups)
    skipped: list[Skipped] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    parts: list[PartFinished] = field(default_factory=list)
    phases: Counter[str] = field(default_factory=Counter)
    requests: int = 0

    def take(self, event: Event) -> None:
        """Adds an event."""
        match event:
            case Sent():
                self.requests += 1
                self.phases[event.phase] += 1
                self.coverage.take(event)
            case Transitions() | TransitionSeen():
                self.coverage.take(event)
            case Found():
                self.found.add(event.finding)
            case Skipped():
                self.skipped.append(event)
            case Trouble():
                if event not in self.troubles:
                    self.troubles.append(event)
            case Started():
                self.started = event
            case Finished():
                self.finished = event
            case PartFinished():
                self.parts.append(event)
            case _:
                pass

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The finding of every root cause, accepted or not."""
        return tuple(group.finding for group in self.found.causes())

    @property
    def groups(self) -> tuple[Group, ...]:
        """The root causes that count, each operation's for itself."""
        found = self.found.causes()
        return tuple(group for group in found if not self.baseline.accepts(group.finding))

    @property
    def shown(self) -> tuple[Group, ...]:
        """The root causes that count, as one reads them: once for many operations."""
        return merged(self.groups)

    @property
    def accepted(self) -> tuple[Group, ...]:
        """The root causes that the baseline accepts."""
        found = self.found.causes()
        return tuple(group for group in found if self.baseline.accepts(group.finding))

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 2 something could not be tested."""
        if self.groups:
            return 1
        return 2 if self.troubles else 0

    def place(self, finding: Finding) -> str:
        """``file:line`` of the promise that is broken, "" where there is none."""
        if not finding.pointer:
            return ""
        return self.api.document.location(self.api.document.uri, finding.pointer)


def result_of(api: Api, events: Iterable[Event], baseline: Baseline | None = None) -> Result:
    """All events of a run, added up."""
    result = Result(api, Coverage(api.operations), baseline or Baseline())
    for event in events:
        result.take(event)
    return result
