"""``mockexec fixtures``."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import yaml

from mockexec import catalog
from tests.cli.support import assert_one_line, run

FIXTURES = catalog.data_folder("fixtures")


def test_all_scenarios_that_come_with_mockexec_are_sound() -> None:
    """No output, exit code 0."""
    files = [str(path) for path in sorted(FIXTURES.glob("*/*.yaml"))]
    result = run("fixtures", "check", *files)
    assert (result.exit_code, result.output) == (0, "")


def scenario(folder: Path, content: str) -> str:
    """A scenario file of Thand's, with its schema beside it."""
    home = folder / "thand"
    home.mkdir(exist_ok=True)
    (folder / "common.schema.json").write_bytes((FIXTURES / "common.schema.json").read_bytes())
    for name in ("schema.json", "default.yaml"):
        (home / name).write_bytes((FIXTURES / "thand" / name).read_bytes())
    (home / "mine.yaml").write_text(content)
    return str(home / "mine.yaml")


def test_a_broken_scenario_is_told_with_file_line_and_key(tmp_path: Path) -> None:
    """An unknown key, a wrong value, a base that is not there, a span that is none."""
    unknown = scenario(tmp_path, "description: x\nextends: default\ncolour: red\n")
    assert_one_line(run("fixtures", "check", unknown), "mine.yaml:", "colour")
    wrong = scenario(tmp_path, "extends: default\ntokens:\n  - value: 7\n    subject: x\n")
    assert_one_line(run("fixtures", "check", wrong), "mine.yaml:3", "tokens/0/value")
    baseless = scenario(tmp_path, "extends: nothing\n")
    assert_one_line(run("fixtures", "check", baseless), "mine.yaml:1", "nothing")
    backwards = scenario(tmp_path, "extends: default\nprofiles:\n  p: {running: 9s..1s}\n")
    assert_one_line(run("fixtures", "check", backwards), "mine.yaml:3", "9s..1s")


def test_a_file_without_a_schema_beside_it_is_no_scenario(tmp_path: Path) -> None:
    """It is said which file is missed."""
    stray = tmp_path / "stray.yaml"
    stray.write_text("a: 1\n")
    assert_one_line(run("fixtures", "check", str(stray)), "schema.json")


def test_people_are_the_same_for_the_same_seed() -> None:
    """And others for another; each with what the fixtures' schema wants, none twice."""
    arguments = ("fixtures", "people", "--seed", "3", "--count", "40")
    first = run(*arguments).stdout
    assert run(*arguments).stdout == first
    assert run("fixtures", "people", "--seed", "4", "--count", "40").stdout != first
    people = yaml.safe_load(first)["people"]
    assert len(people) == 40
    for person in people:
        assert set(person) == {"id", "name", "username", "email"}
        assert UUID(person["id"]).version == 4
        assert person["email"] == f"{person['username']}@acme.example"
        assert person["username"].isascii()
    for key in ("id", "username", "email"):
        assert len({person[key] for person in people}) == 40
