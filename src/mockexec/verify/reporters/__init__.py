"""Reporters: what a run tells, on the screen and in files.

A reporter takes every event as it comes, and the result at the end. ``OPENERS`` makes those that
write a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from mockexec.errors import UsageError
from mockexec.verify.curl import Curl
from mockexec.verify.events import Event
from mockexec.verify.reporters.har import HarReporter
from mockexec.verify.reporters.html import HtmlReporter
from mockexec.verify.reporters.jsonl import JsonLinesReporter
from mockexec.verify.reporters.junit import JUnitReporter
from mockexec.verify.reporters.pytest_file import PytestReporter
from mockexec.verify.result import Result


class Reporter(Protocol):
    """Tells somebody of a run."""

    def take(self, event: Event) -> None:
        """An event, as it happens."""

    def finish(self, result: Result) -> None:
        """The run is over."""


# By the name that --report takes.
KINDS: dict[str, Callable[[IO[str], Curl], Reporter]] = {
    "junit": JUnitReporter,
    "html": HtmlReporter,
    "jsonl": JsonLinesReporter,
    "har": HarReporter,
    "pytest": PytestReporter,
}


@contextmanager
def open_reports(reports: Sequence[tuple[str, Path]], curl: Curl) -> Iterator[list[Reporter]]:
    """A reporter for every (kind, path); the files are opened before the run, so that a path
    that cannot be written is known at once.

    Raises:
        UsageError: a file cannot be written.
    """
    files: list[IO[str]] = []
    try:
        found = []
        for kind, path in reports:
            try:
                files.append(path.open("w", encoding="utf-8", newline="\n"))
            except OSError as error:
                raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
            found.append(KINDS[kind](files[-1], curl))
        yield found
    finally:
        for file in files:
            file.close()
