"""A model run: stories of starting, looking, acting and waiting, against the lifecycle's own table.

A Hypothesis state machine makes them up. The oracle is the table that the mock itself lives by
(``simulation.lifecycle``): of every execution the model keeps in which of its states it may be by
what was done and seen, and an answer that fits none of them ends the story. Hypothesis then shrinks
it to the shortest that still shows it. Waiting turns the clock of a mock; a real server takes time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.reporting import with_reporter
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mockexec.simulation.lifecycle import CANCELLING, FINAL, STATES, TRANSITIONS
from mockexec.traits import Control, Item, Problem
from mockexec.verify import signs
from mockexec.verify.checks.truths import steps, truths
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.probe import Probe
from mockexec.verify.repeatable import repeatable
from mockexec.verify.target import BudgetSpent, Exchanged

# What a run may cost: on a mock, and on a server where waiting takes time.
_REQUESTS_MAX = {True: 250, False: 120}
_STORIES_MAX = {True: 25, False: 8}
_STEPS = 12
_KNOWN_MAX = 6
# Seconds between steps: of a mock's clock, and of a real one.
_WAITS = {True: (0.5, 5, 60, 600, 3600), False: (0.02, 0.1, 0.25)}
# What all waiting may come to: a mock whose world is busy has much to do in an hour.
_WAITED_MAX_S = {True: 6 * 3600, False: 15}
# A list longer than this is not read again and again.
_LISTED_MAX = 300


class _Broken(AssertionError):  # noqa: N818  # says what the story is
    """A story whose end fits no state that the model knows."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.title)
        self.finding = finding


@dataclass(slots=True)
class _Known:
    """An execution of a story. ``may`` are the states it may be in, as far as is known."""

    id: str
    may: frozenset[str] = frozenset(STATES)
    seen: Item | None = None


@dataclass(slots=True)
class _Run:
    """What all stories of a run share."""

    probe: Probe
    requests_max: int
    best: Finding | None = None
    spent: BudgetSpent | None = None
    begun: int = 0
    waited_s: float = 0.0
    listed: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be sent."""
        sent = self.probe.target.requests - self.begun
        return self.spent is not None or sent >= self.requests_max


@dataclass(slots=True)
class _Story:
    """One story's executions and exchanges."""

    known: list[_Known] = field(default_factory=list)
    exchanges: list[Exchanged] = field(default_factory=list)

    def at(self, number: int) -> list[_Known]:
        """One of its executions; none if it has none."""
        return [self.known[number % len(self.known)]] if self.known else []


def play(probe: Probe, run_seed: int) -> Iterator[Finding]:
    """The shortest story that shows what is wrong, if any was found.

    Raises:
        BudgetSpent: a limit of the run was reached.
    """
    is_mock = probe.target.is_mock
    run = _Run(probe, _REQUESTS_MAX[is_mock], begun=probe.target.requests)
    machine = seed(run_seed)(_machine(run))
    try:
        with repeatable(), with_reporter(lambda _text: None):
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=_STORIES_MAX[is_mock],
                    stateful_step_count=_STEPS,
                    database=None,
                    deadline=None,
                    report_multiple_bugs=False,
                    phases=(Phase.generate, Phase.shrink),
                    suppress_health_check=list(HealthCheck),
                    verbosity=Verbosity.quiet,
                ),
            )
    except (_Broken, HypothesisException):
        # The second: a story that went otherwise when it was told again, as they may in real time.
        if run.best is None:
            raise
    if run.best is not None:
        yield run.best
    if run.spent is not None:
        raise run.spent


def _machine(run: _Run) -> type[RuleBasedStateMachine]:
    """The rules. What is drawn must not depend on answers, which may differ in real time: so a
    rule that finds nothing to do does nothing, where a precondition would forbid it.
    """
    probe = run.probe
    starts = probe.traits.starts
    controls = probe.traits.controls
    index = st.integers(0, _KNOWN_MAX - 1)
    waits = _WAITS[probe.target.is_mock]

    class Stories(RuleBasedStateMachine):
        """One story."""

        def __init__(self) -> None:
            super().__init__()
            self.story = _Story()

        @precondition(lambda _self: bool(starts))
        @rule(number=st.integers(0, max(0, len(starts) - 1)))
        def start(self, number: int) -> None:
            """Executions begin."""
            _tell(run, lambda: _start(run, self.story, number))

        @initialize(number=st.integers(0, max(0, len(starts) - 1)))
        def begin(self, number: int) -> None:
            """Every story has executions: fresh ones, or those that the list shows as open."""
            begins = (lambda: _start(run, self.story, number)) if starts else (
                lambda: _find(run, self.story)
            )  # fmt: skip
            _tell(run, begins)

        @rule(number=index)
        def look(self, number: int) -> None:
            """One is read."""
            for one in self.story.at(number):
                _tell(run, partial(_look, run, self.story, one))

        @precondition(lambda _self: bool(controls))
        @rule(number=index, which=st.integers(0, max(0, len(controls) - 1)))
        def act(self, number: int, which: int) -> None:
            """Something is done to one."""
            for one in self.story.at(number):
                _tell(run, partial(_act, run, self.story, one, controls[which]))

        @rule()
        def list_(self) -> None:
            """The list is read."""
            _tell(run, lambda: _list(run, self.story))

        @rule(seconds=st.sampled_from(waits))
        def wait(self, seconds: float) -> None:
            """Time passes."""
            _tell(run, lambda: _wait(run, seconds))

    return Stories


def _tell(run: _Run, step: Callable[[], None]) -> None:
    """One step, unless the run is over: Hypothesis then finds that nothing happens any more."""
    if run.is_over:
        return
    try:
        step()
    except BudgetSpent as spent:
        run.spent = spent


def _start(run: _Run, story: _Story, number: int) -> None:
    if len(story.known) >= _KNOWN_MAX:
        return
    start = run.probe.traits.starts[number]
    ids, _, exchanged = run.probe.start(start)
    story.exchanges.append(exchanged)
    known = {one.id for one in story.known}
    for identifier in ids:
        if identifier in known:
            title = "a new execution gets the id of another one"
            operation = start.ask(run.probe.random).operation
            _fail(run, story, operation, Problem(title, "an id of its own", identifier))
    story.known += [_Known(identifier) for identifier in ids[:2]]


def _wait(run: _Run, seconds: float) -> None:
    waits = _WAITS[run.probe.target.is_mock]
    chosen = seconds if run.waited_s < _WAITED_MAX_S[run.probe.target.is_mock] else waits[0]
    run.waited_s += chosen
    run.probe.target.wait(chosen)


def _find(run: _Run, story: _Story) -> None:
    probe = run.probe
    items = probe.listed()
    run.listed = len(items)
    open_ = [item for item in items if probe.word(item) not in probe.life.final]
    ids = [identifier for item in open_ if (identifier := probe.identify(item)) is not None]
    story.known += [_Known(identifier) for identifier in ids[:3]]


def _look(run: _Run, story: _Story, one: _Known) -> None:
    item, exchanged = run.probe.read(one.id)
    story.exchanges.append(exchanged)
    operation = run.probe.life.read(one.id).operation if run.probe.life.read else ""
    if item is None:
        if exchanged.status in run.probe.life.gone:
            title = "an execution of the story cannot be read"
            gone = Problem(title, one.id, str(exchanged.status))
            _fail(run, story, operation, gone)
        return
    _compare(run, story, one, item, operation)


def _compare(run: _Run, story: _Story, one: _Known, item: Item, operation: str) -> None:
    """Whether what is shown fits what is known; from then on that is known, too."""
    life = run.probe.life
    word = run.probe.word(item)
    if word is None:
        return
    fits = _later(one.may) & life.states[word]
    if not fits:
        may = [name for name, states in life.states.items() if _later(one.may) & states]
        story_so_far = Problem(
            f"an execution is {word}, which nothing in its story leads to",
            " or ".join(may),
            word,
        )
        before = run.probe.word(one.seen) if one.seen is not None else None
        if before is not None and not life.follows(before, word):
            story_so_far = next(iter(steps(life, one.seen or {}, item)), story_so_far)
        _fail(run, story, operation, story_so_far)
    problems = [*truths(life, item), *(steps(life, one.seen, item) if one.seen else ())]
    for problem in problems[:1]:
        _fail(run, story, operation, problem)
    one.may, one.seen = fits, item


def _act(run: _Run, story: _Story, one: _Known, control: Control) -> None:
    probe = run.probe
    operation = control.ask(one.id).operation
    exchanged = probe.send(control.ask(one.id))
    story.exchanges.append(exchanged)
    accepted = 200 <= exchanged.status < 300
    if accepted and one.may <= FINAL:
        ended = Problem(
            f"{control.name} of an execution that has ended is accepted",
            " or ".join(map(str, sorted(control.refused))),
            str(exchanged.status),
        )
        _fail(run, story, operation, ended)
    if accepted and control.ends and not control.starts:
        ends = frozenset().union(*(probe.life.states[word] for word in control.ends))
        one.may = ends if control.at_once else ends | {CANCELLING}
    _look(run, story, one)
    if exchanged.status in control.refused and probe.word(one.seen or {}) not in probe.life.final:
        refused = Problem(
            f"{control.name} of an open execution is refused", "2xx", str(exchanged.status)
        )
        # It may have been busy with an earlier request that does the same.
        if control.repeats or one.may == frozenset(STATES):
            _fail(run, story, operation, refused)


def _list(run: _Run, story: _Story) -> None:
    if not (story.known and run.probe.traits.lists) or run.listed > _LISTED_MAX:
        return
    listing = run.probe.traits.lists[0]
    walk = run.probe.walk(listing, listing.everything)
    run.listed = len(walk.items)
    story.exchanges += walk.exchanges[-1:]
    shown = {run.probe.identify(item): item for item in walk.items}
    for one in story.known:
        item = shown.get(one.id)
        word = run.probe.word(item) if item is not None else None
        if word is None:
            continue
        fits = _later(one.may) & run.probe.life.states[word]
        if not fits:
            lags = Problem(
                f"the list shows an execution as {word}, which it cannot be any more",
                "what its story leads to",
                word,
            )
            _fail(run, story, listing.operation, lags)
        one.may = fits


def _later(states: frozenset[str]) -> frozenset[str]:
    """The states that those may have become by now."""
    found, todo = set(states), [*states]
    while todo:
        for state in TRANSITIONS[todo.pop()] - found:
            found.add(state)
            todo.append(state)
    return frozenset(found)


def _fail(run: _Run, story: _Story, operation: str, problem: Problem) -> None:
    finding = run.probe.finding(
        f"in a story of {_count(story.exchanges)}: {problem.title}",
        problem.expected,
        problem.got,
        story.exchanges,
        operation=problem.operation or operation,
        severity=Severity.HIGH,
        cause=problem.title,
        symptom=(problem.facts and signs.of_problem(story.exchanges, None, problem)) or None,
    )
    if run.best is None or len(finding.exchanges) <= len(run.best.exchanges):
        run.best = finding
    raise _Broken(finding)


def _count(exchanges: Sequence[Exchanged]) -> str:
    return "one request" if len(exchanges) == 1 else f"{len(exchanges)} requests"
