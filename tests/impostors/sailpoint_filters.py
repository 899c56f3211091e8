"""The filter expressions of ``sailpoint``, turned into SQL.

Source: the vendor's standard collection parameters, as the document's parameter ``filters`` has
them: ``not`` binds closer than ``and``, that closer than ``or``; operators in lower case.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.impostors.kit import SECOND

_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\["\\])*")|(?P<mark>[(),])|(?P<word>[^\s"(),]+))'
)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_COMPARE = {"eq": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_OTHERS = {"ne", "co", "sw", "in", "ca", "isnull"}
_SUPPORTED = {"start_time": set(_COMPARE), "status": {"eq"}}
# SQLite's parser has a stack; nobody writes more.
_DEPTH_MAX = 25


class SyntaxFault(ValueError):  # noqa: N818  # a fault of the expression, as it is told
    """The expression cannot be read."""


class Unsupported(ValueError):  # noqa: N818  # as the document says it
    """The expression can be read, and asks for what this list does not offer."""


class Where(NamedTuple):
    """A condition and the values in it."""

    sql: str
    values: tuple[object, ...] = ()


class Parser:
    """Reads one expression; a fault changes what it makes of it."""

    def __init__(self, text: str, fault: str | None) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0
        self._fault = fault

    def parse(self) -> Where:
        """The whole expression.

        Raises:
            SyntaxFault: it cannot be read.
            Unsupported: a field or an operator that is not offered.
        """
        where = self._either()
        if self._at < len(self._tokens):
            raise SyntaxFault(f"{self._peek()} is not expected here")
        return where

    def _either(self) -> Where:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return _join(" AND " if self._fault == "filter-or-as-and" else " OR ", parts)

    def _both(self) -> Where:
        parts = [self._negated()]
        while self._takes("and"):
            parts.append(self._negated())
        return _join(" AND ", parts)

    def _negated(self) -> Where:
        negative = False
        while self._takes("not"):
            negative = not negative
        where = self._single()
        if not negative or self._fault == "filter-not-ignored":
            return where
        return Where(f"NOT ({where.sql})", where.values)

    def _single(self) -> Where:
        if not self._takes("("):
            return self._term()
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise SyntaxFault(f"more than {_DEPTH_MAX} parentheses within each other")
        where = self._either()
        self._expect(")")
        self._depth -= 1
        return Where(f"({where.sql})", where.values)

    def _term(self) -> Where:
        word = self._word()
        if word == "pr":
            raise Unsupported(f"the operator pr is not supported for {self._word()}")
        operator = self._word()
        if operator not in _COMPARE and operator not in _OTHERS:
            raise SyntaxFault(f"{operator} is no operator")
        value = self._operand(operator)
        if operator not in _SUPPORTED.get(word, ()):
            if self._fault == "filter-unknown-ignored":
                return Where("1")
            raise Unsupported(f"the operator {operator} is not supported for {word}")
        return self._status(value) if word == "status" else self._start(operator, value)

    def _operand(self, operator: str) -> str:
        if operator == "isnull":
            return ""
        if operator not in {"in", "ca"}:
            return self._value()
        self._expect("(")
        self._value()
        while self._takes(","):
            self._value()
        self._expect(")")
        return ""

    def _status(self, value: str) -> Where:
        if not value.startswith('"'):
            raise SyntaxFault("a status stands in double quotes")
        if self._fault == "filter-status-case":
            return Where("status = ?", (_unquoted(value),))
        return Where("status = ? COLLATE NOCASE", (_unquoted(value),))

    def _start(self, operator: str, value: str) -> Where:
        at_ns = _nanoseconds(_unquoted(value) if value.startswith('"') else value)
        sign = _COMPARE[operator]
        if self._fault == "filter-end-exclusive":
            sign = sign.replace("<=", "<")
        return Where(f"start_ns {sign} ?", (at_ns,))

    def _value(self) -> str:
        token = self._next()
        if token in {"(", ")", ","}:
            raise SyntaxFault(f"{token} where a value is expected")
        return token

    def _word(self) -> str:
        token = self._next()
        if token in {"(", ")", ","} or token.startswith('"'):
            raise SyntaxFault(f"{token} where a word is expected")
        return token

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> str:
        token = self._peek()
        if token is None:
            raise SyntaxFault("the expression ends too early")
        self._at += 1
        return token

    def _takes(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._at += 1
        return True

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise SyntaxFault(f"{token} is expected")


def _join(operator: str, parts: list[Where]) -> Where:
    if len(parts) == 1:
        return parts[0]
    values = tuple(value for part in parts for value in part.values)
    return Where(operator.join(part.sql for part in parts), values)


def _tokens(text: str) -> list[str]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if not match:
            raise SyntaxFault(f"the character at column {at + 1} is not expected")
        tokens.append(match["string"] or match["mark"] or match["word"])
        at = match.end()
    return tokens


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _nanoseconds(text: str) -> int:
    match = _TIME.fullmatch(text)
    if not match:
        raise SyntaxFault(f"{text[:80]} is no date-time of RFC 3339")
    day, minute, seconds, fraction, sign, hours, minutes = match.groups()
    try:
        at = datetime.strptime(f"{day}T{minute}", "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError as error:
        raise SyntaxFault(f"{text} is no date-time of RFC 3339") from error
    # A minute may have a leap second.
    if int(seconds) > 60 or int(hours or 0) > 23 or int(minutes or 0) > 59:
        raise SyntaxFault(f"{text} is no date-time of RFC 3339")
    offset_s = 60 * (60 * int(hours or 0) + int(minutes or 0)) * (-1 if sign == "-" else 1)
    since = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    at_ns = (since + int(seconds) - offset_s) * SECOND + int((fraction or "").ljust(9, "0"))
    # Beyond what a database holds there is no execution anyway.
    return max(-(2**63), min(at_ns, 2**63 - 1))
