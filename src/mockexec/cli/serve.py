"""``mockexec serve``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from mockexec import catalog
from mockexec.cli.options import pairs, read_clock
from mockexec.mocks import check_options, load_apis, scenario_loader
from mockexec.server.app import App
from mockexec.server.examples import Examples
from mockexec.server.mock import CONTROL, Mock
from mockexec.server.reload import Reloading
from mockexec.server.run import base_url, bind, serve
from mockexec.settings import BODY_MAX_BYTES, Settings
from mockexec.simulation.clock import Clock
from mockexec.simulation.session import SESSIONS_MAX


@click.command("serve")
@click.argument("documents", metavar="[SPEC]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--api",
    "names",
    metavar="NAME",
    multiple=True,
    help="Serve this API; repeatable. [default: all]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 takes a free one.",
)
@click.option(
    "--scenario",
    metavar="NAME",
    default="default",
    show_default=True,
    help="What the world is made of.",
)
@click.option(
    "--seed", default=0, show_default=True, type=int, help="What is left to chance follows from it."
)
@click.option(
    "--clock",
    metavar="real|frozen|x60",
    default="real",
    show_default=True,
    callback=read_clock,
    help="How time runs.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse what no document knows; 500 if a reply breaks its document.",
)
@click.option("--any-token", is_flag=True, help="Take any credential of the right form.")
@click.option("--no-cors", is_flag=True, help="No headers for browsers on other origins.")
@click.option(
    "--max-body",
    metavar="BYTES",
    default=BODY_MAX_BYTES,
    show_default=True,
    type=click.IntRange(1),
    help="Larger request bodies get 413.",
)
@click.option(
    "--control-token",
    metavar="TOKEN",
    default="",
    help="Callers of the control API must show it; needed where others can reach the mock.",
)
@click.option(
    "--max-sessions",
    metavar="N",
    default=SESSIONS_MAX,
    show_default=True,
    type=click.IntRange(1),
    help="How many private worlds there may be; idle ones end by themselves.",
)
@click.option(
    "--reload",
    "reloads",
    is_flag=True,
    help="Read the documents again when one has changed; the worlds begin anew.",
)
@click.option(
    "--set",
    "options",
    metavar="API.OPTION=VALUE",
    multiple=True,
    help="An option of one API; repeatable.",
)
def command(
    documents: tuple[Path, ...],
    names: tuple[str, ...],
    host: str,
    port: int,
    scenario: str,
    seed: int,
    clock: Clock,
    strict: bool,
    any_token: bool,
    no_cors: bool,
    max_body: int,
    control_token: str,
    max_sessions: int,
    reloads: bool,
    options: tuple[str, ...],
) -> None:
    """Serve the APIs at /NAME, and each SPEC under its file's name.

    An API that is alone also answers at /.
    """
    settings = Settings(
        strict=strict,
        any_token=any_token,
        cors=not no_cors,
        body_max_bytes=max_body,
        control_token=control_token,
        options=pairs(options, "API.OPTION=VALUE"),
    )

    def make() -> App:
        apis = load_apis(names or catalog.names(), documents)
        check_options(apis, settings.options)
        mock = Mock(
            apis,
            scenario_loader(documents),
            settings=settings,
            scenario=scenario,
            seed=seed,
            clock=clock,
            sessions_max=max_sessions,
        )
        return App(mock)

    # First of all: a taken port is known at once, and clients may already connect and wait.
    with bind(host, port) as sock:
        reloading = Reloading(make) if reloads else None
        app = make() if reloading is None else reloading.app
        text = banner(app.mock, base_url(sock))
        serve(reloading or app, sock, ready=lambda: click.echo(text))


def banner(mock: Mock, url: str) -> str:
    """What a user needs to begin: addresses, tokens, and one request that works for each API."""
    rows = [("API", "BASE URL", "TOKEN", "DOCS")]
    requests = []
    for api in mock.apis.values():
        realm = mock.base.world.realms[api.name]
        base = f"{url}/{api.name}"
        rows.append((api.name, base, api.dialect.development_token(realm), f"{base}/docs"))
        example = Examples(api).simplest(realm)
        if example is not None:
            requests.append(example.at(base).curl())
    lines = [
        *_table(rows),
        "",
        *requests,
        "",
        f"Control API: {url}/{CONTROL}/docs",
        "Ctrl-C stops.",
    ]
    return "\n".join(lines)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
