"""Schemathesis over a mock in process: every phase and every check, repeatable by seed.

What an API rightly does otherwise than Schemathesis expects stands in its document: on an operation
``x-expected-statuses`` maps statuses, with which a request that fits the schema may be refused, to
the reason; ``x-existing: true`` on a parameter says that only values that exist make sense, so the
documented example is sent.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import EngineFinished, FatalError, NonFatalError, ScenarioFinished

from mockexec.api import Api
from mockexec.simulation.journal import Exchange, Journal
from mockexec.spec.operations import Operation, SecurityScheme
from tests.support import Served, serve

# With what a request that fits the schema may be answered anyway (Schemathesis's own default).
ACCEPTED_STATUSES = ("2xx", "3xx", 401, 403, 404, 409, 429, "5xx")

_EVERY_PHASE = ("examples", "coverage", "fuzzing", "stateful")
# Two runs, each in a world of its own: all phases as they come, then the declared links alone.
# After the other phases the engine is content with a step or two of the stateful one, and the
# links that it infers compete with the declared ones: many of those would never be followed.
PHASES: tuple[dict[str, Any], ...] = (
    {name: {"enabled": True} for name in _EVERY_PHASE},
    {name: {"enabled": False} for name in _EVERY_PHASE[:-1]}
    | {"stateful": {"enabled": True, "max-steps": 15, "inference": {"algorithms": []}}},
)


@dataclass
class Outcome:
    """What a run found.

    ``findings`` maps (operation, title) to how to see it again, the shortest of its reproductions;
    ``links`` maps every link the document declares to how often it was followed.
    """

    findings: dict[tuple[str, str], str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    links: dict[str, int] = field(default_factory=dict)

    @property
    def cases_total(self) -> int:
        """How many requests were sent."""
        return sum(self.cases.values())

    @property
    def server_errors(self) -> int:
        """How many of them were answered with 5xx."""
        return sum(count for status, count in self.statuses.items() if status >= 500)

    @property
    def links_missed(self) -> list[str]:
        """The declared links that no request followed."""
        return [link for link, count in self.links.items() if not count]

    def report(self) -> str:
        """All of it as text, for a failure message or a terminal."""
        lines = [
            f"FINDING {operation}: {title}\n{how}"
            for (operation, title), how in self.findings.items()
        ]
        lines += [f"ERROR {error}" for error in self.errors]
        lines += [f"cases {count:5} {operation}" for operation, count in self.cases.items()]
        lines += [f"link  {count:5} {link}" for link, count in self.links.items()]
        statuses = ", ".join(f"{status}: {n}" for status, n in sorted(self.statuses.items()))
        lines.append(f"statuses {statuses}")
        lines.append(
            f"{len(self.findings)} findings, {len(self.errors)} errors, {self.cases_total} cases, "
            f"{self.server_errors} server errors, links missed: {self.links_missed or 'none'}"
        )
        return "\n".join(lines)


def fuzz(api: str | Api, *, seed: int, examples_max: int, strict: bool = False) -> Outcome:
    """Runs all phases and checks against a fresh mock of ``api`` with a frozen clock.

    A strict mock refuses unknown properties that a schema admits, which counts as a finding; so
    built-in APIs are served leniently, and replies that break the document are read from the
    journal.
    """
    outcome = Outcome()
    for phases in PHASES:
        _run(api, phases, outcome, seed=seed, examples_max=examples_max, strict=strict)
    return outcome


def fuzz_control(api: Api, *, seed: int, examples_max: int) -> Outcome:
    """The same against the control API of a mock of ``api``."""
    outcome = Outcome()
    for phases in PHASES:
        _run(
            api, phases, outcome, seed=seed, examples_max=examples_max, strict=False,
            of_control=True,
        )  # fmt: skip
    return outcome


def _run(
    api: str | Api,
    phases: dict[str, Any],
    outcome: Outcome,
    *,
    seed: int,
    examples_max: int,
    strict: bool,
    of_control: bool = False,
) -> None:
    # Without arrivals: a clock that a test turns by ages would else fill the world.
    scenario = "empty" if of_control else "default"
    with serve(api, scenario=scenario, seed=seed, strict=strict) as served:
        (value,) = served.mock.apis.values()
        if of_control:
            value = served.app.control
        breaches = _Breaches()
        served.world.journal = breaches
        config = {
            **_config(served, value, seed, examples_max),
            "phases": phases,
        }
        if of_control:
            # A fault's id is the client's to choose: of two creations of one id, the deletion of
            # the first ends both, which Schemathesis takes for a loss.
            config["checks"] = {"ensure_resource_availability": {"enabled": False}}
        schema = schemathesis.openapi.from_dict(
            _document(value), config=SchemathesisConfig.from_dict(config)
        )
        schema.app = served.app
        asyncio.run(served.app.start())
        for link in _declared_links(value):
            outcome.links.setdefault(link, 0)
        for event in from_schema(schema).execute():
            _take(event, outcome)
        outcome.findings |= breaches.found


def _document(api: Api) -> dict[str, Any]:
    """The document as Schemathesis wants it: its own copy, which it may change."""
    copy: dict[str, Any] = json.loads(json.dumps(api.document.raw))
    return copy


def _config(served: Served, api: Api, seed: int, examples_max: int) -> dict[str, Any]:
    return {
        "base-url": f"http://localhost/{api.name}",
        "seed": seed,
        "headers": credentials(api, api.dialect.development_token(served.realm(api.name))),
        "workers": 1,
        "continue-on-failure": True,
        # What a run has learned must not change the next one.
        "cache": {"enabled": False},
        "generation": {"max-examples": examples_max, "database": "none"},
        "output": {"sanitization": {"enabled": False}, "truncation": {"enabled": False}},
        "suppress-health-check": ["all"],
        "operations": [config for operation in api.operations if (config := _own(api, operation))],
    }


def _own(api: Api, operation: Operation) -> dict[str, Any]:
    """What the document says of testing this operation, in Schemathesis's words."""
    config: dict[str, Any] = {}
    expected = operation.extensions.get("x-expected-statuses")
    if expected:
        statuses = [*ACCEPTED_STATUSES, *map(int, expected)]
        config["checks"] = {"positive_data_acceptance": {"expected-statuses": statuses}}
    existing = {
        f"{parameter.location}.{parameter.name}": next(iter(parameter.examples.values()))
        for parameter in operation.parameters
        if api.document.at(parameter.uri, parameter.pointer).get("x-existing")
    }
    if existing:
        config["parameters"] = existing
    return config and {"include-operation-id": operation.id, **config}


def credentials(api: Api, token: str) -> dict[str, str]:
    """The development token as every header scheme of the API takes it."""
    headers = {"Authorization": f"Bearer {token}"}
    for scheme in api.security_schemes.values():
        headers |= _credential(scheme, token)
    return headers


def _credential(scheme: SecurityScheme, token: str) -> dict[str, str]:
    return {scheme.parameter: token} if scheme.location == "header" else {}


def _declared_links(api: Api) -> Iterator[str]:
    for operation in api.operations:
        for status, response in operation.responses.items():
            for link in response.links.values():
                yield f"{operation.method} {operation.path} -> [{status}] {link.name}"


def _take(event: Any, outcome: Outcome) -> None:
    if isinstance(event, ScenarioFinished):
        _take_scenario(event, outcome)
    elif isinstance(event, NonFatalError):
        outcome.errors.append(f"{event.label}: {event.info.title}: {event.info.message}")
    elif isinstance(event, FatalError):
        raise event.exception
    elif isinstance(event, EngineFinished):
        outcome.errors.extend(
            f"{event.stop_reason}" for _ in [0] if event.stop_reason != "completed"
        )
        for failure in event.failures:
            outcome.findings[failure.operation or "", failure.title] = failure.message


def _take_scenario(event: ScenarioFinished, outcome: Outcome) -> None:
    for case_id, node in event.recorder.cases.items():
        outcome.cases[node.value.operation.label] += 1
        exchange = event.recorder.interactions.get(case_id)
        if exchange is not None and exchange.response is not None:
            outcome.statuses[exchange.response.status_code] += 1
        if node.transition is not None and node.is_transition_applied:
            _count_link(node.transition.id, outcome)
    for checks in event.recorder.checks.values():
        for check in checks:
            if check.failure_info is None:
                continue
            failure = check.failure_info.failure
            key = (failure.operation or "", f"{failure.title} ({check.name}, {event.phase.value})")
            how = f"{failure.message}\n{check.failure_info.code_sample}"
            if key not in outcome.findings or len(how) < len(outcome.findings[key]):
                outcome.findings[key] = how


class _Breaches(Journal):
    """A journal that keeps what breaks the document, for however long a run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[tuple[str, str], str] = {}

    def record(self, exchange: Exchange) -> None:
        """Adds one, and keeps its breaches."""
        super().record(exchange)
        for note in exchange.notes:
            if note.location == "response":
                title = f"{exchange.status} breaks the document: {note.message}"
                how = f"{exchange.method} {exchange.path} {note.pointer}"
                self.found[exchange.operation_id, title] = how


def _count_link(transition: str, outcome: Outcome) -> None:
    """Schemathesis calls a link ``GET /things -> [200] Name -> GET /things/{id}``."""
    label = " -> ".join(transition.split(" -> ")[:2])
    if label in outcome.links:
        outcome.links[label] += 1
