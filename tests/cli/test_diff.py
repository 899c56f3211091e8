"""``mockexec diff``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.support import PETS, assert_one_line, run


def pair(folder: Path, *replaced: tuple[str, str]) -> tuple[str, str]:
    """Two files: the pets, and the pets with some text replaced."""
    changed = PETS
    for old, new in replaced:
        assert old in changed
        changed = changed.replace(old, new)
    (folder / "old.yaml").write_text(PETS)
    (folder / "new.yaml").write_text(changed)
    return str(folder / "old.yaml"), str(folder / "new.yaml")


BREAKING = ("name: tags, in: query, required: true", "name: tag, in: query")
COMPATIBLE = ("operationId: createPet", "operationId: makePet")
SERVERS_ONLY = ("required: [name]", "required: []")


def test_the_same_document_gives_one_line(tmp_path: Path) -> None:
    """Exit code 0."""
    result = run("diff", *pair(tmp_path))
    assert (result.exit_code, result.output) == (0, "no changes\n")


def test_changes_are_told_in_groups_one_a_line(tmp_path: Path) -> None:
    """With file and line of both documents, what breaks clients first; exit code 1."""
    old, new = pair(tmp_path, BREAKING, COMPATIBLE, SERVERS_ONLY)
    result = run("diff", old, new)
    assert result.exit_code == 1
    assert result.stdout == (
        "Breaks clients and servers (1)\n"
        f"  {new}:6: GET /pets, query parameter tags: gone (it was required) ({old}:9)\n"
        "\n"
        "Breaks servers (2)\n"
        f"  {new}:9: GET /pets, query parameter tag: new ({old}:6)\n"
        f"  {new}:20: POST /pets, request body, name: not required any more ({old}:20)\n"
        "\n"
        "Compatible (1)\n"
        f"  {new}:15: POST /pets: its operationId is makePet now, was createPet ({old}:15)\n"
        "\n"
        "4 changes: 1 break clients, 3 break servers, 1 compatible\n"
    )


@pytest.mark.parametrize(
    ("replaced", "option", "exit_code"),
    [
        (COMPATIBLE, "any", 0),
        (SERVERS_ONLY, "clients", 0),
        (SERVERS_ONLY, "servers", 1),
        (SERVERS_ONLY, "any", 1),
        (BREAKING, "clients", 1),
    ],
)
def test_whom_a_change_must_break_can_be_chosen(
    tmp_path: Path, replaced: tuple[str, str], option: str, exit_code: int
) -> None:
    """``--fail-on`` decides about the exit code and about nothing else."""
    documents = pair(tmp_path, replaced)
    result = run("diff", *documents, "--fail-on", option)
    assert result.exit_code == exit_code
    assert result.stdout == run("diff", *documents).stdout


def test_as_json(tmp_path: Path) -> None:
    """One value with everything that is known of a change."""
    old, new = pair(tmp_path, BREAKING)
    result = run("diff", old, new, "--format", "json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["summary"] == {"changes": 2, "breaks_clients": 1, "breaks_servers": 2}
    assert told["changes"][1] == {
        "rule": "parameter",
        "breaks": ["servers"],
        "operations": ["GET /pets"],
        "where": "query parameter tag",
        "message": "new",
        "old": f"{old}:6",
        "new": f"{new}:9",
    }


def test_as_markdown(tmp_path: Path) -> None:
    """A table for each group, in which no text of a document is taken for markup."""
    old, new = pair(tmp_path, ("name: tags, in", 'name: "t|*", in'))
    lines = run("diff", old, new, "--format", "markdown").stdout.splitlines()
    assert [line for line in lines if line.startswith("#")] == ["## Breaks clients and servers"]
    assert any(line.startswith(r"| GET /pets, query parameter t\|\*: new") for line in lines)
    tables = [line for line in lines if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in tables} == {4}


def test_the_same_json_twice(tmp_path: Path) -> None:
    """The output depends on the documents alone."""
    documents = pair(tmp_path, BREAKING, COMPATIBLE, SERVERS_ONLY)
    first, second = (run("diff", *documents, "--format", "json").stdout for _ in range(2))
    assert first == second


def test_an_unreadable_document_is_told_in_one_line(tmp_path: Path) -> None:
    """Exit code 2, whichever of the two it is."""
    good, _ = pair(tmp_path)
    assert_one_line(run("diff", good, str(tmp_path / "nope.yaml")), "nope.yaml", "cannot be read")
    broken = tmp_path / "broken.yaml"
    broken.write_text("hello: world\n")
    assert_one_line(run("diff", str(broken), good), "broken.yaml")
