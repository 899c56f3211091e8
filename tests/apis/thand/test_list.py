"""GET /api/v1/executions."""

from __future__ import annotations

from collections import Counter

from tests.apis.thand.vendor import API, BOB, GRANTED, send, start
from tests.support import Served, serve


def listed(served: Served, **headers: str) -> list[str]:
    answer = served.get(f"{API}/executions", headers=headers)
    assert answer.status_code == 200, answer.text
    return [each["workflow_id"] for each in answer.json()["executions"]]


def test_the_documented_execution_looks_as_documented() -> None:
    """Row "bodies": the list shows the page's own execution word for word."""
    with serve("thand") as served:
        found = served.get(f"{API}/executions").json()
    assert set(found) == {"executions"}
    assert found["executions"][0] == {
        "workflow_id": "wf_abc123",
        "run_id": "run_456789",
        "status": "running",
        "start_time": "2026-01-01T11:55:00Z",
        "execution_time": "PT5M",
        "task_queue": "thand-task-queue",
        "user": "alice@example.com",
        "workflow_type": {"name": "ElevateWorkflow"},
    }


def test_only_the_callers_own() -> None:
    """Row "list": nobody sees another user's executions."""
    with serve("thand", scenario="busy") as served:
        alice = served.get(f"{API}/executions").json()["executions"]
        bob = served.get(f"{API}/executions", headers=BOB).json()["executions"]
    assert {each["user"] for each in alice} == {"alice@example.com"}
    assert [each["workflow_id"] for each in bob] == ["wf_def456"]


def test_only_the_running_ones() -> None:
    """Row "list": whatever ends leaves the list, and all that is open stands in it."""
    with serve("thand", scenario="busy") as served:
        own = [
            each
            for each in served.realm("thand").executions.all()
            if each.owner == "alice@example.com"
        ]
        states = Counter(each.is_final for each in own)
        answer = served.get(f"{API}/executions").json()["executions"]
        assert states[True] > 10
        assert states[False] > 10
        assert {each["workflow_id"] for each in answer} == {
            each.id for each in own if not each.is_final
        }
        assert {each["status"] for each in answer} == {"running"}


def test_a_closing_execution_leaves_when_it_is_closed() -> None:
    """Row "list": clean-up after a cancel still counts as running."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        assert listed(served) == [execution_id]
        served.get(f"{API}/execution/{execution_id}/cancel")
        assert listed(served) == [execution_id]
        served.advance("8s")
        assert listed(served) == []


def test_newest_first() -> None:
    """Row "list": the order is that of the starts, the latest on top."""
    with serve("thand", scenario="empty") as served:
        started = []
        for _ in range(5):
            started.append(start(served))
            served.advance("1s")
        send(served, started[1], GRANTED)
        assert listed(served) == started[::-1]


def test_at_most_a_hundred() -> None:
    """Row "list": of more than a hundred the newest hundred are shown, with no way to the rest."""
    with serve("thand", scenario="empty") as served:
        started = []
        for _ in range(103):
            started.append(start(served))
            served.advance("1s")
        assert listed(served) == started[:2:-1]


def test_an_empty_list_is_a_list() -> None:
    """Row "list": a caller without executions gets an empty one."""
    with serve("thand", scenario="empty") as served:
        assert served.get(f"{API}/executions").json() == {"executions": []}
