"""What the tests of Polos share: its ids, its paths, and worlds made to measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from mockexec import catalog
from mockexec.simulation.lifecycle import Profile
from mockexec.simulation.world import Scenario
from tests.support import Served, serve

API = "/polos/api/v1"
PROJECT = "7a3f1c52-9d0e-4b86-8f14-2c6b5e0d9a71"
OTHER_PROJECT = "1e8b4c60-5f27-4d93-a1c8-6b0e7d9f2345"
OTHER_KEY = "sk_otherPolos1e8b4c605f274d93a1c86b"
EXPIRED_KEY = "sk_expiredPolos7a3f1c529d0e4b868f14"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
IN_PROJECT = {"x-project-id": PROJECT}
OTHER = {"authorization": f"Bearer {OTHER_KEY}"}

# Executions of the default scenario, by what they are there for.
COMPLETED = "3f9c2a6e-5b1d-4c8f-9a47-e2d06b71c5f8"
PENDING = "0c4be1d8-93a7-4f52-8e6b-d17f5a3c9e20"
RUNNING = "b81e4d07-62fa-4f3c-8d95-1a7c3e9f5042"
WAITING = "5d27c9b4-0e6f-4a13-b7d8-94f1e8c20a6b"
FAILED = "91d7e3b0-4c85-4f2a-b6e1-0a5d8c7f3e94"
TIMED_OUT = "d4a96f18-20c7-4b5e-8d3f-6e1b9a7c5042"
CANCELLED = "a2c64e5b-7f18-4d03-96be-8e0d1f3c7a59"
PARENT = "8c5d3b90-e1f6-4a72-b04e-7d92f6c18a35"
CHILDREN = ("f0a71e68-3d9c-4b54-92e7-c6b85d0f1a23", "49e2d8c7-a65b-4f01-8b3a-10f7e9c5d6b4")
FOREIGN = "e7305c8a-1b4d-4f96-a2d7-9c0e6f58b413"

# Ten seconds of work after two in the queue, and five to stop: every state lasts.
STEADY = {"queued": "2s", "claimed": "1s", "running": "10s", "cleanup": "5s"}


def made(profile: Mapping[str, Any] | None = None, **sections: Any) -> Scenario:
    """The empty scenario, in which every workflow lives as ``profile`` says (left out: steadily).

    ``sections`` replace sections of the scenario.
    """
    empty = catalog.scenario("polos", "empty")
    life = Profile.parse("made", {**STEADY, **(profile or {})})
    return replace(
        empty,
        data={**empty.data, **sections},
        profiles=dict.fromkeys(empty.profiles, life),
    )


@contextmanager
def world(
    profile: Mapping[str, Any] | None = None, *, strict: bool = True, **sections: Any
) -> Iterator[Served]:
    """A mock of Polos alone, with nothing in it yet."""
    with serve("polos", scenario={"polos": made(profile, **sections)}, strict=strict) as mock:
        yield mock


def run(mock: Served, workflow_id: str = "anything", **body: Any) -> str:
    """Submits a run; gives its id."""
    response = mock.post(
        f"{API}/workflows/{workflow_id}/run", headers=IN_PROJECT, json={"payload": None, **body}
    )
    assert response.status_code == 200, response.text
    execution_id: str = response.json()["execution_id"]
    return execution_id


def get(mock: Served, execution_id: str) -> dict[str, Any]:
    """The execution as its GET shows it."""
    response = mock.get(f"{API}/executions/{execution_id}")
    assert response.status_code == 200, response.text
    execution: dict[str, Any] = response.json()
    return execution


def cancel(mock: Served, execution_id: str) -> httpx.Response:
    """Asks to cancel it."""
    return mock.post(f"{API}/executions/{execution_id}/cancel")


def runs(mock: Served, **query: Any) -> list[dict[str, Any]]:
    """One page of the list of runs."""
    response = mock.get(f"{API}/workflows/runs", headers=IN_PROJECT, params=query)
    assert response.status_code == 200, response.text
    page: list[dict[str, Any]] = response.json()
    return page


def refused(response: httpx.Response) -> tuple[int, str, str]:
    """(status, error_type, error) of a refusal, whose body has these two fields and no more."""
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert sorted(body) == ["error", "error_type"]
    return response.status_code, body["error_type"], body["error"]
