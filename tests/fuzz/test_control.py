"""The control API against its own document: all checks and phases."""

from __future__ import annotations

import pytest

from tests.fuzz.fuzzing import fuzz, report

pytestmark = pytest.mark.fuzz


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_control_api_keeps_to_its_document(seed: int) -> None:
    """No finding, no server error, and what was created is followed by every link of its own.

    The links of what is read come third in a row, which is left to luck; all of them are followed in
    ``tests/server/test_control_links.py``.
    """
    result = fuzz("_mockexec", seed=seed, examples_max=100)
    told = report(result)
    links = {
        link: count
        for operation, row in result.coverage.operations.items()
        if operation.startswith("create")
        for link, count in row.links.items()
    }
    assert not result.groups, told
    assert not result.troubles, told
    assert not any(
        status >= 500 for row in result.coverage.operations.values() for status in row.statuses
    ), told
    assert len(links) == 8
    assert all(links.values()), told
