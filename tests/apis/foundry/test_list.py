"""listExecutions: what is listed, in which order, in which window, and in which words."""

from __future__ import annotations

import pytest

from mockexec.simulation.instants import MILLISECOND, format_instant
from tests.apis.foundry.support import (
    CALLER,
    DAY_MS,
    OTHER_RESOURCE,
    RESOURCE,
    USER,
    Run,
    arrival,
    at,
    ids,
    listed,
    refused,
    send,
    world_of,
)
from tests.support import serve

HOUR_MS = 3_600_000


def test_the_source_s_example_is_there_as_it_reads() -> None:
    """Row `execution`: the documented fields, for the source's own trace id."""
    with serve("foundry") as mock:
        (execution,) = [
            item
            for item in listed(mock)
            if item["foundryTraceId"] == "1f168a0f-8f5a-648c-8ce4-21d9f1ce17c2"
        ]
        started_ns = mock.world.now_ns - 2 * HOUR_MS * MILLISECOND
    assert execution == {
        "duration": {"unit": "SECONDS", "value": 30},
        "foundryTraceId": "1f168a0f-8f5a-648c-8ce4-21d9f1ce17c2",
        "resourceVersion": "1.2.0",
        "traceOwningRid": "ri.object-sentinel.main.monitor.f7c14421-54f4-4e9f-b6f2-1971b79d612b",
        "resourceRid": RESOURCE,
        "startTime": format_instant(started_ns, digits=3),
        "callerRid": CALLER,
        "status": "SUCCEEDED",
    }


def test_fields_without_a_value_are_left_out() -> None:
    """Row `execution`: optional ones left out when unset, `userId` not shown."""
    with world_of(Run("a", user=USER)) as mock:
        (execution,) = listed(mock)
    assert set(execution) == {
        "duration", "foundryTraceId", "resourceVersion", "traceOwningRid", "resourceRid",
        "startTime", "status",
    }  # fmt: skip


def test_only_failed_executions_have_a_failure_reason() -> None:
    """Row `execution`: `failureReason` on FAILED only."""
    with world_of(
        Run("a", status="SUCCEEDED", reason="timeout"),
        Run("b", status="FAILED", reason="timeout"),
        Run("c", status="FAILED"),
    ) as mock:
        reasons = {item["foundryTraceId"]: item.get("failureReason") for item in listed(mock)}
    assert reasons == {"a": None, "b": "timeout", "c": None}


def test_durations_are_whole_seconds_or_milliseconds() -> None:
    """The unit says as much as the value needs."""
    with world_of(Run("a", ran_ms=0), Run("b", ran_ms=1_250), Run("c", ran_ms=30_000)) as mock:
        durations = {item["foundryTraceId"]: item["duration"] for item in listed(mock)}
    assert durations == {
        "a": {"unit": "SECONDS", "value": 0},
        "b": {"unit": "MILLISECONDS", "value": 1_250},
        "c": {"unit": "SECONDS", "value": 30},
    }


def test_a_duration_never_leaves_the_document_s_integer() -> None:
    """More milliseconds than 32 bits hold are told in seconds, cut off."""
    with world_of(Run("long", ago_ms=25 * DAY_MS, ran_ms=2**31 + 5)) as mock:
        (execution,) = listed(mock, {"startTime": at(mock, ago_ms=26 * DAY_MS)})
    assert execution["duration"] == {"unit": "SECONDS", "value": 2_147_483}


def test_a_run_that_is_stopped_does_not_tell_the_reason_it_would_have_had() -> None:
    """It never came to that failure."""
    with world_of(Run("slow", 1_000, 60_000, status="FAILED", reason="timeout")) as mock:
        stopped = mock.request("PATCH", "/_mockexec/executions/slow", json={"state": "terminated"})
        assert stopped.status_code == 200
        (execution,) = listed(mock)
    assert (execution["status"], execution["failureReason"]) == ("FAILED", "terminated")


def test_the_newest_start_comes_first() -> None:
    """Row `list`: newest start first, whatever finished last."""
    with world_of(
        Run("b", ago_ms=5_000, ran_ms=10), Run("a", ago_ms=9_000, ran_ms=8_900), Run("c", 7_000)
    ) as mock:
        assert ids(listed(mock)) == ["b", "c", "a"]


def test_equal_starts_are_ordered_by_trace_id() -> None:
    """Row `list`: ties by trace id."""
    with world_of(Run("m"), Run("z"), Run("a"), Run("newer", ago_ms=59_999)) as mock:
        assert ids(listed(mock)) == ["newer", "a", "m", "z"]


def test_a_running_execution_is_hidden_until_it_finishes() -> None:
    """Row `list`: completed executions only; it then stands at its start, not at its end."""
    with world_of(Run("slow", ago_ms=2_000, ran_ms=10_000), Run("quick", ago_ms=1_500)) as mock:
        assert ids(listed(mock)) == ["quick"]
        mock.advance("7999ms")
        assert ids(listed(mock)) == ["quick"]
        mock.advance("1ms")
        assert ids(listed(mock)) == ["quick", "slow"]


def test_what_was_stopped_from_outside_counts_as_failed() -> None:
    """Foundry knows no third status."""
    stopped = {"p": {"running": "1s", "outcomes": {"cancelled": 1}}}
    history = {"history": [{"resource": RESOURCE, "count": 1, "within": "1h"}]}
    with world_of(profiles=stopped, sections=history) as mock:
        mock.advance("2s")
        (execution,) = listed(mock)
    assert (execution["status"], execution["failureReason"]) == ("FAILED", "cancelled")


def test_the_last_24_hours_are_listed_by_default() -> None:
    """Row `body`: `startTime` defaults to 24 hours ago, inclusive."""
    with world_of(Run("in", DAY_MS), Run("out", DAY_MS + 1)) as mock:
        assert ids(listed(mock)) == ["in"]


def test_the_end_is_now_by_default_exclusive() -> None:
    """Row `body`: `endTime` defaults to now, and what starts at that very instant is not before it."""
    with world_of(Run("now", 0, 0), Run("before", 1, 0)) as mock:
        assert ids(listed(mock)) == ["before"]
        assert ids(listed(mock, {"endTime": at(mock, ago_ms=-1)})) == ["now", "before"]
        mock.advance("1ms")
        assert ids(listed(mock)) == ["now", "before"]


def test_start_time_is_inclusive_and_end_time_exclusive() -> None:
    """Row `body`: `startTime` inclusive, `endTime` exclusive."""
    with world_of(Run("a", 3_000, 1), Run("b", 2_000, 1), Run("c", 1_000, 1)) as mock:
        window = {"startTime": at(mock, ago_ms=3_000), "endTime": at(mock, ago_ms=1_000)}
        assert ids(listed(mock, window)) == ["b", "a"]


def test_times_are_compared_to_the_nanosecond() -> None:
    """A bound between two milliseconds keeps to its side."""
    with world_of(Run("a", 1_000, 1)) as mock:
        assert ids(listed(mock, {"startTime": at(mock, ago_ms=999.999999)})) == []
        assert ids(listed(mock, {"startTime": at(mock, ago_ms=1_000)})) == ["a"]
        older = at(mock, ago_ms=5_000)
        assert ids(listed(mock, {"startTime": older, "endTime": at(mock, ago_ms=1_000)})) == []
        window = {"startTime": older, "endTime": at(mock, ago_ms=999.999999)}
        assert ids(listed(mock, window)) == ["a"]


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+05:30", "-11:00"])
def test_offsets_and_z_both_parse(zone: str) -> None:
    """Row `body`: offsets and `Z` name the same instants."""
    hours = {"Z": 0.0, "+00:00": 0.0, "+05:30": 5.5, "-11:00": -11.0}[zone]
    with world_of(Run("a", 2_000, 1), Run("b", 1_000, 1)) as mock:
        local_ns = mock.world.now_ns + int((hours * HOUR_MS - 1_500) * MILLISECOND)
        assert ids(listed(mock, {"startTime": format_instant(local_ns, digits=3, zone=zone)})) == [
            "b"
        ]


def test_only_an_end_time_leaves_the_start_where_it_is() -> None:
    """The window is then [now - 24 h, endTime): empty when that lies further back."""
    with world_of(Run("day", DAY_MS - 1), Run("week", 7 * DAY_MS), Run("now", 1_000, 1)) as mock:
        assert ids(listed(mock, {"endTime": at(mock, ago_ms=2_000)})) == ["day"]
        assert ids(listed(mock, {"endTime": at(mock, ago_ms=6 * DAY_MS)})) == []


def test_a_window_of_nothing_is_empty_and_a_reversed_one_refused() -> None:
    """An empty page for equal times, InvalidExecutionFilter for startTime after endTime."""
    with world_of(Run("a", 1_000, 1)) as mock:
        instant, later = at(mock, ago_ms=1_000), at(mock, ago_ms=999)
        assert listed(mock, {"startTime": instant, "endTime": instant}) == []
        reversed_window = send(mock, {"startTime": later, "endTime": instant})
    body = refused(reversed_window, 400, "InvalidExecutionFilter")
    assert "startTime is after endTime" in body["errorDescription"]


def test_null_counts_as_absent() -> None:
    """The vendor's SDKs may send null for what is not set."""
    nothing = dict.fromkeys(("startTime", "endTime", "where", "pageSize", "pageToken"))
    with world_of(Run("a"), Run("b")) as mock:
        assert ids(listed(mock, nothing)) == ["a", "b"]


def test_unknown_body_fields_are_ignored() -> None:
    """Such as `filter`, the name of an earlier revision; `--strict` refuses them."""
    with world_of(Run("a"), strict=False) as mock:
        assert ids(listed(mock, {"filter": {"type": "nonsense"}})) == ["a"]


def test_nothing_to_list_is_an_empty_page() -> None:
    """`data` is always there, and no token."""
    with serve("foundry", scenario="empty") as mock:
        assert send(mock).json() == {"data": []}


def test_a_list_holds_the_executions_of_its_resource_only() -> None:
    """Another resource's executions are not among them."""
    with serve("foundry") as mock:
        for resource in (RESOURCE, OTHER_RESOURCE):
            found = listed(mock, resource=resource)
            assert found
            assert {item["resourceRid"] for item in found} == {resource}


def test_executions_are_purged_after_30_days() -> None:
    """Row `list`: whatever window is asked for."""
    with world_of(Run("old", 29 * DAY_MS), Run("new", 1_000, 1)) as mock:
        window = {"startTime": at(mock, ago_ms=60 * DAY_MS)}
        assert ids(listed(mock, window)) == ["new", "old"]
        mock.advance("23h")
        assert ids(listed(mock, window)) == ["new", "old"]
        mock.advance("61m")
        assert ids(listed(mock, window)) == ["new"]


def test_executions_arrive_by_themselves() -> None:
    """Row `executions appear`: a seeded arrival process for each resource."""
    with world_of(arrivals=(arrival("10m"),)) as mock:
        assert listed(mock) == []
        mock.advance("10h")
        first = listed(mock)
        assert 30 <= len(first) <= 90
        assert listed(mock, resource=OTHER_RESOURCE) == []
    with world_of(arrivals=(arrival("10m"),)) as again:
        again.advance("10h")
        assert listed(again) == first


def test_arrivals_live_by_the_resource_s_profile() -> None:
    """A run that arrives is hidden while it runs."""
    slow = {"slow": {"running": "30m"}}
    with world_of(arrivals=(arrival("1m"),), profiles=slow) as mock:
        mock.advance("29m")
        assert listed(mock) == []
        mock.advance("31m")
        assert {tuple(item["duration"].items()) for item in listed(mock)} == {
            (("unit", "SECONDS"), ("value", 1800))
        }


@pytest.mark.parametrize("scenario", ["default", "empty"])
def test_executions_are_added_by_the_control_api(scenario: str) -> None:
    """Row `executions appear`: of the resource it names, listed once they have run."""
    body = {"api": "foundry", "data": {"resource": OTHER_RESOURCE}}
    with serve("foundry", scenario=scenario) as mock:
        added = mock.post("/_mockexec/executions", json=body)
        assert added.status_code == 201, added.text
        assert added.json()["id"] not in ids(listed(mock, resource=OTHER_RESOURCE))
        mock.advance("10s")
        assert added.json()["id"] in ids(listed(mock, resource=OTHER_RESOURCE))
        unknown = {"api": "foundry", "data": {"resource": "ri.a.b.c.d"}}
        assert mock.post("/_mockexec/executions", json=unknown).status_code == 409
