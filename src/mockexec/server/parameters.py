"""Parameters: from the bytes of a request to decoded, validated values.

Everything about a parameter (style, explode, types, validator, default) is settled when its plan
is compiled; a request only runs the closures. Delimiters are looked for before percent-decoding,
so that ``a%2Cb`` stays one item. A number is what JSON calls a number, nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from mockexec.errors import Violation
from mockexec.spec.operations import Parameter
from mockexec.spec.schemas import Schemas, Shape, Validator

# The texts given for one parameter: (still encoded) values in the order they came.
Raw = Sequence[str]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,99})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,100})?(?:[eE][+-]?[0-9]{1,3})?")
_DELIMITER = {"form": ",", "simple": ",", "spaceDelimited": "%20", "pipeDelimited": "|"}


class Undecodable(ValueError):  # noqa: N818  # it names what came
    """The text cannot stand for a value; its message says why."""


def unquote(text: str, *, plus: bool = False) -> str:
    """Percent-decoding that refuses what is not UTF-8; ``plus``: a plus sign is a space."""
    if plus and "+" in text:
        text = text.replace("+", " ")
    if "%" not in text and text.isascii():
        return text
    try:
        # Header and path texts reach us as Latin-1, the bytes as they came.
        raw = unquote_to_bytes(text) if "%" in text else text.encode("latin-1")
        return raw.decode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise Undecodable("must be UTF-8 text") from None


def scalar(text: str, types: frozenset[str]) -> Any:
    """The value that ``text`` stands for where ``types`` (JSON types; none: any) are admitted.

    A text that is none of them is returned as it is, for the validator to name what was expected.
    """
    if not types or types == _STRING:
        return text
    if ("integer" in types or "number" in types) and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        number = float(text)
        if number in {float("inf"), float("-inf")}:
            raise Undecodable(f"must be a finite number, got {text[:40]}")
        return number
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    return text


_STRING = frozenset({"string"})
_ANY: frozenset[str] = frozenset()


def part_types(shape: Shape | None, key: str) -> frozenset[str]:
    """The types that an object's property ``key`` may have; none: any."""
    part = property_shape(shape, key)
    return part.types if part is not None else _ANY


def item_types(shape: Shape | None) -> frozenset[str]:
    """The types that an array's items may have; none: any."""
    return shape.items.types if shape is not None and shape.items is not None else _ANY


def property_shape(shape: Shape | None, key: str) -> Shape | None:
    """The shape of an object's property ``key``, or None where nothing is said of it."""
    return (shape.properties.get(key) or shape.additional) if shape is not None else None


class Decoder:
    """One parameter, ready to run."""

    __slots__ = (
        "_decode", "_validator", "admits_text", "default", "has_default", "location", "name",
        "names", "nested", "required",
    )  # fmt: skip

    def __init__(self, parameter: Parameter, schemas: Schemas) -> None:
        self.name = parameter.name
        self.location = parameter.location
        self.required = parameter.required
        schema = parameter.schema
        shape = schemas.shape(schema) if schema is not None else None
        raw = _raw_schema(parameter)
        self._validator: Validator | None = (
            schemas.validator(schema, "request")
            if schema is not None and not _is_plain_text(raw)
            else None
        )
        # An exploded form object spreads over parameters named like its properties, a deepObject
        # over ``name[property]``; those texts are collected by the reader of the query.
        self.nested = parameter.style == "deepObject"
        spread = _is_object(shape) and parameter.style == "form" and parameter.explode
        self.names: tuple[str, ...] = tuple(shape.properties) if shape and spread else ()
        self._decode = _decode_as(parameter, shape)
        types = shape.types if shape is not None else _ANY
        self.admits_text = not types or "string" in types
        self.has_default = "default" in raw
        self.default = raw.get("default")

    def read(self, raw: Any, into: dict[str, Any], violations: list[Violation]) -> None:
        """Decodes ``raw`` (texts, or property → texts where nested) and checks it."""
        try:
            value = self._decode(raw)
        except Undecodable as error:
            violations.append(self._violation(str(error)))
            return
        validator = self._validator
        if validator is not None and not validator.is_valid(value):
            violations += validator.violations(value, location=self.location, name=self.name)
            return
        into[self.name] = value

    def absent(self, into: dict[str, Any], violations: list[Violation]) -> None:
        """What a request without it means."""
        if self.required:
            violations.append(self._violation("is missing"))
        elif self.has_default:
            into[self.name] = self.default

    def _violation(self, message: str) -> Violation:
        return Violation(self.location, self.name, "", message)


def _raw_schema(parameter: Parameter) -> Mapping[str, Any]:
    if parameter.schema is None:
        return {}
    reference = parameter.schema
    raw, _, _ = reference.document.resolve(reference.raw, reference.uri)
    return raw if isinstance(raw, Mapping) else {}


def _is_plain_text(raw: Mapping[str, Any]) -> bool:
    """Whether the schema takes every text, so that there is nothing to check."""
    return raw.get("type") == "string" and raw.keys() <= {
        "type", "title", "description", "example", "examples", "default", "nullable", "deprecated",
    }  # fmt: skip


_SCALARS = frozenset({"string", "integer", "number", "boolean"})


def _is_object(shape: Shape | None) -> bool:
    return shape is not None and "object" in shape.types and not shape.types & _SCALARS


def _is_array(shape: Shape | None) -> bool:
    return shape is not None and "array" in shape.types and not shape.types & _SCALARS


def _decode_as(parameter: Parameter, shape: Shape | None) -> Callable[[Any], Any]:
    """The function from raw texts to a value for this parameter's place, style and types."""
    plus = parameter.location == "query"

    # Header and cookie values are not percent-encoded on the wire.
    encoded = parameter.location in {"query", "path"}
    plain: Callable[[str], str] = partial(unquote, plus=plus) if encoded else _latin

    if parameter.media_type is not None:
        return lambda raw: _json_text(plain(_single(raw)))
    if parameter.style == "deepObject":
        return lambda raw: _deep_object(raw, shape, plain)
    if _is_object(shape):
        return lambda raw: _object(raw, parameter, shape, plain)
    if _is_array(shape):
        return lambda raw: _array(raw, parameter, shape, plain)
    types = shape.types if shape is not None else _ANY
    if parameter.location != "path" or parameter.style == "simple":
        return lambda raw: scalar(plain(_single(raw)), types)
    strip = _prefix_stripper(parameter)
    return lambda raw: scalar(plain(strip(_single(raw))), types)


def _latin(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


def _single(raw: Raw) -> str:
    if len(raw) > 1:
        raise Undecodable(f"must be given once, was given {len(raw)} times")
    return raw[0]


def _prefix_stripper(parameter: Parameter) -> Callable[[str], str]:
    """Removes the mark that the path styles ``label`` and ``matrix`` put before a value."""
    if parameter.location != "path" or parameter.style == "simple":
        return lambda text: text
    mark = "." if parameter.style == "label" else f";{parameter.name}="

    def strip(text: str) -> str:
        if not text.startswith(mark):
            raise Undecodable(f"must begin with {mark!r} (style {parameter.style})")
        return text[len(mark) :]

    return strip


def _array(
    raw: Raw, parameter: Parameter, shape: Shape | None, plain: Callable[[str], str]
) -> list[Any]:
    types = item_types(shape)
    return [scalar(plain(text), types) for text in _items(raw, parameter)]


def _items(raw: Raw, parameter: Parameter) -> Sequence[str]:
    if parameter.style == "form" and parameter.explode:
        return raw
    text = _single(raw)
    if parameter.location == "path" and parameter.style == "matrix" and parameter.explode:
        mark = f";{parameter.name}="
        head, *items = text.split(mark)
        if head or not items:
            raise Undecodable(f"must be written {mark}item for each item")
        return items
    text = _prefix_stripper(parameter)(text)
    if not text:
        return ()
    if parameter.style == "label":
        return text.split("." if parameter.explode else ",")
    if parameter.style == "matrix":
        return text.split(",")
    if parameter.style == "spaceDelimited":
        return text.replace("+", "%20").split("%20")
    if parameter.style == "pipeDelimited":
        return text.replace("%7C", "|").replace("%7c", "|").split("|")
    delimiter = _DELIMITER.get(parameter.style, ",")
    items = text.split(delimiter)
    # A list in a header may have blanks around its commas (RFC 9110, section 5.6.1).
    return [item.strip() for item in items] if parameter.location == "header" else items


def _object(
    raw: Any, parameter: Parameter, shape: Shape | None, plain: Callable[[str], str]
) -> dict[str, Any]:
    if isinstance(raw, Mapping):  # exploded form: property → texts
        return {key: _property(_single(texts), key, shape, plain) for key, texts in raw.items()}
    text = _single(raw)
    if parameter.style == "matrix" and parameter.explode:
        pairs = [part.partition("=") for part in text.lstrip(";").split(";")]
    elif parameter.explode:
        stripped = _prefix_stripper(parameter)(text)
        delimiter = "." if parameter.style == "label" else ","
        pairs = [part.partition("=") for part in stripped.split(delimiter)]
    else:
        flat = _prefix_stripper(parameter)(text).split(_DELIMITER.get(parameter.style, ","))
        if len(flat) % 2:
            raise Undecodable("must be a list of names and values in turn")
        pairs = [(flat[i], "=", flat[i + 1]) for i in range(0, len(flat), 2)]
    value = {}
    for key, equals, part in pairs:
        if not equals:
            raise Undecodable("must be written name=value for each property")
        name = plain(key.strip())
        value[name] = _property(part, name, shape, plain)
    return value


def _deep_object(
    raw: Mapping[str, Raw], shape: Shape | None, plain: Callable[[str], str]
) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, texts in raw.items():
        inner = property_shape(shape, key)
        if _is_array(inner):
            types = item_types(inner)
            value[key] = [scalar(plain(text), types) for text in texts]
        else:
            value[key] = scalar(plain(_single(texts)), part_types(shape, key))
    return value


def _property(text: str, key: str, shape: Shape | None, plain: Callable[[str], str]) -> Any:
    return scalar(plain(text), part_types(shape, key))


def _json_text(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"must be JSON: {error}") from None


class QueryReader:
    """All query parameters of one operation."""

    __slots__ = (
        "_by_name", "_decoders", "_deep", "_defaults", "_required", "_spread", "_strict",
        "_undocumented",
    )  # fmt: skip

    def __init__(
        self, decoders: Sequence[Decoder], *, strict: bool, credentials: frozenset[str]
    ) -> None:
        """``credentials``: names that carry an API key and are no parameters."""
        self._decoders = tuple(decoders)
        self._required = tuple(d for d in decoders if d.required)
        self._defaults = {d.name: d.default for d in decoders if d.has_default and not d.required}
        self._by_name = {d.name: d for d in decoders if not d.names and not d.nested}
        self._spread = {name: d for d in decoders for name in d.names}
        self._deep = {d.name: d for d in decoders if d.nested}
        self._strict = strict
        self._undocumented = credentials

    def read(
        self, query: str, into: dict[str, Any], violations: list[Violation]
    ) -> tuple[Violation, ...]:
        """Fills ``into``; returns notes on parameters that the document does not know."""
        if not query:
            into.update(self._defaults)
            for decoder in self._required:
                decoder.absent(into, violations)
            return ()
        given: dict[str, Any] = {}
        notes: list[Violation] = []
        for pair in query.split("&"):
            if pair:
                self._collect(pair, given, notes)
        for decoder in self._decoders:
            raw = given.get(decoder.name)
            if raw is not None:
                decoder.read(raw, into, violations)
            elif decoder.has_default or decoder.required:
                decoder.absent(into, violations)
        if notes and self._strict:
            violations += notes
        return tuple(notes)

    def _collect(self, pair: str, given: dict[str, Any], notes: list[Violation]) -> None:
        encoded, _, text = pair.partition("=")
        try:
            name = unquote(encoded, plus=True) if "%" in encoded or "+" in encoded else encoded
        except Undecodable:
            name = encoded
        if name in self._by_name:
            given.setdefault(name, []).append(text)
            return
        if name in self._spread:
            owner = self._spread[name]
            given.setdefault(owner.name, {}).setdefault(name, []).append(text)
            return
        head, bracket, key = name.partition("[")
        if bracket and head in self._deep and key.endswith("]"):
            given.setdefault(head, {}).setdefault(key[:-1], []).append(text)
            return
        if name not in self._undocumented:
            notes.append(Violation("query", name[:100], "", "is not a parameter of this operation"))


def read_cookies(header: str) -> dict[str, list[str]]:
    """Cookie name → texts; a plain split, since values may hold nearly anything."""
    cookies: dict[str, list[str]] = {}
    for part in header.split(";"):
        name, equals, text = part.strip().partition("=")
        if equals:
            cookies.setdefault(name, []).append(text)
    return cookies
