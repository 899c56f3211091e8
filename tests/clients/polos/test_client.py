"""The vendor's Python client, unmodified, against the served mock: its whole story."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest
from polos import BatchWorkflowInput, PolosClient, WorkflowContext, workflow

pytestmark = pytest.mark.clients

MOCK = os.environ["MOCKEXEC_URL"]
KEY = "sk_devPolos7a3f1c529d0e4b868f142c6b"
OTHER_KEY = "sk_otherPolos1e8b4c605f274d93a1c86b"
PROJECT = "7a3f1c52-9d0e-4b86-8f14-2c6b5e0d9a71"
OTHER_PROJECT = "1e8b4c60-5f27-4d93-a1c8-6b0e7d9f2345"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
COMPLETED = "3f9c2a6e-5b1d-4c8f-9a47-e2d06b71c5f8"


@workflow(id="order_processing")
async def order_processing(ctx: WorkflowContext, payload: dict[str, Any]) -> dict[str, Any]:
    """The client only runs and batches workflows that are registered with it."""
    return payload


@workflow(id="unheard_of")
async def unheard_of(ctx: WorkflowContext, payload: dict[str, Any]) -> dict[str, Any]:
    """No scenario knows this one."""
    return payload


@pytest.fixture(autouse=True)
def fresh_world() -> None:
    """Each test begins in the default scenario, its clock standing still."""
    control("POST", "reset", {"scenario": "default", "seed": 1})


@pytest.fixture
def client() -> PolosClient:
    """A client with the development key."""
    return PolosClient(api_url=f"{MOCK}/polos", api_key=KEY, project_id=PROJECT)


def control(method: str, path: str, body: dict[str, Any]) -> None:
    """One call of the mock's control API."""
    httpx.request(method, f"{MOCK}/_mockexec/{path}", json=body).raise_for_status()


def go(story: Coroutine[Any, Any, Any]) -> Any:
    """Runs one asynchronous story."""
    return asyncio.run(story)


def test_invoke_and_poll_to_the_end(client: PolosClient) -> None:
    """A run is pending, then completed, and its handle shows both."""

    async def story() -> tuple[Any, Any]:
        handle = await client.invoke("unheard_of", payload={"a": 1}, user_id="mira.keller")
        first = await handle.get(client)
        control("POST", "clock/advance", {"by": "PT1M"})
        return first, await handle.get(client)

    first, last = go(story())
    assert first["status"] == "pending"
    assert first["completed_at"] is None
    assert last["status"] == "completed"
    assert last["result"] == {"a": 1}
    assert last["created_at"] < last["completed_at"]


def test_run_waits_for_the_result(client: PolosClient) -> None:
    """``workflow.run`` polls by itself until the run has completed."""
    control("PUT", "clock", {"mode": "scaled", "scale": 600})
    assert go(unheard_of.run(client, {"a": 2}, timeout=60)) == {"a": 2}


def test_run_raises_when_the_run_fails(client: PolosClient) -> None:
    """A failed run is an error that carries the run's message."""
    control("POST", "reset", {"scenario": "failing", "seed": 1})
    control("PUT", "clock", {"mode": "scaled", "scale": 600})
    with pytest.raises(RuntimeError, match="too many connections for role orders"):
        go(unheard_of.run(client, {"a": 3}, timeout=60))


def test_get_execution_has_all_fields(client: PolosClient) -> None:
    """The client hands on the 24 fields."""
    execution = go(client.get_execution(COMPLETED))
    assert len(execution) == 24
    assert (execution["status"], execution["workflow_id"]) == ("completed", "order_processing")


def test_batch_invoke_keeps_the_order(client: PolosClient) -> None:
    """One handle per entry, in order, under one batch id."""

    async def story() -> list[dict[str, Any]]:
        handles = await client.batch_invoke(
            [
                BatchWorkflowInput(id="order_processing", payload={"n": 1}),
                BatchWorkflowInput(id="unheard_of", payload={"n": 2}, run_timeout_seconds=60),
            ],
            session_id="session-7",
        )
        return [await client.get_execution(handle.id) for handle in handles]

    one, two = go(story())
    assert [one["workflow_id"], two["workflow_id"]] == ["order_processing", "unheard_of"]
    assert [one["payload"], two["payload"]] == [{"n": 1}, {"n": 2}]
    assert one["batch_id"] == two["batch_id"] is not None
    assert one["session_id"] == two["session_id"] == "session-7"
    assert two["run_timeout_seconds"] == 60


def test_cancel(client: PolosClient) -> None:
    """Pending and running runs can be cancelled; ended and unknown ones give False."""

    async def story() -> list[Any]:
        pending = await client.invoke("order_processing", payload={})
        running = await client.invoke("order_processing", payload={})
        seen = [await pending.cancel(client), (await pending.get(client))["status"]]
        control("POST", "clock/advance", {"by": "PT4S"})
        seen += [(await running.get(client))["status"], await running.cancel(client)]
        control("POST", "clock/advance", {"by": "PT1M"})
        seen += [(await running.get(client))["status"], await running.cancel(client)]
        return [*seen, await client.cancel_execution(UNKNOWN)]

    assert go(story()) == [True, "cancelled", "running", True, "cancelled", False, False]


@pytest.mark.parametrize(
    ("key", "execution_id", "status", "error_type"),
    [
        (KEY, UNKNOWN, 404, "NOT_FOUND"),
        (KEY, "not-a-uuid", 400, "BAD_REQUEST"),
        (OTHER_KEY, COMPLETED, 403, "FORBIDDEN"),
        ("sk_nobodyKnowsThisKey0000000000000000", COMPLETED, 401, "UNAUTHORIZED"),
        ("no-key-at-all", COMPLETED, 401, "UNAUTHORIZED"),
    ],
)
def test_errors_are_the_clients_exception(
    key: str, execution_id: str, status: int, error_type: str
) -> None:
    """Every refusal is httpx's status error, with the vendor's body."""
    client = PolosClient(api_url=f"{MOCK}/polos", api_key=key, project_id=PROJECT)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        go(client.get_execution(execution_id))
    assert caught.value.response.status_code == status
    body = caught.value.response.json()
    assert sorted(body) == ["error", "error_type"]
    assert body["error_type"] == error_type


@pytest.mark.parametrize(("project", "status"), [(OTHER_PROJECT, 403), (UNKNOWN, 404)])
def test_running_in_a_project_that_is_not_the_keys(project: str, status: int) -> None:
    """The project header must name the key's project."""
    client = PolosClient(api_url=f"{MOCK}/polos", api_key=KEY, project_id=project)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        go(client.invoke("order_processing", payload={}))
    assert caught.value.response.status_code == status


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "rate_limit"}, 429),
        ({"kind": "status", "status": 503}, 503),
        ({"kind": "expired_token"}, 401),
    ],
)
def test_a_refusal_is_its_callers_at_once(
    client: PolosClient, fault: dict[str, Any], status: int
) -> None:
    """The Python client never tries again; one call later all is well."""
    control("POST", "faults", {**fault, "when": {"operation": "getExecution", "times": 1}})
    with pytest.raises(httpx.HTTPStatusError) as caught:
        go(client.get_execution(COMPLETED))
    assert caught.value.response.status_code == status
    assert set(caught.value.response.json()) <= {"error", "error_type"}
    assert go(client.get_execution(COMPLETED))["status"] == "completed"


def test_a_lost_connection_is_its_callers_too(client: PolosClient) -> None:
    """Nothing came back, and the client says so."""
    control("POST", "faults", {"kind": "disconnect", "when": {"times": 1}})
    with pytest.raises(httpx.RemoteProtocolError):
        go(client.get_execution(COMPLETED))
    assert go(client.get_execution(COMPLETED))["status"] == "completed"
