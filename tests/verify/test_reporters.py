"""The reports: each in the form that its readers know, without secrets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cli.support import run
from tests.verify.shop import TOKEN, Shop, serving
from tests.verify.support import document

FAULTS = ("teapot", "server_error", "lost", "no_auth")
KINDS = ("junit", "html", "jsonl", "har", "pytest")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All reports of one run against a shop with faults, by kind."""
    folder = tmp_path_factory.mktemp("reports")
    named = [f"--report={kind}={folder / kind}" for kind in KINDS]
    with serving(Shop(*FAULTS)) as url:
        result = run(
            "verify", str(document(folder)), "--url", url, "--token", TOKEN,
            "--phases", "coverage,stateful", "--max-examples", "10", *named,
        )  # fmt: skip
    assert result.exit_code == 1, result.output
    return {kind: (folder / kind).read_text() for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_no_report_has_the_token(reports: dict[str, str], kind: str) -> None:
    """Reports go where secrets must not."""
    assert TOKEN not in reports[kind]


def test_junit_counts_and_names(reports: dict[str, str]) -> None:
    """A case for every operation, a failure for every root cause, numbers that agree."""
    root = ElementTree.fromstring(reports["junit"])  # noqa: S314  # our own file
    suite = root.find("testsuite[@name='operations']")
    assert suite is not None
    cases = {case.get("name"): case for case in suite}
    assert set(cases) == {"listThings", "createThing", "getThing", "deleteThing"}
    failures = {f.get("message") for f in cases["listThings"].findall("failure")}
    assert "answers 418, which the document does not have" in failures
    assert "a request makes the server fail: 500" in failures
    assert int(suite.get("failures", "")) == sum(c.find("failure") is not None for c in suite)
    assert int(root.get("tests", "")) == sum(len(list(s)) for s in root)
    text = cases["listThings"].findtext("failure") or ""
    assert "curl -sS -i" in text


class _Page(HTMLParser):
    """What a page refers to, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_html_is_one_page_that_needs_nothing(reports: dict[str, str]) -> None:
    """Well-formed, loads nothing, light and dark, with findings and coverage."""
    page = _Page()
    page.feed(reports["html"])
    assert page.open == []
    assert page.links == []
    assert "@import" not in reports["html"]
    assert not re.search(r"url\(", reports["html"])
    assert "prefers-color-scheme: dark" in reports["html"]
    text = "".join(page.text)
    assert "answers 418, which the document does not have" in text
    assert "operations: " in text
    assert "GetThing" in text


def test_html_shows_what_came_and_does_not_run_it(tmp_path: Path) -> None:
    """An answer with markup in it stays text."""

    class Hostile(Shop):
        """Its refusals are markup."""

        def _list(self, scope: object) -> tuple[int, object, dict[str, str]]:
            del scope
            return 418, {"error": "<script>alert(1)</script>"}, {}

    path = tmp_path / "page.html"
    with serving(Hostile()) as url:
        run(
            "verify", str(document(tmp_path)), "--url", url, "--token", TOKEN,
            "--phases", "coverage", "--operation", "listThings", "--report", f"html={path}",
        )  # fmt: skip
    page = path.read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_json_lines_tell_the_whole_run(reports: dict[str, str]) -> None:
    """Every line an event; requests, findings with stories and curl lines, coverage, the end."""
    lines = [json.loads(line) for line in reports["jsonl"].splitlines()]
    by_kind = {line["event"]: line for line in lines}
    sent = sum(line["event"] == "sent" for line in lines)
    assert by_kind["started"]["title"] == "Shop"
    assert by_kind["finished"]["requests"] == sent
    finding = next(line for line in lines if line["event"] == "finding" and line["symptom"])
    assert finding["curl"]
    assert finding["story"]
    assert finding["place"].endswith(f"shop.yaml:{finding['place'].rpartition(':')[2]}")
    rows = by_kind["coverage"]["operations"].values()
    assert sum(row["requests"] for row in rows) == sent


def test_a_line_is_a_line_for_everybody(tmp_path: Path) -> None:
    """Whatever a server answers: some readers also end a line at U+2028, U+0085 or a form feed."""

    class Lines(Shop):
        """Its failures are of many lines."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def told(message: Any) -> None:
                body = message.get("body", b"").replace(b"oh no", "a\u2028b\u0085c".encode())
                await send({**message, "body": body} if body else message)

            await super().__call__(scope, receive, told)

    path = tmp_path / "run.jsonl"
    with serving(Lines("server_error")) as url:
        run(
            "verify", str(document(tmp_path)), "--url", url, "--token", TOKEN,
            "--phases", "coverage", "--operation", "listThings", "--report", f"jsonl={path}",
        )  # fmt: skip
    text = path.read_text()
    assert "a\\u2028b\\u0085c" in text
    assert all(json.loads(line) for line in text.splitlines())


def test_har_is_har(reports: dict[str, str]) -> None:
    """Version 1.2, an entry for every request, with what the specification wants of each."""
    log = json.loads(reports["har"])["log"]
    assert log["version"] == "1.2"
    sent = sum('"event": "sent"' in line for line in reports["jsonl"].splitlines())
    assert len(log["entries"]) == sent
    for entry in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
        request, response = entry["request"], entry["response"]
        assert {
            "method",
            "url",
            "httpVersion",
            "cookies",
            "headers",
            "queryString",
            "headersSize",
            "bodySize",
        } <= set(request)
        assert {
            "status",
            "statusText",
            "httpVersion",
            "cookies",
            "headers",
            "content",
            "redirectURL",
            "headersSize",
            "bodySize",
        } <= set(response)


def test_the_pytest_file_fails_until_all_is_mended(reports: dict[str, str], tmp_path: Path) -> None:
    """As it is written, with pytest and httpx alone: one test for each finding with a story."""
    path = tmp_path / "test_findings.py"
    path.write_text(reports["pytest"])
    assert "mockexec" not in re.sub(r'""".*?"""', "", reports["pytest"], flags=re.DOTALL)
    count = reports["pytest"].count("\ndef test_")

    def outcome(*faults: str) -> str:
        with serving(Shop(*faults)) as url:
            ran = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-p", "no:mockexec", "-p", "no:cacheprovider", path],
                cwd=tmp_path, capture_output=True, text=True, check=False,
                env={**os.environ, "URL": url, "TOKEN": TOKEN, "PYTEST_ADDOPTS": ""},
            )  # fmt: skip
        return ran.stdout.splitlines()[-1]

    assert count >= 4
    assert outcome(*FAULTS).startswith(f"{count} failed")
    assert outcome().startswith(f"{count} passed")
