"""Malformed JSON: a body of the right length in spirit that no parser takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mockexec.faults.fault import Injection


@dataclass(frozen=True, slots=True)
class MalformedJson:
    """Every value separator is doubled and the last bracket is lost."""

    kind: ClassVar[str] = "malformed_json"

    def inject(self, injection: Injection) -> None:
        """Spoils the body."""
        injection.transforms.append(_spoilt)


def _spoilt(body: bytes) -> bytes:
    return body[:-1].replace(b",", b",,") + b'"' if body else b"{"
