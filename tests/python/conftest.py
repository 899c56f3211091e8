"""A mock seen from Python, reached in each of the three ways there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import mockexec


@contextmanager
def served(way: str) -> Iterator[mockexec.LiveMock]:
    """Two APIs, strict and frozen."""
    apis, options = ("sailpoint", "thand"), {"clock": "frozen", "seed": 7}
    if way == "in process":
        with mockexec.in_process(*apis, **options, strict=True) as mock:  # type: ignore[arg-type]  # a table of options
            yield mock
        return
    with mockexec.serve(*apis, **options, strict=True) as own:  # type: ignore[arg-type]  # as above
        if way == "in a thread":
            yield own
            return
        with mockexec.connect(own.url) as other:
            yield other


@pytest.fixture(scope="module", params=["in a thread", "in process", "elsewhere"])
def base(request: pytest.FixtureRequest) -> Iterator[mockexec.LiveMock]:
    """The base world, which tests leave alone."""
    with served(request.param) as mock:
        yield mock


@pytest.fixture
def mock(base: mockexec.LiveMock) -> Iterator[mockexec.LiveMock]:
    """A world of the test's own."""
    with base.session() as session:
        yield session
