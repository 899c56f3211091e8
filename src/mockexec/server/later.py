"""Imports put off until what they bring is used, for modules that we cannot change ourselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def imported_later(*names: str) -> Iterator[None]:
    """Whoever imports one of these modules within gets a stand-in; afterwards they are as ever.

    A stand-in has what the module has, and imports it when something is asked of it. Only what is
    asked within, as ``from module import name`` does, is another thing: a function that calls the
    real one, so it must be something to call. Modules that are there already stay as they are.
    """
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update({name: _StandIn(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            # Not where somebody imported the real one meanwhile.
            if isinstance(sys.modules[name], _StandIn):
                del sys.modules[name]


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        # The import machinery's own questions (``__path__``, ``__spec__``).
        if name.startswith("__"):
            raise AttributeError(name)

        if sys.modules.get(self.__name__) is not self:
            return getattr(import_module(self.__name__), name)

        def call(*arguments: Any, **options: Any) -> Any:
            return getattr(import_module(self.__name__), name)(*arguments, **options)

        return call
