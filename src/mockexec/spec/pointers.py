"""JSON pointers (RFC 6901): writing, reading, following."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def escape(key: str | int) -> str:
    """One reference token of a pointer."""
    return str(key).replace("~", "~0").replace("/", "~1")


def join(pointer: str, *keys: str | int) -> str:
    """``pointer`` extended by ``keys``, which are escaped."""
    return "".join((pointer, *(f"/{escape(key)}" for key in keys)))


def tokens(pointer: str) -> list[str]:
    """The unescaped reference tokens. Raises ValueError where the text is no pointer."""
    if not pointer:
        return []
    if pointer[0] != "/":
        raise ValueError(f"{pointer!r} is not a JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


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
