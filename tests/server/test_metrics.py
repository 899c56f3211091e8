"""Metrics in Prometheus's text format."""

from __future__ import annotations

import re

from tests.support import Served, serve

SAMPLE = re.compile(r'(mockexec_\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)')
LIST = "/thand/api/v1/executions"


def samples(mock: Served, prefix: str = "") -> dict[str, float]:
    """Every sample by its name and labels; each line must be one or a comment."""
    answer = mock.get(f"{prefix}/_mockexec/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {}
    for line in answer.text.splitlines():
        if line.startswith("# "):
            assert line.split()[1] in {"HELP", "TYPE"}
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        found[f"{match[1]}{{{match[2] or ''}}}"] = float(match[3])
    return found


def test_requests_are_counted_by_operation_and_class() -> None:
    """Struck ones as the client sees them."""
    with serve("thand") as mock:
        for _ in range(3):
            mock.get(LIST)
        mock.get("/thand/nowhere")
        mock.post("/_mockexec/faults", json={"kind": "disconnect", "when": {"times": 1}})
        mock.get(LIST)
        found = samples(mock)
        key = 'mockexec_requests_total{{api="thand",operation="{}",status="{}"}}'
        assert found[key.format("listExecutions", "2xx")] == 3
        assert found[key.format("listExecutions", "none")] == 1
        assert found[key.format("", "4xx")] == 1
        assert found['mockexec_faults_struck_total{api="thand",kind="disconnect"}'] == 1
        assert found["mockexec_journal_exchanges{}"] == 5
        assert found["mockexec_faults_armed{}"] == 1


def test_durations_are_a_histogram() -> None:
    """Its buckets only grow, and the last holds all."""
    with serve("thand") as mock:
        for _ in range(5):
            mock.get(LIST)
        found = samples(mock)
        buckets = [
            value for name, value in found.items()
            if name.startswith('mockexec_request_duration_seconds_bucket{api="thand"')
        ]  # fmt: skip
        assert buckets == sorted(buckets)
        assert buckets[-1] == 5 == found['mockexec_request_duration_seconds_count{api="thand"}']
        assert found['mockexec_request_duration_seconds_sum{api="thand"}'] > 0


def test_sizes_are_of_the_callers_world() -> None:
    """Sessions are of the server."""
    with serve("thand") as mock:
        mock.post("/_mockexec/sessions", json={"name": "s", "scenario": "empty"})
        base, session = samples(mock), samples(mock, "/@s")
        name = 'mockexec_executions{api="thand"}'
        assert (base["mockexec_sessions{}"], session["mockexec_sessions{}"]) == (1, 1)
        assert base[name] > session[name] == 0
