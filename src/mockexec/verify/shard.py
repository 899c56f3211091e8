"""The whole of a run as units, and a share of them.

A unit is what can be run by itself: one check of ours; one operation in the phases of Schemathesis
that take operations one by one; its stateful phase, which needs them all. A run without shards is
all units together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mockexec.errors import UsageError

CHECK = "check:"
OPERATION = "operation:"
STATEFUL = "stateful"


@dataclass(frozen=True, slots=True)
class Shard:
    """The ``number``-th of ``count`` shares, counted from 1."""

    number: int = 1
    count: int = 1

    def share(self, units: Sequence[str]) -> tuple[str, ...]:
        """Its units. Every unit is in exactly one share of a count.

        Dealt out like cards, so that neighbours, which cost alike, are not all in one.
        """
        return tuple(units[self.number - 1 :: self.count])


def read_shard(text: str) -> Shard:
    """``2/4``.

    Raises:
        UsageError: it is not of this form.
    """
    number, slash, count = text.partition("/")
    if slash and all(part.isascii() and part.isdigit() for part in (number, count)):
        shard = Shard(int(number), int(count))
        if 1 <= shard.number <= shard.count:
            return shard
    raise UsageError(f"{text!r} is not a shard such as 2/4")
