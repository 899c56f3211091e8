"""Texts that match a regular expression, for the patterns that schemas have.

Patterns are ECMA 262 ones; Python's own parser reads them after a few spellings are changed. What
it cannot read, or what looks around or refers back, may come out wrong: callers check.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

from mockexec.simulation.chance import Random

# There is no public parser of patterns.
_parser: Any = import_module("re._parser")
op: Any = import_module("re._constants")

REPEATS_MAX = 8
# Characters that a reader can read, likeliest first where a set admits several.
_PRINTABLE = [*map(chr, range(0x20, 0x7F))]
_READABLE = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CATEGORIES: dict[int, Callable[[str], bool]] = {
    op.CATEGORY_DIGIT: lambda char: char in "0123456789",
    op.CATEGORY_NOT_DIGIT: lambda char: char not in "0123456789",
    op.CATEGORY_WORD: lambda char: char in _READABLE or char == "_",
    op.CATEGORY_NOT_WORD: lambda char: char not in _READABLE and char != "_",
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
}
# What ECMA 262 writes in another way than Python.
_PIECE = re.compile(
    r"""\(\?<(?=[A-Za-z_])|\\k<\w+>|\\u\{[0-9A-Fa-f]+\}|\\[pP]\{[^}]*\}|\[\^\]|\\.|.""", re.DOTALL
)
_SCRIPTS = {"Lu": "A-Z", "Uppercase": "A-Z", "Ll": "a-z", "Lowercase": "a-z"}
_SCRIPTS |= {"N": "0-9", "Nd": "0-9", "Number": "0-9"}


class Pattern:
    """One pattern, read once.

    Raises:
        ValueError: Python cannot read it.
    """

    def __init__(self, pattern: str) -> None:
        try:
            with warnings.catch_warnings():
                # Python may one day read nested sets; ECMA 262 does not without its v flag.
                warnings.simplefilter("ignore", FutureWarning)
                self._tokens = _parser.parse(_respelled(pattern))
        except (re.error, OverflowError, RecursionError, ValueError) as error:
            raise ValueError(f"the pattern {pattern!r} cannot be read: {error}") from None
        first, last = (self._tokens[0], self._tokens[-1]) if len(self._tokens) else (None, None)
        # Whether anything may stand before and after what it describes.
        self.open_start = first is None or first[0] is not op.AT
        self.open_end = last is None or last[0] is not op.AT

    def text(self, random: Random, *, length_min: int = 0) -> str:
        """A text that the pattern describes, drawn out to ``length_min`` where it is possible."""
        text = ""
        for spread in (3, REPEATS_MAX, max(REPEATS_MAX, length_min)):
            text = _Writer(random, spread).sequence(self._tokens)
            if len(text) >= length_min:
                break
        missing = max(length_min - len(text), random.choice((0, 4)))
        filler = "".join(random.choices(_READABLE[:26], k=missing))
        if self.open_end:
            return text + filler
        return filler + text if self.open_start else text


def _respelled(pattern: str) -> str:
    """The pattern as Python writes it."""
    pieces = []
    in_set = False
    for piece in _PIECE.findall(pattern):
        if piece == "[" and in_set:
            pieces.append(r"\[")
            continue
        if piece in "[]":
            in_set = piece == "["
        pieces.append(_respelled_piece(piece, in_set))
    return "".join(pieces)


def _respelled_piece(piece: str, in_set: bool) -> str:
    if piece == "(?<":
        return "(?P<"
    if piece.startswith(r"\k<"):
        return f"(?P={piece[3:-1]})"
    if piece.startswith(r"\u{"):
        return re.escape(chr(int(piece[3:-1], 16)))
    if piece == "[^]":
        return r"[\s\S]"
    if piece.startswith((r"\p{", r"\P{")):
        members = _SCRIPTS.get(piece[3:-1], "A-Za-z")
        if in_set:
            return members
        return f"[^{members}]" if piece[1] == "P" else f"[{members}]"
    return piece


class _Writer:
    """Writes one text; ``spread`` bounds how often an unbounded part repeats beyond its least."""

    def __init__(self, random: Random, spread: int) -> None:
        self.random = random
        self.spread = spread
        self.groups: dict[int, str] = {}

    def sequence(self, tokens: Any) -> str:
        return "".join(self._token(code, argument) for code, argument in tokens)

    def _token(self, code: Any, argument: Any) -> str:
        if code is op.LITERAL:
            return chr(argument)
        if code is op.NOT_LITERAL:
            return self._one(lambda char: ord(char) != argument)
        if code is op.ANY:
            return self._one(lambda _char: True)
        if code is op.IN:
            return self._set(argument)
        if code is op.BRANCH:
            return self.sequence(self.random.choice(argument[1]))
        if code is op.SUBPATTERN:
            text = self.sequence(argument[3])
            if argument[0] is not None:
                self.groups[argument[0]] = text
            return text
        if code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            least, most, part = argument
            count = self.random.randint(least, min(most, least + self.spread))
            return "".join(self.sequence(part) for _ in range(count))
        if code is op.GROUPREF:
            return self.groups.get(argument, "")
        if code is op.ATOMIC_GROUP:
            return self.sequence(argument)
        # Anchors and looking around take no room.
        return ""

    def _set(self, members: Any) -> str:
        negated = bool(members) and members[0][0] is op.NEGATE
        parts = members[1:] if negated else members

        def admits(char: str) -> bool:
            return any(_in(code, argument, char) for code, argument in parts) != negated

        return self._one(admits, parts)

    def _one(self, admits: Callable[[str], bool], parts: Any = ()) -> str:
        readable = [char for char in _READABLE if admits(char)]
        if readable:
            return self.random.choice(readable)
        printable = [char for char in _PRINTABLE if admits(char)]
        if printable:
            return self.random.choice(printable)
        for code, argument in parts:
            if code is op.LITERAL:
                return chr(argument)
            if code is op.RANGE:
                return chr(self.random.randint(*argument))
        return ""


def _in(code: object, argument: Any, char: str) -> bool:
    if code is op.LITERAL:
        return ord(char) == int(argument)
    if code is op.RANGE:
        return bool(argument[0] <= ord(char) <= argument[1])
    return code is op.CATEGORY and _CATEGORIES[argument](char)
