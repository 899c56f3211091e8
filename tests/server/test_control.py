"""The control API: ``/_mockexec``."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockexec import catalog
from mockexec.simulation.instants import MINUTE, format_instant
from mockexec.simulation.lifecycle import FINAL, TRANSITIONS
from tests.support import Served, serve

API = "frontdoor"
ARRIVING = "foundry"  # its default scenario has arrival processes


def send(mock: Served, example: dict[str, Any]) -> httpx.Response:
    """An example request, sent as it stands."""
    url = example["url"].removeprefix("http://mock.test")
    headers = {"authorization": None, **{k.lower(): v for k, v in example["headers"].items()}}
    return mock.request(example["method"], url, headers=headers, content=example["body"])


def operations(mock: Served) -> list[dict[str, Any]]:
    """What the control API tells of the operations of the only API."""
    (api,) = mock.get("/_mockexec/apis").json()
    found: list[dict[str, Any]] = api["operations"]
    return found


def executions(mock: Served, query: str = "") -> list[dict[str, Any]]:
    """The executions that a query finds."""
    found: list[dict[str, Any]] = mock.get(f"/_mockexec/executions?{query}").json()["executions"]
    return found


def assert_refused(response: httpx.Response, status: int, error: str, *words: str) -> None:
    """The one shape of refusals, with ``words`` in the message."""
    body = response.json()
    assert (response.status_code, body["error"]) == (status, error)
    assert set(body) == {"error", "message", "violations"}
    for word in words:
        assert word in body["message"]


def test_health() -> None:
    """A mock that answers says so."""
    with serve(API) as mock:
        assert mock.get("/_mockexec/health").json() == {"status": "ok"}


def test_apis_are_described_for_the_client_that_asks() -> None:
    """Addresses are those that the client itself used."""
    with serve("frontdoor", "thand") as mock:
        frontdoor, thand = mock.get("/_mockexec/apis", headers={"host": "localhost:81"}).json()
    assert frontdoor["name"] == "frontdoor"
    assert frontdoor["base_url"] == "http://localhost:81/frontdoor"
    assert frontdoor["spec_url"] == "http://localhost:81/frontdoor/openapi.json"
    assert frontdoor["docs_url"] == "http://localhost:81/frontdoor/docs"
    assert frontdoor["token"] == "frontdoor-dev-token"
    assert [o["operation_id"] for o in thand["operations"]] == [
        operation.id for operation in catalog.api("thand").operations
    ]


@pytest.mark.parametrize("name", catalog.names())
def test_every_example_request_works_on_a_fresh_mock(name: str) -> None:
    """Sent as it stands, each is answered with success."""
    with serve(name) as mock:
        described = operations(mock)
    assert described
    for operation in described:
        with serve(name) as fresh:
            response = send(fresh, operation["example"])
            assert response.is_success, (operation["operation_id"], response.text)


def test_the_clock_is_turned_forward() -> None:
    """By a duration, and to an instant; what is due by then has happened."""
    with serve(API) as mock:
        before = mock.get("/_mockexec/clock").json()
        assert (before["now"], before["mode"], before["scale"]) == (
            "2026-01-01T12:00:00.000000000Z", "frozen", 0.0,
        )  # fmt: skip
        advanced = mock.post("/_mockexec/clock/advance", json={"by": "PT1H"}).json()
        assert advanced["now"] == "2026-01-01T13:00:00.000000000Z"
        assert advanced["next_due"] is None or advanced["next_due"] > advanced["now"]
        put = mock.request("PUT", "/_mockexec/clock", json={"now": "2026-01-02T01:00:00+01:00"})
        assert put.json()["now"] == "2026-01-02T00:00:00.000000000Z"
        assert mock.get("/_mockexec/clock").json() == put.json()


def test_the_clock_does_not_go_back() -> None:
    """409, and the time stays."""
    with serve(API) as mock:
        past = {"now": "2025-01-01T00:00:00Z"}
        refused = mock.request("PUT", "/_mockexec/clock", json=past)
        assert_refused(refused, 409, "conflict", "only moves forward")
        beyond = mock.post("/_mockexec/clock/advance", json={"by": "99999999h"})
        assert_refused(beyond, 409, "conflict", "9999")
        assert mock.get("/_mockexec/clock").json()["now"] == "2026-01-01T12:00:00.000000000Z"


def test_the_clock_changes_its_pace() -> None:
    """Frozen, real and scaled, from the instant it shows."""
    with serve(API) as mock:
        scaled = mock.request("PUT", "/_mockexec/clock", json={"mode": "scaled", "scale": 60})
        assert (scaled.json()["mode"], scaled.json()["scale"]) == ("scaled", 60.0)
        frozen = mock.request("PUT", "/_mockexec/clock", json={"mode": "frozen"}).json()
        assert (frozen["mode"], frozen["scale"]) == ("frozen", 0.0)
        assert mock.get("/_mockexec/clock").json() == frozen


@pytest.mark.parametrize(
    "change", [{}, {"mode": "scaled"}, {"scale": 3}, {"mode": "real", "scale": 3}, {"now": "noon"},
               {"now": "2026-02-30T00:00:00Z"}, {"mode": "scaled", "scale": 0}, {"then": 1}, 7],
)  # fmt: skip
def test_a_change_of_the_clock_that_says_nothing_or_too_much_is_refused(change: Any) -> None:
    """400 with the place in the body."""
    with serve(API) as mock:
        refused = mock.request("PUT", "/_mockexec/clock", json=change)
        assert_refused(refused, 400, "invalid")
        assert {violation["in"] for violation in refused.json()["violations"]} <= {"body"}


@pytest.mark.parametrize(
    "by", ["", "5", "P", "PT", "P1DT", "-PT5M", "1h 30m", "PT5", "1x", "PT1M1H"]
)
def test_what_is_no_duration_is_refused(by: str) -> None:
    """400 that names the place and the forms there are."""
    with serve(API) as mock:
        refused = mock.post("/_mockexec/clock/advance", json={"by": by})
        assert_refused(refused, 400, "invalid", "/by")
        (violation,) = refused.json()["violations"]
        assert (violation["in"], violation["pointer"]) == ("body", "/by")


@pytest.mark.parametrize(
    "by", ["PT5M", "P1D", "P1DT2H", "PT0.5S", "300s", "5m", "1h30m", "250ms", "PT0S"]
)
def test_every_form_of_a_duration_is_taken(by: str) -> None:
    """ISO 8601 and the short form."""
    with serve(API) as mock:
        assert mock.post("/_mockexec/clock/advance", json={"by": by}).status_code == 200


@pytest.mark.parametrize("name", catalog.names())
def test_running_until_idle_leaves_nothing_that_moves_by_itself(name: str) -> None:
    """Every execution has ended, or waits for somebody."""
    with serve(name) as mock:
        before = mock.get("/_mockexec/clock").json()["now"]
        idle = mock.post("/_mockexec/clock/run-until-idle").json()
        assert idle["now"] >= before
        assert all(execution.due_ns is None for execution in mock.realm(name).executions.all())


def test_executions_are_listed_the_latest_first_and_page_by_page() -> None:
    """The pages together are the list, and the total is its length."""
    with serve("frontdoor", "sailpoint") as mock:
        everything = mock.get("/_mockexec/executions?limit=1000").json()
        expected = [
            (execution.created_ns, execution.id)
            for name in ("frontdoor", "sailpoint")
            for execution in mock.realm(name).executions.all()
        ]
        ids = [id_ for _, id_ in sorted(expected, reverse=True)]
        assert [execution["id"] for execution in everything["executions"]] == ids
        assert everything["total"] == len(ids)
        paged = [
            execution["id"]
            for offset in range(0, len(ids) + 7, 7)
            for execution in executions(mock, f"limit=7&offset={offset}")
        ]
        assert paged == ids


def test_executions_are_filtered_by_api_state_and_group() -> None:
    """Each filter selects just what it says."""
    with serve("frontdoor", "sailpoint") as mock:
        everything = executions(mock, "limit=1000")
        wanted = everything[0]
        for key in ("api", "state", "group"):
            expected = [entry for entry in everything if entry[key] == wanted[key]]
            found = mock.get("/_mockexec/executions", params={key: wanted[key], "limit": 1000})
            assert found.json() == {"total": len(expected), "executions": expected}
        assert_refused(mock.get("/_mockexec/executions?api=nope"), 404, "not_found", "sailpoint")
        assert_refused(mock.get("/_mockexec/executions?state=Done"), 400, "invalid", "state")


def test_one_execution_shows_its_past_and_what_can_become_of_it() -> None:
    """History, plan, and the states it can be pushed to."""
    with serve(API) as mock:
        for entry in executions(mock, "limit=20"):
            shown = mock.get(f"/_mockexec/executions/{entry['id']}").json()
            assert {key: shown[key] for key in entry} == entry
            assert shown["next"] == sorted(TRANSITIONS[entry["state"]])
            assert shown["history"][0]["at"] == entry["created"]
            assert (shown["plan"] == []) or entry["state"] not in FINAL
        refused = mock.get("/_mockexec/executions/nobody")
        assert_refused(refused, 404, "not_found", "nobody")


@pytest.mark.parametrize("name", catalog.names())
def test_wherever_an_execution_is_pushed_its_api_can_show_it(name: str) -> None:
    """No way of the lifecycle leads where the vendor's answers break their document."""
    with serve(name, scenario="busy") as mock:
        reading = [o for o in operations(mock) if o["method"] == "GET" or name == "foundry"]
        for state in TRANSITIONS:
            candidates = executions(mock, f"state={state}&limit=50")
            for target, entry in zip(sorted(TRANSITIONS[state]), candidates, strict=False):
                pushed = mock.request(
                    "PATCH", f"/_mockexec/executions/{entry['id']}", json={"state": target}
                )
                assert pushed.status_code == 200, pushed.text
                assert pushed.json()["state"] == target
                assert pushed.json()["history"][-1]["name"] == target
        for operation in reading:
            assert send(mock, operation["example"]).status_code < 500


def test_a_pushed_execution_goes_on_by_its_plan() -> None:
    """Through the planned state to its end, as if time had brought it there."""
    with serve("polos", scenario="busy") as mock:
        entry = executions(mock, "state=queued&limit=1")[0]
        planned = mock.get(f"/_mockexec/executions/{entry['id']}").json()["plan"]
        states = [step["state"] for step in planned]
        path = f"/_mockexec/executions/{entry['id']}"
        pushed = mock.request("PATCH", path, json={"state": states[0]}).json()
        assert [step["state"] for step in pushed["plan"]] == states[1:]
        mock.post("/_mockexec/clock/run-until-idle")
        assert mock.get(path).json()["state"] == states[-1]


def test_an_illegal_push_is_refused_with_the_ways_there_are() -> None:
    """409; the execution stays as it is."""
    with serve(API) as mock:
        entry = next(e for e in executions(mock, "limit=1000") if e["state"] == "running")
        path = f"/_mockexec/executions/{entry['id']}"
        refused = mock.request("PATCH", path, json={"state": "claimed"})
        assert_refused(refused, 409, "conflict", "running", "completed, failed")
        assert mock.request("PATCH", path, json={"state": "failed"}).status_code == 200
        final = mock.request("PATCH", path, json={"state": "running"})
        assert_refused(final, 409, "conflict", "final")
        assert mock.get(path).json()["state"] == "failed"


@pytest.mark.parametrize("name", catalog.names())
def test_an_execution_arrives_when_it_is_wanted(name: str) -> None:
    """It is there, in the list and by its id, and the vendor's own answers still hold."""
    with serve(name, scenario="busy") as mock:
        total = mock.get("/_mockexec/executions").json()["total"]
        created = mock.post("/_mockexec/executions", json={"api": name})
        assert created.status_code == 201, created.text
        assert created.json()["created"] == format_instant(mock.world.now_ns, digits=9)
        assert mock.get(created.headers["location"]).json() == created.json()
        assert mock.get("/_mockexec/executions").json()["total"] == total + 1


@pytest.mark.parametrize("name", catalog.names())
def test_an_arrival_of_the_scenario_is_chosen_by_its_name(name: str) -> None:
    """An unknown one is refused with those there are."""
    with serve(name, scenario="busy") as mock:
        known = [arrival.name for arrival in mock.realm(name).scenario.arrivals]
        assert known
        for arrival in known:
            body = {"api": name, "arrival": arrival}
            assert mock.post("/_mockexec/executions", json=body).status_code == 201
        refused = mock.post("/_mockexec/executions", json={"api": name, "arrival": "none such"})
        assert_refused(refused, 404, "not_found", *known)


@given(data=st.data())
def test_data_that_no_dialect_understands_is_refused_not_fatal(data: st.DataObject) -> None:
    """Whatever an arrival is said to be, the answer is 201 or a refusal."""
    name = data.draw(st.sampled_from(catalog.names()))
    keys = st.sampled_from(["workflow", "resource", "frontdoor", "tasks", "user", "profile", "x"])
    body = {"api": name, "data": data.draw(st.dictionaries(keys, st.text(max_size=20)))}
    with serve(name, scenario="empty") as mock:
        response = mock.post("/_mockexec/executions", json=body)
        assert response.status_code in {201, 409}, response.text


def test_a_reset_world_is_as_it_was_at_the_start() -> None:
    """Whatever was done to it, the same bytes are answered as at first."""
    with serve(API) as mock:
        first = mock.get("/_mockexec/executions?limit=1000").content
        mock.post("/_mockexec/clock/advance", json={"by": "3h"})
        mock.post("/_mockexec/executions", json={"api": API})
        assert mock.get("/_mockexec/executions?limit=1000").content != first
        reset = mock.post("/_mockexec/reset")
        assert reset.json() == {
            "scenario": "default", "seed": 1, "now": "2026-01-01T12:00:00.000000000Z",
        }  # fmt: skip
        assert mock.get("/_mockexec/executions?limit=1000").content == first


def test_a_world_is_reset_to_another_scenario_or_seed() -> None:
    """Each for this once."""
    with serve(API) as mock:
        first = mock.get("/_mockexec/executions?limit=1000").content
        empty = mock.post("/_mockexec/reset", json={"scenario": "empty"})
        assert empty.json()["scenario"] == "empty"
        assert mock.get("/_mockexec/executions").json()["total"] == 0
        assert mock.post("/_mockexec/reset", json={"seed": 2}).json()["seed"] == 2
        assert mock.get("/_mockexec/executions?limit=1000").content != first


def test_a_reset_to_a_scenario_that_is_not_there_changes_nothing() -> None:
    """404 with those there are."""
    with serve(API) as mock:
        before = mock.get("/_mockexec/executions").content
        refused = mock.post("/_mockexec/reset", json={"scenario": "nope"})
        assert_refused(refused, 404, "not_found", "busy", "default", "huge")
        assert mock.get("/_mockexec/executions").content == before


def test_the_journal_tells_what_was_asked_the_latest_first() -> None:
    """Each exchange with its operation, its path as it came, and its notes."""
    with serve(API, strict=False) as mock:
        mock.get("/frontdoor/a%2Fb")
        mock.get(f"{send_path(mock)}?mistyped=1")
        latest, earlier, *_ = mock.get("/_mockexec/journal?api=frontdoor").json()
    assert (earlier["operation_id"], earlier["method"], earlier["path"], earlier["status"]) == (
        "", "GET", "/a%2Fb", 404,
    )  # fmt: skip
    assert earlier["at"] == "2026-01-01T12:00:00.000000000Z"
    assert (latest["operation_id"], latest["status"]) == ("listExecutions", 200)
    assert latest["notes"] == [
        {
            "in": "query", "name": "mistyped", "pointer": "",
            "message": "is not a parameter of this operation",
        }
    ]  # fmt: skip


def send_path(mock: Served) -> str:
    """The path of the list of the API's example frontdoor."""
    (listing,) = [o for o in operations(mock) if o["operation_id"] == "listExecutions"]
    path: str = listing["example"]["url"].removeprefix("http://mock.test")
    return path


def test_the_journal_is_filtered_before_it_is_cut() -> None:
    """By operation and by status, then so many."""
    with serve(API) as mock:
        for _ in range(3):
            mock.get(send_path(mock))
            mock.get("/frontdoor/nowhere")
        listed = mock.get("/_mockexec/journal?operation=listExecutions").json()
        assert [entry["operation_id"] for entry in listed] == ["listExecutions"] * 3
        missing = mock.get("/_mockexec/journal?status=404&limit=2").json()
        assert [entry["status"] for entry in missing] == [404, 404]


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/_mockexec/nothing", 404, "unknown_path"),
        ("DELETE", "/_mockexec/clock", 405, "method_not_allowed"),
        ("GET", "/_mockexec/journal?limit=0", 400, "invalid"),
        ("GET", "/_mockexec/executions?offset=-1", 400, "invalid"),
        ("POST", "/_mockexec/clock/advance", 400, "missing_body"),
    ],
)
def test_every_refusal_has_the_one_shape(method: str, path: str, status: int, error: str) -> None:
    """A word, a message, and the violations."""
    with serve(API) as mock:
        assert_refused(mock.request(method, path), status, error)


def test_the_clock_turns_the_executions_of_every_api() -> None:
    """One clock for the whole world."""
    with serve("frontdoor", "thand") as mock:
        before = mock.world.now_ns
        mock.post("/_mockexec/clock/advance", json={"by": "10m"})
        assert mock.world.now_ns == before + 10 * MINUTE
        assert not [
            execution
            for name in ("frontdoor", "thand")
            for execution in mock.realm(name).executions.all()
            if execution.due_ns is not None and execution.due_ns <= mock.world.now_ns
        ]
