"""What the tests of this API share: the ids of the default scenario, and tenants of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mockexec import catalog
from mockexec.simulation.lifecycle import Profile
from mockexec.simulation.world import Scenario
from tests.support import Served

SEND_EMAIL = "d201c5d9-d37b-4a2f-af14-66414f39d568"
APPROVAL = "4f6d1c6e-0a9b-4c2e-9d8b-3d2f5a7e1b90"
DISABLED = "7d39cb5b-4f60-4e1e-8ad0-7b1f6f4ac9de"
# The source document's own execution, which has completed, and one that runs for hours.
COMPLETED = "b393f4e2-4785-4d7f-ab27-3a6b8ded4c81"
RUNNING = "12e0ae34-9ad4-4a4e-8a2e-0e9dc0f4e7b1"

LIST = f"/sailpoint/workflows/{SEND_EMAIL}/executions"
NOW = "2026-01-01T12:00:00.000000000Z"  # where a frozen clock starts


def run(
    number: int, started: str, *, runs: str = "1s", status: str = "Completed"
) -> dict[str, str]:
    """One execution of ``SEND_EMAIL`` as a scenario tells it."""
    return {
        "id": f"run-{number}",
        "workflow": SEND_EMAIL,
        "started": started,
        "runs": runs,
        "status": status,
    }


def crowd() -> list[dict[str, str]]:
    """120 executions of all statuses, many of which began at the same instant."""
    statuses = ["Completed", "Failed", "Canceled"]
    return [
        run(
            number,
            f"-{1 + number % 23}m{number % 7}s",
            runs="3m" if number % 4 else "9h",
            status=statuses[number % 3],
        )
        for number in range(120)
    ]


def tenant(
    executions: Sequence[Mapping[str, Any]] = (),
    *,
    profiles: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Scenario]:
    """The default scenario with just these executions, and other lives for its workflows."""
    default = catalog.scenario("sailpoint", "default")
    data = {**default.data, "executions": list(executions), "history": []}
    lives = {name: Profile.parse(name, raw) for name, raw in (profiles or {}).items()}
    return {
        "sailpoint": Scenario("sailpoint", "test", data, {**default.profiles, **lives}),
    }


def listed(mock: Served, **params: str | int) -> list[Any]:
    """The executions of ``SEND_EMAIL``."""
    response = mock.get(LIST, params=params)
    assert response.status_code == 200, response.text
    found: list[Any] = response.json()
    return found


def causes(mock: Served, **params: str | int) -> list[str]:
    """The reasons why the list refuses these parameters."""
    response = mock.get(LIST, params=params)
    assert response.status_code == 400, response.text
    return [cause["text"] for cause in response.json()["causes"]]
