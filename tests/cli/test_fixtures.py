"""``mockexec fixtures``."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
import yaml

from mockexec import catalog
from tests.cli.support import assert_one_line, run

FIXTURES = catalog.data_folder("fixtures")


def test_all_scenarios_that_come_with_mockexec_are_sound() -> None:
    """No output, exit code 0."""
    files = [str(path) for path in sorted(FIXTURES.glob("*/*.yaml"))]
    result = run("fixtures", "check", *files)
    assert (result.exit_code, result.output) == (0, "")


def scenario(folder: Path, content: str, api: str = "thand") -> str:
    """A scenario file of one API, with its schema beside it."""
    home = folder / api
    home.mkdir(exist_ok=True)
    (folder / "common.schema.json").write_bytes((FIXTURES / "common.schema.json").read_bytes())
    for name in ("schema.json", "default.yaml"):
        (home / name).write_bytes((FIXTURES / api / name).read_bytes())
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


def run_of(execution_id: str, parent: str) -> str:
    """A run of Polos with a parent, as a scenario tells it, in two lines."""
    told = "workflow: w, created: -1m, queued: 1s, runs: 1h, payload: {}"
    return f"  - {{id: {execution_id}, {told},\n     parent: {parent}}}\n"


@pytest.mark.parametrize("generations", [1, 2, 3])
def test_nobody_is_his_own_ancestor(tmp_path: Path, generations: int) -> None:
    """A circle of parents, however long, is told where it begins; what only leads to it is not."""
    ids = [f"{number}{'0' * 7}-0000-4000-8000-{'0' * 12}" for number in range(generations + 1)]
    circle = [*ids[1:], ids[1]]
    runs = [run_of(child, parent) for child, parent in zip(ids, circle, strict=True)]
    file = scenario(tmp_path, f"extends: default\nexecutions:\n{''.join(runs)}", "polos")
    way = " -> ".join(circle)
    assert_one_line(run("fixtures", "check", file), "mine.yaml:6: executions/1/parent", way)


@pytest.mark.parametrize(
    ("api", "content", "place"),
    [
        ("thand", "history:\n  - {count: 1, within: 1h, workflows: [default, odd]}\n",
         "mine.yaml:3: history/0/workflows/1: there is no workflow 'odd'"),
        ("thand", "arrivals:\n  - name: a\n    every: 1h\n    workflow: odd\n",
         "mine.yaml:5: arrivals/0/workflow: there is no workflow 'odd'"),
        ("sailpoint", "arrivals:\n  - name: a\n    every: 1h\n    workflow: odd\n",
         "mine.yaml:5: arrivals/0/workflow: there is no workflow 'odd'"),
        ("frontdoor", "arrivals:\n  - name: a\n    every: 1h\n    frontdoor: 00000000-0000-4000-8000-000000000000\n",
         "mine.yaml:5: arrivals/0/frontdoor: there is no frontdoor '00000000-"),
        ("foundry", "arrivals:\n  - name: a\n    every: 1h\n    resource: ri.a.main.b.c\n",
         "mine.yaml:5: arrivals/0/resource: there is no resource ri.a.main.b.c"),
    ],
)  # fmt: skip
def test_a_name_of_what_is_not_there_is_told(
    tmp_path: Path, api: str, content: str, place: str
) -> None:
    """With file, line and key."""
    file = scenario(tmp_path, f"extends: default\n{content}", api)
    assert_one_line(run("fixtures", "check", file), place)


@pytest.mark.parametrize(
    ("api", "key", "profile"),
    [("thand", "workflows/default", "elevate"), ("polos", "workflows/0", "brisk")],
)
def test_the_file_that_is_extended_is_named_where_the_fault_is_there(
    tmp_path: Path, api: str, key: str, profile: str
) -> None:
    """The scenario takes away a profile that the base's first workflow lives by."""
    file = scenario(tmp_path, "extends: default\nprofiles:\n  odd: {}\n", api)
    lines = (tmp_path / api / "default.yaml").read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if text.strip() == f"profile: {profile}")
    reason = f"default.yaml:{line}: {key}/profile: there is no profile '{profile}'"
    assert_one_line(run("fixtures", "check", file), reason)


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
