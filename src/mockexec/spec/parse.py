"""Bytes of a YAML or JSON file → JSON types, within bounds, and the line of every node.

YAML is read as the core schema of YAML 1.2 reads it (chapter 10.3), which is what the OpenAPI
documents ask for: only ``null``, ``true``/``false`` and numbers are special, so ``no``, ``on`` and
``2025-01-01`` stay text. Keys are text as written (``200:`` is ``"200"``). The one addition is the
merge key ``<<`` of YAML 1.1, since documents in the field use it.

The YAML parser is driven event by event with a stack of our own: composing nodes, as PyYAML does
it, recurses in C and ends the process on deep input.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import yaml

from mockexec.errors import DocumentError

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 2_000_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Marked:
    """A node with the line (1-based) where it, or its key, is written.

    ``value`` holds ``Marked`` nodes again where it is a mapping or a sequence.
    """

    __slots__ = ("line", "value")

    def __init__(self, line: int, value: Any) -> None:
        self.line = line
        self.value = value


def parse(source: bytes, *, file: str) -> Any:
    """The value that ``source`` writes down.

    ``file`` is how messages name the source; a name that ends in ``.json`` is never read as YAML.
    Raises DocumentError with the line for anything that is not one bounded document of JSON types.
    """
    text = _text(source, file)
    if _is_json(text, file):
        try:
            return _parse_json(source, text, file)
        except json.JSONDecodeError as error:
            if file.endswith(".json"):
                raise DocumentError(
                    f"not JSON: {error.msg}", file=file, line=error.lineno
                ) from None
            # A YAML flow mapping also starts with a brace; the YAML parser has the last word.
    return _YamlBuilder(file).build(source)


def marks(source: bytes, *, file: str) -> Marked:
    """The same document with the line of every node; slower, for error messages only.

    Raises what ``parse`` raises.
    """
    text = _text(source, file)
    if _is_json(text, file):
        try:
            json.loads(text)
        except json.JSONDecodeError:
            pass  # Not JSON after all: ``parse`` read it as YAML, so this does too.
        else:
            return _mark_json(text, file)
    marked: Marked = _YamlBuilder(file, marked=True).build(source)
    return marked


def _text(source: bytes, file: str) -> str:
    if len(source) > MAX_BYTES:
        raise DocumentError(f"larger than {MAX_BYTES // 1024 // 1024} MiB", file=file)
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise DocumentError("not UTF-8 text", file=file, line=line) from None


def _is_json(text: str, file: str) -> bool:
    return file.endswith(".json") or text.lstrip()[:1] == "{"


# JSON


def _parse_json(source: bytes, text: str, file: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise DocumentError(f"nested deeper than {MAX_DEPTH} levels", file=file) from None
    except _DuplicateKeyError:
        # The hook knows no position; the slower reader does, and stops at the same key.
        _mark_json(text, file)
        raise
    except ValueError as error:
        raise DocumentError(str(error), file=file) from None
    _bound(value, file)
    if rb"\u" in source:
        _refuse_surrogates(value, file)
    return value


class _DuplicateKeyError(Exception):
    """A JSON object has the same key twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _DuplicateKeyError
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _bound(value: Any, file: str) -> None:
    """Refuse more depth or nodes than allowed; iterative, so that depth cannot hurt it."""
    level = [value]
    depth = nodes = 0
    while level:
        depth += 1
        nodes += len(level)
        if depth > MAX_DEPTH:
            raise DocumentError(f"nested deeper than {MAX_DEPTH} levels", file=file)
        if nodes > MAX_NODES:
            raise DocumentError(f"more than {MAX_NODES} values", file=file)
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
        level = below


def _refuse_surrogates(value: Any, file: str) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DocumentError("holds half of a surrogate pair, which is no text", file=file) from None


_JSON_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')


def _mark_json(text: str, file: str) -> Marked:
    """The lines of a text that ``json.loads`` accepts; raises on a duplicate key, with its line."""
    newlines = [match.start() for match in re.finditer("\n", text)]
    root = Marked(1, None)
    stack: list[Marked] = []
    key: Marked | None = None  # the slot a value belongs to, once its key and colon are read

    def place(node: Marked) -> None:
        nonlocal key
        if key is not None:
            key.value = node.value
            node.line, key = key.line, None
        elif stack:
            stack[-1].value.append(node)
        else:
            root.line, root.value = node.line, node.value

    for match in _JSON_LEXEME.finditer(text):
        lexeme = match.group()
        line = bisect_right(newlines, match.start()) + 1
        if lexeme in "{[":
            node = Marked(line, {} if lexeme == "{" else [])
            place(node)
            stack.append(node)
        elif lexeme in "}]":
            stack.pop()
        elif lexeme in ":,":
            continue
        elif stack and isinstance(stack[-1].value, dict) and key is None:
            name = json.loads(lexeme)
            if name in stack[-1].value:
                raise DocumentError(f"the key {lexeme} is there twice", file=file, line=line)
            key = stack[-1].value[name] = Marked(line, None)
        else:
            place(Marked(line, None))
    return root


# YAML


class _Frame:
    """A mapping or sequence that is being read."""

    __slots__ = ("anchor", "container", "key", "key_line", "line", "merged", "nodes_before", "top")

    def __init__(self, container: Any, anchor: str | None, line: int, nodes_before: int) -> None:
        self.container = container
        self.anchor = anchor
        self.line = line
        self.nodes_before = nodes_before
        # None while the next event is a key. A sequence has no keys.
        self.key: str | None = None
        self.key_line = 0
        self.merged: list[Any] = []
        self.top = 0  # the deepest level below, for the depth an alias adds


# What ``<<`` is kept as while its value is read; no document can hold this key.
_MERGE = "\0<<"

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z", re.ASCII)
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
# Only a plain scalar that starts with one of these can be anything but text.
_SPECIAL = frozenset("0123456789-+.~nNtTfF")

_TAG = "tag:yaml.org,2002:"


def plain(text: str) -> Any:
    """What a plain scalar means in the core schema. Raises ValueError where it is not JSON."""
    if text and text[0] not in _SPECIAL:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise ValueError(f"the number {text} is too large")
        return number
    if _OCTAL_OR_HEX.match(text):
        return int(text, 0)
    if _NO_NUMBER.match(text):
        raise ValueError(f"{text} is not a JSON value")
    return text


class _YamlBuilder:
    """Builds the value of one YAML document from the parser's events."""

    def __init__(self, file: str, *, marked: bool = False) -> None:
        self.file = file
        self.marked = marked
        self.stack: list[_Frame] = []
        self.root: Any = None
        self.documents = 0
        self.nodes = 0
        # Anchor → value, nodes in it, levels in it. An open one is absent, so there is no cycle.
        self.anchors: dict[str, tuple[Any, int, int]] = {}
        self.open_anchors: list[str] = []

    def build(self, source: bytes) -> Any:
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.start,
            yaml.SequenceStartEvent: self.start,
            yaml.MappingEndEvent: self.end,
            yaml.SequenceEndEvent: self.end,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document,
        }
        try:
            events: Iterable[Any] = yaml.parse(source, Loader=_LOADER)
            for event in events:
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else None
            problem = error.problem or error.context
            raise DocumentError(f"not YAML: {problem}", file=self.file, line=line) from None
        except yaml.YAMLError as error:
            raise DocumentError(f"not YAML: {error}", file=self.file) from None
        return self.root

    def fail(self, message: str, event: Any) -> NoReturn:
        raise DocumentError(message, file=self.file, line=event.start_mark.line + 1)

    def document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self.fail("a second YAML document in one file", event)

    def scalar(self, event: Any) -> None:
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is None and type(frame.container) is dict:
            self.key(frame, event)
            return
        try:
            value = None if self.marked else self.meaning(event)
        except ValueError as error:
            self.fail(str(error), event)
        self.count(1, event)
        value = self.place(value, event.start_mark.line + 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, 1, 0)

    def meaning(self, event: Any) -> Any:
        if event.tag is None:
            return plain(event.value) if event.implicit[0] else event.value
        kind = event.tag.removeprefix(_TAG)
        if event.tag == "!" or kind == "str":
            return event.value
        if kind not in ("int", "float", "bool", "null"):
            raise ValueError(f"the YAML tag {event.tag} is not supported")
        value = plain(event.value)
        if kind == "float" and type(value) is int:
            return float(value)
        if type(value).__name__ != {"null": "NoneType"}.get(kind, kind):
            raise ValueError(f"{event.value!r} is no {kind}")
        return value

    def key(self, frame: _Frame, event: Any) -> None:
        name = event.value
        if name == "<<" and event.implicit[0]:
            name = _MERGE
        elif name in frame.container:
            self.fail(f"the key {name!r} is there twice", event)
        if event.anchor is not None:
            self.anchors[event.anchor] = (self.wrap(name, event.start_mark.line + 1), 1, 0)
        frame.key = name
        frame.key_line = event.start_mark.line + 1

    def start(self, event: Any) -> None:
        expected = "map" if type(event) is yaml.MappingStartEvent else "seq"
        if event.tag not in (None, "!", _TAG + expected):
            self.fail(f"the YAML tag {event.tag} is not supported", event)
        parent = self.stack[-1] if self.stack else None
        if parent is not None and parent.key is None and type(parent.container) is dict:
            self.fail("a key must be plain text", event)
        if len(self.stack) >= MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels", event)
        container: Any = {} if expected == "map" else []
        line = event.start_mark.line + 1
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
            self.open_anchors.append(event.anchor)
        self.stack.append(_Frame(container, event.anchor, line, self.nodes))
        self.count(1, event)

    def end(self, _event: Any) -> None:
        frame = self.stack.pop()
        for mapping in frame.merged:
            for key, value in mapping.items():
                frame.container.setdefault(key, value)
        value = self.place(frame.container, frame.line, frame.top + 1)
        if frame.anchor is not None:
            self.open_anchors.remove(frame.anchor)
            self.anchors[frame.anchor] = (value, self.nodes - frame.nodes_before, frame.top + 1)

    def alias(self, event: Any) -> None:
        if event.anchor in self.open_anchors:
            self.fail(f"the alias *{event.anchor} stands inside what it names", event)
        if event.anchor not in self.anchors:
            self.fail(f"the alias *{event.anchor} names nothing", event)
        value, nodes, levels = self.anchors[event.anchor]
        frame = self.stack[-1]
        if frame.key is None and type(frame.container) is dict:
            self.fail("a key must be plain text", event)
        if len(self.stack) + levels > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels", event)
        self.count(nodes, event)
        self.place(value.value if self.marked else value, event.start_mark.line + 1, levels)

    def count(self, nodes: int, event: Any) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self.fail(f"more than {MAX_NODES} values once its aliases are expanded", event)

    def wrap(self, value: Any, line: int) -> Any:
        return Marked(line, value) if self.marked else value

    def place(self, value: Any, line: int, levels: int = 0) -> Any:
        """Put a finished value into the container it stands in; returns it as placed."""
        if not self.stack:
            self.root = self.wrap(value, line)
            return self.root
        frame = self.stack[-1]
        frame.top = max(frame.top, levels)
        if type(frame.container) is list:
            node = self.wrap(value, line)
            frame.container.append(node)
            return node
        node = self.wrap(value, frame.key_line)
        if frame.key == _MERGE:
            self.merge(frame, value)
        else:
            frame.container[frame.key] = node
        frame.key = None
        return node

    def merge(self, frame: _Frame, value: Any) -> None:
        mappings = value if type(value) is list else [value]
        for mapping in mappings:
            inner = mapping.value if isinstance(mapping, Marked) else mapping
            if type(inner) is not dict:
                raise DocumentError(
                    "the merge key << needs a mapping", file=self.file, line=frame.key_line
                )
            frame.merged.append(inner)
