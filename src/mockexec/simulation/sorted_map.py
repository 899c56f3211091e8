"""A sorted map that can be copied in constant time and counts its ranges.

A B+-tree whose nodes are never changed once built: a write makes new nodes along one path and
leaves the rest shared. That is what lets a world be forked for the price of a few pointers, at a
thousand executions as at a million. Every branch knows how many entries stand before each child,
so a page at any offset and the size of any range cost a few bisections.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, Generic, TypeVar

V = TypeVar("V")

NODE_SIZE_MAX = 48
_NODE_SIZE_MIN = 16


class _Leaf:
    __slots__ = ("keys", "size", "values")

    def __init__(self, keys: list[Any], values: list[Any]) -> None:
        self.keys = keys
        self.values = values
        self.size: int = len(keys)


class _Branch:
    """``keys[i]`` is the least key below ``children[i]``, ``before[i]`` the entries left of it."""

    __slots__ = ("before", "children", "keys", "size")

    def __init__(self, keys: list[Any], children: list[_Node]) -> None:
        self.keys = keys
        self.children = children
        self.before: list[int] = [0, *accumulate([child.size for child in children])]
        self.size: int = self.before.pop()


_Node = _Leaf | _Branch

_EMPTY = _Leaf([], [])


class SortedMap(Generic[V]):
    """A mapping ordered by key. Keys are any mutually comparable values; ``fork`` is O(1)."""

    __slots__ = ("_root",)

    def __init__(self, items: Iterable[tuple[Any, V]] = ()) -> None:
        """Builds from (key, value) pairs in any order; of equal keys the last one counts."""
        ordered = dict(sorted(items, key=lambda item: item[0]))
        self._root: _Node = _build(list(ordered.keys()), list(ordered.values()))

    def fork(self) -> SortedMap[V]:
        """A copy that shares all entries; later writes to either stay its own."""
        twin: SortedMap[V] = SortedMap.__new__(SortedMap)
        twin._root = self._root
        return twin

    def __len__(self) -> int:
        return self._root.size

    def __contains__(self, key: Any) -> bool:
        return self.get(key, _ABSENT) is not _ABSENT

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self.items())

    def get(self, key: Any, default: V | None = None) -> V | None:
        """The value at ``key``, or ``default``."""
        node = self._root
        while isinstance(node, _Branch):
            node = node.children[max(bisect_right(node.keys, key) - 1, 0)]
        index = bisect_left(node.keys, key)
        if index < node.size and node.keys[index] == key:
            value: V = node.values[index]
            return value
        return default

    def __setitem__(self, key: Any, value: V) -> None:
        nodes = _insert(self._root, key, value)
        self._root = nodes[0] if len(nodes) == 1 else _branch(nodes)

    def discard(self, key: Any) -> None:
        """Removes ``key``; nothing happens when it is not there."""
        root = _remove(self._root, key)
        while isinstance(root, _Branch) and len(root.children) == 1:
            root = root.children[0]
        self._root = root if root.size else _EMPTY

    def rank(self, key: Any) -> int:
        """How many keys are less than ``key``."""
        node, rank = self._root, 0
        while isinstance(node, _Branch):
            index = max(bisect_right(node.keys, key) - 1, 0)
            rank += node.before[index]
            node = node.children[index]
        return rank + bisect_left(node.keys, key)

    def first(self) -> tuple[Any, V] | None:
        """The entry with the least key, or None when empty."""
        node = self._root
        if not node.size:
            return None
        while isinstance(node, _Branch):
            node = node.children[0]
        return node.keys[0], node.values[0]

    def items(
        self, start: int = 0, stop: int | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[Any, V]]:
        """The entries at positions ``start`` to ``stop`` (exclusive), last first if ``reverse``."""
        start = max(start, 0)
        stop = self._root.size if stop is None else min(stop, self._root.size)
        if start >= stop:
            return iter(())
        walk = _walk_back if reverse else _walk
        return walk(self._root, start, stop)


_ABSENT: Any = object()


def _build(keys: list[Any], values: list[Any]) -> _Node:
    """A tree over sorted keys, filled to three quarters so that the next writes do not split."""
    if not keys:
        return _EMPTY
    step = NODE_SIZE_MAX * 3 // 4
    level: list[_Node] = [
        _Leaf(keys[i : i + step], values[i : i + step]) for i in range(0, len(keys), step)
    ]
    while len(level) > 1:
        level = [_branch(level[i : i + step]) for i in range(0, len(level), step)]
    return level[0]


def _branch(children: list[_Node]) -> _Branch:
    return _Branch([child.keys[0] for child in children], children)


def _insert(node: _Node, key: Any, value: Any) -> list[_Node]:
    """The one or two nodes that stand for ``node`` once ``key`` is in it."""
    if isinstance(node, _Branch):
        index = max(bisect_right(node.keys, key) - 1, 0)
        fresh = _insert(node.children[index], key, value)
        children = node.children[:index] + fresh + node.children[index + 1 :]
        keys = node.keys[:index] + [child.keys[0] for child in fresh] + node.keys[index + 1 :]
        if len(children) <= NODE_SIZE_MAX:
            return [_Branch(keys, children)]
        half = len(children) // 2
        return [_Branch(keys[:half], children[:half]), _Branch(keys[half:], children[half:])]
    index = bisect_left(node.keys, key)
    after = index + (index < node.size and node.keys[index] == key)
    keys = [*node.keys[:index], key, *node.keys[after:]]
    values = [*node.values[:index], value, *node.values[after:]]
    if len(keys) <= NODE_SIZE_MAX:
        return [_Leaf(keys, values)]
    # An ascending run of keys is the usual case: leave the left node nearly full.
    half = len(keys) - _NODE_SIZE_MIN if index == node.size else len(keys) // 2
    return [_Leaf(keys[:half], values[:half]), _Leaf(keys[half:], values[half:])]


def _remove(node: _Node, key: Any) -> _Node:
    """``node`` without ``key``; empty children are dropped, small ones are joined."""
    if isinstance(node, _Branch):
        index = max(bisect_right(node.keys, key) - 1, 0)
        child = _remove(node.children[index], key)
        if child is node.children[index]:
            return node
        children = node.children.copy()
        children[index] = child
        if not child.size:
            del children[index]
        elif len(child.keys) < _NODE_SIZE_MIN and len(children) > 1:
            _join(children, index)
        return _branch(children) if children else _EMPTY
    index = bisect_left(node.keys, key)
    if index == node.size or node.keys[index] != key:
        return node
    return _Leaf(
        node.keys[:index] + node.keys[index + 1 :], node.values[:index] + node.values[index + 1 :]
    )


def _join(children: list[_Node], index: int) -> None:
    """Merges the small child at ``index`` with a neighbour where both fit into one node."""
    left = index - 1 if index else 0
    one, two = children[left], children[left + 1]
    if len(one.keys) + len(two.keys) > NODE_SIZE_MAX:
        return
    joined: _Node
    if isinstance(one, _Branch) and isinstance(two, _Branch):
        joined = _Branch(one.keys + two.keys, one.children + two.children)
    elif isinstance(one, _Leaf) and isinstance(two, _Leaf):
        joined = _Leaf(one.keys + two.keys, one.values + two.values)
    else:  # pragma: no cover  # siblings are of one kind
        return
    children[left : left + 2] = [joined]


def _walk(node: _Node, start: int, stop: int) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, _Leaf):
        yield from zip(node.keys[start:stop], node.values[start:stop], strict=True)
        return
    for index in range(bisect_right(node.before, start) - 1, len(node.children)):
        offset = node.before[index]
        if offset >= stop:
            return
        yield from _walk(node.children[index], max(start - offset, 0), stop - offset)


def _walk_back(node: _Node, start: int, stop: int) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, _Leaf):
        stop = min(stop, node.size)
        yield from zip(
            reversed(node.keys[start:stop]), reversed(node.values[start:stop]), strict=True
        )
        return
    for index in range(bisect_left(node.before, stop) - 1, -1, -1):
        offset, child = node.before[index], node.children[index]
        if offset + child.size <= start:
            return
        yield from _walk_back(child, max(start - offset, 0), stop - offset)
