"""The control API against its own document: all checks and phases."""

from __future__ import annotations

import pytest

from tests.fuzz.fuzzing import fuzz, report

pytestmark = pytest.mark.fuzz


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_control_api_keeps_to_its_document(seed: int) -> None:
    """No finding, no server error, and every link that the document declares is followed."""
    result = fuzz("_mockexec", seed=seed, examples_max=40)
    told = report(result)
    links = {k: n for row in result.coverage.operations.values() for k, n in row.links.items()}
    assert not result.groups, told
    assert not result.troubles, told
    assert not any(
        status >= 500 for row in result.coverage.operations.values() for status in row.statuses
    ), told
    assert len(links) == 12
    assert all(links.values()), told
