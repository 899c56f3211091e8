"""A refusal: what an API says no to, as a value. Each dialect's ``errors.py`` renders it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mockexec.errors import Violation

_NONE: Mapping[str, Any] = MappingProxyType({})

# The reasons the server itself refuses for, with their usual status. Dialects add their own.
STATUS_BY_REASON = {
    "invalid": 400,
    "missing_body": 400,
    "malformed_body": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "unknown_path": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "conflict": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
    "rate_limited": 429,
    "full": 429,
    "internal": 500,
}


class Refusal(Exception):  # noqa: N818  # an answer, raised for convenience, not an error of ours
    """The API refuses a request.

    ``reason`` is one of ``STATUS_BY_REASON`` or a dialect's own word; ``message`` says what, where
    and what was expected; ``violations`` lists every input that is wrong; ``headers`` go into the
    answer as they are; ``details`` is for the dialect's renderer.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        status: int | None = None,
        violations: tuple[Violation, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
        details: Mapping[str, Any] = _NONE,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = STATUS_BY_REASON[reason] if status is None else status
        self.message = message
        self.violations = violations
        self.headers = headers
        self.details = details


def invalid(violations: list[Violation] | tuple[Violation, ...]) -> Refusal:
    """The refusal of inputs that break the document; its message tells all of them."""
    return Refusal("invalid", describe(violations), violations=tuple(violations))


def describe(violations: list[Violation] | tuple[Violation, ...]) -> str:
    """One line that names place and reason of every violation."""
    return "; ".join(f"{place(violation)} {violation.message}".strip() for violation in violations)


def place(violation: Violation) -> str:
    """Where a violation stands, in words: ``query parameter limit``, ``body /input/role``."""
    if violation.location in {"body", "response"}:
        return f"{violation.location} {violation.pointer}".strip()
    return f"{violation.location} parameter {violation.name}{violation.pointer}"
