"""The tests of verify are a suite of their own: Schemathesis's engine keeps much of its state in
the process, where thousands of other tests and this one are not to meddle with each other.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test below this folder."""
    for item in items:
        if HERE in item.path.parents and "impostors" not in item.keywords:
            item.add_marker(pytest.mark.verify)
