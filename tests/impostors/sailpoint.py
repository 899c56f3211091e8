"""An impostor of SailPoint's workflow executions (``specs/sailpoint.yaml``)."""

from __future__ import annotations

import base64
import hmac
import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette

from tests.impostors.document import Problem
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
from tests.impostors.sailpoint_filters import Parser, SyntaxFault, Unsupported, Where

FAULTS = {
    "page-overlaps": "With an offset the page begins one item too early: an item comes twice.",
    "limit-capped": "A limit above 40 silently gives 40 items, so that whoever pages loses some.",
    "count-before-filters": "X-Total-Count tells the number of executions without the filter.",
    "past-the-end-repeats": "An offset past the end gives the last page again, not an empty list.",
    "filter-or-as-and": "The filter's `or` selects as `and` does.",
    "filter-not-ignored": "The filter's `not` has no effect.",
    "filter-end-exclusive": "`start_time le X` leaves out the execution that started at X.",
    "filter-status-case": "The filter finds a status only when it is spelled as it is stored.",
    "filter-leaks-workflows": "With `or` in the filter the list has other workflows' executions.",
    "filter-unknown-ignored": "A filter on an unsupported field or operator is ignored, not refused.",
    "order-by-close-time": "The list is ordered by when executions closed, not by their start.",
    "cancel-closed-accepted": "A closed execution can be cancelled and becomes Canceled.",
    "cancel-does-nothing": "Cancelling answers 204, and the execution runs on.",
    "canceled-without-close-time": "A cancelled execution never gets a closeTime.",
    "list-lags": "The list shows an execution as Executing for a minute after it closed.",
    "new-not-listed": "An execution that was started from outside is missing in the list.",
    "disabled-starts": "A workflow that is not enabled can be started from outside.",
    "history-read-closes": "Reading the history of a running execution ends it.",
    "history-contradicts": "The history of a failed execution says that it completed.",
    "close-before-start": "A failed execution has a closeTime an hour too early, before its start.",
    "id-reused": "Every third start gives out the id of the one before, which is then gone.",
    "archived-listed": "Executions older than 90 days are still listed, though they cannot be read.",
    "tampered-token-accepted": "The signature of a token is not checked.",
    "missing-allow": "405 comes without the header Allow.",
    "unknown-id-html": "Reading an unknown execution gives an HTML page for the 404.",
}

_SECRET = b"an impostor keeps no secrets"
_LIFETIME_S = 749
_RETENTION_NS = 90 * 24 * 3600 * SECOND
_HOUR_NS = 3600 * SECOND
_CLIENT = ("b61429f5203d4f3b9c60d2a5e7f8c104", "sailpoint-development-secret")

_SEND_EMAIL = "d201c5d9-d37b-4a2f-af14-66414f39d568"
_ONBOARDING = "4f6d1c6e-0a9b-4c2e-9d8b-3d2f5a7e1b90"
_REVIEW = "7d39cb5b-4f60-4e1e-8ad0-7b1f6f4ac9de"
_CLEANUP = "a3c1b1de-5f0f-4d6b-8f8e-1c9a54d0b7e2"
_DRAFT = "e0a7d2c4-91b3-4f5e-b6a8-72d3c4e5f601"
# id, name, trigger, enabled, how many executions of the past.
_WORKFLOWS = (
    (_SEND_EMAIL, "Send Email", "EXTERNAL", True, 64),
    (_ONBOARDING, "Onboard a new employee", "EVENT", True, 23),
    (_REVIEW, "Quarterly access review", "SCHEDULED", False, 9),
    (_CLEANUP, "Nightly cleanup", "SCHEDULED", True, 12),
    (_DRAFT, "A draft", "", False, 0),
)
_STEPS = {"Get Identity": "sp:get-identity", "Send Email": "sp:send-email"}
_OWNER = {
    "type": "IDENTITY",
    "id": "2c91808568c529c60168cca6f90c1313",
    "name": "William Wilson",
}
_GENERAL = {
    400: (
        "400.1 Bad Request Content",
        "The request was syntactically correct but its content is semantically invalid.",
    ),
    403: ("403 Forbidden", "The server understood the request but refuses to authorize it."),
    404: (
        "404 Not found",
        "The server did not find a current representation for the target resource.",
    ),
    405: ("405 Method Not Allowed", "The method is not supported by the target resource."),
    406: (
        "406 Not Acceptable",
        "The server cannot produce a response matching the list of acceptable values.",
    ),
    413: ("413 Payload Too Large", "The request entity is larger than the server takes."),
    415: ("415 Unsupported Media Type", "The payload is in an unsupported format."),
}
_SYNTAX = ("400.0 Bad request syntax", "The request could not be parsed.")


def make_app(fault: str | None = None) -> Starlette:
    """The server, with one of ``FAULTS`` or correct."""
    return Sailpoint(fault).app()


def token(user: str | None, scopes: tuple[str, ...], expires_s: int) -> str:
    """A JSON web token (HS256); ``user`` is None for an application."""
    claims = {"sub": user or "application", "user": user, "scope": scopes, "exp": expires_s}
    head, body = (_encoded(json.dumps(one).encode()) for one in ({"alg": "HS256"}, claims))
    return f"{head}.{body}.{_signature(f'{head}.{body}')}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(text: str) -> str:
    return _encoded(hmac.digest(_SECRET, text.encode(), "sha256"))


_FAR_S = 4_102_444_800  # the year 2100
TOKENS = {
    "main": token("595826", ("sp:scopes:all",), _FAR_S),
    "other": token("595827", ("sp:scopes:all",), _FAR_S),
}


class Sailpoint(Impostor):
    """The server."""

    name = "sailpoint"
    _starts = 0
    _newest_id = ""

    def locate(self, path: str) -> str:
        """The vendor's prefixes and its newer layout lead to the same operations."""
        path = re.sub(r"^/(v3|beta|v2024|v2025|v2026)(?=/)", "", path)
        return re.sub(r"^/(workflows|workflow-executions)/v1(?=/)", r"/\1", path)

    # The past

    def seed(self) -> None:
        """Five workflows, and what ran of them in the last months."""
        self.db.execute("CREATE TABLE workflows (id PRIMARY KEY, name, kind, enabled)")
        self.db.execute(
            "CREATE TABLE executions (id PRIMARY KEY, workflow_id, request_id, start_ns, ends_ns,"
            " close_ns, outcome, status, hidden DEFAULT 0)"
        )
        now_ns = self.now_ns()
        for workflow_id, name, kind, enabled, count in _WORKFLOWS:
            values = (workflow_id, name, kind, enabled)
            self.db.execute("INSERT INTO workflows VALUES (?, ?, ?, ?)", values)
            for index in range(count):
                start_ns = now_ns - (index + 2) * _HOUR_NS + self.ids.below(_HOUR_NS)
                self._insert(self.ids.uuid(), workflow_id, start_ns, self.ids.between(2, 90))
            for days in (91, 120):
                start_ns = now_ns - days * 24 * _HOUR_NS - self.ids.below(_HOUR_NS)
                self._insert(self.ids.uuid(), workflow_id, start_ns, 60)
        self._insert_examples(now_ns)

    def _insert_examples(self, now_ns: int) -> None:
        """The executions that the document names, and some that run for long."""
        source = "b393f4e2-4785-4d7f-ab27-3a6b8ded4c81"
        self._insert(source, _SEND_EMAIL, now_ns - 3 * _HOUR_NS, 2, "Completed")
        self._insert("12e0ae34-9ad4-4a4e-8a2e-0e9dc0f4e7b1", _ONBOARDING, now_ns - _HOUR_NS, 36000)
        for workflow_id in (_SEND_EMAIL, _SEND_EMAIL, _CLEANUP):
            start_ns = now_ns - _HOUR_NS * 3 // 2 + self.ids.below(_HOUR_NS)
            self._insert(self.ids.uuid(), workflow_id, start_ns, 36000)
        # Two that began in the same millisecond: only nanoseconds tell them apart.
        for later_ns in (0, 417):
            start_ns = now_ns - 30 * _HOUR_NS + later_ns
            self._insert(self.ids.uuid(), _SEND_EMAIL, start_ns, 5, "Completed")

    def _insert(
        self, execution_id: str, workflow_id: str, start_ns: int, runs_s: int, end: str = ""
    ) -> None:
        ends_ns = start_ns + runs_s * SECOND + self.ids.below(SECOND)
        self._start(execution_id, workflow_id, start_ns, ends_ns, end or self._outcome(workflow_id))
        if not end and runs_s < 3600 and self.ids.below(7) == 0:
            change = "UPDATE executions SET status = 'Canceled', close_ns = ends_ns WHERE id = ?"
            self.db.execute(change, (execution_id,))

    # Life

    def _outcome(self, workflow_id: str) -> str:
        failing = workflow_id == _CLEANUP or self.ids.below(4) == 0
        return "Failed" if failing else "Completed"

    def _start(
        self, execution_id: str, workflow_id: str, start_ns: int, ends_ns: int, outcome: str
    ) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO executions (id, workflow_id, request_id, start_ns, ends_ns,"
            " outcome, status) VALUES (?, ?, ?, ?, ?, ?, 'Executing')",
            (execution_id, workflow_id, self.ids.hex(), start_ns, ends_ns, outcome),
        )

    def _launch(self, workflow_id: str) -> str:
        """Starts a workflow; gives the new execution's id."""
        self._starts += 1
        if self.fault != "id-reused" or self._starts % 3:
            self._newest_id = self.ids.uuid()
        now_ns = self.now_ns()
        ends_ns = now_ns + self.ids.between(100, 400) * MILLISECOND + self.ids.below(MILLISECOND)
        self._start(self._newest_id, workflow_id, now_ns, ends_ns, self._outcome(workflow_id))
        return self._newest_id

    def call(self, asked: Asked) -> Answer:
        """Ends what is due before the operation looks."""
        self.db.execute(
            "UPDATE executions SET status = outcome, close_ns = ends_ns"
            " WHERE status = 'Executing' AND ends_ns <= ?",
            (self.now_ns(),),
        )
        return super().call(asked)

    # Refusals

    def refusal(self, refused: Refused, asked: Asked) -> Answer:
        """The documented bodies; the reason stands in ``causes``."""
        headers = dict(refused.headers)
        if refused.status == 401:
            headers["www-authenticate"] = "Bearer"
            return Answer(401, _unauthenticated(refused, asked), headers)
        if refused.status == 405 and self.fault == "missing-allow":
            headers.pop("allow")
        if refused.status == 404 and self._as_page(asked):
            return Answer(404, b"<html><h1>404 Not Found</h1></html>", headers, "text/html")
        if asked.operation_id == "createToken" and refused.status == 400:
            return Answer(400, _token_error(refused), headers)
        code, text = _GENERAL[refused.status]
        if refused.reason in {"malformed_body", "filter_syntax"}:
            code, text = _SYNTAX
        causes = [f"{one.place} {one.message}" for one in refused.problems] or [refused.message]
        body = {
            "detailCode": code,
            "trackingId": self.ids.hex(),
            "messages": [_message(text)],
            "causes": [_message(cause) for cause in causes],
        }
        return Answer(refused.status, body, headers)

    def _as_page(self, asked: Asked) -> bool:
        return self.fault == "unknown-id-html" and asked.operation_id == "getWorkflowExecution"

    # Who asks

    def authenticate(self, asked: Asked, schemes: tuple[Mapping[str, list[str]], ...]) -> Principal:
        """The holder of a token with the operation's scopes."""
        if "authorization" not in asked.request.headers:
            raise Refused(401, "unauthenticated", "JWT is missing")
        claims = self._claims(bearer(asked.request) or "")
        principal = Principal(claims["sub"], frozenset(claims["scope"]), claims)
        if claims["user"] is None and all("applicationAuth" not in one for one in schemes):
            raise Refused(403, "forbidden", "the token stands for an application")
        needed = {scope for one in schemes for scopes in one.values() for scope in scopes}
        if "sp:scopes:all" not in principal.scopes and not needed <= principal.scopes:
            raise Refused(403, "forbidden", f"the token lacks {' '.join(sorted(needed))}")
        return principal

    def _claims(self, text: str) -> dict[str, Any]:
        signed, _, signature = text.rpartition(".")
        good = hmac.compare_digest(signature.encode(), _signature(signed).encode())
        if not good and self.fault != "tampered-token-accepted":
            raise Refused(401, "unauthenticated", "JWT is invalid")
        try:
            body = signed.partition(".")[2]
            told = json.loads(base64.urlsafe_b64decode(body + "=" * 3))
            claims = {name: told[name] for name in ("sub", "user", "scope", "exp")}
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(401, "unauthenticated", "JWT is invalid") from error
        if claims["exp"] * SECOND <= self.now_ns():
            raise Refused(401, "unauthenticated", "JWT is expired")
        return claims

    def create_token(self, asked: Asked) -> Answer:
        """POST /oauth/token: from the form, or from the query where there is none."""
        given = asked.query if asked.body is None else asked.body
        if given.get("grant_type") is None:
            problem = Problem("query", "grant_type", "", "is missing")
            raise Refused(400, "invalid", "grant_type is missing", problems=[problem])
        if (given.get("client_id"), given.get("client_secret")) != _CLIENT:
            raise Refused(401, "unauthenticated", "Bad client credentials")
        expires_s = self.now_ns() // SECOND + _LIFETIME_S
        body = {
            "access_token": token("595826", ("sp:scopes:all",), expires_s),
            "token_type": "bearer",
            "expires_in": _LIFETIME_S,
            "scope": "sp:scopes:all",
            "user_id": "595826",
            "identity_id": _OWNER["id"],
            "jti": self.ids.uuid(),
        }
        return Answer(200, body, {"cache-control": "no-store"})

    # Workflows

    def list_workflows(self, asked: Asked) -> Answer:
        """GET /workflows."""
        rows = self.db.execute(
            "SELECT * FROM workflows ORDER BY name COLLATE NOCASE, id LIMIT ? OFFSET ?",
            (asked.query["limit"], asked.query["offset"]),
        )
        return Answer(200, [self._workflow_json(row) for row in rows.fetchall()])

    def get_workflow(self, asked: Asked) -> Answer:
        """GET /workflows/{id}."""
        return Answer(200, self._workflow_json(self._workflow(asked)))

    def test_workflow(self, asked: Asked) -> Answer:
        """POST /workflows/{id}/test: a real run, enabled or not."""
        workflow = self._workflow(asked)
        return Answer(200, {"workflowExecutionId": self._launch(workflow["id"])})

    def create_external_execute_workflow(self, asked: Asked) -> Answer:
        """POST /workflows/execute/external/{id}."""
        workflow = self._workflow(asked)
        if not workflow["enabled"] and self.fault != "disabled-starts":
            text = "Workflow was not executed externally. Check enabled flag on workflow definition"
            return Answer(200, {"message": text})
        execution_id = self._launch(workflow["id"])
        if self.fault == "new-not-listed":
            self.db.execute("UPDATE executions SET hidden = 1 WHERE id = ?", (execution_id,))
        return Answer(200, {"workflowExecutionId": execution_id})

    def _workflow(self, asked: Asked) -> sqlite3.Row:
        query = "SELECT * FROM workflows WHERE id = ?"
        row: sqlite3.Row | None = self.db.execute(query, (asked.path["id"],)).fetchone()
        if row is None:
            raise Refused(404, "not_found", f"there is no workflow {asked.path['id'][:80]}")
        return row

    def _workflow_json(self, row: sqlite3.Row) -> dict[str, Any]:
        query = (
            "SELECT count(*), count(*) FILTER (WHERE status = 'Failed') FROM executions"
            " WHERE workflow_id = ? AND start_ns >= ?"
        )
        oldest_ns = self.now_ns() - _RETENTION_NS
        executions, failures = self.db.execute(query, (row["id"], oldest_ns)).fetchone()
        steps = {
            name: {"type": "action", "actionId": action_id} for name, action_id in _STEPS.items()
        }
        return {
            "id": row["id"],
            "name": row["name"],
            "description": f"{row['name']}, automatically.",
            "owner": _OWNER,
            "creator": _OWNER,
            "created": "2022-01-10T16:06:16.636381447Z",
            "modifiedBy": _OWNER,
            "modified": "2022-02-03T08:12:44.101200319Z",
            "definition": {"start": next(iter(_STEPS)), "steps": steps},
            "enabled": bool(row["enabled"]),
            "trigger": {"type": row["kind"], "displayName": None, "attributes": {}},
            "executionCount": executions,
            "failureCount": failures,
        }

    # Executions

    def get_workflow_executions(self, asked: Asked) -> Answer:
        """GET /workflows/{id}/executions."""
        workflow = self._workflow(asked)
        where = self._where(asked, workflow["id"])
        total = self._count(where)
        order = "close_ns" if self.fault == "order-by-close-time" else "start_ns"
        rows = self.db.execute(
            f"SELECT * FROM executions WHERE {where.sql}"  # noqa: S608  # values are bound
            f" ORDER BY {order} DESC, id LIMIT ? OFFSET ?",
            (*where.values, *self._window(asked, total)),
        ).fetchall()
        headers = {}
        if asked.query["count"]:
            if self.fault == "count-before-filters":
                total = self._count(self._of_workflow(workflow["id"]))
            headers["X-Total-Count"] = str(total)
        return Answer(200, [self._listed_json(row) for row in rows], headers)

    def _of_workflow(self, workflow_id: str) -> Where:
        oldest_ns = self.now_ns() - _RETENTION_NS
        if self.fault == "archived-listed":
            oldest_ns = 1
        return Where(
            "hidden = 0 AND start_ns >= ? AND workflow_id = ?",
            (oldest_ns, workflow_id),
        )

    def _where(self, asked: Asked, workflow_id: str) -> Where:
        own, text = self._of_workflow(workflow_id), asked.query["filters"]
        if text is None:
            return own
        try:
            chosen = Parser(text, self.fault).parse()
        except (SyntaxFault, Unsupported) as error:
            problem = Problem("query", "filters", "", f"cannot be used: {error}")
            reason = "filter_syntax" if isinstance(error, SyntaxFault) else "invalid"
            raise Refused(400, reason, str(error), problems=[problem]) from error
        sql = chosen.sql if self.fault == "filter-leaks-workflows" else f"({chosen.sql})"
        return Where(f"{own.sql} AND {sql}", (*own.values, *chosen.values))

    def _count(self, where: Where) -> int:
        query = f"SELECT count(*) FROM executions WHERE {where.sql}"  # noqa: S608  # values are bound
        return int(self.db.execute(query, where.values).fetchone()[0])

    def _window(self, asked: Asked, total: int) -> tuple[int, int]:
        limit, offset = asked.query["limit"], asked.query["offset"]
        if self.fault == "limit-capped":
            limit = min(limit, 40)
        if self.fault == "page-overlaps":
            offset = max(offset - 1, 0)
        if self.fault == "past-the-end-repeats" and limit and offset >= total:
            offset = max(total - 1, 0) // limit * limit
        return limit, offset

    def get_workflow_execution(self, asked: Asked) -> Answer:
        """GET /workflow-executions/{id}."""
        return Answer(200, self._execution_json(self._execution(asked)))

    def get_workflow_execution_history(self, asked: Asked) -> Answer:
        """GET /workflow-executions/{id}/history."""
        row = self._execution(asked)
        if self.fault == "history-read-closes" and row["status"] == "Executing":
            close = "UPDATE executions SET status = outcome, close_ns = ? WHERE id = ?"
            self.db.execute(close, (self.now_ns(), row["id"]))
        return Answer(200, self._events(row))

    def cancel_workflow_execution(self, asked: Asked) -> Answer:
        """POST /workflow-executions/{id}/cancel."""
        row = self._execution(asked)
        if row["status"] != "Executing" and self.fault != "cancel-closed-accepted":
            raise Refused(400, "closed", f"the workflow execution has closed: {row['status']}")
        if self.fault != "cancel-does-nothing":
            change = "UPDATE executions SET status = 'Canceled', close_ns = ? WHERE id = ?"
            self.db.execute(change, (self.now_ns(), row["id"]))
        return Answer(204)

    def _execution(self, asked: Asked) -> sqlite3.Row:
        query = "SELECT * FROM executions WHERE id = ? AND start_ns >= ?"
        values = (asked.path["id"], self.now_ns() - _RETENTION_NS)
        row: sqlite3.Row | None = self.db.execute(query, values).fetchone()
        if row is None:
            text = f"there is no workflow execution {asked.path['id'][:80]}, or it is archived"
            raise Refused(404, "not_found", text)
        return row

    def _listed_json(self, row: sqlite3.Row) -> dict[str, Any]:
        result = self._execution_json(row)
        closed_ns = row["close_ns"]
        fresh = closed_ns is not None and closed_ns > self.now_ns() - 60 * SECOND
        if self.fault == "list-lags" and fresh:
            result["status"] = "Executing"
            result.pop("closeTime", None)
        return result

    def _execution_json(self, row: sqlite3.Row) -> dict[str, Any]:
        result = {
            "id": row["id"],
            "workflowId": row["workflow_id"],
            "requestId": row["request_id"],
            "startTime": rfc3339(row["start_ns"], 9),
        }
        if row["close_ns"] is not None and not self._keeps_no_end(row):
            early = self.fault == "close-before-start" and row["status"] == "Failed"
            result["closeTime"] = rfc3339(row["close_ns"] - (_HOUR_NS if early else 0), 9)
        return {**result, "status": row["status"]}

    def _keeps_no_end(self, row: sqlite3.Row) -> bool:
        return self.fault == "canceled-without-close-time" and row["status"] == "Canceled"

    def _events(self, row: sqlite3.Row) -> list[dict[str, Any]]:
        """What happened until now, or until the end: each step takes its share of the time."""
        start_ns, until_ns = row["start_ns"], row["close_ns"] or self.now_ns()
        share_ns = max(row["ends_ns"] - start_ns, 0) // (len(_STEPS) + 1)
        events: list[tuple[int, str, dict[str, Any]]] = [
            (start_ns, "WorkflowExecutionScheduled", {}),
            (start_ns, "WorkflowExecutionStarted", {"attempt": 1}),
        ]
        for index, (name, action_id) in enumerate(_STEPS.items()):
            begun_ns, told = start_ns + index * share_ns, {"activityType": action_id}
            events += [
                (begun_ns, "ActivityTaskScheduled", {**told, "displayName": name}),
                (begun_ns, "ActivityTaskStarted", {**told, "displayName": name}),
                (begun_ns + share_ns, "ActivityTaskCompleted", {**told, "displayName": name}),
            ]
        events = [event for event in events if event[0] <= until_ns]
        if row["status"] in {"Completed", "Failed"}:
            end = "Completed" if self.fault == "history-contradicts" else row["status"]
            events.append((row["close_ns"], f"WorkflowExecution{end}", {}))
        return [
            {"type": kind, "timestamp": rfc3339(at_ns, 9), "attributes": attributes}
            for at_ns, kind, attributes in events
        ]


def _unauthenticated(refused: Refused, asked: Asked) -> dict[str, str]:
    if asked.operation_id == "createToken":
        return {"error": "invalid_client", "error_description": refused.message}
    return {"error": f"JWT validation failed: {refused.message}"}


def _token_error(refused: Refused) -> dict[str, str]:
    other_grant = any(
        "grant_type" in {one.name, one.pointer.strip("/")} and one.message != "is missing"
        for one in refused.problems
    )
    code = "unsupported_grant_type" if other_grant else "invalid_request"
    return {"error": code, "error_description": refused.message}


def _message(text: str) -> dict[str, str]:
    return {"locale": "en-US", "localeOrigin": "DEFAULT", "text": text}
