"""Sessions: private worlds by name, in one process. The base session has the empty name.

A session is forked from the base world when it is first used, and from then on its own: state,
clock, chance, faults, journal and snapshots. Their number is bounded, and idle ones expire.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator

from mockexec.simulation.clock import machine_ns
from mockexec.simulation.instants import MINUTE
from mockexec.simulation.journal import Shelf
from mockexec.simulation.snapshot import Snapshot
from mockexec.simulation.world import World

SESSIONS_MAX = 10_000
SNAPSHOTS_MAX = 100
IDLE_MAX_NS = 60 * MINUTE

_NAME = re.compile(r"[A-Za-z0-9._~-]{1,64}")


class BadSessionName(ValueError):  # noqa: N818  # it names what was given
    """A text that cannot be a session's name."""


class SessionsFull(Exception):  # noqa: N818  # it names what happened
    """As many sessions as allowed are in use; none of them is thrown away."""


class SnapshotsFull(Exception):  # noqa: N818  # it names what happened
    """A session keeps as many snapshots as allowed; none of them is thrown away."""


class Session:
    """A name and the world behind it; resetting puts another world in its place. ``snapshots``
    by id, the earliest first.

    ``used_ns`` is the machine's time of the last use, since idleness is not simulated.
    """

    __slots__ = ("_taken", "created_ns", "name", "snapshots", "used_ns", "world")

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.created_ns = self.used_ns = machine_ns()
        self.snapshots: dict[str, Snapshot] = {}
        self._taken = 0

    def address(self, base_path: str) -> str:
        """``base_path`` as it must be written to lead here without the session's header."""
        inside = not self.name or base_path.startswith("/@")
        return base_path if inside else f"/@{self.name}{base_path}"

    def keep_snapshot(self, name: str, world: World) -> Snapshot:
        """Puts ``world`` aside, which nobody else may use.

        Raises:
            SnapshotsFull: there are ``SNAPSHOTS_MAX``.
        """
        if len(self.snapshots) >= SNAPSHOTS_MAX:
            raise SnapshotsFull(f"{SNAPSHOTS_MAX} snapshots are kept; delete some")
        self._taken += 1
        snapshot = Snapshot(f"snap-{self._taken}", name, world.clock.now_ns(), world)
        self.snapshots[snapshot.id] = snapshot
        return snapshot


class Sessions:
    """All sessions but the base one, by name. Their journals, and its, stand on one shelf."""

    def __init__(
        self, base: Session, *, count_max: int = SESSIONS_MAX, idle_max_ns: int = IDLE_MAX_NS
    ) -> None:
        """``idle_max_ns``: how long a session may be unused before it ends."""
        self.base = base
        self._shelf = Shelf()
        base.world.journal = self._shelf.journal()
        self.count_max = count_max
        self.idle_max_ns = idle_max_ns
        # The longest unused first.
        self._by_name: OrderedDict[str, Session] = OrderedDict()
        self._named = 0

    def __len__(self) -> int:
        self._expire()
        return len(self._by_name)

    def __iter__(self) -> Iterator[Session]:
        """The longest unused first."""
        self._expire()
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
            return self.add(name, self.base_copy())
        session.used_ns = machine_ns()
        self._by_name.move_to_end(name)
        return session

    def base_copy(self) -> World:
        """A world that begins as the base one stands now."""
        # What is due by now happens once, and not anew in every session that is made of it.
        self.base.world.settle()
        return self.base.world.fork()

    def next_name(self) -> str:
        """A name that no session has or was given by this."""
        while True:
            self._named += 1
            if f"s{self._named}" not in self._by_name:
                return f"s{self._named}"

    def add(self, name: str, world: World) -> Session:
        """A session with this world, in place of one of the same name; raises as ``use`` does."""
        if not _NAME.fullmatch(name):
            raise BadSessionName(
                f"{name[:80]!r} is no session name: 1 to 64 letters, digits, dots, dashes, "
                "underscores or tildes"
            )
        self._expire()
        if name not in self._by_name and len(self._by_name) >= self.count_max:
            raise SessionsFull(
                f"{self.count_max} sessions are in use; delete some, or wait until they are idle"
            )
        self.remove(name)
        world.journal = self._shelf.journal()
        session = self._by_name[name] = Session(name, world)
        return session

    def remove(self, name: str) -> bool:
        """Ends a session; says whether there was one."""
        session = self._by_name.pop(name, None)
        if session is None:
            return False
        session.world.journal.clear()
        return True

    def restart(self, session: Session, world: World) -> None:
        """Puts another world in place of the session's, and begins a new journal."""
        session.world.journal.clear()
        world.journal = self._shelf.journal()
        session.world = world

    def _expire(self) -> None:
        limit_ns = machine_ns() - self.idle_max_ns
        while self._by_name:
            name, oldest = next(iter(self._by_name.items()))
            if oldest.used_ns >= limit_ns:
                break
            self.remove(name)
