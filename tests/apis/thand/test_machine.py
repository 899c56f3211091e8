"""Thand's executions against a model: start, wait, be approved, work, be stopped, list, be forgotten.

The model is written from what the API is said to do. Of an execution that the simulated approvers
will answer it learns from the control API how they will; of no other does it know more than its
workflow's fixed times.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from mockexec.simulation.instants import (
    DAY,
    HOUR,
    MILLISECOND,
    MINUTE,
    SECOND,
    format_instant,
    parse_duration,
)
from tests.apis.thand.vendor import API, GRANTED, REFUSED, envelope, event, session, signal
from tests.machine import ApiMachine, fixed_scenario

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
# Every way to have a session.
CALLERS: dict[str, dict[str, str | None]] = {
    ALICE: {},
    BOB: {"authorization": "Bearer thand-other-token"},
    CAROL: {"authorization": None, "x-api-key": session(CAROL)},
}
STRANGERS: list[dict[str, str | None]] = [
    {"authorization": None},
    {"authorization": "Bearer thand-expired-token"},
    {"authorization": "Bearer nobody", "x-api-key": session(CAROL, secret={"salt": "pepper"})},
]
CLEANUP_NS = 5 * SECOND
APPROVER_NS = 90 * SECOND


@dataclass(frozen=True)
class Workflow:
    """How the executions of a workflow live: approvals within these times, then the work."""

    type: str
    input: dict[str, Any]
    approvals_ns: tuple[int, ...]
    works_ns: int
    outcome: str


ELEVATION = {"role": "admin", "provider": "aws", "reason": "Emergency maintenance"}
DATABASE = {"database": "orders", "mode": "read", "reason": "slow query"}
WORKFLOWS = {
    "default": Workflow("ElevateWorkflow", ELEVATION, (DAY,), 2 * HOUR, "completed"),
    "production-database": Workflow(
        "DatabaseAccessWorkflow", DATABASE, (8 * HOUR, 8 * HOUR), 90 * MINUTE, "timed_out"
    ),
    "break-glass": Workflow(
        "BreakGlassWorkflow", {"role": "root", "incident": "INC-1"}, (), MINUTE, "failed"
    ),
    "access-review": Workflow(
        "AccessReviewWorkflow", {"team": "sre"}, (7 * DAY,), 2 * HOUR, "completed"
    ),
}
PROFILES: dict[str, dict[str, Any]] = {
    "elevate": {"waits_for": ["approval"], "running": "2h", "outcomes": {"completed": 1}},
    "two-approvals": {
        "waits_for": ["approval", "approval"],
        "running": "90m",
        "outcomes": {"failed": {"weight": 1, "data": [{"timed_out": True}]}},
    },
    "*": {"running": "1m", "outcomes": {"failed": 1}},
}


def told(number: int, user: str, started: str, workflow: str, ends: str | None) -> dict[str, Any]:
    """An execution of the scenario; ``ends`` is a state and a time after the start."""
    raw = {
        "id": f"wf_{number:03}",
        "run_id": f"run_{number}",
        "workflow": workflow,
        "user": user,
        "started": started,
    }
    if ends is None:
        return raw
    word, after = ends.split()
    return {**raw, "ends": {"as": word, "after": after}}


TOLD = [
    # More than a list shows, two at a time.
    *(told(n, ALICE, f"-{n // 2}m", "access-review", None) for n in range(103)),
    *(
        told(103 + n, *each)
        for n, each in enumerate(
            (
                (BOB, "-29d", "default", "completed 5m"),
                (BOB, "-5m", "default", None),
                (BOB, "-1h", "default", "timed_out 2h"),
                (BOB, "-1m", "break-glass", "canceled 2m"),
                (CAROL, "-1m", "break-glass", "canceled 1h"),
                (CAROL, "-10s", "break-glass", "terminated 30s"),
                (CAROL, "-10s", "default", "failed 40s"),
                (ALICE, "-500ms", "default", "completed 10m"),
                (ALICE, "-2m", "break-glass", "failed 1m"),
                (BOB, "-7h", "production-database", None),
            )
        )
    ),
]


@dataclass
class Run:
    """An execution as it should be."""

    id: str
    run_id: str
    workflow: Workflow
    owner: str
    start_ns: int
    answers: list[str] = field(default_factory=list)  # of simulated approvers, still to come
    approvals_ns: list[int] = field(init=False)  # how long it waits for those it still needs
    works_ns: int = field(init=False)
    outcome: str = field(init=False)
    since_ns: int = field(init=False)  # when it began to do what it does now
    status: str = "running"
    grants: int = 0
    signals_ns: list[int] = field(default_factory=list)
    requested_ns: int | None = None
    end_ns: int | None = None
    seen: list[dict[str, str]] = field(default_factory=list)  # its history when last looked at

    def __post_init__(self) -> None:
        self.approvals_ns = [*self.workflow.approvals_ns]
        self.works_ns, self.outcome = self.workflow.works_ns, self.workflow.outcome
        self.since_ns = self.start_ns

    def next(self) -> tuple[str, int]:
        """What happens to it next if nobody does anything, and when."""
        if self.requested_ns is not None:
            return "canceled", self.since_ns + CLEANUP_NS
        if not self.approvals_ns:
            return self.outcome, self.since_ns + self.works_ns
        if self.answers:
            return self.answers[0], self.since_ns + APPROVER_NS
        return "timed_out", self.since_ns + self.approvals_ns[0]

    def settle(self, now_ns: int) -> None:
        """Lets happen what is due."""
        while self.is_open:
            what, at_ns = self.next()
            if at_ns > now_ns:
                return
            self.happen(what, at_ns)

    def happen(self, what: str, at_ns: int) -> None:
        """An answer, the begin of a clean-up, or an end."""
        if what in {"granted", "refused"}:
            self.signals_ns.append(at_ns)
        if what == "granted":
            self.approvals_ns, self.answers = self.approvals_ns[1:], self.answers[1:]
            self.grants += 1
            self.since_ns = at_ns
        elif what == "cancel":
            self.requested_ns = self.since_ns = at_ns
        else:
            self.status, self.end_ns = "failed" if what == "refused" else what, at_ns

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status == "running"

    @property
    def waits(self) -> bool:
        """Whether an approval would move it."""
        return self.is_open and bool(self.approvals_ns) and self.requested_ns is None

    def is_forgotten(self, now_ns: int) -> bool:
        """Closed, and started more than thirty days ago."""
        return not self.is_open and self.start_ns < now_ns - 30 * DAY

    def wire(self, now_ns: int) -> dict[str, Any]:
        """What the API should show, with the duration in nanoseconds."""
        elapsed_ns = (now_ns if self.end_ns is None else self.end_ns) - self.start_ns
        return {
            "workflow_id": self.id,
            "run_id": self.run_id,
            "status": self.status,
            "start_time": format_instant(self.start_ns),
            "execution_time": elapsed_ns // SECOND * SECOND,
            "task_queue": "thand-task-queue",
            "user": self.owner,
            "workflow_type": {"name": self.workflow.type},
        }


CLOSES = {
    "WorkflowExecutionCompleted": "completed",
    "WorkflowExecutionFailed": "failed",
    "WorkflowExecutionCanceled": "canceled",
    "WorkflowExecutionTerminated": "terminated",
    "WorkflowExecutionTimedOut": "timed_out",
}
FORM = signal(event(type="com.thand.form", data={"values": {"reason": "audit"}}))
SIGNALS = {
    "granted": GRANTED,
    "refused": REFUSED,
    "form": FORM,
    "bare": signal({"specversion": "1.0"}),
}
# What an owner sends to one execution, one after the other.
ANSWERS = [
    ("granted",),
    ("refused",),
    ("granted", "granted"),
    ("granted", "refused"),
    ("form", "granted", "granted", "refused"),
]
UNDECODABLE = "Failed to decode workflow state"
UNPARSABLE = "Failed to parse workflow state"
# What is no signal, the title and a word of the message.
BROKEN = [
    ("encrypted_signal_token", UNDECODABLE, "base64"),
    ("aGVsbG8=", UNDECODABLE, "encrypted data"),
    (signal(password="other"), UNDECODABLE, "cipher"),
    (envelope({"type": "session", "data": {}}), "invalid workflow state type: session", ""),
    (envelope({"type": "workflow_signal", "data": []}), f"{UNPARSABLE}: invalid data type", ""),
    (signal(event(specversion=None)), UNPARSABLE, "no specversion"),
    (signal(event(data={})), UNPARSABLE, "data.approved"),
]
# What starts nothing: the body, the status, the title and a word of the message.
BAD_BODIES: list[tuple[Any, int, str, str]] = [
    ({"workflow": "nothing", "input": {}}, 404, "Workflow not found", "nothing"),
    ({"workflow": "vpn-legacy", "input": {}}, 404, "Workflow not found", "vpn-legacy"),
    ({"workflow": "default", "input": {**ELEVATION, "provider": "fax"}}, 400, "Invalid workflow input", "input.provider"),
    ({"workflow": "access-review"}, 400, "Invalid workflow input", "input.team"),
    ({"workflow": "default", "input": []}, 400, "Invalid request", "/input"),
    ({"input": ELEVATION}, 400, "Invalid request", "/workflow"),
    ([], 400, "Invalid request", "body"),
]  # fmt: skip
NO_SESSION = {
    "/executions": "unable to get user for list of running workflows",
    "/execution": "unable to get user for creating workflow",
    "": "unable to get user to get workflow information",
    "/cancel": "unable to get user for terminating workflow",
    "/terminate": "unable to get user for terminating workflow",
    f"/signal?input={FORM[:-4]}": "unable to get user for signaling workflow",
}
# Small numbers are the executions of most interest: the latest, then those told last.
INDEX = st.one_of(st.integers(0, 11), st.integers(0, 999))
MOVES = ["1ns", "400ms", *["1s", "4s", "5s", "30s", "90s"] * 3, "1h", "2h", "8h", "1d", "7d", "30d"]


class ThandMachine(ApiMachine):
    """Workflows whose approvals, work and clean-up take fixed times; three users."""

    api = "thand"
    scenario = fixed_scenario(
        "thand", {name: {**raw, "cleanup": "5s"} for name, raw in PROFILES.items()}
    )
    scenario = dataclasses.replace(
        scenario,
        data={
            **scenario.data,
            "executions": TOLD,
            "approvers": {"after": "90s", "granted": 2, "refused": 1, "ignored": 1},
        },
    )

    def __init__(self) -> None:
        super().__init__()
        self.runs = [_modelled(raw, self.now_ns) for raw in TOLD]
        self.touched: Run | None = None
        self.steps = 0
        self.settle_all()

    def settle_all(self) -> None:
        """The model at the clock's instant."""
        for run in self.runs:
            run.settle(self.now_ns)

    def pick(self, index: int) -> Run:
        """An execution, the latest for 0."""
        return self.runs[-1 - index % len(self.runs)]

    def ask(self, caller: str, path: str) -> httpx.Response:
        """A GET by a user."""
        return self.served.get(f"{API}{path}", headers=CALLERS[caller])

    # What happens.

    @rule(caller=st.sampled_from(list(CALLERS)), name=st.sampled_from(list(WORKFLOWS)))
    def create(self, caller: str, name: str) -> None:
        """An execution starts and is the caller's; nobody answers it but the API's users."""
        body = {"workflow": name, "input": WORKFLOWS[name].input}
        response = self.served.post(f"{API}/execution", json=body, headers=CALLERS[caller])
        assert response.status_code == 201, response.text
        shown = response.json()
        assert shown.keys() == {"workflow_id", "run_id", "status"}
        assert shown["status"] == "running"
        self.begin(shown["workflow_id"], shown["run_id"], name, caller, [])

    @rule(owner=st.sampled_from([ALICE, BOB]), name=st.sampled_from(list(WORKFLOWS)))
    def arrive(self, owner: str, name: str) -> None:
        """An execution is put in by hand: simulated approvers answer it, as chance has it."""
        data = {"workflow": name, "user": owner}
        response = self.served.post("/_mockexec/executions", json={"api": "thand", "data": data})
        assert response.status_code == 201, response.text
        made = response.json()
        answers = [
            "granted" if step["state"] == "running" else "refused"
            for step in made["plan"]
            if step["after"] == "PT1M30S"
        ]
        self.begin(made["id"], made["data"]["run_id"], name, owner, answers)

    def begin(
        self, execution_id: str, run_id: str, name: str, owner: str, answers: list[str]
    ) -> None:
        """A new one in the model; its id is its start, to the millisecond."""
        assert int(execution_id.removeprefix("wf_")) // MILLISECOND == self.now_ns // MILLISECOND
        assert not any(execution_id == run.id or run_id == run.run_id for run in self.runs)
        self.touched = Run(execution_id, run_id, WORKFLOWS[name], owner, self.now_ns, answers)
        self.runs.append(self.touched)

    @rule(by=st.sampled_from(MOVES))
    def pass_time(self, by: str) -> None:
        """The clock goes on."""
        self.advance(by)
        self.settle_all()

    @rule(index=INDEX, early_ns=st.integers(0, 1))
    def pass_to_next(self, index: int, early_ns: int) -> None:
        """The clock goes to the instant of a change, or to the nanosecond before it."""
        run = self.touched = self.pick(index)
        forgotten_ns = run.start_ns + 30 * DAY + 1
        at_ns = run.next()[1] if run.is_open else forgotten_ns
        self.served.world.clock.advance(max(0, at_ns - early_ns - self.now_ns))
        self.settle_all()

    @rule(index=INDEX, caller=st.sampled_from([None, None, *CALLERS]))
    def cancel(self, index: int, caller: str | None) -> None:
        """An open one begins its clean-up; asking again is answered the same."""
        run = self.touched = self.pick(index)
        response = self.ask(caller or run.owner, f"/execution/{run.id}/cancel")
        if self.may(run, caller, "terminate", response):
            assert response.json() == {
                "status": "ok",
                "message": "Workflow cancellation signal sent",
            }
            if run.requested_ns is None:
                run.happen("cancel", self.now_ns)

    @rule(index=INDEX, caller=st.sampled_from([None, None, *CALLERS]))
    def terminate(self, index: int, caller: str | None) -> None:
        """An open one ends at once, also during its clean-up."""
        run = self.touched = self.pick(index)
        response = self.ask(caller or run.owner, f"/execution/{run.id}/terminate")
        if self.may(run, caller, "terminate", response):
            assert response.json() == {
                "status": "ok",
                "message": "Workflow termination signal sent",
            }
            run.happen("terminated", self.now_ns)

    @rule(
        index=INDEX,
        caller=st.sampled_from([None, None, *CALLERS]),
        name=st.sampled_from(list(SIGNALS)),
    )
    def signal(self, index: int, caller: str | None, name: str) -> None:
        """Anybody sends a signal to anything; it is the owner's to do, and it must be running."""
        self.send(self.pick(index), caller, name)

    @rule(
        index=st.integers(0, 3),
        names=st.sampled_from(ANSWERS),
    )
    def answer(self, index: int, names: tuple[str, ...]) -> None:
        """The owner grants or refuses what waits for it or has waited for it, and again."""
        asked = [run for run in reversed(self.runs) if run.is_open and run.workflow.approvals_ns]
        if asked:
            run = asked[index % len(asked)]
            for name in names:
                self.send(run, None, name)
                self.check_shown(run, CAROL)

    def send(self, run: Run, caller: str | None, name: str) -> None:
        """An approval moves an execution that waits for it; anything else is noted."""
        self.touched = run
        path = f"{API}/execution/{run.id}/signal"
        headers = CALLERS[caller or run.owner]
        response = self.served.get(path, params={"input": SIGNALS[name]}, headers=headers)
        if self.may(run, caller, "signal", response):
            assert response.json() == {"message": "Signal sent successfully", "workflow_id": run.id}
            if name in {"granted", "refused"} and run.waits:
                run.happen(name, self.now_ns)
            else:
                run.signals_ns.append(self.now_ns)

    def may(self, run: Run, caller: str | None, verb: str, response: httpx.Response) -> bool:
        """Whether the caller (None: the owner) may do it now; else it was refused as it should."""
        if run.is_forgotten(self.now_ns):
            message = f"workflow execution not found: {run.id}"
            _refused(response, 404, "Failed to find running workflow", message)
        elif caller not in {None, run.owner}:
            _refused(response, 403, f"You do not have permission to {verb} this workflow", "")
        elif not run.is_open:
            message = "workflow execution already completed"
            _refused(response, 409, "Workflow is not running", message)
        else:
            assert response.status_code == 200, response.text
            assert response.headers["cache-control"] == "no-store"
            return True
        return False

    # What is shown.

    @rule(index=INDEX, caller=st.sampled_from(list(CALLERS)))
    def get(self, index: int, caller: str) -> None:
        """Anybody may look at any execution."""
        self.check_shown(self.pick(index), caller)

    @rule(caller=st.sampled_from(list(CALLERS)))
    def list_(self, caller: str) -> None:
        """Everybody has a list."""
        self.check_list(caller)

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        """What was acted upon is as the model has it; after other steps: so is somebody's list."""
        run, self.touched = self.touched, None
        if run is not None:
            self.check_shown(run, BOB)
        else:
            self.steps += 1
            # Those whose lists are short; Alice's costs more than all else.
            self.check_list((BOB, CAROL)[self.steps % 2])

    def check_shown(self, run: Run, caller: str) -> None:
        """It is what the model says, and its history tells the same life."""
        response = self.ask(caller, f"/execution/{run.id}")
        if run.is_forgotten(self.now_ns):
            message = f"workflow execution not found: {run.id}"
            _refused(response, 404, "Workflow not found", message)
            return
        assert response.status_code == 200, response.text
        shown = response.json()
        history = shown.pop("history")
        assert _in_ns(shown) == run.wire(self.now_ns)
        check_history(run, history, format_instant(self.now_ns))

    def check_list(self, caller: str) -> None:
        """The caller's own running executions, the newest hundred of them."""
        response = self.ask(caller, "/executions")
        assert response.status_code == 200, response.text
        assert response.headers["cache-control"] == "no-store"
        open_ = [run for run in self.runs if run.owner == caller and run.is_open]
        open_.sort(key=lambda run: (run.start_ns, run.id), reverse=True)
        got = [_in_ns(shown) for shown in response.json()["executions"]]
        assert got == [run.wire(self.now_ns) for run in open_[:100]]

    # What is refused, and changes nothing.

    @rule(bad=st.sampled_from(BAD_BODIES), caller=st.sampled_from(list(CALLERS)))
    def create_badly(self, bad: tuple[Any, int, str, str], caller: str) -> None:
        """A workflow that is not there, or an input that does not fit it, starts nothing."""
        body, status, title, word = bad
        response = self.served.post(f"{API}/execution", json=body, headers=CALLERS[caller])
        _refused(response, status, title, lambda message: word in message)

    @rule(
        index=INDEX,
        unknown=st.booleans(),
        broken=st.sampled_from(BROKEN),
        caller=st.sampled_from(list(CALLERS)),
    )
    def signal_badly(
        self, index: int, unknown: bool, broken: tuple[str, str, str], caller: str
    ) -> None:
        """What is no signal is a 400 that says why, whosever execution it is sent to."""
        text, title, word = broken
        path = f"{API}/execution/{'wf_nothing' if unknown else self.pick(index).id}/signal"
        response = self.served.get(path, params={"input": text}, headers=CALLERS[caller])
        _refused(response, 400, title, lambda message: word in message)

    @rule(
        index=INDEX,
        action=st.sampled_from(list(NO_SESSION)),
        headers=st.sampled_from(STRANGERS),
    )
    def ask_without_a_session(
        self, index: int, action: str, headers: dict[str, str | None]
    ) -> None:
        """Without a session every operation is refused."""
        execution = f"/execution/{self.pick(index).id}"
        path = f"{API}{action if action.startswith('/exec') else execution + action}"
        method = "POST" if action == "/execution" else "GET"
        response = self.served.request(method, path, headers=headers)
        message = "no user session found in context"
        _refused(response, 401, f"Unauthorized: {NO_SESSION[action]}", message)

    @rule(
        index=INDEX,
        headers=st.sampled_from([*STRANGERS, *CALLERS.values()]),
        query=st.sampled_from(["", "?input=", "?taskName=approval"]),
    )
    def signal_nothing(self, index: int, headers: dict[str, str | None], query: str) -> None:
        """A missing ``input`` comes before everything else."""
        path = f"{API}/execution/{self.pick(index).id}/signal{query}"
        response = self.served.get(path, headers=headers)
        _refused(response, 400, "Input parameter is required", "")

    @rule(action=st.sampled_from(["", "/cancel", "/terminate", "/signal"]))
    def ask_for_an_unknown_one(self, action: str) -> None:
        """An id that was never given is a 404."""
        path = f"{API}/execution/wf_nothing{action}"
        response = self.served.get(path, params={"input": FORM} if action == "/signal" else {})
        title = "Failed to find running workflow" if action else "Workflow not found"
        _refused(response, 404, title, "workflow execution not found: wf_nothing")


def check_history(run: Run, history: list[dict[str, str]], now: str) -> None:
    """It goes on where it was, and tells of the start, the signals, the stop and the end."""
    assert history[: len(run.seen)] == run.seen
    run.seen = history
    entries = [(entry["event_type"], entry["timestamp"]) for entry in history]
    times = [time for _, time in entries]
    assert times == sorted(times)
    assert times[-1] <= now
    assert entries[0] == ("WorkflowExecutionStarted", format_instant(run.start_ns))

    def at(name: str) -> list[str]:
        return [time for each, time in entries if each == name]

    # Asking for the approval, or the work itself; then what every approval led to.
    assert len(at("ActivityTaskScheduled")) == 1 + run.grants
    assert at("WorkflowExecutionSignaled") == [format_instant(ns) for ns in run.signals_ns]
    requested = [] if run.requested_ns is None else [format_instant(run.requested_ns)]
    assert at("WorkflowExecutionCancelRequested") == requested
    assert len(at("TimerFired")) == (run.status == "timed_out")
    closes = [(CLOSES[name], time) for name, time in entries if name in CLOSES]
    if run.end_ns is None:
        assert not closes
    else:
        assert closes == [(run.status, format_instant(run.end_ns))]
        assert entries[-1][0] in CLOSES
    for kind in ("WorkflowTask", "ActivityTask"):
        steps = [name.removeprefix(kind) for name, _ in entries if name.startswith(kind)]
        usual = ["Scheduled", "Started", "Completed"] * len(steps)
        assert steps == usual[: len(steps)]


def _refused(
    response: httpx.Response, status: int, title: str, message: str | Callable[[str], bool]
) -> None:
    """Checks a refusal in the agent's shape; ``message`` is its text or a test of it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    said = response.json()["message"]
    assert response.json() == {"code": status, "title": title, "message": said}
    assert said == message if isinstance(message, str) else message(said)


def _in_ns(shown: dict[str, Any]) -> dict[str, Any]:
    """An execution as shown, its duration as a number."""
    return {**shown, "execution_time": parse_duration(shown["execution_time"])}


def _modelled(raw: dict[str, Any], now_ns: int) -> Run:
    """An execution of the scenario in the model's terms."""
    workflow = WORKFLOWS[raw["workflow"]]
    start_ns = now_ns + parse_duration(raw["started"])
    run = Run(raw["id"], raw["run_id"], workflow, raw["user"], start_ns)
    if "ends" in raw:
        word, after_ns = raw["ends"]["as"], parse_duration(raw["ends"]["after"])
        run.approvals_ns, run.works_ns, run.outcome = [], after_ns, word
        if word == "timed_out":
            # It is an approval that it waits for; granted, it works as long again.
            run.approvals_ns, run.outcome = [after_ns], "completed"
        elif word == "canceled":
            run.works_ns, run.outcome = after_ns - CLEANUP_NS, "cancel"
    return run


TestThand = ThandMachine.TestCase
