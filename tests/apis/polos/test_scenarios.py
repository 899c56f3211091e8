"""Scenarios, examples, and the document beside its source."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mockexec import catalog
from mockexec.spec.operations import Operation
from tests.apis.polos.test_execution import SOURCE_FIELDS
from tests.apis.polos.vendor import API, IN_PROJECT, PROJECT, get, runs
from tests.support import Served, serve

OPERATIONS = (
    "getExecution", "cancelExecution", "runWorkflow", "runWorkflowBatch", "listRuns",
    "getApproval", "submitApproval",
)  # fmt: skip


def test_the_document_has_the_decided_operations() -> None:
    """Row "operations": these seven, at the vendor's paths."""
    found = {
        operation.id: (operation.method, operation.path)
        for operation in catalog.api("polos").operations
    }
    approval = "/api/v1/approvals/{execution_id}/{step_key}"
    assert found == {
        "getExecution": ("GET", "/api/v1/executions/{execution_id}"),
        "cancelExecution": ("POST", "/api/v1/executions/{execution_id}/cancel"),
        "runWorkflow": ("POST", "/api/v1/workflows/{workflow_id}/run"),
        "runWorkflowBatch": ("POST", "/api/v1/workflows/batch_run"),
        "listRuns": ("GET", "/api/v1/workflows/runs"),
        "getApproval": ("GET", approval),
        "submitApproval": ("POST", f"{approval}/submit"),
    }


def test_the_document_has_the_sources_fields() -> None:
    """The 24 fields of the source page, with its five states."""
    schemas = catalog.api("polos").document.raw["components"]["schemas"]
    assert sorted(schemas["Execution"]["properties"]) == sorted(SOURCE_FIELDS)
    assert schemas["ExecutionState"]["enum"] == [
        "pending",
        "running",
        "completed",
        "failed",
        "cancelled",
    ]


def send_examples(mock: Served, operation: Operation) -> dict[str, int]:
    """Sends the operation with each documented example, the first of all others beside it."""
    first = {
        parameter.name: next(iter(parameter.examples.values()))
        for parameter in operation.parameters
    }
    cases: dict[str, tuple[dict[str, Any], Any]] = {}
    bodies: dict[str, Any] = {"": None}
    if operation.body is not None:
        bodies = dict(operation.body.content["application/json"].examples)
    for label, body in bodies.items():
        cases[f"body {label}"] = (first, body)
    for parameter in operation.parameters:
        for label, value in parameter.examples.items():
            cases[f"{parameter.name} {label}"] = (
                {**first, parameter.name: value},
                next(iter(bodies.values())),
            )
    return {label: _send(mock, operation, *case) for label, case in cases.items()}


def _send(mock: Served, operation: Operation, values: dict[str, Any], body: Any) -> int:
    path, query, headers = operation.path, {}, {}
    for parameter in operation.parameters:
        value = values[parameter.name]
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", value)
        elif parameter.location == "query":
            query[parameter.name] = value
        else:
            headers[parameter.name] = value
    response = mock.request(
        operation.method, f"/polos{path}", params=query, headers=headers, json=body
    )
    return response.status_code


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_documented_example_answers_2xx(operation_id: str) -> None:
    """On a fresh mock, as it stands in the document."""
    operation = next(one for one in catalog.api("polos").operations if one.id == operation_id)
    count = (
        max(len(body.examples) for body in operation.body.content.values()) if operation.body else 1
    )
    for position in range(count):
        with serve("polos") as mock:
            statuses = list(send_examples(mock, operation).items())
        # Answering and cancelling work once: what was sent first must have worked.
        assert statuses[0][1] == 200
        if operation_id != "submitApproval":
            assert {status for _, status in statuses} == {200}, (position, statuses)


@pytest.mark.parametrize("scenario", ["default", "empty", "busy", "failing"])
def test_scenarios_load_and_answer(scenario: str) -> None:
    """Each lists what it says, and takes a run."""
    with serve("polos", scenario=scenario) as mock:
        count = len(runs(mock, limit=10_000))
        submitted = mock.post(f"{API}/workflows/wf/run", headers=IN_PROJECT, json={"payload": 1})
        assert submitted.status_code == 200
    assert {
        "default": 30 < count < 100,
        "empty": count == 0,
        "busy": count > 2000,
        "failing": count > 100,
    }[scenario]


def test_huge_holds_a_hundred_thousand() -> None:
    """All of them, over thirty days, most of them ended."""
    with serve("polos", scenario="huge") as mock:
        executions = mock.realm("polos").executions
        assert len(executions) >= 100_000
        page = runs(mock, limit=250, offset=40_000)
        states = Counter(execution.state for execution in executions.all())
    assert len(page) == 250
    assert states["completed"] > 70_000
    assert states["waiting"] + states["running"] + states["queued"] < 2_000


def test_failing_fails() -> None:
    """Most runs fail, and reports run out of time."""
    with serve("polos", scenario="failing") as mock:
        listed = runs(mock, limit=10_000)
        reports = [
            get(mock, one["id"])
            for one in runs(mock, workflow_id="weekly_sales_report", limit=10_000)
        ]
    ended = [
        one["status"] for one in listed if one["status"] in {"completed", "failed", "cancelled"}
    ]
    assert ended.count("completed") < len(ended) / 2
    assert any(
        one["cancelled_by"] == "system" and one["run_timeout_seconds"] == 600 for one in reports
    )


def test_busy_gets_new_runs_by_itself() -> None:
    """Arrivals come with the clock, are listed, and live."""
    with serve("polos", scenario="busy") as mock:
        before = {one["id"] for one in runs(mock, limit=10_000)}
        mock.advance("10m")
        fresh = [one for one in runs(mock, limit=10_000) if one["id"] not in before]
    assert len(fresh) > 60
    assert fresh[-1]["status"] in {"completed", "failed"}
    assert {one["workflow_id"] for one in fresh} >= {"order_processing", "refund_review"}


def test_executions_belong_to_known_projects() -> None:
    """Fixtures tie every run to a project of the scenario, and nearly all to the first."""
    with serve("polos") as mock:
        owners = Counter(execution.owner for execution in mock.realm("polos").executions.all())
    assert owners.most_common(1)[0][0] == PROJECT
    assert set(owners) <= {
        project["id"] for project in catalog.scenario("polos", "default").data["projects"]
    }
