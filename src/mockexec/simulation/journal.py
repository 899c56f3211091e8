"""What happened: a bounded ring of exchanges, oldest forgotten first."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from mockexec.errors import Violation

EXCHANGES_MAX = 1000


class Exchange(NamedTuple):
    """One request and how it was answered. ``notes`` is what was let through but not documented."""

    at_ns: int
    api: str
    operation_id: str
    method: str
    path: str
    status: int
    notes: tuple[Violation, ...] = ()


class Journal:
    """The exchanges of one world."""

    __slots__ = ("_ring",)

    def __init__(self, size_max: int = EXCHANGES_MAX) -> None:
        self._ring: deque[Exchange] = deque(maxlen=size_max)

    def record(self, exchange: Exchange) -> None:
        """Adds one; the oldest goes when the ring is full."""
        self._ring.append(exchange)

    def newest(self, limit: int) -> list[Exchange]:
        """Up to ``limit`` exchanges, newest first."""
        return [exchange for exchange, _ in zip(reversed(self._ring), range(limit), strict=False)]
