"""Seeded chance: every draw is a function of (seed, purpose, how many draws before it).

A purpose is a text such as ``sailpoint/ids``; draws for one never shift another's. The state is a
handful of counters, so that forking and storing it cost next to nothing.
"""

from __future__ import annotations

import random  # noqa: TID251  # the one place that imports it
from collections.abc import Mapping
from hashlib import blake2b
from random import Random  # noqa: TID251  # the one place that imports it
from struct import Struct
from typing import Any
from uuid import UUID

__all__ = ["Chance", "Random"]

_NUMBERS = Struct(">8Q")
# The digit of a UUID that tells its variant, whose upper two bits are fixed.
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class Chance:
    """The chance of one world."""

    __slots__ = ("_counters", "_hashers", "_key", "seed")

    def __init__(self, seed: int = 0) -> None:
        self.reseed(seed)
        self._counters: dict[str, int] = {}

    def fork(self) -> Chance:
        """A copy that goes on by itself."""
        twin: Chance = Chance.__new__(Chance)
        twin.seed, twin._key, twin._hashers = self.seed, self._key, self._hashers
        twin._counters = self._counters.copy()
        return twin

    def export(self) -> dict[str, Any]:
        """Seed and counters, as JSON data."""
        return {"seed": self.seed, "counters": dict(self._counters)}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Goes on where ``export`` was made."""
        self.reseed(int(data["seed"]))
        self._counters = {str(purpose): int(count) for purpose, count in data["counters"].items()}

    def reseed(self, seed: int) -> None:
        """From now on every draw is another world's; the counters go on."""
        self.seed = seed
        self._key = blake2b(str(seed).encode(), digest_size=32).digest()
        # By the size of a draw: copying one is cheaper than making it.
        self._hashers: dict[int, blake2b] = {}

    def draw(self, purpose: str, size: int = 16) -> bytes:
        """The next ``size`` (at most 64) bytes for ``purpose``."""
        count = self._counters.get(purpose, 0)
        self._counters[purpose] = count + 1
        hasher = self._hashers.get(size)
        if hasher is None:
            hasher = self._hashers[size] = blake2b(digest_size=size, key=self._key)
        hasher = hasher.copy()
        hasher.update(f"{purpose}#{count}".encode())
        return hasher.digest()

    def hex(self, purpose: str, digits: int = 32) -> str:
        """The next text of ``digits`` (even, at most 128) hexadecimal digits."""
        return self.draw(purpose, digits // 2).hex()

    def uuid(self, purpose: str) -> str:
        """The next UUID, of version 4 in form."""
        return _uuid(self.draw(purpose).hex())

    def birth(self, purpose: str) -> tuple[str, str, Random]:
        """What something new needs, all of one draw: a UUID, 32 hexadecimal digits, and a generator
        as from ``draws`` for the rest.
        """
        block = self.draw(purpose, _NUMBERS.size)
        digits = block.hex()
        return _uuid(digits[:32]), digits[32:64], _Draws(block, 4)

    def random(self, purpose: str) -> Random:
        """A generator of its own for the next event of ``purpose``: as many draws as it needs."""
        return random.Random(self.draw(purpose))  # noqa: S311  # simulated chance, not a secret

    def draws(self, purpose: str) -> Random:
        """The same for an event that needs a handful: slower to draw from, but ready at once."""
        return _Draws(self.draw(purpose, _NUMBERS.size))


class _Draws(Random):
    """A chain of hashes as a generator. To seed the usual one takes ten times as long as most
    events draw from it.
    """

    gauss_next = None

    def __init__(self, block: bytes, used: int = 0) -> None:
        """``used``: how many numbers of the block serve another purpose."""
        self._block = block
        self._numbers = list(_NUMBERS.unpack(block)[used:])

    def _next(self) -> int:
        """The next 64 bits."""
        if not self._numbers:
            self._block = blake2b(self._block, digest_size=_NUMBERS.size).digest()
            self._numbers = list(_NUMBERS.unpack(self._block))
        number: int = self._numbers.pop()
        return number

    def random(self) -> float:
        """The next number from 0 to 1 (exclusive)."""
        numbers = self._numbers
        return ((numbers.pop() if numbers else self._next()) >> 11) * 2.0**-53

    def getrandbits(self, k: int) -> int:
        """A number of ``k`` bits."""
        bits, have = 0, 0
        while have < k:
            bits, have = bits << 64 | self._next(), have + 64
        return bits >> (have - k)


def _uuid(digits: str) -> str:
    """A UUID of version 4 in form, of 32 hexadecimal digits."""
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-"
        f"{_VARIANTS[digits[16]]}{digits[17:20]}-{digits[20:]}"
    )


def time_uuid(ns: int, tail: bytes) -> str:
    """A UUID in the form of version 1 that tells the instant ``ns``; ``tail`` is 8 chance bytes."""
    ticks = ns // 100 + 0x01B2_1DD2_1381_4000
    low, middle, high = ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF
    clock, node = int.from_bytes(tail[:2], "big") & 0x3FFF, int.from_bytes(tail[2:8], "big")
    return str(UUID(fields=(low, middle, high | 0x1000, (clock >> 8) | 0x80, clock & 0xFF, node)))
