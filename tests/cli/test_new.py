"""``mockexec new``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mockexec import catalog
from tests.cli.support import PETS, assert_one_line, run


@pytest.fixture
def document(tmp_path: Path) -> str:
    """A document of a user's."""
    path = tmp_path / "petstore.yaml"
    path.write_text(PETS)
    return str(path)


def python(*arguments: str, path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Python with a further folder to import from."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(path)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_new_package_passes_its_tests_and_is_found(tmp_path: Path, document: str) -> None:
    """Written elsewhere than in a checkout, it is a package with an entry point."""
    result = run("new", "pets", "--spec", document, "--into", str(tmp_path))
    assert result.exit_code == 0, result.output
    home = tmp_path / "pets"
    assert result.stderr == f"Now: pip install -e {home} && mockexec serve --api pets\n"
    for line in result.stdout.splitlines():
        assert Path(line).is_file()
    tested = python("-m", "pytest", "-q", "-p", "no:cacheprovider", path=home / "src", cwd=home)
    assert tested.returncode == 0, tested.stdout
    assert "5 passed" in tested.stdout
    # What an installation would leave beside the package.
    installed = home / "src" / "mockexec_pets-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mockexec-pets\nVersion: 0.1.0\n"
    )
    (installed / "entry_points.txt").write_text("[mockexec.apis]\npets = mockexec_pets:PLUGIN\n")
    token = python("-m", "mockexec", "token", "pets", path=home / "src", cwd=tmp_path)
    assert (token.stdout, token.stderr) == ("pets-dev-token\n", "")


def test_the_entry_point_is_the_one_that_mockexec_looks_for(tmp_path: Path, document: str) -> None:
    """Group, name and object."""
    run("new", "pets", "--spec", document, "--into", str(tmp_path))
    project = (tmp_path / "pets" / "pyproject.toml").read_text()
    assert '[project.entry-points."mockexec.apis"]\npets = "mockexec_pets:PLUGIN"\n' in project


def test_a_new_api_in_a_checkout_passes_its_tests(tmp_path: Path, document: str) -> None:
    """A folder under ``apis``, a document, fixtures and a test; no file there is touched."""
    checkout = tmp_path / "checkout"
    package = Path(catalog.__file__).parent
    (checkout / "src").mkdir(parents=True)
    subprocess.run(["cp", "-r", str(package), str(checkout / "src" / "mockexec")], check=True)
    for kind in ("specs", "fixtures"):
        subprocess.run(
            ["cp", "-r", str(catalog.data_folder(kind)), str(checkout / kind)], check=True
        )
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    result = run("new", "pets", "--spec", document, "--into", str(checkout))
    assert result.exit_code == 0, result.output
    assert result.stderr == "Now: mockexec serve --api pets\n"
    assert (checkout / "src/mockexec/apis/pets/__init__.py").is_file()
    assert (checkout / "specs/pets.yaml").read_text() == PETS
    tested = python(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/apis/pets",
        path=checkout / "src", cwd=checkout,
    )  # fmt: skip
    assert tested.returncode == 0, tested.stdout
    assert "5 passed" in tested.stdout
    assert {path: path.read_bytes() for path in before} == before


def test_nothing_that_is_there_is_replaced(tmp_path: Path, document: str) -> None:
    """The second time, one line says what is in the way."""
    run("new", "pets", "--spec", document, "--into", str(tmp_path))
    handlers = tmp_path / "pets/src/mockexec_pets/handlers.py"
    handlers.write_text("# mine\n")
    again = run("new", "pets", "--spec", document, "--into", str(tmp_path))
    assert_one_line(again, "is there already")
    assert handlers.read_text() == "# mine\n"


def test_names_and_documents_that_cannot_be_used_are_refused(tmp_path: Path, document: str) -> None:
    """Each in one line, and nothing is written."""
    into = ("--into", str(tmp_path / "out"))
    assert_one_line(run("new", "My-API", "--spec", document, *into), "'My-API'")
    assert_one_line(run("new", "thand", "--spec", document, *into), "'thand'")
    broken = tmp_path / "broken.yaml"
    broken.write_text("hello: world\n")
    assert_one_line(run("new", "pets", "--spec", str(broken), *into), "broken.yaml")
    assert not (tmp_path / "out").exists()
