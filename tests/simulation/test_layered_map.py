"""The layered map against plain dicts."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from mockexec.simulation.layered_map import LayeredMap

KEYS = st.integers(0, 40)


class Forks(RuleBasedStateMachine):
    """Maps are written to and forked in any order; each one has a dict that says what it holds."""

    maps = Bundle("maps")

    @rule(target=maps, keys=st.lists(KEYS, unique=True))
    def made(self, keys: list[int]) -> tuple[LayeredMap[int], dict[int, int]]:
        """A map of these."""
        return LayeredMap((key, -key) for key in keys), {key: -key for key in keys}

    @rule(target=maps, one=maps)
    def forked(
        self, one: tuple[LayeredMap[int], dict[int, int]]
    ) -> tuple[LayeredMap[int], dict[int, int]]:
        """A copy goes on by itself."""
        return one[0].fork(), dict(one[1])

    @rule(one=maps, key=KEYS, value=st.integers())
    def put(self, one: tuple[LayeredMap[int], dict[int, int]], key: int, value: int) -> None:
        """What was there before is told."""
        assert one[0].put(key, value) == one[1].get(key)
        one[1][key] = value

    @rule(one=maps, key=KEYS)
    def pop(self, one: tuple[LayeredMap[int], dict[int, int]], key: int) -> None:
        """What is gone is told, and is gone."""
        assert one[0].pop(key) == one[1].pop(key, None)

    @rule(one=maps, probe=KEYS)
    def looked(self, one: tuple[LayeredMap[int], dict[int, int]], probe: int) -> None:
        """Size, look-ups and walks agree."""
        layered, plain = one
        assert len(layered) == len(plain)
        assert layered.get(probe) == plain.get(probe)
        assert list(layered.items()) == sorted(plain.items())


TestForks = Forks.TestCase


@given(st.lists(st.lists(KEYS, max_size=5), max_size=30))
def test_a_long_line_of_forks_keeps_few_layers(writes: list[list[int]]) -> None:
    """However often it is forked, a look-up asks a handful of dictionaries."""
    layered: LayeredMap[int] = LayeredMap()
    for keys in writes:
        for key in keys:
            layered.put(key, key)
        layered = layered.fork()
    sizes = [len(layer) for layer in layered._layers]
    assert all(front * 2 < behind for front, behind in pairwise(sizes))
