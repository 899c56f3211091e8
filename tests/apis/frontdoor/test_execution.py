"""Rows "operations", "execution", "states" and "find": one execution and its life."""

from __future__ import annotations

from typing import Any

import pytest

from mockexec import catalog
from mockexec.errors import FixtureError
from mockexec.simulation.instants import SECOND
from mockexec.simulation.lifecycle import STATES, Step
from mockexec.simulation.world import Scenario, born
from tests.apis.frontdoor import EXECUTIONS, FRONTDOOR, HAL, JSON, STAGING
from tests.support import Served, serve


def get(served: Served, execution_id: str) -> Any:
    """An execution in plain JSON."""
    reply = served.get(f"{EXECUTIONS}/{execution_id}", headers=JSON)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.mark.parametrize("place", [":find?processId=abc-123", "/exe-1"])
def test_the_guides_two_requests_are_answered_as_it_shows(place: str) -> None:
    """Rows "operations" and "execution": the four documented fields, with the guide's own ids."""
    with serve("frontdoor") as served:
        reply = served.get(f"{EXECUTIONS}{place}", headers=JSON)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json() == {
        "id": "exe-1",
        "processId": "abc-123",
        "name": "provision frontend shop-emea",
        "status": "RUNNING",
        "createdAt": "2026-01-01T11:55:00Z",
        "startedAt": "2026-01-01T11:55:00Z",
        "finishedAt": None,
    }


def test_links_come_in_hal_only() -> None:
    """Row "execution": _links.self in HAL, which is also what a client without a wish gets."""
    with serve("frontdoor") as served:
        plain = get(served, "exe-1")
        hal = served.get(f"{EXECUTIONS}/exe-1", headers=HAL)
        any_form = served.get(f"{EXECUTIONS}/exe-1", headers={"accept": None})
        found = served.get(f"{EXECUTIONS}:find?processId=abc-123", headers=HAL)
    assert hal.headers["content-type"] == "application/hal+json"
    href = f"http://mock.test{EXECUTIONS}/exe-1"
    assert hal.json() == plain | {"_links": {"self": {"href": href}}}
    assert any_form.content == hal.content == found.content


def test_a_finished_execution_says_when() -> None:
    """Row "execution": finishedAt is null while open and the instant of its end afterwards."""
    with serve("frontdoor") as served:
        assert get(served, "exe-3")["finishedAt"] is None
        served.advance("89s")
        assert get(served, "exe-3")["status"] == "RUNNING"
        served.advance("1h")
        ended = get(served, "exe-3")
    assert (ended["status"], ended["finishedAt"]) == ("FINISHED", "2026-01-01T12:01:30Z")


@pytest.mark.parametrize(
    ("execution_id", "ends"), [("exe-3", "FINISHED"), ("exe-4", "FAILED"), ("exe-6", "CANCELLED")]
)
def test_running_ends_in_one_of_three_ways_and_stays_there(execution_id: str, ends: str) -> None:
    """Row "states": RUNNING → FINISHED | FAILED | CANCELLED, and never out of them again."""
    with serve("frontdoor") as served:
        assert get(served, execution_id)["status"] == "RUNNING"
        served.advance("5m")
        if ends == "CANCELLED":
            assert served.post(f"{EXECUTIONS}/{execution_id}:cancel").status_code == 200
        ended = get(served, execution_id)
        assert ended["status"] == ends
        assert served.post(f"{EXECUTIONS}/{execution_id}:cancel").status_code == 409
        served.advance("12h")
        assert get(served, execution_id) == ended


def test_cancelling_ends_a_running_execution_at_once() -> None:
    """Rows "operations" and "states": the answer to :cancel is the cancelled execution."""
    with serve("frontdoor") as served:
        before = get(served, "exe-1")
        reply = served.post(f"{EXECUTIONS}/exe-1:cancel", headers=JSON)
        after = get(served, "exe-1")
        served.advance("7h")
        assert get(served, "exe-1") == after
    assert reply.status_code == 200
    ended = {"status": "CANCELLED", "finishedAt": "2026-01-01T12:00:00Z"}
    assert reply.json() == after == before | ended


@pytest.mark.parametrize(
    ("execution_id", "status"),
    [("exe-2", "FAILED"), ("exe-5", "CANCELLED"), ("exe-3", "FINISHED")],
)
def test_a_closed_execution_cannot_be_cancelled(execution_id: str, status: str) -> None:
    """Row "states": cancel of a closed one is a 409 that says how it ended."""
    with serve("frontdoor") as served:
        served.advance("2m")
        before = get(served, execution_id)
        refused = served.post(f"{EXECUTIONS}/{execution_id}:cancel")
        assert get(served, execution_id) == before
    assert refused.status_code == 409
    assert refused.json() == {
        "error": "conflict",
        "message": f"Execution {execution_id} is already {status}",
    }


def test_the_document_marks_cancelling_as_inferred() -> None:
    """Row "operations": cancelExecution carries x-inferred and tells why."""
    operations = {operation.id: operation for operation in catalog.api("frontdoor").operations}
    cancel = operations["cancelExecution"]
    assert (cancel.method, cancel.path) == ("POST", "/{frontdoorId}/executions/{id}:cancel")
    assert cancel.extensions["x-inferred"] is True
    assert "promises cancelling" in cancel.description
    assert "x-inferred" not in operations["getExecution"].extensions


def test_a_verb_is_no_execution() -> None:
    """Row "operations": :find and :cancel are paths of their own, with their own methods."""
    with serve("frontdoor") as served:
        posted = served.post(f"{EXECUTIONS}:find?processId=abc-123")
        got = served.get(f"{EXECUTIONS}/exe-1:cancel")
        encoded = served.get(f"{EXECUTIONS}%3Afind?processId=abc-123")
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET")
    assert (got.status_code, got.headers["allow"]) == (405, "POST")
    assert encoded.json()["id"] == "exe-1"


def test_find_gives_the_newest_of_a_process() -> None:
    """Row "find": the newest by startedAt when several match."""
    with serve("frontdoor") as served:
        listed = served.get(f"{EXECUTIONS}?size=100", headers=JSON).json()["content"]
        found = served.get(f"{EXECUTIONS}:find?processId=abc-123", headers=JSON).json()
    matching = [one for one in listed if one["processId"] == "abc-123"]
    assert len(matching) == 2
    assert found == max(matching, key=lambda one: one["startedAt"])


def test_the_newest_of_a_process_is_the_one_that_started_last() -> None:
    """Row "find": by startedAt, not by when it was asked for."""
    data = {"process_id": "p", "name": "n"}
    with serve("frontdoor", scenario="empty") as served:
        realm = served.realm("frontdoor")
        waits = (Step("running", 10 * SECOND), Step("completed", None))
        realm.start("exe-waits", group=FRONTDOOR, plan=waits, data=data)
        served.advance("5s")
        realm.start("exe-at-once", group=FRONTDOOR, plan=(Step("running"),), data=data)
        found = []
        for by in ("0s", "5s"):
            served.advance(by)
            found.append(served.get(f"{EXECUTIONS}:find?processId=p").json()["id"])
    assert found == ["exe-at-once", "exe-waits"]


@pytest.mark.parametrize("query", ["", "?processId=", "?processid=abc-123"])
def test_find_wants_a_process(query: str) -> None:
    """Row "find": processId missing or empty is a 400."""
    with serve("frontdoor", strict=False) as served:
        refused = served.get(f"{EXECUTIONS}:find{query}")
    assert refused.status_code == 400
    assert refused.json() == {
        "error": "invalid_request",
        "message": "Value for processId must be of String",
    }


@pytest.mark.parametrize("process", ["abc-9", "abc-12", "ABC-123", "abc-201", "glx-17"])
def test_find_of_an_unknown_process_is_404(process: str) -> None:
    """Row "find": none is a 404, and a process of another frontdoor counts as none."""
    with serve("frontdoor") as served:
        refused = served.get(f"{EXECUTIONS}:find", params={"processId": process})
    assert refused.status_code == 404
    message = f"Execution with processId {process} not found"
    assert refused.json() == {"error": "not_found", "message": message}


@pytest.mark.parametrize(
    "execution_id", ["exe-9999", "EXE-1", "exe-1%20", "a%2Fb", "exe-7", "exe-8"]
)
def test_an_unknown_execution_is_404(execution_id: str) -> None:
    """Row "errors": 404 for an execution that is not there or is another frontdoor's."""
    with serve("frontdoor") as served:
        got = served.get(f"{EXECUTIONS}/{execution_id}")
        cancelled = served.post(f"{EXECUTIONS}/{execution_id}:cancel")
        assert served.get(f"/frontdoor/{STAGING}/executions/exe-7").status_code == 200
    assert got.status_code == cancelled.status_code == 404
    assert got.json()["error"] == "not_found"
    plain = execution_id.replace("%20", " ").replace("%2F", "/")
    assert got.json()["message"] == cancelled.json()["message"] == f"Execution {plain} not found"


def test_arrivals_bring_new_executions_to_each_frontdoor() -> None:
    """Row "executions appear": provisioning tasks take minutes, health checks end at once."""
    with serve("frontdoor") as served:
        before = {one["id"] for one in _all(served)}
        served.advance("12h")
        fresh = [one for one in _all(served) if one["id"] not in before]
        staging = served.get(f"/frontdoor/{STAGING}/executions?size=2000", headers=JSON).json()
    checks = [one for one in fresh if one["name"].startswith("create health check")]
    tasks = [one for one in fresh if one["name"].startswith("provision")]
    assert checks
    assert tasks
    assert all(one["startedAt"] == one["finishedAt"] for one in checks)
    ended = [one for one in tasks if one["finishedAt"]]
    assert ended
    assert all(one["finishedAt"] > one["startedAt"] for one in ended)
    assert len({one["id"] for one in fresh}) == len(fresh) > 40
    assert staging["totalElements"] > 13


def test_arrivals_are_a_function_of_the_seed() -> None:
    """Row "executions appear": the same seed brings the same executions, another one others."""

    def after_a_day(seed: int) -> Any:
        with serve("frontdoor", seed=seed) as served:
            served.advance("24h")
            return _all(served)

    assert after_a_day(5) == after_a_day(5)
    assert after_a_day(5) != after_a_day(6)


def test_an_empty_frontdoor_stays_empty() -> None:
    """The scenario empty has no arrivals."""
    with serve("frontdoor", scenario="empty") as served:
        served.advance("30d")
        assert _all(served) == []


def _all(served: Served) -> Any:
    return served.get(f"{EXECUTIONS}?size=2000", headers=JSON).json()["content"]


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_the_world_has_a_word(state: str) -> None:
    """What is not over is RUNNING, and startedAt is never missing, whatever the world simulates."""
    words = {
        "completed": "FINISHED",
        "failed": "FAILED",
        "cancelled": "CANCELLED",
        "terminated": "CANCELLED",
    }
    with serve("frontdoor") as served:
        realm = served.realm("frontdoor")
        execution = born("by-hand/1", group=FRONTDOOR, plan=(), at_ns=realm.world.now_ns)
        realm.executions.put(execution._replace(state=state))
        reply = served.get(f"{EXECUTIONS}/by-hand%2F1", headers=HAL)
        listed = served.get(f"{EXECUTIONS}?size=100").json()["_embedded"]["executionList"]
    assert reply.status_code == 200
    assert reply.json()["status"] == words.get(state, "RUNNING")
    assert reply.json()["startedAt"] == "2026-01-01T12:00:00Z"
    assert reply.json()["_links"]["self"]["href"].endswith("/executions/by-hand%2F1")
    assert reply.json() in listed


def test_progress_by_readings_moves_when_it_is_read() -> None:
    """An execution that progresses by readings ends after so many of get and find."""
    with serve("frontdoor") as served:
        plan = (Step("running"), Step("completed", None, reads=2))
        served.realm("frontdoor").start(
            "exe-read",
            group=FRONTDOOR,
            plan=plan,
            data={"process_id": "p-1", "name": "by readings"},
        )
        seen = [
            served.get(f"{EXECUTIONS}/exe-read").json()["status"],
            served.get(f"{EXECUTIONS}:find?processId=p-1").json()["status"],
            served.get(f"{EXECUTIONS}/exe-read").json()["status"],
        ]
    assert seen == ["RUNNING", "RUNNING", "FINISHED"]


@pytest.mark.parametrize(
    ("key", "broken", "words"),
    [
        (
            "history",
            [{"frontdoor": FRONTDOOR, "count": 1, "within": "1h", "tasks": ["brew-coffee"]}],
            "scenario default of frontdoor: history/0/tasks/0: there is no task 'brew-coffee'",
        ),
        (
            "arrivals",
            [{"name": "a", "every": "1h", "frontdoor": FRONTDOOR, "tasks": ["brew-coffee"]}],
            "scenario default of frontdoor: arrivals/0/tasks/0: there is no task 'brew-coffee'",
        ),
        (
            "tasks",
            {"odd": {"profile": "slow", "weight": 1, "name": "x"}},
            "scenario default of frontdoor: tasks/odd/profile: there is no profile 'slow'",
        ),
    ],
)
def test_a_scenario_with_an_unknown_name_is_refused(key: str, broken: Any, words: str) -> None:
    """A task or profile that is not there is told when the scenario is loaded."""
    good = catalog.scenario("frontdoor", "default")
    changed = Scenario("frontdoor", "default", {**good.data, key: broken}, good.profiles)
    with (
        pytest.raises(FixtureError, match=words),
        serve("frontdoor", scenario={"frontdoor": changed}),
    ):
        pass


def test_an_arrival_takes_the_next_free_id() -> None:
    """An id that is taken already is passed over: no execution replaces another."""

    def arrived(served: Served) -> Any:
        made = served.post("/_mockexec/executions", json={"api": "frontdoor"})
        assert made.status_code == 201
        return made.json()["id"]

    with serve("frontdoor", scenario="empty") as served:
        realm = served.realm("frontdoor")
        assert arrived(served) == "exe-1"
        taken = born("exe-2", group=STAGING, plan=(), at_ns=realm.world.now_ns)
        realm.executions.put(taken)
        assert arrived(served) == "exe-3"
        assert realm.executions.get("exe-2") == taken


def test_an_execution_can_be_asked_for_by_hand() -> None:
    """Row "executions appear": the control API starts one, of a frontdoor, task and process."""
    wanted = {
        "frontdoor": STAGING,
        "task": "provision-frontend",
        "target": "my-shop",
        "process": "prc-mine",
    }
    with serve("frontdoor", scenario="empty") as served:
        made = served.post("/_mockexec/executions", json={"api": "frontdoor", "data": wanted})
        plain = served.post("/_mockexec/executions", json={"api": "frontdoor"})
        mine = served.get(f"/frontdoor/{STAGING}/executions:find?processId=prc-mine", headers=JSON)
        assert len(_all(served)) == 1
        bad = [
            served.post("/_mockexec/executions", json={"api": "frontdoor", "data": data})
            for data in ({"task": "brew-coffee"}, {"frontdoor": "elsewhere"})
        ]
    assert made.status_code == plain.status_code == 201
    assert mine.json()["name"] == "provision frontend my-shop"
    assert mine.json()["status"] == "RUNNING"
    assert [refused.status_code for refused in bad] == [409, 409]


@pytest.mark.parametrize(
    ("state", "status"),
    [("completed", "FINISHED"), ("failed", "FAILED"), ("cancelled", "CANCELLED")],
)
def test_an_execution_can_be_pushed_along(state: str, status: str) -> None:
    """Row "states": the control API ends a running execution in any of the three ways."""
    with serve("frontdoor") as served:
        pushed = served.request("PATCH", "/_mockexec/executions/exe-1", json={"state": state})
        assert pushed.status_code == 200, pushed.text
        assert get(served, "exe-1")["status"] == status
        assert served.post(f"{EXECUTIONS}/exe-1:cancel").status_code == 409
