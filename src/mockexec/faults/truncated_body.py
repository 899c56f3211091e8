"""Truncated body: the answer ends early, as if that were all (its length agrees)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mockexec.faults.fault import Injection


@dataclass(frozen=True, slots=True)
class TruncatedBody:
    """``keep`` is the share of the body that is left, from 0 to 1."""

    kind: ClassVar[str] = "truncated_body"
    keep: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.keep < 1:
            raise ValueError("keep must be at least 0 and less than 1")

    def inject(self, injection: Injection) -> None:
        """Shortens the body."""
        injection.transforms.append(lambda body: body[: int(len(body) * self.keep)])
