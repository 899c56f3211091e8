"""``mockexec serve``: what it prints, and what its options do. Processes of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mockexec import catalog
from tests.cli.support import PETS, assert_one_line, run


@contextmanager
def served(*arguments: str) -> Iterator[list[str]]:
    """A running server on a free port, and the lines that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mockexec", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        yield lines
    finally:
        process.terminate()
        process.communicate()


def bases(lines: list[str]) -> dict[str, str]:
    """The base URL of each API, from the table."""
    rows = [line.split() for line in lines[1 : lines.index("")]]
    return {row[0]: row[1] for row in rows}


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_every_printed_command_works() -> None:
    """Each API has one, and run by a shell as it stands it is answered with 200."""
    with served() as lines:
        commands = [line for line in lines if line.startswith("curl ")]
        assert len(commands) == len(catalog.names())
        for command in commands:
            done = subprocess.run(
                ["/bin/sh", "-c", f"{command} -o /dev/null -w '%{{http_code}}'"],
                capture_output=True,
                text=True,
                check=True,
            )
            assert done.stdout == "200", command


def test_the_table_tells_where_everything_is() -> None:
    """Base URL, token and docs of each API; the control API below."""
    with served("--api", "thand", "--api", "frontdoor") as lines:
        assert lines[0].split() == ["API", "BASE", "URL", "TOKEN", "DOCS"]
        assert list(bases(lines)) == ["thand", "frontdoor"]
        for line in lines[1:3]:
            _, base, token, docs = line.split()
            assert token.endswith("-dev-token")
            assert docs == f"{base}/docs"
            assert httpx.get(docs).status_code == 200
        (control,) = [line.split()[-1] for line in lines if line.startswith("Control API")]
        assert httpx.get(control).status_code == 200


def test_a_document_is_served_under_the_name_of_its_file(tmp_path: Path) -> None:
    """Beside the others; its printed command works as theirs do."""
    document = tmp_path / "My pets.yaml"
    document.write_text(PETS)
    with served("--api", "thand", str(document)) as lines:
        base = lines[2].split("  ")[1]
        assert base.endswith("/My-pets")
        key = {"x-key": "My-pets-dev-token"}
        assert httpx.get(f"{base}/pets?tags=a", headers=key).status_code == 200
        assert httpx.get(f"{base}/openapi.json").json()["info"]["title"] == "Pets"
        assert any("My-pets" in line for line in lines if line.startswith("curl "))


def test_accents_in_a_file_s_name_fall_out(tmp_path: Path) -> None:
    """A path of ASCII letters is what a user can type; the folder's name is of no consequence."""
    document = tmp_path / "ünï cödé" / "Señor Pëts.yaml"
    document.parent.mkdir()
    document.write_text(PETS)
    with served("--api", "thand", str(document)) as lines:
        base = lines[2].split("  ")[1]
        assert base.endswith("/Senor-Pets")
        assert httpx.get(f"{base}/openapi.yaml").status_code == 200


def test_an_api_that_is_alone_also_answers_at_the_root() -> None:
    """As its vendor's own host does."""
    with served("--api", "thand", "--clock", "frozen") as lines:
        base = bases(lines)["thand"]
        token = {"authorization": "Bearer thand-dev-token"}
        below = httpx.get(f"{base}/api/v1/executions", headers=token)
        root = httpx.get(f"{base.removesuffix('/thand')}/api/v1/executions", headers=token)
    assert below.status_code == 200
    assert root.content == below.content


def test_the_world_is_as_the_options_say() -> None:
    """Scenario, seed, clock, strictness, tokens, origins and the size of bodies."""
    with served(
        "--api", "thand", "--scenario", "empty", "--seed", "7", "--clock", "x60", "--any-token",
        "--no-cors", "--max-body", "64",
    ) as lines:  # fmt: skip
        base = bases(lines)["thand"]
        root = base.removesuffix("/thand")
        clock = httpx.get(f"{root}/_mockexec/clock").json()
        assert (clock["mode"], clock["scale"]) == ("scaled", 60.0)
        assert httpx.get(f"{root}/_mockexec/executions").json()["total"] == 0
        assert httpx.post(f"{root}/_mockexec/reset").json()["seed"] == 7
        listing = f"{base}/api/v1/executions"
        headers = {"authorization": "Bearer whatever", "origin": "http://front.end"}
        answer = httpx.get(listing, headers=headers)
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers
        big = httpx.post(f"{base}/api/v1/execution", headers=headers, json={"workflow": "x" * 99})
        assert big.status_code == 413


def test_strict_refuses_what_no_document_knows() -> None:
    """A mistyped parameter is a fault of the client's, and said."""
    token = {"authorization": "Bearer thand-dev-token"}
    for arguments, status in (((), 200), (("--strict",), 400)):
        with served("--api", "thand", *arguments) as lines:
            listing = f"{bases(lines)['thand']}/api/v1/executions?mistyped=1"
            assert httpx.get(listing, headers=token).status_code == status


def test_two_servers_of_one_seed_answer_the_same_bytes() -> None:
    """With a frozen clock, headers included but for the date."""
    answers = []
    for _ in range(2):
        with served("--api", "thand", "--clock", "frozen", "--seed", "5") as lines:
            headers = {"authorization": "Bearer thand-dev-token", "host": "same.host"}
            answer = httpx.get(f"{bases(lines)['thand']}/api/v1/executions", headers=headers)
            answers.append((answer.content, {**answer.headers, "date": ""}))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--api", "nope"), ("'nope'", "sailpoint")),
        (("--scenario", "nope"), ("'nope'", "busy, default, empty")),
        (("--set", "nope"), ("'nope'", "API.OPTION=VALUE")),
        (("--set", "thand.nope=1"), ("'thand.nope'", "thand.password")),
        (("nope.yaml",), ("nope.yaml", "cannot be read")),
        (("--host", "no.such.invalid"), ("no.such.invalid",)),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """Exit code 2, and nothing is served."""
    assert_one_line(run("serve", "--port", "0", *arguments), *words)


def test_a_document_may_not_take_the_name_of_another(tmp_path: Path) -> None:
    """Nor be named so that no path can carry it."""
    for name, word in (("thand.yaml", "thand"), ("___.yaml", "___.yaml"), ("日本.yaml", "rename")):
        document = tmp_path / name
        document.write_text(PETS)
        assert_one_line(run("serve", "--port", "0", str(document)), word)


@pytest.mark.parametrize("clock", ["fast", "x", "x0", "x-1", "60"])
def test_a_clock_that_is_none_is_refused(clock: str) -> None:
    """With the forms there are."""
    result = run("serve", "--clock", clock)
    assert result.exit_code == 2
    assert "x60" in result.stderr


def test_a_changed_document_is_read_again(tmp_path: Path) -> None:
    """The next request is answered from it; while it is broken, the last good one goes on."""
    document = tmp_path / "pets.yaml"
    document.write_text(PETS)
    with served("--api", "thand", "--reload", str(document)) as lines:
        base = bases(lines)["pets"]

        def status(path: str) -> int:
            return httpx.get(f"{base}{path}").status_code

        assert status("/pets") == 401
        document.write_text(PETS.replace("/pets:", "/animals:"))
        assert status("/animals") == 401
        assert status("/pets") == 404
        document.write_text("openapi: 3.0.3\npaths: [")
        assert status("/animals") == 401
        document.write_text(PETS)
        assert status("/pets") == 401
