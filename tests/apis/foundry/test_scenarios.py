"""The scenarios: each loads, and shows what it is for."""

from __future__ import annotations

import cProfile
import pstats
from collections import Counter
from typing import Any

import pytest

from mockexec import catalog
from mockexec.errors import FixtureError
from mockexec.spec.operations import Operation
from tests.apis.foundry.support import (
    CLOSED_RESOURCE,
    OTHER_RESOURCE,
    RESOURCE,
    UNKNOWN_RESOURCE,
    at,
    followed,
    listed,
    refused,
    send,
    world_of,
)
from tests.support import Served, serve

DAY_MS = 86_400_000


def test_default_is_a_small_installation() -> None:
    """Two pages of the last day, both statuses, and runs of five resources."""
    with serve("foundry") as mock:
        pages = followed(mock, {})
        statuses = Counter(item["status"] for item in listed(mock))
        week = {"startTime": at(mock, ago_ms=7 * DAY_MS)}
        groups = [raw["rid"] for raw in mock.realm("foundry").scenario.data["resources"]]
        counts = [len(listed(mock, week, resource=rid)) for rid in groups[:6]]
    assert [len(page) > 0 for page in pages] == [True, True]
    assert statuses["SUCCEEDED"] > 5 * statuses["FAILED"] > 0
    assert counts[5] == 0
    assert all(count >= 30 for count in counts[:5])


def test_default_has_a_run_that_still_runs() -> None:
    """It is hidden, and appears when its time has come."""
    pipeline = "ri.eddie.main.pipeline.b3d90e7f-52a4-4c18-8f6d-e1c07b9a2d34"
    running = "1f168a1c-70d2-6e3a-b1f4-0c2d9e8a5b67"
    with serve("foundry") as mock:
        assert running not in str(listed(mock, resource=pipeline))
        mock.advance("15m")
        assert running in str(listed(mock, resource=pipeline))


def test_empty_has_resources_and_no_executions() -> None:
    """Known resources answer with an empty page, unknown ones with 404, and nothing arrives."""
    with serve("foundry", scenario="empty") as mock:
        mock.advance("5d")
        for resource in (RESOURCE, OTHER_RESOURCE):
            assert send(mock, resource=resource).json() == {"data": []}
        refused(send(mock, resource=UNKNOWN_RESOURCE), 404, "ResourceNotFound")


def test_busy_has_thousands_and_lively_arrivals() -> None:
    """A run every few seconds."""
    with serve("foundry", scenario="busy") as mock:
        before = len(mock.realm("foundry").executions)
        mock.advance("1m")
        arrived = len(mock.realm("foundry").executions) - before
    assert before > 5_000
    assert 5 <= arrived <= 60


def test_failing_mostly_fails() -> None:
    """And its stopped pipelines count as failed."""
    with serve("foundry", scenario="failing") as mock:
        assert Counter(item["status"] for item in listed(mock)).most_common(1)[0][0] == "FAILED"
        pipeline = "ri.eddie.main.pipeline.b3d90e7f-52a4-4c18-8f6d-e1c07b9a2d34"
        week = {"startTime": at(mock, ago_ms=7 * DAY_MS)}
        reasons = {item.get("failureReason") for item in listed(mock, week, resource=pipeline)}
    assert "cancelled" in reasons


def test_a_page_costs_the_same_among_100_000() -> None:
    """Unfiltered, by time and by status, nothing is looked at that is not shown."""
    month = "2025-12-03T00:00:00Z"
    queries: list[dict[str, Any]] = [
        {},
        {"startTime": "2025-12-31T18:00:00Z", "endTime": "2026-01-01T06:00:00Z"},
        {"where": {"type": "eq", "field": "status", "value": "FAILED"}, "startTime": month},
        {
            "where": {
                "type": "and",
                "filters": [
                    {"type": "in", "field": "status", "value": ["FAILED"]},
                    {"type": "not", "filter": {"type": "eq", "field": "callerRid", "value": "?"}},
                ],
            },
            "startTime": month,
        },
    ]
    with serve("foundry", scenario="busy") as busy, serve("foundry", scenario="huge") as huge:
        assert len(huge.realm("foundry").executions) == 100_000
        for query in queries:
            assert calls_made(huge, query) <= 1.3 * calls_made(busy, query)


def calls_made(mock: Served, body: dict[str, Any]) -> int:
    """How many Python calls a full page takes, which does not depend on the machine."""
    assert len(listed(mock, body)) == 100
    with cProfile.Profile() as profile:
        listed(mock, body)
    total: int = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]  # not annotated
    return total


def test_the_same_seed_gives_the_same_executions() -> None:
    """And another seed gives others."""
    found = []
    for seed in (7, 7, 8):
        with serve("foundry", seed=seed) as mock:
            found.append(send(mock).content)
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"history": [{"resource": UNKNOWN_RESOURCE, "count": 1, "within": "1h"}]},
            "history/0/resource: there is no resource ri.function",
        ),
        (
            {"resources": [{"rid": RESOURCE, "profile": "swift", "versions": ["1"]}]},
            "resources/0/profile: there is no profile 'swift'",
        ),
    ],
)
def test_a_scenario_that_names_what_is_not_there_is_a_bad_fixture(
    sections: dict[str, Any], message: str
) -> None:
    """It is told by scenario and place, before anything is served."""
    with pytest.raises(FixtureError) as caught, world_of(sections=sections):
        raise AssertionError("it was served")
    assert message in str(caught.value)
    assert str(caught.value).startswith("scenario told of foundry: ")


def documented(operation: Operation) -> dict[str, Any]:
    """The example bodies of an operation."""
    assert operation.body is not None
    (media,) = operation.body.content.values()
    return dict(media.examples)


def test_every_documented_example_request_is_answered() -> None:
    """Each example of the document, with the examples of the parameters, is a 200 here."""
    list_operation, token_operation = catalog.api("foundry").operations
    parameters = {p.name: next(iter(p.examples.values())) for p in list_operation.parameters}
    assert parameters == {"resourceRid": RESOURCE, "preview": True}
    bodies, forms = documented(list_operation), documented(token_operation)
    assert len(bodies) >= 5
    assert forms
    with serve("foundry") as mock:
        for body in bodies.values():
            assert send(mock, body).status_code == 200
        for form in forms.values():
            response = mock.post("/foundry/multipass/api/oauth2/token", data=form)
            assert response.status_code == 200


@pytest.mark.parametrize("token", ["foundry-dev-token", "foundry-other-token"])
def test_each_user_sees_what_is_theirs(token: str) -> None:
    """The salaries are open to the other user only."""
    with serve("foundry") as mock:
        response = send(mock, resource=CLOSED_RESOURCE, token=token)
    assert response.status_code == {"foundry-dev-token": 403, "foundry-other-token": 200}[token]
