"""Rate limit: 429 in the vendor's words, with the time to wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mockexec.faults.fault import Injection
from mockexec.http.refusal import Refusal


@dataclass(frozen=True, slots=True)
class RateLimit:
    """``retry_after`` in seconds. How many calls pass before it strikes is the trigger's to say."""

    kind: ClassVar[str] = "rate_limit"
    retry_after: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.retry_after <= 86_400:
            raise ValueError("retry_after must lie between 0 and 86400 seconds")

    def inject(self, injection: Injection) -> None:
        """Refuses in place of the handler."""
        injection.refusal = Refusal(
            "rate_limited",
            f"too many requests; try again in {self.retry_after} s",
            headers=(("retry-after", str(self.retry_after)),),
            details={"injected": True, "retry_after": self.retry_after},
        )
