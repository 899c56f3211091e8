"""One server for all; each test has a session of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.wire import Server, Wired, served


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """All APIs."""
    with served() as running:
        yield running


@pytest.fixture
def wired(server: Server) -> Iterator[Wired]:
    """A private world."""
    with server.session() as session:
        yield session
