"""Faults armed from Python, as a client meets them."""

from __future__ import annotations

from datetime import timedelta
from json import JSONDecodeError

import httpx
import pytest

from mockexec import LiveMock
from mockexec.errors import UsageError


def statuses(mock: LiveMock, count: int) -> list[int]:
    """The answers to the same request, so many times."""
    client = mock.api("sailpoint").client
    return [client.get("/workflows").status_code for _ in range(count)]


def test_an_operation_fails_so_many_times(mock: LiveMock) -> None:
    """With the status that is asked for, and the time to wait."""
    fault = mock.fail("listWorkflows", status=503, times=2, retry_after=1)
    answer = mock.api("sailpoint").client.get("/workflows")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert statuses(mock, 2) == [503, 200]
    counted = mock.faults.get(fault.id)
    assert (counted.kind, counted.calls, counted.hits) == ("status", 3, 2)
    assert [one.fault for one in mock.requests] == [fault.id, fault.id, ""]


def test_a_fault_strikes_the_call_it_is_told_to(mock: LiveMock) -> None:
    """The n-th, or each so-many-th, of a path."""
    mock.fail("listWorkflows", status=500, nth=2)
    assert statuses(mock, 3) == [200, 500, 200]
    mock.faults.clear()
    mock.fail(status=500, every=2, path="*/workflows", api="sailpoint")
    assert statuses(mock, 4) == [200, 500, 200, 500]


def test_latency_turns_the_frozen_clock(mock: LiveMock) -> None:
    """Nobody waits; the world grows older."""
    began = mock.clock.now
    mock.latency("2m", "listWorkflows", turns_clock=True)
    assert statuses(mock, 1) == [200]
    assert mock.clock.now - began == timedelta(minutes=2)


def test_a_disconnect_is_what_a_client_sees_of_it(mock: LiveMock) -> None:
    """No answer, then one cut off, then all is well again."""
    client = mock.api("sailpoint").client
    mock.disconnect("listWorkflows", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/workflows")
    mock.faults.clear()
    mock.disconnect("listWorkflows", times=1, after_bytes=10)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/workflows")
    assert statuses(mock, 1) == [200]


def test_any_kind_can_be_armed(mock: LiveMock) -> None:
    """By its name, with its own fields and those that say when."""
    fault = mock.fault("truncated_body", "listWorkflows", keep=0.1, times=1)
    with pytest.raises(JSONDecodeError):
        mock.api("sailpoint").client.get("/workflows").json()
    assert fault.body == {
        "kind": "truncated_body", "keep": 0.1, "when": {"operation": "listWorkflows", "times": 1},
    }  # fmt: skip
    mock.fault("expired_token")
    assert statuses(mock, 1) == [401]


def test_faults_are_ended(mock: LiveMock) -> None:
    """One, or all; those that are left strike on."""
    one, other = mock.fail("listWorkflows", status=500), mock.fail("getWorkflow", status=500)
    assert [fault.id for fault in mock.faults] == [one.id, other.id]
    mock.faults.remove(one)
    assert statuses(mock, 1) == [200]
    mock.faults.clear()
    assert len(mock.faults) == 0


def test_a_fault_that_could_never_strike_is_refused(mock: LiveMock) -> None:
    """An unknown operation, kind or field, with what was likely meant."""
    with pytest.raises(UsageError, match=r"did you mean .*listWorkflows"):
        mock.fail("listWorkflow")
    with pytest.raises(UsageError, match="'explosion' is no fault; there are: disconnect"):
        mock.fault("explosion")
    with pytest.raises(UsageError, match="'stauts' is no field of it; there are: status"):
        mock.fault("status", stauts=500)


def test_a_fault_on_everything_can_be_ended(mock: LiveMock) -> None:
    """The control API itself is never struck."""
    mock.disconnect()
    with pytest.raises(httpx.RemoteProtocolError):
        mock.api("thand").client.get("/api/v1/executions")
    mock.faults.clear()
    assert statuses(mock, 1) == [200]
