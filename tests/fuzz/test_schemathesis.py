"""Every API against its own document: all checks and phases, several seeds."""

from __future__ import annotations

import os

import pytest

from mockexec import catalog
from mockexec.verify.schemathesis_engine import ENGINE_PHASES
from tests.fuzz.fuzzing import fuzz, report

pytestmark = pytest.mark.fuzz

CASES_MIN = 2_000
# Of each operation; enough for CASES_MIN on the smallest document.
EXAMPLES_MAX = int(os.environ.get("MOCKEXEC_FUZZ_EXAMPLES", "220"))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("api", catalog.names())
def test_an_api_keeps_to_its_document(api: str, seed: int) -> None:
    """No finding, no server error, and every link that the document declares is followed."""
    result = fuzz(api, seed=seed, examples_max=EXAMPLES_MAX)
    told = report(result)
    links = {k: n for row in result.coverage.operations.values() for k, n in row.links.items()}
    assert not result.groups, told
    assert not result.troubles, told
    assert not any(
        status >= 500 for row in result.coverage.operations.values() for status in row.statuses
    ), told
    assert all(links.values()), told
    assert sum(result.phases[phase] for phase in ENGINE_PHASES) >= CASES_MIN, told
