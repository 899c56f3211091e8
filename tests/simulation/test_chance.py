"""Chance: every draw follows from seed, purpose and the draws before it."""

from __future__ import annotations

from uuid import UUID

from mockexec.simulation.chance import Chance


def test_what_is_born_has_an_id_and_digits_of_its_own() -> None:
    """Each is another; the generator draws as many numbers as are asked for, none of them theirs."""
    chance = Chance(1)
    born = [chance.birth("x") for _ in range(50)]
    ids, digits, randoms = zip(*born, strict=True)
    assert len({*ids, *digits}) == 100
    assert all(UUID(one).version == 4 and UUID(one).variant for one in ids)
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in digits)
    for random in randoms:
        drawn = [random.random() for _ in range(20)]
        assert len({*drawn}) == 20
        assert all(0 <= number < 1 for number in drawn)


def test_a_birth_repeats_and_shifts_nothing_else() -> None:
    """The same seed gives the same; a fork goes on where it was; other purposes do not notice."""
    one, two = Chance(7), Chance(7)
    other = two.uuid("other")
    first = [one.birth("x")[:2] for _ in range(3)]
    assert [two.birth("x")[:2] for _ in range(3)] == first
    assert one.uuid("other") == other
    assert one.fork().birth("x")[:2] == two.birth("x")[:2]
    assert Chance(8).birth("x")[:2] != first[0]
