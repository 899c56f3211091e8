"""Malformed JSON: a body that begins well and that no parser takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mockexec.faults.fault import Injection


@dataclass(frozen=True, slots=True)
class MalformedJson:
    """Every comma is doubled, and the end is lost."""

    kind: ClassVar[str] = "malformed_json"

    def inject(self, injection: Injection) -> None:
        """Spoils the body."""
        injection.transforms.append(_spoilt)


def _spoilt(body: bytes) -> bytes:
    # Whatever is open, a text included: these two never belong together.
    return body[:-1].replace(b",", b",,") + b"}]"
