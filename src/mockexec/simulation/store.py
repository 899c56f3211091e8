"""The executions of one API in one world, with the indexes that its lists need.

A page, a count and a range cost the same at a thousand and at a million executions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from mockexec.simulation.execution import Execution
from mockexec.simulation.layered_map import LayeredMap
from mockexec.simulation.sorted_map import SortedMap

# So many changes are indexed together at most: a list that follows them must not wait for long.
_UNINDEXED_MAX = 512


class Index(NamedTuple):
    """An order over executions: ``key`` gives the sort key as a tuple, None to leave one out.

    The store appends the id, which makes keys unique and settles ties.
    """

    name: str
    key: Callable[[Execution], tuple[Any, ...] | None]


class _Top:
    """Greater than every key part."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


_TOP = _Top()


class Range:
    """A run of one index: its size is known at once, its pages are fetched when asked for."""

    __slots__ = ("_entries", "_start", "_stop")

    def __init__(self, entries: SortedMap[Execution], start: int, stop: int) -> None:
        self._entries = entries
        self._start = start
        self._stop = max(start, stop)

    def __len__(self) -> int:
        return self._stop - self._start

    def page(self, offset: int, limit: int, *, reverse: bool = True) -> list[Execution]:
        """``limit`` executions after the first ``offset``; greatest key first if ``reverse``."""
        if reverse:
            stop = self._stop - offset
            start = max(self._start, stop - limit)
        else:
            start = self._start + offset
            stop = min(self._stop, start + limit)
        found = self._entries.values(max(start, self._start), stop)
        if reverse:
            found.reverse()
        return found

    def iterate(self, *, reverse: bool = True) -> Iterator[Execution]:
        """All of them, one by one."""
        for _, execution in self._entries.items(self._start, self._stop, reverse=reverse):
            yield execution


class Store:
    """Executions by id and by every index. Forking it is O(number of indexes).

    Indexes hold the executions themselves: looking each of a page up by its id would cost more
    the larger the store is, since the memory of a large one is never in the processor's cache.
    They are brought up to date when somebody looks at them, or when many changes have come
    together: an execution that starts, runs and ends meanwhile is entered once, and many at a time
    cost a fraction of one by one.
    """

    __slots__ = ("_by_id", "_by_index", "_unindexed", "indexes")

    def __init__(self, indexes: Sequence[Index]) -> None:
        self.indexes = tuple(indexes)
        self._by_id: LayeredMap[Execution] = LayeredMap()
        self._by_index: dict[str, SortedMap[Execution]] = {
            index.name: SortedMap() for index in self.indexes
        }
        # What the indexes have for the executions that have changed since; None: nothing.
        self._unindexed: dict[str, Execution | None] = {}

    def fork(self) -> Store:
        """A copy that shares everything until one side writes."""
        self._index()
        twin: Store = Store.__new__(Store)
        twin.indexes = self.indexes
        twin._by_id = self._by_id.fork()
        twin._by_index = {name: keys.fork() for name, keys in self._by_index.items()}
        twin._unindexed = {}
        return twin

    def __len__(self) -> int:
        return self._by_id.size

    def get(self, execution_id: str) -> Execution | None:
        """The execution with this id, or None."""
        return self._by_id.get(execution_id)

    def all(self) -> Iterator[Execution]:
        """Every execution, by id."""
        return (execution for _, execution in self._by_id.items())

    def put(self, execution: Execution) -> None:
        """Adds it, or replaces the one with its id."""
        id_, unindexed = execution.id, self._unindexed
        old = self._by_id.put(id_, execution)
        if id_ not in unindexed:
            unindexed[id_] = old
            if len(unindexed) >= _UNINDEXED_MAX:
                self._index()

    def load(self, executions: Iterable[Execution]) -> None:
        """Adds many at once, none of whose ids is there; far cheaper than one by one."""
        every = [*self.all(), *executions]
        self._by_id = LayeredMap((execution.id, execution) for execution in every)
        self._unindexed = {}
        for index in self.indexes:
            self._by_index[index.name] = SortedMap(
                ((*key, execution.id), execution)
                for execution in every
                if (key := index.key(execution)) is not None
            )

    def remove(self, execution_id: str) -> None:
        """Forgets it."""
        old = self._by_id.pop(execution_id)
        if old is not None:
            self._unindexed.setdefault(execution_id, old)

    def _index(self) -> None:
        """Brings the indexes up to date."""
        if not self._unindexed:
            return
        changes = [(id_, old, self._by_id.get(id_)) for id_, old in self._unindexed.items()]
        self._unindexed = {}
        for index in self.indexes:
            entries, key = self._by_index[index.name], index.key
            gone: list[tuple[Any, ...]] = []
            come: list[tuple[tuple[Any, ...], Execution]] = []
            for id_, old, new in changes:
                old_key = None if old is None else key(old)
                new_key = None if new is None else key(new)
                if old_key is not None and old_key != new_key:
                    gone.append((*old_key, id_))
                if new is not None and new_key is not None:
                    come.append(((*new_key, id_), new))
            entries.change(gone, come)

    def range(
        self,
        index: str,
        prefix: tuple[Any, ...] = (),
        *,
        low: tuple[Any, ...] = (),
        high: tuple[Any, ...] | None = None,
    ) -> Range:
        """The run of ``index`` whose keys begin with ``prefix``.

        ``low`` (inclusive) and ``high`` (exclusive, None for no end) bound the key parts after the
        prefix; either may name fewer parts than the key has.
        """
        if self._unindexed:
            self._index()
        entries = self._by_index[index]
        start = entries.rank((*prefix, *low))
        stop = entries.rank((*prefix, *((_TOP,) if high is None else high)))
        return Range(entries, start, stop)
