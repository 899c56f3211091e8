"""What can be done with a world from Python, the same however the mock is reached."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mockexec import LiveMock
from mockexec.errors import UsageError

WORKFLOW = "d201c5d9-d37b-4a2f-af14-66414f39d568"


def running(mock: LiveMock) -> str:
    """The id of an execution that runs."""
    execution = mock.executions.add("sailpoint", workflow=WORKFLOW)
    assert execution.state == "running"
    return execution.id


def test_it_says_where_its_apis_are_and_what_to_send(mock: LiveMock) -> None:
    """A client made from the URL and the token is let in."""
    assert set(mock.urls) == {"sailpoint", "thand"}
    assert mock.urls["sailpoint"] == f"{mock.url}/sailpoint" == mock.api("sailpoint").url
    assert mock.api("sailpoint").token == mock.tokens["sailpoint"]
    assert mock.api("sailpoint").client.get("/workflows").status_code == 200
    assert mock.api("sailpoint") is mock.api("sailpoint")


def test_a_token_must_be_one(mock: LiveMock) -> None:
    """With two APIs one has to say which."""
    with pytest.raises(UsageError, match=r"tokens\['sailpoint'\]"):
        _ = mock.token
    with pytest.raises(UsageError, match="'polos' is not served; there are: sailpoint, thand"):
        mock.api("polos")


def test_the_clock_is_turned(mock: LiveMock) -> None:
    """By texts and timedeltas, to texts and datetimes; only forward."""
    began = mock.clock.now
    assert began == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert mock.clock.mode == "frozen"
    assert mock.clock.advance("10m") == began + timedelta(minutes=10)
    later = mock.clock.advance(timedelta(days=400, microseconds=5))
    assert later == began + timedelta(days=400, minutes=10, microseconds=5)
    assert mock.clock.set(datetime(2030, 1, 1, tzinfo=UTC)) == datetime(2030, 1, 1, tzinfo=UTC)
    assert mock.clock.set("2030-01-02T00:00:00Z") == datetime(2030, 1, 2, tzinfo=UTC)
    with pytest.raises(UsageError, match="only moves forward"):
        mock.clock.set("2029-01-01T00:00:00Z")
    with pytest.raises(ValueError, match="only moves forward"):
        mock.clock.advance(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="needs a time zone"):
        mock.clock.set(datetime(2031, 1, 1))  # noqa: DTZ001  # the case in question


def test_the_clock_runs_and_is_frozen_again(mock: LiveMock) -> None:
    """At any pace; the modes are told."""
    mock.clock.scale(60)
    assert mock.clock.mode == "scaled"
    mock.clock.scale(1)
    assert mock.clock.mode == "real"
    frozen = mock.clock.freeze()
    assert (mock.clock.mode, mock.clock.now) == ("frozen", frozen)


def test_everything_comes_to_rest(mock: LiveMock) -> None:
    """``run_until_idle`` leaves nothing with a step due."""
    execution_id = running(mock)
    assert mock.clock.next_due is not None
    mock.clock.run_until_idle()
    assert mock.executions.get(execution_id).state == "completed"
    assert all(one.due is None for one in mock.executions.list())


def test_executions_are_seen_added_and_moved(mock: LiveMock) -> None:
    """What Python does is what clients see."""
    before = mock.executions.list("sailpoint")
    execution_id = running(mock)
    assert len(mock.executions.list("sailpoint")) == len(before) + 1
    seen = mock.executions.get(execution_id, "sailpoint")
    assert (seen.api, seen.state, seen.history[-1].name) == ("sailpoint", "running", "running")
    assert "completed" in seen.next
    moved = mock.executions.move(execution_id, "completed")
    assert moved.state == "completed"
    answer = mock.api("sailpoint").client.get(f"/workflow-executions/{execution_id}")
    assert answer.json()["status"] == "Completed"
    assert execution_id in {one.id for one in mock.executions.list(state="completed")}
    with pytest.raises(UsageError, match="is completed and cannot become running"):
        mock.executions.move(execution_id, "running")
    with pytest.raises(UsageError, match="there is no execution 'none/such'"):
        mock.executions.get("none/such")


def test_sessions_do_not_see_each_other(base: LiveMock) -> None:
    """State, clock, faults and journal of each are its own; deleted ones begin anew."""
    with base.session("one") as one, base.session("two") as two:
        assert one.url == f"{base.url}/@one"
        execution_id = running(one)
        one.clock.advance("1h")
        one.fail("listWorkflows")
        assert one.api("sailpoint").client.get("/workflows").status_code == 503
        assert two.api("sailpoint").client.get("/workflows").status_code == 200
        assert two.clock.now < one.clock.now
        assert execution_id not in {each.id for each in two.executions.list()}
        assert [len(each.requests) for each in (one, two)] == [1, 1]
    with base.session("one") as again:
        assert execution_id not in {each.id for each in again.executions.list()}


def test_a_session_that_is_gone_can_be_closed(base: LiveMock) -> None:
    """Its end is no error that hides how the test ended."""
    with base.session("gone") as session:
        running(session)
        session.close()
        # Used again, it begins anew.
        assert len(session.executions.list()) == len(base.executions.list())
        session.close()


def test_a_session_has_a_scenario_and_a_seed(base: LiveMock) -> None:
    """Equal seeds make equal worlds, different ones do not."""
    ids = []
    for seed in (1, 1, 2):
        with base.session(scenario="busy", seed=seed) as session:
            ids.append(session.executions.add("sailpoint").id)
    assert ids[0] == ids[1] != ids[2]


def test_a_snapshot_is_gone_back_to(mock: LiveMock) -> None:
    """As often as wanted, with state, clock and faults; the journal goes on."""
    execution_id = running(mock)
    fault = mock.fail("getWorkflow", status=500)
    snapshot = mock.snapshot("before")
    for _ in range(2):
        mock.executions.move(execution_id, "terminated")
        mock.clock.advance("1h")
        mock.faults.clear()
        mock.restore(snapshot)
        assert mock.executions.get(execution_id).state == "running"
        assert mock.clock.now == datetime(2026, 1, 1, 12, tzinfo=UTC)
        assert [one.id for one in mock.faults] == [fault.id]


def test_a_snapshot_travels_as_json(base: LiveMock) -> None:
    """Exported from one world, imported into another."""
    with base.session() as one, base.session() as other:
        execution_id = running(one)
        data = json.loads(json.dumps(one.export_snapshot(one.snapshot())))
        other.restore(other.import_snapshot(data))
        assert other.executions.get(execution_id) == one.executions.get(execution_id)
        with pytest.raises(UsageError):
            other.import_snapshot({"format": 0})


def test_a_reset_begins_again(mock: LiveMock) -> None:
    """With the same scenario, or another."""
    count = len(mock.executions.list())
    execution_id = running(mock)
    mock.reset()
    assert len(mock.executions.list()) == count
    assert execution_id not in {one.id for one in mock.executions.list()}
    mock.reset(scenario="empty", seed=3)
    assert mock.executions.list() == []
    with pytest.raises(UsageError, match="no scenario 'none'"):
        mock.reset(scenario="none")


def test_the_journal_is_saved_for_a_browser(mock: LiveMock, tmp_path: Path) -> None:
    """As a HAR file in which no token stands."""
    mock.api("sailpoint").client.get("/workflows")
    mock.save_har(tmp_path / "out.har")
    text = (tmp_path / "out.har").read_text()
    urls = [entry["request"]["url"] for entry in json.loads(text)["log"]["entries"]]
    assert f"{mock.url}/sailpoint/workflows" in urls
    assert mock.tokens["sailpoint"] not in text
