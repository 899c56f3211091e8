"""Runs that wait for a person, and the answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apis.polos.vendor import (
    API,
    COMPLETED,
    UNKNOWN,
    WAITING,
    cancel,
    get,
    refused,
    run,
    world,
)
from tests.support import Served, serve

STEP = f"{API}/approvals/{WAITING}/approve_refund"
NOBODY = {"authorization": None}
ASKING = {
    "waits_for": ["approve_refund"],
    "outcomes": {"completed": {"weight": 1, "data": [{"result": {"ok": True}}]}},
}


def answer(mock: Served, path: str, data: Any) -> int:
    """Submits an answer; gives the status."""
    status: int = mock.post(f"{path}/submit", headers=NOBODY, json={"data": data}).status_code
    return status


def test_anyone_may_see_what_a_run_asks() -> None:
    """Row "operations": unauthenticated; step, status and what the run handed over."""
    with serve("polos") as mock:
        response = mock.get(STEP, headers=NOBODY)
    assert response.status_code == 200
    body = response.json()
    assert sorted(body) == ["data", "execution_id", "status", "step_key"]
    assert (body["execution_id"], body["step_key"]) == (WAITING, "approve_refund")
    assert (body["status"], body["data"]["order_id"]) == ("waiting", "ORD-20388")


def test_an_answer_lets_the_run_go_on() -> None:
    """Row "operations": 200 with an empty body; queued again, running, completed with the answer."""
    with serve("polos") as mock:
        response = mock.post(f"{STEP}/submit", headers=NOBODY, json={"data": {"approved": True}})
        assert (response.status_code, response.content) == (200, b"")
        assert get(mock, WAITING)["status"] == "pending"
        mock.advance("5s")
        assert get(mock, WAITING)["status"] == "running"
        mock.advance("1m")
        execution = get(mock, WAITING)
        handled = mock.get(STEP, headers=NOBODY).json()
    assert execution["status"] == "completed"
    assert execution["result"] == {
        "handled": True,
        "approvals": {"approve_refund": {"approved": True}},
    }
    assert (handled["status"], handled["data"]) == ("completed", None)


def test_only_the_first_answer_counts() -> None:
    """409 once it no longer waits, whether it goes on, has ended or was cancelled."""
    with serve("polos") as mock:
        assert answer(mock, STEP, 1) == 200
        second = mock.post(f"{STEP}/submit", headers=NOBODY, json={"data": 2})
        assert refused(second) == (
            409,
            "CONFLICT",
            "Execution is not waiting for approval (status: pending)",
        )
        mock.advance("5m")
        assert answer(mock, STEP, 3) == 409
    with serve("polos") as mock:
        cancel(mock, WAITING)
        assert answer(mock, STEP, 4) == 409


@pytest.mark.parametrize("data", [None, False, 0, "", [], {}])
def test_an_answer_may_be_any_json(data: Any) -> None:
    """Also one that looks like nothing."""
    with serve("polos") as mock:
        assert answer(mock, STEP, data) == 200
        mock.advance("5m")
        assert get(mock, WAITING)["result"]["approvals"] == {"approve_refund": data}


def test_an_answer_must_be_there() -> None:
    """422 that names the property."""
    with serve("polos") as mock:
        status, error_type, error = refused(mock.post(f"{STEP}/submit", json={}))
    assert (status, error_type) == (422, "UNPROCESSABLE_ENTITY")
    assert "/data" in error


@pytest.mark.parametrize("suffix", ["", "/submit"])
@pytest.mark.parametrize(
    ("execution_id", "step", "status", "error"),
    [
        (UNKNOWN, "approve_refund", 404, "Execution not found"),
        (WAITING, "another_step", 404, "Approval not found"),
        (COMPLETED, "approve_refund", 404, "Approval not found"),
        ("nope", "approve_refund", 400, "Invalid execution ID"),
    ],
)
def test_what_does_not_exist(
    suffix: str, execution_id: str, step: str, status: int, error: str
) -> None:
    """An unknown execution, and a step that the run never stops at."""
    with serve("polos") as mock:
        method = "POST" if suffix else "GET"
        body = {"data": 1} if suffix else None
        response = mock.request(method, f"{API}/approvals/{execution_id}/{step}{suffix}", json=body)
        assert (refused(response)[0], refused(response)[2]) == (status, error)


def test_before_it_stops_there_is_nothing_to_answer() -> None:
    """A step still to come shows the run's state; an answer to it is a conflict."""
    with world(ASKING) as mock:
        execution_id = run(mock, "refund_review")
        path = f"{API}/approvals/{execution_id}/approve_refund"
        early = mock.get(path).json()
        assert answer(mock, path, 1) == 409
        mock.advance("1h")
        assert mock.get(path).json()["status"] == "waiting"
        assert get(mock, execution_id)["status"] == "running"
    assert (early["status"], early["data"]) == ("pending", None)


def test_waiting_does_not_use_up_the_time_limit() -> None:
    """The system cancels runs that run too long, not those that wait for a person."""
    with world(ASKING) as mock:
        execution_id = run(mock, "refund_review", run_timeout_seconds=60)
        mock.advance("50s")
        assert get(mock, execution_id)["status"] == "running"
        mock.advance("2h")
        assert get(mock, execution_id)["status"] == "running"
        assert answer(mock, f"{API}/approvals/{execution_id}/approve_refund", 1) == 200
        mock.advance("3s")
        execution = get(mock, execution_id)
    assert (execution["status"], execution["cancelled_by"]) == ("cancelled", "system")


def test_an_answer_in_time_completes_the_run() -> None:
    """With time left, the limit does nothing."""
    with world(ASKING) as mock:
        execution_id = run(mock, "refund_review", run_timeout_seconds=600)
        mock.advance("50s")
        assert answer(mock, f"{API}/approvals/{execution_id}/approve_refund", "yes") == 200
        mock.advance("1m")
        execution = get(mock, execution_id)
    assert execution["status"] == "completed"
    assert execution["result"] == {"ok": True, "approvals": {"approve_refund": "yes"}}
