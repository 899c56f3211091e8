"""What a user may set about a server, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BODY_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one mock server.

    ``strict`` refuses what no document knows and answers 500 where a reply of ours breaks its
    document; ``any_token`` takes any credential of the right form for the development one;
    ``control_token`` is what callers of the control
    API must show, where one is set; ``options`` holds the dialects' own, as ``<api>.<option>``.
    """

    strict: bool = False
    any_token: bool = False
    cors: bool = True
    control_token: str = ""
    body_max_bytes: int = BODY_MAX_BYTES
    options: Mapping[str, str] = field(default_factory=dict)

    def option(self, api: str, name: str, default: str) -> str:
        """The dialect option ``name`` of ``api``."""
        return self.options.get(f"{api}.{name}", default)
