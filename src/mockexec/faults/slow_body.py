"""Slow body: the answer begins at once and then drips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mockexec.faults.fault import Injection, duration_ns


@dataclass(frozen=True, slots=True)
class SlowBody:
    """``chunk_bytes`` at a time, ``pause`` between two. At most a thousand chunks are made."""

    kind: ClassVar[str] = "slow_body"
    chunk_bytes: int = 16
    pause: str = "50ms"

    def __post_init__(self) -> None:
        if self.chunk_bytes < 1:
            raise ValueError("chunk_bytes must be positive")
        duration_ns(self.pause, "pause")

    def inject(self, injection: Injection) -> None:
        """Sets the drip."""
        injection.chunk_bytes = self.chunk_bytes
        injection.chunk_ns = duration_ns(self.pause, "pause")
