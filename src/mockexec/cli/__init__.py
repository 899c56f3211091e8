"""The command line. One file per subcommand, imported only when it is asked for.

Errors of ours (``MockexecError``) become one line on stderr and exit code 2.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any

import click

from mockexec.errors import MockexecError

# Each names a module of this package with a click command ``command``. The texts stand here so
# that the overview need not import them all.
_COMMANDS = {
    "serve": "Serve the APIs, and any documents given.",
    "verify": "Test an API, or any server, against its document.",
    "lint": "Problems of OpenAPI documents, with file and line.",
    "diff": "What changed between two OpenAPI documents, and whom it breaks.",
    "token": "A token for an API; sessions and signals where it has them.",
    "new": "Write the files of a new API for a document.",
    "fixtures": "Check scenario files, or make people for them.",
}


class _Commands(click.Group):
    """A group that imports a subcommand when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name == "serve":
            # Starting makes a million objects and no garbage; ``run.serve`` turns it on again.
            gc.disable()
        found: click.Command = import_module(f"mockexec.cli.{cmd_name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def main(self, *args: Any, **options: Any) -> Any:
        try:
            return super().main(*args, **options)
        except MockexecError as error:
            click.echo(f"mockexec: {error}", err=True)
            sys.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mockexec")
def main() -> None:
    """A mock server that is alive and true to its OpenAPI documents."""
