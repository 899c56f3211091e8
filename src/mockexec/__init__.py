"""mockexec: a mock and contract-test server generated from OpenAPI documents.

From Python: ``serve`` (in a thread), ``in_process`` (without a socket) and ``connect`` (to one that
runs already) are context managers that give a ``LiveMock``. They are loaded when first used, since
they bring the whole server with them. ``verify_tests`` makes pytest tests of an API's checks.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockexec.door import (
        InProcessMock,
        LiveApi,
        LiveMock,
        LiveSession,
        connect,
        in_process,
        serve,
    )
    from mockexec.pytest_plugin import verify_tests

__all__ = [
    "InProcessMock", "LiveApi", "LiveMock", "LiveSession", "connect", "in_process", "serve",
    "verify_tests",
]  # fmt: skip

if not TYPE_CHECKING:
    # Unseen by type checkers, to which it would mean that every name is there.
    def __getattr__(name: str) -> Any:
        if name in __all__:
            home = "mockexec.pytest_plugin" if name == "verify_tests" else "mockexec.door"
            return getattr(import_module(home), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
