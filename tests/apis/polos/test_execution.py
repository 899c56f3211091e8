"""One execution: its fields, its times and the states it shows."""

from __future__ import annotations

import re

import pytest

from tests.apis.polos.vendor import (
    API,
    CANCELLED,
    COMPLETED,
    FAILED,
    PENDING,
    RUNNING,
    TIMED_OUT,
    WAITING,
    get,
    run,
    world,
)
from tests.support import serve

SOURCE_FIELDS = (
    "created_at", "id", "payload", "retry_count", "status", "workflow_id", "assigned_to_worker",
    "batch_id", "cancelled_at", "cancelled_by", "completed_at", "concurrency_key", "deployment_id",
    "error", "output_schema_name", "parent_execution_id", "queue_name", "result",
    "root_execution_id", "run_timeout_seconds", "session_id", "started_at", "step_key", "user_id",
)  # fmt: skip


@pytest.mark.parametrize(
    "execution_id", [COMPLETED, PENDING, RUNNING, WAITING, FAILED, TIMED_OUT, CANCELLED]
)
def test_all_24_fields_are_always_there(execution_id: str) -> None:
    """Row "all 24 fields": every field of the source, null when unset, in every state."""
    with serve("polos") as mock:
        assert sorted(get(mock, execution_id)) == sorted(SOURCE_FIELDS)


def test_a_fresh_run_leaves_unset_fields_null() -> None:
    """Row "all 24 fields": a run submitted with its payload alone is null wherever nothing is known."""
    with world() as mock:
        execution = get(mock, run(mock))
    filled = {field for field, value in execution.items() if value is not None}
    assert filled == {
        "id", "workflow_id", "status", "created_at", "deployment_id", "retry_count", "queue_name",
        "session_id",
    }  # fmt: skip


@pytest.mark.parametrize("field", ["created_at", "started_at", "completed_at"])
def test_times_have_microseconds_and_an_offset(field: str) -> None:
    """Row "all 24 fields": RFC 3339 with six digits and ``+00:00``, never ``Z``."""
    with serve("polos") as mock:
        text = get(mock, COMPLETED)[field]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", text)


def test_a_run_shows_the_documented_states() -> None:
    """Row "states shown": queued and claimed are pending, then running, then completed."""
    with world() as mock:
        execution_id = run(mock)
        seen = []
        for _ in range(15):
            internal = mock.realm("polos").executions.get(execution_id)
            assert internal is not None
            seen.append((internal.state, get(mock, execution_id)["status"]))
            mock.advance("1s")
    assert list(dict.fromkeys(seen)) == [
        ("queued", "pending"),
        ("claimed", "pending"),
        ("running", "running"),
        ("completed", "completed"),
    ]


@pytest.mark.parametrize(
    ("execution_id", "status"),
    [
        (PENDING, "pending"),
        (RUNNING, "running"),
        (WAITING, "running"),
        (COMPLETED, "completed"),
        (FAILED, "failed"),
        (CANCELLED, "cancelled"),
    ],
)
def test_the_default_scenario_has_every_state(execution_id: str, status: str) -> None:
    """Row "states shown": a waiting run shows as running; all five states can be looked at."""
    with serve("polos") as mock:
        assert get(mock, execution_id)["status"] == status


def test_times_and_worker_follow_the_life() -> None:
    """Started when it runs, completed when it ends, a worker from the claim on."""
    with world() as mock:
        execution_id = run(mock, payload={"n": 1})
        queued = get(mock, execution_id)
        mock.advance("2s")
        claimed = get(mock, execution_id)
        mock.advance("1s")
        running = get(mock, execution_id)
        mock.advance("10s")
        completed = get(mock, execution_id)
    assert queued["assigned_to_worker"] is None
    assert claimed["assigned_to_worker"] is not None
    assert (claimed["started_at"], running["completed_at"]) == (None, None)
    assert queued["created_at"][17:26] == "00.000000"
    assert completed["started_at"] == running["started_at"]
    assert completed["started_at"][17:26] == "03.000000"
    assert completed["completed_at"][17:26] == "13.000000"
    assert completed["result"] == {"n": 1}


def test_a_failed_run_says_why() -> None:
    """``error`` is set, ``result`` is not."""
    outcomes = {"failed": {"weight": 1, "data": [{"error": "out of paper"}]}}
    with world({"outcomes": outcomes}) as mock:
        execution_id = run(mock)
        mock.advance("1m")
        execution = get(mock, execution_id)
    assert (execution["status"], execution["error"], execution["result"]) == (
        "failed",
        "out of paper",
        None,
    )


def test_ids_are_found_in_either_case() -> None:
    """A UUID is the same in capital letters."""
    with serve("polos") as mock:
        assert get(mock, COMPLETED.upper())["id"] == COMPLETED


def test_progress_by_readings() -> None:
    """A profile that progresses by readings moves with each GET, whatever the clock shows."""
    with world({"progress": {"reads": 1}}) as mock:
        execution_id = run(mock)
        seen = [get(mock, execution_id)["status"] for _ in range(7)]
    assert list(dict.fromkeys(seen)) == ["pending", "running", "completed"]


def test_accept_must_allow_json() -> None:
    """406 in the vendor's shape when Accept excludes JSON; ranges and absence are fine."""
    with serve("polos") as mock:
        path = f"{API}/executions/{COMPLETED}"
        refusal = mock.get(path, headers={"accept": "text/html"})
        assert (refusal.status_code, refusal.json()["error_type"]) == (406, "NOT_ACCEPTABLE")
        assert mock.get(path, headers={"accept": "application/*;q=0.5"}).status_code == 200
        assert mock.get(path, headers={"accept": None}).status_code == 200
