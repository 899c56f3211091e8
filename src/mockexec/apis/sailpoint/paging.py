"""Pages of a workflow's executions, newest start first, at the same cost for any offset.

A selection gives each status its windows of time. Cut at all their edges, time falls into stretches
in which the set of selected statuses stays the same. In a stretch with all statuses, or with one,
an index has the page ready; with two or three, a bisection over time finds where the page begins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice, pairwise
from typing import NamedTuple

from mockexec.apis.sailpoint.selection import Selection, Windows
from mockexec.apis.sailpoint.wire import STATUS_OF, STATUSES
from mockexec.simulation.execution import Execution
from mockexec.simulation.store import Index, Range
from mockexec.simulation.world import Realm

BY_START = Index("start", lambda one: (one.group, one.created_ns))
BY_STATUS = Index("status", lambda one: (one.group, STATUS_OF[one.state], one.created_ns))


class Stretch(NamedTuple):
    """A window of time and the statuses selected in it."""

    low_ns: int  # inclusive
    high_ns: int  # exclusive
    statuses: tuple[str, ...]


class _Part(NamedTuple):
    stretch: Stretch
    ranges: list[Range]
    size: int


class Listing:
    """The executions of one workflow that lie in ``stretches`` (the newest first) and began
    between two instants (inclusive).
    """

    def __init__(
        self,
        realm: Realm,
        workflow_id: str,
        stretches: Sequence[Stretch],
        *,
        oldest_ns: int,
        newest_ns: int,
    ) -> None:
        self._executions = realm.executions
        self._workflow_id = workflow_id
        self._parts: list[_Part] = []
        for low_ns, high_ns, statuses in stretches:
            stretch = Stretch(max(low_ns, oldest_ns), min(high_ns, newest_ns + 1), statuses)
            if stretch.low_ns < stretch.high_ns:
                ranges = self._ranges(*stretch)
                self._parts.append(_Part(stretch, ranges, sum([len(one) for one in ranges])))

    def __len__(self) -> int:
        return sum([part.size for part in self._parts])

    def page(self, offset: int, limit: int) -> list[Execution]:
        """``limit`` executions after the first ``offset``, newest start first."""
        found: list[Execution] = []
        for part in self._parts:
            if len(found) == limit:
                break
            if offset < part.size:
                found += self._page(part, offset, limit - len(found))
            offset = max(0, offset - part.size)
        return found

    def _ranges(self, low_ns: int, high_ns: int, statuses: tuple[str, ...]) -> list[Range]:
        """The index ranges that make up a stretch: one if an index has it as it is."""
        low, high = (low_ns,), (high_ns,)
        if len(statuses) == len(STATUSES):
            return [self._executions.range("start", (self._workflow_id,), low=low, high=high)]
        return [
            self._executions.range("status", (self._workflow_id, status), low=low, high=high)
            for status in statuses
        ]

    def _page(self, part: _Part, offset: int, limit: int) -> list[Execution]:
        if len(part.ranges) == 1:
            return part.ranges[0].page(offset, limit)
        low_ns, high_ns, statuses = part.stretch

        def newer(from_ns: int) -> int:
            return sum(len(part) for part in self._ranges(from_ns, high_ns, statuses))

        # The earliest instant from which on no more than ``offset`` began: the page lies before it.
        instants = range(low_ns, high_ns + 1)
        cut_ns = low_ns + bisect_left(instants, -offset, key=lambda from_ns: -newer(from_ns))
        older = self._ranges(low_ns, cut_ns, statuses)
        skip = offset - newer(cut_ns)
        return list(islice(_newest_first(older), skip, skip + limit))


def _newest_first(ranges: list[Range]) -> Iterator[Execution]:
    """All executions of several ranges in the order that one index would have them."""
    parts = [part.iterate() for part in ranges]
    return merge(*parts, key=lambda one: (one.created_ns, one.id), reverse=True)


def stretches_of(selection: Selection) -> tuple[Stretch, ...]:
    """The stretches of a selection, the newest first."""
    edges = sorted(
        {edge for windows in selection.values() for window in windows for edge in window}
    )
    found: list[Stretch] = []
    for low_ns, high_ns in pairwise(edges):
        statuses = tuple(s for s, windows in selection.items() if _covers(windows, low_ns))
        if statuses:
            found.append(Stretch(low_ns, high_ns, statuses))
    return tuple(found[::-1])


def _covers(windows: Windows, instant_ns: int) -> bool:
    return any(low_ns <= instant_ns < high_ns for low_ns, high_ns in windows)
