"""What one sees in a terminal: progress while it runs, then findings, then what was reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import indent

from mockexec.simulation.clock import machine_ns
from mockexec.verify.baseline import Accepted
from mockexec.verify.coverage import Coverage, percent, totals
from mockexec.verify.curl import Curl
from mockexec.verify.events import Event, Finished, Found, PartStarted, Sent, Skipped, Started
from mockexec.verify.findings import Finding, Group, Severity
from mockexec.verify.result import Result

# How often a line that is written over again and again is written.
_REDRAW_NS = 100_000_000
_LINE_MAX = 100
_GOT_LINES_MAX = 12
_MISSED_MAX = 12
_COLOURS = {
    Severity.CRITICAL: "red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}
_ENDS = {
    "time": "The time is up; what was not reached is not tested.",
    "requests": "The number of requests is reached; what was not reached is not tested.",
    "stopped": "Stopped before its end.",
}

Style = Callable[..., str]


def plain(text: str, **_: object) -> str:
    """The style that has none."""
    return text


class ConsoleReporter:
    """Writes with ``write``, a function of one text, line ends included.

    ``live``: one line is drawn over and over while it runs, for a terminal; otherwise a line is
    written for each part. ``style``: as ``click.style``.
    """

    def __init__(
        self, write: Callable[[str], object], curl: Curl, *, live: bool, style: Style = plain
    ) -> None:
        self._write = write
        self._curl = curl
        self._live = live
        self._style = style
        self._part = ""
        self._operation = ""
        self._cases = 0
        self._causes: set[tuple[str, str, str]] = set()
        self._drawn_ns = 0
        self._is_drawn = False

    def take(self, event: Event) -> None:
        """Shows how far it is."""
        if isinstance(event, Sent):
            self._cases += 1
            self._operation = event.operation or self._operation
            self._draw()
        elif isinstance(event, Found):
            self._causes.add(event.finding.key)
            self._draw()
        elif isinstance(event, Started):
            where = "the mock, in this process" if event.mock else event.url
            self._line(f"{self._style(event.title, bold=True)} against {where}, seed {event.seed}")
        elif isinstance(event, PartStarted):
            self._part = event.title
            if self._live:
                self._draw(now=True)
            else:
                self._line(f"  {event.title}")
        elif isinstance(event, Finished):
            self._clear()

    def finish(self, result: Result) -> None:
        """Tells all that came out."""
        self._clear()
        self.findings(result)
        for group in result.accepted:
            entry = result.baseline.entry(group.finding)
            if entry is not None:
                self._line("")
                self._accepted(group.finding, entry)
        for trouble in result.troubles:
            self._line("")
            self._line(self._style(f"Not tested: {trouble.where}: {trouble.message}", fg="yellow"))
        if result.skipped:
            self._line("")
            self._skips(result.skipped)
        self._line("")
        self._coverage(result.coverage)
        self._line("")
        self._end(result, len(result.shown))

    def findings(self, result: Result) -> None:
        """Tells the root causes alone."""
        for number, group in enumerate(result.shown, 1):
            self._line("")
            self._group(number, group, result)

    def _group(self, number: int, group: Group, result: Result) -> None:
        finding = group.finding
        severity = self._style(finding.severity.upper(), fg=_COLOURS[finding.severity], bold=True)
        self._line(f"{number}. {severity} {self._style(finding.title, bold=True)}")
        rows = [
            ("check", finding.check),
            ("operation", _some(group.operations) if group.operations else finding.operation),
            ("document", result.place(finding)),
            ("expected", finding.expected),
            ("got", _cut(finding.got)),
        ]
        if group.count > 1:
            rows.append(("seen", f"{group.count} times"))
        entry = result.baseline.entry(finding)
        if entry is not None:
            rows.append(("accepted", f"until {entry.expires}, which has passed: {entry.reason}"))
        for name, value in rows:
            if value:
                self._line(f"   {name:<10}{indent(value, ' ' * 13).lstrip()}")
        for exchanged in finding.exchanges:
            self._line(f"   {self._style(self._curl.line(exchanged), fg='blue')}")

    def _accepted(self, finding: Finding, entry: Accepted) -> None:
        self._line(
            f"Accepted until {entry.expires}: {finding.operation}: {finding.title} ({entry.reason})"
        )

    def _skips(self, skips: list[Skipped]) -> None:
        """One line for each reason."""
        by_reason: dict[str, list[str]] = {}
        for skipped in skips:
            by_reason.setdefault(skipped.reason, []).append(skipped.what)
        for reason, names in by_reason.items():
            self._line(f"Skipped {_some(names)}: {reason}")

    def _coverage(self, coverage: Coverage) -> None:
        reached = ", ".join(
            f"{name} {part}/{whole} ({percent(part, whole)} %)"
            for name, (part, whole) in totals(coverage).items()
        )
        self._line(f"Reached: {reached}")
        for name, row in coverage.operations.items():
            statuses = ", ".join(f"{status} {n}" for status, n in sorted(row.statuses.items()))
            missed = [f"{status}" for status in row.statuses_missed]
            missed += list(row.parameters_missed)
            missed += [link.rpartition("] ")[2] for link, count in row.links.items() if not count]
            text = f"  {name:<32} {statuses or 'never answered'}"
            if missed:
                text += self._style(f"  not reached: {_some(missed)}", dim=True)
            self._line(text)
        for resource, steps in coverage.transitions.items():
            missed = [f"{a} → {b}" for (a, b), count in steps.items() if not count]
            seen = len(steps) - len(missed)
            text = f"  {resource:<32} {seen} of {len(steps)} transitions seen"
            if missed:
                text += self._style(f"  not seen: {_some(missed)}", dim=True)
            self._line(text)

    def _end(self, result: Result, causes: int) -> None:
        finished = result.finished
        if finished is not None and finished.ended != "done":
            self._line(self._style(_ENDS[finished.ended], fg="yellow"))
        seconds = f" in {finished.took_s:.1f} s" if finished and finished.took_s else ""
        seed = f", seed {result.started.seed}" if result.started else ""
        cases = f"{result.requests} requests{seconds}{seed}"
        if causes:
            noun = "finding" if causes == 1 else "findings"
            self._line(self._style(f"{causes} {noun}: {cases}", fg="red", bold=True))
        elif result.troubles:
            self._line(self._style(f"No findings, but not all was tested: {cases}", fg="yellow"))
        else:
            self._line(self._style(f"No findings: {cases}", fg="green", bold=True))

    def _draw(self, *, now: bool = False) -> None:
        if not self._live:
            return
        instant_ns = machine_ns()
        if not now and instant_ns - self._drawn_ns < _REDRAW_NS:
            return
        self._drawn_ns = instant_ns
        count = len(self._causes)
        text = f"  {self._cases} cases, {count} findings · {self._part} · {self._operation}"
        self._write(f"\r\x1b[2K{text[:_LINE_MAX]}")
        self._is_drawn = True

    def _clear(self) -> None:
        if self._is_drawn:
            self._write("\r\x1b[2K")
            self._is_drawn = False

    def _line(self, text: str) -> None:
        self._clear()
        self._write(f"{text}\n")


def _cut(text: str) -> str:
    lines = text.splitlines()
    if len(lines) > _GOT_LINES_MAX:
        lines = [*lines[:_GOT_LINES_MAX], "…"]
    return "\n".join(lines)


def _some(names: Sequence[str]) -> str:
    if len(names) > _MISSED_MAX:
        return f"{', '.join(names[:_MISSED_MAX])} and {len(names) - _MISSED_MAX} more"
    return ", ".join(names)
