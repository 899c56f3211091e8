"""Symptoms of what our own checks find: what to look for when the story is sent again.

``symptoms`` reads them, and explains each kind. They are data, since they go into reports.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from mockexec.traits import Fact, Item, Problem
from mockexec.verify.symptoms import dig, outline, parsed
from mockexec.verify.target import Exchanged

Symptom = Mapping[str, Any]
Path = list[Any]
MANY = 1_000_000
_COMPARED = {"differs from", "is less than"}


def accepted() -> Symptom:
    """The last request should have been refused."""
    return {"kind": "status", "least": 200, "most": 399}


def refused() -> Symptom:
    """The last request should not have been refused."""
    return {"kind": "status", "least": 400, "most": 499}


def answered(exchanged: Exchanged) -> Symptom:
    """The last answer has a wrong status: this one."""
    return {"kind": "status", "least": exchanged.status, "most": exchanged.status}


def unlike(right: Iterable[int]) -> Symptom:
    """The last answer should have one of these statuses."""
    return {"kind": "status_not", "right": sorted(right)}


def lacks_header(exchanged: Exchanged, *names: str) -> Symptom:
    """The last answer should have these headers."""
    return {"kind": "no_header", "status": exchanged.status, "names": list(names)}


def has_header(exchanged: Exchanged, name: str) -> Symptom:
    """A header of the last answer is wrong."""
    value = exchanged.header(name)
    if value is None:
        return lacks_header(exchanged, name)
    return {"kind": "header", "status": exchanged.status, "name": name.lower(), "value": value}


def like(exchanged: Exchanged, path: Path | None = None) -> Symptom:
    """What the body of the last answer has at ``path`` is wrong as it looks."""
    value = parsed(exchanged.text)
    for key in path or ():
        value = value[key]
    return {
        "kind": "like", "status": exchanged.status, "path": path or [], "like": outline(value),
    }  # fmt: skip


def every(*symptoms: Symptom | None) -> Symptom | None:
    """All of them together; None if one is."""
    return None if None in symptoms else {"kind": "all", "of": list(symptoms)}


def items(
    exchanged: Exchanged,
    shown: Sequence[Item],
    first: str | None,
    wrong: str,
    *,
    answers: Sequence[int] = (-1,),
    **more: Any,
) -> Symptom | None:
    """Something is ``wrong`` with a list of items; ``shown`` are those that ``exchanged`` holds.

    ``first`` is the id of the first of them; ``answers``: which answers of the story the pages are.
    None where it cannot be told where the items stand.
    """
    at = whereabouts(parsed(exchanged.text), list(shown)) if shown else None
    key = whereabouts(dict(shown[0]), first) if shown and first is not None else None
    if at is None or key is None:
        return None
    return {
        "kind": "items", "wrong": wrong, "answers": list(answers), "at": at, "id": key, **more,
    }  # fmt: skip


def facts(
    story: Sequence[Exchanged], item: Item, told: Collection[Fact], before: int | None = None
) -> Symptom | None:
    """What is said of an item that the last answer shows.

    ``before``: the number of the answer that showed it the time before, for what is compared.
    """
    at = whereabouts(parsed(story[-1].text), dict(item)) if told and story else None
    if at is None:
        return None
    last = len(story) - 1
    listed = []
    for name, relation, other in told:
        path = [*at, name]
        fact = {"answer": last, "path": path, "relation": relation, "other": other}
        if relation in _COMPARED and other is None:
            if before is None:
                return None
            fact["than"] = [before, [name]]
        elif relation == "is less than":
            fact["than"] = [last, [*at, other]]
        listed.append(fact)
    return {"kind": "facts", "facts": listed}


def total(
    shown_by: Exchanged, shown: Sequence[Item], told_by: Exchanged, told: int, *, whole: int
) -> Symptom | None:
    """The last answer tells a total, in its body or a header, that the list does not have.

    ``whole``: the number of the answer that shows all items.
    """
    at = whereabouts(parsed(shown_by.text), list(shown))
    if at is None:
        return None
    found: dict[str, Any] = {"kind": "total", "whole": whole, "at": at}
    header = next((name for name, value in told_by.headers if value == str(told)), None)
    if header is not None and header != "content-length":
        return {**found, "header": header}
    path = whereabouts(parsed(told_by.text), told)
    return None if path is None else {**found, "path": path}


def differs(story: Sequence[Exchanged], path: Path, sent: Any) -> Symptom:
    """What the last answer shows at ``path`` is not what was sent, or what the first one told."""
    fact = {"answer": len(story) - 1, "path": path, "relation": "differs from", "other": sent}
    told = dig(parsed(story[0].text), path)
    if told and told[0] == sent:
        fact["than"] = [0, path]
    return {"kind": "facts", "facts": [fact]}


def of_problem(story: Sequence[Exchanged], item: Item | None, problem: Problem) -> Symptom | None:
    """What shows a problem of an item that the last answer of the story has.

    A problem that says no facts of it is there as long as the item looks as it does.
    """
    if not story:
        return None
    body = parsed(story[-1].text)
    shown = body if item is None else dict(item)
    path = whereabouts(body, shown) if isinstance(shown, dict) else None
    if path is None:
        return None
    if not problem.facts:
        return like(story[-1], path)
    # What is asked again shows the same item as it was before.
    earlier = [n for n, one in enumerate(story[:-1]) if one.request == story[-1].request]
    return facts(story, shown, problem.facts, earlier[-1] if earlier else None)


def in_state(story: Sequence[Exchanged], item: Item, word: str | None) -> Symptom | None:
    """The item that the last answer shows is in a wrong state: this one."""
    return facts(story, item, [Fact(k, "is", word) for k, v in item.items() if v == word][:1])


def same_text(story: Sequence[Exchanged], text: str) -> Symptom | None:
    """The last two answers hold a text, each its own, that should not be the same."""
    paths = [whereabouts(parsed(exchanged.text), text) for exchanged in story[-2:]]
    if story[-1] is story[0] or None in paths:
        return None
    number = len(story) - 1
    fact = {"answer": number, "path": paths[1], "relation": "is", "other": None}
    return {"kind": "facts", "facts": [{**fact, "than": [number - 1, paths[0]]}]}


def disagree(story: Sequence[Exchanged], one: Item, other: Item, name: str) -> Symptom | None:
    """Two answers, the last ones, show another ``name`` of what is the same."""
    if len(story) < 2:
        return None
    places = [
        whereabouts(parsed(exchanged.text), dict(item))
        for exchanged, item in zip(story[-2:], (one, other), strict=True)
    ]
    if None in places:
        return None
    first, last = ([*(place or []), name] for place in places)
    number = len(story) - 1
    fact = {"answer": number, "path": last, "relation": "differs from", "other": None}
    return {"kind": "facts", "facts": [{**fact, "than": [number - 1, first]}]}


def whereabouts(body: Any, wanted: Any) -> Path | None:
    """The path of the first value in ``body`` that is equal, nearest to the top; None if none."""
    todo: list[tuple[Path, Any]] = [([], body)]
    while todo:
        path, value = todo.pop(0)
        if value == wanted and type(value) is type(wanted):
            return path
        if isinstance(value, dict):
            todo += [([*path, key], inner) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [([*path, number], inner) for number, inner in enumerate(value)]
    return None
