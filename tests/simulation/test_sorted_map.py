"""The sorted map against a plain dict."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mockexec.simulation.sorted_map import NODE_SIZE_MAX, SortedMap, _Leaf, _Node

KEYS = st.integers(0, 400)
WRITES = st.lists(st.tuples(st.booleans(), KEYS), max_size=600)


def apply(target: SortedMap[int], model: dict[int, int], writes: list[tuple[bool, int]]) -> None:
    """The same writes on both."""
    for position, (adds, key) in enumerate(writes):
        if adds:
            target[key] = position
            model[key] = position
        else:
            target.discard(key)
            model.pop(key, None)


def assert_same(target: SortedMap[int], model: dict[int, int]) -> None:
    """Content, order, counts and slices agree."""
    ordered = sorted(model.items())
    assert list(target.items()) == ordered
    assert list(target.items(reverse=True)) == ordered[::-1]
    assert len(target) == len(model)
    assert target.first() == (ordered[0] if ordered else None)
    for probe in (0, 17, 200, 401):
        assert target.rank(probe) == sum(key < probe for key in model)
        assert target.get(probe) == model.get(probe)
        assert (probe in target) == (probe in model)


@given(WRITES)
def test_it_is_a_dict_in_order(writes: list[tuple[bool, int]]) -> None:
    """After any writes it holds what a dict would, sorted."""
    target: SortedMap[int] = SortedMap()
    model: dict[int, int] = {}
    apply(target, model, writes)
    assert_same(target, model)


@given(WRITES, WRITES, WRITES)
def test_a_fork_and_its_origin_do_not_see_each_others_writes(
    before: list[tuple[bool, int]], here: list[tuple[bool, int]], there: list[tuple[bool, int]]
) -> None:
    """Both sides go on from the same content, each by itself."""
    origin: SortedMap[int] = SortedMap()
    model: dict[int, int] = {}
    apply(origin, model, before)
    twin, twin_model = origin.fork(), dict(model)
    apply(origin, model, here)
    apply(twin, twin_model, there)
    assert_same(origin, model)
    assert_same(twin, twin_model)


@given(st.sets(KEYS), st.integers(0, 420), st.integers(0, 420), st.booleans())
def test_any_slice_is_the_slice_of_the_sorted_list(
    keys: set[int], start: int, stop: int, reverse: bool
) -> None:
    """``items`` by position, in both directions, from a map that was built at once."""
    target = SortedMap((key, str(key)) for key in keys)
    expected = [(key, str(key)) for key in sorted(keys)[start:stop]]
    assert list(target.items(start, stop, reverse=reverse)) == (
        expected[::-1] if reverse else expected
    )
    assert target.values(start, stop) == [value for _, value in expected]


def test_the_last_of_equal_keys_counts() -> None:
    """Building from pairs is like building a dict from them."""
    assert list(SortedMap([(1, "a"), (1, "b")]).items()) == [(1, "b")]


@given(WRITES, WRITES, st.booleans())
def test_whoever_walks_sees_the_map_as_it_was(
    before: list[tuple[bool, int]], during: list[tuple[bool, int]], reverse: bool
) -> None:
    """Writes in the middle of a walk do not reach it."""
    target: SortedMap[int] = SortedMap()
    model: dict[int, int] = {}
    apply(target, model, before)
    expected = sorted(model.items(), reverse=reverse)
    walk = target.items(reverse=reverse)
    seen = [next(walk)] if expected else []
    apply(target, model, during)
    assert seen + list(walk) == expected
    assert_same(target, model)


BATCHES = st.lists(WRITES, max_size=6)


@given(st.lists(KEYS, max_size=600), BATCHES, st.booleans())
def test_many_changes_at_once_are_the_same_as_one_by_one(
    keys: list[int], batches: list[list[tuple[bool, int]]], forks: bool
) -> None:
    """``change`` removes and sets as single writes do; whoever has a fork does not see it."""
    target: SortedMap[int] = SortedMap((key, -key) for key in keys)
    model = {key: -key for key in keys}
    for number, batch in enumerate(batches):
        before, model_before = target.fork() if forks else None, dict(model)
        gone = [key for adds, key in batch if not adds]
        come = [(key, number) for adds, key in batch if adds]
        target.change(gone, come)
        for key in gone:
            model.pop(key, None)
        model.update(come)
        assert_same(target, model)
        if before is not None:
            assert_same(before, model_before)


@given(st.lists(st.sets(KEYS, max_size=300), max_size=8))
def test_changed_nodes_stay_within_their_size(batches: list[set[int]]) -> None:
    """However it was filled and emptied, no node is too large and no branch is empty."""
    target: SortedMap[int] = SortedMap()
    for number, batch in enumerate(batches):
        target.change(batch if number % 2 else (), () if number % 2 else [(k, k) for k in batch])
        _assert_sound(target._root)


def _assert_sound(node: _Node) -> int:
    """Sizes add up, keys lead to the right child; returns the depth, the same for all children."""
    assert len(node.keys) <= NODE_SIZE_MAX
    assert node.keys == sorted(node.keys)
    if isinstance(node, _Leaf):
        assert node.size == len(node.keys) == len(node.values)
        return 0
    assert node.children
    assert node.size == sum(child.size for child in node.children)
    assert node.keys == [child.keys[0] for child in node.children]
    (depth,) = {_assert_sound(child) for child in node.children}
    return depth + 1
