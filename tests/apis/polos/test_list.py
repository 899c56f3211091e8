"""The list of runs: order, pages, filters, and what it costs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockexec import catalog
from tests.apis.polos.vendor import (
    API,
    FOREIGN,
    IN_PROJECT,
    OTHER,
    OTHER_PROJECT,
    UNKNOWN,
    refused,
    run,
    runs,
    world,
)
from tests.support import Served, serve

FIELDS = [
    "id", "root_execution_id", "workflow_id", "session_id", "created_at", "status", "completed_at",
    "payload", "result", "error",
]  # fmt: skip


def every(mock: Served) -> list[dict[str, Any]]:
    """All runs of the project, of all three types, as a plain Python list."""
    found = [
        one
        for kind in ("workflow", "agent", "tool")
        for one in runs(mock, workflow_type=kind, limit=10_000)
    ]
    return sorted(found, key=lambda one: (one["created_at"], one["id"]), reverse=True)


def test_it_is_a_bare_array_of_summaries() -> None:
    """Row "operations": ten fields each, no envelope."""
    with serve("polos") as mock:
        page = runs(mock)
    assert len(page) > 20
    assert all(list(one) == FIELDS for one in page)


def test_newest_first() -> None:
    """By creation, and by id where two are of the same instant."""
    with world() as mock:
        created = []
        for position in range(9):
            created.append(run(mock))
            if position % 3:
                mock.advance("1s")
        listed = [(one["created_at"], one["id"]) for one in runs(mock)]
    assert listed == sorted(listed, reverse=True)
    assert {execution_id for _, execution_id in listed} == set(created)


def test_fifty_unless_asked() -> None:
    """The default limit is the vendor's."""
    with world(history={"count": 200, "within": "1d"}) as mock:
        assert runs(mock) == runs(mock, limit=50, offset=0)
        assert len(runs(mock)) == 50


def test_pages_partition_the_list() -> None:
    """Whatever the page size: each run once, in order, and an empty page after the last."""
    with world(history={"count": 100, "within": "1d"}) as mock:
        whole = runs(mock, limit=10_000)

        @given(limit=st.integers(1, 90))
        def check(limit: int) -> None:
            pages: list[dict[str, Any]] = []
            while page := runs(mock, limit=limit, offset=len(pages)):
                pages += page
            assert pages == whole

        check()


def test_offsets_beyond_the_end_and_pages_of_nothing() -> None:
    """Both are empty lists."""
    with serve("polos") as mock:
        assert runs(mock, offset=2**63 - 1) == []
        assert runs(mock, limit=0) == []


def test_filters_select_what_they_say() -> None:
    """Type, workflow and times of creation, alone and together, against a plain comprehension."""
    workflows = catalog.scenario("polos", "empty").data["workflows"]
    type_of = {entry["id"]: entry["type"] for entry in workflows}
    with world(history={"count": 120, "within": "2d"}) as mock:
        whole = every(mock)
        now = datetime.fromtimestamp(mock.world.now_ns / 1e9, UTC)

        @given(
            kind=st.sampled_from(["workflow", "agent", "tool"]),
            workflow_id=st.none() | st.sampled_from([*type_of, "nothing"]),
            begin_hours=st.none() | st.integers(0, 48),
            end_hours=st.none() | st.integers(0, 48),
        )
        def check(
            kind: str, workflow_id: str | None, begin_hours: int | None, end_hours: int | None
        ) -> None:
            begin, end = _ago(now, begin_hours), _ago(now, end_hours)
            asked = {"workflow_id": workflow_id, "start_time": begin, "end_time": end}
            query = {key: value for key, value in asked.items() if value is not None}
            expected = [
                one
                for one in whole
                if type_of[one["workflow_id"]] == kind
                and workflow_id in {None, one["workflow_id"]}
                and (begin or "") <= one["created_at"] <= (end or "9999")
            ]
            assert runs(mock, workflow_type=kind, limit=10_000, **query) == expected

        check()


def _ago(now: datetime, hours: int | None) -> str | None:
    if hours is None:
        return None
    return f"{now - timedelta(hours=hours):%Y-%m-%dT%H:%M:%S.%f}+00:00"


def test_both_ends_of_a_time_range_belong_to_it() -> None:
    """A run's own created_at, as shown, finds it from either side."""
    with world(history={"count": 30, "within": "1d"}) as mock:
        for one in runs(mock):
            only = runs(mock, start_time=one["created_at"], end_time=one["created_at"])
            assert one in only


def test_times_in_other_zones() -> None:
    """The same instant in another offset selects the same runs."""
    with world() as mock:
        execution_id = run(mock)
        noon_in_tokyo = "2026-01-01T21:00:00+09:00"
        assert [
            one["id"] for one in runs(mock, start_time=noon_in_tokyo, end_time=noon_in_tokyo)
        ] == [execution_id]
        assert runs(mock, start_time="2026-01-01T21:00:01+09:00") == []


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01T00:00:00Z", "2026-01-01", ""])
def test_unreadable_times_are_overlooked_and_noted(text: str) -> None:
    """As the vendor does; the journal says so."""
    with world(history={"count": 5, "within": "1h"}) as mock:
        plain = runs(mock)
        assert runs(mock, start_time=text, end_time=text) == plain
        (exchange,) = mock.world.journal.newest(1)
    assert [(note.location, note.name) for note in exchange.notes] == [
        ("query", "start_time"),
        ("query", "end_time"),
    ]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("limit=ten", "limit"),
        ("limit=-1", "limit"),
        ("limit=10001", "limit"),
        ("offset=-1", "offset"),
        ("offset=9223372036854775808", "offset"),
        ("limit=5&limit=7", "limit"),
        ("workflow_type=robot", "workflow_type"),
    ],
)
def test_wrong_parameters(query: str, where: str) -> None:
    """400 that names the parameter; the vendor's server would fail with a 500 on some."""
    with serve("polos") as mock:
        status, error_type, error = refused(
            mock.get(f"{API}/workflows/runs?{query}", headers=IN_PROJECT)
        )
    assert (status, error_type) == (400, "BAD_REQUEST")
    assert error.startswith(f"Failed to deserialize query string: {where}: ")


def test_projects_do_not_see_each_other() -> None:
    """Each key lists its own project; another's is forbidden, an unknown one too."""
    with serve("polos") as mock:
        ours = {one["id"] for one in every(mock)}
        theirs = mock.get(
            f"{API}/workflows/runs?workflow_type=agent",
            headers={**OTHER, "x-project-id": OTHER_PROJECT},
        ).json()
        assert [one["id"] for one in theirs] == [FOREIGN]
        assert FOREIGN not in ours
        for project in (OTHER_PROJECT, UNKNOWN):
            response = mock.get(f"{API}/workflows/runs", headers={"x-project-id": project})
            assert refused(response) == (
                403,
                "PROJECT_ACCESS_FORBIDDEN",
                "Access to project forbidden",
            )


def calls_of(mock: Served, path: str) -> int:
    """How many Python functions run for one GET: a measure of work that no other load disturbs."""
    count = 0

    def seen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    mock.get(path, headers=IN_PROJECT)  # whatever is built on first use
    sys.setprofile(seen)
    try:
        assert mock.get(path, headers=IN_PROJECT).status_code == 200
    finally:
        sys.setprofile(None)
    return count


def test_a_page_costs_the_same_at_any_size() -> None:
    """Twenty times as many runs, and no page does 1.3 times the work, however it is filtered."""
    queries = (
        "limit=250",
        "limit=250&offset=300",
        "limit=250&start_time=2025-12-01T00:00:00Z&end_time=2025-12-31T23:00:00Z",
        "limit=50&workflow_id=order_processing",
    )
    costs = []
    for count in (1_000, 20_000):
        with world(history={"count": count, "within": "30d"}) as mock:
            costs.append([calls_of(mock, f"{API}/workflows/runs?{query}") for query in queries])
    for query, small, large in zip(queries, *costs, strict=True):
        assert large < small * 1.3, query
