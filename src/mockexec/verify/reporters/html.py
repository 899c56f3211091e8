"""One self-contained HTML page: nothing is loaded from anywhere, so it can be kept and mailed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from importlib.metadata import version
from importlib.resources import files
from typing import IO

from mockexec.verify.coverage import Reached, percent, totals
from mockexec.verify.curl import Curl
from mockexec.verify.events import Event
from mockexec.verify.findings import SEVERITIES, Group
from mockexec.verify.result import Result
from mockexec.verify.target import Exchanged

_BODY_MAX = 20_000
# Copies the text beside a button. The one thing on the page that moves.
_SCRIPT = """
document.addEventListener("click", event => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  navigator.clipboard.writeText(button.previousElementSibling.textContent).then(() => {
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1200);
  });
});
"""


class HtmlReporter:
    """Writes all at the end."""

    def __init__(self, file: IO[str], curl: Curl) -> None:
        self._file = file
        self._curl = curl

    def take(self, event: Event) -> None:
        """Nothing is written on the way."""

    def finish(self, result: Result) -> None:
        """The page."""
        style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
        title = escape(f"{result.started.title if result.started else result.api.name}: verified")
        self._file.write(
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        )
        for part in self._parts(result):
            self._file.write(f"{part}\n")
        self._file.write(f"</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n")

    def _parts(self, result: Result) -> Iterator[str]:
        groups = result.shown
        yield from _head(result, groups)
        if groups:
            yield "<h2>Findings</h2>"
            for group in groups:
                yield self._card(group, result)
        yield from _told(
            "Accepted deviations",
            [
                f"<b>{escape(group.finding.title)}</b> ({escape(group.finding.operation)}), "
                f"accepted until {entry.expires}: {escape(entry.reason)}"
                for group in result.accepted
                if (entry := result.baseline.entry(group.finding)) is not None
            ],
        )
        yield from _told(
            "Not tested",
            [f"<b>{escape(t.where)}</b>: {escape(t.message)}" for t in result.troubles],
        )
        yield from _told(
            "Skipped", [f"<b>{escape(s.what)}</b>: {escape(s.reason)}" for s in result.skipped]
        )
        yield "<h2>What was reached</h2>"
        yield _table(result.coverage.operations)
        for resource, steps in result.coverage.transitions.items():
            yield f"<h2>Transitions of {escape(resource)}</h2><p>"
            yield from (_chip(f"{a} → {b}", count) for (a, b), count in steps.items())
            yield "</p>"
        yield f"<footer>mockexec {escape(version('mockexec'))}</footer>"

    def _card(self, group: Group, result: Result) -> str:
        finding = group.finding
        entry = result.baseline.entry(finding)
        rows = {
            "Operation": escape(", ".join(group.operations) or finding.operation),
            "Document": f"<code>{escape(result.place(finding))}</code>" if finding.pointer else "",
            "Expected": escape(finding.expected),
            "Got": escape(finding.got),
            "Accepted": f"until {entry.expires}, which has passed: {escape(entry.reason)}"
            if entry
            else "",
        }
        told = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows.items() if text)
        seen = f'<span class="tag">seen {group.count} times</span>' if group.count > 1 else ""
        steps = "".join(self._step(exchanged) for exchanged in finding.exchanges)
        return (
            f'<article class="card {finding.severity}"><header>'
            f'<span class="tag {finding.severity}">{finding.severity}</span>'
            f'<span class="tag">{escape(finding.check)}</span>{seen}'
            f"<h3>{escape(finding.title)}</h3></header><dl>{told}</dl>{steps}</article>"
        )

    def _step(self, exchanged: Exchanged) -> str:
        headers = "\n".join(f"{name}: {value}" for name, value in exchanged.headers)
        body = exchanged.text
        if len(body) > _BODY_MAX:
            body = f"{body[:_BODY_MAX]}\n… {len(body) - _BODY_MAX} characters more"
        answer = escape(f"{exchanged.status}\n{headers}\n\n{body}".rstrip())
        status = exchanged.status or "none"
        return (
            f'<div class="step"><div class="line"><pre>{escape(self._curl.line(exchanged))}</pre>'
            f'<button type="button" data-copy>Copy</button></div>'
            f"<details><summary>Answer: {status}</summary><pre>{answer}</pre>"
            "</details></div>"
        )


def _head(result: Result, groups: tuple[Group, ...]) -> Iterator[str]:
    started, finished = result.started, result.finished
    if started is not None:
        where = "a mock in process" if started.mock else f"<code>{escape(started.url)}</code>"
        yield f"<h1>{escape(started.title)}</h1>"
        seconds = f", {finished.took_s:.1f} s" if finished and finished.took_s else ""
        yield f'<p class="sub">Verified against {where}, seed {started.seed}{seconds}.</p>'
    yield _verdict(result, groups)
    tiles = [_tile(str(result.requests), "requests")]
    counts = Counter(group.finding.severity for group in groups)
    tiles += [_tile(str(counts[s]), f"{s} findings") for s in SEVERITIES if counts[s]]
    tiles += [
        _tile(f"{percent(part, whole)} %", f"{name}: {part} of {whole}", percent(part, whole))
        for name, (part, whole) in totals(result.coverage).items()
    ]
    yield f'<div class="tiles">{"".join(tiles)}</div>'


def _verdict(result: Result, groups: tuple[Group, ...]) -> str:
    ended = result.finished.ended if result.finished else "done"
    if groups:
        kind, text = "bad", f"{len(groups)} finding{'s' if len(groups) > 1 else ''}"
    elif result.troubles:
        kind, text = "warn", "No findings, but not all could be tested"
    else:
        kind, text = "", "No findings"
    if ended != "done":
        text += {
            "time": ", until the time was up",
            "requests": ", until the number of requests was reached",
            "stopped": ", stopped before its end",
        }[ended]
    return f'<div class="verdict {kind}">{text}</div>'


def _tile(number: str, text: str, share: int | None = None) -> str:
    bar = "" if share is None else f'<div class="bar"><i style="width:{share}%"></i></div>'
    return f'<div class="tile"><b>{escape(number)}</b><span>{escape(text)}</span>{bar}</div>'


def _told(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        items = "".join(f"<li>{line}</li>" for line in lines)
        yield f'<h2>{title}</h2><ul class="plain">{items}</ul>'


def _table(operations: Mapping[str, Reached]) -> str:
    rows = "".join(_row(name, reached) for name, reached in operations.items())
    return (
        '<div class="table"><table><thead><tr><th>Operation</th><th>Statuses</th>'
        "<th>Parameters</th><th>Links</th><th>Requests</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(name: str, reached: Reached) -> str:
    operation = reached.operation
    statuses = [_chip(status, reached.count_of(status)) for status in reached.documented]
    statuses += [
        _chip(str(status), count, "odd")
        for status, count in sorted(reached.statuses.items())
        if reached.name_of(status) not in reached.documented
    ]
    parameters = [_chip(parameter, count) for parameter, count in reached.parameters.items()]
    links = [_chip(link.rpartition("] ")[2], count) for link, count in reached.links.items()]
    place = escape(f"{operation.method} {operation.path}")
    return (
        f'<tr><td class="name">{escape(name)}<small>{place}</small></td>'
        f"<td>{''.join(statuses)}</td><td>{''.join(parameters)}</td><td>{''.join(links)}</td>"
        f'<td class="number">{reached.requests}</td></tr>'
    )


def _chip(text: str, count: int, kind: str = "") -> str:
    if not count:
        return f'<span class="chip missed" title="not reached">{escape(text)}</span>'
    return f'<span class="chip {kind}">{escape(text)} <em>&times;{count}</em></span>'
