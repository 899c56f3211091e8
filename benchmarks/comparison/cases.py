"""What is asked: the scenarios, each one request or a cycle of several, and the status due."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .documents import CREATING, EXECUTION, LONG_PAGE, PAGE, WORKFLOW

TOKEN = "sailpoint-dev-token"  # noqa: S105  # the mock's own development token
SESSIONS = 1000
_LIST = f"/workflows/{WORKFLOW}/executions"
_INPUT = {"input": {"identity": {"id": "ee769173319b41d19ccec6cea52f237b", "name": "john.doe"}}}


@dataclass(frozen=True)
class Scenario:
    """One thing to ask for.

    ``document`` is what the peers serve meanwhile; ``items`` how many a list must have;
    ``sessions`` over how many sessions of mockexec the requests go round; ``is_journal_full`` that
    its journal must hold as much as it may. The last two only mockexec has.
    """

    key: str
    title: str
    path: str
    status: int = 200
    method: str = "GET"
    body: str = ""
    is_signed: bool = True
    connections: int = 32
    document: str = "executions"
    items: int | None = None
    sessions: int = 0
    is_journal_full: bool = False

    @property
    def is_ours_alone(self) -> bool:
        """Whether it is about what only mockexec has."""
        return bool(self.sessions) or self.is_journal_full

    def paths(self, prefix: str) -> list[str]:
        """What is asked for in turn; ``prefix`` stands before each path of the document."""
        if not self.sessions:
            return [prefix + self.path]
        return [f"/@bench{number}{prefix}{self.path}" for number in range(self.sessions)]


_ONE = f"/workflow-executions/{EXECUTION}"
SCENARIOS = (
    Scenario("one", "get one", _ONE),
    Scenario("list", f"list of {PAGE}", f"{_LIST}?limit={PAGE}", items=PAGE),
    Scenario(
        "filter",
        "list with a filter",
        f"{_LIST}?limit={PAGE}&filters=status%20eq%20%22Completed%22",
        items=PAGE,
    ),
    Scenario(
        "create",
        "create",
        f"/workflows/{CREATING}/test",
        method="POST",
        body=json.dumps(_INPUT, separators=(",", ":")),
    ),
    Scenario("400", "400", f"{_LIST}?limit=251", status=400),
    Scenario("401", "401", _ONE, status=401, is_signed=False),
    Scenario("404", "404", "/nowhere", status=404),
    Scenario("crowd", "get one, 256 connections", _ONE, connections=256),
    Scenario("session", "get one, in a session", _ONE, sessions=1),
    Scenario("sessions", f"get one, over {SESSIONS:,} sessions", _ONE, sessions=SESSIONS),
    Scenario("journal", "get one, journal full", _ONE, is_journal_full=True),
    Scenario(
        "long",
        f"list of {LONG_PAGE}",
        f"{_LIST}?limit={LONG_PAGE}",
        document="long",
        items=LONG_PAGE,
    ),
    Scenario("first", "first of 403 operations", "/resource001/1", document="wide"),
    Scenario("last", "last of 403 operations", "/resource081/1", document="wide"),
)


def raw_requests(scenario: Scenario, prefix: str, port: int) -> list[bytes]:
    """The requests of a scenario as they go over the wire."""
    return [_raw(scenario, path, port) for path in scenario.paths(prefix)]


def _raw(scenario: Scenario, path: str, port: int) -> bytes:
    """One request."""
    lines = [f"{scenario.method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: */*"]
    if scenario.is_signed:
        lines.append(f"Authorization: Bearer {TOKEN}")
    if scenario.body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(scenario.body)}"]
    return "\r\n".join([*lines, "", scenario.body]).encode()
