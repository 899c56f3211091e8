"""The command: what it prints and writes, its exit codes, and one line for bad use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mockexec.simulation.clock import machine_ns
from tests.cli.support import assert_one_line, run
from tests.verify.shop import TOKEN, Shop, serving
from tests.verify.support import document

# Quick: one phase, few cases.
QUICK = ("--phases", "coverage,fuzzing", "--max-examples", "5")


def shopping(folder: Path, url: str, *more: str) -> tuple[str, ...]:
    """The arguments of a quick run against a served shop."""
    return ("verify", str(document(folder)), "--url", url, "--token", TOKEN, *QUICK, *more)


def test_a_clean_run_says_so_and_ends_with_0(tmp_path: Path) -> None:
    """Who was tested, how, what was reached."""
    with serving(Shop()) as url:
        result = run(*shopping(tmp_path, url))
    assert result.exit_code == 0, result.output
    first, *_, last = result.stdout.splitlines()
    assert first == f"Shop against {url}, seed 0"
    assert last.startswith("No findings: ")
    assert "Reached: operations 4/4" in result.stdout


def test_findings_are_printed_and_end_with_1(tmp_path: Path) -> None:
    """Each with title, severity, expected, got, a curl line without the token, and its place."""
    with serving(Shop("server_error")) as url:
        result = run(*shopping(tmp_path, url))
    assert result.exit_code == 1, result.output
    assert "1. CRITICAL a request makes the server fail: 500" in result.stdout
    assert f"document  {tmp_path}/shop.yaml:10" in result.stdout
    assert "expected  an answer below 500" in result.stdout
    assert (
        'got       500 Internal Server Error (application/json): {"error": "oh no"}'
        in result.stdout
    )
    assert (
        f"""curl -sS -i -H "Authorization: Bearer $TOKEN" '{url}/things?limit=50'"""
        in result.stdout
    )
    assert TOKEN not in result.stdout
    assert result.stdout.splitlines()[-1].startswith("1 finding: ")


def test_a_run_on_the_mock_repeats_to_the_byte(tmp_path: Path) -> None:
    """What is printed and every report."""
    kinds = ("jsonl", "har", "junit", "html", "pytest")

    def files(folder: Path) -> list[bytes]:
        folder.mkdir()
        reports = [f"--report={kind}={kind}" for kind in kinds]
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            result = run("verify", "sailpoint", "--seed", "7", "--max-examples", "2", *reports)
        assert result.exit_code in {0, 1}, result.output
        return [result.stdout_bytes, *((folder / kind).read_bytes() for kind in kinds)]

    assert files(tmp_path / "a") == files(tmp_path / "b")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify", "nowhere"], ["'nowhere'", "neither an API nor a file", "sailpoint"]),
        (["verify", "sailpoint", "--operation", "listWorkflow"], ["'listWorkflow'", "did you mean listWorkflows?"]),
        (["verify", "sailpoint", "--check", "pagez"], ["'pagez'", "did you mean pages?"]),
        (["verify", "sailpoint", "--phases", "fuzz"], ["'fuzz'", "fuzzing"]),
        (["verify", "sailpoint", "--report", "pdf=x"], ["'pdf'", "junit"]),
        (["verify", "sailpoint", "--report", "junit"], ["KIND=FILE"]),
        (["verify", "sailpoint", "--report", "junit=/nowhere/x.xml"], ["/nowhere/x.xml", "cannot be written"]),
        (["verify", "sailpoint", "--shard", "3/2"], ["'3/2'", "2/4"]),
        (["verify", "sailpoint", "--max-time", "soon"], ["--max-time", "soon"]),
        (["verify", "sailpoint", "--rate-limit", "fast"], ["'fast'", "10/s"]),
        (["verify", "sailpoint", "--url", "ftp://x"], ["ftp://x", "https://"]),
        (["verify", "sailpoint", "--header", "X"], ["'X'", "NAME: VALUE"]),
        (["verify", "sailpoint", "--param", "id"], ["'id'", "NAME=VALUE"]),
        (["verify", "sailpoint", "--param", "getWorkflow.ids=1"], ["'getWorkflow.ids'", "did you mean getWorkflow.id?"]),
        (["verify", "sailpoint", "--client-id", "x"], ["--client-secret"]),
        (["verify", "sailpoint", "--baseline", "/nowhere"], ["/nowhere", "baseline"]),
        (["verify", "sailpoint", "--baseline-update"], ["--baseline FILE"]),
        (["verify", "sailpoint", "--replay", "/nowhere"], ["/nowhere", "cannot be read"]),
        (["verify", "--url", "http://127.0.0.1:1"], ["name an API"]),
        (["verify", "sailpoint", "--url", "http://127.0.0.1:1"], ["nothing answers", "127.0.0.1:1"]),
    ],
)  # fmt: skip
def test_bad_use_gets_one_line(arguments: list[str], words: list[str]) -> None:
    """On stderr, with the name of what is wrong, and exit code 2."""
    assert_one_line(run(*arguments), *words)


def test_given_values_reach_the_server(tmp_path: Path) -> None:
    """--param NAME=VALUE, whatever characters the value has."""
    shop = Shop()
    with serving(shop) as url:
        run(*shopping(tmp_path, url, "--operation", "getThing", "--param", "id=a=b/c"))
    read = [path for method, path in shop.seen if path.startswith("/things/")]
    assert read
    assert set(read) == {"/things/a=b/c"}


def test_what_is_no_document_gets_one_line(tmp_path: Path) -> None:
    """A file that is not an OpenAPI document."""
    path = tmp_path / "list.yaml"
    path.write_text("[1, 2]")
    assert_one_line(run("verify", str(path)), "list.yaml")


def test_a_wrong_token_gets_one_line(tmp_path: Path) -> None:
    """A server that answers 401 to everything is not tested."""
    with serving(Shop("locked")) as url:
        assert_one_line(run(*shopping(tmp_path, url)), "401 to everything", "credentials")
        without = ("verify", str(document(tmp_path)), "--url", url)
        assert_one_line(run(*without), "401 to everything", "--token")


def test_a_token_by_client_credentials(tmp_path: Path) -> None:
    """It is fetched before the run; a server that gives none gets one line."""
    with serving(Shop()) as url:
        base = (
            "verify",
            str(document(tmp_path)),
            "--url",
            url,
            "--token-url",
            f"{url}/token",
            *QUICK,
        )
        result = run(*base, "--client-id", "id", "--client-secret", "secret")
        assert result.exit_code == 0, result.output
        wrong = run(*base, "--client-id", "id", "--client-secret", "wrong")
    assert_one_line(wrong, "gives no token", "invalid_client")


def test_accepted_deviations_do_not_count(tmp_path: Path) -> None:
    """--baseline-update writes what is found; with it the same run is clean, until it expires."""
    baseline = tmp_path / "accepted.yaml"
    with serving(Shop("server_error")) as url:
        use = ("--baseline", str(baseline))
        update = run(*shopping(tmp_path, url, *use, "--baseline-update", "--reason", "ticket 4711"))
        assert update.exit_code == 0, update.output
        assert "1 accepted deviations" in update.stdout
        accepted = run(*shopping(tmp_path, url, *use))
        assert accepted.exit_code == 0, accepted.output
        assert "a request makes the server fail: 500 (ticket 4711)" in accepted.stdout
        text = baseline.read_text()
        year = 1970 + machine_ns() // 1_000_000_000 // 31_556_952
        baseline.write_text(
            text.replace(f"expires: {year}", "expires: 2020").replace(
                f"expires: {year + 1}", "expires: 2020"
            )
        )
        expired = run(*shopping(tmp_path, url, *use))
    assert expired.exit_code == 1, expired.output
    assert "which has passed: ticket 4711" in expired.stdout


def test_a_replay_says_what_still_fails(tmp_path: Path) -> None:
    """The stories of a JSON Lines report, against a server that is still wrong, and one that is not."""
    report = tmp_path / "run.jsonl"
    with serving(Shop("lost", "teapot")) as url:
        found = run(
            *shopping(tmp_path, url, "--report", f"jsonl={report}", "--phases", "coverage,stateful")
        )
        assert found.exit_code == 1, found.output
        again = run(*shopping(tmp_path, url, "--replay", str(report)))
    assert again.exit_code == 1
    lines = again.stdout.splitlines()
    assert "still fails: listThings: answers 418, which the document does not have" in lines
    assert any(
        line.startswith("still fails: createThing: what POST /things created") for line in lines
    )
    with serving(Shop()) as url:
        mended = run(*shopping(tmp_path, url, "--replay", str(report)))
    assert mended.exit_code == 0, mended.output
    assert "still fails" not in mended.stdout
    assert "not any more: listThings: answers 418" in mended.stdout


def test_a_report_that_is_none_is_not_replayed(tmp_path: Path) -> None:
    """One line, with the number of the line that is wrong."""
    report = tmp_path / "run.jsonl"
    report.write_text('{"event": "started"}\n{"event": "finding"}\n')
    assert_one_line(run("verify", "polos", "--replay", str(report)), "run.jsonl:2")


def test_shards_find_together_what_one_run_finds(tmp_path: Path) -> None:
    """Nothing is lost between them."""

    def titles(*more: str) -> set[str]:
        report = tmp_path / "run.jsonl"
        with serving(Shop("teapot", "server_error", "lost")) as url:
            run(*shopping(tmp_path, url, "--report", f"jsonl={report}", *more))
        lines = [json.loads(line) for line in report.read_text().splitlines()]
        return {line["title"] for line in lines if line["event"] == "finding"}

    phases = ("--phases", "coverage,stateful")
    whole = titles(*phases)
    assert len(whole) == 3
    assert whole == titles(*phases, "--shard", "1/2") | titles(*phases, "--shard", "2/2")


def test_the_mocks_of_all_apis_without_a_name() -> None:
    """One after the other, one verdict each."""
    result = run("verify", "--phases", "coverage", "--max-examples", "1", "--max-requests", "20")
    assert result.stdout.count("No findings: ") == 5, result.output
    assert result.exit_code == 0
