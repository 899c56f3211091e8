"""pytest in pytest: what every test here needs."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

import mockexec


@pytest.fixture(scope="session", autouse=True)
def _engines_loaded() -> None:
    """The inner runs forget the modules that they import; these must not be imported twice."""
    with mockexec.serve(clock="frozen") as mock:
        assert mock.api("thand").client.get("/api/v1/executions").status_code == 200


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of its own that serves two APIs."""
    # Quick from a checkout that is not installed, too.
    if not any(entry.name == "mockexec" for entry in entry_points(group="pytest11")):
        monkeypatch.setenv("PYTEST_ADDOPTS", "-p mockexec.pytest_plugin")
    pytester.makeini("[pytest]\nmockexec_apis =\n    sailpoint\n    thand\n")
    return pytester
