"""Page tokens that cannot be forged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockexec.http.paging import BadPageToken, digest, pages_total, seal, unseal

KEY = b"a key"
CONTENT = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=5)


@given(CONTENT)
def test_what_is_sealed_comes_back(content: dict[str, int | str]) -> None:
    """With the same key, exactly."""
    assert unseal(seal(content, KEY), KEY) == content


@given(CONTENT, st.data())
def test_a_changed_token_is_refused(content: dict[str, int | str], data: st.DataObject) -> None:
    """One other character anywhere, and it is not ours."""
    token = seal(content, KEY)
    position = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("Aa0-_=").filter(lambda c: c != token[position]))
    with pytest.raises(BadPageToken):
        unseal(token[:position] + other + token[position + 1 :], KEY)


@given(st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    """What was not sealed is a bad token, nothing worse."""
    with pytest.raises(BadPageToken):
        unseal(text, KEY)


def test_another_key_does_not_open_it() -> None:
    """Tokens of one world are nothing in another."""
    with pytest.raises(BadPageToken):
        unseal(seal({}, KEY), b"another")


def test_a_digest_does_not_see_the_order_of_keys() -> None:
    """Equal data, equal digest."""
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


@pytest.mark.parametrize(("items", "pages"), [(0, 0), (1, 1), (20, 1), (21, 2)])
def test_pages_hold_all_items(items: int, pages: int) -> None:
    """The last one may be short."""
    assert pages_total(items, 20) == pages
