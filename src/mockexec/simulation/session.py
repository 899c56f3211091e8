"""Sessions: private worlds by name, in one process. The base session has the empty name.

A session is forked from the base world when it is first used, and from then on its own: state,
clock, chance, faults and journal. Their number is bounded; idle ones give way to new ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockexec.simulation.clock import machine_ns
from mockexec.simulation.instants import MINUTE
from mockexec.simulation.world import World

SESSIONS_MAX = 10_000
IDLE_MAX_NS = 60 * MINUTE

_NAME = re.compile(r"[A-Za-z0-9._~-]{1,64}")


class BadSessionName(ValueError):  # noqa: N818  # it names what was given
    """A text that cannot be a session's name."""


class SessionsFull(Exception):  # noqa: N818  # it names what happened
    """As many sessions as allowed are in use; none of them is thrown away."""


class Session:
    """A name and the world behind it; resetting puts another world in its place.

    ``used_ns`` is the machine's time of the last use, since idleness is not simulated.
    """

    __slots__ = ("created_ns", "name", "used_ns", "world")

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.created_ns = self.used_ns = machine_ns()


class Sessions:
    """All sessions but the base one, by name."""

    def __init__(
        self, base: Session, *, count_max: int = SESSIONS_MAX, idle_max_ns: int = IDLE_MAX_NS
    ) -> None:
        """``idle_max_ns``: how long a session may be unused before it gives way to a new one."""
        self.base = base
        self.count_max = count_max
        self.idle_max_ns = idle_max_ns
        self._by_name: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_name.values()))

    def get(self, name: str) -> Session | None:
        """The session of this name if there is one; the base one for the empty name."""
        return self._by_name.get(name) if name else self.base

    def use(self, name: str) -> Session:
        """The session of this name, forked from the base world if it is new.

        Raises:
            BadSessionName: it cannot be a name.
            SessionsFull: there are too many that are not idle.
        """
        session = self._by_name.get(name)
        if session is None:
            return self.add(name, self.base.world.fork())
        session.used_ns = machine_ns()
        return session

    def add(self, name: str, world: World) -> Session:
        """A session with this world, in place of one of the same name; raises as ``use`` does."""
        if not _NAME.fullmatch(name):
            raise BadSessionName(
                f"{name[:80]!r} is no session name: 1 to 64 letters, digits, dots, dashes, "
                "underscores or tildes"
            )
        if name not in self._by_name and len(self._by_name) >= self.count_max:
            self._expire()
        session = self._by_name[name] = Session(name, world)
        return session

    def remove(self, name: str) -> bool:
        """Ends a session; says whether there was one."""
        return self._by_name.pop(name, None) is not None

    def _expire(self) -> None:
        limit_ns = machine_ns() - self.idle_max_ns
        for name in [s.name for s in self._by_name.values() if s.used_ns < limit_ns]:
            del self._by_name[name]
        if len(self._by_name) >= self.count_max:
            raise SessionsFull(
                f"{self.count_max} sessions are in use; delete some, or wait until they are idle"
            )
