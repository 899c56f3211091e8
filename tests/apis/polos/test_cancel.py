"""Cancelling, by users and by the system."""

from __future__ import annotations

import pytest

from tests.apis.polos.vendor import (
    CANCELLED,
    CHILDREN,
    COMPLETED,
    FAILED,
    PARENT,
    RUNNING,
    UNKNOWN,
    WAITING,
    cancel,
    get,
    refused,
    run,
    world,
)
from tests.support import serve


def test_a_pending_run_is_cancelled_at_once() -> None:
    """Row "cancel": 200 ``{execution_id, status, cancelled_at}``, and it is over."""
    with world() as mock:
        execution_id = run(mock)
        mock.advance("1s")
        response = cancel(mock, execution_id)
        execution = get(mock, execution_id)
    assert response.status_code == 200
    assert response.json() == {
        "execution_id": execution_id,
        "status": "cancelled",
        "cancelled_at": execution["cancelled_at"],
    }
    assert execution["cancelled_at"][17:26] == "01.000000"
    assert (execution["status"], execution["cancelled_by"]) == ("cancelled", "user")
    assert (execution["completed_at"], execution["assigned_to_worker"]) == (None, None)


def test_a_claimed_run_counts_as_pending() -> None:
    """Row "cancel": claimed shows as pending and is cancelled at once."""
    with world() as mock:
        execution_id = run(mock)
        mock.advance("2s")
        assert get(mock, execution_id)["assigned_to_worker"] is not None
        assert cancel(mock, execution_id).json()["status"] == "cancelled"


def test_a_running_one_waits_for_its_worker() -> None:
    """Row "cancel": running, with cancelled_at set, until the worker has confirmed."""
    with world() as mock:
        execution_id = run(mock)
        mock.advance("4s")
        assert cancel(mock, execution_id).json()["status"] == "running"
        mock.advance("4s")
        between = get(mock, execution_id)
        mock.advance("1s")
        after = get(mock, execution_id)
    assert (between["status"], between["cancelled_by"]) == ("running", "user")
    assert between["cancelled_at"] is not None
    assert after["status"] == "cancelled"
    assert after["cancelled_at"] == between["cancelled_at"]
    assert (after["completed_at"], after["assigned_to_worker"]) == (None, None)


def test_repeating_while_it_is_under_way_renews_the_time() -> None:
    """Row "cancel": 200 again, with a later cancelled_at, and no later end."""
    with world() as mock:
        execution_id = run(mock)
        mock.advance("4s")
        first = cancel(mock, execution_id).json()
        mock.advance("2s")
        second = cancel(mock, execution_id)
        mock.advance("3s")
        assert get(mock, execution_id)["status"] == "cancelled"
    assert second.status_code == 200
    assert second.json()["cancelled_at"] > first["cancelled_at"]


def test_relatives_that_are_being_cancelled_stay_as_they_are() -> None:
    """Row "cancel": only who asks again renews a time, and only the time of the one asked for."""
    with world() as mock:
        top = run(mock)
        child = run(mock, parent_execution_id=top)
        mock.advance("4s")
        cancel(mock, top)
        before = get(mock, top)
        mock.advance("1s")
        renewed = cancel(mock, child).json()["cancelled_at"]
        assert get(mock, top) == before
        assert before["status"] == "running"
        assert renewed > before["cancelled_at"]


@pytest.mark.parametrize(
    ("execution_id", "status"),
    [(COMPLETED, "completed"), (FAILED, "failed"), (CANCELLED, "cancelled")],
)
def test_what_has_ended_cannot_be_cancelled(execution_id: str, status: str) -> None:
    """Row "cancel": 400 CANCELLATION_ERROR with the vendor's text; nothing changes."""
    with serve("polos") as mock:
        before = get(mock, execution_id)
        assert refused(cancel(mock, execution_id)) == (
            400,
            "CANCELLATION_ERROR",
            f"Execution cannot be cancelled (status: {status})",
        )
        assert get(mock, execution_id) == before


def test_an_unknown_one() -> None:
    """404 with the type that the vendor documents for cancelling."""
    with serve("polos") as mock:
        assert refused(cancel(mock, UNKNOWN)) == (404, "CANCELLATION_ERROR", "Execution not found")


@pytest.mark.parametrize("member", [PARENT, *CHILDREN])
def test_cancelling_one_of_a_family(member: str) -> None:
    """Row "cancel": it cascades to children and ancestors, and to nobody else."""
    siblings = set(CHILDREN) - {member} if member != PARENT else set()
    with serve("polos") as mock:
        assert cancel(mock, member).status_code == 200
        mock.advance("1m")
        for relative in (PARENT, *CHILDREN):
            expected = None if relative in siblings else "user"
            assert get(mock, relative)["cancelled_by"] == expected
        assert get(mock, RUNNING)["cancelled_by"] is None


@pytest.mark.parametrize("through", ["PARENT", "CHILD"])
def test_cancelling_ends_where_a_snapshot_has_a_circle(through: str) -> None:
    """Row "cancel": an import may make a parent its own grandchild; each is cancelled once."""
    with serve("polos") as mock:
        taken = mock.post("/_mockexec/snapshots").json()["id"]
        export = mock.get(f"/_mockexec/snapshots/{taken}").json()
        rows = {row[0]: row for row in export["realms"]["polos"]["executions"]}
        assert rows[CHILDREN[0]][-1]["parent"] == PARENT
        rows[PARENT][-1]["parent"] = CHILDREN[0]
        imported = mock.post("/_mockexec/snapshots", json={"import": export}).json()["id"]
        assert mock.post(f"/_mockexec/snapshots/{imported}/restore").status_code == 200
        member = PARENT if through == "PARENT" else CHILDREN[0]
        assert cancel(mock, member).status_code == 200
        assert [get(mock, one)["cancelled_by"] for one in (PARENT, *CHILDREN)] == ["user"] * 3


def test_cancelling_goes_through_generations() -> None:
    """Row "cancel": grandchildren and grandparents too; ended relatives stay as they are."""
    with world() as mock:
        ended = run(mock)
        mock.advance("20s")
        top = run(mock, parent_execution_id=ended)
        middle = run(mock, parent_execution_id=top)
        low = run(mock, parent_execution_id=middle)
        lowest = run(mock, parent_execution_id=low)
        cancel(mock, middle)
        statuses = [get(mock, one)["status"] for one in (ended, top, middle, low, lowest)]
    assert statuses == ["completed", *["cancelled"] * 4]


def test_a_waiting_run_can_be_cancelled() -> None:
    """It shows as running, so it ends when the worker has confirmed."""
    with serve("polos") as mock:
        assert cancel(mock, WAITING).json()["status"] == "running"
        mock.advance("1m")
        assert get(mock, WAITING)["status"] == "cancelled"


def test_a_run_that_takes_too_long_is_cancelled_by_the_system() -> None:
    """Row "retries": ``run_timeout_seconds`` counts from the start and cancels with ``system``."""
    with world() as mock:
        execution_id = run(mock, run_timeout_seconds=4)
        mock.advance("6s")
        before = get(mock, execution_id)
        mock.advance("1s")
        after = get(mock, execution_id)
    assert before["status"] == "running"
    assert before["assigned_to_worker"] is not None
    assert (after["status"], after["cancelled_by"]) == ("cancelled", "system")
    assert after["assigned_to_worker"] is None
    assert after["cancelled_at"][17:26] == "07.000000"
    assert (after["completed_at"], after["run_timeout_seconds"]) == (None, 4)


def test_a_run_within_its_time_limit_completes() -> None:
    """Row "retries": the limit does nothing to a run that keeps it."""
    with world() as mock:
        execution_id = run(mock, run_timeout_seconds=10)
        mock.advance("1m")
        assert get(mock, execution_id)["status"] == "completed"


@pytest.mark.parametrize("limit", [0, -1, -(2**31)])
def test_a_limit_of_nothing_ends_the_run_as_it_starts(limit: int) -> None:
    """Any 32-bit number is taken; none is an error of the mock."""
    with world() as mock:
        execution_id = run(mock, run_timeout_seconds=limit)
        mock.advance("3s")
        execution = get(mock, execution_id)
    assert (execution["status"], execution["run_timeout_seconds"]) == ("cancelled", limit)
    assert execution["cancelled_at"] == execution["started_at"]


def test_a_limit_may_be_written_with_a_point() -> None:
    """JSON has one kind of number: a limit of 4.0 is one of 4, and shown so."""
    with world() as mock:
        execution_id = run(mock, run_timeout_seconds=4.0)
        mock.advance("7s")
        execution = get(mock, execution_id)
    assert execution["cancelled_at"][17:26] == "07.000000"
    assert repr(execution["run_timeout_seconds"]) == "4"


def test_attempts_are_retried_twice_at_most() -> None:
    """Row "retries": ``retry_count`` counts up to 2; between attempts the error shows."""
    retrying = {"retries": 2, "retry_chance": 1.0}
    with world(retrying) as mock:
        execution_id = run(mock)
        seen = []
        for _ in range(60):
            execution = get(mock, execution_id)
            has_error, has_worker = (
                execution["error"] is not None,
                bool(execution["assigned_to_worker"]),
            )
            seen.append((execution["retry_count"], execution["status"], has_error, has_worker))
            mock.advance("1s")
    assert list(dict.fromkeys(seen)) == [
        (0, "pending", False, False),
        (0, "pending", False, True),
        (0, "running", False, True),
        (1, "pending", True, False),
        (1, "pending", True, True),
        (1, "running", True, True),
        (2, "pending", True, False),
        (2, "pending", True, True),
        (2, "running", True, True),
        (2, "completed", False, True),
    ]


def test_scenarios_retry_up_to_twice() -> None:
    """Row "retries": every profile of every scenario keeps to the vendor's default."""
    for scenario in ("default", "failing"):
        with serve("polos", scenario=scenario) as mock:
            counts = {
                execution.data.get("attempts", 0)
                for execution in mock.realm("polos").executions.all()
            }
            assert {
                profile.retries_max for profile in mock.realm("polos").scenario.profiles.values()
            } <= {0, 2}
        assert counts <= {0, 1, 2}
        assert {0, 2} <= counts
