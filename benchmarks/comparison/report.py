"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .figures import Figures, Line, PeerFigures

# What only mockexec has stands in a table of its own.
_OURS_ALONE = ("session", "sessions", "journal")
_COMPARED = ("one", "list", "filter", "create", "400", "401", "404")
_NOTHING = "-"
# Runs that lie further from the median than this, as a share of it, are counted.
_SPREAD_TOLD = 0.15


def report(figures: Figures, picture: str = "") -> str:
    """All tables; ``picture`` is where the picture lies, as seen from the report."""
    parts = ["# The speed comparison"]
    if picture:
        parts.append(f"![Requests per second of each peer, as bars]({picture})")
    parts.append(_facts(figures))
    shared = {key: title for key, title in figures.scenarios.items() if key not in _OURS_ALONE}
    for title, show in (
        ("Requests per second (one core)", _requests),
        ("Processor time, µs per request", lambda line: f"{line.cpu_us:,.0f}"),
        ("Latency, p50 / p99 in ms", lambda line: f"{line.p50_ms:.1f} / {line.p99_ms:.1f}"),
    ):
        parts += [f"## {title}", _by_scenario(figures, shared, show)]
    for title, table in (
        ("How many times as fast mockexec is: by requests / by processor time", _ratios(figures)),
        ("What only mockexec has", _alone(figures)),
        ("Start, memory, and what each does not do", _peers(figures)),
        ("A million requests", _soak(figures)),
        ("To know", _notes(figures)),
        ("Left out", _left_out(figures)),
    ):
        if table:
            parts += [f"## {title}", table]
    return "\n\n".join(parts) + "\n"


def sorted_peers(figures: Figures, scenario: str) -> list[PeerFigures]:
    """Peers that were measured at all: the fastest in ``scenario`` first, then those without it."""
    measured = [peer for peer in figures.peers if peer.lines]

    def slowness(peer: PeerFigures) -> float:
        line = peer.lines.get(scenario)
        return -line.requests_per_s if line else 0.0

    return sorted(measured, key=slowness)


def _facts(figures: Figures) -> str:
    return "\n".join(
        f"- {name}: {value}" for name, value in (figures.machine | figures.settings).items()
    )


def _by_scenario(figures: Figures, scenarios: dict[str, str], show: Callable[[Line], str]) -> str:
    """Peers down, scenarios across."""
    rows = [
        [
            f"**{peer.title}**" if peer.is_ours else peer.title,
            *(_cell(peer, key, show) for key in scenarios),
        ]
        for peer in sorted_peers(figures, "one")
    ]
    return table(["", *scenarios.values()], rows)


def _cell(peer: PeerFigures, scenario: str, show: Callable[[Line], str]) -> str:
    line = peer.lines.get(scenario)
    if line is None:
        return _NOTHING
    return show(line) + ("*" if amiss(peer, scenario) else "")


def _requests(line: Line) -> str:
    return f"{line.requests_per_s:,.0f}"


def _ratios(figures: Figures) -> str:
    """Each peer's speed in that of mockexec, both ways of telling it."""
    ours = next((peer for peer in figures.peers if peer.key == "mockexec" and peer.lines), None)
    if ours is None:
        return ""
    keys = [key for key in _COMPARED if key in ours.lines]
    rows = [
        [peer.title, *(ratio(ours, peer, key) for key in keys)]
        for peer in sorted_peers(figures, "one")
        if peer is not ours
    ]
    return table(["against", *(figures.scenarios[key] for key in keys)], rows) if rows else ""


def ratio(ours: PeerFigures, peer: PeerFigures, scenario: str) -> str:
    """How many times as fast ours is: by requests / by processor time."""
    line = peer.lines.get(scenario)
    if line is None or not line.requests_per_s:
        return _NOTHING
    mine = ours.lines[scenario]
    # The clock of the processor's time has a hundred ticks a second: a short run may see none.
    by_processor = f"{line.cpu_us / mine.cpu_us:.2f}" if mine.cpu_us else _NOTHING
    return f"{mine.requests_per_s / line.requests_per_s:.2f} / {by_processor}"


def _alone(figures: Figures) -> str:
    rows = [
        [
            title, _requests(line), f"{line.cpu_us:,.0f}",
            f"{line.p50_ms:.1f}", f"{line.p99_ms:.1f}",
        ]
        for peer in figures.peers
        for key, title in figures.scenarios.items()
        if key in _OURS_ALONE and (line := peer.lines.get(key))
    ]  # fmt: skip
    return table(["", "requests/s", "µs each", "p50 ms", "p99 ms"], rows) if rows else ""


def _peers(figures: Figures) -> str:
    """Start-up, memory, versions."""

    def number(values: dict[str, float], key: str, digits: int) -> str:
        return f"{values[key]:,.{digits}f}" if key in values else _NOTHING

    rows = [
        [
            f"{peer.title} {peer.version}",
            number(peer.ready_s, "executions", 2),
            number(peer.ready_s, "wide", 2),
            number(peer.memory_mib, "ready", 0),
            number(peer.memory_mib, "executions", 0),
            "; ".join(peer.lacks) or _NOTHING,
        ]
        for peer in sorted_peers(figures, "one")
    ]
    return table(
        [
            "", "ready, s", "ready with 403 operations, s", "memory when ready, MiB",
            "memory after, MiB", "does not do",
        ],
        rows,
    )  # fmt: skip


def _soak(figures: Figures) -> str:
    return "\n".join(
        f"- {peer.title}: {mib:.1f} MiB after {int(requests):,} requests"
        for peer in figures.peers
        for requests, mib in peer.memory_soak_mib.items()
    )


def _notes(figures: Figures) -> str:
    """Why there is no figure, what is behind an asterisk, and where runs lay far apart."""
    lines = []
    for peer in sorted_peers(figures, "one"):
        for key, title in figures.scenarios.items():
            if key in peer.skipped:
                lines.append(f"- {peer.title}, {title}: not measured: {peer.skipped[key]}")
            elif told := amiss(peer, key):
                lines.append(f"- {peer.title}, {title}*: {told}")
    spreads = [line.spread for peer in figures.peers for line in peer.lines.values()]
    far = [spread for spread in spreads if spread > _SPREAD_TOLD]
    if far:
        lines.append(
            f"- {len(far)} of {len(spreads)} figures have a run further than {_SPREAD_TOLD:.0%}"
            f" from the median, the worst ±{max(far):.0%}: the machine was not at rest"
        )
    return "\n".join(lines)


def amiss(peer: PeerFigures, scenario: str) -> str:
    """What is behind the asterisk of a cell, if it has one."""
    line = peer.lines.get(scenario)
    if line is None:
        return ""
    found = [peer.noted[scenario]] if scenario in peer.noted else []
    if line.wrong:
        found.append(f"{line.wrong:,} answers of another status")
    if line.lost:
        found.append(f"{line.lost:,} requests lost")
    return ", ".join(found)


def _left_out(figures: Figures) -> str:
    parts = []
    for peer in figures.peers:
        if peer.left_out:
            first, _, rest = peer.left_out.partition("\n")
            code = f"\n\n```\n{rest.replace('```', '')}\n```" if rest else ""
            parts.append(f"- {peer.title} {peer.version}: {first}{code}")
    return "\n".join(parts)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table; all columns but the first and the last are numbers or short."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
