"""The control API against its own document: all phases, all checks."""

from __future__ import annotations

import pytest

from mockexec import catalog
from tests.fuzz.runner import fuzz_control

pytestmark = [
    pytest.mark.fuzz,
    # In-process calls go through starlette's client, which warns of its own future.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_control_api_keeps_to_its_document(seed: int) -> None:
    """No finding and no server error, on a mock of one API."""
    outcome = fuzz_control(catalog.api("polos"), seed=seed, examples_max=40)
    report = outcome.report()
    assert not outcome.findings, report
    assert not outcome.errors, report
    assert not outcome.server_errors, report
