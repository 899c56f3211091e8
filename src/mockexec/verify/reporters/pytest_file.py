"""A pytest file that replays the findings. It needs pytest and httpx, and nothing of ours."""

from __future__ import annotations

import inspect
import re
from pprint import pformat
from textwrap import indent
from typing import IO, Any

from mockexec.verify import symptoms
from mockexec.verify.curl import VARIABLES, Curl
from mockexec.verify.events import Event
from mockexec.verify.findings import Finding
from mockexec.verify.result import Result
from mockexec.verify.stories import story_as_data

_HEAD = '''\
"""{title}: what was found wrong on {url} with seed {seed}, one test each.

Written by `mockexec verify --report pytest=FILE`. A test fails as long as its finding is there.
Run it with pytest and httpx installed:

    {how}pytest {file}
"""

from __future__ import annotations

import json
import os
import re
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

URL = os.environ.get("URL", {url!r})
# What each principal adds to a request.
CREDENTIALS: dict[str, list[tuple[str, str]]] = {credentials}
QUERIES: dict[str, str] = {queries}
PAUSE_MOST_S = 60.0
MISSING = [name for name in {needed} if name not in os.environ]
assert not MISSING, f"set the environment variables {{MISSING}}"


'''

_SEND = '''\
def replay(symptom: dict[str, Any] | None, story: list[dict[str, Any]]) -> str:
    """Sends a story again; what is still wrong, "" if nothing is."""
    ids: dict[str, str] = {}
    before: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    with httpx.Client(timeout=30, follow_redirects=False) as client:
        for step in story:
            # A little longer than the run waited: what it waited for must have happened by then.
            time.sleep(min(step.get("pause_s", 0) * 1.3, PAUSE_MOST_S))
            before.append(step["answer"])
            after.append(send(client, step["request"], ids))
            relink(before[-1], after[-1], ids)
    return still_fails(symptom, before, after)


def send(client: httpx.Client, request: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """One request, with the credentials and the ids of today."""
    headers = [(name, relinked(value, ids)) for name, value in request["headers"]]
    own = {name.lower() for name, _ in headers}
    theirs = CREDENTIALS.get(request["principal"], [])
    added = [pair for pair in theirs if pair[0].lower() not in own]
    headers += [(name, os.path.expandvars(value)) for name, value in added]
    if "body_base64" in request:
        content: bytes | None = b64decode(request["body_base64"])
    else:
        content = relinked(request["body"], ids).encode() if "body" in request else None
    queries = [relinked(request["query"], ids), QUERIES.get(request["principal"], "")]
    query = "&".join(os.path.expandvars(text) for text in queries if text)
    url = URL + relinked(request["path"], ids) + (f"?{query}" if query else "")
    answer = client.request(request["method"], url, headers=headers, content=content)
    found = [[name.lower(), value] for name, value in answer.headers.multi_items()]
    return {"status": answer.status_code, "headers": found, "body": answer.text}


'''


class PytestReporter:
    """Writes all at the end."""

    def __init__(self, file: IO[str], curl: Curl) -> None:
        self._file = file
        self._curl = curl

    def take(self, event: Event) -> None:
        """Nothing is written on the way."""

    def finish(self, result: Result) -> None:
        """A test for each root cause that has a story."""
        started = result.started
        if started is None:
            return
        shown = {principal: self._curl.shown(principal) for principal in self._curl.credentials}
        credentials = {principal: list(added.headers) for principal, added in shown.items()}
        queries = {principal: added.query for principal, added in shown.items() if added.query}
        needed = str((credentials, queries))
        names = [name for name in VARIABLES.values() if f"${name}" in needed]
        head = _HEAD.format(
            title=_line(started.title),
            url=started.url,
            seed=started.seed,
            how="".join(f"{name}=… " for name in names),
            needed=names,
            file=getattr(self._file, "name", "FILE"),
            credentials=_python(credentials),
            queries=_python(queries),
        )
        self._file.write(head)
        self._file.write(f"RELINKED_MIN = {symptoms.RELINKED_MIN}\n\n\n")
        self._file.write(_SEND)
        for function in _FUNCTIONS:
            self._file.write(f"{inspect.getsource(function)}\n\n")
        taken: set[str] = set()
        tests = [self._test(g.finding, result, taken) for g in result.groups if g.finding.exchanges]
        self._file.write("\n\n".join(tests))

    def _test(self, finding: Finding, result: Result, taken: set[str]) -> str:
        name = _name(finding, taken)
        place = result.place(finding)
        lines = [
            f"def test_{name}() -> None:",
            f"    {_docstring(finding.title)}",
            *([f"    # {_line(place)}"] if place else []),
            f"    # Expected: {_line(finding.expected)}",
            f"    symptom = {_python(finding.symptom and dict(finding.symptom))}",
            f"    story: list[dict[str, Any]] = {_python(story_as_data(finding.exchanges))}",
            "    why = replay(symptom, story)",
            "    assert not why, why",
            "",
        ]
        return "\n".join(lines)


_FUNCTIONS = (
    symptoms.still_fails,
    symptoms.wrong_answer,
    symptoms.wrong_items,
    symptoms.wrong_facts,
    symptoms.holds,
    symptoms.wrong_total,
    symptoms.is_less,
    symptoms.dig,
    symptoms.outline,
    symptoms.broken_rule,
    symptoms.fingerprint,
    symptoms.relink,
    symptoms.relinked,
    symptoms.parsed,
)


def _name(finding: Finding, taken: set[str]) -> str:
    """A name for a test that no other test has."""
    text = f"{finding.operation} {finding.check.rpartition('/')[2]}"
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower() or "finding"
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found


def _docstring(title: str) -> str:
    """The title as a docstring, whatever it has in it."""
    text = _line(title).replace("\\", "/").replace('"', "'")
    return f'"""{text[:1].upper()}{text[1:]}."""'


def _line(text: str) -> str:
    """As it can stand in a comment or a docstring of one line."""
    return " ".join(text.split())


def _python(value: Any) -> str:
    """As Python code whose lines after the first are within a function."""
    return indent(pformat(value, width=92, sort_dicts=False), "    ").lstrip()
