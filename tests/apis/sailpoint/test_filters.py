"""The filters of the list (decision row "filters")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apis.sailpoint.scenes import LIST, causes, crowd, listed, run, tenant
from tests.support import Served, serve

# Four executions, told apart by every part of the syntax: (id, start before 12:00, status).
TOLD = [
    run(1, "-4h", status="Completed"),
    run(2, "-3h", status="Failed"),
    run(3, "-2h", status="Canceled"),
    run(4, "-1h", runs="9h", status="Completed"),
]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ('status eq "Failed"', "2"),
        ('status eq "failed"', "2"),
        ('status eq "EXECUTING"', "4"),
        ('status eq "Canceled"', "3"),
        ('status eq "Running"', ""),
        ('status eq "no \\"such\\" \\\\ status"', ""),
        ("start_time eq 2026-01-01T09:00:00Z", "2"),
        ("start_time lt 2026-01-01T09:00:00Z", "1"),
        ("start_time le 2026-01-01T09:00:00Z", "21"),
        ("start_time gt 2026-01-01T10:00:00Z", "4"),
        ("start_time ge 2026-01-01T10:00:00Z", "43"),
        ('start_time ge "2026-01-01T10:00:00Z"', "43"),
        ("start_time ge 2026-01-01T12:00:00+02:00", "43"),
        ("start_time ge 2026-01-01", "4321"),
        ("start_time gt 2026", "4321"),
        ("start_time lt 2026-01", ""),
        ('not status eq "Failed"', "431"),
        ('not not status eq "Failed"', "2"),
        ('status eq "Failed" or status eq "Canceled"', "32"),
        ('status eq "Failed" and start_time gt 2026', "2"),
        ('status eq "Failed" and status eq "Canceled"', ""),
        # not binds closer than and, and closer than or.
        ('not status eq "Failed" and status eq "Failed"', ""),
        ('not status eq "Failed" or status eq "Failed"', "4321"),
        ('not (status eq "Failed" or status eq "Canceled")', "41"),
        ('status eq "Completed" or status eq "Failed" and start_time ge 2026-01-01T12:00:00Z', "1"),
        ('(status eq "Completed" or status eq "Failed") and start_time ge 2027', ""),
        ('  ( (status eq "Failed") )  ', "2"),
    ],
)
def test_it_selects_what_it_says(filters: str, found: str) -> None:
    """Fields, operators, quotes, case, binding and parentheses of the standard syntax."""
    with serve("sailpoint", scenario=tenant(TOLD)) as mock:
        assert "".join(one["id"][-1] for one in listed(mock, filters=filters)) == found


def test_times_compare_to_the_nanosecond() -> None:
    """One nanosecond more or less makes a difference."""
    told = [run(1, "-1h0.000000002s"), run(2, "-1h0.000000001s"), run(3, "-1h")]
    with serve("sailpoint", scenario=tenant(told)) as mock:
        for operator, found in {"eq": "2", "lt": "1", "le": "21", "gt": "3", "ge": "32"}.items():
            filters = f"start_time {operator} 2026-01-01T10:59:59.999999999Z"
            assert "".join(one["id"][-1] for one in listed(mock, filters=filters)) == found


@pytest.mark.parametrize("field", ["start_time", "status"])
@pytest.mark.parametrize(
    "comparison",
    [
        '{} ne "x"',
        '{} co "x"',
        '{} sw "x"',
        '{} in ("x", "y")',
        '{} ca ("x")',
        "pr {}",
        "{} isnull",
    ],
)
def test_what_the_list_does_not_support_is_refused_by_name(
    mock: Served, field: str, comparison: str
) -> None:
    """It parses, so the 400 names the field and the operator."""
    (operator,) = set(comparison.replace("{}", "").replace('"x"', "").split()) & {
        "ne", "co", "sw", "in", "ca", "pr", "isnull",
    }  # fmt: skip
    (cause,) = causes(mock, filters=comparison.format(field))
    assert f'the field "{field}" does not support the operator "{operator}"' in cause


@pytest.mark.parametrize("operator", ["lt", "le", "gt", "ge"])
def test_a_status_has_no_order(mock: Served, operator: str) -> None:
    """``status`` knows ``eq`` alone."""
    (cause,) = causes(mock, filters=f'status {operator} "Failed"')
    assert f'the field "status" does not support the operator "{operator}"' in cause


@pytest.mark.parametrize("field", ["id", "workflowId", "startTime", "close_time", "a.b.c"])
def test_an_unknown_field_is_refused_with_its_operator(mock: Served, field: str) -> None:
    """Also the JSON names of the fields that do have a filter."""
    (cause,) = causes(mock, filters=f'status eq "Failed" and {field} eq 5')
    assert f'column 24: the field "{field}" with the operator "eq" is not supported' in cause
    assert "start_time and status" in cause


@pytest.mark.parametrize(
    ("filters", "column", "expected"),
    [
        ("", 1, "the name of a field"),
        ("status", 7, "an operator"),
        ("status eq", 10, "a string"),
        ("status eq Failed", 11, 'got "Failed"'),
        ('status EQ "Failed"', 8, "operators are lower case"),
        ('status is "Failed"', 8, 'got "is"'),
        ('status eq "Failed', 11, "has no end"),
        ('status eq "a\\n"', 13, "escapes"),
        ('status eq "a" status eq "b"', 15, '"and", "or" or the end'),
        ('status eq "a" AND status eq "b"', 15, 'got "AND"'),
        ('status eq "a" and', 18, "the name of a field"),
        ('(status eq "a"', 15, '")"'),
        ('status eq "a")', 14, 'got ")"'),
        ("start_time in 5", 15, '"("'),
        ("start_time in ()", 16, "a string"),
        ("status co 5", 11, 'after "co"'),
        ("5 eq 5", 1, "the name of a field"),
        ("pr", 3, "the name of a field"),
        ("not", 4, "the name of a field"),
        ("(" * 60, 51, "nested more than 50 deep"),
        ("not " * 60, 201, "nested more than 50 deep"),
    ],
)
def test_what_does_not_parse_is_refused_at_its_column(
    mock: Served, filters: str, column: int, expected: str
) -> None:
    """The 400 points at the column, counted from 1, and says what was expected."""
    (cause,) = causes(mock, filters=filters)
    assert cause.startswith(f"query parameter filters cannot be used: column {column}: ")
    assert expected in cause
    assert mock.get(LIST, params={"filters": filters}).json()["detailCode"] == (
        "400.0 Bad request syntax"
    )


@pytest.mark.parametrize(
    "value", ['"yesterday"', "5", "true", "2026-02-30", '"2026-01-01T25:00:00Z"']
)
def test_a_start_time_takes_a_date_time(mock: Served, value: str) -> None:
    """Anything else is refused, with field and operator."""
    (cause,) = causes(mock, filters=f"start_time ge {value}")
    assert 'the field "start_time" with the operator "ge" takes a date-time' in cause


def test_a_status_takes_a_string(mock: Served) -> None:
    """A bare number is no status."""
    (cause,) = causes(mock, filters="status eq 5")
    assert 'the field "status" with the operator "eq" takes a string' in cause


def test_a_filter_longer_than_documented_is_refused(mock: Served) -> None:
    """The document's bound is the server's."""
    (cause,) = causes(mock, filters=" " * 2049)
    assert cause == "query parameter filters must have at most 2048 characters, got 2049"


class Clause(NamedTuple):
    """A filter, what it means, and how tightly its outermost operator binds (or, and, not)."""

    text: str
    holds: Callable[[Any], bool]
    binding: int


def _within(clause: Clause, binding: int) -> str:
    return clause.text if clause.binding >= binding else f"({clause.text})"


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda a, b: a == b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def _status(status: str) -> Clause:
    return Clause(f'status eq "{status.lower()}"', lambda one: one["status"] == status, 3)


def _time(operator: str, instant: str) -> Clause:
    # All times have the same form, so their texts compare as they do.
    compare = _OPERATORS[operator]
    return Clause(
        f"start_time {operator} {instant}", lambda one: compare(one["startTime"], instant), 3
    )


def _negated(part: Clause) -> Clause:
    return Clause(f"not {_within(part, 2)}", lambda one: not part.holds(one), 2)


def _both(a: Clause, b: Clause) -> Clause:
    text = f"{_within(a, 1)} and {_within(b, 1)}"
    return Clause(text, lambda one: a.holds(one) and b.holds(one), 1)


def _either(a: Clause, b: Clause) -> Clause:
    text = f"{_within(a, 0)} or {_within(b, 0)}"
    return Clause(text, lambda one: a.holds(one) or b.holds(one), 0)


def _joined(clauses: st.SearchStrategy[Clause]) -> st.SearchStrategy[Clause]:
    return st.one_of(
        st.builds(_negated, clauses),
        st.builds(_both, clauses, clauses),
        st.builds(_either, clauses, clauses),
    )


def test_any_filter_selects_as_its_predicate_does() -> None:
    """Law: the list under a filter is the whole list, sifted."""
    with serve("sailpoint", scenario=tenant(crowd())) as mock:
        whole = listed(mock)
        instants = sorted({one["startTime"] for one in whole})
        atoms = st.one_of(
            st.builds(_status, st.sampled_from(["Completed", "Failed", "Canceled", "Executing"])),
            st.builds(_time, st.sampled_from(sorted(_OPERATORS)), st.sampled_from(instants)),
        )

        @given(st.recursive(atoms, _joined, max_leaves=8))
        def check(clause: Clause) -> None:
            response = mock.get(LIST, params={"filters": clause.text, "count": "true"})
            expected = [one for one in whole if clause.holds(one)]
            assert response.json() == expected
            assert response.headers["x-total-count"] == str(len(expected))

        check()
