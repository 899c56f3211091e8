"""The README's table of figures: the most telling columns, written between two marks."""

from __future__ import annotations

from .figures import Figures, PeerFigures
from .report import amiss, ratio, sorted_peers, table

BEGIN = "<!-- written by: python benchmarks/speed.py --from speed.json --readme README.md -->"
END = "<!-- end of what is written -->"
_SHOWN = ("one", "list", "create", "400", "401")
_RATIOS = ("one", "list", "create")


class NoMarks(Exception):  # noqa: N818  # it names what is missing
    """The file has no place for the figures."""


def with_figures(text: str, figures: Figures) -> str:
    """``text`` with the figures between the marks, whatever stood there.

    Raises:
        NoMarks: they are not there, each once and in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoMarks(f"it needs the lines\n{BEGIN}\n{END}")
    return f"{before}{BEGIN}\n\n{section(figures)}\n{END}{after}"


def section(figures: Figures) -> str:
    """The table, what it was measured on, and how many times as fast mockexec is."""
    shown = [key for key in _SHOWN if key in figures.scenarios]
    head = [
        "requests per second, one core", *(figures.scenarios[key] for key in shown),
        "µs", "p99 ms", "ready, s", "MiB", "does not do",
    ]  # fmt: skip
    rows = [_row(peer, shown) for peer in sorted_peers(figures, "one")]
    parts = [table(head, rows), _measured(figures), _times(figures)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(peer: PeerFigures, shown: list[str]) -> list[str]:
    one = peer.lines.get("one")
    title = f"{peer.title} {peer.version}"
    return [
        f"**{title}**" if peer.is_ours else title,
        *(_rate(peer, key) for key in shown),
        f"{one.cpu_us:,.0f}" if one else "-",
        f"{one.p99_ms:.1f}" if one else "-",
        _number(peer.ready_s, 2),
        _number(peer.memory_mib, 0),
        "; ".join(peer.lacks) or "-",
    ]


def _rate(peer: PeerFigures, key: str) -> str:
    line = peer.lines.get(key)
    if line is None:
        return "-"
    return f"{line.requests_per_s:,.0f}{'*' if amiss(peer, key) else ''}"


def _number(values: dict[str, float], digits: int) -> str:
    return f"{values['executions']:,.{digits}f}" if "executions" in values else "-"


def _measured(figures: Figures) -> str:
    """What is behind the figures, and behind the asterisks."""
    facts = figures.machine | figures.settings
    names = ("processor", "Python", "Node", "run", "repetitions", "load average", "note")
    told = "; ".join(f"{name}: {facts[name]}" for name in names if name in facts)
    amounts = "µs of processor time and p99 are of getting one; MiB are after all runs."
    marked = any(amiss(peer, key) for peer in figures.peers for key in _SHOWN)
    return f"{told}. {amounts}{' * Some answers were not what was asked for.' if marked else ''}"


def _times(figures: Figures) -> str:
    ours = next((peer for peer in figures.peers if peer.key == "mockexec" and peer.lines), None)
    if ours is None:
        return ""
    keys = [key for key in _RATIOS if key in ours.lines]
    rows = [
        [peer.title, *(ratio(ours, peer, key) for key in keys)]
        for peer in sorted_peers(figures, "one")
        if not peer.is_ours
    ]
    head = ["mockexec is so many times as fast as (by requests / by processor time)"]
    return table([*head, *(figures.scenarios[key] for key in keys)], rows) if rows else ""
