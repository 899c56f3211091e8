"""Pages partition a list: nothing twice, nothing lost, as long as asked for, and they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

from mockexec.traits import And, Compare, Item, Listing, PageOf
from mockexec.verify import signs
from mockexec.verify.checks.check import Check, lists
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.probe import UNREADABLE, Probe, Walk, answer_of
from mockexec.verify.signs import Symptom
from mockexec.verify.target import Exchanged

# About how many pages a walk should have.
_PAGES = 8


def _play(probe: Probe) -> Iterator[Finding]:
    for listing in probe.traits.lists:
        base = probe.walk(listing, listing.everything)
        yield from _twice(probe, listing, base, "a list")
        behind = probe.behind(listing, base)
        if behind is not None:
            # Whatever else the pages say would only be this again.
            yield _short(probe, listing, base, behind)
            continue
        if listing.next is None:
            yield from _stable(probe, listing, base)
            continue
        yield from _partition(probe, listing, base)
        yield from _full_last_page(probe, listing, base)
        yield from _while_things_change(probe, listing)
        yield from _totals(probe, listing)
        yield from _limits(probe, listing)
        yield from _past(probe, listing)
        yield from _broken(probe, listing)
        if listing.seals:
            yield from _sealed(probe, listing)


def _keys(probe: Probe, items: Sequence[Item]) -> list[str]:
    """What tells items apart: their ids, as executions have them or by the name of ``id``."""
    return [_key(probe, item) for item in items]


def _key(probe: Probe, item: Item) -> str:
    identifier = probe.identify(item) if probe.traits.life else None
    return identifier or str(item.get("id", sorted(item.items(), key=str)))


def _twice(probe: Probe, listing: Listing, walk: Walk, what: str) -> Iterator[Finding]:
    """The same item twice, and where."""
    seen: dict[str, int] = {}
    for number, (_, exchanged, items) in enumerate(walk.pages):
        for place, key in enumerate(_keys(probe, items)):
            if key not in seen:
                seen[key] = number
                continue
            first = seen[key]
            last_of_it = _keys(probe, walk.pages[first][2])[-1:] == [key]
            if number != first and _keys(probe, walk.pages[first][2]) == _keys(probe, items):
                title = "two pages hold the same items"
            elif first == number:
                title = "a page holds an item twice"
            elif walk.pages[0][0].sort and not (last_of_it and place == 0 and _few(probe, walk)):
                title = f"an item stands on two pages (sorted by {walk.pages[0][0].sort})"
            elif last_of_it and place == 0 and number == first + 1:
                title = "the next page begins with the last item of the page before"
            else:
                title = "an item stands on two pages"
            yield probe.finding(
                title,
                "every item once",
                f"{key} on page {first + 1} and again on page {number + 1} of {what}",
                (walk.pages[first][1], exchanged),
                operation=listing.operation,
                cause="items come twice",
                symptom=probe.listed_wrong(
                    exchanged, items, "an item comes twice", (0, 1) if first != number else (1,)
                ),
            )
            return


def _few(probe: Probe, walk: Walk) -> bool:
    """Whether no more items come twice than pages follow another: each might begin one early."""
    pages = [keys for _, _, items in walk.pages if (keys := _keys(probe, items))]
    return sum(map(len, pages)) - len({key for keys in pages for key in keys}) < len(pages)


def _short(probe: Probe, listing: Listing, base: Walk, behind: Exchanged) -> Finding:
    name = listing.limits.name if listing.limits else "limit"
    return probe.finding(
        f"a large {name} gives fewer items than there are",
        f"all items with {name}={listing.everything.limit}, or as many as that",
        f"{len(base.items)}, and behind them are more",
        (*base.exchanges[-1:], behind),
        operation=listing.operation,
        cause=f"{name} gives fewer",
        symptom=signs.every(
            _count(
                probe,
                base.exchanges[-1],
                base.pages[-1][2],
                0,
                len(base.pages[-1][2]),
                at=0,
            ),
            _count(probe, behind, _items(listing, behind), 1, signs.MANY),
        ),
    )


def _items(listing: Listing, exchanged: Exchanged) -> list[Item]:
    """What a page holds; nothing where it cannot be read."""
    try:
        return [*listing.items(answer_of(exchanged).body)]
    except UNREADABLE:
        return []


def _count(
    probe: Probe, exchanged: Exchanged, shown: Sequence[Item], least: int, most: int, at: int = -1
) -> Symptom | None:
    """The symptom of a page that has a wrong number of items: from ``least`` to ``most``."""
    wrong = "there are as many as there were"
    return probe.listed_wrong(exchanged, shown, wrong, (at,), count=[least, most])


def _other_than(
    probe: Probe, exchanged: Exchanged, shown: Sequence[Item], least: int, most: int
) -> Symptom | None:
    """The symptom of a page that should hold from ``least`` to ``most`` items."""
    bounds = (most + 1, signs.MANY) if len(shown) > most else (0, least - 1)
    return _count(probe, exchanged, shown, *bounds)


def _against(probe: Probe, whole: Walk, walk: Walk, wrong: str) -> Symptom | None:
    """The symptom of pages that are not as the whole list is, which stands before them."""
    if len(whole.pages) != 1:
        return None
    _, exchanged, shown = whole.pages[0]
    answers = range(1, len(walk.pages) + 1)
    return probe.listed_wrong(exchanged, shown, wrong, answers, whole=0)


def _of_total(whole: Walk, total: int, exchanged: Exchanged) -> Symptom | None:
    """The symptom of a total that is not the number of items of the list before it."""
    if len(whole.pages) != 1:
        return None
    _, told, shown = whole.pages[0]
    return signs.total(told, shown, exchanged, total, whole=0)


def _stable(probe: Probe, listing: Listing, base: Walk) -> Iterator[Finding]:
    again = probe.walk(listing, listing.everything)
    known = set(_keys(probe, again.items))
    order = [key for key in _keys(probe, base.items) if key in known]
    first = set(order)
    if order != [key for key in _keys(probe, again.items) if key in first]:
        yield probe.finding(
            "two requests for a list give two orders",
            "one order",
            "another",
            (base.exchanges[-1], *again.exchanges),
            operation=listing.operation,
            symptom=probe.listed_wrong(
                again.exchanges[-1], again.pages[-1][2], "the order is another", whole=0
            ),
        )


def _partition(probe: Probe, listing: Listing, base: Walk) -> Iterator[Finding]:
    """Walks with small pages, several sizes: each must give what one big page gives."""
    total = len(base.items)
    if not base.complete or total < 2:
        return
    sizes = dict.fromkeys(
        (max(1, -(-total // _PAGES)), _divisor(total), max(1, total - 1), *_splits(listing, base))
    )
    for size in sizes:
        if listing.limits and not max(1, listing.limits.least) <= size <= listing.limits.most:
            continue
        first = replace(listing.everything, limit=size)
        yield from _confirmed(probe, listing, partial(_walked, probe, listing, first))
    sort = _most_ties(listing, base)
    if sort is not None:
        # Among equals the order is the server's to keep from page to page.
        first = replace(listing.everything, limit=max(1, -(-total // _PAGES)), sort=sort)
        yield from _confirmed(probe, listing, partial(_walked, probe, listing, first))


def _full_last_page(probe: Probe, listing: Listing, base: Walk) -> Iterator[Finding]:
    """A window of a few items, all on one page: nothing but its end tells that it is the last."""
    window = listing.window
    if not listing.seals or window is None or len(base.items) < 6:
        return
    try:
        instants = sorted((window.instant(item) for item in base.items), reverse=True)
    except UNREADABLE:
        return
    count = sum(1 for at_ns in instants if at_ns >= instants[4])
    least_ns = instants[4] if window.since_included else instants[4] - window.step_ns
    # What comes meanwhile is not to belong to it.
    most_ns = instants[0] if window.until_included else instants[0] + window.step_ns
    first = replace(
        listing.everything,
        since=window.write(least_ns)[0],
        until=window.write(most_ns)[0],
        limit=count,
    )
    walk = probe.walk(listing, first)
    if len(walk.pages) == 2 and not walk.pages[1][2]:
        yield probe.finding(
            "a last page that is exactly full gives a token that leads to an empty page",
            "no token, as nothing follows",
            "a token",
            walk.exchanges,
            operation=listing.operation,
            cause="the pages do not end",
        )


def _most_ties(listing: Listing, base: Walk) -> str | None:
    """The way to sort by which most items are equal; None where one cannot choose."""
    distinct: dict[str, int] = {}
    for order in listing.orders:
        if order.sort is None:
            continue
        try:
            distinct[order.sort] = len({order.key(item) for item in base.items})
        except UNREADABLE:
            continue
    return min(distinct, key=lambda sort: distinct[sort], default=None)


def _splits(listing: Listing, base: Walk) -> Iterator[int]:
    """A size at which a page ends between two items that are equal in the order, if some are."""
    most = listing.limits.most if listing.limits else len(base.items)
    for order in listing.orders[:1]:
        try:
            keys = [order.key(item) for item in base.items]
        except UNREADABLE:
            return
        for place in (i + 1 for i, (a, b) in enumerate(pairwise(keys)) if a == b):
            fitting = [
                size
                for size in range(2, min(place, most) + 1)
                if place % size == 0 and len(keys) // size <= 2 * _PAGES
            ]
            if fitting:
                yield fitting[-1]
                return


def _divisor(total: int) -> int:
    """A size whose last page is full, so that nothing but its end tells that it is the last."""
    few = [size for size in range(total // 2, 1, -1) if total % size == 0 and total // size <= 12]
    return few[-1] if few else total


def _confirmed(
    probe: Probe, listing: Listing, attempt: Callable[[], list[Finding]]
) -> Iterator[Finding]:
    """What is found twice: where a new item moves all pages, one discrepancy may be its doing."""
    found = attempt()
    if found and (listing.shifts or not probe.target.is_mock):
        again = {finding.key for finding in attempt()}
        found = [finding for finding in found if finding.key in again]
    yield from found


def _walked(probe: Probe, listing: Listing, first: PageOf) -> list[Finding]:
    whole = replace(first, limit=listing.everything.limit)
    before = probe.walk(listing, whole)
    walk = probe.walk(listing, first)
    after = probe.walk(listing, whole)
    if not (before.complete and after.complete):
        return []
    found = [*_twice(probe, listing, walk, f"{first.limit} items each")]
    found += _lengths(probe, listing, walk, first)
    if not walk.complete:
        if walk.pages and len(walk.items) >= len(after.items) + 2 * (first.limit or 1):
            found.append(_endless(probe, listing, walk))
        return found
    stays = set(_keys(probe, before.items)) & set(_keys(probe, after.items))
    got = _keys(probe, walk.items)
    missing = [key for key in _keys(probe, before.items) if key in stays and key not in set(got)]
    if missing:
        found.append(
            probe.finding(
                "an item is on none of the pages",
                f"all {len(stays)} items on pages of {first.limit}",
                f"{len(missing)} of them missing, such as {missing[0]}",
                (before.exchanges[-1], *walk.exchanges),
                operation=listing.operation,
                cause="items are lost between pages",
                symptom=probe.listed_wrong(
                    before.exchanges[-1],
                    before.pages[-1][2],
                    "an item is lost",
                    range(1, len(walk.pages) + 1),
                    whole=0,
                ),
            )
        )
    extra = [key for key in got if key not in set(_keys(probe, before.items + after.items))]
    if extra:
        found.append(
            probe.finding(
                "a page holds an item that the whole list does not have",
                f"one of {len(stays)} items",
                extra[0],
                (before.exchanges[-1], *walk.exchanges),
                operation=listing.operation,
                symptom=probe.listed_wrong(
                    before.exchanges[-1],
                    before.pages[-1][2],
                    "an item is not in the whole list",
                    range(1, len(walk.pages) + 1),
                    whole=0,
                ),
            )
        )
    if not (found or missing or extra):
        order = [key for key in _keys(probe, before.items) if key in stays]
        if [key for key in got if key in stays] != order:
            found.append(
                probe.finding(
                    "the pages are in another order than the whole list"
                    + (f" (sorted by {first.sort})" if first.sort else ""),
                    "the order of the whole list",
                    f"another one with pages of {first.limit}",
                    (before.exchanges[-1], *walk.exchanges),
                    operation=listing.operation,
                    symptom=probe.listed_wrong(
                        before.exchanges[-1],
                        before.pages[-1][2],
                        "the order is another",
                        range(1, len(walk.pages) + 1),
                        whole=0,
                    ),
                )
            )
    # Where the order is not kept, all else follows from it.
    return (found and _unsteady(probe, listing, walk)) or found


def _unsteady(probe: Probe, listing: Listing, walk: Walk) -> list[Finding]:
    """The first page that is another one when it is asked for again."""
    for page, exchanged, items in walk.pages:
        again, got = probe.page(listing, page)
        if got is None:
            break
        before, after = _keys(probe, items), _keys(probe, got)
        if before == after:
            continue
        others = not set(after) <= set(before)
        return [
            probe.finding(
                "a page that is asked for again is another: the order is not kept"
                + (f" (sorted by {page.sort})" if page.sort else ""),
                "the same items in the same order",
                "other items" if others else "another order",
                (exchanged, again),
                operation=listing.operation,
                cause="the order of pages is not kept",
                symptom=probe.listed_wrong(
                    again,
                    got,
                    "an item is not in the whole list" if others else "the order is another",
                    whole=0,
                ),
            )
        ]
    return []


def _endless(probe: Probe, listing: Listing, walk: Walk) -> Finding:
    return probe.finding(
        "the last page says that another one follows",
        "an end after the last item",
        f"{len(walk.pages)} pages, and still more",
        walk.exchanges[-2:],
        operation=listing.operation,
        cause="the pages do not end",
    )


def _lengths(probe: Probe, listing: Listing, walk: Walk, first: PageOf) -> Iterator[Finding]:
    limit = first.limit or 0
    for number, (page, exchanged, items) in enumerate(walk.pages):
        if len(items) > limit:
            yield probe.finding(
                "a page holds more items than asked for",
                f"at most {limit}",
                f"{len(items)}",
                (exchanged,),
                operation=listing.operation,
                symptom=_count(probe, exchanged, items, limit + 1, signs.MANY),
            )
            return
        is_last = number == len(walk.pages) - 1
        by_token = isinstance(page.at, str) or listing.seals
        if len(items) < limit and not is_last and not by_token:
            yield probe.finding(
                "a page is shorter than asked for, though another one follows",
                f"{limit} items",
                f"{len(items)} on page {number + 1} of {len(walk.pages)}",
                (exchanged,),
                operation=listing.operation,
                symptom=_count(probe, exchanged, items, 0, limit - 1),
            )
            return
        if not items and number and by_token:
            yield probe.finding(
                "the last page gives a token that leads to an empty page",
                "no token on the last page",
                "a token, and nothing behind it",
                (walk.pages[number - 1][1], exchanged),
                operation=listing.operation,
                cause="the pages do not end",
            )
            return
        if listing.numbers is not None:
            try:
                problem = listing.numbers(page, answer_of(exchanged))
            except UNREADABLE:
                continue
            if problem is not None:
                yield probe.finding(
                    problem.title,
                    problem.expected,
                    problem.got,
                    (exchanged,),
                    operation=listing.operation,
                )
                return


def _while_things_change(probe: Probe, listing: Listing) -> Iterator[Finding]:
    """What was there when the first page came is there once, though new items come meanwhile."""
    if listing.shifts:
        return
    base = probe.walk(listing, listing.everything)
    if not base.complete or len(base.items) < 4:
        return
    size = max(1, -(-len(base.items) // 5))

    def change() -> None:
        probe.target.wait(180 if probe.target.is_mock else 0.15)
        if probe.target.can_change and probe.traits.starts:
            probe.start(probe.traits.starts[0])

    walk = probe.walk(listing, replace(listing.everything, limit=size), between=change)
    yield from _twice(probe, listing, walk, "a list that grows meanwhile")
    after = probe.walk(listing, listing.everything)
    kept = set(_keys(probe, after.items))
    got = set(_keys(probe, walk.items))
    missing = [key for key in _keys(probe, base.items) if key in kept and key not in got]
    if walk.complete and missing:
        yield probe.finding(
            "an item is lost between pages while new ones come",
            f"all {len(base.items)} that were there at the first page",
            f"without {missing[0]}",
            walk.exchanges[-2:],
            operation=listing.operation,
            cause="items are lost between pages",
        )


def _totals(probe: Probe, listing: Listing) -> Iterator[Finding]:
    """The total is that of the list, whatever the page; between two looks at it, if it moves."""
    if listing.total is None:
        return
    before = probe.walk(listing, listing.everything)
    told: list[tuple[int, Exchanged, str]] = []
    for page, what in (
        (replace(listing.everything, limit=3), "with a small page"),
        (replace(listing.everything, limit=3, at=2), "of a later page"),
        (listing.everything, "of the whole list"),
    ):
        exchanged, items = probe.page(listing, page)
        total = _total(listing, exchanged)
        if items is not None and total is not None:
            told.append((total, exchanged, what))
    after = probe.walk(listing, listing.everything)
    if not (before.complete and after.complete):
        return
    least, most = sorted((len(before.items), len(after.items)))
    for total, exchanged, what in told:
        if not least <= total <= most:
            yield probe.finding(
                f"the total {what} is not the number of items",
                f"{least}" if least == most else f"{least} to {most}",
                str(total),
                (after.exchanges[-1], exchanged),
                operation=listing.operation,
                cause="a wrong total",
                symptom=_of_total(after, total, exchanged),
            )
            return


def _total(listing: Listing, exchanged: Exchanged) -> int | None:
    if listing.total is None:
        return None
    try:
        return listing.total(answer_of(exchanged))
    except UNREADABLE:
        return None


def _limits(probe: Probe, listing: Listing) -> Iterator[Finding]:
    limits = listing.limits
    if limits is None:
        return
    base = probe.walk(listing, listing.everything)
    if not base.complete:
        return
    total = len(base.items)
    name = limits.name
    for limit in dict.fromkeys((limits.least, limits.most, min(limits.most, total // 2 + 1))):
        exchanged, items = probe.page(listing, replace(listing.everything, limit=limit))
        if items is None:
            yield probe.finding(
                f"{name}={limit} is refused",
                "a page, as the document allows it",
                f"{exchanged.status} {exchanged.text[:200]}",
                (exchanged,),
                operation=listing.operation,
                symptom=signs.refused(),
            )
        elif len(items) > limit or (len(items) < min(limit, total) and not listing.seals):
            what = "more" if len(items) > limit else "fewer"
            yield probe.finding(
                f"{name}={limit} gives {what} items than asked for",
                f"{min(limit, total)} of {total}",
                f"{len(items)}",
                (exchanged,),
                operation=listing.operation,
                cause=f"{name} gives {what}",
                symptom=_count(
                    probe,
                    exchanged,
                    items,
                    *(
                        (limit + 1, signs.MANY)
                        if len(items) > limit
                        else (0, min(limit, total) - 1)
                    ),
                ),
            )
    yield from _default(probe, listing, total)
    yield from _over(probe, listing, total)


def _default(probe: Probe, listing: Listing, total: int) -> Iterator[Finding]:
    limits = listing.limits
    if limits is None:
        return
    exchanged, items = probe.page(listing, replace(listing.everything, limit=None))
    if items is None:
        return
    # Where a page may be shorter than asked for: as long as if the default were asked for.
    _, asked = probe.page(listing, replace(listing.everything, limit=limits.default))
    wanted = len(asked or ()) if listing.seals else min(limits.default, total)
    if len(items) > limits.default or len(items) < wanted:
        yield probe.finding(
            f"without {limits.name} the page is not {limits.default} long",
            f"{wanted} of {total}",
            f"{len(items)}",
            (exchanged,),
            operation=listing.operation,
            symptom=_count(
                probe,
                exchanged,
                items,
                *(
                    (limits.default + 1, signs.MANY)
                    if len(items) > limits.default
                    else (0, wanted - 1)
                ),
            ),
        )


def _over(probe: Probe, listing: Listing, total: int) -> Iterator[Finding]:
    limits = listing.limits
    if limits is None:
        return
    below = limits.least - 1
    exchanged, items = probe.page(listing, replace(listing.everything, limit=below))
    if items is not None:
        yield _accepted(probe, listing, f"{limits.name}={below}", exchanged)
    above = limits.most + 1
    exchanged, items = probe.page(listing, replace(listing.everything, limit=above))
    if limits.over == "refused" and items is not None:
        yield _accepted(probe, listing, f"{limits.name}={above}", exchanged)
    elif limits.over == "clamped" and items is None:
        yield probe.finding(
            f"{limits.name}={above} is refused, not reduced to {limits.most}",
            f"a page of at most {limits.most}",
            f"{exchanged.status} {exchanged.text[:200]}",
            (exchanged,),
            operation=listing.operation,
            symptom=signs.refused(),
        )
    elif items is not None and len(items) > limits.most:
        yield probe.finding(
            f"a page holds more than {limits.most} items",
            f"at most {limits.most} of {total}",
            f"{len(items)}",
            (exchanged,),
            operation=listing.operation,
            symptom=_count(probe, exchanged, items, limits.most + 1, signs.MANY),
        )


def _accepted(probe: Probe, listing: Listing, what: str, exchanged: Exchanged) -> Finding:
    return probe.finding(
        f"{what} is accepted",
        "a refusal (4xx)",
        str(exchanged.status),
        (exchanged,),
        operation=listing.operation,
        severity=Severity.MEDIUM,
        symptom=signs.accepted(),
    )


def _past(probe: Probe, listing: Listing) -> Iterator[Finding]:
    if listing.past is None:
        return
    base = probe.walk(listing, listing.everything)
    if not base.complete:
        return
    exchanged, items = probe.page(listing, listing.past(len(base.items)))
    if items:
        yield probe.finding(
            "a page past the end is not empty",
            f"nothing past {len(base.items)} items",
            f"{len(items)} items, such as {_key(probe, items[0])}",
            (exchanged,),
            operation=listing.operation,
            symptom=_count(probe, exchanged, items, 1, signs.MANY),
        )
    total = _total(listing, exchanged)
    if items is not None and total is not None:
        again = probe.walk(listing, listing.everything)
        least, most = sorted((len(base.items), len(again.items)))
        if again.complete and not least <= total <= most:
            yield probe.finding(
                "a page past the end has a wrong total",
                f"{len(base.items)}",
                str(total),
                (base.exchanges[-1], exchanged),
                operation=listing.operation,
                cause="a wrong total",
                symptom=_of_total(base, total, exchanged),
            )


def _broken(probe: Probe, listing: Listing) -> Iterator[Finding]:
    for page, reason in listing.broken:
        exchanged, items = probe.page(listing, page)
        if items is not None:
            yield _accepted(probe, listing, reason, exchanged)


def _sealed(probe: Probe, listing: Listing) -> Iterator[Finding]:
    """A token goes on with its own query only, as it was given out."""
    first = replace(listing.everything, limit=2)
    exchanged, items = probe.page(listing, first)
    if not items or listing.next is None:
        return
    try:
        page = listing.next(first, answer_of(exchanged))
    except UNREADABLE:
        return
    if page is None or not isinstance(page.at, str):
        return
    token = page.at
    middle = len(token) // 2
    other = "A" if token[middle] != "A" else "B"
    tried: list[tuple[PageOf, str]] = [
        (replace(page, at=token[:middle] + other + token[middle + 1 :]), "a changed page token"),
        (replace(page, at=token[: middle + 1]), "half a page token"),
        (replace(page, since=None), "a page token of another query (other window)"),
    ]
    where = _some_filter(listing, items)
    if where is not None:
        tried.append((replace(page, where=where), "a page token of another query (other filter)"))
    for wrong, what in tried:
        refused, got = probe.page(listing, wrong)
        if got is not None:
            yield probe.finding(
                f"{what} is accepted",
                "a refusal: the token belongs to one query, as it was given out",
                f"{refused.status} with {len(got)} items",
                (exchanged, refused),
                operation=listing.operation,
                severity=Severity.MEDIUM,
                symptom=signs.accepted(),
            )
    yield from _filter_of_a_walk(probe, listing, where)


def _some_filter(listing: Listing, items: Sequence[Item]) -> Any:
    if listing.filtering is None:
        return None
    for field in listing.filtering.fields:
        value = None if field.hidden else field.value(items[0])
        if value is not None and "eq" in field.operators:
            return listing.filtering.write(And((Compare(field, "eq", value),)))
    return None


def _filter_of_a_walk(probe: Probe, listing: Listing, where: Any) -> Iterator[Finding]:
    """The other way round: the token of a filtered list, without the filter."""
    if where is None:
        return
    first = replace(listing.everything, limit=1, where=where)
    exchanged, items = probe.page(listing, first)
    if items is None or listing.next is None:
        return
    try:
        page = listing.next(first, answer_of(exchanged))
    except UNREADABLE:
        return
    if page is None:
        return
    refused, got = probe.page(listing, replace(page, where=None))
    if got is not None:
        yield probe.finding(
            "a page token of another query (without its filter) is accepted",
            "a refusal: the token belongs to one query, as it was given out",
            f"{refused.status} with {len(got)} items",
            (exchanged, refused),
            operation=listing.operation,
            severity=Severity.MEDIUM,
            cause="a page token of another query (other filter) is accepted",
            symptom=signs.accepted(),
        )


PAGES = Check("pages", "Pages partition their list", lists, _play)
