"""Snapshots of worlds whose dialects have records of their own; numbers in control bodies."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from mockexec.simulation.snapshot import BadSnapshot, Codec
from tests.support import serve


class Window(NamedTuple):
    """One dialect's."""

    start_ns: int
    requests: int


WindowOfAnother = NamedTuple("Window", [("name", str), ("rows", tuple[int, ...])])  # type: ignore[name-match]  # noqa: UP014  # that it has the same name is the point


def test_two_dialects_may_have_records_of_one_name() -> None:
    """Each comes back as what it was."""
    codec = Codec({"one": [Window], "other": [WindowOfAnother]})
    for value in (Window(1, 2), WindowOfAnother("a", (1, 2)), (Window(3, 4), "x")):
        again = codec.decode(json.loads(json.dumps(codec.encode(value))))
        assert again == value
        assert type(again) is type(value)
    with pytest.raises(BadSnapshot, match=r"one\.Door"):
        codec.decode({"~": ["one.Door", []]})


def test_one_dialect_may_not() -> None:
    """It is told at once, not when a snapshot comes back wrong."""
    with pytest.raises(ValueError, match=r"one\.Window"):
        Codec({"one": [Window, WindowOfAnother]})


def test_a_whole_number_is_one_however_it_is_written() -> None:
    """To JSON 2.0 and 2 are the same; so they are as a seed, and in a fault."""
    with serve("thand", scenario="busy") as mock:
        seen = []
        for seed in ("2.0", "2", "20e-1"):
            headers = {"content-type": "application/json"}
            reset = mock.post("/_mockexec/reset", content=f'{{"seed": {seed}}}', headers=headers)
            begun = mock.post(
                "/_mockexec/sessions", content=f'{{"name": "a", "seed": {seed}}}', headers=headers
            )
            created = mock.post("/@a/_mockexec/executions", json={"api": "thand"})
            seen.append((reset.content, begun.content, created.content))
        assert seen[0] == seen[1] == seen[2]
        assert b'"seed":2,' in seen[0][0]
    with serve("thand", seed=2, scenario="busy") as other, serve("thand", scenario="busy") as mock:
        mock.post("/_mockexec/reset", json={"seed": 2.0})
        listed = [one.get("/_mockexec/executions?limit=1000").content for one in (mock, other)]
        assert listed[0] == listed[1]


def test_a_whole_number_in_a_fault() -> None:
    """It is taken as its schema says, and strikes as it should."""
    with serve("thand") as mock:
        body = {"kind": "status", "status": 503.0, "retry_after": 4.0, "when": {"nth": 2.0}}
        armed = mock.post("/_mockexec/faults", json=body)
        assert armed.status_code == 201, armed.text
        assert b'"status":503,"retry_after":4,"when":{"nth":2}' in armed.content
        path = "/thand/api/v1/executions"
        assert [mock.get(path).status_code for _ in range(3)] == [200, 503, 200]
        refused = mock.post("/_mockexec/faults", json={"kind": "status", "status": 503.5})
        assert refused.status_code == 400
