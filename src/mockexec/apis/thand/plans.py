"""The futures of executions: how long they wait for an approval, and who may give it.

A profile that ``waits_for`` an approval waits from the start; if nobody answers in time the
execution times out. In a plan the deadline comes first and what an approval leads to after it, so
that granting one jumps over the deadline.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mockexec.apis.thand.wire import TIMED_OUT
from mockexec.simulation.chance import Random
from mockexec.simulation.instants import SECOND, parse_duration
from mockexec.simulation.lifecycle import (
    CANCELLED,
    CANCELLING,
    COMPLETED,
    FAILED,
    RUNNING,
    TERMINATED,
    WAITING,
    Plan,
    Profile,
    Span,
    Step,
    draw_plan,
)

_APPROVAL_WITHIN = "24h"
# Scenarios draw a hundred thousand plans from a handful of texts.
_duration_ns = lru_cache(maxsize=256)(parse_duration)
_span = lru_cache(maxsize=256)(Span.parse)
_CLEANUP_NS = 5 * SECOND


def unanswered(profile: Profile, workflow: Mapping[str, Any], random: Random) -> Plan:
    """The plan of an execution whose approval, if it needs one, is for the API's users to give."""
    within_ns = _duration_ns(workflow.get("approval_within", _APPROVAL_WITHIN))
    plan: list[Step] = []
    for step in draw_plan(profile, random):
        if step.state == WAITING:
            deadline = Step(FAILED, within_ns, {TIMED_OUT: True})
            plan += [step._replace(after_ns=0, reads=None), deadline]
        else:
            plan.append(step)
    return tuple(plan)


def answered(plan: Plan, approvers: Mapping[str, Any], random: Random) -> Plan:
    """The same plan with simulated approvers, who grant, refuse, or let the deadline pass."""
    grants, refuses, ignores = (approvers[each] for each in ("granted", "refused", "ignored"))
    delay = _span(approvers["after"])
    steps: list[Step] = []
    rest = plan
    while (held := _held_at(rest)) is not None:
        answer = random.random() * (grants + refuses + ignores)
        if answer >= grants + refuses:
            break
        steps += rest[: held - 1]
        if answer >= grants:
            # What stands behind the refusal is for a user who grants it before.
            return (*steps, Step(FAILED, delay.draw(random)), *rest[held:])
        steps.append(Step(RUNNING, delay.draw(random), {"waits_for": None}))
        rest = rest[held + 1 :]
    return (*steps, *rest)


def ending(word: str, after_ns: int) -> Plan:
    """A plan that ends as ``word``, in the API's words, ``after_ns`` after it began."""
    start = Step(RUNNING, 0)
    match word:
        case "completed":
            return (start, Step(COMPLETED, after_ns))
        case "failed":
            return (start, Step(FAILED, after_ns))
        case "timed_out":
            # Unless a user grants what it waits for: then it works for as long again.
            deadline = Step(FAILED, after_ns, {TIMED_OUT: True})
            return (
                start,
                Step(WAITING, 0),
                deadline,
                Step(RUNNING, None),
                Step(COMPLETED, after_ns),
            )
        case "terminated":
            return (start, Step(TERMINATED, after_ns))
        case "canceled":
            cleanup_ns = min(_CLEANUP_NS, after_ns)
            return (
                start,
                Step(CANCELLING, after_ns - cleanup_ns),
                Step(CANCELLED, cleanup_ns),
            )
    raise ValueError(f"{word!r} is no final state")


def granted(plan: Plan) -> Plan:
    """What is left of the ``plan`` of a waiting execution when its approval is granted now.

    Simulated approvers who would have answered it later are jumped over like the deadline.
    """
    running = next((at for at, step in enumerate(plan) if step.state == RUNNING), len(plan))
    return plan[running + 1 :]


def _held_at(plan: Plan) -> int | None:
    """Where in ``plan`` stands the step that an approval brings on, right behind its deadline."""
    for position, step in enumerate(plan):
        if step.state == RUNNING and step.after_ns is None and step.reads is None:
            return position
    return None
