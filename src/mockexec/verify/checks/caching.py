"""Answers that must not be kept by caches say so: tokens, and GETs that change something."""

from __future__ import annotations

from collections.abc import Iterator

from mockexec.traits import Ask
from mockexec.verify import signs
from mockexec.verify.checks.check import Check
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.plan import changes
from mockexec.verify.probe import Probe
from mockexec.verify.target import Exchanged


def _needs(probe: Probe) -> str | None:
    return None if probe.traits.no_store else "the API declares nothing that caches must not keep"


def _play(probe: Probe) -> Iterator[Finding]:
    for operation_id in probe.traits.no_store:
        operation = probe.operation(operation_id)
        acts = operation_id in {control.ask("1").operation for control in probe.traits.controls}
        if (changes(operation) or acts) and not probe.target.can_change:
            continue
        for exchanged in _answers(probe, operation_id):
            kept = exchanged.header("cache-control") or ""
            directives = {one.strip().lower() for one in kept.split(",")}
            if "no-store" in directives:
                continue
            get = "a GET that changes something" if acts else f"{operation_id}"
            yield probe.finding(
                f"the answer to {get} may be kept by caches",
                "Cache-Control: no-store",
                f"{exchanged.status}, Cache-Control: {kept or 'none'}",
                (exchanged,),
                operation=operation_id,
                severity=Severity.MEDIUM,
                cause="no no-store",
                symptom=signs.has_header(exchanged, "cache-control"),
            )
            break


def _answers(probe: Probe, operation_id: str) -> Iterator[Exchanged]:
    """Accepted, and refused where the document wants the header on refusals too."""
    operation = probe.operation(operation_id)
    for control in probe.traits.controls:
        if control.ask("1").operation == operation_id:
            opened = probe.open_one(control)
            if opened is not None:
                yield probe.send(control.ask(opened[0]))
            return
    auth = probe.traits.auth
    for minted in auth.minted if auth else ():
        if minted.ask.operation == operation_id:
            exchanged = probe.send(minted.ask)
            if exchanged.status < 300:
                yield exchanged
            return
    exchanged = probe.send(Ask(operation_id, body=probe.sample(operation).body))
    if exchanged.status < 300:
        yield exchanged


CACHING = Check("caching", "What must not be cached says so", _needs, _play)
