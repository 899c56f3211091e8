"""``mockexec diff``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import click

from mockexec.spec.diff import Change, diff
from mockexec.spec.load import load_document

_DOCUMENT = click.Path(path_type=Path)


@click.command("diff")
@click.argument("old", type=_DOCUMENT)
@click.argument("new", type=_DOCUMENT)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print the changes.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["clients", "servers", "any"]),
    default="clients",
    show_default=True,
    help="Whom a change must break to count for the exit code.",
)
def command(old: Path, new: Path, form: str, fail_on: str) -> None:
    """Print what changed between two OpenAPI documents, and whom it breaks, one change a line.

    A change breaks clients when a client made for OLD may fail against a server made for NEW: a
    request that is refused now, an answer that OLD does not describe. It breaks servers when a
    server made for OLD may fail a client made for NEW. Other changes are compatible.

    Exit code: 0 without breaking changes, 1 with some, 2 if a document cannot be read.
    """
    changes = diff(load_document(old), load_document(new))
    click.echo(_FORMS[form](changes), nl=False)
    breaking = [item for item in changes if item.breaks and fail_on in (*item.breaks, "any")]
    sys.exit(1 if breaking else 0)


def _title(change: Change) -> str:
    return f"Breaks {' and '.join(change.breaks)}" if change.breaks else "Compatible"


def _text(changes: Sequence[Change]) -> str:
    lines = []
    for title, group in groupby(changes, _title):
        members = [*group]
        lines.append(f"{title} ({len(members)})")
        lines += [f"  {item.new}: {_sentence(item)} ({item.old})" for item in members]
        lines.append("")
    return "".join(f"{line}\n" for line in (*lines, _summary(changes)))


def _sentence(change: Change) -> str:
    """What changed, without where it is written."""
    subject = [_operations(change), change.where]
    return f"{', '.join(word for word in subject if word)}: {change.message}"


def _operations(change: Change) -> str:
    if len(change.operations) < 2:
        return "".join(change.operations)
    return f"{change.operations[0]} and {len(change.operations) - 1} more"


def _summary(changes: Sequence[Change]) -> str:
    if not changes:
        return "no changes"
    clients, servers = (_count(changes, party) for party in ("clients", "servers"))
    compatible = sum(not item.breaks for item in changes)
    number = f"{len(changes)} change{'s' if len(changes) > 1 else ''}"
    return f"{number}: {clients} break clients, {servers} break servers, {compatible} compatible"


def _count(changes: Sequence[Change], party: str) -> int:
    return sum(party in item.breaks for item in changes)


def _json(changes: Sequence[Change]) -> str:
    summary = {
        "changes": len(changes),
        "breaks_clients": _count(changes, "clients"),
        "breaks_servers": _count(changes, "servers"),
    }
    value = {"summary": summary, "changes": [asdict(item) for item in changes]}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _markdown(changes: Sequence[Change]) -> str:
    return "\n".join((*_tables(changes), f"{_summary(changes)}\n"))


def _tables(changes: Sequence[Change]) -> Iterator[str]:
    for title, group in groupby(changes, _title):
        yield f"## {title}\n"
        yield "| change | new | old |\n|---|---|---|"
        for item in group:
            yield f"| {_cell(_sentence(item))} | {_cell(item.new)} | {_cell(item.old)} |"
        yield ""


def _cell(text: str) -> str:
    """A text as a cell of a table holds it."""
    return "".join(f"\\{letter}" if letter in "\\|*_<>[]`" else letter for letter in text)


_FORMS = {"json": _json, "markdown": _markdown, "text": _text}
