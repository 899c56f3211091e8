"""Pages: their size, the tokens between them, and that following the tokens shows everything once."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apis.foundry.support import (
    OTHER_RESOURCE,
    Run,
    arrival,
    at,
    followed,
    ids,
    listed,
    refused,
    send,
    world_of,
)
from tests.support import Served, serve

FAILED = {"type": "eq", "field": "status", "value": "FAILED"}


def some(count: int) -> list[Run]:
    """Finished runs, one a second, every third of which failed."""
    return [
        Run(
            f"run-{number:04}",
            ago_ms=1_000 * (number + 1),
            ran_ms=1,
            status="SUCCEEDED" if number % 3 else "FAILED",
        )
        for number in range(count)
    ]


def first_token(mock: Served, body: dict[str, Any] | None = None) -> str:
    """The token after a first page of one execution."""
    response = send(mock, {"pageSize": 1, **(body or {})})
    token: str = response.json()["nextPageToken"]
    return token


def test_a_page_holds_100_unless_asked() -> None:
    """Row `pages`: default 100."""
    with world_of(*some(101)) as mock:
        assert len(listed(mock)) == 100


@pytest.mark.parametrize("size", [101, 500, 2**31 - 1])
def test_more_than_100_is_clamped(size: int) -> None:
    """Row `pages`: maximum 100, more is clamped and not refused."""
    with world_of(*some(101)) as mock:
        assert len(listed(mock, {"pageSize": size})) == 100


@pytest.mark.parametrize("size", [0, -1, -(2**31)])
def test_zero_or_less_is_refused(size: int) -> None:
    """Row `pages`: InvalidPageSize, which names the size."""
    with world_of() as mock:
        body = refused(send(mock, {"pageSize": size}), 400, "InvalidPageSize")
    assert body["parameters"] == {"pageSize": size}
    assert body["errorCode"] == "INVALID_ARGUMENT"


def test_the_last_page_has_no_token() -> None:
    """Row `pages`: not even when it is full to the last place."""
    with world_of(*some(4)) as mock:
        assert "nextPageToken" not in send(mock, {"pageSize": 4}).json()
        assert "nextPageToken" in send(mock, {"pageSize": 3}).json()
        assert [len(page) for page in followed(mock, {"pageSize": 2})] == [2, 2]


def test_no_token_leads_to_a_page_without_a_match() -> None:
    """A page before which everything is filtered out is not offered."""
    with world_of(*some(5)) as mock:
        assert followed(mock, {"pageSize": 1, "where": FAILED}) == [["run-0000"], ["run-0003"]]


def test_a_token_looks_like_the_vendor_s() -> None:
    """Row `pages`: `v1.` and base64url."""
    with world_of(*some(2)) as mock:
        prefix, _, rest = first_token(mock).partition(".")
    assert prefix == "v1"
    assert (
        urlsafe_b64encode(urlsafe_b64decode(rest + "=" * (-len(rest) % 4))).decode().rstrip("=")
        == rest
    )


def test_the_page_size_may_change_between_pages() -> None:
    """A token belongs to the query, and how much of it is shown at a time is not part of that."""
    with world_of(*some(6)) as mock:
        token = first_token(mock)
        assert len(listed(mock, {"pageSize": 3, "pageToken": token})) == 3
        assert len(listed(mock, {"pageToken": token})) == 5


@pytest.mark.parametrize("other", ["where", "startTime", "endTime", "resource"])
def test_a_token_of_another_query_is_refused(other: str) -> None:
    """Row `pages`: reused with another query → InvalidPageToken."""
    with world_of(*some(5)) as mock:
        token = first_token(mock)
        body: dict[str, Any] = {"pageToken": token}
        resource = {}
        if other == "where":
            body["where"] = FAILED
        elif other == "resource":
            resource = {"resource": OTHER_RESOURCE}
        else:
            body[other] = at(mock, ago_ms=500)
        refusal = refused(send(mock, body, **resource), 400, "InvalidPageToken")
        assert refusal["parameters"] == {"pageToken": token}
        assert "belongs to a query" in refusal["errorDescription"]


def test_a_token_of_a_filtered_query_needs_that_filter() -> None:
    """Row `pages`: leaving the filter out is another query too."""
    with world_of(*some(5)) as mock:
        token = first_token(mock, {"where": FAILED})
        assert ids(listed(mock, {"where": FAILED, "pageToken": token})) == ["run-0003"]
        refused(send(mock, {"pageToken": token}), 400, "InvalidPageToken")


def test_a_broken_token_is_refused() -> None:
    """Row `pages`: signed, so that no change goes unseen."""
    with world_of(*some(3)) as mock:
        token = first_token(mock)
        last = "A" if token[-1] != "A" else "B"
        moved = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
        for broken in (
            "", "x", "v1.", "v1.QnVpbGQ", token[3:], "v2" + token[2:], token + "=", token[:-1],
            token[:-1] + last, moved, token.replace("v1.", "v1. "), "v1." + "é" * 40,
            "v1." + "A" * 5000,
        ):  # fmt: skip
            body = refused(send(mock, {"pageToken": broken}), 400, "InvalidPageToken")
            assert body["parameters"] == {"pageToken": broken}


def test_a_token_of_another_mock_is_refused() -> None:
    """A token is good only where it was given out."""
    with serve("foundry", seed=1) as one, serve("foundry", seed=2) as two:
        token = first_token(one)
        refused(send(two, {"pageToken": token}), 400, "InvalidPageToken")
        assert send(one, {"pageToken": token}).status_code == 200


def test_a_token_lives_for_an_hour() -> None:
    """Row `pages`: older than 1 h → InvalidPageToken."""
    with world_of(*some(3)) as mock:
        token = first_token(mock)
        mock.advance("1h")
        assert ids(listed(mock, {"pageToken": token})) == ["run-0001", "run-0002"]
        mock.advance("1ms")
        body = refused(send(mock, {"pageToken": token}), 400, "InvalidPageToken")
        assert "older than an hour" in body["errorDescription"]


def test_the_default_window_does_not_drift_between_pages() -> None:
    """Row `pages`: the token carries the resolved window."""
    runs = [Run("last", ago_ms=86_400_000, ran_ms=1), Run("first", ago_ms=1_000, ran_ms=1)]
    with world_of(*runs) as mock:
        token = first_token(mock)
        mock.advance("30m")
        assert ids(listed(mock, {"pageToken": token})) == ["last"]
        assert ids(listed(mock)) == ["first"]


def test_a_token_in_the_query_string_is_not_looked_at() -> None:
    """The token belongs into the body; elsewhere it is an unknown parameter."""
    with world_of(*some(3), strict=False) as mock:
        token = first_token(mock)
        response = mock.post(
            "/foundry/api/v2/observability/resources/ri.function-registry.main.function."
            "c26f11c8-cdb3-4f44-9f5d-9816ea1c82da/listExecutions",
            params={"preview": "true", "pageToken": token},
            json={"pageSize": 1},
        )
    assert ids(response.json()["data"]) == ["run-0000"]


@given(
    starts=st.lists(st.integers(1, 12), max_size=25),
    size=st.integers(1, 8),
    failed_only=st.booleans(),
)
def test_the_pages_partition_the_list(starts: list[int], size: int, failed_only: bool) -> None:
    """Row `pages`: every matching execution exactly once, in the order of the list."""
    runs = [
        Run(
            f"run-{number:02}",
            ago_ms=start * 100,
            ran_ms=1,
            status=("SUCCEEDED", "FAILED")[number % 2],
        )
        for number, start in enumerate(starts)
    ]
    query = {"where": FAILED} if failed_only else {}
    with world_of(*runs) as mock:
        whole = ids(listed(mock, query))
        pages = followed(mock, {**query, "pageSize": size})
    assert list(chain.from_iterable(pages)) == whole
    assert all(len(page) == size for page in pages[:-1])
    assert pages == [[]] or pages[-1]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_pages_may_end_amid_equal_starts(size: int) -> None:
    """Row `pages`: none of those that start at one instant is shown twice or left out."""
    runs = [Run(name, ago_ms=5_000, ran_ms=1) for name in "dacbe"]
    with world_of(*runs, Run("newer", 4_000, 1), Run("older", 6_000, 1)) as mock:
        pages = followed(mock, {"pageSize": size})
    assert list(chain.from_iterable(pages)) == ["newer", *"abcde", "older"]


def test_following_tokens_shows_each_execution_once_while_new_ones_finish() -> None:
    """Row `pages`: neither those that arrive meanwhile nor those that only then end disturb it."""
    running = [Run(f"late-{number}", 1_500 + 1_000 * number, 60_000) for number in range(10)]
    with world_of(*some(12), *running, arrivals=(arrival("20s"),)) as mock:
        before = ids(listed(mock))
        seen: list[str] = []
        token = None
        while True:
            response = send(mock, {"pageSize": 2, "pageToken": token})
            seen += ids(response.json()["data"])
            token = response.json().get("nextPageToken")
            if token is None:
                break
            mock.advance("45s")
        after = ids(listed(mock))
    assert seen == before
    assert len(after) > len(before) + len(running)
