"""Pages of a workflow's executions, newest start first, at the same cost for any offset.

A selection gives each status its windows of time. Cut at all their edges, time falls into stretches
in which the set of selected statuses stays the same. In a stretch with all statuses, or with one,
an index has the page ready; with two or three, a bisection over time finds where the page begins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from heapq import merge
from itertools import islice, pairwise
from typing import NamedTuple

from mockexec.apis.sailpoint.selection import Selection, Windows, intersect
from mockexec.apis.sailpoint.wire import STATUS_OF, STATUSES
from mockexec.simulation.execution import Execution
from mockexec.simulation.store import Index, Range
from mockexec.simulation.world import Realm

BY_START = Index("start", lambda one: (one.group, one.created_ns))
BY_STATUS = Index("status", lambda one: (one.group, STATUS_OF[one.state], one.created_ns))


class _Stretch(NamedTuple):
    low_ns: int  # inclusive
    high_ns: int  # exclusive
    statuses: tuple[str, ...]


class Listing:
    """The selected executions of one workflow that began between two instants (inclusive)."""

    def __init__(
        self,
        realm: Realm,
        workflow_id: str,
        selection: Selection,
        *,
        oldest_ns: int,
        newest_ns: int,
    ) -> None:
        self._executions = realm.executions
        self._workflow_id = workflow_id
        shown = ((oldest_ns, newest_ns + 1),)
        self._stretches = _stretches({s: intersect(w, shown) for s, w in selection.items()})

    def __len__(self) -> int:
        return sum(self._size(stretch) for stretch in self._stretches)

    def page(self, offset: int, limit: int) -> list[Execution]:
        """``limit`` executions after the first ``offset``, newest start first."""
        found: list[Execution] = []
        for stretch in self._stretches:
            if len(found) == limit:
                break
            size = self._size(stretch)
            if offset < size:
                found += self._page(stretch, offset, limit - len(found))
            offset = max(0, offset - size)
        return found

    def _size(self, stretch: _Stretch) -> int:
        return sum(len(part) for part in self._ranges(*stretch))

    def _ranges(self, low_ns: int, high_ns: int, statuses: tuple[str, ...]) -> list[Range]:
        """The index ranges that make up a stretch: one if an index has it as it is."""
        low, high = (low_ns,), (high_ns,)
        if len(statuses) == len(STATUSES):
            return [self._executions.range("start", (self._workflow_id,), low=low, high=high)]
        return [
            self._executions.range("status", (self._workflow_id, status), low=low, high=high)
            for status in statuses
        ]

    def _page(self, stretch: _Stretch, offset: int, limit: int) -> list[Execution]:
        ranges = self._ranges(*stretch)
        if len(ranges) == 1:
            return ranges[0].page(offset, limit)
        low_ns, high_ns, statuses = stretch

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


def _stretches(selection: Selection) -> list[_Stretch]:
    """The stretches of a selection, the newest first."""
    edges = sorted(
        {edge for windows in selection.values() for window in windows for edge in window}
    )
    found: list[_Stretch] = []
    for low_ns, high_ns in pairwise(edges):
        statuses = tuple(s for s, windows in selection.items() if _covers(windows, low_ns))
        if statuses:
            found.append(_Stretch(low_ns, high_ns, statuses))
    return found[::-1]


def _covers(windows: Windows, instant_ns: int) -> bool:
    return any(low_ns <= instant_ns < high_ns for low_ns, high_ns in windows)
