"""The vendors' own clients, unmodified, against the served mock.

Each client has its requirements file and its own environment (``.venvs/<api>``, made on first use
and again when the file changes), so that its dependencies never meet ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mockexec import catalog
from mockexec.server.app import App
from mockexec.server.mock import Mock
from mockexec.server.run import BackgroundServer
from mockexec.simulation.clock import Clock

pytestmark = pytest.mark.clients

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".venvs"
CLIENTS = sorted(path.parent.name for path in HERE.glob("*/requirements.txt"))


def environment(api: str) -> Path:
    """The Python of the client's own environment, installed from its requirements file."""
    wanted = (HERE / api / "requirements.txt").read_text()
    folder = ENVIRONMENTS / f"{api}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    if not stamp.is_file() or stamp.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
        requirements = str(HERE / api / "requirements.txt")
        command = [str(python), "-m", "pip", "install", "-q", "-r", requirements]
        subprocess.run(command, check=True)
        stamp.write_text(wanted)
    return python


@contextmanager
def served_mock() -> Iterator[str]:
    """All APIs on a free port, with a frozen clock; gives the address."""
    apis = [catalog.api(name) for name in catalog.built_in_names()]
    mock = Mock(apis, catalog.scenario, seed=1, clock=Clock("frozen"))
    with BackgroundServer(App(mock)) as server:
        yield server.url


@pytest.mark.parametrize("api", CLIENTS)
def test_the_client_lives_its_whole_story(api: str, tmp_path: Path) -> None:
    """Start, poll to the end, page, filter, cancel, errors: the client's own suite passes."""
    python = environment(api)
    with served_mock() as url:
        run = subprocess.run(
            [
                python, "-m", "pytest", HERE / api / "test_client.py", "-q",
                "-c", HERE / "pytest.ini", "--rootdir", HERE, "--confcutdir", HERE / api,
            ],
            env={**os.environ, "MOCKEXEC_URL": url, "HOME": str(tmp_path), "PYTHONPATH": ""},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=540,
            check=False,
        )  # fmt: skip
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert " passed" in run.stdout


def test_every_client_named_in_the_documents_has_a_suite() -> None:
    """Thand's only client cannot be built from a package registry; the other four are here."""
    assert CLIENTS == ["foundry", "frontdoor", "polos", "sailpoint"]
