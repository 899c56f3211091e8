"""SailPoint's executions against a model: start, live, cancel, list, filter, count, archive."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from mockexec.simulation.instants import DAY, SECOND, format_instant
from tests.machine import ApiMachine, fixed_scenario

STEADY = {"running": "60s", "outcomes": {"completed": 1}}


@dataclass
class Modelled:
    """An execution as it should be."""

    id: str
    workflow: str
    start_ns: int
    end_ns: int
    outcome: str = "Completed"

    def status(self, now_ns: int) -> str:
        """Its status at an instant."""
        return self.outcome if now_ns >= self.end_ns else "Executing"

    def is_kept(self, now_ns: int) -> bool:
        """Whether it is not archived yet."""
        return self.start_ns >= now_ns - 90 * DAY


class SailPointMachine(ApiMachine):
    """Workflows that run for exactly a minute."""

    api = "sailpoint"
    scenario = fixed_scenario("sailpoint", {"*": STEADY})

    def __init__(self) -> None:
        super().__init__()
        self.workflows = [w["id"] for w in self.scenario.data["workflows"] if w["enabled"]]
        self.executions: list[Modelled] = []

    def kept(self, workflow: str) -> list[Modelled]:
        """A workflow's executions as a list should have them."""
        return sorted(
            (e for e in self.executions if e.workflow == workflow and e.is_kept(self.now_ns)),
            key=lambda e: (e.start_ns, e.id),
            reverse=True,
        )

    @rule(index=st.integers(0, 9), tests=st.booleans())
    def start(self, index: int, tests: bool) -> None:
        """An execution starts, by a test or from outside."""
        workflow = self.workflows[index % len(self.workflows)]
        path = f"{workflow}/test" if tests else f"execute/external/{workflow}"
        response = self.served.post(f"/sailpoint/v3/workflows/{path}", json={"input": {"n": index}})
        assert response.status_code == 200, response.text
        identifier = response.json()["workflowExecutionId"]
        assert identifier not in {e.id for e in self.executions}
        end_ns = self.now_ns + 60 * SECOND
        self.executions.append(Modelled(identifier, workflow, self.now_ns, end_ns))

    @rule(seconds=st.sampled_from(["1ns", "1s", "29s", "30s", "59s", "60s", "2h", "45d"]))
    def pass_time(self, seconds: str) -> None:
        """The clock goes on."""
        self.advance(seconds)

    @precondition(lambda self: self.executions)
    @rule(index=st.integers(0, 99))
    def cancel(self, index: int) -> None:
        """Open: 204 and Canceled at once; closed: 400; archived: 404."""
        execution = self.executions[index % len(self.executions)]
        was_open = execution.status(self.now_ns) == "Executing"
        response = self.served.post(f"/sailpoint/workflow-executions/{execution.id}/cancel")
        expected = 204 if was_open else 400 if execution.is_kept(self.now_ns) else 404
        assert response.status_code == expected, response.text
        if was_open:
            execution.end_ns, execution.outcome = self.now_ns, "Canceled"

    @precondition(lambda self: self.executions)
    @rule(index=st.integers(0, 99))
    def get(self, index: int) -> None:
        """One execution says what the model says; its history ends as it does."""
        execution = self.executions[index % len(self.executions)]
        path = f"/sailpoint/beta/workflow-executions/{execution.id}"
        response = self.served.get(path)
        if not execution.is_kept(self.now_ns):
            assert response.status_code == 404
            assert self.served.get(f"{path}/history").status_code == 404
            return
        assert response.json() == {
            **self.wire(execution),
            "requestId": response.json()["requestId"],
        }
        times = [event["timestamp"] for event in self.served.get(f"{path}/history").json()]
        assert times == sorted(times)

    @rule(
        index=st.integers(0, 9),
        limit=st.integers(0, 250),
        offset=st.integers(0, 12),
        status=st.sampled_from(["Completed", "failed", "CANCELED", "Executing", None]),
        since=st.integers(-1, 99),
    )
    def list_(self, index: int, limit: int, offset: int, status: str | None, since: int) -> None:
        """Any page of any filter is the page of the filtered model, and so is the total."""
        workflow = self.workflows[index % len(self.workflows)]
        expected = self.kept(workflow)
        filters = []
        if status is not None:
            filters.append(f'status eq "{status}"')
            expected = [e for e in expected if e.status(self.now_ns).lower() == status.lower()]
        if since >= 0 and self.executions:
            bound_ns = self.executions[since % len(self.executions)].start_ns
            operator = ("lt", "le", "gt", "ge", "eq")[since % 5]
            filters.append(f"start_time {operator} {format_instant(bound_ns, digits=9)}")
            expected = [e for e in expected if _compare(operator, e.start_ns, bound_ns)]
        parameters = {"limit": limit, "offset": offset, "count": "true"}
        if filters:
            parameters["filters"] = " and ".join(filters)
        response = self.served.get(f"/sailpoint/workflows/{workflow}/executions", params=parameters)
        assert response.status_code == 200, response.text
        got = [{k: v for k, v in item.items() if k != "requestId"} for item in response.json()]
        assert got == [self.wire(e) for e in expected[offset : offset + limit]]
        assert response.headers["x-total-count"] == str(len(expected))

    @invariant()
    def counts_agree(self) -> None:
        """A workflow counts its executions."""
        for shown in self.served.get("/sailpoint/workflows").json():
            assert shown["executionCount"] == len(self.kept(shown["id"]))

    def wire(self, execution: Modelled) -> dict[str, str]:
        """What the API should show, but for the request id."""
        status = execution.status(self.now_ns)
        shown = {
            "id": execution.id,
            "workflowId": execution.workflow,
            "startTime": format_instant(execution.start_ns, digits=9),
        }
        if status != "Executing":
            shown["closeTime"] = format_instant(execution.end_ns, digits=9)
        return {**shown, "status": status}


def _compare(operator: str, left: int, right: int) -> bool:
    return {
        "lt": left < right, "le": left <= right, "gt": left > right, "ge": left >= right,
        "eq": left == right,
    }[operator]  # fmt: skip


TestSailPoint = SailPointMachine.TestCase
