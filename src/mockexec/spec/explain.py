"""Why a value does not fit a schema, in time linear in the value's size.

jsonschema-rs can list errors itself, but it works out the errors of every branch of every
``oneOf`` before it gives the first one: a value nested 20 deep in a recursive ``oneOf`` takes
minutes. Here the library only answers yes or no, and compares single values; the way down to what
is wrong is walked by hand, into one branch of each choice, and only where something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from mockexec.spec import messages
from mockexec.spec.dialect import Converted
from mockexec.spec.pointers import join

# Whoever parses input bounds its depth lower than this. On a recursive schema, some thousands of
# levels overflow the stack of jsonschema-rs.
DEPTH_MAX = 200
_COMPILED_MAX = 512

# Keywords that look at the value alone, not at its parts.
_FLAT = frozenset(
    [
        "const",
        "contains",
        "dependentRequired",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "required",
        "type",
        "uniqueItems",
    ]
)
_UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")


@dataclass(frozen=True, slots=True)
class _Task:
    """A schema, by its converted form and address, and a value it refuses, by its pointer."""

    schema: Any
    address: str
    value: Any
    pointer: str

    def child(self, keyword: str, *keys: str | int) -> _Task:
        """The same value under a part of the schema."""
        return self._part((keyword, *keys), self.value, self.pointer)

    def item(self, keys: tuple[str | int, ...], key: str | int) -> _Task:
        """A part of the value under a part of the schema."""
        return self._part(keys, self.value[key], join(self.pointer, key))

    def _part(self, keys: tuple[str | int, ...], value: Any, pointer: str) -> _Task:
        schema = self.schema
        for key in keys:
            schema = schema[key]
        address = self.address if "#" in self.address else f"{self.address}#"
        return _Task(schema, address + quote(join("", *keys), safe="/~"), value, pointer)


class Explainer:
    """Explains for the schemas of one document and direction."""

    def __init__(
        self,
        converted: Converted,
        compile_: Callable[[dict[str, Any]], jsonschema_rs.Validator],
    ) -> None:
        self._converted = converted
        self._compile = compile_
        # Address → compiled; bounded, as a schema that many others refer to is large each time.
        self._compiled: dict[str, jsonschema_rs.Validator] = {}
        self._flat: dict[str, jsonschema_rs.Validator | None] = {}

    def explain(self, address: str, value: Any) -> Iterator[tuple[str, str]]:
        """(pointer, message) for each thing wrong with a value that the schema refuses."""
        tasks = [_Task(self._converted.at(address), address, value, "")]
        said = False
        while tasks:
            task = tasks.pop()
            for problem in self._own(task):
                said = True
                yield problem
            tasks.extend(reversed([part for part in self._parts(task) if not self._fits(part)]))
        if not said:
            yield from self._rest(address, value)

    def _fits(self, task: _Task) -> bool:
        if isinstance(task.schema, bool):
            return task.schema
        return self._validator(task.address).is_valid(task.value)

    def _validator(self, address: str) -> jsonschema_rs.Validator:
        found = self._compiled.get(address)
        if found is None:
            if len(self._compiled) >= _COMPILED_MAX:
                self._compiled.pop(next(iter(self._compiled)))
            found = self._compiled[address] = self._compile({"$ref": address})
        return found

    # What is wrong with the value itself

    def _own(self, task: _Task) -> Iterator[tuple[str, str]]:
        if task.schema is False:
            yield task.pointer, "must not be there"
            return
        for error in self._flat_errors(task):
            yield from _plain(error, task)
        if isinstance(task.value, dict):
            yield from self._names(task)
        if "not" in task.schema and self._fits(task.child("not")):
            yield task.pointer, messages.message("not", {}, task.value) or "is excluded"
        for keyword in ("anyOf", "oneOf"):
            if keyword in task.schema:
                yield from self._choice(task, keyword)

    def _flat_errors(self, task: _Task) -> Iterator[jsonschema_rs.ValidationError]:
        if task.address not in self._flat:
            flat = {key: value for key, value in task.schema.items() if key in _FLAT}
            self._flat[task.address] = self._compile(flat) if flat else None
        validator = self._flat[task.address]
        return iter(()) if validator is None else validator.iter_errors(task.value)

    def _names(self, task: _Task) -> Iterator[tuple[str, str]]:
        """Properties that are not known, and names that are not allowed."""
        if task.schema.get("additionalProperties") is False:
            for name in self._additional(task):
                yield join(task.pointer, name), "is not a known property"
        if isinstance(task.schema.get("propertyNames"), dict):
            names = task.child("propertyNames")
            for name in task.value:
                if not self._fits(_Task(names.schema, names.address, name, "")):
                    reason = next(self.explain(names.address, name))[1]
                    yield task.pointer, f"has a property whose name {reason}"

    def _additional(self, task: _Task) -> list[str]:
        known = task.schema.get("properties", {})
        patterns = task.schema.get("patternProperties", {})
        return [
            name
            for name in task.value
            if name not in known and not any(self._matches(pattern, name) for pattern in patterns)
        ]

    def _matches(self, pattern: str, name: str) -> bool:
        key = f"pattern {pattern}"
        if key not in self._compiled:
            self._compiled[key] = self._compile({"pattern": pattern})
        return self._compiled[key].is_valid(name)

    # The parts of the value, and the schemas that also apply to it

    def _parts(self, task: _Task) -> Iterator[_Task]:
        if not isinstance(task.schema, dict):
            return
        schema = task.schema
        if "$ref" in schema:
            yield _Task(
                self._converted.at(schema["$ref"]), schema["$ref"], task.value, task.pointer
            )
        for index in range(len(schema.get("allOf", ()))):
            yield task.child("allOf", index)
        for keyword in ("anyOf", "oneOf"):
            branch = self._meant(task, keyword)
            if branch is not None:
                yield branch
        if "if" in schema:
            branch_name = "then" if self._fits(task.child("if")) else "else"
            if branch_name in schema:
                yield task.child(branch_name)
        if isinstance(task.value, dict):
            yield from self._properties(task)
        elif isinstance(task.value, list):
            yield from _items(task)

    def _properties(self, task: _Task) -> Iterator[_Task]:
        for name in task.schema.get("properties", ()):
            if name in task.value:
                yield task.item(("properties", name), name)
        for pattern in task.schema.get("patternProperties", ()):
            for name in task.value:
                if self._matches(pattern, name):
                    yield task.item(("patternProperties", pattern), name)
        if isinstance(task.schema.get("additionalProperties"), dict):
            for name in self._additional(task):
                yield task.item(("additionalProperties",), name)
        for name in task.schema.get("dependentSchemas", ()):
            if name in task.value:
                yield task.child("dependentSchemas", name)

    # anyOf and oneOf

    def _choice(self, task: _Task, keyword: str) -> Iterator[tuple[str, str]]:
        """What to say about a choice none of whose branches is taken to be the one meant."""
        branches = [task.child(keyword, i) for i in range(len(task.schema[keyword]))]
        fitting = sum(self._fits(branch) for branch in branches)
        if fitting > 1 and keyword == "oneOf":
            yield task.pointer, "fits more than one of the forms of which it must fit one"
        if fitting or self._meant(task, keyword) is not None:
            return
        tagged = self._tag_problem(task, branches)
        if tagged is not None:
            yield tagged
            return
        types: dict[str, None] = {}
        for branch in branches:
            wanted = self._types(branch)
            if not wanted or _is_type(task.value, wanted):
                yield task.pointer, f"fits none of the {len(branches)} forms it may have"
                return
            types |= dict.fromkeys(wanted)
        got = messages.shown(task.value)
        yield task.pointer, f"must be {messages.type_words([*types])}, got {got}"

    def _tag_problem(self, task: _Task, branches: list[_Task]) -> tuple[str, str] | None:
        """What is wrong with the property that tells the branches apart, if one does."""
        if not isinstance(task.value, dict):
            return None
        each = [self._tags(branch) for branch in branches]
        for name in each[0]:
            if not all(name in tags for tags in each):
                continue
            options = [value for tags in each for value in tags[name]]
            if len({*map(repr, options)}) < len(branches) or task.value.get(name) in options:
                continue
            if name not in task.value:
                return join(task.pointer, name), "is missing"
            got = task.value[name]
            text = messages.message("enum", {"options": options}, got)
            return join(task.pointer, name), text or "is none of the known ones"
        return None

    def _tags(self, branch: _Task) -> dict[str, list[Any]]:
        """The properties that a branch fixes, with the values that it admits."""
        found: dict[str, list[Any]] = {}
        for schema in self._flattened(branch.schema):
            for name, part in schema.get("properties", {}).items():
                options = _options(part)
                if options:
                    found[name] = options
        return found

    def _meant(self, task: _Task, keyword: str) -> _Task | None:
        """The branch a value was meant to fit, where one stands out and the value fits none."""
        if keyword not in task.schema:
            return None
        branches = [task.child(keyword, i) for i in range(len(task.schema[keyword]))]
        if any(self._fits(branch) for branch in branches):
            return None
        ranked = sorted(
            ((self._distance(branch), i) for i, branch in enumerate(branches)),
            key=lambda item: item[0],
        )
        if not ranked or ranked[0][0][0] or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
            return None
        return branches[ranked[0][1]]

    def _distance(self, branch: _Task) -> tuple[bool, int, int]:
        """How far off a branch looks: wrong type, properties with a wrong tag, missing ones."""
        wanted = self._types(branch)
        if wanted and not _is_type(branch.value, wanted):
            return True, 0, 0
        if not isinstance(branch.value, dict):
            return False, 0, 0
        wrong = missing = 0
        for schema in self._flattened(branch.schema):
            missing += sum(name not in branch.value for name in schema.get("required", ()))
            for name, part in schema.get("properties", {}).items():
                options = _options(part)
                if name in branch.value and options is not None:
                    wrong += branch.value[name] not in options
        return False, wrong, missing

    def _types(self, branch: _Task) -> list[str]:
        for schema in self._flattened(branch.schema):
            if "type" in schema:
                written = schema["type"]
                return [written] if isinstance(written, str) else list(written)
        return []

    def _flattened(self, schema: Any) -> list[dict[str, Any]]:
        """A schema and those it is made of by ``$ref`` and ``allOf``."""
        found: dict[int, dict[str, Any]] = {}
        queue = [schema]
        while queue:
            node = queue.pop(0)
            if not isinstance(node, dict) or id(node) in found:
                continue
            found[id(node)] = node
            if "$ref" in node:
                queue.append(self._converted.at(node["$ref"]))
            queue.extend(node.get("allOf", ()))
        return [*found.values()]

    # What the walk does not know

    def _rest(self, address: str, value: Any) -> Iterator[tuple[str, str]]:
        """For keywords that depend on the whole way down: unevaluated parts, dynamic references."""
        schema = self._converted.at(address)
        said = False
        if isinstance(schema, dict) and any(keyword in schema for keyword in _UNEVALUATED):
            for error in self._validator(address).iter_errors(value):
                if error.kind.name in _UNEVALUATED:
                    pointer = join("", *error.instance_path)
                    for key in error.kind.as_dict()["unexpected"]:
                        said = True
                        yield join(pointer, key), "is not a known part of this"
        if not said:
            yield "", f"does not fit its schema, got {messages.shown(value)}"


def _options(schema: Any) -> list[Any] | None:
    """The values of which it must be one; None where that is not said."""
    if not isinstance(schema, dict):
        return None
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _items(task: _Task) -> Iterator[_Task]:
    first = task.schema.get("prefixItems", ())
    for index in range(len(task.value)):
        if index < len(first):
            yield task.item(("prefixItems", index), index)
        elif "items" in task.schema:
            yield task.item(("items",), index)


def _plain(error: jsonschema_rs.ValidationError, task: _Task) -> Iterator[tuple[str, str]]:
    kind, details = error.kind.name, error.kind.as_dict()
    if kind == "multipleOf":
        details["limit"] = details["multiple_of"]
    if kind == "required":
        yield join(task.pointer, details["property"]), "is missing"
        return
    text = messages.message(kind, details, task.value)
    yield task.pointer, text or f"does not fit its schema ({kind})"


_PYTHON_TYPES: dict[str, type] = {
    "array": list,
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "string": str,
}


def _is_type(value: Any, types: list[str]) -> bool:
    for name in types:
        if name == "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            if whole and not isinstance(value, bool):
                return True
        elif name == "number":
            if isinstance(value, int | float) and not isinstance(value, bool):
                return True
        elif isinstance(value, _PYTHON_TYPES.get(name, ())):
            return True
    return False


# The way to a part of a value: (the way to what it lies in, its key), () for the whole.
_Way = tuple[Any, ...]


def unreadable(value: Any) -> tuple[str, str] | None:
    """(pointer, message) of the first thing in a value that is not JSON, or not within bounds."""
    stack: list[tuple[Any, _Way, int]] = [(value, (), 1)]
    while stack:
        node, way, depth = stack.pop()
        if depth > DEPTH_MAX:
            return "", f"is nested deeper than {DEPTH_MAX} levels"
        if isinstance(node, dict):
            for key, item in node.items():
                if not isinstance(key, str):
                    return _pointer(way), "has a property whose name is not text"
                problem = _bad_text(key)
                if problem is not None:
                    return _pointer(way), f"has a property whose name {problem}"
                stack.append((item, (way, key), depth + 1))
        elif isinstance(node, list):
            stack.extend((item, (way, i), depth + 1) for i, item in enumerate(node))
        elif isinstance(node, str):
            problem = _bad_text(node)
            if problem is not None:
                return _pointer(way), problem
        elif node is not None and not isinstance(node, bool | int | float):
            return _pointer(way), f"must be a JSON value, got {messages.shown(node)}"
    return None


def _pointer(way: _Way) -> str:
    keys: list[str | int] = []
    while way:
        way, key = way
        keys.append(key)
    return join("", *reversed(keys))


def _bad_text(text: str) -> str | None:
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no text"
    return None
