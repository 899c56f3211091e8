"""The main story of Polos, and for every planted fault the request that shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

from tests.impostors.polos import EXPIRED_TOKEN, OTHER_PROJECT, PROJECT, TOKENS

FINAL = {"completed", "failed", "cancelled"}
COMPLETED = "3f9c2a6e-5b1d-4c8f-9a47-e2d06b71c5f8"
FAILED = "91d7e3b0-4c85-4f2a-b6e1-0a5d8c7f3e94"
WAITING = "5d27c9b4-0e6f-4a13-b7d8-94f1e8c20a6b"
RUNNING = "b81e4d07-62fa-4f3c-8d95-1a7c3e9f5042"
PENDING = "0c4be1d8-93a7-4f52-8e6b-d17f5a3c9e20"
FOREIGN = "e7305c8a-1b4d-4f96-a2d7-9c0e6f58b413"
PARENT = "8c5d3b90-e1f6-4a72-b04e-7d92f6c18a35"
CHILD = "f0a71e68-3d9c-4b54-92e7-c6b85d0f1a23"

# So often a run is looked at until it ends; each look takes about two milliseconds.
_LOOKS_MAX = 5_000


def _ask(
    client: httpx.Client, method: str, path: str, token: str | None = TOKENS["main"], **more: Any
) -> httpx.Response:
    headers = {"x-project-id": PROJECT, **more.pop("headers", {})}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return client.request(method, f"/api/v1{path}", headers=headers, **more)


def _read(client: httpx.Client, run_id: str) -> Any:
    return _ask(client, "GET", f"/executions/{run_id}").json()


def _cancel(client: httpx.Client, run_id: str) -> httpx.Response:
    return _ask(client, "POST", f"/executions/{run_id}/cancel")


def _list(client: httpx.Client, **query: Any) -> Any:
    return _ask(client, "GET", "/workflows/runs", params=query).json()


def _ids(runs: Any) -> list[str]:
    return [run["id"] for run in runs]


def _run(client: httpx.Client, workflow: str, payload: Any = None, **more: Any) -> str:
    body = {"payload": payload, **more}
    run_id: str = _ask(client, "POST", f"/workflows/{workflow}/run", json=body).json()[
        "execution_id"
    ]
    return run_id


def _batch(client: httpx.Client, *workflows: str, **more: Any) -> list[str]:
    entries = [{"workflow_id": name, "payload": {}, **more} for name in workflows]
    response = _ask(client, "POST", "/workflows/batch_run", json={"workflows": entries})
    return [each["execution_id"] for each in response.json()["executions"]]


def _ended(client: httpx.Client, run_id: str) -> Any:
    """The run, once it has ended."""
    for _ in range(_LOOKS_MAX):
        run = _read(client, run_id)
        if run["status"] in FINAL:
            return run
    raise AssertionError(f"{run_id} does not end")


def story(client: httpx.Client) -> None:
    """Submit, follow, list, page, filter, cancel, answer, and be refused."""
    _lives(client)
    _lists(client)
    _cancels(client)
    _approvals(client)
    _refusals(client)


def _lives(client: httpx.Client) -> None:
    run_id = _run(client, "order_processing", {"order_id": "ORD-1"}, run_timeout_seconds=600)
    first = _read(client, run_id)
    assert (first["id"], first["result"]) == (run_id, None)
    assert first["status"] in {"pending", "running"}
    assert _ids(_list(client))[0] == run_id
    last = _ended(client, run_id)
    assert last["status"] == "completed"
    assert last["created_at"] < last["started_at"] < last["completed_at"]
    assert last["payload"] == {"order_id": "ORD-1"}
    assert last["result"] == {"shipped": True, "carrier": "DHL"}
    late = _ended(client, _run(client, "order_processing", run_timeout_seconds=0))
    assert (late["status"], late["cancelled_by"]) == ("cancelled", "system")
    failed = _ended(client, _run(client, "weekly_sales_report", {}))
    assert (failed["status"], failed["retry_count"]) == ("failed", 2)
    batch = [_read(client, each) for each in _batch(client, "lookup_customer", "unheard_of")]
    assert [each["workflow_id"] for each in batch] == ["lookup_customer", "unheard_of"]
    assert len({each["batch_id"] for each in batch}) == 1


def _lists(client: httpx.Client) -> None:
    everything = _list(client, limit=10_000)
    assert len(everything) > 50
    times = [run["created_at"] for run in everything]
    assert times == sorted(times, reverse=True)
    paged: list[Any] = []
    while page := _list(client, limit=7, offset=len(paged)):
        paged += page
    assert _ids(paged) == _ids(everything)
    orders = _list(client, workflow_id="order_processing", limit=10_000)
    assert _ids(orders) == [
        run["id"] for run in everything if run["workflow_id"] == "order_processing"
    ]
    start, end = times[30], times[10]
    within = _list(client, start_time=start, end_time=end, limit=10_000)
    assert _ids(within) == [run["id"] for run in everything if start <= run["created_at"] <= end]
    assert _ids(_list(client, start_time="yesterday", limit=10_000)) == _ids(everything)


def _cancels(client: httpx.Client) -> None:
    answer = _cancel(client, PARENT).json()
    assert answer["status"] == "running"
    # On a busy machine the worker may have confirmed before.
    assert _cancel(client, PARENT).status_code == 200 or _read(client, PARENT)["status"] in FINAL
    for run_id in (PARENT, CHILD):
        run = _ended(client, run_id)
        assert (run["status"], run["cancelled_by"]) == ("cancelled", "user")
        assert (run["completed_at"], run["assigned_to_worker"]) == (None, None)
    assert _cancel(client, PENDING).json()["status"] == "cancelled"
    refused = _cancel(client, PENDING)
    assert refused.status_code == 400
    assert refused.json() == {
        "error": "Execution cannot be cancelled (status: cancelled)",
        "error_type": "CANCELLATION_ERROR",
    }


def _approvals(client: httpx.Client) -> None:
    path = f"/approvals/{WAITING}/approve_refund"
    assert _ask(client, "GET", path, None).json()["status"] == "waiting"
    answer = {"data": {"approved": True}}
    answered = _ask(client, "POST", f"{path}/submit", None, json=answer)
    assert (answered.status_code, answered.content) == (200, b"")
    assert _ask(client, "POST", f"{path}/submit", None, json=answer).status_code == 409
    approvals = {"approve_refund": {"approved": True}}
    assert _ended(client, WAITING)["result"] == {"handled": True, "approvals": approvals}
    assert _ask(client, "GET", path, None).json() == {
        "execution_id": WAITING,
        "step_key": "approve_refund",
        "status": "completed",
        "data": None,
    }


def _refusals(client: httpx.Client) -> None:
    run, batch = "/workflows/order_processing/run", "/workflows/batch_run"
    cases: list[tuple[int, str, str, str, str | None, dict[str, Any]]] = [
        (400, "BAD_REQUEST", "GET", "/executions/nonsense", TOKENS["main"], {}),
        (400, "BAD_REQUEST", "GET", "/workflows/runs?limit=-1", TOKENS["main"], {}),
        (400, "BAD_REQUEST", "POST", run, TOKENS["main"], {"content": "{"}),
        (400, "BAD_REQUEST", "POST", batch, TOKENS["main"], {"json": {"workflows": []}}),
        (401, "UNAUTHORIZED", "GET", f"/executions/{RUNNING}", None, {}),
        (401, "UNAUTHORIZED", "GET", f"/executions/{RUNNING}", "sk_nobody", {}),
        (403, "FORBIDDEN", "GET", f"/executions/{FOREIGN}", TOKENS["main"], {}),
        (403, "PROJECT_ACCESS_FORBIDDEN", "GET", "/workflows/runs", TOKENS["other"], {}),
        (404, "NOT_FOUND", "GET", f"/executions/{OTHER_PROJECT}", TOKENS["main"], {}),
        (404, "NOT_FOUND", "GET", "/nowhere", TOKENS["main"], {}),
        (405, "METHOD_NOT_ALLOWED", "PUT", "/workflows/runs", TOKENS["main"], {}),
        (406, "NOT_ACCEPTABLE", "GET", "/workflows/runs", TOKENS["main"], {"headers": {"accept": "text/html"}}),
        (415, "UNSUPPORTED_MEDIA_TYPE", "POST", run, TOKENS["main"], {"data": {"payload": "1"}}),
        (422, "UNPROCESSABLE_ENTITY", "POST", run, TOKENS["main"], {"json": {}}),
    ]  # fmt: skip
    for status, error_type, method, path, token, more in cases:
        if "content" in more:
            more["headers"] = {"content-type": "application/json"}
        response = _ask(client, method, path, token, **more)
        assert response.status_code == status, (method, path, response.text)
        assert set(response.json()) == {"error", "error_type"}
        assert response.json()["error_type"] == error_type
        assert ("www-authenticate" in response.headers) == (status == 401)
        assert ("allow" in response.headers) == (status == 405)


def _overlap(client: httpx.Client) -> object:
    pages = [_ids(_list(client, limit=5, offset=offset)) for offset in (0, 5)]
    return set(pages[0]) & set(pages[1])


def _at_end_time(client: httpx.Client) -> object:
    newest = _list(client, limit=1)[0]
    return _ids(_list(client, end_time=newest["created_at"], limit=1)) == [newest["id"]]


def _with_offset(client: httpx.Client) -> object:
    at = datetime.fromisoformat(_list(client)[3]["created_at"])
    local = at.astimezone(timezone(timedelta(hours=2))).isoformat(timespec="microseconds")
    return len(_list(client, start_time=local))


def _oldest_last(client: httpx.Client) -> object:
    times = [run["created_at"] for run in _list(client, workflow_id="order_processing")]
    return times == sorted(times, reverse=True)


def _foreign_list(client: httpx.Client) -> object:
    return _ask(client, "GET", "/workflows/runs", TOKENS["other"]).status_code


def _goes_back(client: httpx.Client) -> object:
    run_id = _run(client, "lookup_customer")
    _ended(client, run_id)
    return [_read(client, run_id)["status"] for _ in range(4)]


def _cancelled_end(client: httpx.Client) -> object:
    _cancel(client, RUNNING)
    run = _ended(client, RUNNING)
    return run["status"], run["cancelled_at"] is None


def _second_answer(client: httpx.Client) -> object:
    path = f"/approvals/{WAITING}/approve_refund/submit"
    answers = [_ask(client, "POST", path, None, json={"data": 1}) for _ in range(2)]
    return [answer.status_code for answer in answers]


def _in_order(client: httpx.Client) -> object:
    ids = _batch(client, "lookup_customer", "order_processing", "unheard_of")
    return [_read(client, run_id)["workflow_id"] for run_id in ids]


def _payload(client: httpx.Client) -> object:
    return _read(client, _run(client, "order_processing", 2**53 + 1))["payload"]


def _with_nul(client: httpx.Client) -> object:
    path = "/workflows/order_processing/run"
    return _ask(client, "POST", path, json={"payload": "a\0b"}).status_code


def _key_status(key: str) -> Callable[[httpx.Client], object]:
    return lambda client: _ask(client, "GET", f"/executions/{RUNNING}", key).status_code


def _end_after_start(client: httpx.Client) -> object:
    run = _ended(client, _run(client, "lookup_customer"))
    return run["completed_at"] > run["started_at"]


def _unknown_approval(client: httpx.Client) -> object:
    response = _ask(client, "GET", f"/approvals/{PROJECT}/x", None)
    return response.status_code, response.headers["content-type"]


# What shows each fault: the same value from every correct server, another one from the faulty one.
PROBES: dict[str, Callable[[httpx.Client], object]] = {
    "page-overlaps": _overlap,
    "limit-is-capped": lambda client: len(_list(client, limit=40)),
    "zero-limit-is-the-default": lambda client: len(_list(client, limit=0)),
    "oldest-first-by-workflow": _oldest_last,
    "end-time-is-exclusive": _at_end_time,
    "offset-of-time-ignored": _with_offset,
    "type-forgotten-by-workflow": lambda client: len(
        _list(client, workflow_type="tool", workflow_id="order_processing")
    ),
    "workflow-is-a-substring": lambda client: len(_list(client, workflow_id="order")),
    "pending-not-listed": lambda client: PENDING in _ids(_list(client)),
    "result-not-listed": lambda client: [
        run["result"] for run in _list(client) if run["id"] == COMPLETED
    ],
    "foreign-run-readable": lambda client: _read(client, FOREIGN).get("status"),
    "foreign-run-cancellable": lambda client: _cancel(client, FOREIGN).status_code,
    "project-header-trusted": _foreign_list,
    "key-compared-by-prefix": _key_status(TOKENS["main"][:-1] + "x"),
    "expired-key-accepted": _key_status(EXPIRED_TOKEN),
    "state-goes-back": _goes_back,
    "ended-run-is-cancelled": lambda client: _cancel(client, COMPLETED).status_code,
    "cancel-without-effect": lambda client: (
        _cancel(client, RUNNING).status_code,
        _read(client, RUNNING)["cancelled_by"],
    ),
    "cancelled-without-time": _cancelled_end,
    "failed-without-end": lambda client: _read(client, FAILED)["completed_at"] is None,
    "end-before-start": _end_after_start,
    "reading-counts-as-retry": lambda client: [
        _read(client, COMPLETED)["retry_count"] for _ in range(2)
    ],
    "second-answer-taken": _second_answer,
    "timeout-is-lost": lambda client: _read(
        client, _run(client, "order_processing", run_timeout_seconds=60)
    )["run_timeout_seconds"],
    "batch-loses-concurrency-key": lambda client: _read(
        client, _batch(client, "order_processing", concurrency_key="k")[0]
    )["concurrency_key"],
    "batch-merges-equals": lambda client: len(
        set(_batch(client, "order_processing", "order_processing"))
    ),
    "batch-out-of-order": _in_order,
    "large-numbers-rounded": _payload,
    "nul-crashes": _with_nul,
    "zone-missing": lambda client: _cancel(client, RUNNING).json()["cancelled_at"][26:],
    "plain-text-refusal": _unknown_approval,
    "challenge-missing": lambda client: _ask(
        client, "GET", f"/executions/{RUNNING}", None
    ).headers.get("www-authenticate"),
    "allow-missing": lambda client: _ask(client, "PUT", "/workflows/runs").headers.get("allow"),
}
