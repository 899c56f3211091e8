"""GET /api/v1/execution/{id}/signal."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest

from tests.apis.thand.vendor import (
    API,
    GRANTED,
    NOBODY,
    NONCE,
    REFUSED,
    b64,
    deflate,
    encrypt,
    envelope,
    event,
    events,
    send,
    signal,
    start,
    status,
)
from tests.support import serve

UNDECODABLE = "Failed to decode workflow state"
UNPARSABLE = "Failed to parse workflow state"


def test_answers_as_documented() -> None:
    """Row "bodies": a delivered signal is answered with a message and the id."""
    with serve("thand") as served:
        answer = send(served, "wf_abc123", GRANTED)
    assert answer.status_code == 200
    assert answer.json() == {"message": "Signal sent successfully", "workflow_id": "wf_abc123"}


def test_a_granted_approval_lets_it_go_on() -> None:
    """Row "signal": what waits for an approval works once it is granted, and ends by itself."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        send(served, execution_id, GRANTED)
        assert status(served, execution_id) == "running"
        assert "WorkflowExecutionSignaled" in events(served, execution_id)
        served.advance("4h")
        assert status(served, execution_id) in {"completed", "failed", "timed_out"}


def test_a_refused_approval_ends_it_as_failed() -> None:
    """Row "signal": a refusal closes the execution at once."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        assert send(served, execution_id, REFUSED).status_code == 200
        assert status(served, execution_id) == "failed"
        assert events(served, execution_id)[-2:] == [
            "WorkflowExecutionSignaled",
            "WorkflowExecutionFailed",
        ]


def test_without_an_answer_it_waits_and_then_times_out() -> None:
    """Row "signal": only a signal brings it on; the workflow's deadline closes it otherwise."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        served.advance("86399s")
        assert status(served, execution_id) == "running"
        served.advance("1s")
        assert status(served, execution_id) == "timed_out"
        assert events(served, execution_id)[-2:] == ["TimerFired", "WorkflowExecutionTimedOut"]


def test_an_approved_one_has_no_deadline_any_more() -> None:
    """Row "signal": granting an approval takes its deadline away."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served, "production-database")
        served.advance("7h")
        send(served, execution_id, GRANTED)
        # The second approval has its own deadline, which begins now.
        served.advance("7h")
        assert status(served, execution_id) == "running"
        send(served, execution_id, GRANTED)
        served.advance("59m")
        assert status(served, execution_id) == "running"
        served.advance("8h")
        assert status(served, execution_id) in {"completed", "failed"}


def test_a_user_may_answer_before_the_simulated_approvers() -> None:
    """Row "signal": what others would grant, refuse or ignore later goes on once the owner grants."""
    data = {"workflow": "default", "user": "alice@example.com"}
    with serve("thand", scenario="empty") as served:
        for _ in range(20):
            made = served.post("/_mockexec/executions", json={"api": "thand", "data": data}).json()
            assert send(served, made["id"], GRANTED).status_code == 200
            assert events(served, made["id"])[-6:] == [
                "WorkflowExecutionSignaled",
                "WorkflowTaskScheduled",
                "WorkflowTaskStarted",
                "WorkflowTaskCompleted",
                "ActivityTaskScheduled",
                "ActivityTaskStarted",
            ]


def test_a_second_approval_can_be_refused() -> None:
    """Row "signal": a workflow with two approvals fails by the second as well."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served, "production-database")
        send(served, execution_id, GRANTED)
        send(served, execution_id, REFUSED)
        assert status(served, execution_id) == "failed"


@pytest.mark.parametrize(
    "content",
    [
        event(type="com.thand.form", data={"values": {"reason": "audit"}}),
        event(type=None, data=None),
        {"specversion": "0.3"},
        event(time=None, user="alice@example.com", sequence=7),
    ],
)
def test_other_events_are_noted(content: dict[str, Any]) -> None:
    """Facts: any CloudEvent is delivered; id, source and type may be missing."""
    granting = content.get("data") == {"approved": True}
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        before = events(served, execution_id)
        assert send(served, execution_id, signal(content)).status_code == 200
        after = events(served, execution_id)
        assert after[: len(before) + 1] == [*before, "WorkflowExecutionSignaled"]
        assert (len(after) == len(before) + 1) is not granting


def test_an_approval_of_what_does_not_wait_is_noted() -> None:
    """Row "signal": a refusal that comes too late changes nothing but the history."""
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        send(served, execution_id, GRANTED)
        before = events(served, execution_id)
        assert send(served, execution_id, REFUSED).status_code == 200
        assert status(served, execution_id) == "running"
        assert events(served, execution_id) == [*before, "WorkflowExecutionSignaled"]


def test_the_documented_placeholder_is_refused() -> None:
    """Row "signal": `encrypted_signal_token` is no encrypted signal, hence a 400."""
    with serve("thand") as served:
        answer = send(served, "wf_abc123", "encrypted_signal_token")
    assert answer.status_code == 400
    assert answer.json() == {
        "code": 400,
        "title": UNDECODABLE,
        "message": "illegal base64 data at input byte 9",
    }


def _altered(text: str) -> str:
    """A signal of which one character of the ciphertext has been changed."""
    box = json.loads(base64.b64decode(text))
    box["ciphertext"] = ("A" if box["ciphertext"][0] != "A" else "B") + box["ciphertext"][1:]
    return b64(json.dumps(box).encode())


BROKEN = {
    "padding": ("abc", "base64"),
    "space for plus": ("a b=", "base64 data at input byte 1"),
    "not encrypted": (b64(b"hello"), "encrypted data: invalid JSON"),
    "not an object": (b64(b"[]"), "encrypted data: expected an object"),
    "no nonce": (b64(b'{"ciphertext": "AAAA"}'), "nonce must be a string"),
    "nonce not base64": (b64(b'{"nonce": "?", "ciphertext": "AAAA"}'), "nonce: illegal base64"),
    "short nonce": (b64(b'{"nonce": "AAAA", "ciphertext": "AAAA"}'), "nonce: expected 12 bytes"),
    "no ciphertext": (
        b64(json.dumps({"nonce": b64(NONCE)}).encode()),
        "ciphertext must be a string",
    ),
    "empty ciphertext": (
        b64(json.dumps({"nonce": b64(NONCE), "ciphertext": ""}).encode()),
        "cipher: message authentication failed",
    ),
    "altered": (_altered(GRANTED), "cipher: message authentication failed"),
    "another key": (signal(password="secret"), "cipher: message authentication failed"),
    "another salt": (signal(salt="pepper"), "cipher: message authentication failed"),
    "not compressed": (b64(encrypt(b'{"type": "workflow_signal"}')), "zlib: the data is not"),
    "cut short": (b64(encrypt(deflate({"type": "x"})[:-6])), "zlib: the data ends too early"),
    "a bomb": (b64(encrypt(zlib.compress(b" " * (1 << 24)))), "zlib: the data is larger than"),
    "not json": (b64(encrypt(zlib.compress(b"<xml/>"))), "json: invalid JSON"),
    "not utf-8": (b64(encrypt(zlib.compress(b'"\xff"'))), "json: invalid JSON"),
    "not a number": (b64(encrypt(zlib.compress(b'{"type": NaN}'))), "json: invalid JSON"),
    "half a character": (b64(encrypt(zlib.compress(b'{"type": "\\ud800"}'))), "json: invalid JSON"),
    "too deep": (b64(encrypt(zlib.compress(b"[" * 50_000 + b"]" * 50_000))), "json: invalid JSON"),
    "too many digits": (b64(encrypt(zlib.compress(b"9" * 5000))), "json: invalid JSON"),
    "no type": (envelope({"data": {}}), "json: expected an object with a type"),
    "an array": (envelope([]), "json: expected an object with a type"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN)
def test_every_broken_layer_is_named(text: str, message: str) -> None:
    """Row "signal": each layer that cannot be undone is a 400 that says which one it is."""
    with serve("thand") as served:
        answer = send(served, "wf_abc123", text)
        assert answer.status_code == 400
        assert answer.json()["title"] == UNDECODABLE
        assert message in answer.json()["message"]
        assert status(served, "wf_abc123") == "running"


NOT_SIGNALS = {
    "a session": ({"type": "session", "data": {}}, "invalid workflow state type: session", ""),
    "no data": ({"type": "workflow_signal"}, f"{UNPARSABLE}: invalid data type", ""),
    "a list": ({"type": "workflow_signal", "data": []}, f"{UNPARSABLE}: invalid data type", ""),
}


@pytest.mark.parametrize(("content", "title", "message"), NOT_SIGNALS.values(), ids=NOT_SIGNALS)
def test_what_is_no_signal_is_refused(content: Any, title: str, message: str) -> None:
    """Row "signal": what was encrypted must be of the type `workflow_signal` and hold an object."""
    with serve("thand") as served:
        answer = send(served, "wf_abc123", envelope(content))
    assert answer.status_code == 400
    assert answer.json() == {"code": 400, "title": title, "message": message}


NOT_EVENTS = {
    "no specversion": (event(specversion=None), "no specversion"),
    "specversion": (event(specversion="2.0"), "unknown value: 2.0"),
    "specversion number": (event(specversion=1.0), "unknown value: 1.0"),
    "time": (event(time="yesterday"), "time: expected an RFC 3339 timestamp"),
    "month": (event(time="2026-13-01T00:00:00Z"), "time: expected an RFC 3339 timestamp"),
    "id": (event(id=7), "id: expected a string"),
    "source": (event(source={}), "source: expected a string"),
    "extension name": (event(Task_Name="x"), "Task_Name: extension names"),
    "extension value": (event(task={"name": "x"}), "task: an extension is"),
    "approval without data": (event(data=None), "data.approved: expected true or false"),
    "approval as text": (event(data={"approved": "yes"}), "data.approved: expected true or false"),
}


@pytest.mark.parametrize(("content", "message"), NOT_EVENTS.values(), ids=NOT_EVENTS)
def test_what_is_no_event_is_refused(content: dict[str, Any], message: str) -> None:
    """Row "signal": the signal must be a CloudEvent, and the answer says what keeps it from it."""
    with serve("thand") as served:
        answer = send(served, "wf_abc123", signal(content))
        assert answer.status_code == 400
        assert answer.json()["title"] == UNPARSABLE
        assert message in answer.json()["message"]
        assert status(served, "wf_abc123") == "running"


@pytest.mark.parametrize("query", ["", "?input=", "?taskName=approval", "?input"])
def test_a_missing_input_comes_before_the_session(query: str) -> None:
    """Row "auth": without `input` the answer is 400 even to a caller without a session."""
    with serve("thand") as served:
        for headers in (NOBODY, {}):
            answer = served.get(f"{API}/execution/wf_abc123/signal{query}", headers=headers)
            assert answer.status_code == 400
            assert answer.json() == {
                "code": 400,
                "title": "Input parameter is required",
                "message": "",
            }


def test_a_missing_session_comes_before_the_rest() -> None:
    """Row "auth": a caller without a session learns nothing about input or execution."""
    with serve("thand") as served:
        for execution_id in ("wf_abc123", "wf_nothing"):
            answer = send(served, execution_id, "encrypted_signal_token", headers=NOBODY)
            assert answer.status_code == 401


def test_the_callback_urls_parameters_are_let_through() -> None:
    """Facts: the URLs that the server builds also carry taskName and taskStatus."""
    with serve("thand", strict=True) as served:
        answer = served.get(
            f"{API}/execution/wf_abc123/signal",
            params={"input": GRANTED, "taskName": "approval", "taskStatus": "waiting"},
        )
    assert answer.status_code == 200


def test_key_and_salt_can_be_set() -> None:
    """Row "signal": with another key the default one decodes nothing and the other one does."""
    options = {"thand.password": "correct horse", "thand.salt": "pepper"}
    with serve("thand", options=options) as served:
        assert send(served, "wf_abc123", GRANTED).status_code == 400
        own = signal(password="correct horse", salt="pepper")
        assert send(served, "wf_abc123", own).status_code == 200


def test_signals_are_bounded() -> None:
    """Facts: the engine records ten thousand signals of one execution and refuses the next."""
    form = signal(event(type="com.thand.form", data={}))
    with serve("thand", scenario="empty") as served:
        execution_id = start(served)
        realm = served.realm("thand")
        execution = realm.executions.get(execution_id)
        assert execution is not None
        noted = execution.history[-1]._replace(name="WorkflowExecutionSignaled")
        realm.executions.put(execution._replace(history=(*execution.history, *[noted] * 9_999)))
        assert send(served, execution_id, form).status_code == 200
        refused = send(served, execution_id, form)
    assert refused.status_code == 409
    assert "limit" in refused.json()["message"]
