"""How fast ``verify`` tests a mock in its own process, and with how many requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockexec.door.verifying import VerifyOptions, planned
from mockexec.verify.events import Finished
from mockexec.verify.run import run

Benchmark = Callable[..., Any]


def _run(options: VerifyOptions) -> Finished:
    with planned("sailpoint", options) as plan:
        *_, last = run(plan)
    assert isinstance(last, Finished)
    assert last.ended == "done"
    return last


@pytest.mark.parametrize(
    "options",
    [
        VerifyOptions(phases=("checks",)),
        VerifyOptions(phases=("coverage",)),
        VerifyOptions(phases=("fuzzing",), examples_max=10),
    ],
    ids=["checks", "coverage", "fuzzing"],
)
def test_verify(benchmark: Any, options: VerifyOptions) -> None:
    """One phase of a run over the SailPoint mock."""
    _run(options)  # what is imported and compiled at first does not count
    ended = benchmark.pedantic(_run, args=(options,), rounds=3)
    if benchmark.enabled:
        benchmark.extra_info["requests"] = ended.requests
        benchmark.extra_info["requests per second"] = round(ended.requests / benchmark.stats["min"])
