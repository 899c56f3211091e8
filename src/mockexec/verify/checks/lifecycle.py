"""Executions live as the table of states allows, and their fields go with their states.

Some are started (or, where nothing can be started, found running in the list) and read again and
again until they have ended, and then once more: nothing leaves a final state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mockexec.traits import Item, Life, Problem
from mockexec.verify import signs
from mockexec.verify.checks.check import Check, executions
from mockexec.verify.checks.truths import steps, truths
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.probe import UNREADABLE, Probe, Walk
from mockexec.verify.signs import Symptom
from mockexec.verify.target import Exchanged

_PER_STATE = 3
_FOLLOWED = 6
_AFTER_THE_END = 3
# How often one is read before it has ended: fresh ones end soon, others may take hours.
_LOOKS_FRESH = 40
_LOOKS_LISTED = 10


@dataclass(slots=True)
class _Followed:
    """An execution and how it was seen last; ``begun``: the request that started it, if one did."""

    id: str
    looks_max: int
    begun: tuple[Exchanged, ...] = ()
    seen: list[tuple[Item, Exchanged]] = field(default_factory=list)
    after_the_end: int = 0

    @property
    def is_done(self) -> bool:
        """Whether it was seen often enough."""
        return self.after_the_end > _AFTER_THE_END or len(self.seen) >= self.looks_max


def _play(probe: Probe) -> Iterator[Finding]:
    probe.announce()
    walk = _walk(probe)
    items = walk.items if walk else []
    yield from _listed(probe, items, walk.exchanges if walk else ())
    if probe.life.read is not None:
        yield from _read_some(probe, items, walk.exchanges if walk else ())
        yield from _follow(probe, items)
    elif walk is not None:
        yield from _look_again(probe, walk)


def _walk(probe: Probe) -> Walk | None:
    if not probe.traits.lists:
        return None
    listing = probe.traits.lists[0]
    return probe.walk(listing, listing.everything)


def _listed(
    probe: Probe, items: Sequence[Item], exchanges: tuple[Exchanged, ...]
) -> Iterator[Finding]:
    """What the list shows of each is true, and what must differ differs."""
    operation = probe.traits.lists[0].operation if probe.traits.lists else ""
    shown = probe.traits.lists[0].same if probe.traits.lists else ()
    told: set[str] = set()
    for item in items:
        for problem in truths(probe.life, item, shown):
            if problem.title not in told:
                told.add(problem.title)
                yield _broken(probe, problem, operation, exchanges[-1:], item)
    for name in probe.life.unique:
        seen: dict[str, str] = {}
        for item in items:
            identifier, value = probe.identify(item), item.get(name)
            if not isinstance(value, str) or identifier is None:
                continue
            if seen.setdefault(value, identifier) != identifier:
                yield probe.finding(
                    f"two executions have the same {name}",
                    f"{name} differs from execution to execution",
                    f"{identifier} and {seen[value]} both have {value}",
                    exchanges[-1:],
                    operation=operation,
                )
                break


def _read_some(
    probe: Probe, items: Sequence[Item], shown: tuple[Exchanged, ...]
) -> Iterator[Finding]:
    """Some of each state, read: each is there, is true, and is as the list shows it."""
    listing = probe.traits.lists[0] if probe.traits.lists else None
    by_word: dict[str | None, list[Item]] = defaultdict(list)
    for item in items:
        by_word[probe.word(item)].append(item)
    for word, found in by_word.items():
        # The oldest too: what is listed must be readable as long as it is.
        chosen = probe.random.sample(found, min(_PER_STATE, len(found)))
        if word in probe.life.final:
            chosen.append(found[-1])
        for item in chosen:
            identifier = probe.identify(item)
            if identifier is None:
                continue
            read, exchanged = probe.read(identifier)
            operation = _read_operation(probe.life)
            if exchanged.status in probe.life.gone:
                yield probe.finding(
                    "a listed execution cannot be read",
                    f"200 for {identifier}, which the list shows as {word}",
                    str(exchanged.status),
                    (*shown[-1:], exchanged),
                    operation=operation,
                    symptom=_listed_and_gone(probe, items, identifier, (*shown[-1:], exchanged)),
                )
            if read is None:
                continue
            for problem in truths(probe.life, read):
                yield _broken(probe, problem, operation, (exchanged,), read)
            if probe.identify(read) != identifier:
                yield probe.finding(
                    "reading an execution gives another one",
                    identifier,
                    str(probe.identify(read)),
                    (exchanged,),
                    operation=operation,
                    severity=Severity.CRITICAL,
                )
            elif listing is not None:
                yield from _agree(probe, item, read, (*shown[-1:], exchanged))


def _listed_and_gone(
    probe: Probe, items: Sequence[Item], identifier: str, story: tuple[Exchanged, ...]
) -> Symptom | None:
    """The symptom of an execution that the list shows, and that cannot be read."""
    wrong = "an item is there that should not be"
    return signs.every(
        probe.listed_wrong(story[0], items, wrong, (0,), named=[identifier]),
        signs.answered(story[-1]),
    )


def _agree(
    probe: Probe, listed: Item, read: Item, story: tuple[Exchanged, ...]
) -> Iterator[Finding]:
    """The list and the execution agree: in all once it has ended, before in what never changes."""
    listing = probe.traits.lists[0]
    word = probe.word(listed)
    if word in probe.life.final and probe.word(read) != word:
        yield probe.finding(
            f"an execution that the list shows as {word} is {probe.word(read)} when it is read",
            word or "",
            str(probe.word(read)),
            story,
            operation=listing.operation,
            cause="the list and the execution differ in their state",
            symptom=signs.in_state(story, read, probe.word(read)),
        )
        return
    for name in listing.same:
        if word not in probe.life.final and name not in probe.life.constants:
            continue
        if listed.get(name) != read.get(name):
            yield probe.finding(
                f"the list shows another {name} than reading the execution"
                f" (status {probe.word(read)})",
                f"{name}: {read.get(name)!r}",
                f"{name}: {listed.get(name)!r} in the list",
                story,
                operation=listing.operation,
                cause=f"the list and the execution differ in {name}",
                symptom=signs.disagree(story, listed, read, name),
            )


def _follow(probe: Probe, items: Sequence[Item]) -> Iterator[Finding]:
    """From the first look to the end, and beyond it."""
    followed = _chosen(probe, items)
    told: set[str] = set()
    for _ in probe.ticks():
        for one in [one for one in followed if not one.is_done]:
            # Several at once after the end: a replica that lags shows the past every other time.
            for _again in range(1 if one.after_the_end == 0 else _AFTER_THE_END):
                for problem, exchanges in _look(probe, one):
                    if problem.title not in told:
                        told.add(problem.title)
                        yield _broken(
                            probe, problem, _read_operation(probe.life), exchanges, one.seen[-1][0]
                        )
        if all(one.is_done for one in followed):
            break
    ended = [one for one in followed if one.after_the_end]
    if ended:
        # Whatever counts whole seconds has moved on by then, if it does.
        probe.target.wait(probe.traits.settle_s if probe.target.is_mock else 1.2)
    for one in ended:
        for problem, exchanges in _look(probe, one):
            if problem.title not in told:
                told.add(problem.title)
                operation = _read_operation(probe.life)
                yield _broken(probe, problem, operation, exchanges, one.seen[-1][0])
    if ended and probe.traits.lists:
        yield from _list_follows(probe, ended)


def _chosen(probe: Probe, items: Sequence[Item]) -> list[_Followed]:
    """Fresh executions where there can be some, and open ones of the list."""
    fresh: dict[str, Exchanged] = {}
    if probe.target.can_change:
        for start in probe.traits.starts:
            for _ in range(1 if start.waits else 2):
                ids, _, exchanged = probe.start(start)
                fresh |= dict.fromkeys(ids[:2], exchanged)
    open_ = [
        identifier
        for item in items
        if probe.word(item) not in probe.life.final
        and (identifier := probe.identify(item)) is not None
        and identifier not in fresh
    ]
    some = probe.random.sample(open_, min(3 if fresh else _FOLLOWED, len(open_)))
    looks = _LOOKS_LISTED if fresh else _LOOKS_FRESH
    return [
        *(_Followed(one, _LOOKS_FRESH, (begun,)) for one, begun in fresh.items()),
        *(_Followed(one, looks) for one in some),
    ]


def _look(probe: Probe, one: _Followed) -> Iterator[tuple[Problem, tuple[Exchanged, ...]]]:
    item, exchanged = probe.read(one.id)
    if item is None:
        if one.seen and exchanged.status in probe.life.gone:
            one.after_the_end = _AFTER_THE_END + 1
            gone = Problem("an execution that could be read is gone", "200", str(exchanged.status))
            yield gone, (*one.begun, one.seen[-1][1], exchanged)
        return
    problems = [*truths(probe.life, item)]
    before = one.seen[-1] if one.seen else None
    one.seen.append((item, exchanged))
    for problem in problems:
        yield problem, (*one.begun, exchanged)
    if before is not None:
        for problem in steps(probe.life, before[0], item):
            yield problem, (*one.begun, before[1], exchanged)
    if one.after_the_end or probe.word(item) in probe.life.final:
        one.after_the_end += 1


def _list_follows(probe: Probe, ended: Sequence[_Followed]) -> Iterator[Finding]:
    """The list knows of the end, too."""
    listing = probe.traits.lists[0]
    walk = probe.walk(listing, listing.everything)
    shown = {probe.identify(item): item for item in walk.items}
    for one in ended:
        item, exchanged = one.seen[-1]
        word = probe.word(item)
        listed = shown.get(one.id)
        if listed is None:
            continue
        seen = probe.word(listed)
        if listing.only is not None and word not in listing.only:
            yield probe.finding(
                f"the list still shows an execution that is {word}",
                f"only executions that are {', '.join(sorted(listing.only))}",
                f"{one.id}, as {seen}",
                (exchanged, *walk.exchanges[-1:]),
                operation=listing.operation,
                symptom=signs.in_state((exchanged, *walk.exchanges[-1:]), listed, seen),
            )
        elif seen != word and word in probe.life.final:
            yield probe.finding(
                f"the list shows an execution as {seen} that is {word}",
                f"{one.id} as {word}",
                f"as {seen}",
                (exchanged, *walk.exchanges[-1:]),
                operation=listing.operation,
                cause="the list lags behind",
                symptom=signs.in_state((exchanged, *walk.exchanges[-1:]), listed, seen),
            )
        else:
            yield from _agree(probe, listed, item, (*walk.exchanges[-1:], exchanged))


def _look_again(probe: Probe, first: Walk) -> Iterator[Finding]:
    """Where only ended executions are listed: they stay as they are."""
    probe.target.wait(60 if probe.target.is_mock else 0.6)
    second = _walk(probe)
    if second is None:
        return
    operation = probe.traits.lists[0].operation
    before = {probe.identify(item): item for item in first.items}
    for item in second.items:
        was = before.get(probe.identify(item))
        if was is None:
            for problem in truths(probe.life, item):
                yield _broken(probe, problem, operation, second.exchanges[-1:], item)
            continue
        for problem in steps(probe.life, was, item):
            exchanges = (*first.exchanges[-1:], *second.exchanges[-1:])
            yield _broken(probe, problem, operation, exchanges, item)


def _broken(
    probe: Probe, problem: Problem, operation: str, exchanges: Sequence[Exchanged], item: Item
) -> Finding:
    who = probe.identify(item) or "an execution"
    return probe.finding(
        problem.title,
        problem.expected,
        f"{who}: {problem.got}",
        exchanges,
        operation=problem.operation or operation,
        symptom=signs.of_problem(exchanges, item, problem),
    )


def _read_operation(life: Life) -> str:
    try:
        return life.read("").operation if life.read else ""
    except UNREADABLE:
        return ""


LIFECYCLE = Check("lifecycle", "Executions go from state to state as they may", executions, _play)
