"""What was started can be read at once, as it was sent and under its own id, and is listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockexec.traits import Ask, Item, Listing, Start
from mockexec.verify import signs
from mockexec.verify.checks.check import Check, all_of, changing, executions
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.probe import UNREADABLE, Probe, answer_of
from mockexec.verify.target import Exchanged

_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Made:
    """One that was started: ``index`` is its place in the answer."""

    id: str
    start: Start
    ask: Ask
    index: int
    exchanged: Exchanged


def _needs(probe: Probe) -> str | None:
    return None if probe.traits.starts else "nothing can be started"


def _play(probe: Probe) -> Iterator[Finding]:
    made: list[_Made] = []
    kept: list[_Made] = []
    for number in range(_ROUNDS):
        for start in probe.traits.starts:
            if number and (start.waits or (number > 1 and len(made) > 6)):
                continue
            ids, ask, exchanged = probe.start(start)
            if not 200 <= exchanged.status < 300:
                yield probe.finding(
                    f"a valid request to start an execution is refused ({start.name})",
                    "a new execution",
                    f"{exchanged.status} {exchanged.text[:200]}",
                    (exchanged,),
                    operation=ask.operation,
                    symptom=signs.refused(),
                )
                continue
            news = [_Made(one, start, ask, at, exchanged) for at, one in enumerate(ids)]
            yield from _are_new(probe, news, made)
            made += news
            found = [finding for new in news for finding in _is_there(probe, new)]
            if found and _is_shuffled(probe, news):
                yield _shuffled(probe, news)
            else:
                yield from found
            if not found:
                kept += news
            if news:
                yield from _is_listed(probe, news)
    yield from _are_still_there(probe, kept)


def _are_new(probe: Probe, news: list[_Made], made: list[_Made]) -> Iterator[Finding]:
    known = {one.id: one for one in made}
    for new in news:
        if new.id in known:
            yield probe.finding(
                "a new execution gets the id of another one",
                "an id of its own",
                f"{new.id} twice",
                (known[new.id].exchanged, new.exchanged),
                operation=new.ask.operation,
                severity=Severity.CRITICAL,
                symptom=signs.same_text((known[new.id].exchanged, new.exchanged), new.id),
            )
        known[new.id] = new


def _is_there(probe: Probe, new: _Made) -> Iterator[Finding]:
    if probe.life.read is None:
        return
    item, exchanged = probe.read(new.id)
    operation = new.ask.operation
    story = (new.exchanged, exchanged)
    if item is None:
        yield probe.finding(
            "an execution that was just started cannot be read",
            f"{new.id}",
            str(exchanged.status),
            story,
            operation=operation,
            symptom=signs.answered(exchanged),
        )
        return
    wanted = {**_of_the_answer(probe, new, item), **new.start.echo(new.ask, new.index)}
    for name, value in wanted.items():
        place, sent, shown = _difference(value, item.get(name))
        if sent is not shown:
            yield probe.finding(
                f"{name}{place} of a new execution is not what was sent ({new.start.name})",
                f"{name}{place}: {sent!r}",
                f"{name}{place}: {shown!r}",
                story,
                operation=operation,
                cause=f"{name} is not kept by {new.start.name}",
                symptom=signs.differs(story, _path(name, place), sent),
            )


def _path(name: str, place: str) -> list[Any]:
    return [name, *(int(key) if key.isdecimal() else key for key in place.split("/")[1:])]


def _difference(sent: Any, shown: Any) -> tuple[str, Any, Any]:
    """The first place where two values differ, and what stands there; twice the same if nowhere."""
    if isinstance(sent, dict) and isinstance(shown, dict):
        for key in {**sent, **shown}:
            if key not in sent or key not in shown:
                return f"/{key}", sent.get(key, "nothing"), shown.get(key, "nothing")
            place, a, b = _difference(sent[key], shown[key])
            if a is not b:
                return f"/{key}{place}", a, b
        return "", sent, sent
    if isinstance(sent, list) and isinstance(shown, list) and len(sent) == len(shown):
        for number, (one, other) in enumerate(zip(sent, shown, strict=True)):
            place, a, b = _difference(one, other)
            if a is not b:
                return f"/{number}{place}", a, b
        return "", sent, sent
    if sent == shown and type(sent) is type(shown):
        return "", sent, sent
    return "", sent, shown


def _is_shuffled(probe: Probe, news: list[_Made]) -> bool:
    """Whether every execution shows what was sent, but for another one of the same request."""
    if len(news) < 2 or probe.life.read is None:
        return False
    items = [probe.read(new.id)[0] for new in news]
    wanted = [new.start.echo(new.ask, new.index) for new in news]
    return all(
        any(item is not None and all(item.get(n) == v for n, v in one.items()) for one in wanted)
        for item in items
    )


def _shuffled(probe: Probe, news: list[_Made]) -> Finding:
    return probe.finding(
        f"the answer to a {news[0].start.name} is not in the order of the request",
        "the order of the request",
        "all of them, in another order",
        (news[0].exchanged,),
        operation=news[0].ask.operation,
    )


def _of_the_answer(probe: Probe, new: _Made, item: Item) -> Mapping[str, Any]:
    """What the answer to starting says of it under the same names as reading it does."""
    body = answer_of(new.exchanged).body
    if not isinstance(body, Mapping):
        return {}
    # Its state may have gone on since.
    return {
        name: value
        for name, value in body.items()
        if name in item and not (value in probe.life.states and item[name] in probe.life.states)
    }


def _is_listed(probe: Probe, news: list[_Made]) -> Iterator[Finding]:
    start = news[0].start
    listing = next((one for one in probe.traits.lists if one.operation == start.listed), None)
    if listing is None:
        return
    walk = probe.walk(listing, listing.everything)
    if not walk.complete:
        return
    shown = {probe.identify(item) for item in walk.items}
    for new in news:
        if new.id not in shown and not _ended(probe, new, listing):
            yield probe.finding(
                f"an execution that was just started is not in the list ({start.name})",
                f"{new.id} in the list",
                f"{len(walk.items)} executions without it",
                (new.exchanged, *walk.exchanges[-1:]),
                operation=listing.operation,
                cause="new executions are not listed",
                symptom=probe.listed_wrong(
                    walk.exchanges[-1], walk.pages[-1][2], "an item is missing", named=[new.id]
                ),
            )


def _ended(probe: Probe, new: _Made, listing: Listing) -> bool:
    """Whether the list rightly leaves it out: it shows open ones only, and this one has ended."""
    if listing.only is None:
        return False
    item, _ = probe.read(new.id)
    return item is None or probe.word(item) not in listing.only


def _are_still_there(probe: Probe, made: list[_Made]) -> Iterator[Finding]:
    """Later ones have not pushed earlier ones out, and what was sent is still known at the end."""
    if probe.life.read is None:
        return
    probe.target.wait(probe.traits.settle_s if probe.target.is_mock else 0.5)
    for new in made:
        item, exchanged = probe.read(new.id)
        if item is None:
            yield probe.finding(
                "an execution that was started is gone a little later",
                f"{new.id}",
                str(exchanged.status),
                (new.exchanged, exchanged),
                operation=new.ask.operation,
                symptom=signs.answered(exchanged),
            )
            continue
        try:
            kept = new.start.echo(new.ask, new.index)
        except UNREADABLE:
            continue
        for name in probe.life.constants:
            if name in kept and item.get(name) != kept[name]:
                yield probe.finding(
                    f"{name} of an execution is lost after a while",
                    f"{name}: {kept[name]!r}",
                    f"{name}: {item.get(name)!r}",
                    (new.exchanged, exchanged),
                    operation=new.ask.operation,
                    cause=f"{name} is not kept by {new.start.name}",
                    symptom=signs.differs((new.exchanged, exchanged), [name], kept[name]),
                )


CREATION = Check(
    "creation",
    "What is started can be read, with what was sent",
    all_of(executions, changing, _needs),
    _play,
)
