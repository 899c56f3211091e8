"""The scenarios, and the document's own examples on the default one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mockexec import catalog
from mockexec.errors import FixtureError
from tests.apis.sailpoint.scenes import LIST, listed, run, tenant
from tests.support import Served, serve


def _statuses(mock: Served) -> Counter[str]:
    """How many executions of the tenant stand where; at most 250 of each workflow are looked at."""
    return Counter(
        one["status"]
        for workflow in mock.get("/sailpoint/workflows").json()
        for one in mock.get(f"/sailpoint/workflows/{workflow['id']}/executions").json()
    )


def _total(mock: Served) -> int:
    workflows = mock.get("/sailpoint/workflows").json()
    return sum(workflow["executionCount"] for workflow in workflows)


def test_default_has_some_of_every_status(mock: Served) -> None:
    """A believable small tenant, in which most goes well."""
    statuses = _statuses(mock)
    assert set(statuses) == {"Completed", "Failed", "Canceled", "Executing"}
    assert statuses["Completed"] > statuses["Failed"] > 5


def test_empty_has_workflows_and_no_executions() -> None:
    """Nothing has run, and nothing starts by itself."""
    with serve("sailpoint", scenario="empty") as mock:
        mock.advance("10d")
        assert len(mock.get("/sailpoint/workflows").json()) == 7
        assert _total(mock) == 0


def test_busy_goes_on_by_itself() -> None:
    """A few thousand, some of them running, and more all the time."""
    with serve("sailpoint", scenario="busy") as mock:
        before = _total(mock)
        assert before > 3000
        assert _statuses(mock)["Executing"] >= 10
        mock.advance("5m")
        assert 80 < _total(mock) - before < 200


def test_failing_fails() -> None:
    """Hardly anything completes, now and later."""
    with serve("sailpoint", scenario="failing") as mock:
        statuses = _statuses(mock)
        assert statuses["Failed"] > 10 * statuses["Completed"]


def test_two_seeds_give_two_tenants() -> None:
    """And the same seed the same one."""
    pages = []
    for seed in (1, 1, 2):
        with serve("sailpoint", seed=seed) as mock:
            pages.append(listed(mock))
    assert pages[0] == pages[1] != pages[2]


@pytest.mark.parametrize("section", ["executions", "history", "arrivals"])
def test_a_scenario_that_names_no_workflow_is_refused(section: str) -> None:
    """In one line, with the section and the name."""
    scenario = tenant()["sailpoint"]
    entries: dict[str, Mapping[str, Any]] = {
        "executions": {**run(1, "-1h"), "workflow": "nobody"},
        "history": {"workflow": "nobody", "count": 1, "within": "1d"},
        "arrivals": {"name": "a", "every": "1s", "workflow": "nobody"},
    }
    data = {**scenario.data, section: [entries[section]]}
    with (
        pytest.raises(FixtureError, match=f"{section}/0/workflow: there is no workflow 'nobody'"),
        serve("sailpoint", scenario={"sailpoint": replace(scenario, data=data)}),
    ):
        pass


def _examples() -> list[Any]:
    api = catalog.api("sailpoint")
    return [pytest.param(operation, id=operation.id) for operation in api.operations]


@pytest.mark.parametrize("operation", _examples())
def test_the_documents_examples_work_on_the_default_scenario(mock: Served, operation: Any) -> None:
    """Every example of every parameter and body, alone or all first ones together, answers 2xx."""
    path, params = f"/sailpoint{operation.path}", {}
    for parameter in operation.parameters:
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", next(iter(parameter.examples.values())))
        else:
            params[parameter.name] = _text(next(iter(parameter.examples.values())))
            for example in parameter.examples.values():
                if operation.id != "createToken":  # where one alone is not enough
                    sent = {parameter.name: _text(example)}
                    assert mock.request(operation.method, path, params=sent).status_code == 200
    media = operation.body.content.get("application/json") if operation.body else None
    bodies = list(media.examples.values()) if media else [None]
    for body in bodies:
        response = mock.request(operation.method, path, params=params, json=body)
        assert response.status_code in {200, 204}, response.text
    assert mock.get(LIST).status_code == 200


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
