"""The filter of listExecutions: the union ``ExecutionFilter``, checked and made a predicate.

Source: the vendor's API definition of July 2026, which also says that not every operator is valid
for every field and that invalid combinations are refused. Inferred: an empty list of values or of
filters is refused; an absent field equals nothing, so ``not eq`` selects it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockexec.apis.foundry import wire
from mockexec.simulation.execution import Execution

DEPTH_MAX = 50
# The mock's own limit: a list looks at every execution with every filter, and must not hang.
_FILTERS_MAX = 250

Predicate = Callable[[Execution], bool]
_Text = Callable[[Execution], str | None]

_TEXT_FIELDS: Mapping[str, _Text] = {
    "status": wire.status,
    "userId": lambda execution: execution.owner or None,
    "callerRid": wire.caller_rid,
    "resourceVersion": wire.resource_version,
    "failureReason": wire.failure_reason,
    "foundryTraceId": lambda execution: execution.id,
    "traceOwningRid": wire.trace_owning_rid,
}
_NULLABLE_FIELDS = ("userId", "callerRid")
_FIELDS = (*_TEXT_FIELDS, "duration")

_UNITS_MS = {"MILLISECONDS": 1, "SECONDS": 1_000, "MINUTES": 60_000, "HOURS": 3_600_000}
_INTEGER_MAX = 2**31 - 1
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


class InvalidFilterError(Exception):
    """A filter breaks the rules at ``pointer``, a JSON pointer into the body, for ``reason``."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer} {reason}")
        self.pointer = pointer
        self.reason = reason


class Filter(NamedTuple):
    """A checked filter. Only executions with one of ``statuses`` can match it."""

    matches: Predicate
    statuses: frozenset[str]


_EVERY_STATUS = frozenset(wire.STATUSES)
EVERYTHING = Filter(lambda _execution: True, _EVERY_STATUS)


def parse_filter(raw: Any) -> Filter:
    """The filter that the JSON value ``raw`` stands for.

    Raises:
        InvalidFilterError: it breaks the table of fields and operators, is nested too deeply, or
            is made of too many filters.
    """
    return _Parser().parse(raw, "/where", 1)


class _Parser:
    """Follows a filter into its parts, counting them."""

    def __init__(self) -> None:
        self._count = 0

    def parse(self, raw: Any, pointer: str, depth: int) -> Filter:
        """The filter at ``pointer``, a JSON pointer into the body, on the level ``depth``."""
        self._count += 1
        if self._count > _FILTERS_MAX:
            raise InvalidFilterError(pointer, f"is one filter more than {_FILTERS_MAX}")
        if depth > DEPTH_MAX:
            raise InvalidFilterError(pointer, f"is nested more than {DEPTH_MAX} levels deep")
        if not isinstance(raw, dict):
            raise InvalidFilterError(pointer, f"must be a filter object, got {_shown(raw)}")
        kind = _required(raw, "type", pointer)
        if kind == "not":
            part = _required(raw, "filter", pointer)
            return _not(self.parse(part, f"{pointer}/filter", depth + 1))
        if kind in ("and", "or"):
            parts = [
                self.parse(part, f"{pointer}/filters/{index}", depth + 1)
                for index, part in enumerate(_required_list(raw, "filters", pointer))
            ]
            return _and(parts) if kind == "and" else _or(parts)
        leaf = _LEAVES.get(kind) if isinstance(kind, str) else None
        if leaf is None:
            known = ", ".join((*_LEAVES, "and", "or", "not"))
            message = f"must be one of {known}, got {_shown(kind)}"
            raise InvalidFilterError(f"{pointer}/type", message)
        return leaf(raw, pointer)


def _and(parts: list[Filter]) -> Filter:
    predicates = [part.matches for part in parts]
    return Filter(
        lambda execution: all(matches(execution) for matches in predicates),
        _EVERY_STATUS.intersection(*(part.statuses for part in parts)),
    )


def _or(parts: list[Filter]) -> Filter:
    predicates = [part.matches for part in parts]
    return Filter(
        lambda execution: any(matches(execution) for matches in predicates),
        frozenset().union(*(part.statuses for part in parts)),
    )


def _not(part: Filter) -> Filter:
    return Filter(lambda execution: not part.matches(execution), _EVERY_STATUS)


def _eq(raw: Mapping[str, Any], pointer: str) -> Filter:
    field, read = _text_field(raw, pointer, "eq")
    wanted = _text_value(field, _required(raw, "value", pointer), f"{pointer}/value")
    statuses = frozenset({wanted}) if field == "status" else _EVERY_STATUS
    return Filter(lambda execution: read(execution) == wanted, statuses)


def _in(raw: Mapping[str, Any], pointer: str) -> Filter:
    field, read = _text_field(raw, pointer, "in")
    values = _required_list(raw, "value", pointer)
    wanted = frozenset(
        _text_value(field, value, f"{pointer}/value/{index}") for index, value in enumerate(values)
    )
    return Filter(
        lambda execution: read(execution) in wanted, wanted if field == "status" else _EVERY_STATUS
    )


def _is_null(raw: Mapping[str, Any], pointer: str) -> Filter:
    field = _field(raw, pointer, "isNull", _NULLABLE_FIELDS)
    read = _TEXT_FIELDS[field]
    return Filter(lambda execution: read(execution) is None, _EVERY_STATUS)


def _gte(raw: Mapping[str, Any], pointer: str) -> Filter:
    least_ms = _duration_bound(raw, pointer, "gte")
    return Filter(lambda execution: wire.duration_ms(execution) >= least_ms, _EVERY_STATUS)


def _lte(raw: Mapping[str, Any], pointer: str) -> Filter:
    most_ms = _duration_bound(raw, pointer, "lte")
    return Filter(lambda execution: wire.duration_ms(execution) <= most_ms, _EVERY_STATUS)


_LEAVES: Mapping[str, Callable[[Mapping[str, Any], str], Filter]] = {
    "eq": _eq,
    "in": _in,
    "isNull": _is_null,
    "gte": _gte,
    "lte": _lte,
}


def _field(raw: Mapping[str, Any], pointer: str, operator: str, allowed: tuple[str, ...]) -> str:
    field = _required(raw, "field", pointer)
    if field not in _FIELDS:
        known = ", ".join(_FIELDS)
        raise InvalidFilterError(f"{pointer}/field", f"must be one of {known}, got {_shown(field)}")
    if field not in allowed:
        fields = ", ".join(allowed)
        raise InvalidFilterError(
            f"{pointer}/field", f"must be one of {fields} for {operator}, got {_shown(field)}"
        )
    return str(field)


def _text_field(raw: Mapping[str, Any], pointer: str, operator: str) -> tuple[str, _Text]:
    field = _field(raw, pointer, operator, tuple(_TEXT_FIELDS))
    return field, _TEXT_FIELDS[field]


def _text_value(field: str, value: Any, pointer: str) -> str:
    if not isinstance(value, str):
        raise InvalidFilterError(pointer, f"must be a string, got {_shown(value)}")
    if field == "status" and value not in wire.STATUSES:
        known = ", ".join(wire.STATUSES)
        raise InvalidFilterError(pointer, f"must be one of {known}, got {_shown(value)}")
    if field != "userId":
        return value
    if _UUID.fullmatch(value.lower()) is None:
        raise InvalidFilterError(pointer, f"must be a UUID, got {_shown(value)}")
    return value.lower()


def _duration_bound(raw: Mapping[str, Any], pointer: str, operator: str) -> int:
    _field(raw, pointer, operator, ("duration",))
    bound = _required(raw, "value", pointer)
    pointer = f"{pointer}/value"
    if not isinstance(bound, dict):
        raise InvalidFilterError(pointer, f"must be a duration object, got {_shown(bound)}")
    unit = _required(bound, "unit", pointer)
    factor = _UNITS_MS.get(unit) if isinstance(unit, str) else None
    if factor is None:
        known = ", ".join(_UNITS_MS)
        raise InvalidFilterError(f"{pointer}/unit", f"must be one of {known}, got {_shown(unit)}")
    return factor * _count(_required(bound, "value", pointer), f"{pointer}/value")


def _count(value: Any, pointer: str) -> int:
    # JSON does not tell 30.0 from 30, so neither does the document's `integer`.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= _INTEGER_MAX:
        reason = f"must be an integer from 0 to {_INTEGER_MAX}, got {_shown(value)}"
        raise InvalidFilterError(pointer, reason)
    return value


def _required(raw: Mapping[str, Any], key: str, pointer: str) -> Any:
    if key not in raw:
        raise InvalidFilterError(f"{pointer}/{key}", "is missing")
    return raw[key]


def _required_list(raw: Mapping[str, Any], key: str, pointer: str) -> list[Any]:
    values = _required(raw, key, pointer)
    if not isinstance(values, list) or not values:
        reason = f"must be a list with at least one entry, got {_shown(values)}"
        raise InvalidFilterError(f"{pointer}/{key}", reason)
    return values


def _shown(value: Any) -> str:
    """A value of the client's as it is named in a message: short, whatever it is."""
    if isinstance(value, str):
        return f'"{value[:40]}…"' if len(value) > 40 else f'"{value}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return str(value)[:40]
