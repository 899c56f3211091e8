"""One run, from its plan to its last event: our own checks first, then Schemathesis.

Our checks are cheap and sharp; Schemathesis takes what they leave of the budget.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from functools import partial
from queue import SimpleQueue
from typing import Literal

from mockexec.errors import UsageError
from mockexec.simulation.chance import Chance
from mockexec.simulation.clock import machine_ns
from mockexec.verify.coverage import Matcher
from mockexec.verify.events import (
    Event,
    Finished,
    Found,
    PartFinished,
    PartStarted,
    Sent,
    Skipped,
    Started,
    Trouble,
)
from mockexec.verify.findings import NO_ANSWER, Finding, Severity
from mockexec.verify.plan import READING, VerifyPlan, changes
from mockexec.verify.shard import CHECK, OPERATION, STATEFUL
from mockexec.verify.target import (
    BudgetSpent,
    ChangeNotAllowed,
    Exchanged,
    Request,
    Target,
    Unreachable,
)

# How many requests may tell that a credential is wrong before the run gives up.
_FIRST_TRIES = 3


def units(plan: VerifyPlan) -> tuple[str, ...]:
    """The units of a plan (see ``shard``), whatever its share of them is."""
    from mockexec.verify.checks import CHECKS  # noqa: PLC0415  # checks know the run's values

    found = []
    if "checks" in plan.phases:
        found = [f"{CHECK}{check.name}" for check in CHECKS if plan.wants(check.name)]
    if plan.wants("schemathesis"):
        if {"examples", "coverage", "fuzzing"} & set(plan.phases):
            found += [f"{OPERATION}{operation.id}" for operation in plan.chosen]
        if STATEFUL in plan.phases:
            found.append(STATEFUL)
    return tuple(found)


def check_names() -> tuple[str, ...]:
    """The names of all checks: our own, then Schemathesis's, which begin ``schemathesis/``."""
    from mockexec.verify.checks import CHECKS  # noqa: PLC0415  # as above
    from mockexec.verify.schemathesis_engine import (  # noqa: PLC0415  # half a second
        check_names as theirs,
    )

    return (*(check.name for check in CHECKS), "schemathesis", *theirs())


def run(plan: VerifyPlan) -> Generator[Event, None, None]:
    """The events of the run that ``plan`` describes.

    Raises:
        UsageError: nothing answers, or every answer refuses our credentials.
    """
    matcher = Matcher(plan.api.operations)
    target = plan.target
    target.may_send = _sender(matcher)
    greet(plan)
    if plan.renew is not None:
        plan.renew()
    begun_ns = machine_ns()
    statuses: Counter[int] = Counter()
    yield Started(
        title=plan.api.title or plan.api.name,
        url=target.base_url,
        mock=target.is_mock,
        seed=plan.seed,
        operations=len(plan.chosen),
        units=plan.units if plan.units is not None else units(plan),
    )
    ended: Literal["done", "time", "requests", "stopped"] = "done"
    try:
        for event in _parts(plan, matcher):
            if isinstance(event, Sent):
                statuses[event.exchanged.status] += 1
            yield event
    except BudgetSpent as spent:
        ended = spent.limit
    except KeyboardInterrupt:
        ended = "stopped"
    took_s = 0.0 if target.is_mock else (machine_ns() - begun_ns) / 1_000_000_000
    yield Finished(ended, statuses.total(), took_s, dict(sorted(statuses.items())))


def greet(plan: VerifyPlan) -> None:
    """Asks the server something harmless before the run, to know that there is one.

    Raises:
        UsageError: nothing answers, or 401 is all that it answers.
    """
    target = plan.target
    found = [op for op in plan.api.operations if op.method == "GET" and "{" not in op.path]
    refused = 0
    asked = found[:_FIRST_TRIES]
    for path in [operation.path for operation in asked] or ["/"]:
        try:
            exchanged = target.send(Request("GET", path))
        except Unreachable as error:
            raise UsageError(f"nothing answers at {target.base_url}: {error}") from None
        refused += exchanged.status == 401
        if exchanged.status != 401:
            break
    secured = [operation for operation in asked if operation.security]
    if asked and refused == len(asked) and secured and "main" in target.credentials:
        raise UsageError(
            f"{target.base_url} answers 401 to everything: the credentials are not right"
        )
    if asked and refused == len(asked):
        raise UsageError(f"{target.base_url} answers 401 to everything: it needs a --token")


def _parts(plan: VerifyPlan, matcher: Matcher) -> Iterator[Event]:
    mine = plan.units if plan.units is not None else units(plan)
    yield from _left_out(plan)
    yield from run_checks(
        plan, matcher, [u.removeprefix(CHECK) for u in mine if u.startswith(CHECK)]
    )
    taken = {unit.removeprefix(OPERATION) for unit in mine if unit.startswith(OPERATION)}
    if taken or STATEFUL in mine:
        yield from _engine(plan, taken, stateful=STATEFUL in mine)


def _left_out(plan: VerifyPlan) -> Iterator[Event]:
    for check, reason in plan.unfit.items():
        yield Skipped(check, reason)
    if plan.target.can_change:
        return
    for operation in plan.chosen:
        if changes(operation):
            reason = "it changes something, which needs --allow-changes on this server"
            yield Skipped(operation.id, reason)


def run_checks(plan: VerifyPlan, matcher: Matcher, names: list[str]) -> Iterator[Event]:
    """Runs these checks of ours, in their own order.

    Raises:
        BudgetSpent: a limit of the run was reached on the way.
    """
    from mockexec.verify.checks import CHECKS  # noqa: PLC0415  # checks know the run's values
    from mockexec.verify.probe import Probe  # noqa: PLC0415  # as above

    for check in CHECKS:
        if check.name not in names:
            continue
        if plan.renew is not None:
            plan.renew()
        random = Chance(plan.seed).random(f"verify/{check.name}")
        probe = Probe(plan.target, plan.api, plan.traits, random)
        reason = check.needs(probe)
        if reason is not None:
            yield Skipped(check.name, reason)
            continue
        yield PartStarted(check.name, check.title)
        requests_before, findings = plan.target.requests, 0
        for event in _told(plan, matcher, check.name, partial(check.run, probe)):
            if isinstance(event, Found):
                if not _is_about(plan, event.finding):
                    continue
                findings += 1
            yield event
        yield PartFinished(check.name, plan.target.requests - requests_before, findings)


def _is_about(plan: VerifyPlan, finding: Finding) -> bool:
    """Whether a finding is of an operation that the run is about."""
    return not plan.operations or finding.operation in ("", *plan.operations)


def _told(
    plan: VerifyPlan, matcher: Matcher, name: str, work: Callable[[], Iterator[Finding]]
) -> Iterator[Event]:
    """Runs one check of ours in a thread, so that its exchanges are told while it works.

    Raises:
        BudgetSpent: a limit of the run was reached.
    """
    queue: SimpleQueue[Event | BudgetSpent | None] = SimpleQueue()
    target = plan.target
    target.tell = queue.put
    target.on_exchanged = lambda exchanged: queue.put(matcher.sent(exchanged, name))
    thread = threading.Thread(target=_work, args=(work, queue, target, matcher, name), daemon=True)
    thread.start()
    spent: BudgetSpent | None = None
    try:
        while (event := queue.get()) is not None:
            if isinstance(event, BudgetSpent):
                spent = event
            else:
                yield event
    except BaseException:
        # Whoever reads the events has had enough; the next request of the check ends it.
        target.stopped = True
        raise
    finally:
        thread.join()
    if spent is not None:
        raise spent


def _work(
    work: Callable[[], Iterator[Finding]],
    queue: SimpleQueue[Event | BudgetSpent | None],
    target: Target,
    matcher: Matcher,
    name: str,
) -> None:
    try:
        for finding in work():
            queue.put(Found(finding))
    except BudgetSpent as spent:
        queue.put(spent)
    except ChangeNotAllowed as refused:
        queue.put(Skipped(name, f"{refused}, which needs --allow-changes on this server"))
    except Unreachable as error:
        queue.put(Found(_no_answer(error, target, matcher, name)))
    except Exception as error:  # one check that fails must not end the others
        queue.put(Trouble(name, f"{type(error).__name__}: {error}"))
    finally:
        queue.put(None)


def _no_answer(error: Unreachable, target: Target, matcher: Matcher, check: str) -> Finding:
    request = error.request
    sent = () if request is None else (Exchanged(request, target.url_of(request), 0, (), b""),)
    operation = request and matcher.operation(request.method, request.path)
    return Finding(
        check="answer",
        title="a request gets no answer",
        severity=Severity.CRITICAL,
        operation=operation.id if operation else "",
        expected="an answer",
        got=f"{error} (in the check {check})",
        pointer=operation.pointer if operation else "",
        exchanges=sent,
        cause="no answer",
        symptom=NO_ANSWER,
    )


def _engine(plan: VerifyPlan, taken: set[str], *, stateful: bool) -> Iterator[Event]:
    """The passes of Schemathesis's engine: operations one by one, then stories of them all."""
    from mockexec.verify.schemathesis_engine import (  # noqa: PLC0415  # half a second
        execute,
        passes,
    )

    single = [operation for operation in plan.callable if operation.id in taken]
    for engine_pass in passes(plan.phases):
        operations = plan.callable if engine_pass.is_stateful else single
        if not operations or (engine_pass.is_stateful and not stateful):
            continue
        if plan.renew is not None:
            plan.renew()
        yield from execute(plan, engine_pass, operations)


def _sender(matcher: Matcher) -> Callable[[Request], bool]:
    """Which requests may go to a server where nothing may be changed."""

    def may_send(request: Request) -> bool:
        operation = matcher.operation(request.method, request.path)
        if operation is not None:
            return not changes(operation)
        return request.method in READING

    return may_send
