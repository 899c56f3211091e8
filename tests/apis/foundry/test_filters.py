"""The filter: which field takes which operator, and what each selects."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apis.foundry.support import (
    CALLER,
    OTHER_USER,
    RESOURCE,
    USER,
    Run,
    expected,
    ids,
    listed,
    refused,
    selects,
    send,
    world_of,
)

MONITOR = "ri.object-sentinel.main.monitor.f7c14421-54f4-4e9f-b6f2-1971b79d612b"
RUNS = [
    Run("a", 1_000, 500, user=USER, caller=CALLER, version="1.2.0"),
    Run("b", 2_000, 1_500, "FAILED", "timeout", "1.1.0", CALLER, OTHER_USER),
    Run("c", 3_000, 2_000, "FAILED", "invalid_parameter", "1.2.0", trace_owner=MONITOR),
    Run("d", 4_000, 0, "FAILED", version="1.2.0", user=USER, trace_owner=MONITOR),
    Run("e", 200_000, 120_000, caller=MONITOR),
]
TEXT_VALUES = {
    "userId": [USER, OTHER_USER, "00000000-0000-4000-8000-000000000000"],
    "callerRid": [CALLER, MONITOR, "nobody"],
    "resourceVersion": ["1.2.0", "1.1.0", "9"],
    "failureReason": ["timeout", "invalid_parameter", ""],
    "foundryTraceId": ["a", "c", "z"],
    "traceOwningRid": [RESOURCE, MONITOR],
    "status": ["SUCCEEDED", "FAILED"],
}
UNITS = ["MILLISECONDS", "SECONDS", "MINUTES", "HOURS"]


def matching(where: dict[str, Any]) -> list[str]:
    """The runs that the served list selects."""
    with world_of(*RUNS) as mock:
        return ids(listed(mock, {"where": where}))


def of(kind: str, field: str, value: Any = None) -> dict[str, Any]:
    """A filter on one field."""
    where = {"type": kind, "field": field}
    return where if value is None else {**where, "value": value}


def bound(kind: str, count: Any, unit: str = "MILLISECONDS") -> dict[str, Any]:
    """A filter on the duration."""
    return of(kind, "duration", {"value": count, "unit": unit})


ALLOWED = [
    *(of("eq", field, values[0]) for field, values in TEXT_VALUES.items()),
    *(of("in", field, values[:2]) for field, values in TEXT_VALUES.items()),
    of("isNull", "userId"),
    of("isNull", "callerRid"),
    *(bound(kind, count, unit) for kind in ("gte", "lte") for count, unit in (
        (500, "MILLISECONDS"), (2, "SECONDS"), (2, "MINUTES"), (1, "HOURS"), (0, "SECONDS"),
    )),
    {"type": "and", "filters": [of("eq", "status", "FAILED"), bound("gte", 1, "SECONDS")]},
    {"type": "or", "filters": [of("eq", "resourceVersion", "1.1.0"), of("isNull", "userId")]},
    {"type": "not", "filter": of("isNull", "callerRid")},
    # A filter that fixes the status narrows what is looked at, which its neighbours may widen.
    {"type": "or", "filters": [of("eq", "status", "FAILED"), of("isNull", "userId")]},
    {"type": "or", "filters": [of("isNull", "userId"), of("eq", "status", "FAILED")]},
    {"type": "and", "filters": [of("eq", "status", "SUCCEEDED"), of("eq", "status", "FAILED")]},
    {"type": "not", "filter": of("eq", "status", "FAILED")},
    {"type": "not", "filter": {"type": "not", "filter": of("eq", "status", "FAILED")}},
]  # fmt: skip


@pytest.mark.parametrize("where", ALLOWED, ids=str)
def test_every_allowed_combination_selects_what_it_says(where: dict[str, Any]) -> None:
    """Row `where`: the whole union, every field with every operator of the table."""
    wanted = [run.id for run in RUNS if selects(where, run)]
    assert matching(where) == wanted
    assert wanted != [run.id for run in RUNS] or where["type"] in {"gte", "lte", "in"}


DURATION = {"value": 1, "unit": "SECONDS"}
REFUSED = [
    # Fields with operators that are not theirs.
    *((of(kind, "duration", DURATION), "/field") for kind in ("eq", "in", "isNull")),
    *((of(kind, field, DURATION), "/field") for kind in ("gte", "lte") for field in TEXT_VALUES),
    *((of("isNull", field), "/field") for field in sorted(TEXT_VALUES.keys() - {"userId", "callerRid"})),
    # Unknown words.
    (of("eq", "state", "FAILED"), "/field"),
    (of("eq", "startTime", "2026-01-01T00:00:00Z"), "/field"),
    (of("like", "status", "FAILED"), "/type"),
    (of("EQ", "status", "FAILED"), "/type"),
    ({"type": 1}, "/type"),
    ({"type": ["eq"]}, "/type"),
    (of("eq", "status", "RUNNING"), "/value"),
    (of("eq", "status", "succeeded"), "/value"),
    (of("in", "status", ["FAILED", "CANCELLED"]), "/value/1"),
    (of("eq", "userId", "somebody"), "/value"),
    (of("in", "userId", [USER, ""]), "/value/1"),
    # What is missing.
    ({}, "/type"),
    ({"field": "status", "value": "FAILED"}, "/type"),
    ({"type": "eq", "value": "FAILED"}, "/field"),
    (of("eq", "status"), "/value"),
    (of("in", "status"), "/value"),
    (of("gte", "duration"), "/value"),
    ({"type": "isNull"}, "/field"),
    ({"type": "and"}, "/filters"),
    ({"type": "or", "filters": []}, "/filters"),
    ({"type": "and", "filters": []}, "/filters"),
    (of("in", "status", []), "/value"),
    ({"type": "not"}, "/filter"),
    # The wrong JSON type.
    (of("eq", "callerRid", 5), "/value"),
    ({"type": "eq", "field": "callerRid", "value": None}, "/value"),
    (of("in", "callerRid", "abc"), "/value"),
    (of("in", "callerRid", [None]), "/value/0"),
    ({"type": "and", "filters": {}}, "/filters"),
    ({"type": "not", "filter": [of("isNull", "userId")]}, "/filter"),
    (of("gte", "duration", 500), "/value"),
    ("status = FAILED", ""),
    ([], ""),
    # Durations.
    (bound("gte", -1), "/value/value"),
    (bound("lte", 1.5), "/value/value"),
    (bound("lte", "1"), "/value/value"),
    (bound("lte", True), "/value/value"),
    (bound("lte", 2**31), "/value/value"),
    *((bound("gte", 1, unit), "/value/unit") for unit in ("DAYS", "WEEKS", "MONTHS", "YEARS", "s")),
    (of("gte", "duration", {"value": 1}), "/value/unit"),
    (of("gte", "duration", {"unit": "HOURS"}), "/value/value"),
    # Deep inside.
    ({"type": "not", "filter": {"type": "or", "filters": [of("isNull", "userId"), {}]}},
     "/filter/filters/1/type"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "place"), REFUSED, ids=str)
def test_everything_else_is_refused_where_it_stands(where: Any, place: str) -> None:
    """Row `where`: what the operator table does not allow → 400 InvalidExecutionFilter."""
    with world_of(*RUNS) as mock:
        body = refused(send(mock, {"where": where}), 400, "InvalidExecutionFilter")
    assert body["parameters"] == {}
    assert f" /where{place} " in body["errorDescription"]


@pytest.mark.parametrize("kind", ["and", "or", "not"])
def test_filters_nest_50_levels_and_no_more(kind: str) -> None:
    """Row `where`: any nesting up to 50 levels."""

    def nested(levels: int) -> dict[str, Any]:
        where = of("in", "status", ["FAILED"])
        for _ in range(levels - 1):
            where = (
                {"type": kind, "filter": where}
                if kind == "not"
                else {"type": kind, "filters": [where]}
            )
        return where

    # Forty-nine negations of it are one.
    wanted = ["a", "e"] if kind == "not" else ["b", "c", "d"]
    with world_of(*RUNS) as mock:
        assert ids(listed(mock, {"where": nested(50)})) == wanted
        body = refused(send(mock, {"where": nested(51)}), 400, "InvalidExecutionFilter")
    assert "more than 50 levels" in body["errorDescription"]


def test_a_condition_is_made_of_at_most_250_filters() -> None:
    """However they nest, so that no request keeps the mock busy for long."""
    leaf = of("isNull", "userId")
    with world_of(*RUNS) as mock:
        fits = {"type": "or", "filters": [leaf] * 249}
        assert ids(listed(mock, {"where": fits})) == ["c", "e"]
        two_lists = {"type": "or", "filters": [leaf] * 124}
        wide = {"type": "or", "filters": [two_lists, two_lists]}
        body = refused(send(mock, {"where": wide}), 400, "InvalidExecutionFilter")
        assert "one filter more than 250" in body["errorDescription"]
        refused(
            send(mock, {"where": {"type": "or", "filters": [leaf] * 250}}),
            400,
            "InvalidExecutionFilter",
        )


def test_durations_are_compared_across_units() -> None:
    """Everything is milliseconds in the end; both bounds are inclusive."""
    assert matching(bound("gte", 1_500)) == ["b", "c", "e"]
    assert matching(bound("gte", 2, "SECONDS")) == ["c", "e"]
    assert matching(bound("lte", 2, "SECONDS")) == ["a", "b", "c", "d"]
    assert matching(bound("gte", 2, "MINUTES")) == ["e"]
    assert matching(bound("lte", 0, "HOURS")) == ["d"]
    long = [Run("minute", 9_000_000, 60_000), Run("hour", 9_000_001, 3_600_000)]
    with world_of(*long) as mock:
        for unit, wanted in (("MINUTES", ["minute", "hour"]), ("HOURS", ["hour"])):
            assert ids(listed(mock, {"where": bound("gte", 1, unit)})) == wanted


def test_an_absent_field_equals_nothing() -> None:
    """So that `not` selects those without it, too."""
    calls = of("eq", "callerRid", CALLER)
    assert matching(calls) == ["a", "b"]
    assert matching({"type": "not", "filter": calls}) == ["c", "d", "e"]
    assert matching(of("in", "failureReason", ["timeout", ""])) == ["b"]


def test_the_user_is_filtered_by_and_never_shown() -> None:
    """Row `execution`: `userId` filterable and not shown; a UUID is the same in any case."""
    with world_of(*RUNS) as mock:
        found = listed(mock, {"where": of("eq", "userId", USER.upper())})
    assert ids(found) == ["a", "d"]
    assert USER not in str(found)


def test_whole_numbers_may_be_written_with_a_point() -> None:
    """JSON does not tell 2.0 from 2."""
    assert matching(bound("gte", 2.0, "SECONDS")) == ["c", "e"]


def test_unknown_keys_of_a_filter_are_ignored() -> None:
    """As everywhere in a body."""
    assert matching({**of("isNull", "userId"), "value": 7, "comment": "?"}) == ["c", "e"]


def text_leaf(field: str) -> st.SearchStrategy[dict[str, Any]]:
    """A filter on a text field."""
    values = st.sampled_from(TEXT_VALUES[field])
    return st.one_of(
        st.builds(of, st.just("eq"), st.just(field), values),
        st.builds(of, st.just("in"), st.just(field), st.lists(values, min_size=1, max_size=3)),
    )


leaves = st.one_of(
    st.sampled_from([*TEXT_VALUES]).flatmap(text_leaf),
    st.builds(of, st.just("isNull"), st.sampled_from(["userId", "callerRid"])),
    st.builds(
        bound, st.sampled_from(["gte", "lte"]), st.integers(0, 2_500), st.sampled_from(UNITS)
    ),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(["and", "or"]),
                "filters": st.lists(inner, min_size=1, max_size=4),
            }
        ),
        st.fixed_dictionaries({"type": st.just("not"), "filter": inner}),
    ),
    max_leaves=12,
)
runs = st.lists(
    st.builds(
        Run,
        id=st.uuids().map(str),
        ago_ms=st.integers(1, 100_000),
        ran_ms=st.integers(0, 3_000),
        status=st.sampled_from(TEXT_VALUES["status"]),
        reason=st.sampled_from(["timeout", "invalid_parameter", None]),
        version=st.sampled_from(TEXT_VALUES["resourceVersion"]),
        caller=st.sampled_from([CALLER, MONITOR, None]),
        user=st.sampled_from([USER, OTHER_USER, None]),
        trace_owner=st.sampled_from(TEXT_VALUES["traceOwningRid"]),
    ),
    unique_by=lambda run: run.id,
    max_size=12,
)


@given(told=runs, wheres=st.lists(filters, min_size=1, max_size=8))
def test_filters_select_what_the_model_selects(
    told: list[Run], wheres: list[dict[str, Any]]
) -> None:
    """Any filter over any executions: the same as the plain predicate, in the same order."""
    with world_of(*told) as mock:
        now_ms = mock.world.now_ns // 1_000_000
        for where in wheres:
            wanted = expected(told, start_ms=now_ms, now_ms=now_ms, where=where)
            assert ids(listed(mock, {"where": where})) == wanted
