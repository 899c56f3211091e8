"""What is to happen, in time order; equal instants in the order of entry.

A heap for what was entered lately, and sorted runs that copies share: each copy only remembers how
far it has come in them. As in a ``LayeredMap``, copying makes a run of the heap, and runs of like
size are merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")

# (due instant, order of entry, what)
Entry = tuple[int, int, T]

# So few are copied rather than made a run of.
_COPIED_MAX = 64


class Timetable(Generic[T]):
    """Entries by instant. ``fork`` costs the same at any size, about."""

    __slots__ = ("_entered", "_heap", "_runs")

    def __init__(self, entries: Iterable[Entry[T]] = ()) -> None:
        """``entries`` in any order; what is added later counts as entered after all of them."""
        run = sorted(entries)
        self._heap: list[Entry[T]] = []
        # Sorted entries that are shared, and how many of them are over; the largest first.
        self._runs: list[tuple[list[Entry[T]], int]] = [(run, 0)] if run else []
        self._entered = max((order for _, order, _ in run), default=0)

    def fork(self) -> Timetable[T]:
        """A copy that goes on by itself."""
        if len(self._heap) > _COPIED_MAX:
            self._seal()
        twin: Timetable[T] = Timetable.__new__(Timetable)
        twin._heap, twin._runs, twin._entered = self._heap.copy(), self._runs.copy(), self._entered
        return twin

    def add(self, due_ns: int, what: T) -> None:
        """Enters something for an instant."""
        self._entered += 1
        heappush(self._heap, (due_ns, self._entered, what))

    def first(self) -> Entry[T] | None:
        """The entry that is due first, or None when there is none."""
        first = self._heap[0] if self._heap else None
        for run, done in self._runs:
            if first is None or run[done] < first:
                first = run[done]
        return first

    def pop(self, until_ns: int) -> Entry[T] | None:
        """Takes out the first entry if it is due by ``until_ns``; else returns None."""
        first = self.first()
        if first is None or first[0] > until_ns:
            return None
        if self._heap and self._heap[0] is first:
            return heappop(self._heap)
        for position, (run, done) in enumerate(self._runs):
            if run[done] is first:
                self._runs[position] = (run, done + 1)
                if done + 1 == len(run):
                    del self._runs[position]
                break
        return first

    def __iter__(self) -> Iterator[Entry[T]]:
        """All entries in order, as they are now."""
        rest = [entry for run, done in self._runs for entry in run[done:]]
        return iter(sorted(rest + self._heap))

    def _seal(self) -> None:
        """Makes a run of the heap."""
        run, runs = sorted(self._heap), self._runs
        while runs and len(run) * 2 >= len(runs[-1][0]) - runs[-1][1]:
            larger, done = runs.pop()
            run = sorted(larger[done:] + run)
        runs.append((run, 0))
        self._heap = []
