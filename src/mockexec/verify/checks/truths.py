"""What must be true of an execution at any time, and from one look at it to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mockexec.simulation.instants import parse_instant
from mockexec.traits import Fact, Item, Life, Problem
from mockexec.verify.probe import UNREADABLE


def truths(life: Life, item: Item, shown: Sequence[str] = ()) -> Iterator[Problem]:
    """What is wrong with an execution as shown; ``shown`` names the fields, if not all are."""
    try:
        word = life.word(item)
    except UNREADABLE:
        return
    passed: list[tuple[str, int]] = []
    for moment in life.moments:
        if shown and moment.name not in shown:
            continue
        value = item.get(moment.name)
        if value is None:
            if word in moment.needs:
                yield Problem(
                    f"an execution that is {word} has no {moment.name}",
                    f"{moment.name}: a time",
                    f"{word}, {moment.name}: {'null' if moment.name in item else 'not there'}",
                    facts=(*_state(item, word), Fact(moment.name, "is missing")),
                )
            continue
        if word in moment.forbids:
            yield Problem(
                f"an execution that is {word} has {_article(moment.name)} {moment.name}",
                f"no {moment.name} while it is {word}",
                f"{moment.name}: {value}",
                facts=(*_state(item, word), Fact(moment.name, "is there")),
            )
        at_ns = _instant(value)
        if at_ns is None:
            yield Problem(
                f"{moment.name} is no date-time with a zone", "RFC 3339", f"{moment.name}: {value}"
            )
            continue
        earlier, earlier_ns = passed[-1] if passed else ("", at_ns)
        if at_ns < earlier_ns:
            yield Problem(
                f"{moment.name} lies before {earlier}"
                + (f" (status {word})" if word in life.final else ""),
                f"{earlier} ≤ {moment.name}",
                f"{earlier} {item[earlier]}, {moment.name} {value}",
                facts=(Fact(moment.name, "is less than", earlier),),
            )
        passed.append((moment.name, at_ns))
    for rule in life.rules:
        try:
            problem = rule(item)
        except UNREADABLE:
            continue
        if problem is not None:
            yield problem


def steps(life: Life, before: Item, after: Item) -> Iterator[Problem]:
    """What is wrong with two looks at one execution, one after the other."""
    try:
        was, now = life.word(before), life.word(after)
    except UNREADABLE:
        return
    if was in life.states and now in life.states and not life.follows(was, now):
        ended = "ended and then " if was in life.final else ""
        yield Problem(
            f"an execution that was {was} {ended}became {now}",
            f"{was} for good" if was in life.final else f"one of the states that follow {was}",
            now,
            facts=(
                *_state(after, now),
                *(Fact(name, "differs from") for name, _, _ in _state(after, now)),
            ),
        )
        return
    changed = [name for name in life.constants if _of(before, name) != _of(after, name)]
    changed += [
        name
        for name in life.once
        if name not in changed
        and before.get(name) is not None
        and _of(before, name) != _of(after, name)
    ]
    for name in changed:
        yield Problem(
            f"{name} of an execution changes",
            f"{name} stays {before.get(name)!r}",
            f"{after.get(name)!r}",
            facts=(Fact(name, "differs from"),),
        )
    for name in life.rises:
        if _is_less(after.get(name), before.get(name)):
            yield Problem(
                f"{name} of an execution gets smaller",
                f"at least {before.get(name)}",
                str(after.get(name)),
                facts=(Fact(name, "is less than"),),
            )
    if life.grows:
        past, present = before.get(life.grows), after.get(life.grows)
        if isinstance(past, list) and isinstance(present, list) and present[: len(past)] != past:
            yield Problem(
                f"the {life.grows} of an execution is rewritten",
                f"{len(past)} entries as they were, and perhaps more",
                f"{present[: len(past)]}",
                facts=(Fact(life.grows, "differs from"),),
            )
    if was in life.final:
        for name in sorted({*before, *after} - {*changed}):
            if _of(before, name) != _of(after, name):
                yield Problem(
                    f"{name} of an execution that is {was} still changes",
                    f"{name}: {before.get(name)!r}",
                    f"{name}: {after.get(name)!r}",
                    facts=(*_state(after, was), Fact(name, "differs from")),
                )


def _state(item: Item, word: str) -> tuple[Fact, ...]:
    """That the item is in a state: by the field that says so with the same word."""
    return tuple(Fact(name, "is", word) for name, value in item.items() if value == word)[:1]


def _article(name: str) -> str:
    return "an" if name[:1].lower() in "aeiou" else "a"


def _of(item: Item, name: str) -> Any:
    return item.get(name)


def _is_less(now: Any, before: Any) -> bool:
    return isinstance(now, int) and isinstance(before, int) and now < before


def _instant(value: Any) -> int | None:
    try:
        return parse_instant(value)
    except UNREADABLE:
        return None
