"""POST /api/v1/execution."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.apis.thand.vendor import API, BOB, start
from tests.support import serve

INPUT = {"role": "admin", "provider": "aws", "reason": "Emergency maintenance"}


def test_answers_201_with_the_documented_body() -> None:
    """Row "create": the documented request starts an execution and answers three fields."""
    with serve("thand") as served:
        answer = served.post(f"{API}/execution", json={"workflow": "default", "input": INPUT})
    assert answer.status_code == 201
    body = answer.json()
    assert list(body) == ["workflow_id", "run_id", "status"]
    assert re.fullmatch(r"wf_\d{19}", body["workflow_id"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body["run_id"])
    assert body["status"] == "running"


def test_the_execution_is_the_callers() -> None:
    """Row "create": whoever starts an execution owns it."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served, **BOB)
        found = served.get(f"{API}/execution/{execution_id}").json()
        assert found["user"] == "bob@example.com"
        assert found["workflow_type"] == {"name": "ElevateWorkflow"}
        assert found["start_time"] == "2026-01-01T12:00:00Z"
        assert found["execution_time"] == "PT0S"
        assert served.get(f"{API}/executions").json()["executions"] == []


def test_ids_are_never_given_twice() -> None:
    """Facts: ids are the nanoseconds of the start, also while the clock stands still."""
    with serve("thand", scenario="empty") as served:
        started = {start(served) for _ in range(300)}
    assert len(started) == 300
    assert {each[:13] for each in started} == {"wf_1767268800"}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "body /workflow is missing"),
        ({"workflow": 5}, "body /workflow must be a string"),
        ({"workflow": None}, "body /workflow must be a string"),
        ({"workflow": ""}, "body /workflow must have at least 1 character"),
        ({"workflow": "default", "input": []}, "body /input must be an object"),
        ({"workflow": "default", "input": None}, "body /input must be an object"),
        ([], "body must be an object"),
    ],
)
def test_a_body_of_another_shape_is_refused(body: Any, place: str) -> None:
    """Row "create": `workflow` is a required string and `input` an object, else 400."""
    with serve("thand") as served:
        answer = served.post(f"{API}/execution", json=body)
    assert answer.status_code == 400
    assert answer.json()["title"] == "Invalid request"
    assert place in answer.json()["message"]


@pytest.mark.parametrize(
    ("workflow", "value", "message"),
    [
        ("default", {"role": "admin", "provider": "aws"}, "input.reason: is missing"),
        ("default", INPUT | {"provider": "fax"}, 'input.provider: must be "aws"'),
        ("default", INPUT | {"role": 7}, "input.role: must be a string, got 7"),
        ("local-sudo", {"hostname": "x", "minutes": 4}, "input.minutes: must be at least 5, got 4"),
        ("access-review", {"team": "sre", "reviewers": ["nobody"]}, "input.reviewers.0: must be"),
    ],
)
def test_an_input_must_fit_its_own_workflow(workflow: str, value: Any, message: str) -> None:
    """Row "create": a bad input is a 400 that names the field, and nothing is started."""
    with serve("thand", scenario="empty") as served:
        answer = served.post(f"{API}/execution", json={"workflow": workflow, "input": value})
        assert answer.status_code == 400
        assert answer.json()["title"] == "Invalid workflow input"
        assert message in answer.json()["message"]
        assert len(served.realm("thand").executions) == 0


def test_a_missing_input_is_an_empty_one() -> None:
    """Row "create": without `input` the workflow's schema decides about an empty object."""
    with serve("thand") as served:
        answer = served.post(f"{API}/execution", json={"workflow": "default"})
    assert answer.status_code == 400
    for field in ("role", "provider", "reason"):
        assert f"input.{field}: is missing" in answer.json()["message"]


@pytest.mark.parametrize("workflow", ["nothing", "vpn-legacy", "Default", "x" * 5000, "\x00"])
def test_an_unknown_or_disabled_workflow_is_not_found(workflow: str) -> None:
    """Row "create": a workflow that does not exist or is disabled is a 404."""
    with serve("thand") as served:
        answer = served.post(f"{API}/execution", json={"workflow": workflow, "input": INPUT})
    assert answer.status_code == 404
    assert answer.json()["title"] == "Workflow not found"
    assert len(answer.json()["message"]) < 200
