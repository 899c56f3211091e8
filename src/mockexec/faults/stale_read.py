"""Stale read: readings answer from the world as it was when the fault was armed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mockexec.faults.fault import Injection


@dataclass(frozen=True, slots=True)
class StaleRead:
    """What changes something (any method but GET and HEAD) passes: it would be lost."""

    kind: ClassVar[str] = "stale_read"

    def inject(self, injection: Injection) -> None:
        """Turns to the old world."""
        injection.is_stale = True
