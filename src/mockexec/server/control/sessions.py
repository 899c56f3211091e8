"""Sessions: private worlds by name. Resetting one is here too."""

from __future__ import annotations

from mockexec.errors import FixtureError, UsageError
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.server.mock import Mock
from mockexec.server.views import session_view
from mockexec.simulation.instants import format_instant
from mockexec.simulation.session import SessionsFull
from mockexec.simulation.world import World


class SessionsControl:
    """Beginning them, ending them, beginning again."""

    operations = ("listSessions", "createSession", "deleteSession", "reset")

    def __init__(self, mock: Mock) -> None:
        self._mock = mock

    async def list_sessions(self, call: Call) -> Reply:
        """All but the base one."""
        del call
        return Reply(200, [session_view(session) for session in self._mock.sessions])

    async def create_session(self, call: Call) -> Reply:
        """A session that begins as the base world stands, or as a scenario does.

        One of the same name is replaced: a test that runs again begins anew.
        """
        wanted = call.body or {}
        world = self._world(wanted.get("scenario"))
        if "seed" in wanted:
            world.chance.reseed(_seed(wanted["seed"]))
        sessions = self._mock.sessions
        try:
            session = sessions.add(wanted.get("name") or sessions.next_name(), world)
        except SessionsFull as error:
            raise Refusal("full", str(error)) from None
        location = f"{call.base_path}/sessions/{session.name}"
        return Reply(201, session_view(session), (("location", location),))

    async def delete_session(self, call: Call) -> Reply:
        """It ends; the next use of its name begins a new one."""
        name = call.path["name"]
        if not self._mock.sessions.remove(name):
            raise Refusal("not_found", f"there is no session {name[:100]!r}")
        return Reply(204)

    async def reset(self, call: Call) -> Reply:
        """A fresh world."""
        wanted = call.body or {}
        seed = _seed(wanted.get("seed", self._mock.seed))
        scenario = wanted.get("scenario", self._mock.scenario)
        self._mock.sessions.restart(call.session, self._world(scenario, seed))
        now = format_instant(call.session.world.now_ns, digits=9)
        return Reply(200, {"scenario": scenario, "seed": seed, "now": now})

    def _world(self, scenario: str | None, seed: int | None = None) -> World:
        if scenario is None:
            return self._mock.sessions.base_copy()
        try:
            return self._mock.fresh_world(scenario, seed)
        except UsageError as error:
            raise Refusal("not_found", str(error)) from None
        except FixtureError as error:
            raise Refusal("conflict", str(error)) from None


def _seed(number: float) -> int:
    """A whole number, as the document has checked: to JSON 2.0 is one, and the same as 2."""
    return int(number)
