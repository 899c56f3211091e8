"""The scenarios, and the examples that the document promises to work on the default one."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import pytest

from mockexec import catalog
from mockexec.spec.operations import Operation
from tests.apis.frontdoor import EXECUTIONS, JSON
from tests.support import Served, serve

OPERATIONS = {operation.id: operation for operation in catalog.api("frontdoor").operations}
TOKENS = (
    "frontdoor-dev-token", "frontdoor-other-token", "frontdoor-weak-token",
    "frontdoor-expired-token",
)  # fmt: skip


def states(served: Served) -> Counter[str]:
    """How many executions are in which state."""
    return Counter(execution.state for execution in served.realm("frontdoor").executions.all())


@pytest.mark.parametrize("name", ["default", "empty", "busy", "failing"])
def test_every_scenario_serves_with_the_development_token(name: str) -> None:
    """Each scenario loads, knows the four tokens, and lists for the development token."""
    with serve("frontdoor", scenario=name) as served:
        reply = served.get(EXECUTIONS)
        tokens = served.realm("frontdoor").table("tokens")
        assert all(value in tokens for value in TOKENS)
    assert reply.status_code == 200


def test_the_scenarios_hold_what_they_promise() -> None:
    """Every state in default, mostly failures in failing, thousands in busy."""
    with serve("frontdoor") as served:
        found = states(served)
        assert set(found) == {"running", "completed", "failed", "cancelled"}
        assert 50 < found.total() < 150
    with serve("frontdoor", scenario="failing") as served:
        found = states(served)
        assert found["failed"] > found["completed"]
    with serve("frontdoor", scenario="busy") as served:
        before = states(served).total()
        served.advance("10m")
        assert 3000 < before < states(served).total() - 100


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_documented_example_works_on_the_default_scenario(operation_id: str) -> None:
    """A request made of the document's first examples answers 2xx on a fresh mock."""
    operation = OPERATIONS[operation_id]
    values = {
        parameter.name: next(iter(parameter.examples.values()))
        for parameter in operation.parameters
    }
    path = operation.path
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", str(value))
    query = {p.name: values[p.name] for p in operation.parameters if p.location == "query"}
    for body in _bodies(operation):
        with serve("frontdoor") as served:
            reply = served.request(operation.method, f"/frontdoor{path}", params=query, **body)
        assert reply.status_code == 200, reply.text


def _bodies(operation: Operation) -> list[dict[str, Any]]:
    if operation.body is None:
        return [{}]
    keys = {"application/json": "json", "application/x-www-form-urlencoded": "data"}
    return [
        {keys[name]: example}
        for name, media in operation.body.content.items()
        for example in media.examples.values()
    ]


@pytest.mark.parametrize("sort", OPERATIONS["listExecutions"].parameters[-1].examples.values())
def test_every_documented_order_works(sort: str) -> None:
    """The examples of sort are orders that the list takes."""
    with serve("frontdoor") as served:
        assert served.get(EXECUTIONS, params={"sort": sort}).status_code == 200


def calls(served: Served, path: str) -> int:
    """How many Python calls a request for 250 executions takes once it is warm."""
    served.get(path, headers=JSON)
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        reply = served.get(path, headers=JSON)
    finally:
        sys.setprofile(None)
    assert len(reply.json()["content"]) == 250
    return count


def test_a_page_costs_the_same_however_long_the_list() -> None:
    """A page of 250 from 100,000 takes at most 1.3 times the calls of one from 3,206."""
    orders = ("createdAt", "startedAt,desc", "status", "id", "processId", "name,desc")
    paths = [f"{EXECUTIONS}?size=250&page=3&sort={order}" for order in orders]
    with serve("frontdoor", scenario="busy") as served:
        short = [calls(served, path) for path in paths]
    with serve("frontdoor", scenario="huge") as served:
        assert served.get(EXECUTIONS).json()["page"]["totalElements"] == 100_000
        long = [calls(served, path) for path in paths]
    assert all(more <= 1.3 * less for less, more in zip(short, long, strict=True))
