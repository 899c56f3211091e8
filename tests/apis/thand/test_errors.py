"""Refusals: one shape for all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apis.thand.vendor import API, NOBODY
from tests.support import serve

SIGNAL = f"{API}/execution/wf_abc123/signal"
CREATE = f"{API}/execution"

REFUSALS: dict[str, tuple[int, str, str, dict[str, Any], str]] = {
    "no session": (401, "GET", f"{API}/executions", {"headers": NOBODY}, "session"),
    "unknown path": (404, "GET", "/thand/api/v1/nothing", {}, "/api/v1/nothing"),
    "no path": (404, "GET", "/thand/", {}, "path"),
    "trailing slash": (404, "GET", f"{API}/executions/", {}, "/api/v1/executions/"),
    "verb": (405, "DELETE", f"{API}/executions", {}, "only GET"),
    "head": (405, "HEAD", f"{API}/executions", {}, ""),
    "accept": (406, "GET", f"{API}/executions", {"headers": {"accept": "text/html"}}, "text/html"),
    "parameter twice": (400, "GET", f"{SIGNAL}?input=a&input=b", {}, "query parameter input"),
    "parameter not utf-8": (400, "GET", f"{SIGNAL}?input=%FF", {}, "query parameter input"),
    "no body": (400, "POST", CREATE, {"headers": {"content-type": "application/json"}}, "body"),
    "not json": (
        400,
        "POST",
        CREATE,
        {"content": b"{", "headers": {"content-type": "application/json"}},
        "body",
    ),
    "no type": (415, "POST", CREATE, {"content": b"{}"}, "application/json"),
    "text": (
        415,
        "POST",
        CREATE,
        {"content": b"{}", "headers": {"content-type": "text/plain"}},
        "text/plain",
    ),
    "too large": (413, "POST", CREATE, {"json": {"workflow": "x" * (1 << 20)}}, "1048576"),
    "unknown": (404, "GET", f"{API}/execution/wf_nothing", {}, "wf_nothing"),
    "closed": (409, "GET", f"{API}/execution/wf_abc121/cancel", {}, "completed"),
    "undocumented parameter": (400, "GET", f"{API}/executions?page=2", {}, "page"),
}


@pytest.mark.parametrize(
    ("status", "method", "path", "request_", "reason"), REFUSALS.values(), ids=REFUSALS
)
def test_every_refusal_has_the_agents_shape(
    status: int, method: str, path: str, request_: dict[str, Any], reason: str
) -> None:
    """Row "errors": code, title and message, with the status in it and the reason in words."""
    with serve("thand", strict=True) as served:
        answer = served.request(method, path, **request_)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    if method == "HEAD":
        return
    body = answer.json()
    assert list(body) == ["code", "title", "message"]
    assert body["code"] == status
    assert body["title"]
    assert reason in body["message"]


def test_a_reason_is_never_the_servers_inside() -> None:
    """Row "errors": an error of ours is a 500 in the agent's words, with the world's time."""
    with serve("thand") as served:
        realm = served.realm("thand")
        execution = realm.executions.get("wf_abc123")
        assert execution is not None
        # A world that no request can make: an execution without its data.
        realm.executions.put(execution._replace(data={}))
        answer = served.get(f"{API}/execution/wf_abc123")
    assert answer.status_code == 500
    assert answer.json() == {
        "code": 500,
        "title": "Internal server error",
        "message": "An internal error occurred. "
        "Details are available in the logs at: 2026-01-01 12:00:00.",
    }


def test_a_full_world_says_when_to_try_again() -> None:
    """Row "errors": when no execution fits any more the answer is 429 with Retry-After."""
    from dataclasses import replace

    from mockexec import catalog

    api = catalog.api("thand")
    model = replace(api.dialect.model, executions_max=0)
    api = replace(api, dialect=replace(api.dialect, model=model))
    scenario = catalog.scenario("thand", "empty")
    body = {"workflow": "local-sudo", "input": {"hostname": "laptop", "minutes": 5}}
    with serve(api, scenario={"thand": scenario}) as served:
        answer = served.post(CREATE, json=body)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["title"] == "Too many executions"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/executions", 200), ("/execution/wf_abc123", 200), ("/execution/wf_abc123/cancel", 200),
        ("/execution/wf_abc123/terminate", 200), ("/execution/wf_nothing", 404),
        ("/execution/wf_abc121/cancel", 409), ("/nowhere", 404),
    ],
)  # fmt: skip
def test_nothing_may_be_kept_in_a_cache(path: str, status: int) -> None:
    """Row "operations": since a GET may act, every answer carries `Cache-Control: no-store`.

    And each names its charset, as the agent's web framework does.
    """
    with serve("thand") as served:
        answer = served.get(f"{API}{path}")
    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
