"""The control API against its own document: all checks and phases."""

from __future__ import annotations

import pytest

from tests.fuzz.fuzzing import fuzz, report

pytestmark = pytest.mark.fuzz


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_control_api_keeps_to_its_document(seed: int) -> None:
    """No finding and no server error, on a mock of one API."""
    result = fuzz("_mockexec", seed=seed, examples_max=40)
    told = report(result)
    assert not result.groups, told
    assert not result.troubles, told
    assert not any(
        status >= 500 for row in result.coverage.operations.values() for status in row.statuses
    ), told
