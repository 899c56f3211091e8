"""An execution that is pushed along by hand, as its own API shows it then."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import Served, serve


def pushed(mock: Served, api: str, state: str, to: str) -> str:
    """Pushes an execution of ``api`` from one state to another; returns its id."""
    listed = mock.get(f"/_mockexec/executions?api={api}&state={state}&limit=1").json()
    execution_id: str = listed["executions"][0]["id"]
    answer = mock.request(
        "PATCH", f"/_mockexec/executions/{execution_id}?api={api}", json={"state": to}
    )
    assert answer.status_code == 200, answer.text
    return execution_id


def polos(mock: Served, execution_id: str) -> Any:
    """The execution as the vendor shows it."""
    return mock.get(f"/polos/api/v1/executions/{execution_id}").json()


@pytest.mark.parametrize("state", ["queued", "running", "waiting"])
def test_a_polos_run_that_is_cancelled_by_hand_says_by_whom(state: str) -> None:
    """By the system, now; no worker has it any more."""
    with serve("polos", scenario="busy") as mock:
        shown = polos(mock, pushed(mock, "polos", state, "cancelled"))
        assert (shown["status"], shown["cancelled_by"]) == ("cancelled", "system")
        assert shown["cancelled_at"] == "2026-01-01T12:00:00.000000+00:00"
        assert shown["assigned_to_worker"] is None


def test_a_user_who_asked_first_stays_the_one_who_did() -> None:
    """Pushing only brings on what was to come."""
    with serve("polos", scenario="busy") as mock:
        listed = mock.get("/_mockexec/executions?api=polos&state=running&limit=1").json()
        execution_id = listed["executions"][0]["id"]
        asked = mock.post(f"/polos/api/v1/executions/{execution_id}/cancel")
        assert asked.status_code == 200, asked.text
        mock.request("PATCH", f"/_mockexec/executions/{execution_id}", json={"state": "cancelled"})
        assert polos(mock, execution_id)["cancelled_by"] == "user"


def test_a_waiting_thand_run_that_is_failed_by_hand_has_not_timed_out() -> None:
    """Though its plan knows no other way to fail; in time it still does."""
    with serve("thand", scenario="busy") as mock:
        execution_id = pushed(mock, "thand", "waiting", "failed")
        shown = mock.get(f"/thand/api/v1/execution/{execution_id}").json()
        assert shown["status"] == "failed"
        events = [event["event_type"] for event in shown["history"]]
        assert "WorkflowExecutionTimedOut" not in events
        assert events[-1] == "WorkflowExecutionFailed"
