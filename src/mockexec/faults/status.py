"""Status: the vendor refuses, with its own body for that status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mockexec.faults.fault import Injection
from mockexec.http.refusal import STATUS_BY_REASON, Refusal

_REASON_BY_STATUS = {status: reason for reason, status in reversed(STATUS_BY_REASON.items())}


@dataclass(frozen=True, slots=True)
class Status:
    """``status`` from 400 to 599; ``retry_after`` in seconds for a Retry-After header."""

    kind: ClassVar[str] = "status"
    status: int = 503
    message: str = "a fault was injected"
    retry_after: int | None = None

    def __post_init__(self) -> None:
        if not 400 <= self.status <= 599:
            raise ValueError("status must lie between 400 and 599")
        if self.retry_after is not None and not 0 <= self.retry_after <= 86_400:
            raise ValueError("retry_after must lie between 0 and 86400 seconds")

    def inject(self, injection: Injection) -> None:
        """Refuses in place of the handler."""
        headers = () if self.retry_after is None else (("retry-after", str(self.retry_after)),)
        injection.refusal = refusal_of(self.status, self.message, headers)


def refusal_of(status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Refusal:
    """The refusal that dialects render with this status."""
    # For a status that has none, a word that no dialect takes for one of its own cases.
    reason = _REASON_BY_STATUS.get(status, "injected")
    return Refusal(reason, message, status=status, headers=headers, details={"injected": True})
