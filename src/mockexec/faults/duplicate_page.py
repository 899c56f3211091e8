"""Duplicate page: an operation's last answer is delivered once more, whatever was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mockexec.faults.fault import Injection


@dataclass(frozen=True, slots=True)
class DuplicatePage:
    """The first call of an operation, which has no answer before it, passes as it is."""

    kind: ClassVar[str] = "duplicate_page"

    def inject(self, injection: Injection) -> None:
        """Repeats the last body."""
        injection.repeats = True
