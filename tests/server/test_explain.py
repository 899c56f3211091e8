"""Explain: why a request is answered as it is."""

from __future__ import annotations

from typing import Any

import pytest

from mockexec import catalog
from tests.support import Served, serve

TOKEN = {"Authorization": "Bearer thand-dev-token"}
LIST = "/thand/api/v1/executions"


def explain(mock: Served, method: str, path: str, **more: Any) -> dict[str, Any]:
    """What the control API tells of a request."""
    question = {"method": method, "path": path, **more}
    answer = mock.post("/_mockexec/explain", json=question)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def failed(told: dict[str, Any]) -> list[str]:
    """The checks that the request does not pass."""
    return [check["check"] for check in told["checks"] if not check["passed"]]


def test_a_good_request_names_its_operation_and_its_place() -> None:
    """All checks passed, and the answer that it would get."""
    with serve("thand") as mock:
        told = explain(mock, "get", LIST, headers=TOKEN)
        assert told["operation"]["operation_id"] == "listExecutions"
        assert told["operation"]["at"].startswith("specs/thand.yaml:")
        assert [check["check"] for check in told["checks"]][:2] == ["path", "method"]
        assert [check["check"] for check in told["checks"]][-1] == "handler"
        assert failed(told) == []
        assert told["answer"]["status"] == 200
        assert told["answer"]["body"] == mock.get(LIST).text
        assert told["why"] == "listExecutions answers it"


def test_a_wrong_path_is_answered_with_the_nearest_ones() -> None:
    """Each with its place in the document."""
    with serve("thand", "sailpoint") as mock:
        told = explain(mock, "GET", "/thand/api/v1/execution", headers=TOKEN)
        assert failed(told) == ["method"]
        told = explain(mock, "GET", "/thand/api/v1/executionz")
        assert (told["operation"], failed(told)) == (None, ["path"])
        assert told["nearest"][0]["operation_id"] == "listExecutions"
        assert told["nearest"][0]["path"] == LIST
        assert all(":" in near["at"] for near in told["nearest"])
        told = explain(mock, "GET", "/sailpont/v3/workflows")
        assert (told["api"], told["answer"]) == (None, None)
        assert told["nearest"][0]["operation_id"] == "listWorkflows"
        assert "/thand, /sailpoint" in told["why"]


@pytest.mark.parametrize(
    ("method", "path", "more", "check"),
    [
        ("GET", LIST, {}, "security"),
        ("GET", LIST, {"headers": {"authorization": "Bearer wrong"}}, "security"),
        ("GET", LIST, {"headers": {**TOKEN, "accept": "text/csv"}}, "accept"),
        ("POST", "/thand/api/v1/execution", {"headers": TOKEN}, "body"),
        ("GET", "/thand/api/v1/execution/nobody", {"headers": TOKEN}, "handler"),
        ("GET", f"{LIST}?mistyped=1", {"headers": TOKEN}, "parameters"),
    ],
)
def test_the_check_that_fails_is_the_last_that_is_told(
    method: str, path: str, more: dict[str, Any], check: str
) -> None:
    """With its reason; what comes after it is not reached."""
    with serve("thand") as mock:
        told = explain(mock, method, path, **more)
        assert failed(told) == [check] == [told["checks"][-1]["check"]]
        assert told["checks"][-1]["message"]
        assert told["why"].startswith("refused: ")


def test_prefer_and_faults_are_told_not_suffered() -> None:
    """Nobody waits, nothing is cut, and no fault is used up."""
    with serve("thand") as mock:
        mock.post("/_mockexec/faults", json={"kind": "latency", "delay": "10m"})
        mock.post("/_mockexec/faults", json={"kind": "status", "when": {"nth": 2}})
        mock.post("/_mockexec/faults", json={"kind": "disconnect", "when": {"nth": 1}})
        told = explain(mock, "GET", LIST, headers={**TOKEN, "prefer": "code=401"})
        assert told["faults"] == ["fault-1", "fault-3"]
        assert told["answer"]["status"] == 401
        assert "code=401" in told["why"]
        assert "fault-1, fault-3" in told["why"]
        assert [fault["calls"] for fault in mock.get("/_mockexec/faults").json()] == [0, 0, 0]


@pytest.mark.parametrize("api", catalog.built_in_names())
def test_it_changes_nothing_and_says_what_then_happens(api: str) -> None:
    """For every operation: the answer told is the answer given, and the world stays as it was."""
    with serve(api, strict=False) as mock:
        (described,) = mock.get("/_mockexec/apis").json()
        snapshot = mock.post("/_mockexec/snapshots").json()["id"]
        before = mock.get(f"/_mockexec/snapshots/{snapshot}").json()
        for operation in described["operations"]:
            example = operation["example"]
            path = example["url"].removeprefix("http://mock.test")
            headers = {"host": "mock.test", **example["headers"]}
            told = explain(
                mock, example["method"], path, headers=headers, body=example["body"] or ""
            )
            snapshot = mock.post("/_mockexec/snapshots").json()["id"]
            after = mock.get(f"/_mockexec/snapshots/{snapshot}").json()
            assert {**after, "id": before["id"]} == before
            assert mock.get("/_mockexec/journal").json() == []
            given = mock.request(
                example["method"], path, content=example["body"],
                headers={"authorization": None, **example["headers"]},
            )  # fmt: skip
            assert (told["answer"]["status"], told["answer"]["body"]) == (
                given.status_code, given.content[: 16 * 1024].decode(errors="replace"),
            )  # fmt: skip
            mock.post("/_mockexec/snapshots/snap-1/restore")
            mock.request("DELETE", "/_mockexec/journal")


def test_the_control_api_is_not_asked() -> None:
    """It would change what no copy of a world holds."""
    with serve("thand") as mock:
        told = explain(mock, "POST", "/_mockexec/sessions")
        assert (told["api"], told["answer"]) == (None, None)
        assert mock.get("/_mockexec/sessions").json() == []
