"""``mockexec lint``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mockexec.errors import DocumentError
from mockexec.spec.lint import lint
from mockexec.spec.load import load_document


@click.command("lint")
@click.argument(
    "documents", metavar="SPEC...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
def command(documents: tuple[Path, ...]) -> None:
    """Print the problems of OpenAPI documents, one a line, with file and line.

    Exit code: 0 without errors (warnings do not count), 1 with errors, 2 if a document cannot be
    read.
    """
    unreadable = errors = 0
    for path in documents:
        try:
            findings = lint(load_document(path))
        except DocumentError as error:
            unreadable += 1
            click.echo(f"mockexec: {error}", err=True)
            continue
        for finding in findings:
            errors += finding.severity == "error"
            click.echo(f"{finding.location}: {finding.severity}: {finding.message}")
    sys.exit(2 if unreadable else 1 if errors else 0)
