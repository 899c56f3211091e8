"""A validation error in plain words: what was expected and what came."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mockexec.spec.dialect import BASE64

_SHOWN_CHARACTERS_MAX = 60
_SHOWN_OPTIONS_MAX = 12

_ARTICLES = {"array": "an array", "integer": "an integer", "object": "an object", "null": "null"}
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
        return text if len(cut) == len(value) else f"{text[:-1]}…\""
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
    return either([_ARTICLES.get(name, f"a {name}") for name in types])


def either(words: Sequence[str]) -> str:
    """``a, b or c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _plural(count: Any, noun: str) -> str:
    forms = {"property": "properties"}
    return f"{count} {noun if count == 1 else forms.get(noun, noun + 's')}"


def message(kind: str, details: dict[str, Any], value: Any) -> str | None:
    """What the error of ``kind`` about ``value`` means; None for a kind without words of its own.

    ``kind`` and ``details`` are the name and the fields of jsonschema-rs's error kind.
    """
    got = shown(value)
    match kind:
        case "type":
            return f"must be {type_words(details['types'])}, got {got}"
        case "enum":
            return f"must be {_options(details['options'])}, got {got}"
        case "const":
            return f"must be {shown(details['expected_value'])}, got {got}"
        case "format":
            name = details["format"]
            return f"must be {_FORMATS.get(name, f'of the format {name}')}, got {got}"
        case "pattern":
            if details["pattern"] == BASE64:
                return f"must be base64, got {got}"
            return f"must match the pattern {details['pattern']}, got {got}"
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            words = {
                "minimum": "at least",
                "maximum": "at most",
                "exclusiveMinimum": "more than",
                "exclusiveMaximum": "less than",
            }
            return f"must be {words[kind]} {details['limit']}, got {got}"
        case "multipleOf":
            return f"must be a multiple of {details['multiple_of']}, got {got}"
        case "uniqueItems":
            return "must not hold the same item twice"
        case "contains":
            return "must hold an item of the required form"
        case "not":
            return f"must not be of a form that is excluded, got {got}"
        case "falseSchema":
            return "must not be there"
        case "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties":
            return _size(kind, details["limit"], value)
        case "maxProperties":
            return _size(kind, details["limit"], value)
    return None


def _options(options: Sequence[Any]) -> str:
    words = [shown(option) for option in options[:_SHOWN_OPTIONS_MAX]]
    left = len(options) - len(words)
    if left:
        words.append(f"one of {left} others")
    return either(words)


def _size(kind: str, limit: int, value: Any) -> str:
    noun = {"Length": "character", "Items": "item", "Properties": "property"}[kind[3:]]
    bound = "at least" if kind.startswith("min") else "at most"
    return f"must have {bound} {_plural(limit, noun)}, got {len(value)}"
