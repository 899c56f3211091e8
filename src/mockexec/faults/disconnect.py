"""Disconnect: the connection is closed before the response, or amid its body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mockexec.faults.fault import Injection


@dataclass(frozen=True, slots=True)
class Disconnect:
    """``after_bytes`` of the body are sent before the end, of a shorter one all but the last;
    None: not even the status line is.
    """

    kind: ClassVar[str] = "disconnect"
    after_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.after_bytes is not None and self.after_bytes < 0:
            raise ValueError("after_bytes must not be negative")

    def inject(self, injection: Injection) -> None:
        """Cuts the line."""
        injection.cut_at = -1 if self.after_bytes is None else self.after_bytes
