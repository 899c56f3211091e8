"""The bounds of a list's window in time: what belongs to it, however they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mockexec.traits import Item, Window
from mockexec.verify.checks.check import Check
from mockexec.verify.checks.selection import Selection, base_of
from mockexec.verify.findings import Finding
from mockexec.verify.probe import UNREADABLE, Probe

_BOUNDS = 3


def _needs(probe: Probe) -> str | None:
    if any(listing.window for listing in probe.traits.lists):
        return None
    return "the API declares no windows"


def _play(probe: Probe) -> Iterator[Finding]:
    for listing in probe.traits.lists:
        if listing.window is not None:
            base, items = base_of(probe, listing)
            if items:
                yield from _windows(Selection(probe, listing, base, items), listing.window)


def _windows(filters: Selection, window: Window) -> Iterator[Finding]:
    """Bounds at the instants of items, and a step to either side, in every form of writing."""
    try:
        instants = {filters.probe.identify(i): window.instant(i) for i in filters.items}
    except UNREADABLE:
        return
    some = sorted(set(instants.values()))[1:-1] or sorted(set(instants.values()))
    chosen = filters.probe.random.sample(some, min(_BOUNDS, len(some)))
    told: set[str] = set()
    for at_ns in chosen:
        for step in (0, 1, -1):
            bound_ns = at_ns + step * window.step_ns
            forms = window.write(bound_ns)
            for number, text in enumerate(forms if not step else forms[:1]):
                form = f", written as {text[-6:]}" if number else ""
                for side in ("since", "until"):
                    for finding in _bounded(filters, window, side, bound_ns, text, form):
                        if finding.cause not in told:
                            told.add(finding.cause)
                            yield finding


def _bounded(
    filters: Selection, window: Window, side: str, bound_ns: int, text: str, form: str
) -> Iterator[Finding]:
    included = window.since_included if side == "since" else window.until_included
    instant = window.instant

    def wanted(item: Item) -> bool | None:
        at_ns = instant(item)
        if at_ns == bound_ns:
            return included
        return (at_ns > bound_ns) == (side == "since")

    # ``since`` takes the place of the window's own, which lies before it.
    page = (
        replace(filters.base, since=text) if side == "since" else replace(filters.base, until=text)
    )
    outcome = filters.compare(page, wanted)
    if outcome is None or outcome.is_right:
        return
    wrong = [*outcome.extra, *outcome.missing]
    at_bound = all(instant(item) == bound_ns for item in wrong)
    name = "beginning" if side == "since" else "end"
    if at_bound:
        belongs = "does not belong" if outcome.missing else "belongs"
        title = f"an execution exactly at the {name} of the window {belongs} to it"
    elif form:
        title = f"the {name} of a window is misread when it is written with an offset"
    elif len(outcome.got) == len(filters.items):
        title = f"the {name} of a window is ignored"
    else:
        title = f"the {name} of a window cuts off the wrong executions"
    yield filters.probe.finding(
        title,
        f"executions {'from' if side == 'since' else 'until'} {text} on"
        if side == "since"
        else f"executions until {text}, {'included' if included else 'excluded'}",
        f"{len(outcome.extra)} too many, {len(outcome.missing)} missing{form}",
        (*outcome.base, *outcome.exchanges[-1:]),
        operation=filters.listing.operation,
        symptom=filters.symptom(outcome),
    )


WINDOWS = Check("windows", "Windows in time have the bounds they are given", _needs, _play)
