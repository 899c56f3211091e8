"""The pytest plugin: a mock for every test, private to it, repeatable from its name.

``mockexec``            a session of the worker's server: own state, clock (frozen) and seed
``sailpoint`` and so on one API of it, with ``url``, ``token`` and an httpx ``client``
``mockexec_server``     the worker's server itself, the same for all tests
``verify_tests``        tests an API or a server against its document, a pytest test for each part

Importing this module costs next to nothing, as every pytest run on a machine that has mockexec
does so; the server comes with the first test that asks for it. One server serves all tests of a
process, so that xdist's workers never meet.
"""

from __future__ import annotations

import gc
import os
import pkgutil
import re
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from mockexec.errors import MockexecError

if TYPE_CHECKING:
    from mockexec.door import LiveApi, LiveMock, LiveSession

_EXCHANGES_SHOWN = 10
_SESSION: pytest.StashKey[LiveSession] = pytest.StashKey()


class UnmatchedRequestWarning(pytest.PytestWarning):
    """A test asked for something that no operation of its mock is."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line and of the ini file."""
    group = parser.getgroup("mockexec", "a mock for every test")
    group.addoption(
        "--mockexec-url",
        metavar="URL",
        help="Use the mock that runs there, through its control API (its token, if it wants one, "
        "in the environment variable MOCKEXEC_CONTROL_TOKEN).",
    )
    group.addoption(
        "--mockexec-seed",
        metavar="N",
        type=int,
        default=0,
        help="What is left to chance follows from it and the test's name. [default: 0]",
    )
    group.addoption(
        "--mockexec-har",
        metavar="DIR",
        type=Path,
        help="Write what a failed test asked, and got, to a HAR file in this folder.",
    )
    parser.addini(
        "mockexec_apis",
        "APIs to serve, and OpenAPI documents by their path from the ini file (default: all APIs).",
        type="linelist",
    )
    parser.addini("mockexec_scenario", "What the worlds are made of (default: default).")


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line(
        "markers",
        "mockexec(scenario=NAME, seed=N, faults=[BODY, ...], strict=BOOL): "
        "what the test's mock is like.",
    )


def pytest_report_header(config: pytest.Config) -> str:
    """What a failure can be repeated with."""
    url = config.getoption("mockexec_url")
    where = f", mock at {url}" if url else ""
    return f"mockexec: seed {config.getoption('mockexec_seed')}{where}"


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Starting a server makes many objects and no garbage: looking for some takes a fifth of it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Servers:
    """The servers of this process, each started when a test first wants it."""

    def __init__(self, config: pytest.Config, stack: ExitStack) -> None:
        self._config = config
        self._stack = stack
        self._by_strictness: dict[bool, LiveMock] = {}
        self.url: str | None = config.getoption("mockexec_url")

    def get(self, *, strict: bool) -> LiveMock:
        """A server of our own that is strict or not, or the external mock as it is."""
        if strict not in self._by_strictness:
            with _collector_paused():
                self._by_strictness[strict] = self._start(strict=strict)
        return self._by_strictness[strict]

    def scenario(self, wanted: str | None) -> str | None:
        """The scenario of a test's world; None: as the base world of an external mock stands."""
        told: str = self._config.getini("mockexec_scenario")
        return wanted or told or (None if self.url else "default")

    def _start(self, *, strict: bool) -> LiveMock:
        # The server and all its engines: not before it is needed.
        from mockexec import door  # noqa: PLC0415

        if self.url:
            token = os.environ.get("MOCKEXEC_CONTROL_TOKEN", "")
            return self._stack.enter_context(door.connect(self.url, control_token=token))
        root = (
            self._config.rootpath if self._config.inipath is None else self._config.inipath.parent
        )
        named = [
            # A name, or a path from where it is written.
            root / api if "." in api or "/" in api else api
            for api in self._config.getini("mockexec_apis")
        ]
        return self._stack.enter_context(
            door.serve(
                *named, scenario=self.scenario(None) or "default", clock="frozen", strict=strict
            )
        )


@dataclass(frozen=True)
class _Wanted:
    """What the marker may say."""

    scenario: str | None = None
    seed: int | None = None
    faults: Sequence[Mapping[str, Any]] = ()
    strict: bool = False


@pytest.fixture(scope="session")
def _mockexec_servers(pytestconfig: pytest.Config) -> Iterator[_Servers]:
    with ExitStack() as stack:
        yield _Servers(pytestconfig, stack)


@pytest.fixture(scope="session")
def mockexec_server(_mockexec_servers: _Servers) -> LiveMock:
    """The mock that all tests of this process share; its base world is nobody's own."""
    return _mockexec_servers.get(strict=False)


@pytest.fixture
def mockexec(request: pytest.FixtureRequest, _mockexec_servers: _Servers) -> Iterator[LiveSession]:
    """A mock of the test's own: a ``LiveSession`` whose clock is frozen.

    In the end, an answer that broke its document (a fault of the mock's) is an error, and a
    request for what no operation is, a warning.
    """
    node, servers = request.node, _mockexec_servers
    wanted = _wanted(node)
    seed = wanted.seed
    if seed is None:
        seed = crc32(f"{request.config.getoption('mockexec_seed')}:{node.nodeid}".encode())
    server = servers.get(strict=wanted.strict)
    name = _session_name(node, servers)
    with server.session(name, scenario=servers.scenario(wanted.scenario), seed=seed) as session:
        if servers.url:
            session.clock.freeze()
        for body in wanted.faults:
            session.faults.arm(dict(body))
        node.stash[_SESSION] = session
        yield session
        del node.stash[_SESSION]
        _report(node, session)


def _report(node: pytest.Item, session: LiveSession) -> None:
    findings = session.findings()
    if findings.unmatched:
        asked = "\n  ".join(dict.fromkeys(findings.unmatched))
        node.warn(
            UnmatchedRequestWarning(f"the mock was asked for what no operation is:\n  {asked}")
        )
    if findings.breaches:
        broken = "\n  ".join(dict.fromkeys(findings.breaches))
        pytest.fail(f"the mock broke its document:\n  {broken}", pytrace=False)


def _wanted(node: pytest.Item) -> _Wanted:
    told: dict[str, Any] = {}
    # A test's own marker says more than its class's, and that more than its module's.
    for marker in reversed(list(node.iter_markers("mockexec"))):
        if marker.args:
            pytest.fail("the marker mockexec takes its values by name", pytrace=False)
        told |= marker.kwargs
    try:
        return _Wanted(**told)
    except TypeError as error:
        known = ", ".join(_Wanted.__dataclass_fields__)
        pytest.fail(f"the marker mockexec takes {known}: {error}", pytrace=False)


def _session_name(node: pytest.Item, servers: _Servers) -> str:
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", node.name)[:40]
    name = f"{readable}-{crc32(node.nodeid.encode()):08x}"
    # Several runs may share a mock that is not ours.
    return f"{name}-{os.getpid():x}" if servers.url else name


def _api_fixture(name: str) -> Any:
    def make(mockexec: LiveSession) -> LiveApi:
        return mockexec.api(name)

    make.__doc__ = f"The API {name} of the test's own mock: ``url``, ``token``, ``client``."
    return pytest.fixture(name=name)(make)


def _api_names() -> list[str]:
    # As the catalog finds them; it is not asked, because it would load documents and engines.
    built_in = pkgutil.iter_modules([str(Path(__file__).with_name("apis"))])
    others = entry_points(group="mockexec.apis")
    return [module.name for module in built_in] + [entry.name for entry in others]


for _name in _api_names():
    globals()[f"_{_name}_fixture"] = _api_fixture(_name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds to a failure what the mock was asked last, and writes the HAR file."""
    report = yield
    session = item.stash.get(_SESSION, None)
    if report.failed and session is not None:
        try:
            told = _told(item, session)
        except MockexecError as error:
            # The test may have broken its mock; that must not hide how it failed.
            told = f"not to be had: {error}"
        report.sections.append(("mockexec: what was asked last", told))
    return report


def _told(item: pytest.Item, session: LiveSession) -> str:
    asked = session.requests
    lines = [str(one) for one in asked[-_EXCHANGES_SHOWN:]] or ["nothing"]
    folder: Path | None = item.config.getoption("mockexec_har")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_session_file(item)}.har"
        session.save_har(path)
        lines.append(f"all of it: {path}")
    return "\n".join(lines)


def _session_file(item: pytest.Item) -> str:
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "_", item.nodeid)[-100:].strip("_")
    return f"{readable}-{crc32(item.nodeid.encode()):08x}"


def verify_tests(
    what: str | Path,
    *,
    url: str = "",
    token: str = "",
    other_token: str = "",
    headers: Mapping[str, str] | None = None,
    seed: int = 0,
    max_examples: int | None = None,
    phases: Sequence[str] = (),
    checks: Sequence[str] = (),
    exclude_checks: Sequence[str] = (),
    operations: Sequence[str] = (),
    params: Mapping[str, str] | None = None,
    allow_changes: bool = False,
    baseline: str | Path | None = None,
) -> Callable[[str], None]:
    """``mockexec verify`` as a parametrised test.

    ::

        test_sailpoint = mockexec.verify_tests("sailpoint")
        test_ours = mockexec.verify_tests("openapi.yaml", url="http://localhost:8000/v1")

    Each check of ours, each operation and the stories over all operations are a test of their own,
    so that xdist can spread them.

    Args:
        what: the name of an API, or an OpenAPI document by its path from the calling file.
        url: base URL of the server to test; "" is a mock in this process.
        token: credential to send.
        other_token: credential of somebody who must not see what is the first one's.
        headers: added to every request.
        seed: the same seed, the same requests.
        max_examples: cases for each operation in each phase.
        phases: of checks, examples, coverage, fuzzing and stateful; none is all.
        checks: only these; none is all.
        exclude_checks: all but these.
        operations: only these; none is all.
        params: values of parameters, by ``NAME`` or ``operationId.NAME``.
        allow_changes: call what changes something on a server that is not on this machine, too.
        baseline: file of accepted deviations, by its path from the calling file.

    Raises:
        UsageError: there is no such API, operation, check or phase.
        DocumentError: the document cannot be read.
    """
    # The server and the checks: not before they are needed.
    from mockexec.door import verifying  # noqa: PLC0415

    here = Path(sys._getframe(1).f_globals.get("__file__", ".")).parent  # noqa: SLF001  # the caller
    settled = verifying.settled(
        what,
        here,
        baseline=baseline,
        max_examples=max_examples,
        phases=phases,
        url=url,
        token=token,
        other_token=other_token,
        headers=tuple((headers or {}).items()),
        seed=seed,
        checks=tuple(checks),
        excluded=tuple(exclude_checks),
        operations=tuple(operations),
        params=tuple((params or {}).items()),
        allow_changes=allow_changes,
    )

    @pytest.mark.parametrize("part", settled.units)
    def test(part: str) -> None:
        outcome = settled.run(part)
        if outcome.skipped:
            pytest.skip(outcome.skipped)
        if outcome.wrong:
            pytest.fail(outcome.wrong, pytrace=False)

    return test
