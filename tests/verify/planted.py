"""Runs against the impostors: what is found of a planted fault, by our checks or by Schemathesis."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from mockexec.door.verifying import VerifyOptions, planned
from mockexec.verify.plan import EXAMPLES_MAX, PHASES
from mockexec.verify.result import result_of
from mockexec.verify.run import run
from mockexec.verify.target import Limits
from tests.impostors.serving import serving

APIS = ("foundry", "frontdoor", "polos", "sailpoint", "thand")
# What the finding of a fault may cost.
REQUESTS_MAX, TIME_MAX_S = 2000, 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run against one server found: titles, the worst first, and what went wrong."""

    titles: tuple[str, ...]
    troubles: tuple[str, ...]
    requests: int


def impostor(api: str) -> ModuleType:
    """The module of an impostor."""
    return import_module(f"tests.impostors.{api}")


def faults() -> list[tuple[str, str]]:
    """Every planted fault as (API, name)."""
    return [(api, fault) for api in APIS for fault in impostor(api).FAULTS]


def verdict(
    api: str,
    fault: str | None,
    *,
    seed: int = 0,
    phases: tuple[str, ...] = ("checks",),
    checks: tuple[str, ...] = (),
) -> Verdict:
    """Verifies an impostor with one of its faults (None: the correct one)."""
    module = impostor(api)
    with serving(module.make_app(fault)) as url:
        options = VerifyOptions(
            url=f"{url}/{api}",
            token=module.TOKENS["main"],
            other_token=module.TOKENS["other"],
            seed=seed,
            phases=phases,
            checks=checks,
            examples_max=EXAMPLES_MAX,
            limits=Limits(requests_max=REQUESTS_MAX, time_max_s=TIME_MAX_S),
        )
        with planned(api, options) as plan:
            result = result_of(plan.api, run(plan), plan.baseline)
    return Verdict(
        tuple(group.finding.title for group in result.groups),
        tuple(f"{trouble.where}: {trouble.message}" for trouble in result.troubles),
        result.requests,
    )


SCHEMATHESIS_ALONE = tuple(phase for phase in PHASES if phase != "checks")
