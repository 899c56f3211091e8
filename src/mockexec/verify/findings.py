"""What a run finds: values that say what is wrong, what shows it, and where the promise stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mockexec.verify.target import Exchanged


class Severity(StrEnum):
    """How much a finding hurts those who rely on the document, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


SEVERITIES = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    ``check``: which check found it, such as ``pages`` or
    ``schemathesis/response_schema_conformance``. ``title``: one line that names the cause.
    ``operation``: an operationId, "" if it belongs to none. ``pointer``: a JSON pointer into the
    document to the promise that is broken, "" if it stands nowhere. ``exchanges``: the shortest
    story that shows it, the failing one last; empty where no request was needed. ``cause``:
    findings with equal ``key`` are one root cause.
    """

    check: str
    title: str
    severity: Severity
    operation: str
    expected: str
    got: str
    pointer: str = ""
    exchanges: tuple[Exchanged, ...] = ()
    cause: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What findings of one root cause have in common."""
        return (self.check, self.operation, self.cause or self.title)


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one root cause: the one that is shown, and how often it was seen."""

    finding: Finding
    count: int


def grouped(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """One group for each root cause, the worst first, otherwise in the order they were found.

    The finding with the shortest story stands for its group.
    """
    groups: dict[tuple[str, str, str], Group] = {}
    for finding in findings:
        group = groups.get(finding.key)
        if group is None:
            groups[finding.key] = Group(finding, 1)
        else:
            shorter = len(finding.exchanges) < len(group.finding.exchanges)
            groups[finding.key] = Group(finding if shorter else group.finding, group.count + 1)
    return tuple(sorted(groups.values(), key=lambda g: SEVERITIES.index(g.finding.severity)))
