"""Sessions: private worlds by name. The base session has the empty name."""

from __future__ import annotations

from mockexec.simulation.world import World


class Session:
    """A name and the world behind it; resetting puts a fresh world in its place."""

    __slots__ = ("name", "world")

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
