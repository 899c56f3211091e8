"""Parsed files that are kept beside their sources."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mockexec.errors import DocumentError
from mockexec.spec.parsed import FOLDER, parse_kept

TEXT = b"a: [1, 2.5, yes, null, 2025-01-01]\n200: {b: x}\n"
VALUE = {"a": [1, 2.5, "yes", None, "2025-01-01"], "200": {"b": "x"}}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, where Python may write what it compiles."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "doc.yaml"


def kept(path: Path) -> list[Path]:
    """What is kept of it."""
    return sorted((path.parent / FOLDER).glob("doc.*"))


def test_the_second_reading_is_the_first(path: Path) -> None:
    """Equal values, and it did come from what was kept."""
    assert parse_kept(TEXT, path, file="doc") == VALUE
    (file,) = kept(path)
    assert parse_kept(TEXT, path, file="doc") == VALUE
    file.write_bytes(b'"from there"')
    assert parse_kept(TEXT, path, file="doc") == "from there"


def test_other_bytes_are_read_anew_and_the_old_form_goes(path: Path) -> None:
    """What is kept belongs to exactly one content."""
    parse_kept(TEXT, path, file="doc")
    (old,) = kept(path)
    assert parse_kept(b"a: 1", path, file="doc") == {"a": 1}
    assert kept(path) != [old]
    assert len(kept(path)) == 1


def test_a_broken_one_is_made_again(path: Path) -> None:
    """Half a file, as after a crash, hurts nobody."""
    parse_kept(TEXT, path, file="doc")
    (file,) = kept(path)
    file.write_bytes(file.read_bytes()[:10])
    assert parse_kept(TEXT, path, file="doc") == VALUE


def test_nothing_is_written_where_python_writes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch that Python has for its own compiled files."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert parse_kept(TEXT, path, file="doc") == VALUE
    assert not (path.parent / FOLDER).exists()


def test_a_folder_that_cannot_be_written_is_no_error(path: Path) -> None:
    """A file stands where the folder would be: it parses, every time."""
    (path.parent / FOLDER).write_text("in the way")
    assert parse_kept(TEXT, path, file="doc") == VALUE


def test_what_cannot_be_parsed_is_not_kept(path: Path) -> None:
    """The error is the parser's, with the line."""
    with pytest.raises(DocumentError, match=r"doc:\d"):
        parse_kept(b"a: [", path, file="doc")
    assert not (path.parent / FOLDER).exists()
