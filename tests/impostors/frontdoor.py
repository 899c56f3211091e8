"""An impostor of NetFoundry Frontdoor's executions (``specs/frontdoor.yaml``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette

from tests.impostors.document import Problem
from tests.impostors.kit import (
    MILLISECOND,
    Answer,
    Asked,
    Impostor,
    Principal,
    Refused,
    basic,
    bearer,
    rfc3339,
)

FAULTS = {
    "page-repeats-last": "Every page but the first begins with the last item of the one before.",
    "page-counted-from-one": "Pages count from 1: page 0 and page 1 are the same, one is never seen.",
    "last-page-next": "The last page has a next link.",
    "next-loses-sort": "The next link leaves out the order that was asked for.",
    "total-of-the-page": "totalElements is the number of executions on the page, not of all.",
    "total-pages-rounded-down": "totalPages leaves out the last page when it is not full.",
    "past-the-end-no-total": "A page past the end says that there is no execution at all.",
    "size-capped": "A size above 50 silently gives 50, so that whoever pages loses some.",
    "sort-desc-ignored": "An order with `,desc` sorts ascending.",
    "sort-unstable": "Executions that are equal in the sort come in another order on every other page.",
    "sort-unknown-accepted": "An unknown property to sort by is ignored, not refused.",
    "state-goes-back": "Every third read of a finished execution says that it is RUNNING again.",
    "running-with-end": "A running execution has a finishedAt, in the future.",
    "end-moves": "The finishedAt of an ended execution is the time of the read.",
    "failed-ends-before-start": "A failed execution has a finishedAt before its startedAt.",
    "cancel-finished": "An execution that has ended can be cancelled and becomes CANCELLED.",
    "cancel-does-nothing": "Cancelling answers CANCELLED, and the execution runs on.",
    "cancelled-without-end": "A cancelled execution keeps null as its finishedAt.",
    "other-token-reads": "Another account's token can read an execution by its id.",
    "other-token-cancels": "Another account's token can cancel an execution.",
    "read-token-cancels": "A token with the scope frontdoor.read alone can cancel.",
    "basic-any-password": "Basic authentication is taken whatever the password.",
    "unknown-frontdoor-404": "A frontdoor that does not exist is a 404, which tells strangers what exists.",
    "find-oldest": "Find gives the execution of a process that started first, not last.",
    "find-like": "Find takes the process id for a pattern: `%` finds an execution.",
    "find-quote-500": "A quote in the process id gives a 500.",
    "missing-challenge": "401 comes without the header WWW-Authenticate.",
    "conflict-other-shape": "The 409 has the framework's error body, not the vendor's.",
}

TOKENS = {"main": "0b6c52a1f3e94d7788ad", "other": "f7d01e35c2b84a069b4e"}

READ, WRITE = "frontdoor.read", "frontdoor.write"
HAL = "application/hal+json"
_MAIN = "3d6d2b6e-6c7a-4a7f-8c3d-9a9d2e1f0b1c"
_OTHER = "81a5c0de-27f4-4b63-9d10-5e2f7c6b8a94"
# client → its secret, the account it acts for, what it may do.
_CLIENTS = {
    "dev-client": ("dev-secret", "main", {READ, WRITE}),
    "other-client": ("other-secret", "other", {READ, WRITE}),
    "reader-client": ("reader-secret", "main", {READ}),
}
_LIFETIME_S = 3600
_MINUTE_MS = 60_000
# A new execution arrives in every frontdoor so often.
_ARRIVAL_MS = 1000
_COLUMNS = {
    "id": "id",
    "processId": "process_id",
    "name": "name",
    "status": "status",
    "startedAt": "started_ms",
    "createdAt": "created_ms",
}
_TASKS = (
    "provision frontend",
    "create health check",
    "provision custom domain",
    "renew certificate",
)
_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    403: "not_found",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "payload_too_large",
    415: "unsupported_media_type",
}
_TYPES = {
    "frontdoorId": "UUID",
    "page": "Integer",
    "size": "Integer",
    "sort": "property[,asc|desc]",
}


def make_app(fault: str | None = None) -> Starlette:
    """The server, with one of ``FAULTS`` or correct."""
    return Frontdoor(fault).app()


class Frontdoor(Impostor):
    """The server."""

    name = "frontdoor"
    _reads = 0

    # The past, and what arrives

    def seed(self) -> None:
        """Two accounts with a frontdoor each, their tokens, and what ran so far."""
        self.db.execute("CREATE TABLE frontdoors (id PRIMARY KEY, account, arrives_ms)")
        self.db.execute("CREATE TABLE tokens (token PRIMARY KEY, account, scopes, expires_ms)")
        self.db.execute(
            "CREATE TABLE executions (id PRIMARY KEY, frontdoor, process_id, name, status,"
            " created_ms, started_ms, ends_ms, finished_ms, outcome)"
        )
        now_ms = self._now_ms()
        for account, frontdoor in (("main", _MAIN), ("other", _OTHER)):
            values = (frontdoor, account, now_ms + _ARRIVAL_MS)
            self.db.execute("INSERT INTO frontdoors VALUES (?, ?, ?)", values)
            self._keep_token(TOKENS[account], account, {READ, WRITE}, 10**15)
        self._add("exe-1", _MAIN, "abc-123", now_ms - 2 * _MINUTE_MS, 60 * _MINUTE_MS)
        self._add("exe-2", _MAIN, "abc-123", now_ms - 9 * _MINUTE_MS, 4000, "FINISHED")
        self._add("exe-3", _MAIN, "abc-123", now_ms - 30 * _MINUTE_MS, 9000, "FAILED")
        for index in range(4, 90):
            frontdoor = _OTHER if index % 4 == 0 else _MAIN
            created_ms = now_ms - (index // 2) * 7 * _MINUTE_MS - self.ids.below(4) * 1000
            runs_ms = 60 * _MINUTE_MS * 8 if index < 14 else self.ids.between(1, 9) * 1000
            process_id = f"prc-{self.ids.below(30)}"
            self._add(f"exe-{index}", frontdoor, process_id, created_ms, runs_ms)

    def _add(
        self,
        execution_id: str,
        frontdoor: str,
        process_id: str,
        created_ms: int,
        runs_ms: int,
        outcome: str = "",
    ) -> None:
        started_ms = created_ms + 20
        name = f"{_TASKS[self.ids.below(len(_TASKS))]} shop-{self.ids.below(5)}"
        ends = outcome or ("FAILED" if self.ids.below(4) == 0 else "FINISHED")
        self.db.execute(
            "INSERT INTO executions VALUES (?, ?, ?, ?, 'RUNNING', ?, ?, ?, NULL, ?)",
            (
                execution_id,
                frontdoor,
                process_id,
                name,
                created_ms,
                started_ms,
                started_ms + runs_ms,
                ends,
            ),
        )

    def call(self, asked: Asked) -> Answer:
        """Lets arrive and end what is due before the operation looks."""
        now_ms = self._now_ms()
        for row in self.db.execute("SELECT * FROM frontdoors").fetchall():
            for created_ms in range(row["arrives_ms"], now_ms - 20, _ARRIVAL_MS):
                self._arrive(row["id"], created_ms)
        self.db.execute(
            "UPDATE executions SET status = outcome, finished_ms = ends_ms"
            " WHERE status = 'RUNNING' AND ends_ms <= ?",
            (now_ms,),
        )
        return super().call(asked)

    def _arrive(self, frontdoor: str, created_ms: int) -> None:
        (count,) = self.db.execute("SELECT count(*) FROM executions").fetchone()
        # One in four takes long enough to be cancelled by whoever likes.
        runs_ms = _MINUTE_MS if self.ids.below(4) == 0 else self.ids.between(100, 400)
        self._add(f"exe-{count + 1}", frontdoor, f"prc-{self.ids.below(30)}", created_ms, runs_ms)
        following_ms = (created_ms + _ARRIVAL_MS, frontdoor)
        self.db.execute("UPDATE frontdoors SET arrives_ms = ? WHERE id = ?", following_ms)

    def _now_ms(self) -> int:
        return self.now_ns() // MILLISECOND

    # Refusals

    def refusal(self, refused: Refused, asked: Asked) -> Answer:
        """The vendor's one form."""
        headers = dict(refused.headers)
        if refused.status == 401 and self.fault != "missing-challenge":
            headers["www-authenticate"] = 'Bearer realm="frontdoor", Basic realm="frontdoor"'
        if refused.status == 409 and self.fault == "conflict-other-shape":
            path = asked.request.url.path
            return Answer(409, {"status": 409, "error": "Conflict", "path": path}, headers)
        message = "; ".join(_sentence(one) for one in refused.problems) or refused.message
        return Answer(
            refused.status, {"error": _CODES[refused.status], "message": message}, headers
        )

    def forgives(self, asked: Asked, problem: Problem) -> bool:
        """Lets an unknown order through."""
        lists = asked.operation_id == "listExecutions" and problem.name == "sort"
        return lists and self.fault == "sort-unknown-accepted"

    # Who asks

    def authenticate(
        self,
        asked: Asked,
        schemes: tuple[Mapping[str, list[str]], ...],  # noqa: ARG002  # scopes come with the path
    ) -> Principal:
        """The account of a token, as Bearer or as the password of Basic."""
        pair = basic(asked.request)
        if pair and self.fault == "basic-any-password":
            return Principal("main", frozenset({READ, WRITE}))
        token = pair[1] if pair else bearer(asked.request)
        query = "SELECT * FROM tokens WHERE token = ? AND expires_ms > ?"
        row = self.db.execute(query, (token, self._now_ms())).fetchone()
        if row is None:
            raise Refused(401, "unauthenticated", "Bearer token is missing or invalid")
        return Principal(row["account"], frozenset(row["scopes"].split()))

    def create_token(self, asked: Asked) -> Answer:
        """POST /oauth/token."""
        body = asked.body
        secret, account, allowed = _CLIENTS.get(body["client_id"], ("", "", set()))
        if not account or body["client_secret"] != secret:
            raise Refused(401, "unauthenticated", "Client credentials are invalid")
        scopes = set(body["scope"].split()) if "scope" in body else allowed
        if not scopes <= allowed:
            words = " or ".join(sorted(allowed))
            raise Refused(400, "invalid", f"Value for scope must be of {words}")
        token = self.ids.hex(48)
        self._keep_token(token, account, scopes, self._now_ms() + _LIFETIME_S * 1000)
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": _LIFETIME_S,
            "scope": " ".join(sorted(scopes)),
        }
        return Answer(200, answer, {"cache-control": "no-store"})

    def _keep_token(self, token: str, account: str, scopes: set[str], expires_ms: int) -> None:
        values = (token, account, " ".join(scopes), expires_ms)
        self.db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?)", values)

    def _reach(self, asked: Asked, scope: str, lets_in: str = "") -> str:
        """The frontdoor, if the caller may do that there; the fault ``lets_in`` everybody."""
        named: str = asked.path["frontdoorId"]
        query = "SELECT * FROM frontdoors WHERE id = ?"
        row = self.db.execute(query, (named.lower(),)).fetchone()
        if row is None and self.fault == "unknown-frontdoor-404":
            raise Refused(404, "not_found", f"Frontdoor {named} not found")
        owned = row is not None and row["account"] == asked.caller.name
        if row is not None and lets_in and self.fault == lets_in:
            owned = True
        allowed = scope in asked.caller.scopes
        if scope == WRITE and self.fault == "read-token-cancels":
            allowed = True
        if not owned or not allowed:
            raise Refused(403, "forbidden", f"Frontdoor {named} not found")
        return str(row["id"])

    # Executions

    def list_executions(self, asked: Asked) -> Answer:
        """GET /{frontdoorId}/executions."""
        frontdoor = self._reach(asked, READ)
        page, size = asked.query["page"], asked.query["size"]
        count = "SELECT count(*) FROM executions WHERE frontdoor = ?"
        (total,) = self.db.execute(count, (frontdoor,)).fetchone()
        rows = self.db.execute(
            "SELECT * FROM executions WHERE frontdoor = ?"  # noqa: S608  # columns are ours
            f" ORDER BY {self._order(asked)} LIMIT ? OFFSET ?",
            (frontdoor, *self._window(page, size)),
        ).fetchall()
        if self.fault == "total-of-the-page":
            total = len(rows)
        if self.fault == "past-the-end-no-total" and not rows:
            total = 0
        pages = -(-total // size)
        if self.fault == "total-pages-rounded-down":
            pages = total // size
        if asked.accept == HAL:
            return Answer(200, self._hal_page(asked, frontdoor, rows, total, pages), media_type=HAL)
        body = {
            "content": [self._execution(row) for row in rows],
            "pageable": {"pageNumber": page, "pageSize": size},
            "totalElements": total,
            "totalPages": pages,
        }
        return Answer(200, body)

    def _order(self, asked: Asked) -> str:
        name, _, direction = asked.query["sort"].partition(",")
        columns = list(dict.fromkeys([_COLUMNS.get(name, "created_ms"), "created_ms", "id"]))
        descends = direction.lower() == "desc" and self.fault != "sort-desc-ignored"
        if self.fault == "sort-unstable" and asked.query["page"] % 2:
            return ", ".join([f"{columns[0]} {'DESC' if descends else ''}", "random()"])
        return ", ".join(f"{column} {'DESC' if descends else 'ASC'}" for column in columns)

    def _window(self, page: int, size: int) -> tuple[int, int]:
        skipped = page * size
        if self.fault == "page-repeats-last" and page:
            skipped -= 1
        if self.fault == "page-counted-from-one":
            skipped = max(page - 1, 0) * size
        return (min(size, 50) if self.fault == "size-capped" else size), skipped

    def _hal_page(
        self, asked: Asked, frontdoor: str, rows: list[sqlite3.Row], total: int, pages: int
    ) -> dict[str, Any]:
        number, size = asked.query["page"], asked.query["size"]
        executions = [self._model(asked, frontdoor, row) for row in rows]
        result: dict[str, Any] = {"_embedded": {"executionList": executions}} if rows else {}
        last = max(pages - 1, 0)
        links = {"self": number, "first": 0}
        if number > 0:
            links["prev"] = min(number - 1, last)
        if number < last or (number == last and self.fault == "last-page-next"):
            links["next"] = number + 1
        links["last"] = last
        address = f"{asked.base_url}/{frontdoor}/executions"
        result["_links"] = {
            name: {"href": f"{address}?{self._link_query(asked, name, page)}"}
            for name, page in links.items()
        }
        result["page"] = {
            "size": size,
            "totalElements": total,
            "totalPages": pages,
            "number": number,
        }
        return result

    def _link_query(self, asked: Asked, link: str, page: int) -> str:
        query = f"page={page}&size={asked.query['size']}"
        if link == "next" and self.fault == "next-loses-sort":
            return query
        return f"{query}&sort={quote(asked.query['sort'], safe=',')}"

    def find_execution(self, asked: Asked) -> Answer:
        """GET /{frontdoorId}/executions:find."""
        frontdoor, process_id = self._reach(asked, READ), asked.query["processId"]
        condition, values = "process_id = ?", [process_id]
        if self.fault == "find-like":
            condition = "process_id LIKE ?"
        if self.fault == "find-quote-500":
            condition, values = f"process_id = '{process_id}'", []
        direction = "ASC" if self.fault == "find-oldest" else "DESC"
        row = self.db.execute(
            f"SELECT * FROM executions WHERE frontdoor = ? AND {condition}"  # noqa: S608  # the fault
            f" ORDER BY started_ms {direction}, id {direction} LIMIT 1",
            (frontdoor, *values),
        ).fetchone()
        if row is None:
            text = f"Execution with processId {process_id} not found"
            raise Refused(404, "not_found", text)
        return self._one(asked, frontdoor, row)

    def get_execution(self, asked: Asked) -> Answer:
        """GET /{frontdoorId}/executions/{id}."""
        frontdoor = self._reach(asked, READ, "other-token-reads")
        return self._one(asked, frontdoor, self._owned(asked, frontdoor))

    def cancel_execution(self, asked: Asked) -> Answer:
        """POST /{frontdoorId}/executions/{id}:cancel."""
        frontdoor = self._reach(asked, WRITE, "other-token-cancels")
        row = self._owned(asked, frontdoor)
        if row["status"] != "RUNNING" and self.fault != "cancel-finished":
            text = f"Execution {row['id']} is already {row['status']}"
            raise Refused(409, "conflict", text)
        if self.fault == "cancel-does-nothing":
            shown = {**dict(row), "status": "CANCELLED", "finished_ms": self._now_ms()}
            return self._one(asked, frontdoor, shown)
        finished_ms = None if self.fault == "cancelled-without-end" else self._now_ms()
        change = "UPDATE executions SET status = 'CANCELLED', finished_ms = ? WHERE id = ?"
        self.db.execute(change, (finished_ms, row["id"]))
        return self._one(asked, frontdoor, self._owned(asked, frontdoor))

    def _owned(self, asked: Asked, frontdoor: str) -> sqlite3.Row:
        query = "SELECT * FROM executions WHERE id = ? AND frontdoor = ?"
        row: sqlite3.Row | None = self.db.execute(query, (asked.path["id"], frontdoor)).fetchone()
        if row is None:
            raise Refused(404, "not_found", f"Execution {asked.path['id'][:200]} not found")
        return row

    def _one(self, asked: Asked, frontdoor: str, row: sqlite3.Row | dict[str, Any]) -> Answer:
        shown = self._stale(row) if asked.operation_id == "getExecution" else row
        if asked.accept == HAL:
            return Answer(200, self._model(asked, frontdoor, shown), media_type=HAL)
        return Answer(200, self._execution(shown))

    def _stale(self, row: sqlite3.Row | dict[str, Any]) -> sqlite3.Row | dict[str, Any]:
        """With the fault, what a replica says that has not yet heard of the end."""
        if self.fault != "state-goes-back" or row["status"] == "RUNNING":
            return row
        self._reads += 1
        return (
            {**dict(row), "status": "RUNNING", "finished_ms": None} if self._reads % 3 == 0 else row
        )

    def _model(
        self, asked: Asked, frontdoor: str, row: sqlite3.Row | dict[str, Any]
    ) -> dict[str, Any]:
        href = f"{asked.base_url}/{frontdoor}/executions/{row['id']}"
        return {**self._execution(row), "_links": {"self": {"href": href}}}

    def _execution(self, row: sqlite3.Row | dict[str, Any]) -> dict[str, Any]:
        finished_ms = self._finished_ms(row)
        return {
            "id": row["id"],
            "processId": row["process_id"],
            "name": row["name"],
            "status": row["status"],
            "createdAt": _time(row["created_ms"]),
            "startedAt": _time(row["started_ms"]),
            "finishedAt": None if finished_ms is None else _time(finished_ms),
        }

    def _finished_ms(self, row: sqlite3.Row | dict[str, Any]) -> int | None:
        finished_ms: int | None = row["finished_ms"]
        if self.fault == "running-with-end" and row["status"] == "RUNNING":
            return int(row["ends_ms"])
        if finished_ms is not None and self.fault == "end-moves":
            return self._now_ms()
        if self.fault == "failed-ends-before-start" and row["status"] == "FAILED":
            return int(row["started_ms"]) - 3000
        return finished_ms


def _time(at_ms: int) -> str:
    return rfc3339(at_ms * MILLISECOND, 3)


def _sentence(problem: Problem) -> str:
    name = problem.name or problem.pointer.strip("/") or "body"
    if problem.name in _TYPES:
        return f"Value for {name} must be of {_TYPES[problem.name]}"
    return f"Value for {name} must be of String: {problem.message}"
