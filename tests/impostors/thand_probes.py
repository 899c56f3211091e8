"""The main story of Thand, and for every planted fault the request that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx

from tests.impostors.document import load
from tests.impostors.thand import EXPIRED_TOKEN, INCOMPLETE_TOKEN, TOKENS

WAITING, COMPLETED, TERMINATED = "wf_abc123", "wf_abc121", "wf_abc117"
FOREIGN, FOREIGN_COMPLETED = "wf_def456", "wf_def455"
INPUT = {"role": "admin", "provider": "aws", "reason": "Emergency maintenance"}
QUICK = {"workflow": "break-glass", "input": {"role": "admin", "incident": "INC-1"}}

# So often an execution is looked at until it ends; each look takes about two milliseconds.
_LOOKS_MAX = 5_000


def _signal(name: str) -> str:
    """One of the document's example signals."""
    operation = load("thand").raw["paths"]["/api/v1/execution/{id}/signal"]["get"]
    (given,) = (one for one in operation["parameters"] if one.get("name") == "input")
    text: str = given["examples"][name]["value"]
    return text


def _ask(
    client: httpx.Client,
    path: str,
    token: str | None = TOKENS["main"],
    method: str = "GET",
    **more: Any,
) -> httpx.Response:
    headers = more.pop("headers", {})
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return client.request(method, f"/api/v1{path}", headers=headers, **more)


def _read(client: httpx.Client, execution_id: str, token: str = TOKENS["main"]) -> Any:
    return _ask(client, f"/execution/{execution_id}", token).json()


def _do(
    client: httpx.Client, verb: str, execution_id: str, token: str = TOKENS["main"], **query: str
) -> httpx.Response:
    return _ask(client, f"/execution/{execution_id}/{verb}", token, params=query)


def _list(client: httpx.Client, token: str = TOKENS["main"]) -> Any:
    return _ask(client, "/executions", token).json()["executions"]


def _listed(client: httpx.Client) -> list[str]:
    return [each["workflow_id"] for each in _list(client)]


def _post(client: httpx.Client, body: Any) -> httpx.Response:
    return _ask(client, "/execution", method="POST", json=body)


def _start(client: httpx.Client, workflow: str = "default") -> str:
    body = {"workflow": workflow, "input": INPUT} if workflow == "default" else QUICK
    started = _post(client, body).json()
    assert started["status"] == "running"
    started_id: str = started["workflow_id"]
    return started_id


def _closed(client: httpx.Client, execution_id: str) -> Any:
    """The execution, once it is closed."""
    for _ in range(_LOOKS_MAX):
        execution = _read(client, execution_id)
        if execution["status"] != "running":
            return execution
    raise AssertionError(f"{execution_id} does not end")


def _events(execution: Any) -> list[str]:
    return [event["event_type"] for event in execution["history"]]


def _last(execution: Any) -> tuple[str, str]:
    """How it ended, and with which event."""
    return execution["status"], _events(execution)[-1]


def story(client: httpx.Client) -> None:
    """Start, follow, list, cancel, terminate, signal, and be refused."""
    _lives(client)
    _lists(client)
    _stops(client)
    _signals(client)
    _refusals(client)


def _lives(client: httpx.Client) -> None:
    started = _start(client, "break-glass")
    first = _read(client, started)
    assert (first["status"], first["user"]) == ("running", "alice@example.com")
    assert first["workflow_type"] == {"name": "BreakGlassWorkflow"}
    last = _closed(client, started)
    assert _last(last) == ("completed", "WorkflowExecutionCompleted")
    assert last["history"][: len(first["history"])] == first["history"]
    times = [event["timestamp"] for event in last["history"]]
    assert times == sorted(times)
    assert times[0] == last["start_time"]
    assert _read(client, started) == last


def _lists(client: httpx.Client) -> None:
    started = _start(client)
    shown = _list(client)
    assert shown[0]["workflow_id"] == started
    assert WAITING in _listed(client)
    times = [each["start_time"] for each in shown]
    assert times == sorted(times, reverse=True)
    assert {each["user"] for each in shown} == {"alice@example.com"}
    assert {each["user"] for each in _list(client, TOKENS["other"])} == {"bob@example.com"}
    details = _read(client, started)
    del details["history"]
    assert details == shown[0]


def _stops(client: httpx.Client) -> None:
    started = _start(client)
    assert _do(client, "cancel", started).json() == {
        "status": "ok",
        "message": "Workflow cancellation signal sent",
    }
    assert _cancelled_twice(client)
    canceled = _closed(client, started)
    assert _last(canceled) == ("canceled", "WorkflowExecutionCanceled")
    assert _events(canceled).count("WorkflowExecutionCancelRequested") == 1
    assert started not in _listed(client)
    for verb in ("cancel", "terminate"):
        assert _do(client, verb, started).json() == {
            "code": 409,
            "title": "Workflow is not running",
            "message": "workflow execution already completed",
        }
    started = _start(client)
    assert _do(client, "terminate", started).status_code == 200
    assert _last(_read(client, started)) == ("terminated", "WorkflowExecutionTerminated")
    assert _do(client, "cancel", FOREIGN).status_code == 403
    assert _do(client, "cancel", FOREIGN, TOKENS["other"]).status_code == 200


def _signals(client: httpx.Client) -> None:
    granted = _do(client, "signal", WAITING, input=_signal("granted"))
    assert granted.json() == {"message": "Signal sent successfully", "workflow_id": WAITING}
    last = _closed(client, WAITING)
    assert _last(last) == ("completed", "WorkflowExecutionCompleted")
    assert "WorkflowExecutionSignaled" in _events(last)
    started = _start(client)
    assert _do(client, "signal", started, input=_signal("refused")).status_code == 200
    assert _last(_read(client, started)) == ("failed", "WorkflowExecutionFailed")
    bad = _do(client, "signal", started, input=_signal("source"))
    assert (bad.status_code, bad.json()["title"]) == (400, "Failed to decode workflow state")
    foreign = _do(client, "signal", FOREIGN, input=_signal("granted"))
    assert foreign.status_code == 403


def _refusals(client: httpx.Client) -> None:
    main = TOKENS["main"]
    json = {"content-type": "application/json"}
    cases: list[tuple[int, str, str, str | None, dict[str, Any]]] = [
        (400, "POST", "/execution", main, {"content": "{", "headers": json}),
        (400, "POST", "/execution", main, {"json": {}}),
        (400, "POST", "/execution", main, {"json": {"workflow": "default", "input": {}}}),
        (400, "GET", f"/execution/{WAITING}/signal", None, {}),
        (401, "GET", "/executions", None, {}),
        (401, "GET", "/executions", "nobody", {}),
        (401, "GET", "/executions", INCOMPLETE_TOKEN, {}),
        (404, "GET", "/execution/wf_nothing", main, {}),
        (404, "GET", "/execution/wf_nothing/cancel", main, {}),
        (404, "GET", "/nowhere", main, {}),
        (404, "POST", "/execution", main, {"json": {"workflow": "nothing"}}),
        (404, "POST", "/execution", main, {"json": {"workflow": "vpn-legacy"}}),
        (405, "POST", "/executions", main, {}),
        (406, "GET", "/executions", main, {"headers": {"accept": "text/html"}}),
        (415, "POST", "/execution", main, {"data": {"workflow": "default"}}),
    ]
    for status, method, path, token, more in cases:
        response = _ask(client, path, token, method, **more)
        assert response.status_code == status, (method, path, response.text)
        assert set(response.json()) == {"code", "title", "message"}
        assert response.json()["code"] == status
        assert response.headers["cache-control"] == "no-store"
        assert ("www-authenticate" in response.headers) == (status == 401)
        assert ("allow" in response.headers) == (status == 405)
    with_key = _ask(client, "/executions", None, headers={"x-api-key": main})
    assert with_key.status_code == 200


def _order(client: httpx.Client) -> object:
    times = [each["start_time"] for each in _list(client)]
    return times == sorted(times, reverse=True)


def _newest_listed(client: httpx.Client) -> object:
    started = _start(client)
    return started in _listed(client)


def _cleaning_listed(client: httpx.Client) -> object:
    return any(_do(client, "cancel", one) and one in _listed(client) for one in _several(client))


def _cancelled_twice(client: httpx.Client) -> bool:
    return any(
        [_do(client, "cancel", one).status_code for _ in range(2)] == [200, 200]
        for one in _several(client)
    )


def _several(client: httpx.Client) -> Iterator[str]:
    """Fresh executions: on a busy machine a clean-up may be over before the next request."""
    return (_start(client) for _ in range(5))


def _run_ids(client: httpx.Client) -> object:
    return [each["run_id"] for each in _list(client) if each["workflow_id"] == WAITING]


def _goes_back(client: httpx.Client) -> object:
    started = _start(client, "break-glass")
    _closed(client, started)
    return [_read(client, started)["status"] for _ in range(4)]


def _after_terminate(client: httpx.Client) -> object:
    _do(client, "terminate", WAITING)
    return _read(client, WAITING)["status"]


def _after_cancel(client: httpx.Client) -> object:
    _do(client, "cancel", WAITING)
    return _last(_closed(client, WAITING))


def _cancel_noted(client: httpx.Client) -> object:
    _do(client, "cancel", WAITING)
    return "WorkflowExecutionCancelRequested" in _events(_read(client, WAITING))


def _closing_is_last(client: httpx.Client) -> object:
    times = [event["timestamp"] for event in _read(client, COMPLETED)["history"]]
    return times == sorted(times)


def _after(signal: str) -> Callable[[httpx.Client], object]:
    def probe(client: httpx.Client) -> object:
        _do(client, "signal", WAITING, input=_signal(signal))
        return _last(_read(client, WAITING))

    return probe


def _unknown_terminate(client: httpx.Client) -> object:
    response = _do(client, "terminate", "wf_nothing")
    return response.status_code, response.headers["content-type"]


# What shows each fault: the same value from every correct server, another one from the faulty one.
PROBES: dict[str, Callable[[httpx.Client], object]] = {
    "list-oldest-first": _order,
    "list-loses-the-newest": _newest_listed,
    "list-keeps-terminated": lambda client: TERMINATED in _listed(client),
    "list-without-cleaning": _cleaning_listed,
    "list-of-everybody": lambda client: {each["user"] for each in _list(client)},
    "run-ids-differ": _run_ids,
    "foreign-cancel": lambda client: _do(client, "cancel", FOREIGN).status_code,
    "foreign-signal": lambda client: (
        _do(client, "signal", FOREIGN, input=_signal("granted")).status_code
    ),
    "owner-is-the-reader": lambda client: _read(client, FOREIGN)["user"],
    "expired-token-accepted": lambda client: _ask(client, "/executions", EXPIRED_TOKEN).status_code,
    "api-key-unchecked": lambda client: (
        _ask(client, "/executions", None, headers={"x-api-key": "x"}).status_code
    ),
    "state-goes-back": _goes_back,
    "closed-is-canceled": lambda client: (
        _do(client, "cancel", COMPLETED).status_code,
        _read(client, COMPLETED)["status"],
    ),
    "terminate-takes-time": _after_terminate,
    "cancel-ends-terminated": _after_cancel,
    "cancel-without-effect": _cancel_noted,
    "second-cancel-conflicts": _cancelled_twice,
    "terminated-is-unknown": lambda client: _read(client, TERMINATED).get("status"),
    "time-runs-on": lambda client: _read(client, COMPLETED)["execution_time"],
    "history-newest-first": lambda client: _events(_read(client, WAITING))[0],
    "history-forgets": lambda client: _events(_read(client, WAITING))[0],
    "end-not-in-history": lambda client: _last(_read(client, COMPLETED)),
    "end-dated-back": _closing_is_last,
    "reading-leaves-an-event": lambda client: [
        len(_read(client, WAITING)["history"]) for _ in range(2)
    ],
    "ids-from-seconds": lambda client: len({_start(client) for _ in range(20)}),
    "any-signal-taken": lambda client: (
        _do(client, "signal", WAITING, input=_signal("source")).status_code
    ),
    "approval-without-effect": _after("granted"),
    "refusal-grants": _after("refused"),
    "unknown-workflow-started": lambda client: _post(client, {"workflow": "nothing"}).status_code,
    "disabled-workflow-started": lambda client: (
        _post(client, {"workflow": "vpn-legacy", "input": {}}).status_code
    ),
    "input-unchecked": lambda client: (
        _post(client, {"workflow": "default", "input": {"role": 1}}).status_code
    ),
    "odd-id-crashes": lambda client: _ask(client, "/execution/wf_%C3%A9").status_code,
    "code-is-not-the-status": lambda client: _do(client, "cancel", COMPLETED).json()["code"],
    "zone-missing": lambda client: {each["start_time"][-1] == "Z" for each in _list(client)},
    "cancel-cacheable": lambda client: _do(client, "cancel", WAITING).headers.get("cache-control"),
    "html-refusal": _unknown_terminate,
    "allow-missing": lambda client: _ask(client, "/executions", method="POST").headers.get("allow"),
}
