"""Thand by somebody else: the server. How its executions live stands in ``thand_lives``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import jsonschema_rs
from starlette.applications import Starlette

from tests.impostors.kit import (
    MILLISECOND,
    SECOND,
    Answer,
    Asked,
    Impostor,
    Principal,
    Refused,
    bearer,
    rfc3339,
)
from tests.impostors.thand_lives import (
    ALICE,
    BOB,
    CLEANING,
    MINUTE,
    OPEN,
    SIGNALED,
    TOLD,
    WAITING,
    WORKFLOWS,
    Execution,
    Lives,
)
from tests.impostors.thand_signals import BadSignal, Signal, read

TOKENS = {"main": "thand-dev-token", "other": "thand-other-token"}
EXPIRED_TOKEN = "thand-expired-token"
# A session whose user has no e-mail address.
INCOMPLETE_TOKEN = "thand-incomplete-token"

FAULTS = {
    # Lists.
    "list-oldest-first": "the list begins with the oldest execution",
    "list-loses-the-newest": "the newest execution is not in the list (the list begins with the second)",
    "list-keeps-terminated": "a terminated execution stays in the list as running",
    "list-without-cleaning": "an execution that cleans up after a cancel is running and not in the list",
    "list-of-everybody": "the list shows the executions of all users",
    "run-ids-differ": "the list writes run_ids in upper case, the details do not",
    # Whose is what.
    "foreign-cancel": "any user cancels any execution",
    "foreign-signal": "any user signals any execution",
    "owner-is-the-reader": "the details name whoever reads them as the user",
    "expired-token-accepted": "a token that has expired still works",
    "api-key-unchecked": "any X-API-Key makes a session",
    # Lives.
    "state-goes-back": "every other reading comes from a replica that is 300 ms behind, so that a closed execution is running again",
    "closed-is-canceled": "cancelling a closed execution is acknowledged and makes it canceled",
    "terminate-takes-time": "a terminated execution goes on for 400 ms",
    "cancel-ends-terminated": "a cancelled execution ends as terminated",
    "cancel-without-effect": "a cancel is acknowledged, and the execution goes on",
    "second-cancel-conflicts": "asking again for a cancel during the clean-up is a 409",
    "terminated-is-unknown": "a terminated execution cannot be looked at: 404",
    "time-runs-on": "execution_time of a closed execution goes on",
    "history-newest-first": "the history begins with the latest event",
    "history-forgets": "only the latest four events of the history are shown",
    "end-not-in-history": "a closed execution has no closing event",
    "end-dated-back": "the closing event is dated before the start",
    "reading-leaves-an-event": "every reading adds an event to the history",
    "ids-from-seconds": "ids are made of whole seconds: the second execution of a second replaces the first",
    # Signals and submissions.
    "any-signal-taken": "an input that cannot be decoded is answered as if it had been delivered",
    "approval-without-effect": "a granted approval is acknowledged, and the execution still waits",
    "refusal-grants": "a refused approval lets the execution go on",
    "unknown-workflow-started": "an execution of a workflow that does not exist is started",
    "disabled-workflow-started": "an execution of a disabled workflow is started",
    "input-unchecked": "an input that does not fit the workflow's schema is taken",
    # Form.
    "odd-id-crashes": "an id that is not ASCII is a 500",
    "code-is-not-the-status": "the body of a 409 has the code 500",
    "zone-missing": "start_time in the list has no zone",
    "cancel-cacheable": "the answer to a cancel has no Cache-Control",
    "html-refusal": "the 404 of terminate is an HTML page",
    "allow-missing": "a 405 has no Allow",
}

_SIGNALS_MAX = 10_000
_LISTED_MAX = 100
_JSON = "application/json; charset=utf-8"

_NO_SESSION = {
    "listExecutions": "Unauthorized: unable to get user for list of running workflows",
    "createExecution": "Unauthorized: unable to get user for creating workflow",
    "getExecution": "Unauthorized: unable to get user to get workflow information",
    "cancelExecution": "Unauthorized: unable to get user for terminating workflow",
    "terminateExecution": "Unauthorized: unable to get user for terminating workflow",
    "signalExecution": "Unauthorized: unable to get user for signaling workflow",
}
# The fixed texts, by the reasons of the kit.
_TITLES = {
    "invalid": "Invalid request",
    "missing_body": "Invalid request",
    "malformed_body": "Invalid request",
    "unknown_path": "Page not found",
    "method_not_allowed": "Method not allowed",
    "not_acceptable": "Not acceptable",
    "too_large": "Request body too large",
    "unsupported_media_type": "Unsupported media type",
}


class Thand(Impostor):
    """The agent's server."""

    name = "thand"

    # -- The past ------------------------------------------------------------------------------

    def seed(self) -> None:
        """Three days of work of two people, and the executions of the document's examples."""
        self.db.execute(
            "CREATE TABLE executions (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, run_id TEXT,"
            " workflow TEXT, owner TEXT, started_ns INTEGER, closes_ns INTEGER, state TEXT,"
            " approvals INTEGER, steps TEXT)"
        )
        self.db.execute("CREATE INDEX open ON executions (owner, closes_ns)")
        self._readings = 0
        self._lives = Lives(self.ids, self.fault)
        self._inputs = {
            name: jsonschema_rs.Draft202012Validator(one.input, validate_formats=True)
            for name, one in WORKFLOWS.items()
        }
        now_ns = self.now_ns()
        names = [name for name, workflow in WORKFLOWS.items() if workflow.enabled]
        for position in range(70):
            age_ns = (position * 60 + 20 + self.ids.below(40)) * MINUTE
            owner = BOB if position % 4 == 3 else ALICE
            self._old(names[self.ids.below(len(names))], owner, now_ns - age_ns)
        for told_id, run_id, workflow, owner, age, state, after in TOLD:
            started_ns = now_ns - age * MINUTE
            execution = Execution(told_id, run_id, workflow, owner, started_ns)
            # So slow that none ends before it is told to.
            self._lives.begin(execution, stretch=100_000)
            if state:
                self._end_old(execution, state, started_ns + int(after * MINUTE))
            self._save(execution)

    def _old(self, workflow: str, owner: str, started_ns: int) -> None:
        execution = Execution(f"wf_{started_ns}", self.ids.uuid(), workflow, owner, started_ns)
        self._lives.begin(execution, stretch=100)
        answered_ns = started_ns + self.ids.between(2, 12) * MINUTE
        match self.ids.below(8):
            case 0 | 1:
                # Waits to this day, if it needs an approval.
                pass
            case 2:
                self._end_old(execution, "canceled", started_ns + 9 * SECOND)
            case 3:
                self._end_old(execution, "terminated", started_ns + 9 * SECOND)
            case choice:
                while execution.state(answered_ns) == WAITING:
                    granted = choice > 4
                    self._lives.approve(execution, answered_ns, granted=granted, stretch=100)
                    answered_ns += MINUTE
        self._save(execution)

    def _end_old(self, execution: Execution, state: str, at_ns: int) -> None:
        if state == "canceled":
            self._lives.cancel(execution, at_ns - 5 * SECOND, 5 * SECOND)
        else:
            self._lives.end(execution, state, at_ns)

    # -- Operations ----------------------------------------------------------------------------

    def list_executions(self, asked: Asked) -> Answer:
        """The caller's running executions, the newest first."""
        now_ns = self.now_ns()
        where, values = "closes_ns > ? AND owner = ?", [now_ns, asked.caller.name]
        if self.fault == "list-keeps-terminated":
            where = "(closes_ns > ? OR state = 'terminated') AND owner = ?"
        elif self.fault == "list-of-everybody":
            where, values = "closes_ns > ?", [now_ns]
        order = "ASC" if self.fault == "list-oldest-first" else "DESC"
        skipped = 1 if self.fault == "list-loses-the-newest" else 0
        rows = self.db.execute(
            f"SELECT * FROM executions WHERE {where} ORDER BY started_ns {order}, seq {order}"  # noqa: S608  # only texts of this method
            f" LIMIT {_LISTED_MAX} OFFSET {skipped}",
            values,
        )
        shown = [self._summary(execution, now_ns) for execution in map(_execution, rows)]
        if self.fault == "list-without-cleaning":
            shown = [each for each in shown if not each["cleaning"]]
        for each in shown:
            del each["cleaning"]
            each["status"] = "running"
            if self.fault == "run-ids-differ":
                each["run_id"] = each["run_id"].upper()
            if self.fault == "zone-missing":
                each["start_time"] = each["start_time"].removesuffix("Z")
        return self._answer({"executions": shown})

    def create_execution(self, asked: Asked) -> Answer:
        """Starts a workflow in the caller's name."""
        name, given = asked.body["workflow"], asked.body.get("input", {})
        workflow = WORKFLOWS.get(name)
        if workflow is None and self.fault == "unknown-workflow-started":
            name, workflow = "break-glass", WORKFLOWS["break-glass"]
            given = {"role": "admin", "incident": "INC-1"}
        enabled = workflow is not None and (
            workflow.enabled or self.fault == "disabled-workflow-started"
        )
        if not enabled:
            raise _titled(404, "Workflow not found", f"workflow not found: {name[:100]}")
        wrong = "; ".join(
            f"{'.'.join(map(str, ['input', *error.instance_path]))}: {error.message}"
            for error in self._inputs[name].iter_errors(given)
        )
        if wrong and self.fault != "input-unchecked":
            raise _titled(400, "Invalid workflow input", wrong[:1000])
        now_ns = self.now_ns()
        digits = now_ns // SECOND if self.fault == "ids-from-seconds" else now_ns
        started = Execution(f"wf_{digits}", self.ids.uuid(), name, asked.caller.name, now_ns)
        self._lives.begin(started)
        self._save(started)
        body = {"workflow_id": started.id, "run_id": started.run_id, "status": "running"}
        return self._answer(body, 201)

    def get_execution(self, asked: Asked) -> Answer:
        """One execution with its history, whoever owns it."""
        execution = self._find(asked.path["id"])
        now_ns = self.now_ns()
        if self.fault == "terminated-is-unknown" and execution is not None:
            execution = None if execution.state(now_ns) == "terminated" else execution
        if execution is None:
            message = f"workflow execution not found: {asked.path['id'][:100]}"
            raise _titled(404, "Workflow not found", message)
        if self.fault == "reading-leaves-an-event":
            execution.note(now_ns, "WorkflowTaskScheduled")
            self._save(execution)
        elif self.fault == "state-goes-back":
            self._readings += 1
            if self._readings % 2 == 0:
                now_ns = max(execution.started_ns, now_ns - 300 * MILLISECOND)
        shown = self._summary(execution, now_ns)
        del shown["cleaning"]
        if self.fault == "owner-is-the-reader":
            shown["user"] = asked.caller.name
        return self._answer({**shown, "history": self._history(execution, now_ns)})

    def cancel_execution(self, asked: Asked) -> Answer:
        """Begins the clean-up of a running execution; the end comes by itself."""
        execution, now_ns = self._own(asked, "terminate", "foreign-cancel"), self.now_ns()
        state = execution.state(now_ns)
        if state == CLEANING and self.fault == "second-cancel-conflicts":
            raise _closed()
        if state not in OPEN and self.fault == "closed-is-canceled":
            self._lives.end(execution, "canceled", now_ns)
        elif state not in OPEN:
            raise _closed()
        elif state != CLEANING and self.fault != "cancel-without-effect":
            self._lives.cancel(execution, now_ns)
        self._save(execution)
        answer = self._answer({"status": "ok", "message": "Workflow cancellation signal sent"})
        if self.fault == "cancel-cacheable":
            del answer.headers["cache-control"]
        return answer

    def terminate_execution(self, asked: Asked) -> Answer:
        """Ends a running execution at once."""
        execution, now_ns = self._own(asked, "terminate"), self.now_ns()
        if execution.state(now_ns) not in OPEN:
            raise _closed()
        late_ns = 400 * MILLISECOND if self.fault == "terminate-takes-time" else 0
        execution.go_on(now_ns)
        self._lives.end(execution, "terminated", now_ns + late_ns)
        self._save(execution)
        return self._answer({"status": "ok", "message": "Workflow termination signal sent"})

    def signal_execution(self, asked: Asked) -> Answer:
        """Hands a signal to a running execution."""
        try:
            signal = read(asked.query["input"])
        except BadSignal as bad:
            if self.fault != "any-signal-taken":
                raise _titled(400, bad.title, bad.message) from None
            signal = Signal("", None)
        execution, now_ns = self._own(asked, "signal", "foreign-signal"), self.now_ns()
        state = execution.state(now_ns)
        if state not in OPEN:
            raise _closed()
        if sum(SIGNALED in step["events"] for step in execution.steps) >= _SIGNALS_MAX:
            message = "exceeded workflow execution limit for signal events"
            raise _titled(409, "Failed to signal workflow", message)
        decides = signal.granted is not None and self.fault != "approval-without-effect"
        if state == WAITING and decides:
            self._lives.approve(execution, now_ns, granted=bool(signal.granted))
        else:
            execution.note(now_ns, SIGNALED)
        self._save(execution)
        body = {"message": "Signal sent successfully", "workflow_id": execution.id}
        return self._answer(body)

    # -- What is shown -------------------------------------------------------------------------

    def _summary(self, execution: Execution, now_ns: int) -> dict[str, Any]:
        """An execution in the API's words, and whether it is cleaning up, which is not shown."""
        state = execution.state(now_ns)
        until_ns = now_ns if state in OPEN else execution.closes_ns
        if self.fault == "time-runs-on":
            until_ns = now_ns
        return {
            "workflow_id": execution.id,
            "run_id": execution.run_id,
            "status": "running" if state in OPEN else state,
            "start_time": rfc3339(execution.started_ns, 9),
            "execution_time": _duration((until_ns - execution.started_ns) // SECOND),
            "task_queue": "thand-task-queue",
            "user": execution.owner,
            "workflow_type": {"name": WORKFLOWS[execution.workflow].type},
            "cleaning": state == CLEANING,
        }

    def _history(self, execution: Execution, now_ns: int) -> list[dict[str, str]]:
        history = [
            {"event_type": event, "timestamp": rfc3339(step.get("shown_at", step["at"]), 9)}
            for step in execution.due(now_ns)
            for event in step["events"]
        ]
        if self.fault == "history-newest-first":
            history.reverse()
        return history[-4:] if self.fault == "history-forgets" else history

    def _answer(self, value: Any, status: int = 200) -> Answer:
        return Answer(status, value, {"cache-control": "no-store"}, _JSON)

    # -- Who and what --------------------------------------------------------------------------

    def authenticate(self, asked: Asked, _: tuple[Mapping[str, list[str]], ...]) -> Principal:
        """The user of the session; what cannot be read counts as no session."""
        if asked.operation_id == "signalExecution":
            self._require_input(asked)
        users: dict[str | None, str] = {
            TOKENS["main"]: ALICE,
            TOKENS["other"]: BOB,
            INCOMPLETE_TOKEN: "",
        }
        if self.fault == "expired-token-accepted":
            users[EXPIRED_TOKEN] = ALICE
        key = asked.request.headers.get("x-api-key")
        user = users.get(bearer(asked.request))
        if user is None:
            user = users.get(key)
        if user is None and key and self.fault == "api-key-unchecked":
            user = ALICE
        if user is None:
            title = _NO_SESSION[asked.operation_id]
            raise _titled(401, title, "no user session found in context")
        if not user:
            raise _titled(401, "Unauthorized: user information is incomplete", "")
        return Principal(user)

    def _require_input(self, asked: Asked) -> None:
        """The one thing that is looked at before the session."""
        values = parse_qs(asked.request.url.query, keep_blank_values=True).get("input", [])
        if not any(values):
            raise _titled(400, "Input parameter is required", "")

    def refusal(self, refused: Refused, asked: Asked) -> Answer:
        """The vendor's one body; a reason that the kit does not have is the title itself."""
        status = refused.status
        title = _TITLES.get(refused.reason, refused.reason)
        headers = {**refused.headers, "cache-control": "no-store"}
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        if self.fault == "allow-missing":
            headers.pop("allow", None)
        html = self.fault == "html-refusal" and asked.operation_id == "terminateExecution"
        if status == 404 and html:
            return Answer(status, f"<h1>{title}</h1>".encode(), headers, "text/html")
        code = 500 if status == 409 and self.fault == "code-is-not-the-status" else status
        body = {"code": code, "title": title, "message": refused.message}
        return Answer(status, body, headers, _JSON)

    def _own(self, asked: Asked, verb: str, open_to_all: str = "") -> Execution:
        """The execution of the path, which must be the caller's; or not, with that fault."""
        execution = self._find(asked.path["id"])
        if execution is None:
            message = f"workflow execution not found: {asked.path['id'][:100]}"
            raise _titled(404, "Failed to find running workflow", message)
        if execution.owner != asked.caller.name and self.fault != open_to_all:
            raise _titled(403, f"You do not have permission to {verb} this workflow", "")
        return execution

    # -- Storage -------------------------------------------------------------------------------

    def _find(self, execution_id: str) -> Execution | None:
        if self.fault == "odd-id-crashes" and not execution_id.isascii():
            raise _titled(500, "Internal server error", "")
        row = self.db.execute("SELECT * FROM executions WHERE id = ?", (execution_id,)).fetchone()
        return None if row is None else _execution(row)

    def _save(self, execution: Execution) -> None:
        self.db.execute(
            "INSERT INTO executions (id, run_id, workflow, owner, started_ns, closes_ns, state,"
            " approvals, steps) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " run_id = excluded.run_id, workflow = excluded.workflow, owner = excluded.owner,"
            " started_ns = excluded.started_ns, closes_ns = excluded.closes_ns,"
            " state = excluded.state, approvals = excluded.approvals, steps = excluded.steps",
            (execution.id, execution.run_id, execution.workflow, execution.owner,
             execution.started_ns, execution.closes_ns, execution.steps[-1]["state"],
             execution.approvals, json.dumps(execution.steps)),
        )  # fmt: skip


def make_app(fault: str | None = None) -> Starlette:
    """The server, correct or with one of ``FAULTS``; every call has a database of its own."""
    return Thand(fault).app()


def _execution(row: Any) -> Execution:
    steps = json.loads(row["steps"])
    return Execution(
        row["id"], row["run_id"], row["workflow"], row["owner"], row["started_ns"], steps,
        row["approvals"],
    )  # fmt: skip


def _duration(seconds: int) -> str:
    """``PT5M``, ``PT2H0M17S``: RFC 3339 wants the minutes between hours and seconds."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = "PT"
    if hours:
        text += f"{hours}H"
    if minutes or (hours and seconds):
        text += f"{minutes}M"
    if seconds or text == "PT":
        text += f"{seconds}S"
    return text


def _titled(status: int, title: str, message: str) -> Refused:
    return Refused(status, title, message)


def _closed() -> Refused:
    message = "workflow execution already completed"
    return _titled(409, "Workflow is not running", message)
