"""Accepted deviations: a file of findings that are known, each with a reason and an expiry date.

An entry whose date has passed accepts nothing any more, so that nothing is accepted for ever.

::

    accepted:
      - check: pages
        operation: listThings
        cause: repeats an item
        title: the second page repeats the last item of the first
        reason: the vendor knows, ticket 4711
        expires: 2026-06-30
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from mockexec.errors import UsageError
from mockexec.verify.findings import Finding

# How long what --baseline-update writes is accepted, unless someone changes the date.
ACCEPTED_FOR = timedelta(days=90)
REASON_MISSING = "not yet explained"

_TEXTS = ("check", "operation", "cause", "reason")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One accepted deviation; ``expires`` is the last day on which it is."""

    check: str
    operation: str
    cause: str
    title: str
    reason: str
    expires: date

    @property
    def key(self) -> tuple[str, str, str]:
        """That of the findings it accepts."""
        return (self.check, self.operation, self.cause)

    def as_data(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The accepted deviations of a file, and the day by which they are judged."""

    entries: tuple[Accepted, ...] = ()
    today: date = date.min

    def entry(self, finding: Finding) -> Accepted | None:
        """The entry for this root cause, expired or not."""
        return next((entry for entry in self.entries if entry.key == finding.key), None)

    def accepts(self, finding: Finding) -> bool:
        """Whether it is accepted today."""
        entry = self.entry(finding)
        return entry is not None and entry.expires >= self.today

    def updated(self, findings: Iterable[Finding], reason: str, *, whole: bool) -> Baseline:
        """With entries for all ``findings``; what is known keeps its reason and date.

        An expired entry is accepted anew. ``whole``: the run looked for everything, so entries
        for what it did not find are dropped.
        """
        kept = {} if whole else {entry.key: entry for entry in self.entries}
        until = self.today + ACCEPTED_FOR
        for finding in findings:
            entry = self.entry(finding)
            if entry is None:
                check, operation, cause = finding.key
                entry = Accepted(check, operation, cause, finding.title, reason, until)
            elif entry.expires < self.today:
                entry = replace(entry, expires=until)
            kept[entry.key] = entry
        return replace(self, entries=tuple(sorted(kept.values(), key=lambda entry: entry.key)))


def read_baseline(path: Path, today: date, *, may_lack: bool = False) -> Baseline:
    """The baseline of a file; an empty one where ``may_lack`` and there is no file.

    Raises:
        UsageError: the file cannot be read, or an entry is not as it must be.
    """
    if may_lack and not path.exists():
        return Baseline((), today)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{path}: cannot be read as a baseline: {reason}") from None
    entries = data.get("accepted") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise UsageError(f"{path}: a baseline is a mapping with a list `accepted`")
    return Baseline(tuple(_entry(path, n, entry) for n, entry in enumerate(entries, 1)), today)


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Writes it; raises UsageError where that cannot be."""
    data = {"accepted": [entry.as_data() for entry in baseline.entries]}
    try:
        path.write_text(
            yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100), encoding="utf-8"
        )
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def _entry(path: Path, number: int, entry: Any) -> Accepted:
    where = f"{path}: entry {number}"
    if not isinstance(entry, dict):
        raise UsageError(f"{where} is not a mapping")
    for name in _TEXTS:
        if not isinstance(entry.get(name), str) or (name == "reason" and not entry[name].strip()):
            raise UsageError(f"{where}: `{name}` must be a text")
    expires = entry.get("expires")
    # YAML reads a date as a date; a time of day would make the last day ambiguous.
    if type(expires) is not date:
        raise UsageError(f"{where}: `expires` must be a date such as 2026-12-31")
    texts = {name: entry[name] for name in _TEXTS}
    return Accepted(**texts, title=str(entry.get("title", "")), expires=expires)
