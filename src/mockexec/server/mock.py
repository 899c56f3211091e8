"""A running mock as a value: its APIs, its settings and its base world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mockexec.api import Api
from mockexec.settings import Settings
from mockexec.simulation.clock import Clock
from mockexec.simulation.session import Session
from mockexec.simulation.world import Model, Scenario, World

ScenarioLoader = Callable[[str, str], Scenario]

# The realm of the control API: it has operations and no executions.
CONTROL = "_mockexec"
_CONTROL_MODEL = Model(CONTROL, indexes=(), populate=lambda _realm: None)
_CONTROL_SCENARIO = Scenario(CONTROL, "none", {})


class Mock:
    """What a server serves. ``load_scenario`` maps (API name, scenario name) to a scenario."""

    def __init__(
        self,
        apis: Sequence[Api],
        load_scenario: ScenarioLoader,
        *,
        settings: Settings | None = None,
        scenario: str = "default",
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self.apis: Mapping[str, Api] = {api.name: api for api in apis}
        self.settings = settings or Settings()
        self._load_scenario = load_scenario
        self._clock = clock or Clock()
        self.scenario = scenario
        self.seed = seed
        self.base = Session("", self._make_world(scenario, seed))

    def _make_world(self, scenario: str, seed: int) -> World:
        scenarios = {name: self._load_scenario(name, scenario) for name in self.apis}
        return World(
            [*(api.dialect.model for api in self.apis.values()), _CONTROL_MODEL],
            {**scenarios, CONTROL: _CONTROL_SCENARIO},
            seed=seed,
            # Every world starts where the server's clock was set to start.
            clock=self._clock.restarted(),
        )

    def reset(
        self, session: Session, *, scenario: str | None = None, seed: int | None = None
    ) -> None:
        """Puts a fresh world into ``session``: as at the start, or of another scenario or seed.

        Raises:
            MockexecError: an API has no such scenario, or its file is broken; nothing changes then.
        """
        scenario = self.scenario if scenario is None else scenario
        session.world = self._make_world(scenario, self.seed if seed is None else seed)
