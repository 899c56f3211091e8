"""A validation error in plain words: what was expected and what came."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mockexec.spec.dialect import BASE64

_SHOWN_CHARACTERS_MAX = 60
_SHOWN_OPTIONS_MAX = 12

_ARTICLES = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "object": "an object",
    "null": "null",
}
_FORMATS = {
    "date": "a date (YYYY-MM-DD)",
    "date-time": "a date and time (RFC 3339)",
    "duration": "a duration (ISO 8601)",
    "email": "an email address",
    "hostname": "a host name",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "json-pointer": "a JSON pointer",
    "regex": "a regular expression",
    "time": "a time (RFC 3339)",
    "uri": "a URI",
    "uri-reference": "a URI or relative reference",
    "uuid": "a UUID",
}


def shown(value: Any) -> str:
    """A value as a message shows it: short, and safe whatever it holds."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, str):
        cut = value[:_SHOWN_CHARACTERS_MAX]
        # Escaping is only needed for half surrogates and control characters.
        text = json.dumps(cut, ensure_ascii=not _is_text(cut))
        return text if len(cut) == len(value) else f'{text[:-1]}…"'
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 512:
        return "a number of more than 150 digits"
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return f"a {type(value).__name__}"


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def type_words(types: Sequence[str]) -> str:
    """``["string", "null"]`` → ``a string or null``."""
    ordered = sorted(types, key=lambda name: name == "null")
    return either([_ARTICLES.get(name, f"a {name}") for name in ordered])


def either(words: Sequence[str]) -> str:
    """``a, b or c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"


def message(kind: str, details: dict[str, Any], value: Any) -> str | None:
    """What an error about ``value`` means; None for a kind without words of its own.

    ``kind`` and ``details`` are the name and the fields of jsonschema-rs's error kind.
    """
    if kind in _FIXED:
        return _FIXED[kind]
    if kind in _COMPARISONS:
        return f"must be {_COMPARISONS[kind]} {details['limit']}, got {shown(value)}"
    if kind in _SIZES:
        return _size(kind, details["limit"], value)
    expected = _expected(kind, details)
    return None if expected is None else f"must {expected}, got {shown(value)}"


_FIXED = {
    "contains": "must hold an item of the required form",
    "falseSchema": "must not be there",
    "uniqueItems": "must not hold the same item twice",
}
_COMPARISONS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}
_SIZES = {
    "maxItems": "at most {} item",
    "maxLength": "at most {} character",
    "maxProperties": "at most {} property",
    "minItems": "at least {} item",
    "minLength": "at least {} character",
    "minProperties": "at least {} property",
}


def _expected(kind: str, details: dict[str, Any]) -> str | None:
    match kind:
        case "type":
            return f"be {type_words(details['types'])}"
        case "enum":
            return f"be {_options(details['options'])}"
        case "const":
            return f"be {shown(details['expected_value'])}"
        case "format":
            return f"be {_FORMATS.get(details['format'], 'of the format ' + details['format'])}"
        case "pattern" if details.get("pattern") == BASE64:
            return "be base64"
        case "pattern":
            # A pattern that was given up is not named by the library.
            return f"match the pattern {details.get('pattern', 'of its schema')}"
        case "not":
            return "not be of a form that is excluded"
    return None


def _options(options: Sequence[Any]) -> str:
    words = [shown(option) for option in options[:_SHOWN_OPTIONS_MAX]]
    left = len(options) - len(words)
    if left:
        words.append(f"one of {left} others")
    return either(words)


def _size(kind: str, limit: int, value: Any) -> str:
    words = _SIZES[kind].format(limit)
    if limit != 1:
        words = f"{words}s".replace("propertys", "properties")
    return f"must have {words}, got {len(value)}"
