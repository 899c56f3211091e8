"""Stories that Hypothesis makes up, against the table of states: see ``verify.model``."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from mockexec.verify.checks.check import Check, all_of, changing, executions
from mockexec.verify.findings import Finding
from mockexec.verify.probe import Probe


def _needs(probe: Probe) -> str | None:
    if find_spec("hypothesis") is None:
        return "Hypothesis is not installed (mockexec[verify])"
    if probe.life.read is None:
        return "single executions cannot be read"
    if not (probe.traits.starts or probe.traits.controls):
        return "nothing can be done to executions"
    return None


def _play(probe: Probe) -> Iterator[Finding]:
    from mockexec.verify.model import play  # noqa: PLC0415  # Hypothesis costs a quarter second

    yield from play(probe, probe.random.getrandbits(32))


MODEL = Check(
    "model", "Stories go as the table of states allows", all_of(executions, changing, _needs), _play
)
