"""Reading changes nothing: asked twice the same, and no execution ends because it was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from mockexec.spec.operations import Operation
from mockexec.traits import Ask, Fact, Item
from mockexec.verify import signs
from mockexec.verify.checks.check import Check, nothing
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.plan import changes
from mockexec.verify.probe import Probe
from mockexec.verify.target import Exchanged

_EXECUTIONS = 4
_WITNESSES = 3


def _play(probe: Probe) -> Iterator[Finding]:
    acts = _acting(probe)
    for operation in probe.api.operations:
        if operation.method == "GET" and operation.id not in acts and not changes(operation):
            yield from _same_status(probe, operation)
    if probe.traits.life is None:
        return
    yield from _same_list(probe)
    if probe.life.read is not None:
        yield from _same_when_ended(probe)
        if probe.traits.starts and probe.target.can_change:
            for operation in _others(probe, acts):
                yield from _leaves_open(probe, operation)


def _acting(probe: Probe) -> set[str]:
    """The operations that are controls, whatever their method."""
    return {control.ask("1").operation for control in probe.traits.controls}


def _same_status(probe: Probe, operation: Operation) -> Iterator[Finding]:
    first, second = (probe.send(probe.sample(operation)) for _ in range(2))
    if first.status // 100 != second.status // 100:
        yield probe.finding(
            f"{operation.id}, asked twice, is answered with {first.status} and {second.status}",
            str(first.status),
            str(second.status),
            (first, second),
            operation=operation.id,
            symptom=signs.answered(second),
        )


def _same_list(probe: Probe) -> Iterator[Finding]:
    """Executions that have ended look the same in two listings, and none disappears."""
    first, second = probe.listed(), probe.listed()
    again = {probe.identify(item): item for item in second}
    operation = probe.traits.lists[0].operation if probe.traits.lists else ""
    exchanged = probe.send(probe.traits.lists[0].ask(probe.traits.lists[0].everything)) if (
        probe.traits.lists
    ) else None  # fmt: skip
    story = (exchanged,) if exchanged else ()
    for item in first:
        other = again.get(probe.identify(item))
        if probe.word(item) in probe.life.final and other is not None and other != item:
            changed = sorted(k for k in {*item, *other} if item.get(k) != other.get(k))
            yield probe.finding(
                f"{', '.join(changed)} of an ended execution differs between two listings",
                "two listings that show the same",
                f"{[item.get(k) for k in changed]}, then {[other.get(k) for k in changed]}",
                story,
                operation=operation,
            )
            return


def _same_when_ended(probe: Probe) -> Iterator[Finding]:
    words: dict[str | None, int] = {}
    for item in probe.listed():
        word, identifier = probe.word(item), probe.identify(item)
        if word not in probe.life.final or identifier is None or words.get(word, 0) >= 2:
            continue
        words[word] = words.get(word, 0) + 1
        yield from _same_thrice(probe, identifier)
    if probe.traits.starts and probe.target.can_change:
        for start in probe.starts(waits=False)[:2]:
            ids, _, begun = probe.start(start)
            for identifier in ids[:1]:
                ended, _ = probe.settle(identifier)
                if ended is not None:
                    yield from _same_thrice(probe, identifier, begun)


def _same_thrice(probe: Probe, identifier: str, *begun: Exchanged) -> Iterator[Finding]:
    reads = [probe.read(identifier) for _ in range(3)]
    seen: list[tuple[Item, Exchanged]] = [(i, e) for i, e in reads if i is not None]
    for (before, first), (after, second) in pairwise(seen):
        if before != after:
            changed = sorted(k for k in {*before, *after} if before.get(k) != after.get(k))
            yield probe.finding(
                f"reading an execution that has ended changes its {', '.join(changed)}",
                f"{[before.get(k) for k in changed]} as before",
                f"{[after.get(k) for k in changed]}",
                (*begun, first, second),
                operation=probe.life.read("").operation if probe.life.read else "",
                symptom=signs.facts(
                    (*begun, first, second),
                    after,
                    [Fact(name, "differs from") for name in changed],
                    before=len(begun),
                ),
            )
            return


def _others(probe: Probe, acts: set[str]) -> list[Operation]:
    """Other reading operations of an execution: they take the id under the same name."""
    if probe.life.read is None:
        return []
    ask = probe.life.read("1")
    own = probe.operation(ask.operation)
    name = next((n for n, value in ask.path.items() if value == "1"), "")
    return [
        op
        for op in probe.api.operations
        if op.method == "GET"
        and op.id not in {*acts, own.id}
        and op.path.startswith(own.path)
        and any(p.location == "path" and p.name == name for p in op.parameters)
    ]


def _leaves_open(probe: Probe, operation: Operation) -> Iterator[Finding]:
    """Of several that run, some are read by the other operation: those must not end for it."""
    if probe.life.read is None:
        return
    touched: list[tuple[bool, tuple[Exchanged, ...]]] = []
    spared: list[bool] = []
    start = (probe.starts(waits=True) or probe.starts(waits=False))[0]
    own = probe.life.read("1")
    name = next(n for n, value in own.path.items() if value == "1")
    for number in range(2 * _EXECUTIONS):
        ids, _, _ = probe.start(start)
        if not ids:
            return
        before, first = probe.read(ids[0])
        if before is None or probe.word(before) in probe.life.final:
            continue
        looks = number % 2 == 0
        ask = replace(Ask(operation.id), path={**own.path, name: ids[0]})
        look = (probe.send(ask),) if looks else ()
        after, last = probe.read(ids[0])
        ended = after is not None and probe.word(after) in probe.life.final
        if looks:
            touched.append((ended, (first, *look, last)))
        else:
            spared.append(ended)
    if len(touched) >= _WITNESSES and all(ended for ended, _ in touched) and not any(spared):
        yield probe.finding(
            f"{operation.id} ends a running execution, though it only reads",
            "an execution that runs on",
            f"{len(touched)} of {len(touched)} had ended after it was asked, "
            f"0 of {len(spared)} that were not",
            touched[0][1],
            operation=operation.id,
            severity=Severity.CRITICAL,
        )


IDEMPOTENT_READS = Check("idempotent_reads", "Reading changes nothing", nothing, _play)
