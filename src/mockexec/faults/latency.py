"""Latency: the answer takes longer. Fixed, uniform or log-normal."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import ClassVar

from mockexec.faults.fault import SECONDS_MAX, Injection, duration_ns
from mockexec.simulation.instants import SECOND


@dataclass(frozen=True, slots=True)
class Latency:
    """``delay`` alone is fixed; with ``to`` it is uniform between both, whichever is less; with
    ``sigma`` log-normal around the median ``delay``, never more than ``to`` (default: 30 times
    the median) and ten minutes.

    ``turns_clock``: a clock that is frozen is turned on by the delay, and nobody waits.
    """

    kind: ClassVar[str] = "latency"
    delay: str
    to: str | None = None
    sigma: float | None = None
    turns_clock: bool = False

    def __post_init__(self) -> None:
        duration_ns(self.delay, "delay")
        if self.to is not None:
            duration_ns(self.to, "to")
        if self.sigma is not None and not 0 < self.sigma <= 5:
            raise ValueError("sigma must lie between 0 and 5")

    def inject(self, injection: Injection) -> None:
        """Adds the delay."""
        injection.delay_ns += self._drawn_ns(injection)
        injection.turns_clock = injection.turns_clock or self.turns_clock

    def _drawn_ns(self, injection: Injection) -> int:
        delay_ns = duration_ns(self.delay, "delay")
        to_ns = None if self.to is None else duration_ns(self.to, "to")
        if self.sigma is not None and delay_ns:
            drawn = exp(injection.random.gauss(log(delay_ns), self.sigma))
            return int(min(drawn, 30 * delay_ns if to_ns is None else to_ns, SECONDS_MAX * SECOND))
        if to_ns is None:
            return delay_ns
        return injection.random.randint(min(delay_ns, to_ns), max(delay_ns, to_ns))
