"""Snapshots over the control API: going back, and carrying a world elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockexec import catalog
from tests.support import Served, serve

NUMBERS = st.lists(st.integers(0, 60), max_size=15)
APIS = catalog.built_in_names()


def play(mock: Served, numbers: Iterable[int]) -> list[tuple[int, bytes]]:
    """Requests by number: the examples of every operation, and now and then a turn of the clock."""
    examples = [
        operation["example"]
        for api in mock.get("/_mockexec/apis").json()
        for operation in api["operations"]
    ]
    seen = []
    for number in numbers:
        if number % 5 == 4:
            mock.advance(f"{number}s")
            continue
        example = examples[number % len(examples)]
        answer = mock.request(
            example["method"],
            example["url"].removeprefix("http://mock.test"),
            headers={"authorization": None, **example["headers"]},
            content=example["body"],
        )
        seen.append((answer.status_code, answer.content))
    return seen


def take(mock: Served, **body: Any) -> str:
    """Takes a snapshot; returns its id."""
    answer = mock.post("/_mockexec/snapshots", json=body)
    assert answer.status_code == 201, answer.text
    snapshot_id: str = answer.json()["id"]
    return snapshot_id


def restore(mock: Served, snapshot: str) -> None:
    """Goes back to it."""
    answer = mock.post(f"/_mockexec/snapshots/{snapshot}/restore")
    assert answer.status_code == 200, answer.text


FAULTS = (
    {"kind": "status", "when": {"every": 3}},
    {"kind": "stale_read", "when": {"probability": 0.3}},
    {"kind": "duplicate_page", "when": {"every": 4}},
    {"kind": "latency", "delay": "1s", "to": "20s", "turns_clock": True, "when": {"every": 2}},
)


@pytest.mark.parametrize("api", APIS)
def test_the_same_requests_give_the_same_bytes_from_a_snapshot(api: str) -> None:
    """Restored here, and imported into another mock: state, clock, chance and faults."""
    before, after = range(0, 33, 3), [number * 7 % 61 for number in range(40)]
    with (
        serve(api, scenario="busy", strict=False) as mock,
        serve(api, strict=False, seed=99) as other,
    ):
        play(mock, before)
        for fault in FAULTS:
            assert mock.post("/_mockexec/faults", json=fault).status_code == 201
        play(mock, before)
        snapshot = take(mock)
        export = mock.get(f"/_mockexec/snapshots/{snapshot}").json()
        expected = play(mock, after)
        restore(mock, snapshot)
        assert play(mock, after) == expected
        restore(other, take(other, **{"import": export}))
        again = other.get(f"/_mockexec/snapshots/{take(other)}").json()
        assert {**again, "id": snapshot} == export
        assert play(other, after) == expected
        assert len({content for _, content in expected}) > 5


@settings(max_examples=10)
@given(before=NUMBERS, after=NUMBERS)
def test_whatever_was_done_a_restored_world_goes_on_the_same(
    before: list[int], after: list[int]
) -> None:
    """Any requests before, any after."""
    with serve("polos", scenario="empty", strict=False) as mock:
        play(mock, before)
        snapshot = take(mock)
        expected = play(mock, after)
        restore(mock, snapshot)
        assert play(mock, after) == expected


def test_snapshots_are_listed_restored_and_deleted() -> None:
    """With names and the clock; the journal goes on over a restoration."""
    with serve("thand") as mock:
        first, second = take(mock, name="start"), take(mock)
        assert mock.get("/_mockexec/snapshots").json() == [
            {"id": first, "name": "start", "taken": "2026-01-01T12:00:00.000000000Z"},
            {"id": second, "name": "", "taken": "2026-01-01T12:00:00.000000000Z"},
        ]
        mock.get("/thand/api/v1/executions")
        mock.advance("1h")
        restore(mock, first)
        assert mock.get("/_mockexec/clock").json()["now"] == "2026-01-01T12:00:00.000000000Z"
        assert len(mock.get("/_mockexec/journal").json()) == 1
        assert mock.request("DELETE", f"/_mockexec/snapshots/{first}").status_code == 204
        assert mock.post(f"/_mockexec/snapshots/{first}/restore").status_code == 404
        assert [one["id"] for one in mock.get("/_mockexec/snapshots").json()] == [second]


def test_a_clock_that_runs_goes_on_from_the_snapshot() -> None:
    """Not from the machine's time: what was due later is due later again."""
    with serve("thand", clock="real") as mock:
        snapshot = take(mock)
        (taken,) = [one["taken"] for one in mock.get("/_mockexec/snapshots").json()]
        mock.advance("10h")
        restore(mock, snapshot)
        clock = mock.get("/_mockexec/clock").json()
        assert clock["mode"] == "real"
        assert taken <= clock["now"] < taken[:10] + "T99"
        hours = (mock.world.clock.now_ns() - mock.mock.base.snapshots[snapshot].taken_ns) / 3.6e12
        assert 0 <= hours < 1


def test_a_snapshot_is_its_sessions_own() -> None:
    """Others neither see nor restore it, and it ends with the session."""
    with serve("thand") as mock:
        mine = mock.post("/@mine/_mockexec/snapshots").json()["id"]
        assert mock.get("/_mockexec/snapshots").json() == []
        assert mock.post(f"/@other/_mockexec/snapshots/{mine}/restore").status_code == 404
        assert mock.post(f"/@mine/_mockexec/snapshots/{mine}/restore").status_code == 200
        mock.request("DELETE", "/_mockexec/sessions/mine")
        assert mock.get("/@mine/_mockexec/snapshots").json() == []


def test_snapshots_are_bounded() -> None:
    """429 for one too many; none is thrown away."""
    with serve("thand") as mock:
        for _ in range(100):
            take(mock)
        assert mock.post("/_mockexec/snapshots").status_code == 429
        assert len(mock.get("/_mockexec/snapshots").json()) == 100


def export_of(mock: Served) -> dict[str, Any]:
    """A world with everything in it."""
    for fault in FAULTS:
        mock.post("/_mockexec/faults", json=fault)
    play(mock, [0, 1, 2, 3])
    data: dict[str, Any] = mock.get(f"/_mockexec/snapshots/{take(mock)}").json()
    return data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(format=2), "format"),
        (lambda d: d.pop("realms"), "realms"),
        (lambda d: d["realms"].pop("thand"), "other APIs"),
        (lambda d: d["clock"].update(mode="back"), "clock"),
        (lambda d: d["clock"].update(scale=7), "clock"),
        (lambda d: d["clock"].update(now_ns=-1), "clock"),
        (lambda d: d["chance"].pop("seed"), "malformed"),
        (lambda d: d["realms"]["thand"]["executions"][0].__setitem__(2, "dancing"), "state"),
        (lambda d: d["realms"]["thand"]["executions"].append([1]), "malformed"),
        (lambda d: d["timetable"].append([1, 2, {"~": ["Nobody", []]}]), "Nobody"),
        (lambda d: d["timetable"].append([1, 2, {"~": ["Timer", ["zzz", "", 0]]}]), "malformed"),
        (lambda d: d["faults"]["armed"][0]["body"].update(kind="none"), "none"),
        (lambda d: d["faults"]["armed"][0].update(counts=[1]), "malformed"),
    ],
)
def test_an_import_that_is_no_snapshot_is_refused(change: Any, words: str) -> None:
    """400 with the reason, and the world stays as it is."""
    with serve("thand") as mock:
        export = export_of(mock)
        change(export)
        refused = mock.post("/_mockexec/snapshots", json={"import": export})
        assert refused.status_code == 400, refused.text
        assert words in refused.json()["message"]
        assert len(mock.get("/_mockexec/snapshots").json()) == 1


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = (
        value.items() if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    )  # fmt: skip
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def test_a_spoilt_export_is_refused_or_taken_never_fatal() -> None:
    """Any one value replaced by another: importing and restoring answer, without a server error."""
    with serve("thand", scenario="empty", strict=False) as mock:
        mock.post("/_mockexec/executions", json={"api": "thand"})
        whole = export_of(mock)
        everywhere = st.sampled_from(places(whole)[1:])
        anything: st.SearchStrategy[Any] = st.sampled_from(
            [None, -1, 0.5, "x", [], {}, True, 1 << 53]
        )

        @given(place=everywhere, value=anything)
        def check(place: tuple[Any, ...], value: Any) -> None:
            export = copy.deepcopy(whole)
            target = export
            for key in place[:-1]:
                target = target[key]
            target[place[-1]] = value
            answer = mock.post("/_mockexec/snapshots", json={"import": export})
            assert answer.status_code in {201, 400, 404}, (place, value, answer.text)
            if answer.status_code == 201:
                path = f"/_mockexec/snapshots/{answer.json()['id']}"
                assert mock.post(f"{path}/restore").status_code == 200
                mock.request("DELETE", path)

        check()


def test_an_export_does_not_hold_earlier_exports() -> None:
    """While a fault is armed answers are kept to be delivered again; exports are not among them."""
    with serve("polos", scenario="empty", strict=False) as mock:
        armed = mock.post("/_mockexec/faults", json={"kind": "duplicate_page"})
        assert armed.status_code == 201
        sizes = {len(mock.get(f"/_mockexec/snapshots/{take(mock)}").content) for _ in range(5)}
    assert max(sizes) - min(sizes) < 100
