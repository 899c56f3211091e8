"""``mockexec verify`` on a mock in process, which is watched from inside as well.

The mock compares every reply of its own with the document and notes in its journal what breaks it;
that is another judge than Schemathesis, and both must be content.
"""

from __future__ import annotations

from dataclasses import replace

from mockexec.door.verifying import VerifyOptions, planned
from mockexec.server.app import App
from mockexec.simulation.journal import Exchange, Journal, Packed
from mockexec.verify.curl import Curl
from mockexec.verify.events import Found
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.reporters.console import ConsoleReporter
from mockexec.verify.result import Result, result_of
from mockexec.verify.run import run


def fuzz(api: str, *, seed: int, examples_max: int) -> Result:
    """All checks and phases against a mock of ``api``, or the control API, with a frozen clock."""
    breaches = _Breaches()
    with planned(api, VerifyOptions(seed=seed, examples_max=examples_max)) as plan:
        app, fresh = plan.app, plan.renew
        assert isinstance(app, App)
        assert fresh is not None

        def renew() -> None:
            fresh()
            app.mock.base.world.journal = breaches

        result = result_of(plan.api, run(replace(plan, renew=renew)))
    for finding in breaches.found.values():
        result.take(Found(finding))
    return result


def report(result: Result) -> str:
    """All of it as text, for a failure message."""
    told: list[str] = []
    ConsoleReporter(told.append, Curl(), live=False).finish(result)
    return "".join(told)


class _Breaches(Journal):
    """A journal that keeps what breaks the document, for however long a run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[tuple[str, str], Finding] = {}

    def record(self, exchange: Packed) -> None:
        """Adds one, and keeps its breaches."""
        super().record(exchange)
        if exchange.notes:
            self._look(exchange.exchange())

    def _look(self, exchange: Exchange) -> None:
        for note in exchange.notes:
            if note.location == "response":
                title = f"{exchange.status} breaks the document: {note.message}"
                self.found[exchange.operation_id, title] = Finding(
                    check="journal",
                    title=title,
                    severity=Severity.HIGH,
                    operation=exchange.operation_id,
                    expected="a reply that fits the document",
                    got=f"{exchange.method} {exchange.path} {note.pointer}",
                )
