"""Expired token: a good credential is refused as one that has run out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mockexec.faults.fault import Injection
from mockexec.http.refusal import Refusal


@dataclass(frozen=True, slots=True)
class ExpiredToken:
    """Answers 401 in the vendor's words."""

    kind: ClassVar[str] = "expired_token"

    def inject(self, injection: Injection) -> None:
        """Refuses in place of the handler."""
        injection.refusal = Refusal(
            "unauthenticated", "the token has expired", details={"injected": True, "expired": True}
        )
