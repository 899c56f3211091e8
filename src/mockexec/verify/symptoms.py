"""Whether a story that was sent again still shows what was wrong.

Needs the standard library alone: its functions go, as they are written, into generated test files.
An answer is ``{"status": int, "headers": [[name, value], …], "body": text}``. A symptom says what
the last answer showed, as ``{"kind": …}``; without one, all answers are compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

# Shorter texts are words rather than ids, and would be found everywhere.
RELINKED_MIN = 6


def relink(before: dict[str, Any], after: dict[str, Any], ids: dict[str, str]) -> None:
    """Notes in ``ids`` which texts of an answer are others now: ids, tokens, addresses."""
    pairs: list[tuple[Any, Any]] = [(parsed(before["body"]), parsed(after["body"]))]
    old, new = dict(map(tuple, before["headers"])), dict(map(tuple, after["headers"]))
    pairs += [(old[name], new[name]) for name in ("location",) if name in old and name in new]
    while pairs:
        was, now = pairs.pop()
        if isinstance(was, dict) and isinstance(now, dict):
            pairs += [(was[key], now[key]) for key in was if key in now]
        elif isinstance(was, list) and isinstance(now, list):
            pairs += list(zip(was, now, strict=False))
        elif isinstance(was, str) and isinstance(now, str) and len(was) >= RELINKED_MIN:
            # The same text is noted too: it may stand for another elsewhere, and must not.
            ids.setdefault(was, now)


def relinked(text: str, ids: dict[str, str]) -> str:
    """A part of a request with the ids of today."""
    for was in sorted(ids, key=len, reverse=True):
        text = text.replace(was, ids[was])
        text = text.replace(quote(was, safe=""), quote(ids[was], safe=""))
    return text


def still_fails(
    symptom: dict[str, Any] | None, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> str:
    """What is still wrong, in a few words; "" if it is not any more."""
    last = after[-1]
    if symptom is None:
        same = fingerprint(before) == fingerprint(after)
        return "every answer is as it was" if same else ""
    kind, status = symptom["kind"], last["status"]
    headers = {name.lower(): value for name, value in last["headers"]}
    if kind == "status":
        wrong = status in range(symptom["least"], symptom["most"] + 1)
        return f"the last answer is {status}" if wrong else ""
    if kind == "status_not":
        return "" if status in symptom["right"] else f"the last answer is {status}"
    if status != symptom["status"]:
        return ""
    if kind == "no_header":
        missing = [name for name in symptom["names"] if name.lower() not in headers]
        return f"the header {', '.join(missing)} is missing" if missing else ""
    if kind == "header":
        value = headers.get(symptom["name"], "")
        return f"{symptom['name']} is {value!r}" if value == symptom["value"] else ""
    if kind == "no_json":
        return "the body is no JSON" if parsed(last["body"]) is None else ""
    return broken_rule(symptom, parsed(last["body"]))


def broken_rule(symptom: dict[str, Any], body: Any) -> str:
    """What still breaks the rule of a schema that was broken, as far as that can be told here."""
    value = body
    for key in symptom["path"]:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return ""
    where = "/".join(map(str, symptom["path"])) or "the body"
    rule, limit = symptom["rule"], symptom["limit"]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    wrong: dict[str, Callable[[], bool]] = {
        "required": lambda: isinstance(value, dict) and any(key not in value for key in limit),
        "enum": lambda: value not in limit,
        "const": lambda: value != limit,
        "pattern": lambda: isinstance(value, str) and not re.search(limit, value),
        "minLength": lambda: isinstance(value, str) and len(value) < limit,
        "maxLength": lambda: isinstance(value, str) and len(value) > limit,
        "minItems": lambda: isinstance(value, list) and len(value) < limit,
        "maxItems": lambda: isinstance(value, list) and len(value) > limit,
        "minimum": lambda: is_number and value < limit,
        "maximum": lambda: is_number and value > limit,
    }
    is_broken = wrong[rule]() if rule in wrong else type(value).__name__ == symptom["was"]
    return f"{where} still breaks the rule {rule!r}" if is_broken else ""


def fingerprint(answers: list[dict[str, Any]]) -> str:
    """The answers of a story as one text, the same for two that differ only in ids and times.

    Every text in them becomes a number: which of the texts of the story it is.
    """
    numbers: dict[str, int] = {}

    def numbered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: numbered(value[key]) for key in sorted(value)}
        if isinstance(value, list):
            return [numbered(item) for item in value]
        if isinstance(value, str):
            return f"text {numbers.setdefault(value, len(numbers))}"
        return value

    return json.dumps([[answer["status"], numbered(parsed(answer["body"]))] for answer in answers])


def parsed(body: str) -> Any:
    """The body as JSON data, None if it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None
