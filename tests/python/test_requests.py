"""What the mock was asked, as values and in assertions."""

from __future__ import annotations

import pytest

from mockexec import LiveMock


def test_requests_are_values_the_earliest_first(mock: LiveMock) -> None:
    """Of the APIs only: what Python asks of the mock itself is not among them."""
    client = mock.api("sailpoint").client
    mock.clock.advance("1m")
    client.get("/workflows", params={"limit": 2})
    client.get("/nowhere")
    first, second = mock.requests
    assert (first.api, first.operation, first.method) == ("sailpoint", "listWorkflows", "GET")
    assert (first.path, first.query, first.status) == ("/workflows", "limit=2", 200)
    assert first.at == mock.clock.now
    assert first.headers["AUTHORIZATION"] == "***"
    assert first.response_headers["content-type"] == "application/json"
    assert isinstance(first.response_json(), list)
    assert not first.is_unmatched
    assert not first.breaches
    assert second.is_unmatched
    assert str(second) == "GET /sailpoint/nowhere -> 404 (no operation)"


def test_bodies_are_kept(mock: LiveMock) -> None:
    """What was sent, and what was answered, as bytes and as data."""
    body = {"id": "none", "input": {"a": "ä"}}
    mock.api("sailpoint").client.post("/workflows/none/test", json=body)
    (request,) = mock.requests
    assert request.json() == body
    assert request.response_json()["detailCode"]


def test_requests_are_filtered(mock: LiveMock) -> None:
    """By any of their traits, all of which must fit; parts of them are requests again."""
    client = mock.api("sailpoint").client
    for path in ("/workflows", "/workflows/none", "/workflows/none", "/nowhere"):
        client.get(path)
    asked = mock.requests
    assert len(asked.where(operation="getWorkflow")) == 2
    assert len(asked.where(path="/workflows*", status=404)) == 2
    assert len(asked.where(method="get", api="sailpoint")) == 4
    assert len(asked.where(api="thand")) == 0
    assert len(asked[1:].where(path="/workflows")) == 0
    mock.clear_requests()
    assert len(mock.requests) == 0


def test_a_call_is_asserted(mock: LiveMock) -> None:
    """At least once, or so often; the calls are returned."""
    client = mock.api("sailpoint").client
    client.get("/workflows")
    client.get("/workflows", params={"limit": 1})
    assert [one.query for one in mock.assert_called("listWorkflows")] == ["", "limit=1"]
    mock.assert_called("listWorkflows", times=2, status=200, path="/work*")
    mock.assert_called("getWorkflow", times=0)


def test_an_assertion_that_fails_says_what_was_called(mock: LiveMock) -> None:
    """With the likeliest meant, and all that was asked."""
    with pytest.raises(AssertionError, match="called 0 times, not at least once; nothing was"):
        mock.assert_called("listWorkflow")
    mock.api("sailpoint").client.get("/workflows")
    with pytest.raises(AssertionError) as told:
        mock.assert_called("listWorkflow")
    assert "did you mean listWorkflows?" in str(told.value)
    assert "GET /sailpoint/workflows -> 200 (listWorkflows)" in str(told.value)
    with pytest.raises(AssertionError, match="called 1 times, not 3 times"):
        mock.assert_called("listWorkflows", times=3)


def test_findings_tell_what_no_client_noticed(mock: LiveMock) -> None:
    """Requests for what no operation is, in a line each."""
    client = mock.api("sailpoint").client
    client.get("/nowhere")
    # A browser's preflight is no operation's, and nothing to find fault with.
    client.options("/workflows", headers={"access-control-request-method": "GET"})
    assert mock.findings() == ((), ("GET /sailpoint/nowhere",))
    assert [one.is_unmatched for one in mock.requests] == [True, False]
