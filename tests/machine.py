"""What the state machines share: one served API whose world starts afresh for every story.

A machine drives the API over HTTP with a frozen clock, and keeps a model of its own: what should
be there, by the clock and by what was done. The scenario's profiles are replaced by fixed spans,
so that the model can tell the future without looking into the simulation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from mockexec import catalog
from mockexec.simulation.instants import parse_duration
from mockexec.simulation.lifecycle import Profile
from mockexec.simulation.world import Scenario
from tests.support import Served, serve


def fixed_scenario(
    api: str, profiles: Mapping[str, Mapping[str, Any]], base: str = "empty"
) -> Scenario:
    """The scenario ``base`` without arrivals, its profiles as given (``*``: all the others)."""
    scenario = catalog.scenario(api, base)
    raw = {name: profiles.get(name, profiles["*"]) for name in scenario.profiles}
    parsed = {name: Profile.parse(name, one) for name, one in raw.items()}
    return dataclasses.replace(scenario, profiles=parsed, arrivals=())


class ApiMachine(RuleBasedStateMachine):
    """One API; ``scenario`` is what every story begins with."""

    api: ClassVar[str]
    scenario: ClassVar[Scenario]
    _served: ClassVar[dict[str, Served]] = {}
    _open: ClassVar[ExitStack] = ExitStack()

    def __init__(self) -> None:
        super().__init__()
        name = type(self).__name__
        if name not in self._served:
            # Kept until the run ends: building it for each story would cost more than the story.
            mock = serve(self.api, scenario={self.api: self.scenario})
            self._served[name] = self._open.enter_context(mock)
        self.served = self._served[name]
        self.served.mock.reset(self.served.mock.base)

    @property
    def now_ns(self) -> int:
        """The world's instant, as the model's clock."""
        return self.served.world.clock.now_ns()

    def advance(self, by: str) -> None:
        """Turns the clock; nothing is settled until the next request looks."""
        self.served.world.clock.advance(parse_duration(by))
