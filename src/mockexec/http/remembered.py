"""Remembering what was made of values that never change, such as the wire form of an execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import orjson

V = TypeVar("V")
R = TypeVar("R")

_VALUES_MAX = 4096
_LISTS_MAX = 256
_memories: list[dict[Any, Any]] = []


class Shared:
    """A body that many replies have in common: it is encoded once, and checked once.

    ``checked_by`` holds those who found nothing wrong with it. Nobody may change ``value``.
    """

    __slots__ = ("checked_by", "encoded", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.encoded = orjson.dumps(value)
        self.checked_by: list[object] = []


def forget() -> None:
    """Forgets everything that was remembered, for those who measure what it costs to make it."""
    for memory in _memories:
        memory.clear()


def remembered(make: Callable[[V], R]) -> Callable[[V], R]:
    """``make``, asked once for each value as long as it is remembered; at most 4,096 are.

    Values are told apart by identity: equal ones may belong to different worlds, and comparing
    them would cost what is saved. Nobody may change what ``make`` returned.
    """
    made: dict[int, tuple[V, R]] = {}
    _memories.append(made)

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


def remembered_list(make: Callable[[V], Any]) -> Callable[[list[V]], Shared]:
    """The JSON array of what ``make`` makes of each value; at most 256 are remembered.

    Values are told apart by identity, as in ``remembered``.
    """
    lists: dict[tuple[int, ...], tuple[list[V], Shared]] = {}
    _memories.append(lists)

    def remember(values: list[V]) -> Shared:
        key = tuple(map(id, values))
        found = lists.get(key)
        # The values are held here, so that no others can have their identities.
        if found is not None:
            return found[1]
        result = Shared([make(value) for value in values])
        if len(lists) >= _LISTS_MAX:
            lists.clear()
        lists[key] = (values, result)
        return result

    return remember
