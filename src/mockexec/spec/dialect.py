"""An OpenAPI file → the same file with every schema in it as JSON Schema 2020-12.

Structure and pointers stay; ``$ref``s stay references, made absolute, so that recursion and other
files cost nothing. What differs between OpenAPI and JSON Schema is rewritten:

- ``nullable`` (3.0; ``x-nullable`` in 2.0) admits null, also where an ``enum`` forgets to list it
- boolean ``exclusiveMinimum`` and ``exclusiveMaximum`` become numbers
- up to 3.0, what stands beside a ``$ref`` is ignored (3.0.3, Reference Object)
- ``int32`` and ``int64`` get bounds, ``byte`` a pattern (3.0.3, Data Types)
- a required readOnly property may be missing from a request, and a required writeOnly one from a
  response (3.0.3, Schema Object). A readOnly property that is sent is let through, as servers
  ignore it; a writeOnly one in a response is an error, since it gives away what it should not.
- ``type: file`` and ``required: true``, which parameters of 2.0 have, lose what JSON Schema lacks
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import unquote

from mockexec.spec.load import Document
from mockexec.spec.pointers import follow, join, tokens
from mockexec.spec.references import NAME_MAPS

Direction = Literal["request", "response"]

# RFC 4648, section 4, with padding.
BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_DROPPED = frozenset(
    [
        "default",
        "deprecated",
        "description",
        "discriminator",
        "example",
        "examples",
        "externalDocs",
        "nullable",
        "summary",
        "title",
        "xml",
    ]
)
_VERBATIM = frozenset(("const", "enum"))
_NESTED_READ_ONLY_MAX = 8


class Dialect:
    """Converts the files of one document for one direction."""

    def __init__(self, document: Document, direction: Direction) -> None:
        self.document = document
        self.hidden_flag = "readOnly" if direction == "request" else "writeOnly"
        self.forbids = direction == "response"
        self.siblings = document.version >= "3.1"
        self.nullable = {"2.0": "x-nullable", "3.0": "nullable"}.get(document.version)
        # Whether the other direction would come out differently.
        self.directional = False
        self.uri = document.uri
        # Places inside extensions that something refers to: extensions are left out otherwise.
        self.extensions: dict[tuple[str, str], None] = {}

    def convert(self, uri: str, pointer: str = "") -> Any:
        """What stands at ``pointer`` of the file ``uri``, converted."""
        self.uri = uri
        return self._object(self.document.at(uri, pointer), frozenset())

    def address(self, uri: str, pointer: str) -> str:
        """The URI under which the converted form of a place is found."""
        keys = tokens(pointer)
        for index, key in enumerate(keys):
            # Below a map of names, x-rate-limit is a name like any other.
            if key.startswith("x-") and (index == 0 or keys[index - 1] not in NAME_MAPS):
                extension = join("", *keys[: index + 1])
                self.extensions[uri, extension] = None
                return self.document.address(uri, join("/$defs", extension, *keys[index + 1 :]))
        if self.nullable is not None:
            keys = self._moved(uri, keys)
        return self.document.address(uri, join("", *keys))

    def _moved(self, uri: str, keys: list[str]) -> list[str]:
        """The way to a place, where some of the schemas on it were wrapped to admit null."""
        node, found = self.document.at(uri, ""), []
        for key in keys:
            if isinstance(node, dict) and self._is_wrapped(node):
                found += ["anyOf", "0"]
            found.append(key)
            node = follow(node, [key])
        return found

    def _object(self, node: Any, hidden: frozenset[str]) -> Any:
        """``node`` converted; ``hidden`` are names an enclosing allOf already excuses."""
        if isinstance(node, list):
            return [self._object(item, frozenset()) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            absolute = {"$ref": self._absolute(node)}
            if not self.siblings:
                return absolute
            return self._keywords(node, hidden) | absolute
        return self._keywords(node, hidden)

    def _keywords(self, node: dict[str, Any], hidden: frozenset[str]) -> Any:
        if "required" in node or "allOf" in node:
            hidden |= self._hidden(node, _NESTED_READ_ONLY_MAX)
        if not self.directional and ("readOnly" in node or "writeOnly" in node):
            self.directional = True
        made: dict[str, Any] = {}
        for key, value in node.items():
            if key in _DROPPED or key.startswith("x-"):
                continue
            if key == "properties" and isinstance(value, dict):
                made[key] = {name: self._property(item) for name, item in value.items()}
            elif key in NAME_MAPS and isinstance(value, dict):
                made[key] = {name: self._object(item, frozenset()) for name, item in value.items()}
            elif key == "allOf" and isinstance(value, list):
                made[key] = [self._object(item, hidden) for item in value]
            elif key in _VERBATIM:
                made[key] = value
            else:
                made[key] = self._object(value, frozenset())
        self._required(made, hidden)
        _type(made)
        _exclusive(made, "minimum", "exclusiveMinimum")
        _exclusive(made, "maximum", "exclusiveMaximum")
        _format(made)
        return self._nullable(node, made)

    def _absolute(self, node: dict[str, Any]) -> str:
        _, uri, pointer = self.document.target(node, self.uri)
        return self.address(uri, pointer)

    # readOnly and writeOnly

    def _property(self, node: Any) -> Any:
        if self.forbids and self._has_flag(node, self.uri, _NESTED_READ_ONLY_MAX):
            self.directional = True
            return False
        return self._object(node, frozenset())

    def _required(self, made: dict[str, Any], hidden: frozenset[str]) -> None:
        # Not a list: the ``required: true`` of a parameter.
        written = made.pop("required", None)
        names = written if isinstance(written, list) else ()
        needed = [name for name in names if name not in hidden]
        if needed:
            made["required"] = needed

    def _hidden(self, node: Any, levels: int, uri: str | None = None) -> frozenset[str]:
        """The properties that this direction need not carry, also those an allOf brings."""
        node, uri, _ = self.document.resolve(node, uri or self.uri)
        if not isinstance(node, dict) or not levels:
            return frozenset()
        properties = node.get("properties")
        names = frozenset(
            name
            for name, item in (properties.items() if isinstance(properties, dict) else ())
            if self._has_flag(item, uri, levels)
        )
        parts = node.get("allOf")
        for part in parts if isinstance(parts, list) else ():
            names |= self._hidden(part, levels - 1, uri)
        return names

    def _has_flag(self, node: Any, uri: str, levels: int) -> bool:
        """Whether the flag is set on a property: on itself, what it refers to, or its allOf."""
        if not isinstance(node, dict) or not levels:
            return False
        if isinstance(node.get("$ref"), str):
            if self.siblings and node.get(self.hidden_flag) is True:
                return True
            node, uri, _ = self.document.target(node, uri)
            return self._has_flag(node, uri, levels - 1)
        if node.get(self.hidden_flag) is True:
            return True
        parts = node.get("allOf")
        return isinstance(parts, list) and any(
            self._has_flag(part, uri, levels - 1) for part in parts
        )

    # null

    def _nullable(self, node: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
        if self.nullable is None or node.get(self.nullable) is not True:
            return made
        if self._is_wrapped(node):
            return {"anyOf": [made, {"type": "null"}]}
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        if isinstance(made.get("enum"), list) and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
        return made

    def _is_wrapped(self, node: dict[str, Any]) -> bool:
        """Whether null can only be admitted from outside, as a part of the schema refuses it."""
        return (
            self.nullable is not None
            and node.get(self.nullable) is True
            and "$ref" not in node
            and any(key in node for key in ("allOf", "anyOf", "oneOf", "not"))
        )


def _type(made: dict[str, Any]) -> None:
    if made.get("type") == "file":
        made["type"] = "string"


def _exclusive(made: dict[str, Any], limit: str, exclusive: str) -> None:
    flag = made.get(exclusive)
    if not isinstance(flag, bool):
        return
    del made[exclusive]
    if flag and limit in made:
        made[exclusive] = made.pop(limit)


def _format(made: dict[str, Any]) -> None:
    name = made.get("format")
    if not isinstance(name, str):
        return
    if name in _BOUNDS and made.get("type") != "string":
        low, high = _BOUNDS[name]
        made["minimum"] = max(low, made["minimum"]) if _number(made, "minimum") else low
        made["maximum"] = min(high, made["maximum"]) if _number(made, "maximum") else high
    elif name == "byte":
        del made["format"]
        if "pattern" in made:
            made["allOf"] = [*made.get("allOf", ()), {"pattern": BASE64}]
        else:
            made["pattern"] = BASE64


def _number(made: dict[str, Any], key: str) -> bool:
    value = made.get(key)
    return isinstance(value, int | float) and not isinstance(value, bool)


def anchored(node: Any) -> list[dict[str, Any]]:
    """The schemas below ``node`` that have a name of their own and no ``$id``."""
    found: list[dict[str, Any]] = []
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if "$anchor" in item or "$dynamicAnchor" in item:
                found.append(item)
            stack.extend(value for value in item.values() if not _is_resource(value))
        elif isinstance(item, list):
            stack.extend(value for value in item if not _is_resource(value))
    return found


def _is_resource(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("$id"), str)


class Converted:
    """All files of a document, converted for one direction, as a registry wants them.

    A file is registered under its URI, a schema with ``$id`` under that as well. Names given by
    anchors are only looked for in schemas, and a file of OpenAPI is none, so the schemas that have
    them are also listed under ``$defs`` of the file, as are those written in extensions.
    """

    def __init__(self, document: Document, direction: Direction) -> None:
        self._dialect = Dialect(document, direction)
        self.resources: dict[str, Any] = {}
        # Address → schema; there are no more than the document has.
        self._found: dict[str, Any] = {}
        for uri in document.files:
            converted = self._dialect.convert(uri)
            if document.version >= "3.1":
                named = {f"anchored {i}": item for i, item in enumerate(anchored(converted))}
                converted = _with_definitions(converted, named)
            self.resources[uri] = converted
        self._convert_extensions()
        for identifier, (uri, pointer) in document.identified.items():
            self.resources[identifier] = follow(self.resources[uri], tokens(pointer))

    def _convert_extensions(self) -> None:
        done: set[tuple[str, str]] = set()
        while open_ := [place for place in self._dialect.extensions if place not in done]:
            for uri, pointer in open_:
                named = {pointer: self._dialect.convert(uri, pointer)}
                self.resources[uri] = _with_definitions(self.resources[uri], named)
                done.add((uri, pointer))

    @property
    def directional(self) -> bool:
        """Whether the other direction comes out differently."""
        return self._dialect.directional

    def address(self, uri: str, pointer: str) -> str:
        """The URI under which a place of the document is found among the resources."""
        return self._dialect.address(uri, pointer)

    def at(self, address: str) -> Any:
        """The converted schema at a URI that ``address`` returned or a ``$ref`` holds."""
        if address not in self._found:
            uri, _, fragment = address.partition("#")
            self._found[address] = follow(self.resources[uri], tokens(unquote(fragment)))
        return self._found[address]


def _with_definitions(converted: Any, named: dict[str, Any]) -> Any:
    if not named or not isinstance(converted, dict):
        return converted
    return converted | {"$defs": converted.get("$defs", {}) | named}
