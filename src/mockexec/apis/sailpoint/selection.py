"""Which executions a filter selects: for each status, windows of start time.

The list supports ``start_time`` with ``eq``, ``lt``, ``le``, ``gt``, ``ge`` and ``status`` with
``eq`` (the source document). Every expression over these two is a union of windows of time for each
status, so a filter is worked out once, exactly and to the nanosecond, and no execution is looked
at that is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce

from mockexec.apis.sailpoint.filters import (
    And,
    Comparison,
    Expression,
    Not,
    UnsupportedFilterError,
    Value,
)
from mockexec.simulation.instants import INSTANT_MAX, INSTANT_MIN, parse_instant

# A window is [from, to) in nanoseconds; windows stand in order and do not touch.
Window = tuple[int, int]
Windows = tuple[Window, ...]
# The windows of every status; a status without any is there with ().
Selection = Mapping[str, Windows]

ALWAYS: Windows = ((INSTANT_MIN - 1, INSTANT_MAX + 1_000_000_000),)
NEVER: Windows = ()

_SUPPORTED = {"start_time": ("eq", "lt", "le", "gt", "ge"), "status": ("eq",)}
_DAY_OR_MORE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)


def select(expression: Expression | None, statuses: tuple[str, ...]) -> Selection:
    """What ``expression`` selects of executions with ``statuses``; None selects all.

    Raises:
        UnsupportedFilterError: the list does not support one of its fields, operators or values.
    """
    if expression is None:
        return dict.fromkeys(statuses, ALWAYS)
    if isinstance(expression, Comparison):
        return _compare(expression, statuses)
    if isinstance(expression, Not):
        part = select(expression.part, statuses)
        return {status: _complement(part[status]) for status in statuses}
    parts = [select(part, statuses) for part in expression.parts]
    join = intersect if isinstance(expression, And) else _unite
    return {status: reduce(join, [part[status] for part in parts]) for status in statuses}


def _compare(comparison: Comparison, statuses: tuple[str, ...]) -> Selection:
    field, operator = comparison.field, comparison.operator
    supported = _SUPPORTED.get(field)
    if supported is None:
        known = " and ".join(_SUPPORTED)
        raise UnsupportedFilterError(
            f'column {comparison.column}: the field "{field}" with the operator "{operator}" is '
            f"not supported here; the fields are {known}"
        )
    if operator not in supported:
        raise UnsupportedFilterError(
            f'column {comparison.column}: the field "{field}" does not support the operator '
            f'"{operator}"; it supports {", ".join(supported)}'
        )
    value = comparison.values[0]
    if field == "start_time":
        return dict.fromkeys(statuses, _window(operator, _instant(comparison, value)))
    if not value.quoted:
        raise UnsupportedFilterError(
            f'column {comparison.column}: the field "status" with the operator "{operator}" takes '
            f"a string in double quotes, got {value.text}"
        )
    wanted = value.text.casefold()
    return {name: ALWAYS if name.casefold() == wanted else NEVER for name in statuses}


def _instant(comparison: Comparison, value: Value) -> int:
    """The nanosecond of a date-time; a year, month or day stands for its first, in UTC."""
    whole = _DAY_OR_MORE.fullmatch(value.text)
    text = value.text
    if whole is not None:
        text = f"{whole[1]}-{whole[2] or '01'}-{whole[3] or '01'}T00:00:00Z"
    try:
        return parse_instant(text)
    except ValueError as error:
        raise UnsupportedFilterError(
            f'column {comparison.column}: the field "start_time" with the operator '
            f'"{comparison.operator}" takes a date-time: {error}'
        ) from None


def _window(operator: str, instant: int) -> Windows:
    (low, high) = ALWAYS[0]
    return {
        "eq": ((instant, instant + 1),),
        "lt": ((low, instant),),
        "le": ((low, instant + 1),),
        "gt": ((instant + 1, high),),
        "ge": ((instant, high),),
    }[operator]


def _complement(windows: Windows) -> Windows:
    edges = [ALWAYS[0][0], *(edge for window in windows for edge in window), ALWAYS[0][1]]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((low, high) for low, high in pairs if low < high)


def intersect(one: Windows, two: Windows) -> Windows:
    """The time that lies in both."""
    return tuple(
        (max(a[0], b[0]), min(a[1], b[1]))
        for a in one
        for b in two
        if max(a[0], b[0]) < min(a[1], b[1])
    )


def _unite(one: Windows, two: Windows) -> Windows:
    return _complement(intersect(_complement(one), _complement(two)))
