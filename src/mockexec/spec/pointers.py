"""JSON pointers (RFC 6901): writing, reading, following."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def escape(key: str | int) -> str:
    """One reference token of a pointer."""
    token = str(key)
    if "~" in token or "/" in token:
        return token.replace("~", "~0").replace("/", "~1")
    return token


def join(pointer: str, *keys: str | int) -> str:
    """``pointer`` extended by ``keys``, which are escaped."""
    for key in keys:
        pointer += f"/{escape(key)}"
    return pointer


def tokens(pointer: str) -> list[str]:
    """The unescaped reference tokens. Raises ValueError where the text is no pointer."""
    if not pointer:
        return []
    if pointer[0] != "/":
        raise ValueError(f"{pointer!r} is not a JSON pointer")
    parts = pointer[1:].split("/")
    if "~" not in pointer:
        return parts
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def follow(value: Any, keys: Iterable[str]) -> Any:
    """The value ``keys`` lead to. Raises LookupError where a key is not there."""
    for key in keys:
        if isinstance(value, dict):
            value = value[key]
        elif isinstance(value, list) and key.isascii() and key.isdigit():
            value = value[int(key)]
        else:
            raise LookupError(key)
    return value
