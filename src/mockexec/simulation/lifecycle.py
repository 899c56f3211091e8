"""The life of an execution: one table of states and transitions, and plans drawn from profiles.

Every API's executions live by this table; a dialect only translates the words. A plan is the list
of steps still to come, drawn once when the execution starts, so that its whole life is a function
of the seed and what its users do to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mockexec.simulation.chance import Random
from mockexec.simulation.instants import parse_duration

QUEUED = "queued"
CLAIMED = "claimed"
RUNNING = "running"
WAITING = "waiting"
CANCELLING = "cancelling"
COMPLETED = "completed"
FAILED = "failed"
CANCELLED = "cancelled"
TERMINATED = "terminated"

FINAL = frozenset({COMPLETED, FAILED, CANCELLED, TERMINATED})

_STOPPED = {CANCELLING, CANCELLED, TERMINATED, FAILED}
TRANSITIONS: Mapping[str, frozenset[str]] = {
    QUEUED: frozenset({CLAIMED, RUNNING, *_STOPPED}),
    CLAIMED: frozenset({QUEUED, RUNNING, *_STOPPED}),
    # Back to the queue: a failed attempt that is tried again.
    RUNNING: frozenset({QUEUED, WAITING, COMPLETED, *_STOPPED}),
    WAITING: frozenset({QUEUED, RUNNING, COMPLETED, *_STOPPED}),
    CANCELLING: frozenset({CANCELLED, TERMINATED}),
    COMPLETED: frozenset(),
    FAILED: frozenset(),
    CANCELLED: frozenset(),
    TERMINATED: frozenset(),
}
STATES = tuple(TRANSITIONS)


class IllegalTransition(Exception):  # noqa: N818  # it names what happened
    """Something tried to move an execution where the table has no way."""

    def __init__(self, execution_id: str, state: str, wanted: str) -> None:
        ways = ", ".join(sorted(TRANSITIONS[state])) or "nowhere: the state is final"
        super().__init__(f"execution {execution_id} is {state} and cannot become {wanted} ({ways})")
        self.state = state
        self.wanted = wanted


class Step(NamedTuple):
    """One transition to come.

    ``after_ns`` counts from the transition before it; None means that something from outside must
    bring it on: ``reads`` readings of the execution, or (``reads`` None too) a signal.
    ``data`` is merged into the execution's data when it happens.
    """

    state: str
    after_ns: int | None = 0
    data: Mapping[str, Any] | None = None
    reads: int | None = None


Plan = tuple[Step, ...]


class Span(NamedTuple):
    """A duration between two bounds, in nanoseconds."""

    least_ns: int
    most_ns: int

    @classmethod
    def parse(cls, text: str) -> Span:
        """From ``5s`` or ``2s..1m``; raises ValueError with the reason."""
        least, _, most = text.partition("..")
        span = cls(parse_duration(least), parse_duration(most or least))
        if span.least_ns < 0 or span.most_ns < span.least_ns:
            raise ValueError(f"{text!r} is not a span such as 5s or 2s..1m")
        return span

    def draw(self, random: Random) -> int:
        """A duration within it, in whole milliseconds where it is longer than one."""
        # Not randint, whose exactness over such a width nobody sees and everybody pays for.
        drawn_ns = self.least_ns + int(random.random() * (self.most_ns - self.least_ns + 1))
        return drawn_ns - drawn_ns % 1_000_000 if drawn_ns >= 1_000_000 else drawn_ns


_NO_TIME = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way for an execution to end, with its weight and the data it leaves."""

    state: str
    weight: float
    data: tuple[Mapping[str, Any], ...] = ()  # one of them is drawn; empty: none


@dataclass(frozen=True, slots=True)
class Profile:
    """How the executions of a workflow live."""

    name: str
    queued: Span = _NO_TIME
    claimed: Span | None = None  # None: never shown as claimed
    running: Span = _NO_TIME
    cleanup: Span = _NO_TIME  # how long a cancelled one takes to stop
    outcomes: tuple[Outcome, ...] = (Outcome(COMPLETED, 1.0),)
    retries_max: int = 0
    retry_chance: float = 0.0  # that an attempt fails and is tried again
    waits_for: tuple[str, ...] = ()  # signals it waits for, in order
    reads: int | None = None  # progress by so many readings instead of by time
    weights: float = field(init=False)  # of all outcomes together

    def __post_init__(self) -> None:
        """Adds up what every plan would."""
        object.__setattr__(self, "weights", sum([outcome.weight for outcome in self.outcomes]))

    @classmethod
    def parse(cls, name: str, raw: Mapping[str, Any]) -> Profile:
        """From a fixture's profile, already checked against the fixtures' schema."""
        spans = {
            key: Span.parse(raw[key])
            for key in ("queued", "claimed", "running", "cleanup")
            if key in raw
        }
        outcomes = tuple(
            Outcome(state, *_weight_and_data(value))
            for state, value in raw.get("outcomes", {COMPLETED: 1}).items()
        )
        progress = raw.get("progress", "time")
        if progress == "immediate":
            spans = dict.fromkeys(("queued", "running", "cleanup"), _NO_TIME)
        return cls(
            name=name,
            outcomes=outcomes,
            retries_max=raw.get("retries", 0),
            retry_chance=raw.get("retry_chance", 0.0),
            waits_for=tuple(raw.get("waits_for", ())),
            reads=progress["reads"] if isinstance(progress, dict) else None,
            **spans,
        )


def _weight_and_data(value: Any) -> tuple[float, tuple[Mapping[str, Any], ...]]:
    if isinstance(value, Mapping):
        return float(value["weight"]), tuple(value.get("data", ()))
    return float(value), ()


def draw_plan(profile: Profile, random: Random, *, run_timeout_ns: int | None = None) -> Plan:
    """The steps of one execution from the moment it is queued.

    ``run_timeout_ns`` cancels what runs longer, counted from its first start, with
    ``cancelled_by: system`` in the data (a wait for a signal is not cut short).
    """
    outcome = profile.outcomes[0]
    if len(profile.outcomes) > 1:
        point = random.random() * profile.weights
        for outcome in profile.outcomes:
            point -= outcome.weight
            if point < 0:
                break
    steps = _attempt_start(profile, random)
    for attempt in range(profile.retries_max):
        if random.random() >= profile.retry_chance:
            break
        steps.append(Step(QUEUED, profile.running.draw(random) // 2, {"attempts": attempt + 1}))
        steps += _attempt_start(profile, random)
    for signal in profile.waits_for:
        steps.append(Step(WAITING, profile.running.draw(random), {"waits_for": signal}))
        steps.append(Step(RUNNING, None, {"waits_for": None}))
    data = random.choice(outcome.data) if outcome.data else None
    steps.append(Step(outcome.state, profile.running.draw(random), data))
    if profile.reads is not None:
        return tuple(_by_reads(step, profile.reads) for step in steps)
    return tuple(steps if run_timeout_ns is None else _cut(steps, run_timeout_ns))


def cancel_plan(profile: Profile, random: Random, data: Mapping[str, Any] | None = None) -> Plan:
    """The steps of an execution whose cancelling has begun: the clean-up, then the end."""
    return (Step(CANCELLED, profile.cleanup.draw(random), data),)


def _attempt_start(profile: Profile, random: Random) -> list[Step]:
    queued_ns = profile.queued.draw(random)
    if profile.claimed is None:
        return [Step(RUNNING, queued_ns)]
    return [Step(CLAIMED, queued_ns), Step(RUNNING, profile.claimed.draw(random))]


def _by_reads(step: Step, reads: int) -> Step:
    waits = step.after_ns is None
    return step if waits or not step.after_ns else step._replace(after_ns=None, reads=reads)


def _cut(steps: list[Step], run_timeout_ns: int) -> list[Step]:
    """``steps`` up to the run's timeout, then the cancellation by the system."""
    elapsed_ns: int | None = None
    for index, step in enumerate(steps):
        if step.after_ns is None:
            return steps
        if elapsed_ns is not None:
            if elapsed_ns + step.after_ns > run_timeout_ns:
                rest_ns = run_timeout_ns - elapsed_ns
                return [*steps[:index], Step(CANCELLED, rest_ns, {"cancelled_by": "system"})]
            elapsed_ns += step.after_ns
        elif step.state == RUNNING:
            elapsed_ns = 0
    return steps
