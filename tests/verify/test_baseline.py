"""Files of accepted deviations: what they must say, and what an update keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import assert_one_line, run
from tests.verify.shop import TOKEN, Shop, serving
from tests.verify.support import document

ENTRY = """accepted:
  - check: schemathesis/not_a_server_error
    operation: listThings
    cause: '500'
    title: a request makes the server fail
    reason: {reason}
    expires: {expires}
"""


def verify(folder: Path, text: str, *more: str, faults: str = "server_error") -> str:
    """The baseline after a run with --baseline-update, which begins as ``text``."""
    path = folder / "accepted.yaml"
    path.write_text(text)
    with serving(Shop(faults)) as url:
        result = run(
            "verify", str(document(folder)), "--url", url, "--token", TOKEN, "--max-examples", "3",
            "--baseline", str(path), "--baseline-update", *more,
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    return path.read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", ["cannot be read as a baseline"]),
        ("[]", ["a list `accepted`"]),
        ("accepted: [1]", ["entry 1", "not a mapping"]),
        (ENTRY.format(reason="''", expires="2030-01-01"), ["entry 1", "`reason`"]),
        (ENTRY.format(reason="ticket", expires="soon"), ["entry 1", "`expires`", "2026-12-31"]),
        (ENTRY.format(reason="ticket", expires="2030-01-01T00:00:00Z"), ["entry 1", "`expires`"]),
    ],
)
def test_a_baseline_says_why_and_until_when(tmp_path: Path, text: str, words: list[str]) -> None:
    """An entry without a reason or a date is refused, with its number."""
    path = tmp_path / "accepted.yaml"
    path.write_text(text)
    assert_one_line(run("verify", "polos", "--baseline", str(path)), "accepted.yaml", *words)


def test_an_update_keeps_what_was_said(tmp_path: Path) -> None:
    """The reason and the date of what is known stay."""
    text = verify(tmp_path, ENTRY.format(reason="ticket 1", expires="2090-01-01"))
    assert "reason: ticket 1" in text
    assert "expires: 2090-01-01" in text
    assert text.count("- check:") == 1


def test_an_update_by_a_whole_run_drops_what_is_mended(tmp_path: Path) -> None:
    """A run that looked at a part keeps it."""
    entry = ENTRY.format(reason="ticket 1", expires="2090-01-01")
    assert "ticket 1" in verify(tmp_path, entry, "--operation", "getThing", faults="")
    assert "ticket 1" not in verify(tmp_path, entry, faults="")
