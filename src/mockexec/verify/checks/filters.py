"""Filters select what they say: every item satisfies them, and none that does is missing.

Generated expressions are compared with an unfiltered listing. Of one that selects wrongly, the
smallest part that does so by itself is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from mockexec.traits import (
    And,
    Compare,
    Expression,
    Field,
    Not,
    Or,
    holds,
)
from mockexec.verify import signs
from mockexec.verify.checks.check import Check
from mockexec.verify.checks.order import in_order
from mockexec.verify.checks.selection import Outcome, Selection, base_of
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.probe import UNREADABLE, Probe, answer_of

_TREES = 16
_SINGLES_PER_FIELD = 5


def _needs(probe: Probe) -> str | None:
    if any(listing.filtering for listing in probe.traits.lists):
        return None
    return "the API declares no filters"


def _play(probe: Probe) -> Iterator[Finding]:
    for listing in probe.traits.lists:
        if listing.filtering is None:
            continue
        base, items = base_of(probe, listing)
        if not items:
            continue
        filters = Selection(probe, listing, base, items)
        yield from _singles(filters)
        wrong = 0
        for finding in _trees(filters):
            wrong += 1
            yield finding
        if not wrong:
            yield from _hidden(filters)
        yield from _refused(filters)


# Comparisons by themselves


def _singles(filters: Selection) -> Iterator[Finding]:
    for field in filters.filtering.fields:
        if field.hidden:
            continue
        chosen = _comparisons(filters, field)
        # The declared values always: they are declared since they tell something.
        some = [one for one in chosen if _is_declared(one)]
        others = [one for one in chosen if one not in some]
        some += filters.probe.random.sample(others, min(_SINGLES_PER_FIELD, len(others)))
        # Every operator with a value that an item has: bounds are misjudged there.
        for operator in field.operators:
            exact = [one for one in chosen if one.operator == operator][:1]
            some += [one for one in exact if one not in some]
        for comparison in some:
            yield from _judge(filters, comparison)


def _is_declared(comparison: Compare) -> bool:
    return comparison.operator != "in" and comparison.value in comparison.field.extra


def _comparisons(filters: Selection, field: Field) -> list[Compare]:
    found = []
    for operator in field.operators:
        if operator == "null":
            found.append(Compare(field, operator))
            continue
        values = _values(filters, field)
        if operator == "in":
            pairs = [*zip(values, values[1:] or values, strict=False)]
            found += [Compare(field, operator, tuple(dict.fromkeys(pair))) for pair in pairs]
        else:
            found += [Compare(field, operator, value) for value in values]
    return found


def _values(filters: Selection, field: Field) -> list[Any]:
    """Values that items have, values next to them, and the declared ones."""
    try:
        seen = [field.value(item) for item in filters.items]
    except UNREADABLE:
        seen = []
    known = list(dict.fromkeys(value for value in seen if value is not None))
    some = filters.probe.random.sample(known, min(3, len(known)))
    if field.near is not None:
        some += [field.near(value, step) for value in some[:2] for step in (1, -1)]
    elif some and field.is_text and len(some[0]) > 3:
        some.append(some[0][: len(some[0]) // 2])  # the beginning of a value is another value
    return [*some, *field.extra]


def _judge(filters: Selection, expression: Expression) -> Iterator[Finding]:
    outcome = filters.select(expression)
    if outcome is None:
        yield from _not_understood(filters, expression)
        return
    if not outcome.is_right:
        part, wrong = _smallest(filters, expression, outcome)
        yield _wrong(filters, part, wrong)
        return
    where = " with a filter"
    for order in filters.listing.orders[:1]:
        yield from in_order(
            filters.probe, filters.listing, order, outcome.got, outcome.exchanges[-1:], where
        )
    yield from _total(filters, outcome)


def _not_understood(filters: Selection, expression: Expression) -> Iterator[Finding]:
    written = filters.filtering.write(expression)
    exchanged, items = filters.probe.page(filters.listing, replace(filters.base, where=written))
    if items is None and 400 <= exchanged.status < 500:
        yield filters.probe.finding(
            f"a filter that the document allows is refused ({_name(expression)})",
            "the executions that satisfy it",
            f"{exchanged.status} {exchanged.text[:200]} for {written}",
            (exchanged,),
            operation=filters.listing.operation,
            cause=f"refuses {_name(expression)}",
            symptom=signs.refused(),
        )


def _total(filters: Selection, outcome: Outcome) -> Iterator[Finding]:
    total = filters.listing.total
    if total is None or not outcome.exchanges:
        return
    try:
        told = total(answer_of(outcome.exchanges[-1]))
    except UNREADABLE:
        return
    if told is not None and told != len(outcome.got):
        before = "without the filter" if told == len(filters.items) else "of something else"
        yield filters.probe.finding(
            f"the total of a filtered list is that {before}",
            f"{len(outcome.got)}, which the filter selects",
            str(told),
            outcome.exchanges[-1:],
            operation=filters.listing.operation,
            cause="a wrong total",
            symptom=signs.total(
                outcome.exchanges[-1], outcome.got, outcome.exchanges[-1], told, whole=-1
            ),
        )


# Naming what is wrong


def _smallest(
    filters: Selection, expression: Expression, outcome: Outcome
) -> tuple[Expression, Outcome]:
    """The innermost part that selects wrongly by itself."""
    for part in _parts(expression):
        inner = filters.select(part)
        if inner is not None and not inner.is_right:
            return _smallest(filters, part, inner)
    return expression, outcome


def _parts(expression: Expression) -> tuple[Expression, ...]:
    match expression:
        case And(parts) | Or(parts):
            return parts
        case Not(part):
            return (part,)
    return ()


def _wrong(filters: Selection, expression: Expression, outcome: Outcome) -> Finding:
    title = _title(filters, expression, outcome)
    said = [
        f"{len(outcome.extra)} that do not satisfy it, such as {outcome.extra[0]}"
        if outcome.extra
        else "",
        f"{len(outcome.missing)} that do are missing, such as {outcome.missing[0]}"
        if outcome.missing
        else "",
    ]
    return filters.probe.finding(
        title,
        f"the executions that satisfy {filters.filtering.write(expression)}",
        "; ".join(text for text in said if text)[:900],
        (*outcome.base, *outcome.exchanges[-1:]),
        operation=filters.listing.operation,
        symptom=filters.symptom(outcome),
    )


def _title(filters: Selection, expression: Expression, outcome: Outcome) -> str:
    """What the filter seems to do instead, if that can be told."""
    got = {filters.probe.identify(item) for item in outcome.got}
    for instead, words in _instead(expression):
        if got == {filters.probe.identify(i) for i in filters.items if holds(instead, i)}:
            return f"in a filter {words}"
    name = _name(expression)
    unknown = got - {filters.probe.identify(item) for item in filters.items}
    if unknown:
        return f"a filter with {name} gives items that the unfiltered list does not have"
    if len(got) == len(filters.items) and outcome.extra:
        return f"a filter with {name} selects everything"
    if not got:
        return f"a filter with {name} selects nothing"
    if outcome.extra and outcome.missing:
        return f"a filter with {name} selects the wrong items"
    if outcome.extra:
        return f"a filter with {name} selects items that do not satisfy it"
    return f"a filter with {name} leaves out items that satisfy it"


def _instead(expression: Expression) -> Iterator[tuple[Expression, str]]:
    match expression:
        case Or(parts):
            yield And(parts), "`or` selects as `and` does"
            yield parts[0], "only the first part of an `or` counts"
            yield parts[-1], "only the last part of an `or` counts"
            inner = [one for part in parts if isinstance(part, And) for one in part.parts]
            if inner:
                plain = tuple(part for part in parts if not isinstance(part, And))
                for mixed in _misread(plain, inner):
                    yield mixed, "`or` binds stronger than `and`"
        case And(parts):
            yield Or(parts), "`and` selects as `or` does"
            yield parts[0], "only the first part of an `and` counts"
            yield parts[-1], "only the last part of an `and` counts"
        case Not(part):
            yield part, "`not` has no effect"
            if isinstance(part, Or):
                yield Or((Not(part.parts[0]), *part.parts[1:])), "`not` reaches only what follows"
            if isinstance(part, And):
                yield And((Not(part.parts[0]), *part.parts[1:])), "`not` reaches only what follows"
        case Compare(field, "in", values):
            yield Compare(field, "in", values[:1]), "only the first value of an `in` counts"
            yield Compare(field, "in", values[-1:]), "only the last value of an `in` counts"
        case Compare(field, "eq", value) if field.folds:
            exact = replace(field, folds=False)
            yield (
                Compare(exact, "eq", value),
                f"`{field.name} eq` tells capitals from small letters",
            )
        case Compare(field, "lt" | "le" | "gt" | "ge" as operator, value):
            other = {"lt": "le", "le": "lt", "gt": "ge", "ge": "gt"}[operator]
            bound = "includes" if operator in {"lt", "gt"} else "leaves out"
            yield Compare(field, other, value), f"`{field.name} {operator}` {bound} the bound"


def _misread(plain: Sequence[Expression], inner: Sequence[Expression]) -> Iterator[Expression]:
    if plain:
        yield And((Or((*plain, inner[0])), *inner[1:]))
        yield And((*inner[:-1], Or((inner[-1], *plain))))


def _name(expression: Expression) -> str:
    match expression:
        case And():
            return "`and`"
        case Or():
            return "`or`"
        case Not():
            return "`not`"
        case Compare(field, operator, _):
            return f"`{field.name} {operator}`"
    raise TypeError(expression)


# Expressions of several parts


def _trees(filters: Selection) -> Iterator[Finding]:
    connectives = filters.filtering.connectives
    if not connectives:
        return
    shown = [field for field in filters.filtering.fields if not field.hidden]
    told: set[str] = set()
    # First the plain ones, in which every connective stands alone.
    for expression in (*_plain(filters, shown), *_generated(filters, shown)):
        for finding in _judge(filters, expression):
            if finding.cause not in told:
                told.add(finding.cause)
                yield finding


def _plain(filters: Selection, fields: Sequence[Field]) -> Iterator[Expression]:
    """Pairs that tell ``or`` from ``and``: each part selects something, and something else."""
    a, b = _telling(filters, fields)
    if a is None or b is None:
        return
    connectives = filters.filtering.connectives
    if "or" in connectives:
        yield Or((a, b))
        yield Or((b, a))
    if "and" in connectives:
        yield And((a, b))
    if "not" in connectives:
        yield Not(a)
        yield Not(Or((a, b)))
    if {"and", "or"} <= connectives:
        yield Or((a, And((b, a))))
        yield And((Or((a, b)), b))
        yield Not(Not(b))
        yield And((Not(a), b))
        yield Or((Not(a), b))


def _telling(filters: Selection, fields: Sequence[Field]) -> tuple[Compare | None, Compare | None]:
    """Two comparisons with items that satisfy both, only the one, and only the other."""
    candidates = [one for field in fields for one in _comparisons(filters, field)]
    filters.probe.random.shuffle(candidates)
    best: tuple[int, Compare | None, Compare | None] = (0, None, None)
    truths = [(one, [holds(one, item) for item in filters.items]) for one in candidates[:30]]
    for a, of_a in truths:
        for b, of_b in truths:
            if a.field is b.field and a.operator == b.operator:
                continue
            pairs = set(zip(of_a, of_b, strict=True))
            if len(pairs) > best[0]:
                best = (len(pairs), a, b)
    return best[1], best[2]


def _generated(filters: Selection, fields: Sequence[Field]) -> Iterator[Expression]:
    for _ in range(_TREES):
        yield _tree(filters, fields, 3)


def _tree(filters: Selection, fields: Sequence[Field], depth: int) -> Expression:
    random = filters.probe.random
    kinds = sorted(filters.filtering.connectives)
    if depth == 0 or random.random() < 0.25:
        return random.choice(_comparisons(filters, random.choice(fields)))
    kind = random.choice(kinds)
    if kind == "not":
        return Not(_tree(filters, fields, depth - 1))
    parts = tuple(_tree(filters, fields, depth - 1) for _ in range(random.choice((2, 2, 3))))
    return And(parts) if kind == "and" else Or(parts)


def _hidden(filters: Selection) -> Iterator[Finding]:
    """Of what is not shown, a filter and its negation share the list between them."""
    if "not" not in filters.filtering.connectives:
        return
    for field in filters.filtering.fields:
        if not field.hidden:
            continue
        for operator in field.operators:
            value = None if operator == "null" else field.extra[:1]
            one = Compare(field, operator, value[0] if operator == "eq" and value else value)
            yield from _complement(filters, one)


def _complement(filters: Selection, one: Compare) -> Iterator[Finding]:
    probe = filters.probe
    base = probe.walk(filters.listing, filters.base)
    walks = [
        probe.walk(
            filters.listing, replace(filters.base, where=filters.filtering.write(expression))
        )
        for expression in (one, Not(one))
    ]
    if not all(walk.complete for walk in (base, *walks)):
        return
    inside, outside = ({probe.identify(i) for i in walk.items} for walk in walks)
    lost = {probe.identify(i) for i in base.items} - inside - outside
    if inside & outside:
        what, which = "a filter and its `not` both select an item", inside & outside
    elif lost:
        what, which = "neither a filter nor its `not` selects an item", lost
    else:
        return
    yield probe.finding(
        f"{what} ({_name(one)})",
        "each item satisfies either the one or the other",
        min(map(str, which)),
        (*walks[0].exchanges[-1:], *walks[1].exchanges[-1:]),
        operation=filters.listing.operation,
    )


def _refused(filters: Selection) -> Iterator[Finding]:
    for where, reason in filters.filtering.refused:
        exchanged, items = filters.probe.page(filters.listing, replace(filters.base, where=where))
        if items is not None:
            # New ones may have come since.
            ignored = items and len(items) >= min(len(filters.items), filters.base.limit or 0)
            yield filters.probe.finding(
                f"a filter with {reason} is {'ignored' if ignored else 'accepted'}",
                "a refusal (400)",
                f"{exchanged.status} with {len(items)} items for {where}",
                (exchanged,),
                operation=filters.listing.operation,
                severity=Severity.MEDIUM,
                cause="a wrong filter is accepted",
                symptom=signs.accepted(),
            )


FILTERS = Check("filters", "Filters select what they say", _needs, _play)
