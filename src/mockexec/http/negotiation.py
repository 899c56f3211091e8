"""Media types: what a client accepts and what it sends (RFC 9110, sections 8.3 and 12.5.1)."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=256)
def negotiate(accept: str, offered: tuple[str, ...]) -> str | None:
    """The offered media type that ``accept`` likes best; None when it takes none of them.

    Equal quality is settled by the more specific range, then by the order of ``offered``. An
    empty ``accept`` takes the first. Malformed ranges are passed over.
    """
    ranges = [parsed for part in accept.split(",") if (parsed := _media_range(part))]
    if not ranges:
        return offered[0] if not accept.strip() else None
    best: tuple[float, int, int] = (0.0, 0, 0)
    chosen = None
    for position, media_type in enumerate(offered):
        quality, specificity = _quality(media_type, ranges)
        rank = (quality, specificity, -position)
        if quality > 0 and (chosen is None or rank > best):
            best, chosen = rank, media_type
    return chosen


def _media_range(text: str) -> tuple[str, float] | None:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    if name.count("/") != 1 or name.startswith("/") or name.endswith("/"):
        return None
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return None
    return name, 1.0


def _quality(media_type: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """(quality, specificity) by the most specific range that covers ``media_type``."""
    essence = media_type.partition(";")[0].strip().lower()
    by_specificity = {"*/*": 1, f"{essence.partition('/')[0]}/*": 2, essence: 3}
    matches = [
        (by_specificity[name], quality) for name, quality in ranges if name in by_specificity
    ]
    if not matches:
        return 0.0, 0
    specificity, quality = max(matches)
    return quality, specificity


@lru_cache(maxsize=256)
def parse_content_type(value: str) -> tuple[str, dict[str, str]]:
    """(media type in lower case, its parameters) of a Content-Type header."""
    essence, *parts = value.split(";")
    parameters = {}
    for part in parts:
        key, equals, text = part.partition("=")
        if equals:
            parameters[key.strip().lower()] = text.strip().strip('"')
    return essence.strip().lower(), parameters
