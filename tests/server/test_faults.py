"""Faults over the control API: when they strike, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockexec import catalog
from mockexec.errors import UsageError
from mockexec.faults import FAULTS, parse_fault
from tests.support import Served, serve

LIST = "/sailpoint/v3/workflows"


def arm(mock: Served, **body: Any) -> str:
    """Arms a fault, a 503 unless told otherwise; returns its id."""
    answer = mock.post("/_mockexec/faults", json={"kind": "status", **body})
    assert answer.status_code == 201, answer.text
    fault_id: str = answer.json()["id"]
    return fault_id


def statuses(mock: Served, count: int, path: str = LIST) -> list[int]:
    """The statuses of so many calls."""
    return [mock.get(path).status_code for _ in range(count)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, [503] * 6),
        ({"nth": 3}, [200, 200, 503, 200, 200, 200]),
        ({"every": 2}, [200, 503, 200, 503, 200, 503]),
        ({"times": 2}, [503, 503, 200, 200, 200, 200]),
        ({"every": 2, "times": 1}, [200, 503, 200, 200, 200, 200]),
        ({"probability": 0}, [200] * 6),
        ({"probability": 1}, [503] * 6),
        ({"api": "sailpoint"}, [503] * 6),
        ({"api": "thand"}, [200] * 6),
        ({"operation": "listWorkflows"}, [503] * 6),
        ({"operation": "getWorkflow"}, [200] * 6),
        ({"method": "get"}, [503] * 6),
        ({"method": "POST"}, [200] * 6),
        ({"path": "/v3/*"}, [503] * 6),
        ({"path": "*/workflows"}, [503] * 6),
        ({"path": "/v4/*"}, [200] * 6),
        ({"since": "2026-01-01T12:00:01Z"}, [200] * 6),
        ({"until": "2026-01-01T12:00:01Z"}, [503] * 6),
        ({"until": "2026-01-01T12:00:00Z"}, [200] * 6),
    ],
)  # fmt: skip
def test_a_fault_strikes_the_calls_that_it_says(when: dict[str, Any], expected: list[int]) -> None:
    """By API, operation, method and path; by number; by chance; by the clock."""
    with serve("sailpoint", "thand") as mock:
        arm(mock, when=when)
        assert statuses(mock, 6) == expected


def test_a_window_of_the_clock_opens_and_closes() -> None:
    """In the world's own time."""
    with serve("sailpoint") as mock:
        arm(mock, when={"since": "2026-01-01T12:05:00Z", "until": "2026-01-01T12:10:00Z"})
        seen = []
        for _ in range(4):
            seen += statuses(mock, 1)
            mock.advance("4m")
        assert seen == [200, 200, 503, 200]


def test_only_calls_that_match_count() -> None:
    """The second call of one operation, whatever else is asked in between."""
    with serve("sailpoint") as mock:
        fault = arm(mock, when={"operation": "listWorkflows", "nth": 2})
        mock.get("/sailpoint/v3/workflows/unknown")
        assert statuses(mock, 3) == [200, 503, 200]
        shown = mock.get(f"/_mockexec/faults/{fault}").json()
        assert (shown["calls"], shown["hits"]) == (3, 1)


def test_a_fault_waits_for_the_state_of_an_execution() -> None:
    """It strikes while the execution that the path names is running, and no longer."""
    with serve("thand") as mock:
        running = mock.get("/_mockexec/executions?state=running&limit=1").json()["executions"][0]
        path = f"/thand/api/v1/execution/{running['id']}"
        arm(mock, when={"state": "running"})
        assert statuses(mock, 2, path) == [503, 503]
        assert statuses(mock, 1, "/thand/api/v1/executions") == [200]
        mock.request("PATCH", f"/_mockexec/executions/{running['id']}", json={"state": "completed"})
        assert statuses(mock, 1, path) == [200]


def test_chance_is_seeded_and_disturbs_nobody_else() -> None:
    """The same calls are struck in every world of a seed, and ids stay what they would be."""
    runs = []
    for _ in range(2):
        with serve("sailpoint", seed=5) as mock:
            arm(mock, when={"probability": 0.4})
            runs.append(statuses(mock, 40))
    assert runs[0] == runs[1]
    assert 5 < runs[0].count(503) < 30


def test_faults_are_listed_replaced_and_ended() -> None:
    """In the order in which they were armed, with their own ids."""
    with serve("sailpoint") as mock:
        first, second = arm(mock), arm(mock, id="mine", status=429)
        listed = mock.get("/_mockexec/faults").json()
        assert [one["id"] for one in listed] == [first, second] == ["fault-1", "mine"]
        statuses(mock, 2)
        arm(mock, id="fault-1", status=500)
        listed = mock.get("/_mockexec/faults").json()
        assert [(one["id"], one["hits"]) for one in listed] == [("mine", 2), ("fault-1", 0)]
        assert mock.request("DELETE", "/_mockexec/faults/mine").status_code == 204
        assert mock.request("DELETE", "/_mockexec/faults/mine").status_code == 404
        assert mock.get("/_mockexec/faults/mine").status_code == 404
        assert statuses(mock, 1) == [500]
        assert mock.request("DELETE", "/_mockexec/faults").status_code == 204
        assert (mock.get("/_mockexec/faults").json(), statuses(mock, 1)) == ([], [200])


def test_what_nothing_has_is_refused_with_what_may_be_meant() -> None:
    """Else the fault would never strike, and nobody would know why."""
    with serve("sailpoint") as mock:
        for when, words in (
            ({"operation": "listWorkflow"}, "did you mean listWorkflows"),
            ({"api": "sailpont"}, "did you mean sailpoint"),
            ({"api": "zzz"}, "there are: sailpoint"),
        ):
            refused = mock.post("/_mockexec/faults", json={"kind": "status", "when": when})
            assert (refused.status_code, refused.json()["error"]) == (404, "not_found")
            assert words in refused.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"kind": "nothing"}, {"kind": "status", "status": 200}, {"kind": "status", "delay": "1s"},
        {"kind": "latency"}, {"kind": "latency", "delay": "601s"}, {"kind": "latency", "delay": "-1s"},
        {"kind": "slow_body", "chunk_bytes": 0}, {"kind": "truncated_body", "keep": 1},
        {"kind": "disconnect", "after_bytes": -1}, {"kind": "rate_limit", "retry_after": "soon"},
        {"kind": "status", "when": {"nth": 0}}, {"kind": "status", "when": {"every": 0}},
        {"kind": "status", "when": {"probability": 2}}, {"kind": "status", "when": {"then": 1}},
        {"kind": "status", "when": {"since": "noon"}}, {"kind": "status", "id": "a b"}, [],
        {"kind": "status", "when": {"since": "2026-02-30T00:00:00Z"}},
    ],
)  # fmt: skip
def test_what_is_no_fault_is_refused(body: Any) -> None:
    """400 that names the place, and nothing is armed."""
    with serve("sailpoint") as mock:
        refused = mock.post("/_mockexec/faults", json=body)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid")
        assert mock.get("/_mockexec/faults").json() == []


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(["status", "delay", "to", "keep", "nth", "every", "path", "sigma", "pause"])


@given(
    kind=st.sampled_from(sorted(FAULTS)),
    own=st.dictionaries(NAMES, VALUES, max_size=3),
    when=st.dictionaries(NAMES, VALUES, max_size=3) | VALUES,
)
def test_any_other_body_is_a_usage_error_and_nothing_else(kind: str, own: Any, when: Any) -> None:
    """Snapshots bring bodies that no schema has seen."""
    try:
        armed = parse_fault("one", {"kind": kind, **own, "when": when}, FAULTS)
    except UsageError:
        return
    assert armed.trigger.covers("a", "b", "GET", "/", 0) in {True, False}


def test_faults_are_bounded() -> None:
    """429 for one too many; replacing one is no further one."""
    with serve("sailpoint") as mock:
        for number in range(100):
            arm(mock, id=f"f{number}")
        refused = mock.post("/_mockexec/faults", json={"kind": "status"})
        assert (refused.status_code, refused.json()["error"]) == (429, "full")
        arm(mock, id="f7")


def test_arming_stale_reads_again_and_again_keeps_one_old_world() -> None:
    """Each old world would else keep the one before it."""
    with serve("sailpoint") as mock:
        for _ in range(50):
            arm(mock, kind="stale_read", id="old")
        (origin,) = mock.world.faults.origins.values()
        assert origin.faults.origins == {}


@pytest.mark.parametrize("api", catalog.built_in_names())
def test_prefer_chooses_any_documented_answer(api: str) -> None:
    """On every operation of the built-in APIs: the status, and a body that its document has."""
    with serve(api, scenario="busy", strict=True) as mock:
        (described,) = mock.get("/_mockexec/apis").json()
        for operation, told in zip(
            mock.mock.apis[api].operations, described["operations"], strict=True
        ):
            example = told["example"]
            for status in operation.responses:
                if not status.isdecimal():
                    continue
                answer = mock.request(
                    example["method"],
                    example["url"].removeprefix("http://mock.test"),
                    headers={
                        "authorization": None,
                        **example["headers"],
                        "Prefer": f"code={status}",
                    },
                    content=example["body"],
                )
                assert answer.status_code == int(status), (operation.id, answer.text)
                assert answer.headers["preference-applied"] == f"code={status}"
        assert not [e for e in mock.world.journal.newest(1000) if e.notes]


def test_prefer_that_cannot_be_had_is_refused_with_what_can() -> None:
    """In the vendor's words."""
    with serve("sailpoint") as mock:
        refused = mock.get(LIST, headers={"prefer": "code=418"})
        assert refused.status_code == 400
        assert "418" in refused.text
        assert "200" in refused.text


def test_prefer_for_something_else_changes_nothing() -> None:
    """RFC 7240 has preferences that are not ours."""
    with serve("sailpoint") as mock:
        plain = mock.get(LIST)
        asked = mock.get(LIST, headers={"prefer": "respond-async, wait=10"})
        assert asked.content == plain.content


def test_prefer_makes_an_answer_where_the_document_has_no_example() -> None:
    """``dynamic=true`` generates one that fits."""
    with serve("sailpoint") as mock:
        plain = mock.get(LIST)
        made = mock.get(LIST, headers={"prefer": "dynamic=true"})
        assert made.status_code == 200
        assert made.content != plain.content


@pytest.mark.parametrize("status", [204, 205, 304])
def test_prefer_may_be_for_a_status_that_has_no_body(status: int) -> None:
    """Where only ``default`` covers it, the body documented there is not missed."""
    with serve("thand", strict=True) as mock:
        answer = mock.get("/_mockexec/sessions", headers={"prefer": f"code={status}"})
    assert (answer.status_code, answer.content) == (status, b"")
