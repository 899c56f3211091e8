"""``mockexec lint``."""

from __future__ import annotations

from pathlib import Path

from tests.cli.support import PETS, assert_one_line, run


def test_a_clean_document_gives_nothing(tmp_path: Path) -> None:
    """No output, exit code 0."""
    document = tmp_path / "pets.yaml"
    document.write_text(PETS)
    result = run("lint", str(document))
    assert (result.exit_code, result.output) == (0, "")


def test_errors_are_told_with_file_and_line(tmp_path: Path) -> None:
    """One a line, exit code 1; every document is looked at."""
    clean, broken = tmp_path / "pets.yaml", tmp_path / "broken.yaml"
    clean.write_text(PETS)
    broken.write_text(PETS.replace("operationId: getPet", "operationId: listPets"))
    result = run("lint", str(clean), str(broken))
    assert result.exit_code == 1
    assert result.stdout.splitlines()
    for line in result.stdout.splitlines():
        place, severity, message = line.split(": ", 2)
        assert place.rpartition(":")[0].endswith("broken.yaml")
        assert place.rpartition(":")[2].isdigit()
        assert severity in {"error", "warning"}
        assert message
    assert "listPets" in result.stdout


def test_an_unreadable_document_is_told_in_one_line(tmp_path: Path) -> None:
    """Exit code 2, whether it is not there, no YAML, or no OpenAPI document."""
    assert_one_line(run("lint", str(tmp_path / "nope.yaml")), "nope.yaml", "cannot be read")
    broken = tmp_path / "broken.yaml"
    broken.write_text("openapi: 3.0.3\npaths: {a: [}\n")
    assert_one_line(run("lint", str(broken)), "broken.yaml:2")
    broken.write_text("hello: world\n")
    assert_one_line(run("lint", str(broken)), "broken.yaml")
