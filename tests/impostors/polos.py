"""Polos by somebody else: the server. How its runs live stands in ``polos_lives``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette

from tests.impostors.kit import Answer, Asked, Impostor, Principal, Refused, bearer
from tests.impostors.polos_lives import (
    FIELDS,
    FINAL,
    MINUTE,
    MS,
    SECOND,
    TOLD,
    TOLD_OF_OTHER,
    WORKFLOWS,
    Lives,
    Run,
)  # fmt: skip

TOKENS = {
    "main": "sk_devPolos7a3f1c529d0e4b868f142c6b",
    "other": "sk_otherPolos1e8b4c605f274d93a1c86b",
}
EXPIRED_TOKEN = "sk_expiredPolos7a3f1c529d0e4b868f14"

FAULTS = {
    # Lists.
    "page-overlaps": "every page after the first begins with the last run of the page before",
    "limit-is-capped": "a limit above 25 is lowered to 25 without a word, so that a page looks like the last one",
    "zero-limit-is-the-default": "limit=0 gives a page of 50 runs instead of none",
    "oldest-first-by-workflow": "with workflow_id the list begins with the oldest run",
    "end-time-is-exclusive": "a run created exactly at end_time is missing",
    "offset-of-time-ignored": "the offset of start_time and end_time is dropped: 12:00+02:00 is read as 12:00 UTC",
    "type-forgotten-by-workflow": "with workflow_id the list holds runs of every workflow_type",
    "workflow-is-a-substring": "workflow_id=order also lists the runs of order_processing",
    "pending-not-listed": "a run appears in the list only when it has started",
    "result-not-listed": "the list shows a null result for a run that has one",
    # Whose is what.
    "foreign-run-readable": "a key reads the executions of every project",
    "foreign-run-cancellable": "a key cancels the executions of every project",
    "project-header-trusted": "listRuns shows the project that X-Project-ID names, whoever's key is used",
    "key-compared-by-prefix": "only the first 16 characters of a key are compared",
    "expired-key-accepted": "a key that has expired still works",
    # Lives.
    "state-goes-back": "every other reading comes from a replica that is 300 ms behind, so that a run that has ended goes on again",
    "ended-run-is-cancelled": "cancelling a run that has ended is accepted and makes it cancelled",
    "cancel-without-effect": "cancelling a running run is confirmed, and the run goes on to complete",
    "cancelled-without-time": "cancelled_at becomes null when the worker confirms the cancellation",
    "failed-without-end": "a failed run has no completed_at",
    "end-before-start": "completed_at is taken from a worker whose clock is five seconds behind",
    "reading-counts-as-retry": "every reading of a run that has ended adds one to its retry_count",
    "second-answer-taken": "an approval that has been answered can be answered again",
    # What is sent.
    "timeout-is-lost": "run_timeout_seconds of a single run is not kept",
    "batch-loses-concurrency-key": "the concurrency_key of a batch entry is not kept",
    "batch-merges-equals": "two equal entries of a batch get one run between them",
    "batch-out-of-order": "the answer to a batch has its runs in reverse",
    "large-numbers-rounded": "whole numbers beyond 2^53 in a payload come back rounded",
    "nul-crashes": "a payload with U+0000 in a text is a 500: the database cannot keep it",
    # Form.
    "zone-missing": "cancelled_at in the answer to a cancel has no offset",
    "plain-text-refusal": "the 404 of an unknown approval is plain text",
    "challenge-missing": "a 401 has no WWW-Authenticate",
    "allow-missing": "a 405 has no Allow",
}

PROJECT = "7a3f1c52-9d0e-4b86-8f14-2c6b5e0d9a71"
OTHER_PROJECT = "1e8b4c60-5f27-4d93-a1c8-6b0e7d9f2345"
DEPLOYMENTS = {PROJECT: "dep-2026-02-20-a41c9e", OTHER_PROJECT: "dep-2026-01-31-07be52"}
_KEYS = {TOKENS["main"]: PROJECT, TOKENS["other"]: OTHER_PROJECT}
_LISTED = (
    "id", "root_execution_id", "workflow_id", "session_id", "created_at", "status",
    "completed_at", "payload", "result", "error",
)  # fmt: skip
_TIMES = ("created_at", "started_at", "completed_at", "cancelled_at")

_TYPES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
}

_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Polos(Impostor):
    """The orchestrator's server."""

    name = "polos"

    # -- The past -------------------------------------------------------------------------------

    def seed(self) -> None:
        """Two days of work in two projects, and the executions of the document's examples."""
        self.db.execute(
            "CREATE TABLE runs (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, project TEXT, type TEXT,"
            " workflow TEXT, parent TEXT, created_us INTEGER, facts TEXT, steps TEXT)"
        )
        self.db.execute("CREATE INDEX listed ON runs (project, type, created_us)")
        self.db.execute("CREATE INDEX parents ON runs (parent)")
        self._readings = 0
        self._lives = Lives(self.ids, self.fault)
        now_us = self._now_us()
        names = [*WORKFLOWS, "order_processing", "order_processing_eu"]
        for position in range(90):
            age_us = position * 32 * MINUTE + self.ids.below(30 * MINUTE) + 15 * MINUTE
            project = OTHER_PROJECT if position % 6 == 5 else PROJECT
            request = {"payload": {"number": position}, "session_id": self.ids.uuid()}
            run = self._born(
                project, names[self.ids.below(len(names))], request, now_us - age_us, stretch=100
            )
            if position % 13 == 12:
                self._cancel(run, run.created_us + 6 * SECOND)
            self._answer_old(run)
        for project, told in ((PROJECT, TOLD), (OTHER_PROJECT, TOLD_OF_OTHER)):
            for run_id, workflow, age_us, payload, more, queued_us, runs_us in told:
                request = {"payload": payload, **more}
                run = self._new(project, workflow, request, now_us - age_us)
                run.id = run.facts["id"] = run_id
                run.steps = self._lives.whole(run, queued_us, (runs_us, runs_us))
                self._insert(run)

    def _answer_old(self, run: Run) -> None:
        """Nearly every wait of the past has had its answer."""
        stands = run.at(self._now_us())
        if stands["state"] == "waiting" and self.ids.below(10):
            answered_us = run.steps[-1]["at"] + 90 * SECOND
            run.steps += self._lives.resumed(run, answered_us, {"approved": True}, stretch=100)
            self._save(run)

    def _born(
        self,
        project: str,
        workflow: str,
        request: Mapping[str, Any],
        at_us: int,
        stretch: int = 1,
    ) -> Run:
        """A run that is submitted at ``at_us``; ``stretch`` makes it live slower."""
        run = self._new(project, workflow, request, at_us)
        shortest_ms, longest_ms = run.kind.runs_ms
        slower = MS * stretch
        run.steps = self._lives.whole(run, 40 * slower, (shortest_ms * slower, longest_ms * slower))
        self._insert(run)
        return run

    def _new(self, project: str, workflow: str, request: Mapping[str, Any], at_us: int) -> Run:
        timeout_s = request.get("run_timeout_seconds")
        facts = {
            "id": self.ids.uuid(),
            "workflow_id": workflow,
            "payload": request["payload"],
            "created_at": at_us,
            "deployment_id": _first(request.get("deployment_id"), DEPLOYMENTS[project]),
            "queue_name": _first(request.get("queue_name"), workflow),
            # 30.0 is a whole number, too.
            "run_timeout_seconds": None if timeout_s is None else int(timeout_s),
        }
        for name in ("parent_execution_id", "root_execution_id", "step_key", "concurrency_key",
                     "batch_id", "session_id", "user_id"):  # fmt: skip
            facts[name] = request.get(name)
        return Run(facts["id"], project, workflow, at_us, facts, [])

    # -- Operations ----------------------------------------------------------------------------

    def get_execution(self, asked: Asked) -> Answer:
        """One execution of the key's project."""
        run = self._find(asked.path["execution_id"])
        if run is None:
            raise Refused(404, "unknown", "Execution not found")
        if self.fault != "foreign-run-readable":
            self._check_owner(run, asked)
        now_us = self._now_us()
        if self.fault == "state-goes-back":
            self._readings += 1
            if self._readings % 2 == 0:
                now_us = max(run.created_us, now_us - 300 * MS)
        shown = run.at(now_us)
        if self.fault == "reading-counts-as-retry" and shown["state"] in FINAL:
            run.steps[-1]["set"]["retry_count"] = shown["retry_count"] + 1
            self._save(run)
        return Answer(200, _shown(shown, FIELDS))

    def cancel_execution(self, asked: Asked) -> Answer:
        """The execution, what it has started, and what has started it."""
        run = self._find(asked.path["execution_id"])
        if run is None:
            raise Refused(404, "CANCELLATION_ERROR", "Execution not found")
        if self.fault != "foreign-run-cancellable":
            self._check_owner(run, asked)
        now_us = self._now_us()
        stands = run.at(now_us)
        if stands["state"] in FINAL and self.fault != "ended-run-is-cancelled":
            message = f"Execution cannot be cancelled (status: {stands['status']})"
            raise Refused(400, "CANCELLATION_ERROR", message)
        if self.fault == "cancel-without-effect" and stands["status"] == "running":
            return self._cancelled({**stands, "cancelled_at": now_us})
        for relative in [*self._below(run), *self._above(run)]:
            if relative.at(now_us)["state"] not in {*FINAL, "pending_cancel"}:
                self._cancel(relative, now_us)
        self._cancel(run, now_us)
        return self._cancelled(run.at(now_us))

    def _cancel(self, run: Run, now_us: int) -> None:
        self._lives.cancel(run, now_us)
        self._save(run)

    def _cancelled(self, stands: Mapping[str, Any]) -> Answer:
        at = _instant(stands["cancelled_at"])
        if self.fault == "zone-missing":
            at = at.removesuffix("+00:00")
        body = {"execution_id": stands["id"], "status": stands["status"], "cancelled_at": at}
        return Answer(200, body)

    def run_workflow(self, asked: Asked) -> Answer:
        """Queues one run."""
        project = self._project(asked)
        request = {**asked.body, **self._shared(asked.body, project)}
        if self.fault == "timeout-is-lost":
            request["run_timeout_seconds"] = None
        run = self._submit(project, asked.path["workflow_id"], request, self._now_us())
        return Answer(200, _submission(run))

    def run_workflow_batch(self, asked: Asked) -> Answer:
        """Queues several, with one batch id."""
        project = self._project(asked)
        shared = {**self._shared(asked.body, project), "batch_id": self.ids.uuid()}
        now_us = self._now_us()
        runs: list[Run] = []
        known: dict[str, Run] = {}
        for entry in asked.body["workflows"]:
            request = {**entry, **shared}
            if self.fault == "batch-loses-concurrency-key":
                request["concurrency_key"] = None
            same = json.dumps(entry, sort_keys=True)
            if self.fault == "batch-merges-equals" and same in known:
                runs.append(known[same])
                continue
            known[same] = self._submit(project, entry["workflow_id"], request, now_us)
            runs.append(known[same])
        if self.fault == "batch-out-of-order":
            runs.reverse()
        return Answer(200, {"executions": [_submission(run) for run in runs]})

    def list_runs(self, asked: Asked) -> Answer:
        """A page of the project's runs, the newest first."""
        query = asked.query
        project = self._project(asked, unknown=403)
        where: list[tuple[str, Any]] = [("project = ?", project)]
        workflow = query["workflow_id"]
        if workflow is None or self.fault != "type-forgotten-by-workflow":
            where.append(("type = ?", query["workflow_type"]))
        if workflow is not None and self.fault == "workflow-is-a-substring":
            where.append(("instr(workflow, ?)", workflow))
        elif workflow is not None:
            where.append(("workflow = ?", workflow))
        where += self._within(query)
        order = "ASC" if workflow and self.fault == "oldest-first-by-workflow" else "DESC"
        limit, offset = query["limit"], query["offset"]
        if self.fault == "page-overlaps" and offset:
            offset -= 1
        elif self.fault == "limit-is-capped":
            limit = min(limit, 25)
        elif self.fault == "zero-limit-is-the-default":
            limit = limit or 50
        rows = self.db.execute(
            f"SELECT * FROM runs WHERE {' AND '.join(sql for sql, _ in where)}"  # noqa: S608  # only texts of this class
            f" ORDER BY created_us {order}, seq {order} LIMIT ? OFFSET ?",
            (*(value for _, value in where), limit, offset),
        )
        return Answer(200, list(self._listed(map(_run, rows))))

    def _within(self, query: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
        zoned = self.fault != "offset-of-time-ignored"
        start_us, end_us = (_microseconds(query[one], zoned) for one in ("start_time", "end_time"))
        if start_us is not None:
            yield "created_us >= ?", start_us
        if end_us is not None:
            sign = "<" if self.fault == "end-time-is-exclusive" else "<="
            yield f"created_us {sign} ?", end_us

    def _listed(self, runs: Iterable[Run]) -> Iterator[dict[str, Any]]:
        now_us = self._now_us()
        for run in runs:
            shown = run.at(now_us)
            if self.fault == "pending-not-listed" and shown["status"] == "pending":
                continue
            if self.fault == "result-not-listed":
                shown["result"] = None
            yield _shown(shown, _LISTED)

    def get_approval(self, asked: Asked) -> Answer:
        """What a run asks at one step; anyone may look."""
        run, step = self._asking(asked)
        stands = run.at(self._now_us())
        waits = stands["state"] == "waiting" and stands["waits_for"] == step
        body = {
            "execution_id": run.id,
            "step_key": step,
            "status": "waiting" if waits else stands["status"],
            "data": run.kind.asks[step] if waits else None,
        }
        return Answer(200, body)

    def submit_approval(self, asked: Asked) -> Answer:
        """A person's answer; only the first one counts."""
        run, step = self._asking(asked)
        now_us = self._now_us()
        stands = run.at(now_us)
        if stands["state"] == "waiting" and stands["waits_for"] == step:
            run.stop(now_us, *self._lives.resumed(run, now_us, asked.body["data"]))
            self._save(run)
        elif self.fault != "second-answer-taken":
            message = f"Execution is not waiting for approval (status: {stands['status']})"
            raise Refused(409, "conflict", message)
        return Answer(200)

    # -- Who and what --------------------------------------------------------------------------

    def authenticate(self, asked: Asked, _: tuple[Mapping[str, list[str]], ...]) -> Principal:
        """The project of the API key."""
        key = bearer(asked.request)
        if key is None:
            message = (
                "Authentication required. Provide either an API key (Bearer sk_...) "
                "or a JWT token in cookie"
            )
            raise Refused(401, "no_key", message)
        if not key.startswith("sk_"):
            raise Refused(401, "no_key", "Invalid authentication token")
        if self.fault == "key-compared-by-prefix":
            key = next((one for one in _KEYS if one[:16] == key[:16]), key)
        elif self.fault == "expired-key-accepted" and key == EXPIRED_TOKEN:
            key = TOKENS["main"]
        if key not in _KEYS:
            raise Refused(401, "no_key", "Invalid API key")
        return Principal(key, claims={"project": _KEYS[key]})

    def refusal(self, refused: Refused, asked: Asked) -> Answer:
        """The vendor's one body."""
        status, message = refused.status, refused.message
        if refused.reason == "invalid":
            status, message = _invalid(refused, asked)
        elif refused.reason in {"malformed_body", "missing_body"}:
            message = f"Failed to parse the request body as JSON: {message}"
        elif refused.reason == "unsupported_media_type":
            message = f"Expected request with `Content-Type: application/json`: {message}"
        headers = dict(refused.headers)
        if status == 401 and self.fault != "challenge-missing":
            headers["www-authenticate"] = "Bearer"
        if self.fault == "allow-missing":
            headers.pop("allow", None)
        plain = self.fault == "plain-text-refusal" and asked.operation_id == "getApproval"
        if status == 404 and plain:
            return Answer(status, message.encode(), headers, media_type="text/plain")
        own = refused.reason if refused.reason.isupper() else _TYPES[status]
        return Answer(status, {"error": message, "error_type": own}, headers)

    def _project(self, asked: Asked, unknown: int = 404) -> str:
        """The project that the header names, which must be the key's."""
        named: str = asked.headers["X-Project-ID"].lower()
        if self.fault == "project-header-trusted" and asked.operation_id == "listRuns":
            return named
        if named != asked.caller.claims["project"]:
            if unknown == 404 and named not in DEPLOYMENTS:
                raise Refused(404, "unknown", "Project not found")
            raise Refused(403, "PROJECT_ACCESS_FORBIDDEN", "Access to project forbidden")
        return named

    def _check_owner(self, run: Run, asked: Asked) -> None:
        if run.project != asked.caller.claims["project"]:
            raise Refused(403, "foreign", "Project does not match execution project")

    def _shared(self, body: Mapping[str, Any], project: str) -> dict[str, Any]:
        """What a submission takes over from its parent, and the session that a root always has."""
        names = ("deployment_id", "session_id", "user_id", "step_key")
        shared: dict[str, Any] = {name: body.get(name) for name in names}
        # Nobody but a batch gives one; a property of that name is one that the server does not know.
        shared["batch_id"] = None
        root = body.get("root_execution_id")
        parent_id = body.get("parent_execution_id")
        if parent_id is not None:
            parent = self._find(parent_id)
            if parent is None:
                raise Refused(404, "unknown", "Parent execution not found")
            if parent.project != project:
                raise Refused(403, "PROJECT_ACCESS_FORBIDDEN", "Access to project forbidden")
            parent_id = parent.id
            for name in ("session_id", "user_id"):
                shared[name] = _first(shared[name], parent.facts[name])
            root = _first(root, _first(parent.facts["root_execution_id"], parent.id))
        elif shared["session_id"] is None:
            shared["session_id"] = self.ids.uuid()
        shared["parent_execution_id"] = parent_id
        shared["root_execution_id"] = None if root is None else root.lower()
        return shared

    def _asking(self, asked: Asked) -> tuple[Run, str]:
        run, step = self._find(asked.path["execution_id"]), asked.path["step_key"]
        if run is None:
            raise Refused(404, "unknown", "Execution not found")
        if step not in run.kind.asks:
            raise Refused(404, "unknown", "Approval not found")
        return run, step

    # -- Storage -------------------------------------------------------------------------------

    def _submit(self, project: str, workflow: str, request: dict[str, Any], now_us: int) -> Run:
        text = json.dumps(request["payload"])
        if self.fault == "nul-crashes" and "\\u0000" in text:
            raise Refused(500, "INTERNAL_ERROR", "Failed to create execution")
        if self.fault == "large-numbers-rounded":
            request["payload"] = json.loads(text, parse_int=_rounded)
        return self._born(project, workflow, request, now_us)

    def _insert(self, run: Run) -> None:
        self.db.execute(
            "INSERT INTO runs (id, project, type, workflow, parent, created_us, facts, steps)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (run.id, run.project, run.kind.type, run.workflow, run.facts["parent_execution_id"],
             run.created_us, json.dumps(run.facts), json.dumps(run.steps)),
        )  # fmt: skip

    def _save(self, run: Run) -> None:
        self.db.execute("UPDATE runs SET steps = ? WHERE id = ?", (json.dumps(run.steps), run.id))

    def _find(self, run_id: str) -> Run | None:
        row = self.db.execute("SELECT * FROM runs WHERE id = ?", (run_id.lower(),)).fetchone()
        return None if row is None else _run(row)

    def _below(self, run: Run) -> Iterator[Run]:
        rows = self.db.execute("SELECT * FROM runs WHERE parent = ?", (run.id,)).fetchall()
        for child in map(_run, rows):
            yield child
            yield from self._below(child)

    def _above(self, run: Run) -> Iterator[Run]:
        parent = self._find(run.facts["parent_execution_id"] or "")
        if parent is not None:
            yield parent
            yield from self._above(parent)

    def _now_us(self) -> int:
        # Rounded up, so that two moments that differ still do.
        return -(-self.now_ns() // 1000)


def make_app(fault: str | None = None) -> Starlette:
    """The server, correct or with one of ``FAULTS``; every call has a database of its own."""
    return Polos(fault).app()


def _run(row: Any) -> Run:
    facts, steps = json.loads(row["facts"]), json.loads(row["steps"])
    return Run(row["id"], row["project"], row["workflow"], row["created_us"], facts, steps)


def _submission(run: Run) -> dict[str, Any]:
    return {"execution_id": run.id, "created_at": _instant(run.created_us)}


def _shown(stands: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    shown = {name: stands[name] for name in fields}
    for name in _TIMES:
        if shown.get(name) is not None:
            shown[name] = _instant(shown[name])
    return shown


def _instant(us: int) -> str:
    """``2026-02-24T11:45:54.123456+00:00``."""
    return (_EPOCH + timedelta(microseconds=us)).isoformat(timespec="microseconds")


def _microseconds(text: str | None, zoned: bool) -> int | None:
    """The time that a text names; None for one that cannot be read, which is overlooked."""
    match = _RFC3339.fullmatch(text or "")
    if match is None:
        return None
    day, clock, fraction, sign, hours, minutes = match.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{clock}+00:00")
        ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    except ValueError:
        return None
    if ahead >= timedelta(days=1) or int(minutes or 0) >= 60:
        return None
    if not zoned:
        ahead = timedelta()
    since = local - _EPOCH - (-ahead if sign == "-" else ahead)
    return since // timedelta(microseconds=1) + int(f"{fraction or ''}000000"[:6])


def _invalid(refused: Refused, asked: Asked) -> tuple[int, str]:
    """Parameters are bad requests; a body that is JSON and does not fit cannot be processed."""
    found = [one for one in refused.problems if one.location != "body"] or refused.problems
    wrong = "; ".join(f"{one.pointer or one.name or 'body'}: {one.message}" for one in found)
    first = found[0]
    if first.location == "body":
        message = f"Failed to deserialize the JSON body into the target type: {wrong}"
        empty = isinstance(asked.body, dict) and asked.body.get("workflows") == []
        return (400 if empty else 422), message
    if first.location == "path" and first.name == "execution_id":
        return 400, "Invalid execution ID"
    if first.location == "header" and first.message == "is missing":
        return 400, f"{first.name} header is required"
    return 400, f"Failed to deserialize query string: {wrong}"


def _rounded(digits: str) -> int:
    """A whole number as a language that has only floats keeps it."""
    return int(float(digits)) if len(digits) < 300 else int(digits)


def _first(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value
