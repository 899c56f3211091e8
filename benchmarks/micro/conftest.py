"""What the parts are timed on: the SailPoint API with a hundred thousand executions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support import Served, serve

from mockexec.simulation.world import World
from mockexec.spec.operations import Operation

WORKFLOW = "d201c5d9-d37b-4a2f-af14-66414f39d568"


@pytest.fixture(scope="session")
def huge() -> Iterator[Served]:
    """The API as it is served, for requests in process; nobody starts or ends anything in it."""
    with serve("sailpoint", scenario="huge", strict=False) as served:
        yield served


@pytest.fixture
def world(huge: Served) -> World:
    """A world of its own, as large."""
    return huge.world.fork()


@pytest.fixture
def operations(huge: Served) -> dict[str, Operation]:
    """By operationId."""
    return {operation.id: operation for operation in huge.mock.apis["sailpoint"].operations}
