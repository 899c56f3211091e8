"""Instants and durations as whole nanoseconds, and their texts.

An instant is nanoseconds since 1970-01-01T00:00:00Z as an int: exact, comparable, and what
SailPoint's nine fraction digits need. Leap seconds are not known (``:60`` is refused).
"""

from __future__ import annotations

import re
from calendar import timegm
from datetime import date
from functools import lru_cache
from time import gmtime

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# 0001-01-01 to 9999-12-31, the years that every text form can hold.
INSTANT_MIN = -62_135_596_800 * SECOND
INSTANT_MAX = 253_402_300_799 * SECOND

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_ISO_DURATION = re.compile(
    r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,9})M)?(?:(\d{1,10})(?:\.(\d{1,9}))?S)?)?",
    re.ASCII,
)
_SHORT_DURATION = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?(ms|us|ns|d|h|m|s)", re.ASCII)
_UNITS = {
    "d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND, "ms": MILLISECOND, "us": MICROSECOND, "ns": 1,
}  # fmt: skip


@lru_cache(maxsize=4096)
def _second_text(seconds: int) -> str:
    year, month, day, hour, minute, second, *_ = gmtime(seconds)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}"


def format_instant(ns: int, *, digits: int = 0, zone: str = "Z") -> str:
    """RFC 3339 text in UTC with ``digits`` (0 to 9) fraction digits, cut off, and ``zone``."""
    seconds, fraction = divmod(ns, SECOND)
    if not digits:
        return _second_text(seconds) + zone
    return f"{_second_text(seconds)}.{fraction // 10 ** (9 - digits):0{digits}d}{zone}"


def parse_instant(text: str) -> int:
    """Nanoseconds of an RFC 3339 text; more than nine fraction digits are cut off.

    Raises:
        ValueError: it is not one, with the reason in words.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:60]!r} is not an RFC 3339 date-time such as 2025-08-11T09:00:00Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, zone = match.group(7) or "", match.group(8)
    try:
        date(year, month, day)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is no date: {error}") from None
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"{text[:60]!r} is no time of day")
    seconds = timegm((year, month, day, hour, minute, second))
    if zone not in "Zz":
        hours, minutes = int(zone[1:3]), int(zone[4:6])
        if hours > 23 or minutes > 59:
            raise ValueError(f"{zone!r} is no offset from UTC")
        offset = hours * 3600 + minutes * 60
        seconds -= -offset if zone[0] == "-" else offset
    return seconds * SECOND + int(f"{fraction[:9]:0<9}")


def parse_duration(text: str) -> int:
    """Nanoseconds of ``PT5M``, ``P1DT2H``, ``90s``, ``1h30m`` or ``250ms``, with a sign if any.

    Raises:
        ValueError: it is not one, with the forms that are.
    """
    sign, body = (-1, text[1:]) if text[:1] == "-" else (1, text)
    iso = _ISO_DURATION.fullmatch(body)
    if iso is not None and any(iso.groups()) and not body.endswith("T"):
        days, hours, minutes, seconds, fraction = iso.groups(default="0")
        whole = int(days) * DAY + int(hours) * HOUR + int(minutes) * MINUTE + int(seconds) * SECOND
        return sign * (whole + int(f"{fraction:0<9}"))
    parts = list(_SHORT_DURATION.finditer(body))
    if not parts or "".join(part.group() for part in parts) != body:
        raise ValueError(f"{text[:60]!r} is not a duration such as PT5M, 90s, 1h30m or 250ms")
    return sign * sum(
        int(whole) * _UNITS[unit] + int(f"{fraction or '0':0<9}") * _UNITS[unit] // SECOND
        for whole, fraction, unit in (part.groups() for part in parts)
    )


def format_iso_duration(ns: int) -> str:
    """``PT5M``, ``P1DT2H0M3S``: days at most, and nothing that is zero but at the ends of a gap.

    RFC 3339 (appendix A) wants minutes between hours and seconds, even if there are none.
    """
    seconds, fraction = divmod(ns, SECOND)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    second_text = f"{seconds}.{fraction:09d}".rstrip("0") if fraction else str(seconds)
    has_seconds = bool(seconds or fraction)
    clock = f"{hours}H" if hours else ""
    clock += f"{minutes}M" if minutes or (hours and has_seconds) else ""
    clock += f"{second_text}S" if has_seconds else ""
    if not days and not clock:
        return "PT0S"
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
