"""Executions: states, cancel, retention, history (rows "states", "cancel", "retention")."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.apis.sailpoint.scenes import (
    COMPLETED,
    DISABLED,
    LIST,
    NOW,
    RUNNING,
    SEND_EMAIL,
    listed,
    run,
    tenant,
)
from tests.support import Served, serve

ONE = "/sailpoint/workflow-executions"


def _start(mock: Served) -> str:
    response = mock.post(f"/sailpoint/workflows/{SEND_EMAIL}/test", json={"input": {}})
    started: str = response.json()["workflowExecutionId"]
    return started


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("completed", "Completed"), ("failed", "Failed"), ("cancelled", "Canceled"),
     ("terminated", "Canceled")],
)  # fmt: skip
def test_an_execution_executes_and_ends(outcome: str, status: str) -> None:
    """Executing, without closeTime; then one of the document's three ends, with it."""
    profiles = {"message": {"running": "90s", "outcomes": {outcome: 1}}}
    with serve("sailpoint", scenario=tenant(profiles=profiles)) as mock:
        execution_id = _start(mock)
        open_ = mock.get(f"{ONE}/{execution_id}").json()
        assert open_ == {
            "id": execution_id,
            "workflowId": SEND_EMAIL,
            "requestId": open_["requestId"],
            "startTime": NOW,
            "status": "Executing",
        }
        mock.advance("89s")
        assert mock.get(f"{ONE}/{execution_id}").json() == open_
        mock.advance("1s")
        closed = {**open_, "closeTime": "2026-01-01T12:01:30.000000000Z", "status": status}
        assert mock.get(f"{ONE}/{execution_id}").json() == closed
        assert listed(mock) == [closed]
        mock.advance("1d")
        assert mock.get(f"{ONE}/{execution_id}").json() == closed


@pytest.mark.parametrize("path", ["workflows/{}/test", "workflows/execute/external/{}"])
def test_a_started_execution_is_the_first_of_the_list(mock: Served, path: str) -> None:
    """Both ways to start one."""
    path = f"/sailpoint/{path.format(SEND_EMAIL)}"
    started = mock.post(path, json={"input": {"identity": {"id": "x"}}}).json()
    assert list(started) == ["workflowExecutionId"]
    assert listed(mock, limit=1)[0]["id"] == started["workflowExecutionId"]


def test_an_external_start_needs_no_body(mock: Served) -> None:
    """The body is optional there, and only there."""
    started = mock.post(f"/sailpoint/workflows/execute/external/{SEND_EMAIL}")
    assert started.status_code == 200
    assert mock.post(f"/sailpoint/workflows/{SEND_EMAIL}/test").status_code == 400


def test_a_workflow_that_is_not_enabled_is_not_started_from_outside(mock: Served) -> None:
    """200 with the vendor's message and no id; testing it starts it all the same."""
    before = mock.get(f"/sailpoint/workflows/{DISABLED}").json()
    assert before["enabled"] is False
    response = mock.post(f"/sailpoint/workflows/execute/external/{DISABLED}", json={})
    assert response.status_code == 200
    assert response.json() == {
        "message": "Workflow was not executed externally. Check enabled flag on workflow definition"
    }
    assert mock.get(f"/sailpoint/workflows/{DISABLED}").json() == before
    tested = mock.post(f"/sailpoint/workflows/{DISABLED}/test", json={"input": {}})
    assert mock.get(f"{ONE}/{tested.json()['workflowExecutionId']}").status_code == 200


def test_cancel_is_204_and_the_next_read_says_canceled(mock: Served) -> None:
    """No body; closeTime is there at once; time changes nothing afterwards."""
    open_ = mock.get(f"{ONE}/{RUNNING}").json()
    mock.advance("10m")
    response = mock.post(f"{ONE}/{RUNNING}/cancel")
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers
    closed = {**open_, "closeTime": "2026-01-01T12:10:00.000000000Z", "status": "Canceled"}
    assert mock.get(f"{ONE}/{RUNNING}").json() == closed
    mock.advance("10h")
    assert mock.get(f"{ONE}/{RUNNING}").json() == closed


def test_a_closed_execution_cannot_be_cancelled(mock: Served) -> None:
    """400 with the reason, and it stays as it was."""
    before = mock.get(f"{ONE}/{COMPLETED}").json()
    response = mock.post(f"{ONE}/{COMPLETED}/cancel")
    assert response.status_code == 400
    (cause,) = response.json()["causes"]
    assert COMPLETED in cause["text"]
    assert "has closed with the status Completed" in cause["text"]
    assert mock.get(f"{ONE}/{COMPLETED}").json() == before


def test_cancelling_twice_is_refused_the_second_time(mock: Served) -> None:
    """A cancelled execution has closed."""
    assert mock.post(f"{ONE}/{RUNNING}/cancel").status_code == 204
    response = mock.post(f"{ONE}/{RUNNING}/cancel")
    assert response.status_code == 400
    assert "has closed with the status Canceled" in response.json()["causes"][0]["text"]


@pytest.mark.parametrize("id_", ["nobody", "d201c5d9-d37b-4a2f-af14-66414f39d568", "%2F", "é"])
def test_an_unknown_execution_is_404(mock: Served, id_: str) -> None:
    """Ids are free strings: whatever nobody has is not found, never malformed."""
    for response in (
        mock.get(f"{ONE}/{id_}"),
        mock.get(f"{ONE}/{id_}/history"),
        mock.post(f"{ONE}/{id_}/cancel"),
    ):
        assert response.status_code == 404
        assert "there is no workflow execution" in response.json()["causes"][0]["text"]


def test_an_unknown_workflow_is_404(mock: Served) -> None:
    """On every operation that names one."""
    for response in (
        mock.get("/sailpoint/workflows/nobody"),
        mock.get("/sailpoint/workflows/nobody/executions"),
        mock.post("/sailpoint/workflows/nobody/test", json={"input": {}}),
        mock.post("/sailpoint/workflows/execute/external/nobody"),
    ):
        assert response.status_code == 404
        assert 'there is no workflow "nobody"' in response.json()["causes"][0]["text"]


def test_request_ids_are_32_hexadecimal_digits(mock: Served) -> None:
    """Those of the scenario and those of fresh executions, all different."""
    _start(mock)
    ids = [one["requestId"] for one in listed(mock)]
    assert len(set(ids)) == len(ids) == 43
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


def test_after_ninety_days_an_execution_is_archived() -> None:
    """Not listed, not counted, 404 on get, history and cancel, whether it has ended or not."""
    told = [run(1, "-89d23h"), run(2, "-89d23h", runs="200d"), run(3, "-2d")]
    with serve("sailpoint", scenario=tenant(told)) as mock:
        mock.advance("1h")
        assert [one["id"] for one in listed(mock)] == ["run-3", "run-2", "run-1"]
        mock.advance("1ns")
        response = mock.get(LIST, params={"count": "true"})
        assert [one["id"] for one in response.json()] == ["run-3"]
        assert response.headers["x-total-count"] == "1"
        assert mock.get(f"/sailpoint/workflows/{SEND_EMAIL}").json()["executionCount"] == 1
        for number in (1, 2):
            assert mock.get(f"{ONE}/run-{number}").status_code == 404
            assert mock.get(f"{ONE}/run-{number}/history").status_code == 404
            assert mock.post(f"{ONE}/run-{number}/cancel").status_code == 404


def _events(mock: Served, execution_id: str) -> list[Any]:
    found: list[Any] = mock.get(f"{ONE}/{execution_id}/history").json()
    times = [event["timestamp"] for event in found]
    assert times == sorted(times)
    return found


ACTIVITY = ["ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted"]
BEGIN = ["WorkflowExecutionScheduled", "WorkflowExecutionStarted"]


@pytest.mark.parametrize(
    ("outcome", "end"),
    [
        ("completed", [*ACTIVITY, "WorkflowExecutionCompleted"]),
        ("failed", [*ACTIVITY[:2], "ActivityTaskFailed", "WorkflowExecutionFailed"]),
    ],
)
def test_the_history_tells_the_steps_as_they_happen(outcome: str, end: list[str]) -> None:
    """What has been told stays; an execution that has ended tells how."""
    data = [{"reason": "The mailbox is full."}]
    profiles = {"message": {"running": "60s", "outcomes": {outcome: {"weight": 1, "data": data}}}}
    with serve("sailpoint", scenario=tenant(profiles=profiles)) as mock:
        execution_id = _start(mock)
        told = _events(mock, execution_id)
        assert [event["type"] for event in told] == BEGIN + ACTIVITY[:2]
        mock.advance("40s")
        later = _events(mock, execution_id)
        assert later[: len(told)] == told
        assert [event["type"] for event in later] == BEGIN + ACTIVITY + ACTIVITY[:2]
        mock.advance("20s")
        ended = _events(mock, execution_id)
        assert ended[: len(later)] == later
        assert [event["type"] for event in ended] == BEGIN + ACTIVITY + end
        closed = mock.get(f"{ONE}/{execution_id}").json()["closeTime"]
        assert ended[-1]["timestamp"] == closed
        if outcome == "failed":
            assert ended[-1]["attributes"] == {"failure": "The mailbox is full."}


def test_the_history_of_a_cancelled_execution_ends_before_the_cancellation(mock: Served) -> None:
    """The vendor has no event for it, so nothing is added."""
    before = _events(mock, RUNNING)
    mock.post(f"{ONE}/{RUNNING}/cancel")
    mock.advance("12h")
    assert _events(mock, RUNNING) == before


def test_an_execution_can_arrive_by_itself(mock: Served) -> None:
    """As events and schedules of the tenant bring it: of a workflow, or of any enabled one."""
    arrive = "/_mockexec/executions"
    data = {"workflow": SEND_EMAIL}
    named = mock.post(arrive, json={"api": "sailpoint", "data": data})
    assert named.status_code == 201
    assert listed(mock, limit=1)[0]["id"] == named.json()["id"]
    other = mock.post(arrive, json={"api": "sailpoint"}).json()["id"]
    workflow = mock.get(f"{ONE}/{other}").json()["workflowId"]
    assert mock.get(f"/sailpoint/workflows/{workflow}").json()["enabled"]
    unknown = mock.post(arrive, json={"api": "sailpoint", "data": {"workflow": "nobody"}})
    assert unknown.status_code == 409
    assert "there is no workflow 'nobody'" in unknown.text


def test_workflows_are_listed_by_name_with_their_counts(mock: Served) -> None:
    """The counts are those of the lists."""
    workflows = mock.get("/sailpoint/workflows").json()
    names = [workflow["name"] for workflow in workflows]
    assert names == sorted(names, key=str.casefold)
    (email,) = (workflow for workflow in workflows if workflow["id"] == SEND_EMAIL)
    assert email == mock.get(f"/sailpoint/workflows/{SEND_EMAIL}").json()
    assert email["executionCount"] == len(listed(mock))
    assert email["failureCount"] == len(listed(mock, filters='status eq "Failed"'))
    assert mock.get("/sailpoint/workflows?limit=2&offset=1").json() == workflows[1:3]
