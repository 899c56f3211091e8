"""Every API against its own document: all phases, all checks, several seeds."""

from __future__ import annotations

import pytest

from mockexec import catalog
from tests.fuzz.runner import fuzz

pytestmark = [
    pytest.mark.fuzz,
    # In-process calls go through starlette's client, which warns of its own future.
    pytest.mark.filterwarnings("ignore"),
]

CASES_MIN = 2_000
# Enough for CASES_MIN on the smallest document.
EXAMPLES_MAX = 220


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("api", catalog.names())
def test_an_api_keeps_to_its_document(api: str, seed: int) -> None:
    """No finding, no server error, and every link that the document declares is followed."""
    outcome = fuzz(api, seed=seed, examples_max=EXAMPLES_MAX)
    report = outcome.report()
    assert not outcome.findings, report
    assert not outcome.errors, report
    assert not outcome.server_errors, report
    assert not outcome.links_missed, report
    assert outcome.cases_total >= CASES_MIN, report
