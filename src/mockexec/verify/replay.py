"""The findings of an earlier run, sent again: which still fail?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mockexec.errors import UsageError
from mockexec.verify.checks import CHECKS
from mockexec.verify.conformance import Conformance
from mockexec.verify.coverage import Matcher
from mockexec.verify.events import Found
from mockexec.verify.plan import VerifyPlan
from mockexec.verify.run import run_checks
from mockexec.verify.stories import Story, answer_as_data, story_from_data
from mockexec.verify.symptoms import relink, relinked, still_fails
from mockexec.verify.target import ChangeNotAllowed, Exchanged, Request, Unreachable

# A check may have waited long for an execution; nobody waits longer for one story.
_PAUSE_MOST_S = 60.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a finding. ``because`` says what was seen, in a few words."""

    story: Story
    still_fails: bool
    because: str


def read_stories(path: Path) -> list[Story]:
    """The findings of a JSON Lines report that have a story.

    Raises:
        UsageError: the file cannot be read, or is no such report.
    """
    stories = []
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                stories += _stories(path, number, line)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path}: cannot be read: {reason}") from None
    return stories


def replay(plan: VerifyPlan, stories: Iterable[Story]) -> Iterator[Replayed]:
    """Sends every story again, each to a fresh world of a mock.

    Where the answers are others now, the check that made the finding is asked again, if it is ours:
    on a server whose data change, a story need not go the same way to end as badly.
    """
    judges = _Judges(plan)
    for story in stories:
        if plan.renew is not None:
            plan.renew()
        yield _replayed(plan, story, judges)


class _Judges:
    """The checks of ours, each run once when it is asked for the first time."""

    def __init__(self, plan: VerifyPlan) -> None:
        self._plan = plan
        self._found: dict[str, set[tuple[str, str, str]]] = {}
        self._conformance = Conformance(plan.api)
        self._operations = {operation.id: operation for operation in plan.api.operations}

    def still_fails(self, story: Story, answers: list[Exchanged]) -> bool:
        """Whether the finding of this story is found again."""
        operation = self._operations.get(story.operation)
        if story.check == "conformance" and operation is not None:
            found = self._conformance.findings(operation, answers[-1])
            return any(finding.key == story.key for finding in found)
        if story.check not in self._found:
            names = {check.name for check in CHECKS} & {story.check}
            events = run_checks(self._plan, Matcher(self._plan.api.operations), list(names))
            self._found[story.check] = {e.finding.key for e in events if isinstance(e, Found)}
        return story.key in self._found[story.check]


def _stories(path: Path, number: int, line: str) -> list[Story]:
    try:
        data = json.loads(line)
        if data["event"] != "finding" or not data["story"]:
            return []
        return [story_from_data(data)]
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path}:{number}: no line of a JSON Lines report of ours") from None


def _replayed(plan: VerifyPlan, story: Story, judges: _Judges) -> Replayed:
    ids: dict[str, str] = {}
    answers: list[Exchanged] = []
    before: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    for told, pause_s in zip(story.exchanges, story.pauses_s, strict=True):
        if pause_s:
            # A little longer than the run: what it waited for must have happened by then.
            plan.target.wait(min(pause_s * 1.3, _PAUSE_MOST_S))
        try:
            answer = plan.target.send(_today(told, ids))
        except Unreachable as error:
            return Replayed(story, still_fails=True, because=f"no answer: {error}")
        except ChangeNotAllowed as error:
            return Replayed(story, still_fails=True, because=f"not sent: {error}")
        answers.append(answer)
        before.append(answer_as_data(told))
        after.append(answer_as_data(answer))
        relink(before[-1], after[-1], ids)
    symptom = None if story.symptom is None else dict(story.symptom)
    why = still_fails(symptom, before, after)
    if not why and symptom is None and judges.still_fails(story, answers):
        why = "its check finds it again"
    return Replayed(story, bool(why), why or f"the last answer is {after[-1]['status']}")


def _today(told: Exchanged, ids: dict[str, str]) -> Request:
    request = told.request
    body = request.body
    if body is not None:
        text = body.decode("latin-1")
        body = relinked(text, ids).encode("latin-1", "replace")
    return replace(
        request,
        path=relinked(request.path, ids),
        query=relinked(request.query, ids),
        headers=tuple((name, relinked(value, ids)) for name, value in request.headers),
        body=body,
    )
