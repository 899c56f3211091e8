"""The README's commands, run as they are written."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockexec import catalog
from mockexec.server.app import App
from mockexec.server.mock import Mock
from mockexec.server.run import BackgroundServer
from mockexec.simulation.clock import Clock

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
LINES = [
    line.partition("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
SERVE = [line for line in LINES if line.startswith("mockexec serve")]
LIVE = [line for line in LINES if line.startswith("mockexec ") and "--url" in line]
OTHER = [line for line in LINES if line.startswith("mockexec ") and line not in SERVE + LIVE]
CURL = [line for line in LINES if line.startswith("curl ")]
DOCUMENT = """
openapi: 3.0.3
info: {title: Pets, version: "1"}
paths:
  /pets:
    get:
      operationId: listPets
      responses:
        "200": {description: All pets., content: {application/json: {schema: {type: array, items: {type: string}}}}}
"""


PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_python_example_runs(folder: Path) -> None:
    """As a script of its own."""
    (folder / "example.py").write_text(PYTHON[0])
    run = subprocess.run(
        [sys.executable, "example.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(("number", "passed"), [(1, "2 passed"), (2, " passed")])
def test_the_pytest_examples_pass(folder: Path, number: int, passed: str) -> None:
    """With nothing but the plugin."""
    (folder / "test_example.py").write_text(PYTHON[number])
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "mockexec.pytest_plugin", "test_example.py"],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert passed in run.stdout, run.stdout
    assert run.returncode == 0, run.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder with the files that the README speaks of."""
    for name in ("petstore", "acme"):
        (tmp_path / f"{name}.yaml").write_text(DOCUMENT)
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    return tmp_path


def command(line: str) -> list[str]:
    """The line with this environment's mockexec."""
    return [sys.executable, "-m", *shlex.split(line)]


def test_every_line_is_of_a_kind_that_is_run() -> None:
    """What is not run here is the two set-up commands, which CI runs."""
    set_up = [line for line in LINES if line.startswith("python3 -m venv")]
    assert len(set_up) == 2
    assert sorted(set_up + SERVE + OTHER + LIVE + CURL) == sorted(LINES)


@pytest.mark.parametrize("line", SERVE)
def test_serving_begins_and_ends(line: str, folder: Path) -> None:
    """It prints its table, and Ctrl-C ends it in good order."""
    if "--scenario huge" in line:
        pytest.skip("takes a while; the scenarios are loaded by other tests")
    with subprocess.Popen(
        [*command(line), "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        printed = iter(process.stdout.readline, "")
        assert any("Ctrl-C" in text for text in printed)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("line", OTHER)
def test_other_commands_succeed(line: str, folder: Path) -> None:
    """Exit code 0, and something is said or made; ``lint`` has nothing to say."""
    before = {path.name for path in folder.iterdir()}
    run = subprocess.run(
        command(line), cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stderr
    made = {path.name for path in folder.iterdir()} - before
    assert bool(run.stdout or made) == ("lint" not in line)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """All APIs, as ``mockexec serve`` serves them, with the clock standing still."""
    apis = [catalog.api(name) for name in catalog.built_in_names()]
    mock = Mock(apis, catalog.scenario, clock=Clock("frozen"))
    with BackgroundServer(App(mock)) as server:
        yield server.url


@pytest.mark.parametrize("line", LIVE)
def test_commands_to_a_server_succeed(line: str, url: str, folder: Path) -> None:
    """Exit code 0 from the mock, and the report that was asked for."""
    words = command(line.replace("http://127.0.0.1:8000", url))
    run = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "<html" in (folder / "report.html").read_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("line", CURL)
def test_curl_lines_succeed(line: str, url: str) -> None:
    """2xx, by curl's own account."""
    words = shlex.split(line.replace("http://127.0.0.1:8000", url))
    run = subprocess.run([*words, "--fail"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout or "DELETE" in line
