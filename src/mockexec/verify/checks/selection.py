"""What a filter or a window selects, compared with what the items themselves say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mockexec.traits import Expression, Filtering, Item, Listing, PageOf, holds
from mockexec.verify.probe import UNREADABLE, Probe, Walk
from mockexec.verify.signs import Symptom
from mockexec.verify.target import Exchanged

_ITEMS = 90  # of a list with a window: so few that a filtered page holds all


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a filter gave, compared with what the items say."""

    extra: list[Item]
    missing: list[Item]
    got: list[Item]
    exchanges: tuple[Exchanged, ...]
    # The list without the filter, as it was seen last.
    base: tuple[Exchanged, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether it gave what it should."""
        return not self.extra and not self.missing


@dataclass(slots=True)
class Selection:
    """The filters of one list, and what to compare with."""

    probe: Probe
    listing: Listing
    base: PageOf
    items: list[Item]

    @property
    def filtering(self) -> Filtering:
        """Of the list."""
        if self.listing.filtering is None:
            raise LookupError("the list has no filters")
        return self.listing.filtering

    def select(self, expression: Expression) -> Outcome | None:
        """What an expression selects; None where it was refused or something moved meanwhile."""
        page = replace(self.base, where=self.filtering.write(expression))
        return self.compare(page, lambda item: holds(expression, item))

    def compare(self, page: PageOf, wanted: Callable[[Item], bool | None]) -> Outcome | None:
        """What a page and those after it hold, against what ``wanted`` says of all items."""
        walk = self.probe.walk(self.listing, page)
        if not walk.complete:
            return None
        outcome = self._outcome(walk, wanted)
        if outcome.is_right:
            return outcome
        # Something may have moved: only what is wrong by the items before and after counts.
        after = self.probe.walk(self.listing, self.base)
        if not after.complete:
            return None
        self.items, before = after.items, self._ids(self.items)
        again = self._outcome(walk, wanted)
        stayed = before & self._ids(after.items)
        ids = self._ids(outcome.extra) & self._ids(again.extra)
        lost = self._ids(outcome.missing) & self._ids(again.missing) & stayed
        # An item that no unfiltered list holds is wrong unless it is newer than that list.
        ids |= {i for i in self._ids(again.extra) if i not in self._ids(after.items)}
        return Outcome(
            [item for item in again.extra if self.probe.identify(item) in ids],
            [item for item in again.missing if self.probe.identify(item) in lost],
            walk.items,
            walk.exchanges,
            after.exchanges[-1:],
        )

    def symptom(self, outcome: Outcome) -> Symptom | None:
        """Of a wrong selection: the story is the whole list, then the last page of it."""
        if not outcome.base or len(outcome.exchanges) != 1:
            return None
        wrong, some = "an item is missing", outcome.missing
        if outcome.extra:
            wrong, some = "an item is there that should not be", outcome.extra
        named = [self.probe.identify(item) for item in some[:1]]
        if None in named:
            return None
        return self.probe.listed_wrong(outcome.base[0], self.items, wrong, named=named)

    def _outcome(self, walk: Walk, wanted: Callable[[Item], bool | None]) -> Outcome:
        known, got = self._ids(self.items), self._ids(walk.items)
        extra = [
            item
            for item in walk.items
            if wanted(item) is False or self.probe.identify(item) not in known
        ]
        missing = [
            item
            for item in self.items
            if wanted(item) is True and self.probe.identify(item) not in got
        ]
        return Outcome(extra, missing, walk.items, walk.exchanges)

    def _ids(self, items: Sequence[Item]) -> set[str | None]:
        return {self.probe.identify(item) for item in items}


def base_of(probe: Probe, listing: Listing) -> tuple[PageOf, list[Item]]:
    """The list to compare with; of a long one with a window, its newest part."""
    walk = probe.walk(listing, listing.everything)
    if probe.behind(listing, walk) is not None:
        return listing.everything, []  # the pages are wrong, which another check tells
    if listing.window is None or len(walk.items) <= _ITEMS:
        return listing.everything, walk.items if walk.complete else []
    try:
        instants = sorted((listing.window.instant(item) for item in walk.items), reverse=True)
        since = listing.window.write(instants[_ITEMS])[0]
    except UNREADABLE:
        return listing.everything, []
    page = replace(listing.everything, since=since)
    recent = probe.walk(listing, page)
    return page, recent.items if recent.complete else []
