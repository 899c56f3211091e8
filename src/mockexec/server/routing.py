"""Paths to plans: a trie over the raw, still percent-encoded segments of a path.

Concrete segments win over templates, templates with literal parts (``{id}:cancel``) over bare
ones; nothing is redirected. The raw path is used so that ``a%2Fb`` stays one segment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

P = TypeVar("P")

_REMEMBERED_MAX = 4096
_REMEMBERED_LENGTH_MAX = 200

_TEMPLATE = re.compile(r"\{([^{}]*)\}")


class Match(NamedTuple, Generic[P]):
    """A known path: its plans by method, and the still encoded text of each path parameter."""

    plans: Mapping[str, P]
    arguments: tuple[str, ...]


class _Node(Generic[P]):
    __slots__ = ("bare", "literals", "mixed", "plans", "takes_empty")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[P]] = {}
        self.mixed: list[tuple[re.Pattern[str], _Node[P]]] = []
        self.bare: _Node[P] | None = None
        self.plans: dict[str, P] = {}
        self.takes_empty = False


class Router(Generic[P]):
    """All paths of one API."""

    def __init__(self) -> None:
        self._root: _Node[P] = _Node()
        self._static: dict[str, Match[P]] = {}
        # The paths without parameters, and those asked for lately.
        self._known: dict[str, Match[P]] = {}

    def add(self, path: str, method: str, plan: P, *, takes_empty: bool = False) -> None:
        """Enters ``plan`` at a path template.

        ``takes_empty``: the last parameter may match nothing, because an empty text is wrong for
        it in its own way (a number) rather than another path.
        """
        node = self._root
        for segment in path.split("/")[1:]:
            node = _child(node, segment)
        node.plans[method] = plan
        node.takes_empty = takes_empty
        if "{" not in path:
            self._static[path] = self._known[path] = Match(node.plans, ())

    def find(self, raw_path: str) -> Match[P] | None:
        """The match of a raw path (beginning with a slash), or None."""
        found = self._known.get(raw_path)
        if found is None:
            found = _descend(self._root, raw_path.split("/"), 1, ())
            if found is not None and len(raw_path) <= _REMEMBERED_LENGTH_MAX:
                if len(self._known) >= _REMEMBERED_MAX:
                    self._known = self._static.copy()
                self._known[raw_path] = found
        return found


def _child(node: _Node[P], segment: str) -> _Node[P]:
    if "{" not in segment:
        return node.literals.setdefault(segment, _Node())
    if _TEMPLATE.fullmatch(segment):
        node.bare = node.bare or _Node()
        return node.bare
    pattern = _segment_pattern(segment)
    for known, child in node.mixed:
        if known.pattern == pattern:
            return child
    child = _Node[P]()
    node.mixed.append((re.compile(pattern, re.DOTALL), child))
    # Of two patterns that fit, the one that says more literally is meant.
    node.mixed.sort(key=lambda entry: -len(entry[0].pattern.replace("(.+)", "")))
    return child


def _segment_pattern(segment: str) -> str:
    literals = _TEMPLATE.split(segment)[::2]
    return "(.+)".join(re.escape(literal) for literal in literals)


def _descend(
    node: _Node[P], segments: list[str], index: int, arguments: tuple[str, ...]
) -> Match[P] | None:
    last = len(segments)
    while index < last:
        segment = segments[index]
        index += 1
        literal = node.literals.get(segment)
        if literal is None and "%" in segment:
            literal = node.literals.get(_plain(segment))
        bare = node.bare
        if literal is not None:
            # Only where the path could also mean something else is there a way back to keep.
            if bare is None and not node.mixed:
                node = literal
                continue
            found = _descend(literal, segments, index, arguments)
            if found is not None:
                return found
        if node.mixed:
            found = _descend_mixed(node, segments, index, arguments)
            if found is not None:
                return found
        if bare is None or (not segment and not (bare.takes_empty and index == last)):
            return None
        node = bare
        arguments = (*arguments, segment)
    return Match(node.plans, arguments) if node.plans else None


def _descend_mixed(
    node: _Node[P], segments: list[str], index: int, arguments: tuple[str, ...]
) -> Match[P] | None:
    segment = segments[index - 1]
    for pattern, child in node.mixed:
        match = pattern.fullmatch(segment) or pattern.fullmatch(_plain_literals(segment))
        if match is not None:
            found = _descend(child, segments, index, (*arguments, *match.groups()))
            if found is not None:
                return found
    return None


def _plain(segment: str) -> str:
    """The decoded segment; what is not UTF-8 matches no literal."""
    return unquote_to_bytes(segment).decode("utf-8", "replace")


def _plain_literals(segment: str) -> str:
    """The segment with an encoded colon as such: clients encode ``executions:find`` so."""
    return segment.replace("%3A", ":").replace("%3a", ":")


def parameter_names(path: str) -> tuple[str, ...]:
    """The parameters of a path template, in order."""
    return tuple(_TEMPLATE.findall(path))
