"""What is done to an execution has its effect: on that one alone, and none when it has ended."""

from __future__ import annotations

from collections.abc import Iterator

from mockexec.traits import Control, Item
from mockexec.verify import signs
from mockexec.verify.checks.check import Check, all_of, changing, executions
from mockexec.verify.checks.truths import steps, truths
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.probe import UNREADABLE, Probe, answer_of
from mockexec.verify.signs import Symptom
from mockexec.verify.symptoms import parsed
from mockexec.verify.target import Exchanged

_TRIES = 4
_ENDED_PER_STATE = 1
_LOOKS_AFTER = 6


def _needs(probe: Probe) -> str | None:
    return None if probe.traits.controls else "the API declares nothing to be done to executions"


def _play(probe: Probe) -> Iterator[Finding]:
    for control in probe.traits.controls:
        yield from _on_an_open_one(probe, control)
        if control.repeats:
            yield from _repeated(probe, control)
        yield from _on_ended_ones(probe, control)


def _on_an_open_one(probe: Probe, control: Control) -> Iterator[Finding]:
    """In every state that is open, by an execution that waits for somebody and one that works."""
    bystander = probe.open_one(control) if probe.traits.starts else None
    words = [word for word in probe.life.states if word not in probe.life.final]
    kinds = [(word, waits) for word in words for waits in (True, False)]
    if not probe.traits.starts:
        kinds = kinds[:1]
    elif control.starts or not probe.starts(waits=True):
        kinds = [(word, waits) for word, waits in kinds if waits]
    for word, waits in kinds:
        yield from _tried(probe, control, word, waits, bystander)


def _tried(
    probe: Probe,
    control: Control,
    word: str,
    waits: bool,
    bystander: tuple[str, Item, list[Exchanged]] | None,
) -> Iterator[Finding]:
    operation = control.ask("1").operation
    for _ in range(_TRIES):
        opened = probe.open_one(control, waits=waits, word=word)
        if opened is None:
            return
        identifier, before, story = opened
        exchanged = probe.send(control.ask(identifier))
        story = [*story, exchanged]
        if exchanged.status < 400:
            yield from _answered(probe, control, before, exchanged, story)
            yield from _had_effect(probe, control, identifier, before, story)
            if bystander is not None and bystander[0] != identifier:
                yield from _spared(probe, control, bystander, story)
            return
        now, read = probe.read(identifier)
        if now is not None and probe.word(now) not in probe.life.final:
            if exchanged.status < 500:
                yield probe.finding(
                    f"{control.name} of an execution that is {probe.word(now)} is refused",
                    "2xx",
                    f"{exchanged.status} {exchanged.text[:160]}",
                    (*story, read),
                    operation=operation,
                    symptom={**signs.refused(), "answer": -2},
                )
            return
        # It had ended meanwhile: another try.


def _answered(
    probe: Probe,
    control: Control,
    before: Item,
    exchanged: Exchanged,
    story: list[Exchanged],
) -> Iterator[Finding]:
    try:
        problem = control.answers(before, answer_of(exchanged))
    except UNREADABLE:
        return
    if problem is not None:
        yield probe.finding(
            problem.title, problem.expected, problem.got, story,
            operation=control.ask("1").operation, symptom=signs.of_problem(story, None, problem),
        )  # fmt: skip


def _had_effect(
    probe: Probe, control: Control, identifier: str, before: Item, story: list[Exchanged]
) -> Iterator[Finding]:
    operation = control.ask("1").operation
    after, read = probe.read(identifier)
    if after is None:
        yield probe.finding(
            f"an execution cannot be read after {control.name}",
            "200", str(read.status), (*story, read), operation=operation,
        )  # fmt: skip
        return
    if control.at_once and control.ends and probe.word(after) not in control.ends:
        yield probe.finding(
            f"{control.name} is answered with {story[-1].status}, and has no effect at once",
            f"{' or '.join(sorted(control.ends))} at the next read",
            f"{probe.word(after)}",
            (*story, read),
            operation=operation,
            cause=f"{control.name} has no effect",
            symptom=signs.in_state((*story, read), after, probe.word(after)),
        )
    if probe.word(after) not in probe.life.final:
        yield from _still_listed(probe, control, identifier, story)
    last, reads = after, [read]
    if control.ends:
        ended, more = probe.settle(identifier)
        reads += more
        if ended is None or probe.word(ended) not in control.ends:
            became = "still open" if ended is None else str(probe.word(ended))
            yield probe.finding(
                f"{control.name} is accepted, and the execution becomes {became} all the same"
                if ended is not None
                else f"{control.name} is accepted, and the execution stays open",
                f"{' or '.join(sorted(control.ends))}",
                became,
                (*story, *reads[:1], *reads[-1:]),
                operation=operation,
                cause=f"{control.name} has no effect",
                symptom=_not_in(probe, control, reads[-1], len(story) + len(reads[:1])),
            )
            return
        last = ended
        yield from _tells(probe, control, before, ended, (*story, reads[-1]))
    yield from _stays(probe, control, identifier, last, (*story, reads[-1]))


def _not_in(probe: Probe, control: Control, read: Exchanged, number: int) -> Symptom | None:
    """The symptom of an execution that is, in that answer, in no state it should be in."""
    shown = parsed(read.text)
    words = probe.life.states
    found = shown.items() if isinstance(shown, dict) else ()
    fields = [name for name, value in found if isinstance(value, str) and value in words]
    if not fields:
        return None
    fact = {"answer": number, "path": fields[:1], "relation": "differs from"}
    return {"kind": "facts", "facts": [{**fact, "other": word} for word in sorted(control.ends)]}


def _still_listed(
    probe: Probe, control: Control, identifier: str, story: list[Exchanged]
) -> Iterator[Finding]:
    """As long as it is open the list shows it, whatever was asked for."""
    if not (probe.traits.lists and probe.traits.starts):
        return
    listing = probe.traits.lists[0]
    walk = probe.walk(listing, listing.everything)
    now, read = probe.read(identifier)
    is_open = now is not None and probe.word(now) not in probe.life.final
    if walk.complete and is_open and identifier not in map(probe.identify, walk.items):
        yield probe.finding(
            f"an execution that is open after {control.name} is not in the list",
            f"{identifier} in the list, as it is still {probe.word(now) if now else ''}",
            f"{len(walk.items)} others",
            (*story, *walk.exchanges[-1:], read),
            operation=listing.operation,
        )


def _tells(
    probe: Probe,
    control: Control,
    before: Item,
    after: Item,
    story: tuple[Exchanged, ...],
) -> Iterator[Finding]:
    """The execution shows what was done to it."""
    operation = control.ask("1").operation
    problems = [*truths(probe.life, after)]
    try:
        shown = control.shows(before, after)
    except UNREADABLE:
        shown = None
    if shown is not None:
        problems.append(shown)
    problems += steps(probe.life, before, after)
    for problem in problems:
        yield probe.finding(
            f"after {control.name}: {problem.title}", problem.expected, problem.got, story,
            operation=operation, symptom=signs.of_problem(story, after, problem),
        )  # fmt: skip


def _stays(
    probe: Probe, control: Control, identifier: str, last: Item, story: tuple[Exchanged, ...]
) -> Iterator[Finding]:
    """What was to happen without it does not happen any more."""
    if probe.word(last) not in probe.life.final:
        return
    for number in range(_LOOKS_AFTER):
        probe.target.wait(probe.traits.settle_s / 3 if probe.target.is_mock else 0.1)
        if number % 2 == 0:
            continue
        later, read = probe.read(identifier)
        for problem in steps(probe.life, last, later) if later is not None else ():
            yield probe.finding(
                f"after {control.name}: {problem.title}", problem.expected, problem.got,
                (*story, read), operation=control.ask("1").operation,
                symptom=signs.of_problem((*story, read), later, problem),
            )  # fmt: skip
            return


def _spared(
    probe: Probe,
    control: Control,
    bystander: tuple[str, Item, list[Exchanged]],
    story: list[Exchanged],
) -> Iterator[Finding]:
    """Another execution has gone its own way."""
    now, read = probe.read(bystander[0])
    if now is not None and control.ends and probe.word(now) in control.ends:
        own_ways = control.ends - {"failed"}
        if probe.word(now) in own_ways:
            yield probe.finding(
                f"{control.name} of one execution ends another one",
                f"{probe.word(bystander[1])}",
                str(probe.word(now)),
                (*bystander[2], *story, read),
                operation=control.ask("1").operation,
                severity=Severity.CRITICAL,
                symptom=signs.in_state((read,), now, probe.word(now)),
            )


def _repeated(probe: Probe, control: Control) -> Iterator[Finding]:
    opened = probe.open_one(control)
    if opened is None:
        return
    identifier, _, story = opened
    first = probe.send(control.ask(identifier))
    if first.status >= 400:
        return
    second = probe.send(control.ask(identifier))
    now, read = probe.read(identifier)
    if second.status >= 400 and now is not None and probe.word(now) not in probe.life.final:
        yield probe.finding(
            f"{control.name} while it is under way is refused",
            str(first.status),
            f"{second.status} {second.text[:160]}",
            (*story, first, second, read),
            operation=control.ask("1").operation,
            severity=Severity.MEDIUM,
        )
    ended, more = probe.settle(identifier)
    if control.ends and (ended is None or probe.word(ended) not in control.ends):
        yield probe.finding(
            f"{control.name}, asked for twice, does not end the execution",
            " or ".join(sorted(control.ends)),
            "still open" if ended is None else str(probe.word(ended)),
            (*story, first, second, *more[-1:]),
            operation=control.ask("1").operation,
            cause=f"{control.name} has no effect",
        )


def _on_ended_ones(probe: Probe, control: Control) -> Iterator[Finding]:
    """Refused, and nothing changes."""
    for identifier, begun in _ended(probe):
        before, first = probe.read(identifier)
        if before is None:
            continue
        word = probe.word(before)
        exchanged = probe.send(control.ask(identifier))
        after, read = probe.read(identifier)
        story = (*begun, first, exchanged, read)
        operation = control.ask("1").operation
        changed = [*steps(probe.life, before, after)] if after is not None else []
        if changed:
            yield probe.finding(
                f"{control.name} of an execution that is {word} changes it:"
                f" {changed[0].title}",
                changed[0].expected, changed[0].got, story,
                operation=operation, severity=Severity.CRITICAL,
                cause=f"{control.name} changes an ended execution",
                symptom=signs.of_problem(story, after, changed[0]),
            )  # fmt: skip
        elif exchanged.status < 400:
            yield probe.finding(
                f"{control.name} of an execution that is {word} is accepted",
                " or ".join(map(str, sorted(control.refused))), str(exchanged.status), story,
                operation=operation, cause=f"{control.name} of an ended execution is accepted",
                symptom={**signs.accepted(), "answer": -2},
            )  # fmt: skip
        elif exchanged.status not in control.refused and exchanged.status < 500:
            yield probe.finding(
                f"{control.name} of an execution that is {word} is refused with"
                f" {exchanged.status}",
                " or ".join(map(str, sorted(control.refused))), str(exchanged.status), story,
                operation=operation, severity=Severity.LOW,
                cause=f"{control.name} of an ended execution is refused with {exchanged.status}",
                symptom={**signs.answered(exchanged), "answer": -2},
            )  # fmt: skip


_Ended = tuple[str, tuple[Exchanged, ...]]


def _ended(probe: Probe) -> list[_Ended]:
    """One or two of each state that is final: some of the list, some just ended, with how."""
    found: dict[str | None, list[_Ended]] = {}
    for item in probe.listed():
        word, identifier = probe.word(item), probe.identify(item)
        if word in probe.life.final and identifier is not None:
            known = found.setdefault(word, [])
            if len(known) < _ENDED_PER_STATE:
                known.append((identifier, ()))
    stops = {word for control in probe.traits.controls for word in control.ends}
    # First those that ended by themselves: what is wrong tells more there.
    ids = [one for word, known in found.items() if word not in stops for one in known]
    ids += [one for word, known in found.items() if word in stops for one in known]
    for start in probe.starts(waits=False)[:2]:
        begun_ids, _, exchanged = probe.start(start)
        for identifier in begun_ids[:1]:
            if probe.settle(identifier)[0] is not None:
                ids.append((identifier, (exchanged,)))
    if not found:
        ids += _brought_to_an_end(probe)
    return ids


def _brought_to_an_end(probe: Probe) -> list[_Ended]:
    """Where the list shows open ones only: one ended by each control."""
    ids: list[_Ended] = []
    for control in probe.traits.controls:
        opened = probe.open_one(control) if control.ends and probe.traits.starts else None
        if opened is None:
            continue
        exchanged = probe.send(control.ask(opened[0]))
        if exchanged.status < 400 and probe.settle(opened[0])[0] is not None:
            ids.append((opened[0], (*opened[2], exchanged)))
    return ids


CONTROLS = Check(
    "controls",
    "Cancelling and the like do what they say",
    all_of(executions, changing, _needs),
    _play,
)
