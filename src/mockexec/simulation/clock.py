"""The clock of a world: real, frozen or scaled, and turned by hand.

The only module of the project that reads the machine's time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Literal

from mockexec.simulation.instants import INSTANT_MAX, format_instant

Mode = Literal["real", "frozen", "scaled"]

# Where a frozen clock starts unless told otherwise: fixed, so that runs repeat to the byte.
FROZEN_START_NS = 1_767_268_800_000_000_000  # 2026-01-01T12:00:00Z


# The machine's own time in nanoseconds, for what is not simulated (timing an exchange).
machine_ns = time.time_ns  # noqa: TID251  # the one place that reads it


async def pause(length_ns: int) -> None:
    """Lets at least that much of the machine's time pass; the only waiting there is."""
    end_ns = time.monotonic_ns() + length_ns
    # A loop counts from when it last looked at the time, which may be a while ago.
    while (left_ns := end_ns - time.monotonic_ns()) > 0:  # noqa: ASYNC110  # no event to wait for
        await asyncio.sleep(left_ns / 1_000_000_000)


class Clock:
    """Virtual time as nanoseconds since 1970, never going back.

    ``scale`` is virtual seconds per real second: 1 for ``real``, 0 for ``frozen``.
    """

    __slots__ = ("_machine_anchor_ns", "_now_anchor_ns", "_start", "mode", "scale")

    def __init__(
        self, mode: Mode = "real", *, scale: float = 1.0, start_ns: int | None = None
    ) -> None:
        self.mode = mode
        self.scale = {"real": 1.0, "frozen": 0.0}.get(mode, scale)
        self._start = (mode, scale, start_ns)
        self._machine_anchor_ns = machine_ns()
        if start_ns is None:
            start_ns = FROZEN_START_NS if mode == "frozen" else self._machine_anchor_ns
        self._now_anchor_ns = start_ns

    def fork(self) -> Clock:
        """A clock that shows the same time and is turned on its own."""
        twin: Clock = Clock.__new__(Clock)
        twin.mode, twin.scale, twin._start = self.mode, self.scale, self._start
        twin._machine_anchor_ns = self._machine_anchor_ns
        twin._now_anchor_ns = self._now_anchor_ns
        return twin

    def restarted(self) -> Clock:
        """A clock as this one was made: in its first mode, at its start."""
        mode, scale, start_ns = self._start
        return Clock(mode, scale=scale, start_ns=start_ns)

    def export(self) -> dict[str, Any]:
        """Its mode and the instant it shows, as JSON data."""
        return {"mode": self.mode, "scale": self.scale, "now_ns": self.now_ns()}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Shows again what ``export`` told, and goes on from there."""
        self.mode, self.scale = data["mode"], float(data["scale"])
        self._now_anchor_ns = int(data["now_ns"])
        self._machine_anchor_ns = machine_ns()

    def now_ns(self) -> int:
        """The instant it shows."""
        if not self.scale:
            return self._now_anchor_ns
        passed = machine_ns() - self._machine_anchor_ns
        # A machine whose clock is set back must not turn ours back.
        if passed < 0:
            self._machine_anchor_ns += passed
            passed = 0
        return self._now_anchor_ns + (passed if self.scale == 1.0 else int(passed * self.scale))

    def advance(self, by_ns: int) -> None:
        """Turns it forward by ``by_ns``.

        Raises:
            ValueError: ``by_ns`` is negative, or the year 9999 would be left.
        """
        self.set(self.now_ns() + by_ns)

    def set(self, instant_ns: int) -> None:
        """Turns it forward to ``instant_ns``.

        Raises:
            ValueError: that lies in its past, or after the year 9999.
        """
        now_ns = self.now_ns()
        if instant_ns < now_ns:
            raise ValueError(
                f"the clock shows {format_instant(now_ns, digits=3)} and only moves forward; "
                "reset the world to start again"
            )
        if instant_ns > INSTANT_MAX:
            raise ValueError("the clock ends with the year 9999")
        self._now_anchor_ns = instant_ns
        self._machine_anchor_ns = machine_ns()

    def change_mode(self, mode: Mode, scale: float = 1.0) -> None:
        """Goes on from the instant it shows in another mode."""
        self._now_anchor_ns = self.now_ns()
        self._machine_anchor_ns = machine_ns()
        self.mode = mode
        self.scale = {"real": 1.0, "frozen": 0.0}.get(mode, scale)
