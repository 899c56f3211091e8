"""mockexec from Python: serve a mock, or reach one, and turn it.

::

    import mockexec

    with mockexec.serve("sailpoint", seed=7, clock="frozen") as mock:
        mock.fail("getWorkflowExecution", status=503, times=2)
        client_under_test(mock.urls["sailpoint"], mock.token)
        mock.clock.advance("10m")
        mock.assert_called("getWorkflowExecution", times=3)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from mockexec import catalog
from mockexec.door.carriers import HttpCarrier, InlineCarrier, LoopApp, ThreadCarrier, at_once
from mockexec.door.control import Control
from mockexec.door.live import LiveApi, LiveMock, LiveSession, Site
from mockexec.door.transport import InProcessTransport
from mockexec.errors import UsageError
from mockexec.mocks import check_options, clock_of, load_apis, scenario_loader
from mockexec.server.app import App
from mockexec.server.mock import Mock
from mockexec.server.run import BackgroundServer
from mockexec.settings import BODY_MAX_BYTES, Settings
from mockexec.simulation.session import SESSIONS_MAX

__all__ = [
    "InProcessMock", "LiveApi", "LiveMock", "LiveSession", "connect", "in_process", "serve",
]  # fmt: skip

# A name that every check of the Host header takes; nothing listens there.
_NOWHERE = "http://localhost"


class InProcessMock(LiveMock):
    """A mock without a socket; ``transport`` brings httpx to it."""

    def __init__(self, site: Site, transport: InProcessTransport, *, scenario: str) -> None:
        super().__init__(site, scenario=scenario)
        self.transport = transport

    def async_client(self, api: str, session: LiveSession | None = None) -> httpx.AsyncClient:
        """An asynchronous client whose requests carry the token of ``api``.

        ``session``: into that world; else into the base world.
        """
        target = (session or self).api(api)
        return httpx.AsyncClient(
            base_url=target.url,
            headers={"Authorization": f"Bearer {target.token}"},
            transport=self.transport,
            trust_env=False,
        )


@contextmanager
def serve(
    *apis: str | Path,
    scenario: str = "default",
    seed: int = 0,
    clock: str = "real",
    strict: bool = False,
    any_token: bool = False,
    cors: bool = True,
    options: Mapping[str, str] | None = None,
    body_max_bytes: int = BODY_MAX_BYTES,
    sessions_max: int = SESSIONS_MAX,
    host: str = "127.0.0.1",
    port: int = 0,
    control_token: str = "",
) -> Iterator[LiveMock]:
    """A mock served by a thread of its own for as long as the context lasts.

    Args:
        apis: names of APIs, and paths of OpenAPI documents; none: all APIs there are.
        scenario: what the world is made of.
        seed: what is left to chance follows from it.
        clock: ``real``, ``frozen``, or a pace such as ``x60``.
        strict: refuse what no document knows; 500 where a reply breaks its document.
        any_token: take any credential of the right form.
        cors: answer browsers on other origins.
        options: the APIs' own, as ``{"sailpoint.rate_limit": "100/10s"}``.
        body_max_bytes: larger request bodies get 413.
        sessions_max: how many sessions there may be at a time.
        host: the address to listen on.
        port: 0 takes a free one.
        control_token: what the control API asks for; needed where ``host`` is no loopback address.

    Raises:
        UsageError: an API, scenario or option that is not there, or an address that cannot be had.
        DocumentError: a document cannot be read.
        FixtureError: a scenario's file is broken.
    """
    settings = Settings(
        strict=strict,
        any_token=any_token,
        cors=cors,
        body_max_bytes=body_max_bytes,
        options=options or {},
        control_token=control_token,
    )
    mock = _mock(apis, settings, scenario, seed, clock, sessions_max)
    app = LoopApp(mock)
    with BackgroundServer(app, host, port) as server:
        control = Control(ThreadCarrier(app, server.url), token=control_token)
        site = Site(server.url, control)
        try:
            yield LiveMock(site, scenario=scenario)
        finally:
            site.close()


@contextmanager
def in_process(
    *apis: str | Path,
    scenario: str = "default",
    seed: int = 0,
    clock: str = "real",
    strict: bool = False,
    any_token: bool = False,
    options: Mapping[str, str] | None = None,
    body_max_bytes: int = BODY_MAX_BYTES,
    sessions_max: int = SESSIONS_MAX,
) -> Iterator[InProcessMock]:
    """A mock without a socket: ``transport`` brings httpx to it. Arguments as for ``serve``.

    May be entered and turned inside a running loop. To be used by one thread at a time.
    """
    settings = Settings(
        strict=strict,
        any_token=any_token,
        body_max_bytes=body_max_bytes,
        options=options or {},
    )
    app = App(_mock(apis, settings, scenario, seed, clock, sessions_max))
    # No server runs the lifespan here.
    at_once(app.start())
    transport = InProcessTransport(app)
    site = Site(_NOWHERE, Control(InlineCarrier(app, _NOWHERE)), transport)
    try:
        yield InProcessMock(site, transport, scenario=scenario)
    finally:
        transport.close()


@contextmanager
def connect(url: str, *, control_token: str = "") -> Iterator[LiveMock]:
    """A mock that runs elsewhere (``mockexec serve``), with all that can be done to one's own.

    Raises:
        UsageError: nothing answers at ``url``, or the control API refuses us.
    """
    carrier = HttpCarrier(url)
    control = Control(carrier, token=control_token)
    site = Site(url, control)
    try:
        control.ask("GET", "/clock")
        yield LiveMock(site)
    finally:
        site.close()
        carrier.close()


def _mock(
    apis: tuple[str | Path, ...],
    settings: Settings,
    scenario: str,
    seed: int,
    clock: str,
    sessions_max: int,
) -> Mock:
    names, documents = _named(apis)
    loaded = load_apis(names, documents)
    check_options(loaded, settings.options)
    return Mock(
        loaded,
        scenario_loader(documents),
        settings=settings,
        scenario=scenario,
        seed=seed,
        clock=clock_of(clock),
        sessions_max=sessions_max,
    )


def _named(apis: tuple[str | Path, ...]) -> tuple[list[str], list[Path]]:
    """What are names of APIs, and what are paths of documents; nothing named is every API."""
    known = catalog.names()
    if not apis:
        return list(known), []
    names = [api for api in apis if isinstance(api, str) and api in known]
    documents = [Path(api) for api in apis if api not in names]
    for document in documents:
        if not document.is_file():
            raise UsageError(
                f"{str(document)!r} is neither an API nor a file; there are: {', '.join(known)}"
            )
    return names, documents
