"""Lists are in the order that is documented or asked for, and ties in theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from mockexec.traits import Item, Listing, Order
from mockexec.verify.checks.check import Check, lists
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.probe import UNREADABLE, Probe
from mockexec.verify.signs import Symptom
from mockexec.verify.target import Exchanged


def _play(probe: Probe) -> Iterator[Finding]:
    for listing in probe.traits.lists:
        whole = probe.walk(listing, listing.everything)
        if probe.behind(listing, whole) is not None:
            continue  # the pages are wrong, which another check tells
        for order in listing.orders:
            page = replace(listing.everything, sort=order.sort)
            walk = probe.walk(listing, page)
            yield from in_order(probe, listing, order, walk.items, walk.exchanges[-1:])
            if order.reverse is not None and walk.complete:
                yield from _reversed(probe, listing, order, walk.items, walk.exchanges[-1:])


def in_order(
    probe: Probe,
    listing: Listing,
    order: Order,
    items: Sequence[Item],
    exchanges: tuple[Exchanged, ...],
    where: str = "",
) -> Iterator[Finding]:
    """Whether items are in an order; ``where`` says in which list they are."""
    try:
        keys = [order.key(item) for item in items]
        ties = [order.ties(item) for item in items] if order.ties else [0] * len(items)
    except UNREADABLE:
        return
    for place, (before, after) in enumerate(pairwise(keys)):
        if before < after if order.descending else before > after:
            backwards = all(a <= b if order.descending else a >= b for a, b in pairwise(keys))
            what = "in the reverse of its order" if backwards else "not in its order"
            yield _found(
                probe, listing, f"a list{where} is {what} ({order.name})", order.name,
                f"{items[place + 1]} after {items[place]}", exchanges, f"a list is {what}",
                _stands_before(probe, items, place, exchanges),
            )  # fmt: skip
            return
    for place, ((key, tie), (next_key, next_tie)) in enumerate(
        pairwise(zip(keys, ties, strict=True))
    ):
        if key == next_key and tie > next_tie:
            title = f"items that are equal{where} are not in their order ({order.name})"
            got = f"{items[place + 1]} after {items[place]}"
            yield _found(
                probe, listing, title, "ties in their order", got, exchanges,
                f"ties not {order.name}", _stands_before(probe, items, place, exchanges),
            )  # fmt: skip
            return


def _stands_before(
    probe: Probe, items: Sequence[Item], place: int, exchanges: tuple[Exchanged, ...]
) -> Symptom | None:
    """The symptom of two items in the wrong order, where one answer shows them all."""
    named = [probe.identify(item) for item in items[place : place + 2]]
    if not exchanges or None in named:
        return None
    wrong = "the order is as it was"
    return probe.listed_wrong(exchanges[-1], items, wrong, (len(exchanges) - 1,), named=named)


def _reversed(
    probe: Probe,
    listing: Listing,
    order: Order,
    items: Sequence[Item],
    exchanges: tuple[Exchanged, ...],
) -> Iterator[Finding]:
    back = probe.walk(listing, replace(listing.everything, sort=order.reverse))
    there = probe.walk(listing, replace(listing.everything, sort=order.sort))
    forth = [probe.identify(item) for item in items]
    # Only if nothing moved meanwhile.
    if not back.complete or [probe.identify(item) for item in there.items] != forth:
        return
    if [probe.identify(item) for item in back.items] != forth[::-1]:
        title = f"the descending order is not the reverse of the ascending ({order.name})"
        story = (*exchanges, *back.exchanges[-1:])
        yield _found(
            probe, listing, title, "exactly the reverse", "another order among equals, or of all",
            story, "descending is not the reverse of ascending", None,
        )  # fmt: skip


def _found(
    probe: Probe,
    listing: Listing,
    title: str,
    expected: str,
    got: str,
    exchanges: tuple[Exchanged, ...],
    cause: str,
    symptom: Symptom | None,
) -> Finding:
    return probe.finding(
        title, expected, got[:600], exchanges,
        operation=listing.operation, severity=Severity.MEDIUM, cause=cause,
symptom=symptom,
)  # fmt: skip


ORDER = Check("order", "Lists are in their order", lists, _play)
