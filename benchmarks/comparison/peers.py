"""Who is compared: how each is started, what it does not do, and where it answers otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .cases import Scenario
from .install import Place


@dataclass(frozen=True)
class Start:
    """What a peer is started with: the document's name and file, the port, the other files."""

    name: str
    document: Path
    port: int
    files: Path

    @property
    def env(self) -> dict[str, str]:
        """The same for the programs of the folder ``peers``."""
        return {
            "BENCHMARK_NAME": self.name,
            "BENCHMARK_DOCUMENT": str(self.document),
            "BENCHMARK_PORT": str(self.port),
            "BENCHMARK_HELD": str(self.files / "executions.json"),
        }


Command = Callable[[Place, Start], list[str]]
_NO_TOKEN = "asks for no token"  # noqa: S105  # a reason
_NO_CHECKS = "checks no requests"
_NO_DOCUMENT = "reads no document"


@dataclass(frozen=True)
class Peer:
    """One peer.

    ``package`` names what its version is read of; ``lacks`` what mockexec does meanwhile and it
    does not; ``skips`` the scenarios it cannot be asked, with the reason; ``statuses`` where it
    refuses with another status of its own; ``prefixes`` what stands before a path, by document.
    """

    key: str
    title: str
    package: str
    command: Command
    lacks: tuple[str, ...] = ()
    skips: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)
    prefixes: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    needs_java: bool = False
    is_ours: bool = False

    def is_asked(self, scenario: Scenario) -> bool:
        """Whether it takes part in it."""
        if scenario.is_ours_alone and self.key != "mockexec":
            return False
        return scenario.key not in self.skips

    def status(self, scenario: Scenario) -> int:
        """The status that it must answer with."""
        return self.statuses.get(scenario.key, scenario.status)


def _mockexec(place: Place, start: Start) -> list[str]:
    serve = [str(place.mockexec), "serve", "--port", str(start.port)]
    if start.name == "wide":
        return [*serve, str(start.document)]
    # A long page needs a world with that many executions.
    scenario = "huge" if start.name == "long" else "default"
    return [*serve, "--api", "sailpoint", "--scenario", scenario]


def _mockexec_document(place: Place, start: Start) -> list[str]:
    return [str(place.mockexec), "serve", "--port", str(start.port), str(start.document)]


def _prism(*options: str) -> Command:
    def command(place: Place, start: Start) -> list[str]:
        prism = str(place.modules / "@stoplight/prism-cli/dist/index.js")
        quiet = ["-v", "silent", "-p", str(start.port), str(start.document)]
        return [str(place.node), prism, "mock", *options, *quiet]

    return command


def _node(program: str) -> Command:
    return lambda place, _: [str(place.node), str(place.npm / program)]


def _mockoon(place: Place, start: Start) -> list[str]:
    cli = str(place.modules / "@mockoon/cli/bin/run.js")
    data = ["--data", str(start.document), "--port", str(start.port), "--hostname", "127.0.0.1"]
    return [str(place.node), cli, "start", *data, "--disable-log-to-file"]


def _specmatic(place: Place, start: Start) -> list[str]:
    jar = str(place.modules / "specmatic/specmatic.jar")
    serve = ["--host", "127.0.0.1", "--port", str(start.port), "--noConsoleLog"]
    return [place.java, "-jar", jar, "stub", str(start.document), *serve, "--hot-reload=disabled"]


def _wiremock(place: Place, start: Start) -> list[str]:
    (jar,) = (place.modules / "wiremock/build").glob("*.jar")
    stubs = ["--root-dir", str(start.files / f"wiremock-{start.name}")]
    # Its journal has no bound as it comes: ours has this one.
    quiet = ["--disable-banner", "--disable-request-logging", "--max-request-journal-entries=1000"]
    listen = ["--port", str(start.port), "--bind-address", "127.0.0.1"]
    return [place.java, "-jar", str(jar), *listen, *stubs, *quiet]


def _uvicorn(module: str) -> Command:
    """The server that mockexec runs on, with what makes it fast."""

    def command(place: Place, start: Start) -> list[str]:
        options = ["--no-access-log", "--loop", "uvloop", "--http", "httptools"]
        application = [f"{module}:app", "--app-dir", str(place.programs), "--port", str(start.port)]
        quiet = ["--log-level", "warning"]
        return [str(place.python), "-m", "uvicorn", *application, *options, *quiet]

    return command


_BARE_SKIPS = {
    "400": _NO_CHECKS,
    "401": _NO_TOKEN,
    "first": _NO_DOCUMENT,
    "last": _NO_DOCUMENT,
}
_BARE_LACKS = (_NO_DOCUMENT, _NO_CHECKS, _NO_TOKEN, "keeps no journal")

PEERS = (
    Peer(
        "mockexec",
        "mockexec",
        "mockexec",
        _mockexec,
        prefixes={"executions": "/sailpoint/v3", "long": "/sailpoint/v3", "wide": "/wide"},
        is_ours=True,
    ),
    Peer(
        "mockexec-document",
        "mockexec, any document",
        "mockexec",
        _mockexec_document,
        lacks=("executions do not live: the same example, as the peers that read the document",),
        # The same command as the peer above.
        skips={"first": "as mockexec", "last": "as mockexec"},
        prefixes={"executions": "/executions", "long": "/long"},
        is_ours=True,
    ),
    Peer(
        "asgi",
        "bare ASGI on uvicorn",
        "uvicorn",
        _uvicorn("asgi_app"),
        lacks=_BARE_LACKS,
        skips=_BARE_SKIPS,
    ),
    Peer(
        "node",
        "bare node:http",
        "node",
        _node("node_http.mjs"),
        lacks=_BARE_LACKS,
        skips=_BARE_SKIPS,
    ),
    Peer(
        "fastapi",
        "FastAPI",
        "fastapi",
        _uvicorn("fastapi_app"),
        lacks=("takes any token", "written by hand, not from a document", "keeps no journal"),
        statuses={"400": 422},
    ),
    Peer(
        "openapi-backend",
        "openapi-backend + fastify",
        "openapi-backend",
        _node("fastify.mjs"),
        lacks=("takes any token", "checks no answers", "handlers by hand", "keeps no journal"),
    ),
    Peer(
        "connexion",
        "Connexion AsyncApp",
        "connexion",
        _uvicorn("connexion_app"),
        lacks=("takes any token", "checks no answers", "handlers by hand", "keeps no journal"),
        env={"BENCHMARK_MODE": "handlers"},
    ),
    Peer(
        "connexion-mock",
        "Connexion's mock",
        "connexion",
        _uvicorn("connexion_app"),
        lacks=("no state", "takes any token", "checks no answers", "keeps no journal"),
        env={"BENCHMARK_MODE": "mock"},
    ),
    Peer(
        "prism",
        "Prism, static",
        "@stoplight/prism-cli",
        _prism(),
        lacks=("no state", "takes any token", "keeps no journal"),
    ),
    Peer(
        "prism-dynamic",
        "Prism, dynamic",
        "@stoplight/prism-cli",
        _prism("-d"),
        lacks=("no state", "takes any token", "keeps no journal"),
    ),
    Peer(
        "scalar",
        "Scalar mock server",
        "@scalar/mock-server",
        _node("scalar.mjs"),
        lacks=("no state", "takes any token", "keeps no journal"),
        statuses={"400": 422},
    ),
    Peer(
        "mockoon",
        "Mockoon CLI",
        "@mockoon/cli",
        _mockoon,
        lacks=("no state", _NO_CHECKS, _NO_TOKEN),
        skips={"400": _NO_CHECKS, "401": _NO_TOKEN},
    ),
    Peer(
        "specmatic",
        "Specmatic",
        "specmatic",
        _specmatic,
        lacks=("no state", "keeps no journal", "refuses with 400 whatever the reason"),
        statuses={"401": 400, "404": 400},
        needs_java=True,
    ),
    Peer(
        "wiremock",
        "WireMock, stubs",
        "wiremock",
        _wiremock,
        lacks=(
            "stubs written by hand: reads no document, checks only what a stub says",
            "no state",
        ),
        needs_java=True,
    ),
)
