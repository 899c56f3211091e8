"""Media types: what a client accepts and what it sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockexec.http.negotiation import negotiate, parse_content_type

HAL, JSON = "application/hal+json", "application/json"
OFFERED = (HAL, JSON)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", HAL),
        ("*/*", HAL),
        ("application/*", HAL),
        (JSON, JSON),
        ("APPLICATION/JSON", JSON),
        (f"{JSON}, {HAL}", HAL),
        (f"{HAL};q=0.5, {JSON}", JSON),
        (f"{HAL};q=0, */*", JSON),
        ("text/html, application/json;q=0.9, */*;q=0.1", JSON),
        ("text/html", None),
        ("*/*;q=0", None),
        ("nonsense", None),
        (f"{JSON};q=many", None),
        (f"garbage, {JSON}", JSON),
    ],
)
def test_the_client_decides_then_the_server(accept: str, chosen: str | None) -> None:
    """Quality first, then the more specific range, then the server's order."""
    assert negotiate(accept, OFFERED) == chosen


@given(st.text(max_size=60))
def test_no_header_breaks_it(accept: str) -> None:
    """Whatever comes, the answer is an offer or none."""
    assert negotiate(accept, OFFERED) in {HAL, JSON, None}


@pytest.mark.parametrize(
    ("value", "essence", "parameters"),
    [
        ("application/json", "application/json", {}),
        ("Application/JSON; Charset=UTF-8", "application/json", {"charset": "UTF-8"}),
        ('text/plain;charset="utf-8"', "text/plain", {"charset": "utf-8"}),
        ("multipart/form-data; boundary=x; y", "multipart/form-data", {"boundary": "x"}),
    ],
)
def test_a_content_type_and_its_parameters(
    value: str, essence: str, parameters: dict[str, str]
) -> None:
    """Names are compared without case, values keep theirs."""
    assert parse_content_type(value) == (essence, parameters)
