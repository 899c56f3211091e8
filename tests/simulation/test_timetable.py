"""The timetable against a sorted list."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from mockexec.simulation.timetable import Entry, Timetable

Both = tuple[Timetable[str], list[Entry[str]]]
INSTANTS = st.integers(0, 30)


class Forks(RuleBasedStateMachine):
    """Timetables are filled, emptied and forked in any order, beside a list of what is in them."""

    tables = Bundle("tables")

    @rule(target=tables, instants=st.lists(INSTANTS))
    def made(self, instants: list[int]) -> Both:
        """A timetable of these, entered in this order."""
        entries = [(at, order, f"first {order}") for order, at in enumerate(instants, 1)]
        return Timetable(entries), sorted(entries)

    @rule(target=tables, one=tables)
    def forked(self, one: Both) -> Both:
        """A copy goes on by itself."""
        return one[0].fork(), list(one[1])

    @rule(one=tables, instants=st.lists(INSTANTS, max_size=200))
    def added(self, one: Both, instants: list[int]) -> None:
        """What is entered later comes after what is due at the same instant."""
        table, entries = one
        for number, at in enumerate(instants):
            table.add(at, f"added {number}")
            entries.append((at, self._order(entries), f"added {number}"))
        entries.sort()
        assert _told(table) == _told(entries)

    @staticmethod
    def _order(entries: list[Entry[str]]) -> int:
        return max((order for _, order, _ in entries), default=0) + 1

    @rule(one=tables, until=INSTANTS, count=st.integers(1, 100))
    def popped(self, one: Both, until: int, count: int) -> None:
        """What is due comes out in order, and nothing else."""
        table, entries = one
        for _ in range(count):
            due = entries and entries[0][0] <= until
            first, popped = table.first(), table.pop(until)
            assert _told([first] if first else []) == _told(entries[:1])
            assert _told([popped] if popped else []) == _told(entries[:1] if due else [])
            del entries[: bool(due)]
        assert _told(table) == _told(entries)


def _told(entries: Iterable[Entry[str]]) -> list[tuple[int, str]]:
    """What is due when; the numbers of entry are the timetable's own matter."""
    return [(at, what) for at, _, what in entries]


TestForks = Forks.TestCase
