"""The list: limit, offset, count, order (decision row "list")."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apis.sailpoint.scenes import LIST, SEND_EMAIL, causes, crowd, listed, run, tenant
from tests.support import Served, serve


def test_the_newest_start_comes_first() -> None:
    """Whatever the order in the scenario, and whatever ended when."""
    told = [run(1, "-3h", runs="2h"), run(2, "-1m"), run(3, "-2d"), run(4, "-1h", runs="5h")]
    with serve("sailpoint", scenario=tenant(told)) as mock:
        assert [one["id"] for one in listed(mock)] == ["run-2", "run-4", "run-1", "run-3"]


def test_without_a_limit_there_are_at_most_250() -> None:
    """250 is the default and the maximum."""
    told = [run(number, f"-{number}s") for number in range(1, 300)]
    with serve("sailpoint", scenario=tenant(told)) as mock:
        assert len(listed(mock)) == 250
        assert listed(mock) == listed(mock, limit=250)
        assert len(listed(mock, offset=250)) == 49


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("limit", "251", "must be at most 250, got 251"),
        ("limit", "-1", "must be at least 0, got -1"),
        ("limit", "ten", 'must be an integer, got "ten"'),
        ("limit", "", 'must be an integer, got ""'),
        ("offset", "-1", "must be at least 0, got -1"),
        ("offset", "2147483648", "must be at most 2147483647, got 2147483648"),
        ("count", "yes", 'must be true or false, got "yes"'),
        ("count", "TRUE", 'must be true or false, got "TRUE"'),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    mock: Served, name: str, value: str, reason: str
) -> None:
    """Never cut to what fits: 400, with the parameter and what it must be."""
    assert causes(mock, **{name: value}) == [f"query parameter {name} {reason}"]


def test_every_wrong_parameter_is_named(mock: Served) -> None:
    """One cause each, so that one round trip is enough to mend all."""
    assert len(causes(mock, limit=251, offset=-1, count="x")) == 3


def test_a_limit_of_zero_gives_nothing_but_can_count(mock: Served) -> None:
    """The way to learn the total alone."""
    response = mock.get(LIST, params={"limit": 0, "count": "true"})
    assert response.json() == []
    assert response.headers["x-total-count"] == "42"


def test_an_offset_past_the_end_gives_an_empty_list(mock: Served) -> None:
    """Paginators ask once more when the last page is full."""
    assert listed(mock, offset=42) == []
    assert listed(mock, offset=2147483647) == []
    assert len(listed(mock, offset=41)) == 1


def test_the_total_is_sent_only_when_asked_for(mock: Served) -> None:
    """``count=true`` alone adds the header."""
    assert "x-total-count" not in mock.get(LIST).headers
    assert "x-total-count" not in mock.get(LIST, params={"count": "false"}).headers
    assert mock.get(LIST, params={"count": "true"}).headers["x-total-count"] == "42"


def test_the_total_counts_what_the_filter_leaves(mock: Served) -> None:
    """After the filter, before limit and offset."""
    params: dict[str, Any] = {"count": "true", "filters": 'status eq "Failed"'}
    failed = mock.get(LIST, params=params)
    assert 0 < len(failed.json()) < 42
    assert failed.headers["x-total-count"] == str(len(failed.json()))
    page = mock.get(LIST, params={**params, "limit": 1, "offset": 1})
    assert page.headers["x-total-count"] == failed.headers["x-total-count"]


def test_only_the_executions_of_the_workflow_are_listed(mock: Served) -> None:
    """A list is of one workflow."""
    assert {one["workflowId"] for one in listed(mock)} == {SEND_EMAIL}


def test_pages_partition_the_list() -> None:
    """Any page of any selection is that slice of the whole."""
    selections = [
        None,
        'status eq "Executing"',
        'not status eq "Completed"',
        'not status eq "Completed" and start_time lt 2026-01-01T11:50:00Z',
        '(status eq "Failed" or status eq "Executing") and not start_time eq 2026-01-01T11:49:56Z',
    ]
    with serve("sailpoint", scenario=tenant(crowd())) as mock:
        whole: dict[str | None, list[Any]] = {
            selection: listed(mock, **({"filters": selection} if selection else {}))
            for selection in selections
        }

        @given(st.sampled_from(selections), st.integers(0, 130), st.integers(0, 130))
        def check(selection: str | None, offset: int, limit: int) -> None:
            params: dict[str, str | int] = {"filters": selection} if selection else {}
            page = listed(mock, offset=offset, limit=limit, **params)
            assert page == whole[selection][offset : offset + limit]

        check()
    assert all(10 < len(found) < 100 for selection, found in whole.items() if selection)
