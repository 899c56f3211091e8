"""GET /api/v1/execution/{id}/cancel and /terminate."""

from __future__ import annotations

import pytest

from tests.apis.thand.vendor import API, BOB, GRANTED, events, send, start, status
from tests.support import serve

CANCELLED = {"status": "ok", "message": "Workflow cancellation signal sent"}
TERMINATED = {"status": "ok", "message": "Workflow termination signal sent"}


def test_cancel_lets_it_clean_up_first() -> None:
    """Row "cancel": requested, still running for some seconds, then canceled, with both events."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        before = events(served, execution_id)
        answer = served.get(f"{API}/execution/{execution_id}/cancel")
        assert (answer.status_code, answer.json()) == (200, CANCELLED)
        assert status(served, execution_id) == "running"
        served.advance("2999ms")
        assert status(served, execution_id) == "running"
        assert events(served, execution_id) == [*before, "WorkflowExecutionCancelRequested"]
        served.advance("5001ms")
        assert status(served, execution_id) == "canceled"
        assert events(served, execution_id) == [
            *before,
            "WorkflowExecutionCancelRequested",
            "WorkflowExecutionCanceled",
        ]


def test_cancel_can_be_asked_for_twice() -> None:
    """Row "cancel": while it cleans up a second request is answered the same and changes nothing."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        served.get(f"{API}/execution/{execution_id}/cancel")
        once = events(served, execution_id)
        answer = served.get(f"{API}/execution/{execution_id}/cancel")
        assert (answer.status_code, answer.json()) == (200, CANCELLED)
        assert events(served, execution_id) == once


def test_terminate_ends_it_at_once() -> None:
    """Row "terminate": terminated without clean-up and without a request for one."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        before = events(served, execution_id)
        answer = served.get(f"{API}/execution/{execution_id}/terminate")
        assert (answer.status_code, answer.json()) == (200, TERMINATED)
        assert status(served, execution_id) == "terminated"
        assert events(served, execution_id) == [*before, "WorkflowExecutionTerminated"]


def test_terminate_cuts_a_clean_up_short() -> None:
    """Row "terminate": it does not wait for what a cancel began, and that never ends it again."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        served.get(f"{API}/execution/{execution_id}/cancel")
        served.get(f"{API}/execution/{execution_id}/terminate")
        served.advance("1h")
        assert status(served, execution_id) == "terminated"
        assert "WorkflowExecutionCanceled" not in events(served, execution_id)


@pytest.mark.parametrize("action", ["cancel", "terminate"])
@pytest.mark.parametrize("approved", [False, True])
def test_ends_whatever_is_open(action: str, approved: bool) -> None:
    """Row "cancel": an execution can be ended while it waits and while it works."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        if approved:
            send(served, execution_id, GRANTED)
        assert served.get(f"{API}/execution/{execution_id}/{action}").status_code == 200
        served.advance("1m")
        assert status(served, execution_id) in {"canceled", "terminated"}


@pytest.mark.parametrize("action", ["cancel", "terminate", "signal"])
def test_only_the_owner_may(action: str) -> None:
    """Row "cancel / terminate / signal": somebody else's execution is a 403 and stays as it is."""
    with serve("thand") as served:
        before = events(served, "wf_abc123")
        answer = served.get(
            f"{API}/execution/wf_abc123/{action}",
            params={"input": GRANTED} if action == "signal" else {},
            headers=BOB,
        )
        assert answer.status_code == 403
        verb = "signal" if action == "signal" else "terminate"
        assert answer.json() == {
            "code": 403,
            "title": f"You do not have permission to {verb} this workflow",
            "message": "",
        }
        assert events(served, "wf_abc123") == before


@pytest.mark.parametrize("action", ["cancel", "terminate", "signal"])
def test_an_unknown_one_is_not_found(action: str) -> None:
    """Row "cancel / terminate / signal": an unknown id is a 404."""
    with serve("thand") as served:
        answer = served.get(
            f"{API}/execution/wf_nothing/{action}",
            params={"input": GRANTED} if action == "signal" else {},
        )
    assert answer.status_code == 404
    assert answer.json() == {
        "code": 404,
        "title": "Failed to find running workflow",
        "message": "workflow execution not found: wf_nothing",
    }


@pytest.mark.parametrize("action", ["cancel", "terminate", "signal"])
@pytest.mark.parametrize(
    "closed", ["wf_abc121", "wf_abc120", "wf_abc119", "wf_abc118", "wf_abc117"]
)
def test_a_closed_one_is_a_conflict(action: str, closed: str) -> None:
    """Row "cancel / terminate / signal": nothing can be done to a closed execution, 409."""
    with serve("thand") as served:
        before = served.get(f"{API}/execution/{closed}").json()
        answer = served.get(
            f"{API}/execution/{closed}/{action}",
            params={"input": GRANTED} if action == "signal" else {},
        )
        assert answer.status_code == 409
        assert answer.json() == {
            "code": 409,
            "title": "Workflow is not running",
            "message": "workflow execution already completed",
        }
        assert served.get(f"{API}/execution/{closed}").json() == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_verb_is_get(method: str) -> None:
    """Row "operations": cancel is a GET, as documented; other verbs are told so and do nothing."""
    with serve("thand") as served:
        answer = served.request(method, f"{API}/execution/wf_abc123/cancel")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET"
        assert answer.json()["code"] == 405
        assert status(served, "wf_abc123") == "running"
