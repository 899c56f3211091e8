"""A sorted map that can be copied in constant time and counts its ranges.

A B+-tree. Every node belongs to the map that made it, and only its owner changes it in place; to
all others it is fixed, and a write makes copies along one path and leaves the rest shared. Forking
a map, or beginning to walk it, gives up its nodes: that is what lets a world be forked for the
price of a few pointers, at a thousand executions as at a million, and a list be read while the
world goes on. Every branch knows how many entries stand before each child, so a page at any offset
and the size of any range cost a few bisections.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, Generic, TypeVar

V = TypeVar("V")

NODE_SIZE_MAX = 48
_NODE_SIZE_MIN = 16
# What nodes are filled to where many are made at once, so that the next writes do not split them.
_FILLED = NODE_SIZE_MAX * 3 // 4
# So few changes are made one by one.
_FEW = 6


class _Leaf:
    __slots__ = ("keys", "owner", "size", "values")

    def __init__(self, keys: list[Any], values: list[Any], owner: object) -> None:
        self.keys = keys
        self.values = values
        self.size: int = len(keys)
        self.owner = owner


class _Branch:
    """``keys[i]`` is the least key below ``children[i]``."""

    __slots__ = ("before_known", "children", "keys", "owner", "size")

    def __init__(self, keys: list[Any], children: list[_Node], owner: object) -> None:
        self.keys = keys
        self.children = children
        self.size: int = sum([child.size for child in children])
        self.owner = owner
        self.before_known: list[int] | None = None

    @property
    def before(self) -> list[int]:
        """How many entries stand left of each child; worked out when asked for after a change."""
        if self.before_known is None:
            self.before_known = [0, *accumulate([child.size for child in self.children[:-1]])]
        return self.before_known

    def changed(self, by: int) -> None:
        """The entries below have become ``by`` more."""
        self.size += by
        self.before_known = None


_Node = _Leaf | _Branch


class SortedMap(Generic[V]):
    """A mapping ordered by key. Keys are any mutually comparable values; ``fork`` is O(1)."""

    __slots__ = ("_owner", "_root")

    def __init__(self, items: Iterable[tuple[Any, V]] = ()) -> None:
        """Builds from (key, value) pairs in any order; of equal keys the last one counts."""
        ordered = dict(sorted(items, key=lambda item: item[0]))
        self._owner = object()
        self._root: _Node = _build(list(ordered.keys()), list(ordered.values()), self._owner)

    def fork(self) -> SortedMap[V]:
        """A copy that shares all entries; later writes to either stay its own."""
        twin: SortedMap[V] = SortedMap.__new__(SortedMap)
        twin._root = self._root
        self._owner, twin._owner = object(), object()
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
            # Less than the least key: -1 leads to the last child, which has not got it either.
            node = node.children[bisect_right(node.keys, key) - 1]
        keys = node.keys
        index = bisect_left(keys, key)
        if index < node.size and keys[index] == key:
            value: V = node.values[index]
            return value
        return default

    def __setitem__(self, key: Any, value: V) -> None:
        if self._set_in_place(key, value):
            return
        root, sibling = _insert(self._root, key, value, self._owner)
        self._root = root if sibling is None else _branch([root, sibling], self._owner)

    def _set_in_place(self, key: Any, value: V) -> bool:
        """Sets ``key`` where no node must be copied, split or given another least key: nearly
        always, and several times faster than what copes with everything.
        """
        owner, node = self._owner, self._root
        path: list[_Branch] = []
        while isinstance(node, _Branch):
            index = bisect_right(node.keys, key) - 1
            if index < 0 or node.owner is not owner:
                return False
            path.append(node)
            node = node.children[index]
        if node.owner is not owner:
            return False
        index = bisect_left(node.keys, key)
        if index < node.size and node.keys[index] == key:
            node.values[index] = value
            return True
        if node.size >= NODE_SIZE_MAX:
            return False
        node.keys.insert(index, key)
        node.values.insert(index, value)
        node.size += 1
        for branch in path:
            branch.size += 1
            branch.before_known = None
        return True

    def discard(self, key: Any) -> None:
        """Removes ``key``; nothing happens when it is not there."""
        self._root = _without_stem(_remove(self._root, key, self._owner))

    def change(self, gone: Iterable[Any], come: Iterable[tuple[Any, V]]) -> None:
        """Removes the keys ``gone``, then sets all that ``come``: many at a fraction of the cost of
        one by one, since each node is changed once.
        """
        changes: dict[Any, Any] = dict.fromkeys(gone, _ABSENT)
        changes.update(come)
        if len(changes) <= _FEW:
            for key, value in changes.items():
                if value is _ABSENT:
                    self.discard(key)
                else:
                    self[key] = value
            return
        keys = sorted(changes)
        nodes = _changed(self._root, keys, [changes[key] for key in keys], self._owner)
        while len(nodes) > 1:
            nodes = _branches(nodes, self._owner)
        self._root = _without_stem(nodes[0]) if nodes else _Leaf([], [], self._owner)

    def rank(self, key: Any) -> int:
        """How many keys are less than ``key``."""
        node, rank = self._root, 0
        while isinstance(node, _Branch):
            index = bisect_right(node.keys, key) - 1
            if index < 0:
                return rank
            if index:
                rank += (node.before_known or node.before)[index]
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

    def values(self, start: int, stop: int) -> list[V]:
        """The values at positions ``start`` to ``stop`` (exclusive), in order, at once."""
        found: list[V] = []
        _collect(self._root, max(start, 0), min(stop, self._root.size), found)
        return found

    def items(
        self, start: int = 0, stop: int | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[Any, V]]:
        """The entries at positions ``start`` to ``stop`` (exclusive), last first if ``reverse``."""
        start = max(start, 0)
        stop = self._root.size if stop is None else min(stop, self._root.size)
        if start >= stop:
            return iter(())
        # Whoever walks sees the map as it is now: later writes leave these nodes alone.
        self._owner = object()
        walk = _walk_back if reverse else _walk
        return walk(self._root, start, stop)


_ABSENT: Any = object()


def _without_stem(root: _Node) -> _Node:
    """The tree without branches at its top that have one child."""
    while isinstance(root, _Branch) and len(root.children) == 1:
        root = root.children[0]
    return root


def _build(keys: list[Any], values: list[Any], owner: object) -> _Node:
    """A tree over sorted keys."""
    if not keys:
        return _Leaf([], [], owner)
    level = _leaves(keys, values, owner)
    while len(level) > 1:
        level = _branches(level, owner)
    return level[0]


def _leaves(keys: list[Any], values: list[Any], owner: object) -> list[_Node]:
    """Sorted entries as leaves: one if they fit."""
    if len(keys) <= NODE_SIZE_MAX:
        return [_Leaf(keys, values, owner)] if keys else []
    return [
        _Leaf(keys[i : i + _FILLED], values[i : i + _FILLED], owner)
        for i in range(0, len(keys), _FILLED)
    ]


def _branches(children: list[_Node], owner: object) -> list[_Node]:
    """The level above these nodes: one branch if they fit."""
    if len(children) <= NODE_SIZE_MAX:
        return [_branch(children, owner)] if children else []
    return [_branch(children[i : i + _FILLED], owner) for i in range(0, len(children), _FILLED)]


def _changed(node: _Node, keys: list[Any], values: list[Any], owner: object) -> list[_Node]:
    """The nodes that stand for ``node`` once these sorted entries are set (absent: removed)."""
    if isinstance(node, _Leaf):
        return _changed_leaf(node, keys, values, owner)
    children: list[_Node] = []
    start, last = 0, len(node.children) - 1
    for index, child in enumerate(node.children):
        stop = len(keys) if index == last else bisect_left(keys, node.keys[index + 1], start)
        if start == stop:
            children.append(child)
            continue
        for changed in _changed(child, keys[start:stop], values[start:stop], owner):
            _append(children, changed, owner)
        start = stop
    return _branches(children, owner)


def _changed_leaf(node: _Leaf, keys: list[Any], values: list[Any], owner: object) -> list[_Node]:
    if node.size and node.keys[-1] < keys[0] and _ABSENT not in values:
        # New ones after all others: by far the most that happens to an order by time.
        return _leaves(node.keys + keys, node.values + values, owner)
    if len(keys) <= _FEW:
        node = _Leaf(node.keys.copy(), node.values.copy(), owner)
        for key, value in zip(keys, values, strict=True):
            _change(node, key, value)
        return _leaves(node.keys, node.values, owner)
    entries = dict(zip(node.keys, node.values, strict=True))
    entries.update(zip(keys, values, strict=True))
    left = sorted(key for key, value in entries.items() if value is not _ABSENT)
    return _leaves(left, [entries[key] for key in left], owner)


def _change(leaf: _Leaf, key: Any, value: Any) -> None:
    """Sets a key of an owned leaf, or removes it (absent); its size is to be mended."""
    index = bisect_left(leaf.keys, key)
    is_there = index < len(leaf.keys) and leaf.keys[index] == key
    if value is _ABSENT:
        if is_there:
            del leaf.keys[index], leaf.values[index]
    elif is_there:
        leaf.values[index] = value
    else:
        leaf.keys.insert(index, key)
        leaf.values.insert(index, value)


def _append(nodes: list[_Node], node: _Node, owner: object) -> None:
    """Adds a node to its left neighbours, joined with the last of them if that is small."""
    nodes.append(node)
    if len(nodes) > 1 and min(len(nodes[-2].keys), len(node.keys)) < _NODE_SIZE_MIN:
        nodes[-2:] = _joined(nodes[-2], node, owner)


def _branch(children: list[_Node], owner: object) -> _Branch:
    return _Branch([child.keys[0] for child in children], children, owner)


def _owned_leaf(node: _Leaf, owner: object) -> _Leaf:
    return node if node.owner is owner else _Leaf(node.keys.copy(), node.values.copy(), owner)


def _owned_branch(node: _Branch, owner: object) -> _Branch:
    if node.owner is owner:
        return node
    return _Branch(node.keys.copy(), node.children.copy(), owner)


def _insert(node: _Node, key: Any, value: Any, owner: object) -> tuple[_Node, _Node | None]:
    """The node that stands for ``node`` once ``key`` is in it, and its new right neighbour."""
    if isinstance(node, _Leaf):
        return _insert_into_leaf(node, key, value, owner)
    index = max(bisect_right(node.keys, key) - 1, 0)
    size_before = node.children[index].size
    child, sibling = _insert(node.children[index], key, value, owner)
    node = _owned_branch(node, owner)
    node.children[index] = child
    node.keys[index] = child.keys[0]
    grown = child.size - size_before
    if sibling is not None:
        node.children.insert(index + 1, sibling)
        node.keys.insert(index + 1, sibling.keys[0])
        grown += sibling.size
    if grown or sibling is not None:
        node.changed(grown)
    if len(node.children) <= NODE_SIZE_MAX:
        return node, None
    half = len(node.children) // 2
    right = _Branch(node.keys[half:], node.children[half:], owner)
    return _Branch(node.keys[:half], node.children[:half], owner), right


def _insert_into_leaf(
    node: _Leaf, key: Any, value: Any, owner: object
) -> tuple[_Leaf, _Leaf | None]:
    index = bisect_left(node.keys, key)
    node = _owned_leaf(node, owner)
    if index < node.size and node.keys[index] == key:
        node.keys[index] = key
        node.values[index] = value
        return node, None
    # An ascending run of keys is the usual case: leave the left node nearly full.
    is_last = index == node.size
    node.keys.insert(index, key)
    node.values.insert(index, value)
    node.size += 1
    if node.size <= NODE_SIZE_MAX:
        return node, None
    half = node.size - _NODE_SIZE_MIN if is_last else node.size // 2
    right = _Leaf(node.keys[half:], node.values[half:], owner)
    return _Leaf(node.keys[:half], node.values[:half], owner), right


def _remove(node: _Node, key: Any, owner: object) -> _Node:
    """``node`` without ``key``; empty children are dropped, small ones are joined."""
    if isinstance(node, _Leaf):
        index = bisect_left(node.keys, key)
        if index == node.size or node.keys[index] != key:
            return node
        node = _owned_leaf(node, owner)
        del node.keys[index], node.values[index]
        node.size -= 1
        return node
    index = max(bisect_right(node.keys, key) - 1, 0)
    size_before = node.children[index].size
    child = _remove(node.children[index], key, owner)
    if child.size == size_before:
        return node
    node = _owned_branch(node, owner)
    if child.size:
        node.children[index] = child
        node.keys[index] = child.keys[0]
        if len(child.keys) < _NODE_SIZE_MIN and len(node.children) > 1:
            _join(node, index, owner)
    else:
        del node.children[index], node.keys[index]
    if not node.children:
        return _Leaf([], [], owner)
    node.changed(child.size - size_before)
    return node


def _join(node: _Branch, index: int, owner: object) -> None:
    """Merges the small child at ``index`` with a neighbour where both fit into one node."""
    left = index - 1 if index else 0
    joined = _joined(node.children[left], node.children[left + 1], owner)
    node.children[left : left + 2] = joined
    node.keys[left : left + 2] = [child.keys[0] for child in joined]


def _joined(one: _Node, two: _Node, owner: object) -> list[_Node]:
    """Two neighbours as one node where they fit into one."""
    if len(one.keys) + len(two.keys) <= NODE_SIZE_MAX:
        if isinstance(one, _Branch) and isinstance(two, _Branch):
            return [_Branch(one.keys + two.keys, one.children + two.children, owner)]
        if isinstance(one, _Leaf) and isinstance(two, _Leaf):
            return [_Leaf(one.keys + two.keys, one.values + two.values, owner)]
    return [one, two]


def _collect(node: _Node, start: int, stop: int, found: list[Any]) -> None:
    if start >= stop:
        return
    if isinstance(node, _Leaf):
        found += node.values[start:stop]
        return
    before = node.before
    for index in range(bisect_right(before, start) - 1, len(before)):
        offset = before[index]
        if offset >= stop:
            return
        child = node.children[index]
        _collect(child, max(start - offset, 0), min(stop - offset, child.size), found)


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
