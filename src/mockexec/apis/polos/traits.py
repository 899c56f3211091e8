"""What the Polos document promises in prose: see ``mockexec.traits``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from mockexec.simulation.chance import Random
from mockexec.simulation.instants import MICROSECOND, parse_instant
from mockexec.simulation.lifecycle import (
    CANCELLED,
    CANCELLING,
    CLAIMED,
    COMPLETED,
    FAILED,
    QUEUED,
    RUNNING,
    TERMINATED,
    WAITING,
)
from mockexec.traits import (
    ABSENT,
    And,
    Answer,
    Ask,
    Auth,
    Compare,
    Control,
    Credential,
    Expression,
    Field,
    Filtering,
    Invalid,
    Item,
    Life,
    Limits,
    Listing,
    Moment,
    Order,
    Ownership,
    PageOf,
    Player,
    Problem,
    Promise,
    Refusals,
    Start,
    Traits,
    Unknown,
    Window,
    bearer,
    spellings,
)

# The document's example, and the other project of the default scenario.
_PROJECT = "7a3f1c52-9d0e-4b86-8f14-2c6b5e0d9a71"
_THEIRS = "1e8b4c60-5f27-4d93-a1c8-6b0e7d9f2345"
_NOBODYS = "00000000-0000-4000-8000-000000000000"
_ENDED = frozenset({"completed", "failed", "cancelled"})
_STEP = "approve_refund"
_KINDS = ("workflow", "agent", "tool")


def _get(identifier: str, **more: Any) -> Ask:
    return Ask("getExecution", path={"execution_id": identifier}, **more)


def _cancel(identifier: str, **more: Any) -> Ask:
    return Ask("cancelExecution", path={"execution_id": identifier}, **more)


def _project(project: str) -> Mapping[str, str]:
    return {"X-Project-ID": project}


def _list(page: PageOf, project: str = _PROJECT, kind: str | None = None, **more: Any) -> Ask:
    wanted = {
        "limit": page.limit,
        "offset": page.at,
        "start_time": page.since,
        "end_time": page.until,
        "workflow_type": kind,
        **(page.where or {}),
    }
    query = {name: value for name, value in wanted.items() if value is not None}
    return Ask("listRuns", query=query, header=_project(project), **more)


def _run(body: Any, workflow: str = "order_processing", **more: Any) -> Ask:
    return Ask("runWorkflow", path={"workflow_id": workflow}, body=body, **more)


def _approval(identifier: str, step: str = _STEP) -> Ask:
    path = {"execution_id": identifier, "step_key": step}
    return Ask("getApproval", path=path, principal="none")


def _answer(identifier: str, data: Any, step: str = _STEP) -> Ask:
    path = {"execution_id": identifier, "step_key": step}
    return Ask("submitApproval", path=path, body={"data": data}, principal="none")


# Lifecycle


def _cancelled_by(item: Item) -> Problem | None:
    if (item["cancelled_by"] is None) != (item["cancelled_at"] is None):
        return Problem(
            "cancelled_by and cancelled_at do not go together",
            "both or neither",
            f"cancelled_by {item['cancelled_by']!r}, cancelled_at {item['cancelled_at']!r}",
        )
    return None


def _outcome(item: Item) -> Problem | None:
    status = item["status"]
    if status == "failed" and item["error"] is None:
        return Problem("a failed execution has no error", "error: a text", "null")
    if status == "completed" and item["error"] is not None:
        return Problem("a completed execution has an error", "error: null", repr(item["error"]))
    if status != "completed" and item["result"] is not None:
        return Problem(
            "an execution that has not completed has a result",
            "result: null until it completes",
            f"{status}, result {item['result']!r}",
        )
    if status == "cancelled" and item.get("assigned_to_worker") is not None:
        return Problem(
            "a cancelled execution still has a worker",
            "assigned_to_worker: null",
            str(item["assigned_to_worker"]),
        )
    return None


_LIFE = Life(
    id=lambda item: str(item["id"]),
    word=lambda item: str(item["status"]),
    states={
        "pending": frozenset({QUEUED, CLAIMED}),
        "running": frozenset({RUNNING, WAITING, CANCELLING}),
        "completed": frozenset({COMPLETED}),
        "failed": frozenset({FAILED}),
        "cancelled": frozenset({CANCELLED, TERMINATED}),
    },
    read=_get,
    moments=(
        Moment("created_at"),
        Moment("started_at", needs=frozenset({"running", "completed", "failed"})),
        Moment(
            "completed_at",
            needs=frozenset({"completed", "failed"}),
            forbids=frozenset({"pending", "running", "cancelled"}),
        ),
        Moment(
            "cancelled_at",
            needs=frozenset({"cancelled"}),
            forbids=frozenset({"pending", "completed", "failed"}),
        ),
    ),
    constants=(
        "id", "workflow_id", "payload", "created_at", "deployment_id", "parent_execution_id",
        "root_execution_id", "step_key", "queue_name", "concurrency_key", "batch_id",
        "session_id", "user_id", "run_timeout_seconds",
    ),
    once=("started_at", "completed_at", "cancelled_by"),
    rises=("retry_count",),
    rules=(_cancelled_by, _outcome),
)  # fmt: skip


# Starting

_KEPT = ("queue_name", "concurrency_key", "session_id", "user_id", "run_timeout_seconds")


def _payload(random: Random) -> Any:
    return {
        "order_id": f"ORD-{random.randrange(10**6):06}",
        # What comes back must be what was sent, to the last digit and character.
        "number": 2**53 + 1 + random.randrange(100),
        "fraction": 0.1,
        "text": 'Łódź — 東京 🚚 "quoted" \\ \n end',
        "nested": {"list": [1, None, True, {"deep": []}], "": "an empty name"},
    }


def _entry(random: Random) -> dict[str, Any]:
    return {
        "payload": _payload(random),
        "queue_name": f"verify-{random.randrange(1000)}",
        "concurrency_key": f"customer-{random.randrange(1000)}",
        "run_timeout_seconds": 3600 + random.randrange(1000),
    }


def _one(random: Random) -> Ask:
    more = {"session_id": f"session-{random.randrange(10**6)}", "user_id": "verify.user"}
    return _run({**_entry(random), **more})


def _plain(random: Random) -> Ask:
    return _run({"payload": {"order_id": f"ORD-{random.randrange(10**6):06}"}})


def _reviewed(random: Random) -> Ask:
    return _run({"payload": {"order_id": f"ORD-{random.randrange(10**6):06}"}}, "refund_review")


def _failing(random: Random) -> Ask:
    return _run({"payload": {"region": f"EMEA {random.randrange(1000)}"}}, "weekly_sales_report")


def _unregistered(random: Random) -> Ask:
    return _run({"payload": [None, random.randrange(1000)]}, "nobody registered/ü this")


def _batch(random: Random) -> Ask:
    entries = [{"workflow_id": "order_processing", **_entry(random)} for _ in range(3)]
    # Equal entries are two runs all the same.
    entries.append(entries[0])
    entries.append({"workflow_id": "customer_onboarding", "payload": random.randrange(1000)})
    body = {"workflows": entries, "session_id": f"batch-{random.randrange(1000)}", "user_id": "me"}
    return Ask("runWorkflowBatch", body=body)


def _echo(ask: Ask, _index: int) -> Mapping[str, Any]:
    workflow = ask.path["workflow_id"]
    sent = {name: ask.body[name] for name in _KEPT if name in ask.body}
    own = {"workflow_id": workflow, "payload": ask.body["payload"], "batch_id": None}
    return {"queue_name": workflow, "retry_count": 0, **own, **sent}


def _batch_echo(ask: Ask, index: int) -> Mapping[str, Any]:
    entry = ask.body["workflows"][index]
    sent = {name: entry[name] for name in (*_KEPT, "workflow_id", "payload") if name in entry}
    shared = {name: ask.body[name] for name in ("session_id", "user_id")}
    return {"queue_name": entry["workflow_id"], **sent, **shared}


def _ids(body: Any) -> Sequence[str]:
    return (body["execution_id"],)


# Lists


def _next(page: PageOf, answer: Answer) -> PageOf | None:
    """Ask with a growing offset until a page comes back shorter than the limit."""
    got = len(answer.body)
    return replace(page, at=(page.at or 0) + got) if got and got == (page.limit or 50) else None


def _write(expression: Expression) -> Any:
    match expression:
        case Compare(field, "eq", value):
            return {field.name: value}
        case And(parts):
            return {name: value for part in parts for name, value in _write(part).items()}
    raise ValueError(f"the list has no filter such as {expression}")


_LIST = Listing(
    operation="listRuns",
    ask=_list,
    items=lambda body: body,
    next=_next,
    everything=PageOf(10_000),
    limits=Limits(name="limit", default=50, least=0, most=10_000, over="refused"),
    orders=(
        Order(
            name="newest first",
            key=lambda item: parse_instant(item["created_at"]),
            descending=True,
        ),
    ),
    filtering=Filtering(
        fields=(
            Field(
                name="workflow_id",
                operators=("eq",),
                value=lambda item: item["workflow_id"],
                extra=("order", "no such workflow"),
                is_text=True,
            ),
        ),
        write=_write,
        connectives=frozenset(),
        once=True,
    ),
    window=Window(
        instant=lambda item: parse_instant(item["created_at"]),
        write=lambda ns: spellings(ns, digits=6, zone="+00:00"),
        since_included=True,
        until_included=True,
        step_ns=MICROSECOND,
    ),
    shifts=True,
    same=(
        "id", "root_execution_id", "workflow_id", "session_id", "created_at", "status",
        "completed_at", "payload", "result", "error",
    ),
    past=lambda total: PageOf(7, total + 5),
    broken=(
        (PageOf(limit=-1), "a negative limit"),
        (PageOf(at=-1), "a negative offset"),
    ),
)  # fmt: skip


def _cancelling(before: Item, answer: Answer) -> Problem | None:
    if answer.body["execution_id"] != before["id"]:
        return Problem(
            "the answer to cancelling names another execution",
            before["id"],
            answer.body["execution_id"],
        )
    return None


def _cancelled_by_user(_before: Item, after: Item) -> Problem | None:
    if after["cancelled_by"] != "user":
        return Problem(
            "an execution that a call cancelled is not cancelled_by user",
            "cancelled_by: user",
            repr(after["cancelled_by"]),
        )
    return None


# Credentials


_AUTH = Auth(
    broken=(
        Credential(name="a key nobody has", headers=bearer("sk_" + "A" * 32)),
        Credential(name="a token that is no key", headers=bearer("no-such-token")),
        Credential(name="a bare prefix", headers=bearer("sk_")),
        Credential(name="an unknown scheme", headers={"Authorization": "Digest abc"}),
    ),
    expired=(
        Credential(name="an expired key", headers=bearer("sk_expiredPolos7a3f1c529d0e4b868f14")),
    ),
)


def _wrong(answer: Answer) -> str | None:
    kinds = {
        400: {"BAD_REQUEST", "CANCELLATION_ERROR"},
        401: {"UNAUTHORIZED"},
        403: {"FORBIDDEN", "PROJECT_ACCESS_FORBIDDEN"},
        404: {"NOT_FOUND", "CANCELLATION_ERROR"},
        405: {"METHOD_NOT_ALLOWED"},
        406: {"NOT_ACCEPTABLE"},
        409: {"CONFLICT"},
        413: {"PAYLOAD_TOO_LARGE"},
        415: {"UNSUPPORTED_MEDIA_TYPE"},
        422: {"UNPROCESSABLE_ENTITY"},
    }
    body = answer.body
    if not isinstance(body, dict) or set(body) != {"error", "error_type"}:
        return "is not {error, error_type}"
    if answer.status in kinds and body["error_type"] not in kinds[answer.status]:
        return f"has the error_type {body['error_type']!r}"
    return None


# Other promises


def _batch_belongs_together(player: Player) -> Iterator[Problem]:
    answer = player.send(_batch(player.random))
    if not answer.ok:
        return
    ids = [entry["execution_id"] for entry in answer.body["executions"]]
    runs = [player.send(_get(identifier)).body for identifier in ids]
    batches = {run.get("batch_id") for run in runs if isinstance(run, dict)}
    if len(batches) != 1 or None in batches:
        yield Problem(
            "the runs of a batch do not share their batch_id",
            "one batch_id",
            str(sorted(map(str, batches))),
        )


def _sessions_are_made(player: Player) -> Iterator[Problem]:
    answer = player.send(_plain(player.random))
    if not answer.ok:
        return
    run = player.send(_get(answer.body["execution_id"])).body
    if run["created_at"] != answer.body["created_at"]:
        yield Problem(
            "the created_at of a submission is not that of its execution",
            answer.body["created_at"],
            run["created_at"],
        )
    try:
        UUID(run["session_id"] or "")
    except ValueError:
        yield Problem(
            "a run without a session_id gets no new UUID as one",
            "session_id: a UUID",
            repr(run["session_id"]),
        )


def _kinds_are_apart(player: Player) -> Iterator[Problem]:
    """Only one kind can be listed at a time, whatever else narrows the list."""
    lists = {kind: player.send(_list(PageOf(200), kind=kind)) for kind in _KINDS}
    if not all(answer.ok for answer in lists.values()):
        return
    ids = {kind: {item["id"] for item in answer.body} for kind, answer in lists.items()}
    default = player.send(_list(PageOf(200)))
    for kind in _KINDS:
        for other in _KINDS:
            if kind < other and ids[kind] & ids[other]:
                yield Problem(
                    "a run is listed as of two workflow types",
                    f"each either as {kind} or as {other}",
                    str(sorted(ids[kind] & ids[other])[:3]),
                )
    agents = [item for kind in ("agent", "tool") for item in lists[kind].body[:2]]
    if default.ok and any(item["id"] in {a["id"] for a in agents} for item in default.body):
        yield Problem(
            "without workflow_type, agents or tools are listed",
            "runs of the type workflow",
            "a run of another type",
        )
    for item in agents:
        where = {"workflow_id": item["workflow_id"]}
        answer = player.send(_list(PageOf(200, where=where)))
        if answer.ok and answer.body:
            yield Problem(
                "with workflow_id the list forgets the workflow_type",
                f"no {item['workflow_id']} among the runs of the type workflow",
                f"{len(answer.body)} of them",
            )
            return


def _waiting_run(player: Player) -> str | None:
    """A run that just began to wait for an approval."""
    started = player.send(_reviewed(player.random))
    if not started.ok:
        return None
    identifier: str = started.body["execution_id"]
    for _ in range(40):
        asked = player.send(_approval(identifier))
        if asked.ok and asked.body["status"] == "waiting":
            return identifier
        player.wait(0.05)
    # A mock's takes some seconds of its clock.
    for _ in range(20):
        asked = player.send(_approval(identifier))
        if asked.ok and asked.body["status"] == "waiting":
            return identifier
        player.wait(2)
    return None


def _approvals(player: Player) -> Iterator[Problem]:
    identifier = _waiting_run(player)
    if identifier is None:
        return
    asked = player.send(_approval(identifier))
    if asked.body["data"] is None:
        yield Problem("a waiting run asks nothing", "data: what it asks", "null", "getApproval")
    data = {"approved": True, "comment": f"verify {player.random.randrange(10**6)}"}
    first = player.send(_answer(identifier, data))
    if not first.ok:
        yield Problem("a waiting run cannot be answered", "200", str(first.status))
        return
    second = player.send(_answer(identifier, {"approved": False}))
    if second.ok:
        yield Problem(
            "an approval that has been answered can be answered again",
            "409 for the second answer",
            str(second.status),
        )
    run = player.settle(identifier)
    now = player.send(_approval(identifier))
    if run is None or run["status"] == "cancelled":
        if run is not None or (now.ok and now.body["status"] == "waiting"):
            yield Problem(
                "a run does not go on after its approval was answered",
                "at work, completed or failed",
                "waiting" if run is None else run["status"],
            )
        return
    given = run["result"].get("approvals", {}) if isinstance(run["result"], dict) else {}
    if _STEP in given and given[_STEP] != data:
        yield Problem(
            "the run has another answer to its approval than the first one",
            str(data),
            str(given[_STEP]),
        )
    if now.ok and (now.body["status"], now.body["data"]) != (run["status"], None):
        yield Problem(
            "an approval that has been handled still asks",
            f"status {run['status']}, data null",
            f"status {now.body['status']}, data {now.body['data']}",
            "getApproval",
        )
    third = player.send(_answer(identifier, {"approved": False}))
    if third.ok:
        yield Problem(
            "a run that has ended can be answered", "409", str(third.status), "submitApproval"
        )


def _cancels_the_family(player: Player) -> Iterator[Problem]:
    """Cancelling one cancels its children and its ancestors."""
    for cancelled in (0, 1):
        parent = player.send(_reviewed(player.random))
        if not parent.ok:
            return
        parent_id = parent.body["execution_id"]
        body = {"payload": {}, "parent_execution_id": parent_id, "step_key": "child"}
        child = player.send(_run(body, "refund_review"))
        if not child.ok:
            return
        ids = (parent_id, child.body["execution_id"])
        shown = player.send(_get(ids[1])).body
        if shown["parent_execution_id"] != parent_id or shown["root_execution_id"] != parent_id:
            yield Problem(
                "a child does not show its parent and root",
                f"parent_execution_id and root_execution_id {parent_id}",
                f"{shown['parent_execution_id']}, {shown['root_execution_id']}",
                "getExecution",
            )
        if not player.send(_cancel(ids[cancelled])).ok:
            return
        relation = ("child", "parent")[cancelled]
        relative = player.settle(ids[1 - cancelled])
        if relative is None or relative["status"] != "cancelled":
            yield Problem(
                f"cancelling an execution does not cancel its {relation}",
                f"the {relation} is cancelled too",
                "it is still open" if relative is None else f"it is {relative['status']}",
            )


_GONE = frozenset({404})

TRAITS = Traits(
    life=_LIFE,
    starts=(
        Start(name="run", ask=_one, ids=_ids, echo=_echo, listed="listRuns"),
        Start(name="run with the defaults", ask=_plain, ids=_ids, echo=_echo, listed="listRuns"),
        Start(name="run that asks", ask=_reviewed, ids=_ids, echo=_echo, waits=True,
              listed="listRuns"),
        Start(name="run that may fail", ask=_failing, ids=_ids, echo=_echo, listed="listRuns"),
        Start(name="run nobody registered", ask=_unregistered, ids=_ids, echo=_echo),
        Start(
            name="batch",
            ask=_batch,
            ids=lambda body: [entry["execution_id"] for entry in body["executions"]],
            echo=_batch_echo,
            listed="listRuns",
        ),
    ),
    lists=(_LIST,),
    controls=(
        Control(
            name="cancelling",
            ask=_cancel,
            ends=frozenset({"cancelled"}),
            refused=frozenset({400}),
            answers=_cancelling,
            shows=_cancelled_by_user,
            repeats=True,
        ),
    ),
    ownership=Ownership(
        reads=lambda identifier: (_get(identifier, principal="other"),),
        changes=lambda identifier: (
            _cancel(identifier, principal="other"),
            _cancel(identifier, header=_project(_PROJECT), principal="other"),
        ),
        lists=(_list(PageOf(1000), _THEIRS, principal="other"),),
        closed=(
            _list(PageOf(5), principal="other"),
            _list(PageOf(5), _THEIRS),
            _run({"payload": {}}, header=_project(_PROJECT), principal="other"),
            Ask(
                "runWorkflowBatch",
                header=_project(_PROJECT),
                body={"workflows": [{"workflow_id": "order_processing", "payload": {}}]},
                principal="other",
            ),
        ),
    ),
    auth=_AUTH,
    refusals=Refusals(
        wrong=_wrong,
        unknown=(
            Unknown(_get(_NOBODYS), _GONE, "an id that nobody has"),
            Unknown(_cancel(_NOBODYS), _GONE, "an id that nobody has"),
            Unknown(_approval(_NOBODYS), _GONE, "an id that nobody has"),
            Unknown(_answer(_NOBODYS, "yes"), _GONE, "an id that nobody has"),
            Unknown(
                _approval("5d27c9b4-0e6f-4a13-b7d8-94f1e8c20a6b", "no_such_step"),
                _GONE,
                "a step that does not exist",
            ),
            Unknown(
                _run({"payload": {}, "parent_execution_id": _NOBODYS}),
                _GONE, "a parent that does not exist"),
            Unknown(
                _run({"payload": {}}, header=_project(_NOBODYS)),
                frozenset({403, 404}),
                "a project that does not exist",
            ),
        ),
    ),
    invalid=(
        Invalid(
            ask=Ask("listRuns", header={"X-Project-ID": "no uuid"}),
            reason="an X-Project-ID that is no UUID",
            refused=frozenset({400}),
        ),
        Invalid(
            ask=Ask("listRuns", header={"X-Project-ID": ABSENT}),
            reason="a list without X-Project-ID",
            refused=frozenset({400}),
        ),
        Invalid(
            ask=Ask("runWorkflowBatch", body={"workflows": []}),
            reason="a batch of nothing",
            refused=frozenset({400, 422}),
        ),
        Invalid(
            ask=_run({"queue_name": "x"}),
            reason="a run without payload",
            refused=frozenset({422}),
        ),
    ),
    promises=(
        Promise("a batch belongs together", "runWorkflowBatch", True, _batch_belongs_together),
        Promise("sessions are made", "runWorkflow", True, _sessions_are_made),
        Promise("kinds are apart", "listRuns", False, _kinds_are_apart),
        Promise("approvals", "submitApproval", True, _approvals),
        Promise("cancelling a family", "cancelExecution", True, _cancels_the_family),
    ),
    settle_s=1200,
)  # fmt: skip
