"""What is planted is found: every fault of the impostors, by a title that names its cause.

The words that a title must hold stand in ``planted_titles.yaml``: for each fault those of the one
finding that tells best what is wrong. Found it must be within a minute and 2,000 requests.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.verify.planted import APIS, REQUESTS_MAX, faults, verdict

TITLES: dict[str, dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("planted_titles.yaml").read_text()
)

pytestmark = pytest.mark.impostors


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_correct_server_gives_no_finding(api: str, seed: int) -> None:
    """Whatever is found in a server that does all the document says is a fault of the check."""
    found = verdict(api, None, seed=seed)
    assert not found.titles
    assert not found.troubles


@pytest.mark.parametrize(("api", "fault"), faults())
def test_a_planted_fault_is_found(api: str, fault: str) -> None:
    """Some title says what is wrong."""
    found = verdict(api, fault)
    assert found.requests <= REQUESTS_MAX
    assert any(TITLES[api][fault] in title for title in found.titles), found


def test_every_fault_has_its_title() -> None:
    """The table of titles is that of the faults."""
    assert [(api, fault) for api in TITLES for fault in TITLES[api]] == faults()
