"""``mockexec fixtures``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mockexec import catalog
from mockexec.cli.people import as_yaml, people
from mockexec.errors import FixtureError, UsageError
from mockexec.scenarios import check_fixture, load_scenario

# First and last names run out: beyond this, finding new ones takes ever longer.
_PEOPLE_MAX = 10_000


@click.group("fixtures")
def command() -> None:
    """Check scenario files, or make people for them."""


@command.command("check")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
def check(files: tuple[Path, ...]) -> None:
    """Check scenario files against the schema beside them, and whether what they name is there.

    Prints file, line and key of what is wrong; exit code 2 if anything is.
    """
    failed = False
    for path in files:
        if not (path.parent / "schema.json").is_file():
            raise UsageError(f"{path} is no scenario file: it has no schema.json beside it")
        try:
            # By itself, then together with the scenario that it extends.
            check_fixture(path)
            scenario = load_scenario(path.parent.name, path.parent, path.stem)
            if scenario.api in catalog.names():
                catalog.model(scenario.api).check(scenario)
        except FixtureError as error:
            failed = True
            click.echo(f"mockexec: {error}", err=True)
    sys.exit(2 if failed else 0)


@command.command("people")
@click.option(
    "--seed", default=7, show_default=True, type=int, help="The same seed, the same people."
)
@click.option("--count", default=300, show_default=True, type=click.IntRange(1, _PEOPLE_MAX))
def make_people(seed: int, count: int) -> None:
    """Print a pool of people, the content of fixtures/people.yaml."""
    click.echo(as_yaml(people(seed, count), seed), nl=False)
