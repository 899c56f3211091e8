"""A hundred thousand executions, and what a page of them costs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType

import pytest

from tests.apis.sailpoint.scenes import listed, run, tenant
from tests.support import Served, serve


@pytest.fixture(scope="module")
def huge_and_small() -> Iterator[tuple[Served, Served]]:
    """A hundred thousand executions, and a thousand spread over the same time."""
    statuses = ["Failed", "Completed"]
    told = [
        run(number, f"-{number * 2}h{number}s", status=statuses[number % 2])
        for number in range(1, 1001)
    ]
    with (
        serve("sailpoint", scenario="huge") as huge,
        serve("sailpoint", scenario=tenant(told)) as small,
    ):
        yield huge, small


def test_huge_has_a_hundred_thousand_within_the_ninety_days(
    huge_and_small: tuple[Served, Served],
) -> None:
    """None of them is archived at the start."""
    workflows = huge_and_small[0].get("/sailpoint/workflows").json()
    assert sum(workflow["executionCount"] for workflow in workflows) == 100_000


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"offset": "40000"},
        {"filters": 'status eq "Failed"', "count": "true"},
        {"filters": "start_time lt 2025-12-25T00:00:00Z"},
        {"filters": 'not status eq "Failed"', "offset": "300", "count": "true"},
    ],
)
def test_a_page_costs_the_same_however_many_there_are(
    huge_and_small: tuple[Served, Served], params: dict[str, str]
) -> None:
    """Work is counted in function calls, which no other load on the machine can change."""
    huge, small = huge_and_small
    # The small tenant has no 40,000th; any offset costs the same there.
    small_params = {**params, "offset": "100"} if "offset" in params else params
    assert _calls(huge, params) < 1.3 * _calls(small, small_params)


def _calls(mock: Served, params: dict[str, str]) -> int:
    """How many Python functions a request for a full page calls, once everything is warm."""
    assert len(listed(mock, **params)) == 250
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        listed(mock, **params)
    finally:
        sys.setprofile(None)
    return count
