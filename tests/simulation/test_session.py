"""Sessions as values: what a new one begins with."""

from __future__ import annotations

from mockexec.simulation.instants import HOUR, SECOND
from mockexec.simulation.session import Session, Sessions
from mockexec.simulation.world import Arrival
from tests.simulation.test_world import make_world


def test_a_new_session_begins_with_what_has_happened_by_now() -> None:
    """In the base world, so that it need not happen anew in every session that is made of it."""
    base = Session("", make_world(arrivals=(Arrival("g", SECOND, {}),)))
    base.world.clock.advance(HOUR)
    session = Sessions(base).use("one")
    arrived = len(base.world.realms["x"].executions)
    assert arrived > 1_000
    assert len(session.world.realms["x"].executions) == arrived
