"""What a run finds: values that say what is wrong, what shows it, and where the promise stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from mockexec.verify.target import Exchanged


class Severity(StrEnum):
    """How much a finding hurts those who rely on the document, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


SEVERITIES = tuple(Severity)
# The symptom of a request without an answer.
NO_ANSWER: Mapping[str, Any] = {"kind": "status", "least": 0, "most": 0}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    ``check``: which check found it, such as ``pages`` or
    ``schemathesis/response_schema_conformance``. ``title``: one line that names the cause.
    ``operation``: an operationId, "" if it belongs to none. ``pointer``: a JSON pointer into the
    document to the promise that is broken, "" if it stands nowhere. ``exchanges``: the shortest
    story that shows it, the failing one last; empty where no request was needed. ``cause``:
    findings with equal ``key`` are one root cause. ``symptom``: what the last answer shows while it
    is wrong, as ``verify.symptoms`` reads it; None compares all answers of the story.
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
    symptom: Mapping[str, Any] | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What findings of one root cause have in common."""
        return (self.check, self.operation, self.cause or self.title)


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one root cause: the one that is shown, and how often it was seen.

    ``operations``: the operationIds that it was seen on, where they are several.
    """

    finding: Finding
    count: int
    operations: tuple[str, ...] = ()


class Groups:
    """The findings of a run by root cause.

    Of each only the one with the shortest story is kept, so that a server that is always wrong
    does not fill the memory.
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str], Group] = {}

    def add(self, finding: Finding) -> None:
        """Takes a finding in."""
        group = self._groups.get(finding.key)
        if group is None:
            self._groups[finding.key] = Group(finding, 1)
        else:
            shorter = len(finding.exchanges) < len(group.finding.exchanges)
            shown = finding if shorter else group.finding
            self._groups[finding.key] = Group(shown, group.count + 1)

    def causes(self) -> tuple[Group, ...]:
        """One group for each root cause, the worst first, otherwise in the order they were found.

        What is only another sight of a cause that has its group already is left out.
        """
        every = self._groups.values()
        kept = [
            group
            for group in every
            if not any(_is_behind(other.finding, group.finding) for other in every)
        ]
        return tuple(sorted(kept, key=lambda group: SEVERITIES.index(group.finding.severity)))


def merged(groups: Iterable[Group]) -> tuple[Group, ...]:
    """The groups, those that are the same on several operations as one.

    A server that forgets a header on every refusal has one fault and not one for each operation.
    """
    alike: dict[tuple[str, str, str], list[Group]] = {}
    for group in groups:
        finding = group.finding
        key = (finding.check, finding.severity.value, _without_name(finding, "…"))
        alike.setdefault(key, []).append(group)
    return tuple(
        merged_group
        for same in alike.values()
        for merged_group in ([_one(same)] if len(same) >= _MERGED_MIN else same)
    )


_MERGED_MIN = 3


def _one(groups: list[Group]) -> Group:
    """Many groups as one; the first stands for them."""
    finding = groups[0].finding
    names = tuple(group.finding.operation for group in groups)
    title = _without_name(finding, f"each of {len(names)} operations")
    if title == finding.title:
        title += f" ({len(names)} operations)"
    return Group(replace(finding, title=title), sum(group.count for group in groups), names)


def _without_name(finding: Finding, instead: str) -> str:
    """The title with something else where it names the operation."""
    return finding.title.replace(finding.operation, instead) if finding.operation else finding.title


# Schemathesis's checks of answers: one wrong answer may be wrong by several of them, and by ours.
_ANSWERS = frozenset(
    f"schemathesis/{name}"
    for name in (
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
    )
)
_OURS = "conformance"
_SERVER_ERROR = "schemathesis/not_a_server_error"
_STATUS = "schemathesis/status_code_conformance"
_REFUSED = "schemathesis/positive_data_acceptance"


def _is_behind(cause: Finding, sight: Finding) -> bool:
    """Whether ``sight`` shows nothing that ``cause`` does not show better."""
    if cause.operation != sight.operation or not cause.exchanges or not sight.exchanges:
        return False
    status = cause.exchanges[-1].status
    if cause.check == "schemathesis/ignored_auth":
        # Without the header and without credentials are the same.
        is_header = sight.check == "schemathesis/missing_required_header"
        return is_header and sight.cause.lower() == "authorization"
    if status != sight.exchanges[-1].status:
        return False
    if status >= 500:
        if cause.check == _OURS:
            return sight.check in {*_ANSWERS, _SERVER_ERROR, _REFUSED}
        return cause.check == _SERVER_ERROR and sight.check in {*_ANSWERS, _REFUSED}
    if cause.check == _STATUS:
        return sight.check == _REFUSED
    if cause.check == _OURS:
        # One of them may know the place more exactly.
        places = (sight.pointer, cause.pointer)
        return sight.check in _ANSWERS and (
            places[0].startswith(places[1]) or places[1].startswith(places[0])
        )
    return False
