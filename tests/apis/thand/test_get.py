"""GET /api/v1/execution/{id}."""

from __future__ import annotations

import pytest

from tests.apis.thand.vendor import API, BOB, GRANTED, events, send, start, status
from tests.support import serve


def test_the_documented_execution_looks_as_documented() -> None:
    """Row "bodies": one execution is the list's fields and a history that begins as documented."""
    with serve("thand") as served:
        listed = served.get(f"{API}/executions").json()["executions"][0]
        found = served.get(f"{API}/execution/wf_abc123").json()
    history = found.pop("history")
    assert found == listed
    assert history[0] == {
        "event_type": "WorkflowExecutionStarted",
        "timestamp": "2026-01-01T11:55:00Z",
    }
    assert {frozenset(entry) for entry in history} == {frozenset({"event_type", "timestamp"})}


def test_anybody_with_a_session_may_look() -> None:
    """Row "get": another user's execution is shown."""
    with serve("thand") as served:
        answer = served.get(f"{API}/execution/wf_abc123", headers=BOB)
    assert answer.status_code == 200
    assert answer.json()["user"] == "alice@example.com"


def test_an_unknown_one_is_not_found() -> None:
    """Row "get": an unknown id is a 404, whatever it looks like."""
    with serve("thand") as served:
        for unknown in ("wf_nothing", "a%2Fb", "%00", "x" * 3000, "%C3%A9"):
            answer = served.get(f"{API}/execution/{unknown}")
            assert answer.status_code == 404, unknown
            assert answer.json()["title"] == "Workflow not found"


def test_the_history_grows_with_the_run() -> None:
    """Row "get": every step adds events after those there are, in the engine's names."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        waiting = events(served, execution_id)
        served.advance("1m")
        assert events(served, execution_id) == waiting
        send(served, execution_id, GRANTED)
        running = events(served, execution_id)
        served.advance("4h")
        closed = events(served, execution_id)
    assert waiting[0] == "WorkflowExecutionStarted"
    assert waiting[-1] == "TimerStarted"
    assert running[: len(waiting)] == waiting
    assert running[len(waiting)] == "WorkflowExecutionSignaled"
    assert closed[: len(running)] == running
    assert closed[-1] in {
        "WorkflowExecutionCompleted",
        "WorkflowExecutionFailed",
        "WorkflowExecutionTimedOut",
    }


def test_the_time_of_every_event_is_that_of_its_step() -> None:
    """Row "get": history is in time order, from the start to the end."""
    with serve("thand", scenario="busy") as served:
        for each in served.realm("thand").executions.range("open", ()).page(0, 20):
            found = served.get(f"{API}/execution/{each.id}").json()
            times = [entry["timestamp"] for entry in found["history"]]
            assert times == sorted(times)
            assert times[0] == found["start_time"]


def test_execution_time_counts_while_it_runs() -> None:
    """Row "get": `execution_time` is an ISO 8601 duration in whole seconds."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        times = []
        for by in ("999ms", "1ms", "4m59s", "1h", "17s", "55m"):
            served.advance(by)
            times.append(served.get(f"{API}/execution/{execution_id}").json()["execution_time"])
    assert times == ["PT0S", "PT1S", "PT5M", "PT1H5M", "PT1H5M17S", "PT2H0M17S"]


def test_execution_time_is_frozen_at_the_close() -> None:
    """Row "get": what a closed execution took does not change any more."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        served.advance("90s")
        served.get(f"{API}/execution/{execution_id}/terminate")
        served.advance("3h")
        found = served.get(f"{API}/execution/{execution_id}").json()
    assert found["execution_time"] == "PT1M30S"


STARTED = (
    "WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
    "WorkflowTaskCompleted", "ActivityTaskScheduled", "ActivityTaskStarted",
)  # fmt: skip


@pytest.mark.parametrize(
    ("execution_id", "word", "last"),
    [
        ("wf_abc121", "completed", ("ActivityTaskCompleted", "WorkflowExecutionCompleted")),
        ("wf_abc120", "canceled", ("WorkflowExecutionCancelRequested", "WorkflowExecutionCanceled")),
        ("wf_abc119", "failed", ("WorkflowExecutionFailed",)),
        ("wf_abc118", "timed_out",
         ("ActivityTaskCompleted", "TimerStarted", "TimerFired", "WorkflowExecutionTimedOut")),
        ("wf_abc117", "terminated", ("WorkflowExecutionTerminated",)),
    ],
)  # fmt: skip
def test_each_final_state_has_its_word_and_its_events(
    execution_id: str, word: str, last: tuple[str, ...]
) -> None:
    """Rows "bodies" and "get": states are lower-case words; the history is told as the engine does."""
    with serve("thand") as served:
        assert status(served, execution_id) == word
        assert tuple(events(served, execution_id)) == (*STARTED, *last)


def test_a_closed_execution_is_forgotten_after_its_retention() -> None:
    """Facts: the engine keeps closed executions for thirty days, open ones for as long as need be."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served, "local-sudo")
        served.advance("29d")
        assert status(served, execution_id) in {"completed", "failed"}
        start(served, "local-sudo")
        served.advance("2d")
        assert served.get(f"{API}/execution/{execution_id}").status_code == 404
