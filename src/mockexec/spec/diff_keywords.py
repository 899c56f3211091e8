"""What differs between two schemas of one JSON type, keyword by keyword."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from math import ceil, floor
from typing import Any

from mockexec.spec.diff_views import Alternative, Part

# The old schema and the new one.
Both = tuple[Alternative, Alternative]


@dataclass(frozen=True, slots=True)
class Fact:
    """One difference. ``narrows``: the new schema refuses what the old one admits; ``widens``: the
    other way round. ``step`` is what leads from the pair's value to the place, such as a property.
    """

    rule: str
    message: str
    narrows: bool
    widens: bool
    old: Part | None
    new: Part | None
    step: str = ""


def of_keywords(name: str, both: Both) -> Iterator[Fact]:
    """The facts about the keywords that limit values of the JSON type ``name``.

    A fact has no place where the keyword is missing on that side.
    """
    if name == "number":
        yield from _numbers(both)
    elif name == "string":
        yield from _sizes("Length", both)
        yield from _texts(both)
    elif name == "array":
        yield from _sizes("Items", both)
        yield from _unique(both)
    elif name == "object":
        yield from _sizes("Properties", both)


def _bounds(keyword: str, both: Both, sign: int, words: str, absent: int | None) -> Iterator[Fact]:
    """A limit: of several, the strictest counts. ``sign`` is 1 for a lower one, -1 for an upper."""
    found = [_strictest(item, keyword, sign) for item in both]
    values = [absent if bound is None else bound[0] for bound in found]
    if values[0] == values[1]:
        return
    narrows = values[0] is None or (values[1] is not None and values[1] * sign > values[0] * sign)
    message = was(words, *(value if value != absent else None for value in values))
    old, new = (None if bound is None else bound[1] for bound in found)
    yield Fact(keyword, message, narrows, not narrows, old, new)


def _strictest(alternative: Alternative, keyword: str, sign: int) -> tuple[Any, Part] | None:
    found = [(f.node[keyword], f.part.below(keyword)) for f in alternative.with_key(keyword)]
    return max(found, key=lambda item: item[0] * sign, default=None)


def was(words: str, old: Any, new: Any) -> str:
    if old is None:
        return f"the {words} {new} is new"
    if new is None:
        return f"the {words} {old} is gone"
    return f"the {words} is {new} now, was {old}"


def _sizes(what: str, both: Both) -> Iterator[Fact]:
    noun = {"Length": "length", "Items": "number of items", "Properties": "number of properties"}
    yield from _bounds(f"min{what}", both, 1, f"least {noun[what]}", 0)
    yield from _bounds(f"max{what}", both, -1, f"greatest {noun[what]}", None)


def _numbers(both: Both) -> Iterator[Fact]:
    whole = all("fraction" not in item.types for item in both)
    for keyword, sign, words in (("minimum", 1, "minimum"), ("maximum", -1, "maximum")):
        found = [_limit(item, keyword, sign, whole) for item in both]
        limits = [None if limit is None else limit[0] for limit in found]
        if limits[0] != limits[1]:
            narrows = limits[0] is None or (limits[1] is not None and limits[1] > limits[0])
            message = was(words, *(None if limit is None else limit[1] for limit in found))
            old, new = (None if limit is None else limit[2] for limit in found)
            yield Fact(keyword, message, narrows, not narrows, old, new)
    yield from _multiples(both)


# How strict a limit is, its words, its place.
_Limit = tuple[tuple[float, bool], str, Part]


def _limit(alternative: Alternative, keyword: str, sign: int, whole: bool) -> _Limit | None:
    """The strictest of a limit and its exclusive form; among whole numbers both are the same."""
    found: list[_Limit] = []
    exclusive = "exclusive" + keyword.capitalize()
    for facet in alternative.facets:
        for key in (keyword, exclusive):
            value = facet.node.get(key)
            if not isinstance(value, int | float) or isinstance(value, bool):
                continue
            strict, words = key == exclusive, f"{value}"
            if strict and not whole:
                words = f"{value} (exclusive)"
            elif whole:
                value, strict = _whole(value, sign, strict), False
                words = f"{value}"
            found.append(((value * sign, strict), words, facet.part.below(key)))
    return max(found, key=lambda item: item[0], default=None)


def _whole(value: float, sign: int, strict: bool) -> int:
    """The first whole number within a limit."""
    if sign > 0:
        return floor(value) + 1 if strict else ceil(value)
    return ceil(value) - 1 if strict else floor(value)


def _multiples(both: Both) -> Iterator[Fact]:
    found = [_strictest(item, "multipleOf", 1) for item in both]
    old, new = (None if bound is None else bound[0] for bound in found)
    if old == new:
        return
    narrows = new is not None and not (old is not None and old % new == 0)
    widens = old is not None and not (new is not None and new % old == 0)
    before, now = (None if bound is None else bound[1] for bound in found)
    yield Fact("multipleOf", was("factor", old, new), narrows, widens, before, now)


def _unique(both: Both) -> Iterator[Fact]:
    old, new = (
        next((f.part.below("uniqueItems") for f in item.facets if f.node.get("uniqueItems")), None)
        for item in both
    )
    if (old is None) != (new is None):
        message = "items must differ now" if new else "items need not differ any more"
        yield Fact("uniqueItems", message, new is not None, old is not None, old, new)


# Formats that say which texts there are; others, such as ``password``, are hints.
_FORMATS = frozenset(
    [
        *("date", "date-time", "duration", "email", "hostname", "idn-email", "idn-hostname"),
        *("ipv4", "ipv6", "iri", "iri-reference", "json-pointer", "regex"),
        *("relative-json-pointer", "time", "uri", "uri-reference", "uri-template", "uuid"),
    ]
)


def _texts(both: Both) -> Iterator[Fact]:
    for keyword in ("pattern", "format"):
        sides = [_written(item, keyword) for item in both]
        lost = [value for value in sides[0] if value not in sides[1]]
        gained = [value for value in sides[1] if value not in sides[0]]
        for old, new in zip_longest(lost, gained):
            places = sides[0].get(old), sides[1].get(new)
            yield Fact(
                keyword, was(keyword, old, new), _binds(keyword, new), _binds(keyword, old), *places
            )


def _binds(keyword: str, value: str | None) -> bool:
    return value is not None and (keyword == "pattern" or value in _FORMATS)


def _written(alternative: Alternative, keyword: str) -> dict[Any, Part]:
    return {f.node[keyword]: f.part.below(keyword) for f in alternative.with_key(keyword)}
