"""Remembering what was made of values that never change, such as the wire form of an execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

V = TypeVar("V")
R = TypeVar("R")

_VALUES_MAX = 4096


def remembered(make: Callable[[V], R]) -> Callable[[V], R]:
    """``make``, asked once for each value as long as it is remembered; at most 4,096 are.

    Values are told apart by identity: equal ones may belong to different worlds, and comparing
    them would cost what is saved. Nobody may change what ``make`` returned.
    """
    made: dict[int, tuple[V, R]] = {}

    def remember(value: V) -> R:
        found = made.get(id(value))
        # The value is held here, so that no other one can have its identity.
        if found is not None and found[0] is value:
            return found[1]
        result = make(value)
        if len(made) >= _VALUES_MAX:
            made.clear()
        made[id(value)] = (value, result)
        return result

    return remember
