"""A running mock as a value: its APIs, its settings, its worlds and its metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockexec.api import Api
from mockexec.errors import UsageError
from mockexec.faults import FAULTS, Armed, parse_fault
from mockexec.http.auth import Token
from mockexec.http.call import Reply
from mockexec.server.metrics import Metrics
from mockexec.settings import Settings
from mockexec.simulation.clock import Clock
from mockexec.simulation.instants import MINUTE
from mockexec.simulation.session import SESSIONS_MAX, Session, Sessions
from mockexec.simulation.snapshot import BadSnapshot, Codec
from mockexec.simulation.world import Model, Scenario, World

_ORIGINS_MAX = 8
_ORIGIN_AGE_MAX_NS = MINUTE

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
        sessions_max: int = SESSIONS_MAX,
    ) -> None:
        self.apis: Mapping[str, Api] = {api.name: api for api in apis}
        self.settings = settings or Settings()
        self._load_scenario = load_scenario
        self._clock = clock or Clock()
        self.scenario = scenario
        self.seed = seed
        self._origins: dict[tuple[str, int], World] = {}
        self.base = Session("", self._origin(scenario, seed).fork())
        self.sessions = Sessions(self.base, count_max=sessions_max)
        own = {name: api.dialect.records for name, api in self.apis.items()}
        self.codec = Codec({"": (Reply, Token), **own}, _parsed)
        self.metrics = Metrics()

    def _origin(self, scenario: str, seed: int) -> World:
        """The world of this scenario and seed as it begins; never used itself, only forked.

        Filling a world takes a while and forking one does not, so the latest few are kept. Where
        the clock runs by itself they grow old: what should have happened three hours ago must not
        have happened yesterday.
        """
        origin = self._origins.get((scenario, seed))
        if origin is None or origin.clock.now_ns() - origin.now_ns > _ORIGIN_AGE_MAX_NS:
            origin = self._make_world(scenario, seed)
            self._origins.pop((scenario, seed), None)
            self._origins[scenario, seed] = origin
            if len(self._origins) > _ORIGINS_MAX:
                del self._origins[next(iter(self._origins))]
        return origin

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
        session.world = self.fresh_world(scenario, seed)

    def fresh_world(self, scenario: str | None = None, seed: int | None = None) -> World:
        """A world as at the start; raises as ``reset`` does."""
        scenario = self.scenario if scenario is None else scenario
        return self._origin(scenario, self.seed if seed is None else seed).fork()


def _parsed(fault_id: str, body: Any) -> Armed:
    try:
        return parse_fault(fault_id, body, FAULTS)
    except UsageError as error:
        raise BadSnapshot(f"fault {fault_id}: {error}") from None
