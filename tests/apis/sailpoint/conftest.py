"""One fresh mock for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import Served, serve


@pytest.fixture
def mock() -> Iterator[Served]:
    """The default scenario, strict, with a frozen clock."""
    with serve("sailpoint") as served:
        yield served
