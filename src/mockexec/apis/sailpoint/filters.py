"""The ``filters`` parameter: the vendor's standard collection syntax, read into a tree.

Source: the vendor's developer guide, "Standard Collection Parameters". The whole syntax is read
here; which fields and operators a list supports is that list's matter (``selection``). Binding,
from tight to loose: ``not``, ``and``, ``or``; operators are lower case only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

# Deeper nesting than any filter needs, and far from what the stack could not take.
DEPTH_MAX = 50

_COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le", "co", "sw"})
_TEXT_COMPARISONS = frozenset({"co", "sw"})
_LIST_COMPARISONS = frozenset({"in", "ca"})
_RESERVED = _COMPARISONS | _LIST_COMPARISONS | {"and", "or", "not", "pr", "isnull"}

_TOKEN = re.compile(r'\s*(?:([(),])|"((?:[^"\\]|\\.)*)"|([^\s(),"]+)|("))', re.DOTALL)
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)
_LITERAL = re.compile(
    r"true|false|-?\d+(?:\.\d+)?"
    r"|\d{4}-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)?",
    re.ASCII,
)


class FilterError(ValueError):
    """The filter cannot be used; the message, with the column, is for the client."""


class FilterSyntaxError(FilterError):
    """The text is not a filter."""


class UnsupportedFilterError(FilterError):
    """It is a filter, but of a kind the list does not have."""


@dataclass(frozen=True, slots=True)
class Value:
    """An operand: what a quoted string holds, or the text of a bare number, boolean or time."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field operator values``; no values for ``pr`` and ``isnull``."""

    field: str
    operator: str
    values: tuple[Value, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Not:
    """All that ``part`` does not select."""

    part: Expression


@dataclass(frozen=True, slots=True)
class And:
    """What all parts select."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """What any part selects."""

    parts: tuple[Expression, ...]


Expression = Comparison | Not | And | Or


def parse(text: str) -> Expression:
    """The tree of a filter.

    Raises:
        FilterSyntaxError: it does not parse; the message has the column, counted from 1.
    """
    return _Parser(text).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "mark", "string", "word" or "end"
    text: str
    column: int

    @property
    def shown(self) -> str:
        if self.kind == "end":
            return "the end"
        return f'"{self.text if len(self.text) <= 40 else self.text[:40] + "…"}"'


def _tokens(text: str) -> list[_Token]:
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        # Every character starts one of the four alternatives.
        assert match is not None and match.lastindex is not None  # noqa: S101, PT018
        column = match.start(match.lastindex) + 1
        if match.lastindex == 4:
            raise FilterSyntaxError(f"column {column}: the string that starts here has no end")
        if match.lastindex == 2:
            tokens.append(_Token("string", _unescape(match[2], column), column - 1))
        else:
            tokens.append(_Token("mark" if match[1] else "word", match[match.lastindex], column))
        position = match.end()
    tokens.append(_Token("end", "", len(text) + 1))
    return tokens


def _unescape(text: str, column: int) -> str:
    r"""The string without its escapes, of which there are two: ``\"`` and ``\\``."""
    for match in re.finditer(r"\\(.)", text, re.DOTALL):
        if match[1] not in '"\\':
            place = column + match.start()
            raise FilterSyntaxError(
                f'column {place}: only \\" and \\\\ are escapes, got "{match[0]}"'
            )
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


class _Parser:
    """Recursive descent, one method a rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._position = 0
        self._depth = 0

    def whole(self) -> Expression:
        expression = self._any_of()
        if self._peek.kind != "end":
            self._fail('"and", "or" or the end')
        return expression

    def _any_of(self) -> Expression:
        parts = [self._all_of()]
        while self._take("word", "or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all_of(self) -> Expression:
        parts = [self._negation()]
        while self._take("word", "and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _negation(self) -> Expression:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            column = self._peek.column
            raise FilterSyntaxError(f"column {column}: nested more than {DEPTH_MAX} deep")
        if self._take("word", "not"):
            expression: Expression = Not(self._negation())
        elif self._take("mark", "("):
            expression = self._any_of()
            self._expect(")")
        else:
            expression = self._comparison()
        self._depth -= 1
        return expression

    def _comparison(self) -> Comparison:
        start = self._peek
        if self._take("word", "pr"):
            return Comparison(self._field(), "pr", (), start.column)
        field, operator = self._field(), self._peek.text
        if self._peek.kind != "word":
            self._fail("an operator")
        if operator == "isnull":
            self._position += 1
            return Comparison(field, operator, (), start.column)
        if operator in _LIST_COMPARISONS:
            self._position += 1
            return Comparison(field, operator, self._list(), start.column)
        if operator not in _COMPARISONS:
            lower = " (operators are lower case)" if operator.lower() in _RESERVED else ""
            self._fail(f"an operator{lower}")
        self._position += 1
        if operator in _TEXT_COMPARISONS and self._peek.kind != "string":
            self._fail(f'a string in double quotes after "{operator}"')
        return Comparison(field, operator, (self._value(),), start.column)

    def _field(self) -> str:
        token = self._peek
        if token.kind != "word" or token.text in _RESERVED or not _FIELD.fullmatch(token.text):
            self._fail("the name of a field")
        self._position += 1
        return token.text

    def _list(self) -> tuple[Value, ...]:
        self._expect("(")
        values = [self._value()]
        while self._take("mark", ","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _value(self) -> Value:
        token = self._peek
        bare = token.kind == "word" and _LITERAL.fullmatch(token.text) is not None
        if token.kind != "string" and not bare:
            self._fail("a string in double quotes, a number, true, false or a date-time")
        self._position += 1
        return Value(token.text, quoted=token.kind == "string")

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._position]

    def _take(self, kind: str, text: str) -> bool:
        token = self._peek
        if (token.kind, token.text) != (kind, text):
            return False
        self._position += 1
        return True

    def _expect(self, mark: str) -> None:
        if not self._take("mark", mark):
            self._fail(f'"{mark}"')

    def _fail(self, expected: str) -> NoReturn:
        token = self._peek
        raise FilterSyntaxError(f"column {token.column}: expected {expected}, got {token.shown}")
