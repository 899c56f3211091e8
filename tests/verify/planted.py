"""Runs against the impostors: what is found of a planted fault, by our checks or by Schemathesis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from types import ModuleType

from mockexec.door.verifying import VerifyOptions, planned
from mockexec.verify.plan import EXAMPLES_MAX, PHASES, VerifyPlan
from mockexec.verify.result import result_of
from mockexec.verify.run import run
from mockexec.verify.target import IN_PROCESS_ORIGIN, AsgiWire, Limits
from tests.impostors.serving import LivesOn, serving

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


LIMITS = Limits(requests_max=REQUESTS_MAX, time_max_s=TIME_MAX_S)


@contextmanager
def against(
    api: str,
    fault: str | None,
    *,
    seed: int = 0,
    phases: tuple[str, ...] = ("checks",),
    checks: tuple[str, ...] = (),
    examples_max: int = EXAMPLES_MAX,
    limits: Limits = LIMITS,
    in_process: bool = False,
) -> Iterator[VerifyPlan]:
    """The plan of a run against an impostor with one of its faults (None: the correct one).

    ``in_process``: not over a socket, which is quicker; the clock is the machine's either way.
    """
    module = impostor(api)
    app = module.make_app(fault)
    with ExitStack() as stack:
        origin = IN_PROCESS_ORIGIN if in_process else stack.enter_context(serving(app))
        options = VerifyOptions(
            url=f"{origin}/{api}",
            token=module.TOKENS["main"],
            other_token=module.TOKENS["other"],
            seed=seed,
            phases=phases,
            checks=checks,
            examples_max=examples_max,
            limits=limits,
        )
        plan = stack.enter_context(planned(api, options))
        if in_process:
            lives_on = LivesOn(app)
            wire = AsgiWire(lives_on)
            stack.callback(wire.close)
            plan = replace(plan, app=lives_on, target=replace(plan.target, wire=wire))
        yield plan


def verdict(
    api: str,
    fault: str | None,
    *,
    seed: int = 0,
    phases: tuple[str, ...] = ("checks",),
    checks: tuple[str, ...] = (),
    in_process: bool = False,
) -> Verdict:
    """Verifies an impostor with one of its faults (None: the correct one) within the limits."""
    with against(
        api, fault, seed=seed, phases=phases, checks=checks, in_process=in_process
    ) as plan:
        result = result_of(plan.api, run(plan), plan.baseline)
    return Verdict(
        tuple(group.finding.title for group in result.groups),
        tuple(f"{trouble.where}: {trouble.message}" for trouble in result.troubles),
        result.requests,
    )


SCHEMATHESIS_ALONE = tuple(phase for phase in PHASES if phase != "checks")
