"""Instants and durations and their texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockexec.simulation.instants import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    format_instant,
    format_iso_duration,
    parse_duration,
    parse_instant,
)

INSTANTS = st.integers(-62_135_596_800 * SECOND, 253_402_300_799 * SECOND)


@given(INSTANTS)
def test_nine_digits_lose_nothing(ns: int) -> None:
    """Formatting and parsing are inverse at full precision."""
    assert parse_instant(format_instant(ns, digits=9)) == ns


@given(INSTANTS, st.integers(-23, 23), st.integers(0, 59))
def test_an_offset_is_the_same_instant(ns: int, hours: int, minutes: int) -> None:
    """``+02:00`` names an instant two hours earlier than the same digits with ``Z``."""
    text = format_instant(ns, digits=9, zone=f"{hours:+03d}:{minutes:02d}")
    sign = -1 if text[-6] == "-" else 1
    offset = sign * (abs(hours) * HOUR + minutes * MINUTE)
    assert parse_instant(text) == ns - offset


def test_the_forms_of_the_vendors() -> None:
    """Fraction digits and zones as the documents show them."""
    ns = parse_instant("2022-02-07T20:13:29.356648026Z")
    assert format_instant(ns) == "2022-02-07T20:13:29Z"
    assert format_instant(ns, digits=3) == "2022-02-07T20:13:29.356Z"
    assert format_instant(ns, digits=6, zone="+00:00") == "2022-02-07T20:13:29.356648+00:00"
    assert format_instant(ns, digits=9) == "2022-02-07T20:13:29.356648026Z"


@pytest.mark.parametrize(
    "text",
    [
        "", "2022-02-07", "2022-02-07T20:13:29", "2022-02-30T00:00:00Z", "2022-02-07T24:00:00Z",
        "2022-02-07T20:60:00Z", "2022-02-07T20:00:60Z", "2022-02-07 20:13:29Z",
        "\u0662\u0660\u0662\u0662-02-07T20:13:29Z",
        "2022-02-07T20:13:29+24:00", "2022-02-07T20:13:29.Z", " 2022-02-07T20:13:29Z",
        "0000-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_what_is_no_instant_is_refused(text: str) -> None:
    """With words that quote it."""
    with pytest.raises(ValueError, match=r"is (not|no)"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("PT5M", 5 * MINUTE), ("P1DT2H", DAY + 2 * HOUR), ("PT0.5S", SECOND // 2), ("PT0S", 0),
        ("90s", 90 * SECOND), ("1h30m", HOUR + 30 * MINUTE), ("-3h", -3 * HOUR),
        ("250ms", SECOND // 4), ("1.5h", HOUR + 30 * MINUTE), ("0s", 0), ("30d", 30 * DAY),
    ],
)  # fmt: skip
def test_durations(text: str, ns: int) -> None:
    """Both forms, with a sign where one makes sense."""
    assert parse_duration(text) == ns


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "5", "m5", "5 m", "5x", "PT5", "--5s", "5s-", "\u0665s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """With the forms that are."""
    with pytest.raises(ValueError, match="not a duration such as PT5M"):
        parse_duration(text)


@given(st.integers(0, 1000 * DAY))
def test_an_iso_duration_is_read_back(ns: int) -> None:
    """Whatever is written is parsed to the same length."""
    assert parse_duration(format_iso_duration(ns)) == ns


def test_the_iso_form_leaves_out_what_is_zero() -> None:
    """As Thand's document writes it."""
    assert format_iso_duration(5 * MINUTE) == "PT5M"
    assert format_iso_duration(DAY + 2 * HOUR + 1500 * SECOND // 1000) == "P1DT2H0M1.5S"
    assert format_iso_duration(0) == "PT0S"
