"""Another principal sees nothing of what is not its own, and changes nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

from mockexec.traits import Ask, Fact, Item, Ownership
from mockexec.verify import signs
from mockexec.verify.checks.check import Check
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.probe import UNREADABLE, Probe, answer_of
from mockexec.verify.target import Exchanged

_EXECUTIONS = 3


def _needs(probe: Probe) -> str | None:
    if probe.traits.ownership is None:
        return "the API declares no owners"
    return None if probe.target.has_other else "there is no second principal (--other-token)"


def _play(probe: Probe) -> Iterator[Finding]:
    ownership = probe.traits.ownership
    if ownership is None:
        return
    for ask in ownership.closed:
        exchanged = probe.send(ask)
        if 200 <= exchanged.status < 300:
            yield _leak(probe, ask, exchanged, (exchanged,))
    ids = _ids(probe)
    yield from _lists(probe, ownership, [*ids])
    if probe.traits.life is None or probe.life.read is None:
        return
    for identifier, begun in [*ids.items()][:_EXECUTIONS]:
        yield from _reads(probe, ownership, identifier, begun)
    if probe.target.can_change:
        yield from _changes(probe, ownership)


def _ids(probe: Probe) -> dict[str, tuple[Exchanged, ...]]:
    """Executions of main's, and how they came about: fresh ones, then of each state in the list."""
    ids: dict[str, tuple[Exchanged, ...]] = {}
    if probe.target.can_change:
        for start in probe.traits.starts[:1]:
            fresh, _, exchanged = probe.start(start)
            ids |= dict.fromkeys(fresh, (exchanged,))
    if probe.traits.life is None:
        return ids
    words: set[str | None] = set()
    for item in probe.listed():
        identifier = probe.identify(item)
        if identifier is not None and probe.word(item) not in words:
            words.add(probe.word(item))
            ids.setdefault(identifier, ())
    return ids


def _lists(probe: Probe, ownership: Ownership, ids: list[str]) -> Iterator[Finding]:
    ours = set(ids) | {probe.identify(item) for item in probe.listed()}
    for ask in ownership.lists:
        exchanged = probe.send(ask)
        answer = answer_of(exchanged)
        listing = next((one for one in probe.traits.lists if one.operation == ask.operation), None)
        if not answer.ok or listing is None:
            continue
        try:
            theirs = {probe.identify(item) for item in listing.items(answer.body)}
        except UNREADABLE:
            continue
        if ours & theirs:
            yield probe.finding(
                "the list of another principal holds executions of ours",
                "executions of its own",
                f"{min(map(str, ours & theirs))}, which is ours",
                (exchanged,),
                operation=ask.operation,
                severity=Severity.CRITICAL,
            )


def _reads(
    probe: Probe, ownership: Ownership, identifier: str, begun: tuple[Exchanged, ...]
) -> Iterator[Finding]:
    for ask in ownership.reads(identifier):
        exchanged = probe.send(ask)
        if 200 <= exchanged.status < 300:
            yield _leak(probe, ask, exchanged, (*begun, exchanged))
        elif exchanged.status not in ownership.refused:
            yield _unclear(probe, ask, exchanged, ownership)
    for ask in ownership.open(identifier):
        exchanged = probe.send(ask)
        if exchanged.status in {401, 403, 404}:
            yield probe.finding(
                "another principal may not read what everyone may read",
                "200",
                str(exchanged.status),
                (exchanged,),
                operation=ask.operation,
                severity=Severity.MEDIUM,
                symptom=signs.answered(exchanged),
            )
        elif probe.life.read is not None and ask.operation == probe.life.read("").operation:
            yield from _same_for_all(probe, identifier, exchanged)


def _same_for_all(probe: Probe, identifier: str, theirs: Exchanged) -> Iterator[Finding]:
    """What never changes of an execution does not depend on who looks at it."""
    ours, exchanged = probe.read(identifier)
    shown = answer_of(theirs).body
    if ours is None or not isinstance(shown, dict):
        return
    for name in probe.life.constants:
        if ours.get(name) != shown.get(name):
            yield probe.finding(
                f"{name} of an execution depends on who reads it",
                f"{name}: {ours.get(name)!r}, as its owner sees it",
                f"{name}: {shown.get(name)!r}",
                (exchanged, theirs),
                operation=probe.life.read("").operation if probe.life.read else "",
                symptom=signs.facts(
                    (exchanged, theirs), shown, [Fact(name, "differs from")], before=0
                ),
            )


def _leak(probe: Probe, ask: Ask, exchanged: Exchanged, story: tuple[Exchanged, ...]) -> Finding:
    who = "another principal" if ask.principal == "other" else "we"
    whose = "ours" if ask.principal == "other" else "another principal's"
    reads = probe.operation(ask.operation).method == "GET" or not ask.operation.startswith(
        ("cancel", "terminate", "signal", "create", "run", "submit")
    )
    what = "read" if reads else "change"
    return probe.finding(
        f"{who} can {what} what is {whose} ({ask.operation})",
        "a refusal (403 or 404)",
        f"{exchanged.status} {exchanged.text[:160]}",
        story,
        operation=ask.operation,
        severity=Severity.CRITICAL,
        cause=f"leak in {ask.operation} to {ask.principal}",
        symptom=signs.accepted(),
    )


def _unclear(probe: Probe, ask: Ask, exchanged: Exchanged, ownership: Ownership) -> Finding:
    return probe.finding(
        f"another principal is refused with {exchanged.status} ({ask.operation})",
        f"one of {', '.join(map(str, sorted(ownership.refused)))}",
        str(exchanged.status),
        (exchanged,),
        operation=ask.operation,
        severity=Severity.LOW,
        symptom=signs.answered(exchanged),
    )


def _changes(probe: Probe, ownership: Ownership) -> Iterator[Finding]:
    """Refused, and without effect: the execution is as open as before."""
    for number in range(len(ownership.changes(""))):
        opened = probe.open_one()
        if opened is None:
            return
        identifier, before, story = opened
        ask = ownership.changes(identifier)[number]
        exchanged = probe.send(ask)
        if 200 <= exchanged.status < 300:
            yield _changed(probe, ask, exchanged, (*story, exchanged))
            continue
        after, read = probe.read(identifier)
        # Its own end may have come meanwhile; one that others brought about is none of its ways.
        if exchanged.status not in ownership.refused:
            if after is None or probe.word(after) not in probe.life.final:
                yield _unclear(probe, ask, exchanged, ownership)
        elif after is not None and _was_stopped(probe, before, after):
            yield probe.finding(
                f"a refused request of another principal has its effect ({ask.operation})",
                f"{probe.word(before)}, as before",
                f"{probe.word(after)}",
                (*story, exchanged, read),
                operation=ask.operation,
                severity=Severity.CRITICAL,
                symptom=signs.in_state((*story, exchanged, read), after, probe.word(after)),
            )


def _changed(probe: Probe, ask: Ask, exchanged: Exchanged, story: tuple[Exchanged, ...]) -> Finding:
    return probe.finding(
        f"another principal can change what is ours ({ask.operation})",
        "a refusal (403 or 404)",
        f"{exchanged.status} {exchanged.text[:160]}",
        story,
        operation=ask.operation,
        severity=Severity.CRITICAL,
        cause=f"leak in {ask.operation} to {ask.principal}",
        symptom=signs.accepted(),
    )


def _was_stopped(probe: Probe, before: Item, after: Item) -> bool:
    """Whether it came to an end that only one of the controls brings about."""
    stops = {word for control in probe.traits.controls for word in control.ends}
    return probe.word(before) != probe.word(after) and probe.word(after) in stops


OWNERSHIP = Check("ownership", "Nobody sees or changes what is another's", _needs, _play)
