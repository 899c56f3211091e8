"""Each check of ours finds what is its to find, and says so; one fault of an impostor for each.

All faults: ``test_impostors_found``, which takes long.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mockexec.verify.checks import CHECKS
from tests.verify.planted import verdict
from tests.verify.shop import Shop
from tests.verify.support import causes, shopping, verified

PLANTED = {
    "order": ("foundry", "ties-unordered", "items that are equal are not in their order"),
    "filters": ("sailpoint", "filter-or-as-and", "in a filter `or` selects as `and` does"),
    "windows": ("foundry", "zone-ignored", "misread when it is written with an offset"),
    "pages": ("polos", "page-overlaps", "begins with the last item of the page before"),
    "auth": ("polos", "expired-key-accepted", "an expired key is enough"),
    "error_shape": ("sailpoint", "missing-allow", "a 405 comes without Allow"),
    "invalid": ("frontdoor", "sort-unknown-accepted", "sort=§, which does not match its pattern"),
    "lifecycle": ("polos", "end-before-start", "completed_at lies before started_at"),
    "idempotent_reads": ("polos", "reading-counts-as-retry", "changes its retry_count"),
    "creation": ("polos", "timeout-is-lost", "run_timeout_seconds of a new execution is not"),
    "controls": ("sailpoint", "cancel-does-nothing", "has no effect"),
    "ownership": ("polos", "foreign-run-readable", "another principal can read what is ours"),
    "promises": ("frontdoor", "last-page-next", "the last page has a next link"),
    "caching": ("thand", "cancel-cacheable", "may be kept by caches"),
    "model": ("polos", "state-goes-back", "in a story of"),
    "odd_input": ("polos", "nul-crashes", "runWorkflow fails with 500 on U+0000 in /payload"),
}


@pytest.mark.parametrize("check", PLANTED)
def test_a_check_names_what_is_wrong(check: str) -> None:
    """The check alone is enough, and its title says the cause."""
    api, fault, words = PLANTED[check]
    found = verdict(api, fault, seed=1, checks=(check,))
    assert not found.troubles
    assert any(words in title for title in found.titles), found


def test_pages_in_no_order_are_told_as_such() -> None:
    """And not as the items that are lost or come twice by it."""
    found = verdict("frontdoor", "sort-unstable", seed=1, checks=("pages",))
    assert not found.troubles
    assert found.titles
    assert all("the order is not kept" in title for title in found.titles), found


def test_every_check_is_tested_here() -> None:
    """But for links, which is for documents whose API declares nothing."""
    assert {check.name for check in CHECKS} == {*PLANTED, "links"}


def test_links_lead_to_what_was_created(tmp_path: Path) -> None:
    """Without traits, the document's links are followed from a creation to a read."""
    result = verified(tmp_path, phases=("checks",), checks=("links",))
    assert not causes(result)
    assert result.parts


def test_a_document_alone_is_enough_for_some(tmp_path: Path) -> None:
    """The checks that need traits say that there are none."""
    result = verified(tmp_path, phases=("checks",))
    run = {part.name for part in result.parts}
    assert {"auth", "error_shape", "invalid", "odd_input", "idempotent_reads"} <= run
    assert {"lifecycle", "pages", "filters", "ownership"} <= {one.what for one in result.skipped}


def test_nothing_is_changed_where_that_is_not_allowed(tmp_path: Path) -> None:
    """On a server that is not ours to change, only reading requests go out."""
    with shopping(tmp_path, Shop(), phases=("checks",)) as plan:
        from mockexec.verify.events import Sent
        from mockexec.verify.plan import READING
        from mockexec.verify.run import run

        plan.target.can_change = False
        sent = [event.exchanged.request for event in run(plan) if isinstance(event, Sent)]
    assert sent
    assert {request.method for request in sent} <= READING
