"""The main story of SailPoint, and for every planted fault the request that shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.impostors.sailpoint import TOKENS, token

SEND_EMAIL = "d201c5d9-d37b-4a2f-af14-66414f39d568"
REVIEW = "7d39cb5b-4f60-4e1e-8ad0-7b1f6f4ac9de"
CLEANUP = "a3c1b1de-5f0f-4d6b-8f8e-1c9a54d0b7e2"
COMPLETED = "b393f4e2-4785-4d7f-ab27-3a6b8ded4c81"
EXECUTING = "12e0ae34-9ad4-4a4e-8a2e-0e9dc0f4e7b1"

INPUT = {"input": {"identity": {"name": "john.doe"}}}
# So often an execution is looked at until it closes; each look takes about two milliseconds.
_LOOKS_MAX = 5_000


def _ask(
    client: httpx.Client,
    path: str,
    *,
    method: str = "GET",
    token: str | None = TOKENS["main"],
    **more: Any,
) -> httpx.Response:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return client.request(method, path, headers=headers, **more)


def _page(client: httpx.Client, workflow: str = SEND_EMAIL, **query: Any) -> httpx.Response:
    return _ask(client, f"/workflows/{workflow}/executions", params=query)


def _list(client: httpx.Client, workflow: str = SEND_EMAIL, **query: Any) -> Any:
    response = _page(client, workflow, **query)
    assert response.status_code == 200, response.text
    return response.json()


def _ids(executions: Any) -> list[str]:
    return [one["id"] for one in executions]


def _statuses(executions: Any) -> set[str]:
    return {one["status"] for one in executions}


def _test(client: httpx.Client, workflow: str = SEND_EMAIL) -> str:
    response = _ask(client, f"/workflows/{workflow}/test", method="POST", json=INPUT)
    execution_id: str = response.json()["workflowExecutionId"]
    return execution_id


def _external(client: httpx.Client, workflow: str = SEND_EMAIL) -> Any:
    return _ask(client, f"/workflows/execute/external/{workflow}", method="POST").json()


def _read(client: httpx.Client, execution_id: str) -> Any:
    return _ask(client, f"/workflow-executions/{execution_id}").json()


def _history(client: httpx.Client, execution_id: str) -> Any:
    return _ask(client, f"/workflow-executions/{execution_id}/history").json()


def _cancel(client: httpx.Client, execution_id: str) -> httpx.Response:
    return _ask(client, f"/workflow-executions/{execution_id}/cancel", method="POST")


def _closed(client: httpx.Client, execution_id: str) -> Any:
    """The execution, once it has closed."""
    for _ in range(_LOOKS_MAX):
        execution = _read(client, execution_id)
        if execution["status"] != "Executing":
            return execution
    raise AssertionError(f"{execution_id} does not close")


def _time(text: str) -> datetime:
    """Microseconds are enough here."""
    return datetime.fromisoformat(f"{text[:26]}+00:00")


def story(client: httpx.Client) -> None:
    """Find a workflow, start it, follow, list, page, filter, cancel, and be refused."""
    _lives(client)
    _lists(client)
    _filters(client)
    _cancels(client)
    _refusals(client)
    _tokens(client)


def _lives(client: httpx.Client) -> None:
    workflows = _ask(client, "/v3/workflows").json()
    assert [one["name"] for one in workflows] == sorted(one["name"] for one in workflows)
    before = _ask(client, f"/workflows/v1/{CLEANUP}").json()
    execution_id = _test(client, CLEANUP)
    first = _read(client, execution_id)
    assert (first["status"], first["workflowId"]) == ("Executing", CLEANUP)
    assert "closeTime" not in first
    assert _ids(_list(client, CLEANUP))[0] == execution_id
    last = _closed(client, execution_id)
    assert last["status"] == "Failed"
    assert timedelta(0) < _time(last["closeTime"]) - _time(last["startTime"]) < timedelta(seconds=1)
    events = _history(client, execution_id)
    times = [one["timestamp"] for one in events]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (last["startTime"], last["closeTime"])
    assert events[-1]["type"] == "WorkflowExecutionFailed"
    after = _ask(client, f"/workflows/{CLEANUP}").json()
    assert after["executionCount"] == before["executionCount"] + 1
    assert after["failureCount"] == before["failureCount"] + 1


def _lists(client: httpx.Client) -> None:
    everything = _list(client)
    assert len(everything) > 50
    assert _statuses(everything) == {"Completed", "Failed", "Canceled", "Executing"}
    times = [one["startTime"] for one in everything]
    assert times == sorted(times, reverse=True)
    paged: list[Any] = []
    while page := _list(client, limit=7, offset=len(paged)):
        paged += page
    assert _ids(paged) == _ids(everything)
    response = _page(client, limit=0, count="true")
    assert response.headers["x-total-count"] == str(len(everything))
    assert response.json() == []
    assert "x-total-count" not in _page(client).headers


def _filters(client: httpx.Client) -> None:
    everything = _list(client)
    pivot = everything[20]["startTime"]
    expected = [
        one["id"]
        for one in everything
        if (one["startTime"] >= pivot and one["status"] != "Completed") or one["status"] == "Failed"
    ]
    text = f'start_time ge {pivot} and not status eq "COMPLETED" or (status eq "failed")'
    assert _ids(_list(client, filters=text)) == expected
    count = _page(client, filters=text, count="true", limit=1).headers["x-total-count"]
    assert count == str(len(expected))
    assert _ids(_list(client, filters=f'start_time eq "{pivot}"')) == [everything[20]["id"]]
    wrong = ("status", 'status EQ "Failed"', "status eq Failed", 'status ne "Failed"', "(", "")
    assert {_page(client, filters=one).status_code for one in wrong} == {400}


def _cancels(client: httpx.Client) -> None:
    response = _cancel(client, EXECUTING)
    assert (response.status_code, response.content) == (204, b"")
    execution = _read(client, EXECUTING)
    assert execution["status"] == "Canceled"
    assert execution["closeTime"] > execution["startTime"]
    assert _cancel(client, EXECUTING).status_code == 400
    assert _read(client, EXECUTING) == execution
    events = [one["type"] for one in _history(client, EXECUTING)]
    assert events[:2] == ["WorkflowExecutionScheduled", "WorkflowExecutionStarted"]
    assert not {"WorkflowExecutionCompleted", "WorkflowExecutionFailed"} & {*events}
    assert "message" in _external(client, REVIEW)
    assert "workflowExecutionId" in _external(client, CLEANUP)


def _refusals(client: httpx.Client) -> None:
    unknown = _ask(client, "/workflow-executions/nobody")
    assert unknown.status_code == 404
    assert unknown.json()["detailCode"] == "404 Not found"
    assert _ask(client, "/workflows/nobody/executions").status_code == 404
    wrong = _page(client, limit=251)
    assert wrong.json()["causes"][0]["text"].startswith("query parameter limit")
    missing = _ask(client, "/workflows", token=None)
    assert missing.json() == {"error": "JWT validation failed: JWT is missing"}
    assert missing.headers["www-authenticate"] == "Bearer"
    expired = _ask(client, "/workflows", token=token("595826", ("sp:scopes:all",), 1))
    assert expired.json() == {"error": "JWT validation failed: JWT is expired"}
    reader = token("595826", ("sp:workflow:read",), 4_102_444_800)
    assert _ask(client, "/workflows", token=reader).status_code == 200
    path = f"/workflow-executions/{COMPLETED}/cancel"
    assert _ask(client, path, method="POST", token=reader).status_code == 403
    assert _ask(client, path).headers["allow"] == "POST"
    plain = _ask(client, f"/workflows/{SEND_EMAIL}/test", method="POST", content=b"x")
    assert plain.status_code == 415


def _tokens(client: httpx.Client) -> None:
    given = {
        "grant_type": "client_credentials",
        "client_id": "b61429f5203d4f3b9c60d2a5e7f8c104",
        "client_secret": "sailpoint-development-secret",
    }
    for way in ({"data": given}, {"params": given}):
        answer = client.post("/oauth/token", **way)  # type: ignore[arg-type]  # one or the other
        assert answer.headers["cache-control"] == "no-store"
        assert _ask(client, "/workflows", token=answer.json()["access_token"]).status_code == 200
    wrong = client.post("/oauth/token", data={**given, "client_secret": "x"})
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


def _started_and_cancelled(client: httpx.Client) -> Any:
    execution_id = _test(client)
    assert _cancel(client, execution_id).status_code == 204
    return _read(client, execution_id)


def _shared(client: httpx.Client) -> int:
    first, second = (_ids(_list(client, limit=5, offset=offset)) for offset in (0, 5))
    return len({*first} & {*second})


def _counted(client: httpx.Client) -> bool:
    response = _page(client, filters='status eq "Failed"', count="true")
    return response.headers["x-total-count"] == str(len(response.json()))


def _at_the_boundary(client: httpx.Client) -> int:
    start = _list(client)[4]["startTime"]
    return len(_list(client, filters=f"start_time le {start} and start_time ge {start}"))


def _in_order(client: httpx.Client) -> bool:
    times = [one["startTime"] for one in _list(client)]
    return times == sorted(times, reverse=True)


def _listed_status(client: httpx.Client) -> str:
    execution = _closed(client, _test(client, CLEANUP))
    (listed,) = (one for one in _list(client, CLEANUP) if one["id"] == execution["id"])
    return str(listed["status"])


def _after_history(client: httpx.Client) -> str:
    _history(client, EXECUTING)
    return str(_read(client, EXECUTING)["status"])


def _last_event(client: httpx.Client) -> str:
    execution = _closed(client, _test(client, CLEANUP))
    return str(_history(client, execution["id"])[-1]["type"])


def _closes_later(client: httpx.Client) -> bool:
    execution = _closed(client, _test(client, CLEANUP))
    return bool(execution["closeTime"] > execution["startTime"])


def _oldest_can_be_read(client: httpx.Client) -> int:
    oldest = _list(client)[-1]["id"]
    return _ask(client, f"/workflow-executions/{oldest}").status_code


def _tampered(client: httpx.Client) -> int:
    head, body, signature = TOKENS["main"].split(".")
    return _ask(client, "/workflows", token=f"{head}.{body}.{signature[::-1]}").status_code


def _cancelled_late(client: httpx.Client) -> tuple[int, str]:
    return _cancel(client, COMPLETED).status_code, _read(client, COMPLETED)["status"]


def _external_is_listed(client: httpx.Client) -> bool:
    return _external(client)["workflowExecutionId"] in _ids(_list(client))


def _either(client: httpx.Client) -> Any:
    return _list(client, filters='status eq "Completed" or status eq "Failed"')


PROBES: dict[str, Callable[[httpx.Client], object]] = {
    "page-overlaps": _shared,
    "limit-capped": lambda client: len(_list(client, limit=250)) > 40,
    "count-before-filters": _counted,
    "past-the-end-repeats": lambda client: len(_list(client, limit=10, offset=10_000)),
    "filter-or-as-and": lambda client: _statuses(_either(client)),
    "filter-not-ignored": lambda client: _statuses(_list(client, filters='not status eq "Failed"')),
    "filter-end-exclusive": _at_the_boundary,
    "filter-status-case": lambda client: bool(_list(client, filters='status eq "failed"')),
    "filter-leaks-workflows": lambda client: len({one["workflowId"] for one in _either(client)}),
    "filter-unknown-ignored": lambda client: _page(client, filters='id eq "x"').status_code,
    "order-by-close-time": _in_order,
    "cancel-closed-accepted": _cancelled_late,
    "cancel-does-nothing": lambda client: _started_and_cancelled(client)["status"] == "Canceled",
    "canceled-without-close-time": lambda client: sorted(_started_and_cancelled(client)),
    "list-lags": _listed_status,
    "new-not-listed": _external_is_listed,
    "disabled-starts": lambda client: sorted(_external(client, REVIEW)),
    "history-read-closes": _after_history,
    "history-contradicts": _last_event,
    "close-before-start": _closes_later,
    "id-reused": lambda client: len({_test(client) for _ in range(3)}),
    "archived-listed": _oldest_can_be_read,
    "tampered-token-accepted": _tampered,
    "missing-allow": lambda client: "allow" in _ask(client, "/workflows", method="PUT").headers,
    "unknown-id-html": lambda client: _ask(client, "/workflow-executions/x").headers[
        "content-type"
    ],
}
