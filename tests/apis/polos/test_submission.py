"""Submitting runs, alone and in batches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apis.polos.vendor import (
    API,
    FOREIGN,
    IN_PROJECT,
    PROJECT,
    UNKNOWN,
    get,
    refused,
    run,
    world,
)
from tests.support import serve

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_run_answers_200_with_id_and_time() -> None:
    """Row "operations": 200, not 201, ``{execution_id, created_at}``."""
    with world() as mock:
        response = mock.post(
            f"{API}/workflows/wf/run", headers=IN_PROJECT, json={"payload": {"a": 1}}
        )
        body = response.json()
        execution = get(mock, body["execution_id"])
    assert response.status_code == 200
    assert sorted(body) == ["created_at", "execution_id"]
    assert (execution["created_at"], execution["payload"]) == (body["created_at"], {"a": 1})
    assert execution["status"] == "pending"


def test_a_payload_may_be_any_json() -> None:
    """Whatever was sent is shown, null included."""
    with world() as mock:

        @given(payload=JSON)
        def check(payload: Any) -> None:
            assert get(mock, run(mock, payload=payload))["payload"] == payload

        check()


def test_any_workflow_can_be_run() -> None:
    """The name is not checked; it is decoded and kept, and names the queue."""
    with world() as mock:
        execution = get(mock, run(mock, "k%C3%BCnftig%2Feins"))
    assert execution["workflow_id"] == execution["queue_name"] == "künftig/eins"


def test_everything_that_is_asked_for_is_kept() -> None:
    """Each property of the request has its field in the execution."""
    asked: dict[str, Any] = {
        "payload": {"a": 1},
        "deployment_id": "dep-7",
        "queue_name": "express",
        "concurrency_key": "c-1",
        "queue_concurrency_limit": 3,
        "session_id": "s-1",
        "user_id": "u-1",
        "step_key": "step",
        "root_execution_id": UNKNOWN,
        "run_timeout_seconds": 30,
        "initial_state": {"x": []},
        "wait_for_subworkflow": True,
        "otel_traceparent": "00-0-0-00",
        "channel_context": {"channel": "mail"},
    }
    with world() as mock:
        execution = get(mock, run(mock, **asked))
    shown = {
        "payload", "deployment_id", "queue_name", "concurrency_key", "session_id", "user_id",
        "step_key", "root_execution_id", "run_timeout_seconds",
    }  # fmt: skip
    assert {key: execution[key] for key in shown} == {key: asked[key] for key in shown}


def test_null_is_the_same_as_left_out() -> None:
    """Clients send null for what they do not set."""
    fields = (
        "deployment_id",
        "queue_name",
        "session_id",
        "run_timeout_seconds",
        "root_execution_id",
    )
    with world() as mock:
        execution = get(mock, run(mock, "wf", **dict.fromkeys(fields)))
    assert execution["queue_name"] == "wf"
    assert execution["deployment_id"].startswith("dep-")
    assert execution["session_id"] is not None


def test_unknown_properties_are_ignored() -> None:
    """The vendor ignores them; only a strict mock refuses."""
    with world(strict=False) as mock:
        assert get(mock, run(mock, surprise=1))["status"] == "pending"
    with world(strict=True) as mock:
        response = mock.post(
            f"{API}/workflows/wf/run", headers=IN_PROJECT, json={"payload": 1, "surprise": 1}
        )
        status, _, error = refused(response)
        assert status == 422
        assert "/surprise" in error


def test_a_child_takes_over_session_user_and_root() -> None:
    """What is not given comes from the parent; the root is the outermost run."""
    with world() as mock:
        root = run(mock, session_id="s", user_id="u")
        child = run(mock, parent_execution_id=root.upper(), step_key="one")
        grandchild = get(mock, run(mock, parent_execution_id=child, user_id="else"))
        child_shown = get(mock, child)
        assert get(mock, root)["root_execution_id"] is None
    assert (child_shown["parent_execution_id"], child_shown["root_execution_id"]) == (root, root)
    assert (child_shown["session_id"], child_shown["user_id"]) == ("s", "u")
    assert child_shown["step_key"] == "one"
    assert (grandchild["parent_execution_id"], grandchild["root_execution_id"]) == (child, root)
    assert (grandchild["session_id"], grandchild["user_id"]) == ("s", "else")


def test_a_parent_must_exist_and_be_ours() -> None:
    """404 for an unknown parent, 403 for another project's."""
    with serve("polos") as mock:
        path = f"{API}/workflows/wf/run"
        for parent, expected in [(UNKNOWN, 404), (FOREIGN, 403)]:
            body = {"payload": 1, "parent_execution_id": parent}
            assert refused(mock.post(path, headers=IN_PROJECT, json=body))[0] == expected


def test_a_batch_keeps_order_and_shares_one_id() -> None:
    """Row "operations": entries in order, one batch_id, one session for all."""
    entries = [{"workflow_id": f"wf-{n}", "payload": n} for n in range(5)]
    with world() as mock:
        response = mock.post(
            f"{API}/workflows/batch_run",
            headers=IN_PROJECT,
            json={"workflows": entries, "user_id": "u"},
        )
        shown = [get(mock, one["execution_id"]) for one in response.json()["executions"]]
        alone = get(mock, run(mock))
    assert response.status_code == 200
    assert [(one["workflow_id"], one["payload"]) for one in shown] == [
        (f"wf-{n}", n) for n in range(5)
    ]
    assert len({one["id"] for one in shown}) == 5
    assert len({one["batch_id"] for one in shown} - {None}) == 1
    assert len({one["session_id"] for one in shown}) == 1
    assert {one["user_id"] for one in shown} == {"u"}
    assert alone["batch_id"] is None


def test_a_batch_entry_has_its_own_queue_and_limit() -> None:
    """What is said per entry counts for that entry alone."""
    entries = [
        {"workflow_id": "a", "payload": 1, "queue_name": "q", "run_timeout_seconds": 5},
        {"workflow_id": "b", "payload": 2, "concurrency_key": "k"},
    ]
    with world() as mock:
        response = mock.post(
            f"{API}/workflows/batch_run", headers=IN_PROJECT, json={"workflows": entries}
        )
        one, two = (get(mock, each["execution_id"]) for each in response.json()["executions"])
    assert (one["queue_name"], one["run_timeout_seconds"], one["concurrency_key"]) == ("q", 5, None)
    assert (two["queue_name"], two["run_timeout_seconds"], two["concurrency_key"]) == (
        "b",
        None,
        "k",
    )


def test_an_empty_batch_is_a_bad_request() -> None:
    """400, where a list that does not fit is 422."""
    with world() as mock:
        path = f"{API}/workflows/batch_run"
        empty = refused(mock.post(path, headers=IN_PROJECT, json={"workflows": []}))
        wrong = refused(mock.post(path, headers=IN_PROJECT, json={"workflows": [{}]}))
    assert empty[:2] == (400, "BAD_REQUEST")
    assert wrong[:2] == (422, "UNPROCESSABLE_ENTITY")
    assert "/workflows/0/workflow_id" in wrong[2]
    assert "/workflows/0/payload" in wrong[2]


@pytest.mark.parametrize("path", ["workflows/wf/run", "workflows/batch_run", "workflows/runs"])
def test_the_project_header_is_needed(path: str) -> None:
    """Row "auth": ``X-Project-ID`` is a UUID and required on run, batch_run and runs."""
    method = "GET" if path.endswith("runs") else "POST"
    body = (
        None
        if method == "GET"
        else {"payload": 1, "workflows": [{"workflow_id": "a", "payload": 1}]}
    )
    with world(strict=False) as mock:
        for value, error in [
            (None, "X-Project-ID header is required"),
            ("shop", "X-Project-ID header must be a UUID"),
        ]:
            response = mock.request(
                method, f"{API}/{path}", headers={"x-project-id": value}, json=body
            )
            status, error_type, message = refused(response)
            assert (status, error_type) == (400, "BAD_REQUEST")
            assert message.startswith(error)
        accepted = mock.request(
            method, f"{API}/{path}", headers={"x-project-id": PROJECT.upper()}, json=body
        )
        assert accepted.status_code == 200


def test_a_refused_submission_starts_nothing() -> None:
    """A request that is turned away leaves no run behind."""
    with world() as mock:
        mock.post(f"{API}/workflows/wf/run", headers=IN_PROJECT, json={})
        mock.post(
            f"{API}/workflows/batch_run",
            headers=IN_PROJECT,
            json={
                "workflows": [{"workflow_id": "a", "payload": 1}],
                "parent_execution_id": UNKNOWN,
            },
        )
        assert mock.get(f"{API}/workflows/runs", headers=IN_PROJECT).json() == []
