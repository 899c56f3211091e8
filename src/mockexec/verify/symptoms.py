"""Whether a story that was sent again still shows what was wrong.

Needs the standard library alone: its functions go, as they are written, into generated test files.
An answer is ``{"status": int, "headers": [[name, value], …], "body": text}``. A symptom says what
the answers showed, as ``{"kind": …}`` (``signs`` makes those of our own checks); without one, all
answers are compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
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
    if symptom is None:
        same = fingerprint(before) == fingerprint(after)
        return "every answer is as it was" if same else ""
    if symptom["kind"] == "all":
        found = [still_fails(one, before, after) for one in symptom["of"]]
        return found[-1] if all(found) else ""
    if symptom["kind"] == "total":
        return wrong_total(symptom, after)
    if symptom["kind"] in {"items", "facts"}:
        ids: dict[str, str] = {}
        for was, now in zip(before[:-1], after[:-1], strict=True):
            relink(was, now, ids)
        bodies = [parsed(answer["body"]) for answer in after]
        wrong = {"items": wrong_items, "facts": wrong_facts}
        return wrong[symptom["kind"]](symptom, bodies, ids)
    return wrong_answer(symptom, after[symptom.get("answer", -1)])


def wrong_answer(symptom: dict[str, Any], last: dict[str, Any]) -> str:
    """What is still wrong with one answer by itself; the last one, if none is named."""
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
    if kind == "no_body":
        return "" if last["body"] else "there is no body"
    if kind == "no_json":
        return "the body is no JSON" if parsed(last["body"]) is None else ""
    if kind == "like":
        found = dig(parsed(last["body"]), symptom["path"])
        where = "/".join(map(str, symptom["path"])) or "the body"
        same = bool(found) and outline(found[0]) == symptom["like"]
        return f"{where} is as it was: {symptom['like']}" if same else ""
    return broken_rule(symptom, parsed(last["body"]))


def wrong_items(symptom: dict[str, Any], bodies: list[Any], ids: dict[str, str]) -> str:
    """What is still wrong with the items of a list: of one page, or of several taken together."""

    def items(number: int) -> list[str]:
        listed = (dig(bodies[number], symptom["at"]) or [[]])[0]
        return [str(dig(item, symptom["id"])) for item in listed]

    shown = [name for number in symptom["answers"] for name in items(number)]
    whole = items(symptom["whole"]) if "whole" in symptom else []
    named = [str([ids.get(name, name)]) for name in symptom.get("named", ())]
    least, most = symptom.get("count", (0, 0))
    if not any(dig(bodies[number], symptom["at"]) for number in symptom["answers"]):
        return ""
    wrong: dict[str, Callable[[], bool]] = {
        "an item comes twice": lambda: len(set(shown)) < len(shown),
        "there are as many as there were": lambda: least <= len(shown) <= most,
        "an item is there that should not be": lambda: any(name in shown for name in named),
        "an item is missing": lambda: any(name not in shown for name in named),
        "an item is lost": lambda: not set(whole) <= set(shown),
        "an item is not in the whole list": lambda: not set(shown) <= set(whole),
        "the order is another": lambda: (
            [name for name in shown if name in whole] != [name for name in whole if name in shown]
        ),
        "the order is as it was": lambda: (
            all(name in shown for name in named) and shown.index(named[0]) < shown.index(named[1])
        ),
    }
    return symptom["wrong"] if wrong[symptom["wrong"]]() else ""


def wrong_facts(symptom: dict[str, Any], bodies: list[Any], ids: dict[str, str]) -> str:
    """What is said of values in the answers, if all of it still holds."""
    told = []
    for fact in symptom["facts"]:
        value, other = (dig(bodies[fact["answer"]], fact["path"], ids) or [None])[0], fact["other"]
        if "than" in fact:
            other = (dig(bodies[fact["than"][0]], fact["than"][1], ids) or [None])[0]
        elif isinstance(other, str) and re.search(r"\d", other):
            # Words are states and the like, which must not be taken for ids.
            other = ids.get(other, other)
        if not holds(value, fact["relation"], other):
            return ""
        told.append(f"{fact['path'][-1]} {fact['relation']} {other!r}")
    return "; ".join(told)


def holds(value: Any, relation: str, other: Any) -> bool:
    """Whether a fact holds."""
    if relation in {"is missing", "is there"}:
        return (value is None) == (relation == "is missing")
    if relation == "is less than":
        return is_less(value, other)
    return bool(value == other) == (relation == "is")


def wrong_total(symptom: dict[str, Any], after: list[dict[str, Any]]) -> str:
    """Whether a total is still not the number of items of the list, which an answer holds whole."""
    last = after[-1]
    total = dig(parsed(last["body"]), symptom.get("path", [])) if "path" in symptom else [
        int(value) for name, value in last["headers"] if name.lower() == symptom["header"]
    ]  # fmt: skip
    whole = dig(parsed(after[symptom["whole"]]["body"]), symptom["at"])
    if not total or not whole or total[0] == len(whole[0]):
        return ""
    return f"the total is {total[0]}, the items are {len(whole[0])}"


def is_less(value: Any, other: Any) -> bool:
    """Whether a number is smaller, or a time earlier."""
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value) < datetime.fromisoformat(other)
        return bool(value < other)
    except (TypeError, ValueError):
        return False


def dig(value: Any, path: list[Any], ids: dict[str, str] | None = None) -> list[Any]:
    """What stands at a path of keys and numbers, as a list of one; empty where nothing does.

    A step ``{"of": path, "is": text}`` is the one item of a list that has that text there.
    """
    for key in path:
        try:
            if isinstance(key, dict):
                wanted = (ids or {}).get(key["is"], key["is"])
                value = next(one for one in value if dig(one, key["of"]) == [wanted])
            else:
                value = value[key]
        except (LookupError, TypeError, StopIteration):
            return []
    return [value]


def outline(value: Any) -> Any:
    """The form of a value: words as they are, of other texts and of large numbers their kind."""
    if isinstance(value, dict):
        return {key: outline(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        forms = [outline(item) for item in value]
        return [form for place, form in enumerate(forms) if form not in forms[:place]]
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        zone = re.search(r"(Z|[+-]\d\d:\d\d)$", value)
        return "a time with its zone" if zone else "a time without zone"
    if isinstance(value, str) and re.search(r"\d", value):
        return "a text with digits"
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 999:
        return "a large number"
    return value


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

    Every text with a digit in it becomes a number: which of the texts of the story it is.
    """
    numbers: dict[str, int] = {}

    def numbered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: numbered(value[key]) for key in sorted(value)}
        if isinstance(value, list):
            return [numbered(item) for item in value]
        if isinstance(value, str) and re.search(r"\d", value):
            return f"text {numbers.setdefault(value, len(numbers))}"
        return value

    return json.dumps([[answer["status"], numbered(parsed(answer["body"]))] for answer in answers])


def parsed(body: str) -> Any:
    """The body as JSON data, None if it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None
