"""A hash map that can be copied for next to nothing: what copies have in common lies in layers.

Nobody changes a layer. What a map has written since it was last copied lies in front of them, in a
dictionary of its own; copying it makes that a layer, too. A layer at least half as large as the one
behind it is merged with it, so there are few, and each entry is copied a few times in all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

V = TypeVar("V")

_ABSENT: Any = object()
# Stands in a layer for what the layers behind it have and the map has not.
_GONE: Any = object()


class LayeredMap(Generic[V]):
    """Values, none of which is None, by hashable keys."""

    __slots__ = ("_layers", "_own", "size")

    def __init__(self, items: Iterable[tuple[Any, V]] = ()) -> None:
        self._own: dict[Any, V] = dict(items)
        self._layers: tuple[dict[Any, V], ...] = ()  # the newest first
        self.size = len(self._own)

    def fork(self) -> LayeredMap[V]:
        """A copy that shares all entries; later writes to either stay its own."""
        if self._own:
            self._seal()
        twin: LayeredMap[V] = LayeredMap.__new__(LayeredMap)
        twin._own, twin._layers, twin.size = {}, self._layers, self.size
        return twin

    def __len__(self) -> int:
        return self.size

    def get(self, key: Any) -> V | None:
        """The value at ``key``, or None."""
        found = self._own.get(key, _ABSENT)
        if found is _ABSENT:
            for layer in self._layers:
                found = layer.get(key, _ABSENT)
                if found is not _ABSENT:
                    break
            else:
                return None
        return None if found is _GONE else found

    def put(self, key: Any, value: V) -> V | None:
        """Sets ``key``; returns what it had before, or None."""
        old: V | None = self._own.get(key, _ABSENT)
        for layer in self._layers:
            if old is not _ABSENT:
                break
            old = layer.get(key, _ABSENT)
        self._own[key] = value
        if old is _ABSENT or old is _GONE:
            self.size += 1
            return None
        return old

    def pop(self, key: Any) -> V | None:
        """Removes ``key``; returns what it had, or None."""
        old = self.get(key)
        if old is not None:
            self.size -= 1
            if self._layers:
                self._own[key] = _GONE
            else:
                del self._own[key]
        return old

    def items(self) -> Iterator[tuple[Any, V]]:
        """The entries as they are now, by key."""
        merged: dict[Any, V] = {}
        for layer in (*self._layers[::-1], self._own):
            merged.update(layer)
        keys = sorted(merged)
        return ((key, merged[key]) for key in keys if merged[key] is not _GONE)

    def _seal(self) -> None:
        """Makes a layer of what is this map's own."""
        front, behind = self._own, self._layers
        while behind and len(front) * 2 >= len(behind[0]):
            front, behind = {**behind[0], **front}, behind[1:]
            if not behind:
                front = {key: value for key, value in front.items() if value is not _GONE}
        self._own, self._layers = {}, (front, *behind)
