"""The filter of listExecutions (``ExecutionFilter`` of ``specs/foundry.yaml``) as a predicate."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

# A finished execution in the names of the filter's fields; ``duration`` in milliseconds.
Row = Mapping[str, Any]
# None is SQL's "unknown"; only one fault makes use of it.
Predicate = Callable[[Row], bool | None]

DEPTH_MAX = 50
FILTERS_MAX = 250
STATUSES = ("SUCCEEDED", "FAILED")

_TEXTS = (
    "status", "userId", "callerRid", "resourceVersion", "failureReason", "foundryTraceId",
    "traceOwningRid",
)  # fmt: skip
_ABSENT = ("callerRid", "userId")
_UNITS_MS = {"MILLISECONDS": 1, "SECONDS": 1000, "MINUTES": 60_000, "HOURS": 3_600_000}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class BadFilter(Exception):  # noqa: N818  # what the client sent is bad, not the server
    """A filter that the table of fields and operators does not allow."""


class Filters:
    """Makes predicates of filters."""

    def __init__(self, fault: str | None = None) -> None:
        self._fault = fault
        self._count = 0

    def predicate(self, raw: Any, depth: int = 1) -> Predicate:
        """What selects the executions that a filter stands for.

        Raises:
            BadFilter: it is none.
        """
        self._count += 1
        if self._count > FILTERS_MAX or depth > DEPTH_MAX:
            raise BadFilter("the filter is too large")
        if not isinstance(raw, dict):
            raise BadFilter("a filter must be an object")
        match raw.get("type"):
            case "and" | "or" as kind:
                parts = [self.predicate(part, depth + 1) for part in _some(raw, "filters")]
                if kind == "or" and self._fault != "filter-or-as-and":
                    return lambda row: any(part(row) for part in parts)
                return lambda row: all(part(row) for part in parts)
            case "not":
                return self._not(self.predicate(raw.get("filter"), depth + 1))
            case "gte" | "lte" as kind:
                return self._compared(kind, _field(raw, ("duration",)), _value(raw))
            case "isNull":
                field = _field(raw, _ABSENT)
                return lambda row: row[field] is None
            case "eq":
                field = _field(raw, _TEXTS)
                return self._equals(field, [self._text(field, _value(raw))])
            case "in":
                field = _field(raw, _TEXTS)
                values = [self._text(field, one) for one in _some(raw, "value")]
                if self._fault == "filter-in-first-value":
                    del values[1:]
                return self._equals(field, values)
        raise BadFilter("there is no such type of filter")

    def _not(self, part: Predicate) -> Predicate:
        if self._fault == "filter-not-ignored":
            return part
        if self._fault != "filter-not-loses-absent":
            return lambda row: not part(row)

        def negated(row: Row) -> bool | None:
            found = part(row)
            return None if found is None else not found

        return negated

    def _equals(self, field: str, values: list[str]) -> Predicate:
        as_sql = self._fault == "filter-not-loses-absent"
        return lambda row: None if as_sql and row[field] is None else row[field] in values

    def _text(self, field: str, value: Any) -> str:
        if not isinstance(value, str):
            raise BadFilter(f"{field} is compared with text")
        if field == "status" and value not in STATUSES:
            raise BadFilter(f"status is one of {' and '.join(STATUSES)}")
        if self._fault == "filter-unicode-fails":
            value.encode("latin-1")
        if field != "userId":
            return value
        if not _UUID.fullmatch(value):
            raise BadFilter("userId is a UUID")
        return value.lower()

    def _compared(self, kind: str, field: str, value: Any) -> Predicate:
        unit = value.get("unit") if isinstance(value, dict) else None
        if not isinstance(unit, str) or unit not in _UNITS_MS:
            raise BadFilter(f"the unit of a duration is one of {', '.join(_UNITS_MS)}")
        count = value.get("value")
        if isinstance(count, float) and count.is_integer():
            count = int(count)
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < 2**31:
            raise BadFilter("a duration is a whole number, and not negative")
        bound_ms = count * (1 if self._fault == "duration-unit-ignored" else _UNITS_MS[unit])
        if kind == "gte":
            return lambda row: bool(row[field] >= bound_ms)
        if self._fault == "duration-lte-exclusive":
            return lambda row: bool(row[field] < bound_ms)
        return lambda row: bool(row[field] <= bound_ms)


def _field(raw: Mapping[str, Any], allowed: tuple[str, ...]) -> str:
    field = raw.get("field")
    if not isinstance(field, str) or field not in allowed:
        raise BadFilter(f"{raw['type']} takes the fields {', '.join(allowed)}")
    return field


def _value(raw: Mapping[str, Any]) -> Any:
    if "value" not in raw:
        raise BadFilter("the value is missing")
    return raw["value"]


def _some(raw: Mapping[str, Any], key: str) -> list[Any]:
    values = raw.get(key)
    if not isinstance(values, list) or not values:
        raise BadFilter(f"{key} must hold something")
    return values
