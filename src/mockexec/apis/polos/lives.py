"""The futures of Polos runs: plans of the simulation, with the data that each step leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mockexec.simulation.chance import Random
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import HOUR, SECOND, parse_duration
from mockexec.simulation.lifecycle import (
    CANCELLED,
    CLAIMED,
    COMPLETED,
    FAILED,
    QUEUED,
    RUNNING,
    WAITING,
    Plan,
    Profile,
    Step,
    draw_plan,
)

_DEFAULT_ERROR = "Workflow execution failed"
_ANSWER_MAX_NS = 6 * HOUR
_ANSWERED_CHANCE = 0.97


def drawn(
    profile: Profile,
    random: Random,
    scenario: Mapping[str, Any],
    *,
    payload: Any,
    timeout_s: int | None,
) -> Plan:
    """A whole life by chance. ``timeout_s`` below zero counts as zero: it ends as it starts."""
    timeout_ns = None if timeout_s is None else max(timeout_s, 0) * SECOND
    steps = draw_plan(profile, random, run_timeout_ns=timeout_ns)
    return _dressed(steps, random, scenario, payload)


def told(raw: Mapping[str, Any], random: Random, scenario: Mapping[str, Any]) -> Plan:
    """The life that a fixture's execution tells; see the fixtures' schema for its words."""
    queued_ns, runs_ns = parse_duration(raw["queued"]), parse_duration(raw["runs"])
    start = [Step(CLAIMED, queued_ns // 2), Step(RUNNING, queued_ns - queued_ns // 2)]
    steps = start.copy()
    for attempt in range(raw.get("retries", 0)):
        steps += [Step(QUEUED, runs_ns // 2, {"attempts": attempt + 1}), *start]
    if "waits_for" in raw:
        steps.append(Step(WAITING, runs_ns, {"waits_for": raw["waits_for"]}))
        steps.append(Step(RUNNING, None, {"waits_for": None}))
    left = {key: raw[key] for key in ("result", "error", "cancelled_by") if key in raw}
    steps.append(Step(raw.get("ends", COMPLETED), runs_ns, left))
    return _dressed(steps, random, scenario, raw["payload"])


def resumed(
    execution: Execution,
    profile: Profile,
    random: Random,
    *,
    answer: Any,
    now_ns: int,
) -> Plan:
    """What follows once a waiting run has its answer: the queue again, then the rest of its life.

    The answer appears in the result under ``approvals``, so that a user sees what it did.
    """
    step_key = execution.data["waits_for"]
    queued_ns = profile.queued.draw(random)
    claimed_ns = profile.claimed.draw(random) if profile.claimed is not None else 0
    worker = {"worker": execution.data.get("worker")}
    start = [Step(CLAIMED, queued_ns, worker), Step(RUNNING, claimed_ns, worker)]
    rest = [_answered(step, step_key, answer) for step in execution.plan[1:]]
    timeout_s: int | None = execution.data.get("timeout_s")
    if timeout_s is None or execution.started_ns is None:
        return (*start, *rest)
    runs_from_ns = now_ns + queued_ns + claimed_ns
    deadline_ns = execution.started_ns + max(timeout_s, 0) * SECOND
    return (*start, *_cut(rest, runs_from_ns, deadline_ns))


def answered(plan: Plan, random: Random) -> Plan:
    """A life of the past: nearly every wait for a person has had its answer within hours."""
    if all(step.after_ns is not None for step in plan):
        return plan
    return tuple(
        step._replace(after_ns=random.randrange(_ANSWER_MAX_NS))
        if step.after_ns is None and step.reads is None and random.random() < _ANSWERED_CHANCE
        else step
        for step in plan
    )


def _answered(step: Step, step_key: str, answer: Any) -> Step:
    result = (step.data or {}).get("result")
    if step.state != COMPLETED or not isinstance(result, Mapping):
        return step
    approvals = {**result.get("approvals", {}), step_key: answer}
    return step._replace(data={**(step.data or {}), "result": {**result, "approvals": approvals}})


def _cut(steps: Sequence[Step], from_ns: int, deadline_ns: int) -> Sequence[Step]:
    """``steps`` up to the run's deadline; time spent waiting for a person does not end a run."""
    for index, step in enumerate(steps):
        if step.after_ns is None:
            return steps
        if from_ns + step.after_ns > deadline_ns:
            late = Step(
                CANCELLED,
                max(deadline_ns - from_ns, 0),
                {"cancelled_by": "system", "worker": None},
            )
            return [*steps[:index], late]
        from_ns += step.after_ns
    return steps


def one_of(items: Sequence[Any], random: Random) -> Any:
    """One of ``items``, a good deal faster than ``random.choice``; histories are long."""
    return items[int(random.random() * len(items))]


def _dressed(
    steps: Sequence[Step], random: Random, scenario: Mapping[str, Any], payload: Any
) -> Plan:
    """The same steps with what the vendor's worker would write down at each."""
    worker = {"worker": one_of(scenario["workers"], random)}
    attempt_errors = scenario["attempt_errors"]
    dressed = []
    for step in steps:
        data = step.data
        if step.state in {CLAIMED, RUNNING}:
            data = {**data, **worker} if data else worker
        elif step.state == QUEUED:
            data = {**(data or {}), "worker": None, "error": one_of(attempt_errors, random)}
        elif step.state == COMPLETED:
            # A run nobody has a result for hands its input back.
            data = {"result": payload, **(data or {}), "error": None}
        elif step.state == FAILED:
            data = {"error": _DEFAULT_ERROR, **(data or {})}
        elif step.state == CANCELLED:
            data = {**(data or {}), "worker": None}
        dressed.append(Step(step.state, step.after_ns, data, step.reads))
    return tuple(dressed)
