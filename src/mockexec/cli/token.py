"""``mockexec token``."""

from __future__ import annotations

import click

from mockexec.cli.options import pairs, read_clock
from mockexec.errors import UsageError
from mockexec.mocks import check_options, load_apis, scenario_loader
from mockexec.server.mock import Mock
from mockexec.settings import Settings
from mockexec.simulation.clock import Clock


@click.command("token")
@click.argument("name", metavar="API")
@click.option("--kind", help="Make one of this kind instead, such as thand's session or signal.")
@click.option(
    "--option",
    "details",
    metavar="NAME=VALUE",
    multiple=True,
    help="What to put into it, such as user=ana@acme.example; repeatable.",
)
@click.option(
    "--clock",
    metavar="real|frozen|x60",
    default="real",
    show_default=True,
    callback=read_clock,
    help="The clock of the server it is for: expiry counts by it.",
)
@click.option(
    "--set",
    "options",
    metavar="API.OPTION=VALUE",
    multiple=True,
    help="As given to serve; repeatable.",
)
def command(
    name: str,
    kind: str | None,
    details: tuple[str, ...],
    clock: Clock,
    options: tuple[str, ...],
) -> None:
    """Print a credential for API that every mock of it takes.

    Without --kind it is the development token, which may do everything.
    """
    apis = load_apis([name], [])
    settings = Settings(options=pairs(options, "API.OPTION=VALUE"))
    check_options(apis, settings.options)
    realm = Mock(apis, scenario_loader([]), settings=settings, clock=clock).base.world.realms[name]
    dialect = apis[0].dialect
    if kind is None:
        if details:
            raise UsageError("--option belongs to a --kind; the development token has none")
        click.echo(dialect.development_token(realm))
        return
    if kind not in dialect.mints:
        known = ", ".join(dialect.mints) or "none"
        raise UsageError(f"{name} has no kind {kind!r} of token; there are: {known}")
    click.echo(dialect.mints[kind](realm, settings, pairs(details, "NAME=VALUE")))
