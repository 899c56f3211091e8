"""mockexec: a mock and contract-test server generated from OpenAPI documents.

From Python: ``serve`` (in a thread), ``in_process`` (without a socket) and ``connect`` (to one that
runs already) are context managers that give a ``LiveMock``. They are loaded when first used, since
they bring the whole server with them.
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

__all__ = [
    "InProcessMock", "LiveApi", "LiveMock", "LiveSession", "connect", "in_process", "serve",
]  # fmt: skip

if not TYPE_CHECKING:
    # Unseen by type checkers, to which it would mean that every name is there.
    def __getattr__(name: str) -> Any:
        if name in __all__:
            return getattr(import_module("mockexec.door"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
