"""What the SailPoint document promises in prose: see ``mockexec.traits``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mockexec.simulation.chance import Random
from mockexec.simulation.instants import format_instant, parse_instant
from mockexec.simulation.lifecycle import CANCELLED, COMPLETED, FAILED, TERMINATED
from mockexec.traits import (
    OPEN,
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
    Item,
    Life,
    Limits,
    Listing,
    Minted,
    Moment,
    Not,
    Or,
    Order,
    PageOf,
    Player,
    Problem,
    Promise,
    Refusals,
    Start,
    Traits,
    Unknown,
    bearer,
)

_WORKFLOW = "d201c5d9-d37b-4a2f-af14-66414f39d568"
_EXECUTION = "b393f4e2-4785-4d7f-ab27-3a6b8ded4c81"
_NOBODYS = "00000000-0000-4000-8000-000000000000"
_ENDED = frozenset({"Completed", "Failed", "Canceled"})


def _get(identifier: str, **more: Any) -> Ask:
    return Ask("getWorkflowExecution", path={"id": identifier}, **more)


def _cancel(identifier: str, **more: Any) -> Ask:
    return Ask("cancelWorkflowExecution", path={"id": identifier}, **more)


def _history(identifier: str) -> Ask:
    return Ask("getWorkflowExecutionHistory", path={"id": identifier})


def _list(page: PageOf, workflow: str = _WORKFLOW, **more: Any) -> Ask:
    wanted = {"limit": page.limit, "offset": page.at, "filters": page.where, "count": "true"}
    query = {name: value for name, value in wanted.items() if value is not None}
    return Ask("getWorkflowExecutions", path={"id": workflow}, query=query, **more)


def _next(page: PageOf, answer: Answer) -> PageOf | None:
    """Offsets go on until a page is shorter than asked for."""
    got = len(answer.body)
    return replace(page, at=(page.at or 0) + got) if got and got == (page.limit or 250) else None


def _total(answer: Answer) -> int | None:
    text = answer.headers.get("x-total-count", "")
    return int(text) if text.isdigit() else None


_LIFE = Life(
    id=lambda item: str(item["id"]),
    word=lambda item: str(item["status"]),
    states={
        "Executing": OPEN,
        "Completed": frozenset({COMPLETED}),
        "Failed": frozenset({FAILED}),
        "Canceled": frozenset({CANCELLED, TERMINATED}),
    },
    read=_get,
    moments=(
        Moment("startTime"),
        Moment("closeTime", needs=_ENDED, forbids=frozenset({"Executing"})),
    ),
    constants=("id", "workflowId", "requestId", "startTime"),
    unique=("requestId",),
)


# Filters


def _write(expression: Expression) -> str:
    """With as few parentheses as the precedence (not, and, or) allows."""
    match expression:
        case Or(parts):
            return " or ".join(_write(part) for part in parts)
        case And(parts):
            return " and ".join(_in_parentheses(part, Or) for part in parts)
        case Not(part):
            return f"not {_in_parentheses(part, Or, And)}"
        case Compare(field, operator, value):
            if field.name == "status":
                return f'status {operator} "{value}"'
            text = format_instant(value, digits=9)
            # Date-times may stand in quotes or not; which, so that it repeats, the value decides.
            return (
                f'start_time {operator} "{text}"' if value % 2 else f"start_time {operator} {text}"
            )


def _in_parentheses(part: Expression, *kinds: type) -> str:
    written = _write(part)
    return f"({written})" if isinstance(part, kinds) else written


_FIELDS = (
    Field(
        name="status",
        operators=("eq",),
        value=lambda item: item["status"],
        extra=("Completed", "failed", "CANCELED", "Executing"),
        folds=True,
    ),
    Field(
        name="start_time",
        operators=("eq", "lt", "le", "gt", "ge"),
        value=lambda item: parse_instant(item["startTime"]),
        near=lambda value, step: value + step,
    ),
)

_REFUSED = (
    ('status ne "Failed"', "an operator that status does not support"),
    ('status in ("Failed","Completed")', "in on status"),
    ('id eq "x"', "a field that cannot be filtered by"),
    ("startTime ge 2022-01-01T00:00:00Z", "the field startTime, which is called start_time here"),
    ('status EQ "Failed"', "an operator in capitals"),
    ('start_time co "2022"', "co on start_time"),
    ("pr status", "pr on status"),
    ("status isnull", "isnull on status"),
    ('status eq "Failed" and', "an and with nothing after it"),
    ('(status eq "Failed"', "a parenthesis that is never closed"),
    ('status eq "Failed" "Completed"', "two values"),
    ('status eq "Failed', "a string that is never closed"),
    ("start_time ge yesterday", "a time that is none"),
    ("or", "an operator alone"),
)

_LIST = Listing(
    operation="getWorkflowExecutions",
    ask=_list,
    items=lambda body: body,
    next=_next,
    total=_total,
    everything=PageOf(250),
    limits=Limits(name="limit", default=250, least=0, most=250, over="refused"),
    orders=(
        Order(
            name="newest start first",
            key=lambda item: parse_instant(item["startTime"]),
            descending=True,
        ),
    ),
    filtering=Filtering(fields=_FIELDS, write=_write, refused=_REFUSED),
    shifts=True,
    same=("id", "workflowId", "requestId", "startTime", "closeTime", "status"),
    past=lambda total: PageOf(7, total + 3),
    broken=(
        (PageOf(limit=-1), "a negative limit"),
        (PageOf(at=-1), "a negative offset"),
    ),
)


def _list_workflows(page: PageOf) -> Ask:
    wanted = {"limit": page.limit, "offset": page.at}
    return Ask("listWorkflows", query={k: v for k, v in wanted.items() if v is not None})


_WORKFLOWS = Listing(
    operation="listWorkflows",
    ask=_list_workflows,
    items=lambda body: body,
    next=_next,
    everything=PageOf(250),
    limits=Limits(name="limit", default=250, least=0, most=250, over="refused"),
    orders=(Order(name="by name", key=lambda item: item["name"]),),
    past=lambda total: PageOf(7, total + 3),
    broken=((PageOf(limit=-1), "a negative limit"), (PageOf(at=-1), "a negative offset")),
)


# Starting and cancelling


def _input(random: Random) -> Mapping[str, Any]:
    identity = {"id": f"{random.getrandbits(128):032x}", "name": f"verify {random.randrange(999)}"}
    return {"input": {"identity": identity}}


def _test(random: Random) -> Ask:
    return Ask("testWorkflow", path={"id": _WORKFLOW}, body=_input(random))


def _from_outside(random: Random) -> Ask:
    return Ask("createExternalExecuteWorkflow", path={"id": _WORKFLOW}, body=_input(random))


def _started(body: Any) -> Sequence[str]:
    identifier = body.get("workflowExecutionId")
    return () if identifier is None else (identifier,)


def _bodiless(_before: Item, answer: Answer) -> Problem | None:
    if answer.status != 204:
        return Problem("cancelling is not answered with 204", "204, no body", str(answer.status))
    return None


# Credentials


def _grant(secret: str = "sailpoint-development-secret") -> Ask:  # noqa: S107  # the document's example
    body = {
        "grant_type": "client_credentials",
        "client_id": "b61429f5203d4f3b9c60d2a5e7f8c104",
        "client_secret": secret,
    }
    return Ask("createToken", body=body, principal="none")


def _grant_by_query() -> Ask:
    query = {
        "grant_type": "client_credentials",
        "client_id": "b61429f5203d4f3b9c60d2a5e7f8c104",
        "client_secret": "sailpoint-development-secret",
    }
    return Ask("createToken", query=query, principal="none")


_FIRST = _list(PageOf(1))
_START = Ask("testWorkflow", path={"id": _WORKFLOW}, body={"input": {}})
_OUTSIDE = Ask("createExternalExecuteWorkflow", path={"id": _WORKFLOW}, body={"input": {}})
_READS = (
    _FIRST,
    Ask("listWorkflows"),
    Ask("getWorkflow", path={"id": _WORKFLOW}),
    _get(_EXECUTION),
    _history(_EXECUTION),
)
_CHANGES = (_START, _cancel(_EXECUTION))

_AUTH = Auth(
    broken=(
        Credential(name="a token nobody has", headers=bearer("no-such-token")),
        Credential(
            name="an unsigned JWT",
            headers=bearer(
                "eyJhbGciOiJub25lIn0.eyJzdWIiOiJicmFuZG9uLndlbGxzIiwiZXhwIjo0MTAyNDQ0ODAwfQ."
            ),
        ),
        Credential(name="an unknown scheme", headers={"Authorization": "Digest abc"}),
    ),
    expired=(Credential(name="an expired token", headers=bearer("sailpoint-expired-token")),),
    weak=(
        (
            Credential(
                name="a token with sp:workflow:read only", headers=bearer("sailpoint-read-token")
            ),
            (*_CHANGES, _OUTSIDE),
        ),
        (
            Credential(
                name="a token without any scope for workflows",
                headers=bearer("sailpoint-weak-token"),
            ),
            (*_READS, *_CHANGES, _OUTSIDE),
        ),
        (
            Credential(
                name="a token of an application", headers=bearer("sailpoint-application-token")
            ),
            (*_READS, *_CHANGES),
        ),
    ),
    minted=(
        Minted(
            name="a token from a form",
            ask=_grant(),
            headers=lambda body: bearer(body["access_token"]),
            good=_READS[:2],
            lives_s=lambda body: float(body["expires_in"]),
        ),
        Minted(
            name="a token from the query",
            ask=_grant_by_query(),
            headers=lambda body: bearer(body["access_token"]),
            good=_READS[:1],
        ),
    ),
    refused_clients=((_grant(secret="wrong"), "a wrong client secret"),),  # noqa: S106  # as above
)


def _wrong(answer: Answer) -> str | None:
    """``ErrorResponseDto`` whose code begins with the status, but for 401 and 429."""
    body = answer.body
    if not isinstance(body, dict):
        return "is not a JSON object"
    if answer.status == 401:
        return None if isinstance(body.get("error"), str) else "is not {error}"
    if "error" in body:
        return None  # the token endpoint's own form, which the document describes
    if not {"detailCode", "trackingId", "messages"} <= set(body):
        return "is not {detailCode, trackingId, messages}"
    if not str(body["detailCode"]).startswith(str(answer.status)):
        return f"has the detailCode {body['detailCode']!r}"
    if answer.status == 400 and not body.get("causes"):
        return "does not say in causes where and why"
    return None


# Other promises


def _history_fits(player: Player) -> Iterator[Problem]:
    ends = {"Completed": "WorkflowExecutionCompleted", "Failed": "WorkflowExecutionFailed"}
    items = player.items()
    for word in ("Completed", "Failed", "Canceled", "Executing"):
        for item in [i for i in items if i["status"] == word][:2]:
            answer = player.send(_history(item["id"]))
            if answer.ok:
                yield from _events_fit(item, answer.body, ends)


def _events_fit(item: Item, events: Any, ends: Mapping[str, str]) -> Iterator[Problem]:
    times = [parse_instant(event["timestamp"]) for event in events]
    types = [event["type"] for event in events]
    if times != sorted(times):
        yield Problem(
            "the history is not in the order in which things happened",
            "events, oldest first",
            str([event["timestamp"] for event in events]),
        )
    start_ns = parse_instant(item["startTime"])
    if times and min(times) < start_ns:
        yield Problem(
            "the history holds an event before the execution's startTime",
            f"nothing before {item['startTime']}",
            format_instant(min(times), digits=9),
        )
    if times and "closeTime" in item and max(times) > parse_instant(item["closeTime"]):
        yield Problem(
            "the history holds an event after the execution's closeTime",
            f"nothing after {item['closeTime']}",
            format_instant(max(times), digits=9),
        )
    wanted = ends.get(item["status"])
    told = [kind for kind in types if kind in ends.values()]
    if item["status"] != "Executing" and told != ([wanted] if wanted else []):
        yield Problem(
            f"the history of an execution that is {item['status']} does not end that way",
            wanted or "no event of an end",
            str(told),
        )


def _workflows_count(player: Player) -> Iterator[Problem]:
    listed = player.send(Ask("listWorkflows"))
    for shown in listed.body[:3] if listed.ok else ():
        ask = _list(PageOf(1), shown["id"])
        counts = [_count(player, ask), _count(player, _failed(shown["id"]))]
        again = player.send(Ask("getWorkflow", path={"id": shown["id"]}))
        if not again.ok:
            yield Problem(
                "a listed workflow cannot be read", "200", str(again.status), "getWorkflow"
            )
            continue
        for name, before in zip(("executionCount", "failureCount"), counts, strict=True):
            after = again.body[name]
            # Executions may have begun or failed in between.
            if before is not None and after < before:
                yield Problem(
                    f"a workflow's {name} is less than the number of its executions",
                    f"at least {before}",
                    str(after),
                    "getWorkflow",
                )
            elif before is not None and after > before and shown[name] > before:
                yield Problem(
                    f"a workflow's {name} is more than the number of its executions",
                    f"{before}, the total of its list",
                    str(after),
                    "getWorkflow",
                )


def _failed(workflow: str) -> Ask:
    return _list(PageOf(1, where='status eq "Failed"'), workflow)


def _count(player: Player, ask: Ask) -> int | None:
    answer = player.send(ask)
    return _total(answer) if answer.ok else None


def _count_is_asked_for(player: Player) -> Iterator[Problem]:
    for count in ("false", None):
        query = {"limit": 1} if count is None else {"limit": 1, "count": count}
        ask = Ask("getWorkflowExecutions", path={"id": _WORKFLOW}, query=query)
        answer = player.send(ask)
        if answer.ok and "x-total-count" in answer.headers:
            yield Problem(
                "X-Total-Count is sent without count=true",
                "no X-Total-Count",
                f"X-Total-Count: {answer.headers['x-total-count']}",
            )
            return
    answer = player.send(_FIRST)
    if answer.ok and _total(answer) is None:
        yield Problem("count=true brings no X-Total-Count", "X-Total-Count: a number", "none")


def _disabled_is_not_run(player: Player) -> Iterator[Problem]:
    listed = player.send(Ask("listWorkflows"))
    disabled = [w for w in listed.body if not w["enabled"]] if listed.ok else []
    for workflow in disabled[:1]:
        before = _count(player, _list(PageOf(1), workflow["id"]))
        ask = Ask("createExternalExecuteWorkflow", path={"id": workflow["id"]}, body={"input": {}})
        answer = player.send(ask)
        after = _count(player, _list(PageOf(1), workflow["id"]))
        if "workflowExecutionId" in answer.body or "message" not in answer.body:
            yield Problem(
                "a workflow that is not enabled is executed from outside",
                "200 with a message and no execution id",
                f"{answer.status} {answer.body}",
            )
        elif before is not None and after is not None and after > before:
            yield Problem(
                "a workflow that is not enabled gets an execution from outside",
                f"{before} executions",
                f"{after}",
            )


_GONE = frozenset({404})
_NO_WORKFLOW = "a workflow that does not exist"

TRAITS = Traits(
    life=_LIFE,
    starts=(
        Start(name="test", ask=_test, ids=_started, listed="getWorkflowExecutions",
              echo=lambda _ask, _index: {"workflowId": _WORKFLOW}),
        Start(name="external", ask=_from_outside, ids=_started, listed="getWorkflowExecutions",
              echo=lambda _ask, _index: {"workflowId": _WORKFLOW}),
    ),
    lists=(_LIST, _WORKFLOWS),
    controls=(
        Control(
            name="cancelling",
            ask=_cancel,
            ends=frozenset({"Canceled"}),
            at_once=True,
            refused=frozenset({400}),
            answers=_bodiless,
        ),
    ),
    auth=_AUTH,
    refusals=Refusals(
        wrong=_wrong,
        unknown=(
            Unknown(_get(_NOBODYS), _GONE, "an id that nobody has"),
            Unknown(_history(_NOBODYS), _GONE, "an id that nobody has"),
            Unknown(_cancel(_NOBODYS), _GONE, "an id that nobody has"),
            Unknown(_list(PageOf(1), _NOBODYS), _GONE, _NO_WORKFLOW),
            Unknown(Ask("getWorkflow", path={"id": _NOBODYS}), _GONE, _NO_WORKFLOW),
            Unknown(replace(_START, path={"id": _NOBODYS}), _GONE, _NO_WORKFLOW),
            Unknown(replace(_OUTSIDE, path={"id": _NOBODYS}), _GONE, _NO_WORKFLOW),
        ),
    ),
    no_store=("createToken",),
    promises=(
        Promise("the history fits", "getWorkflowExecutionHistory", False, _history_fits),
        Promise("workflows count", "getWorkflow", False, _workflows_count),
        Promise("the count is asked for", "getWorkflowExecutions", False, _count_is_asked_for),
        Promise("a disabled workflow is not run", "createExternalExecuteWorkflow", True,
                _disabled_is_not_run),
    ),
    settle_s=9 * 3600,
)  # fmt: skip
