"""What the Thand document promises in prose: see ``mockexec.traits``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mockexec.simulation.chance import Random
from mockexec.simulation.instants import SECOND, parse_duration, parse_instant
from mockexec.simulation.lifecycle import CANCELLED, COMPLETED, FAILED, TERMINATED
from mockexec.traits import (
    ABSENT,
    OPEN,
    Answer,
    Ask,
    Auth,
    Control,
    Credential,
    Invalid,
    Item,
    Life,
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
    bearer,
)

_NOBODYS = "wf_nobody_has_this"
# The document's examples: an approval and a refusal, encrypted with the default key.
_GRANTED = (
    "eyJub25jZSI6ImRHaGhibVF0WjNKaGJuUXgiLCJjaXBoZXJ0ZXh0IjoiRGE1UDZGaTFlVEpxRWNLOFB6TkxHbkNJRkl2"
    "OHJNQ2txTE4rV0xNN3lxaGhjdGVLMkptWFBKeEVreS9DZDh2ODJucU5reE13dmRNRDRuTG9rLzlNWElEVW9Lc3NQT1dt"
    "V0FEMHFYcFd5VnRjRGRMOUNQbWlQeWc0TSs5WnJlT1NaNS90eVUxZWMzajl2UElKbDlxL2pValdMWHdGc3hsVnU4QUYr"
    "NEVZcUdhMkE4MDhaOHp1WWllcDgrMjlYWDhQVlhhWitVUkpmdVpIQW82clRrNHo4cFZaNFgwTEg1ZHFlUXBueXZWaHhv"
    "ODQ5dmVUTmtwSzlSYTcyZStyQXkwNFdGMHoyNVhPUkE9PSJ9"
)
_REFUSED = (
    "eyJub25jZSI6ImRHaGhibVF0WkdWdWVTMHgiLCJjaXBoZXJ0ZXh0IjoiSi9tMlBlcHNsQnBRS3ltM2JobEtvTnJNaUlh"
    "NnhCTGFmVlQ2RE1uWUNTYWd3WXFmcmQ0NWhXbnRJcm8zWmdycjVzM0pac2NoK09TVkcwQXRaaUlxUDZ2ay9TbVFLZ21x"
    "Z201clFZc2JtUm9Icll5Y2ttb0dUaFBaRDNYUWtxV1JFWkxEc21FakRxRU1NdVhhb3JkSjYzSmNsN3RQSGJhK3NkdVBZ"
    "VUpyd0FaQW0zQlYwQXM1YjU2WngzOUdDODF0TnFneXFnS1luL3k3M3ltcWpYZEFpMjk5dU9TR3pucFM4YngxZFNTZk1X"
    "RCt0SlZSVGp2Y3RXOUFyKzdCelB5MGlVMmludm1Lc0ZvPSJ9"
)
_CLOSES = {
    "WorkflowExecutionCompleted": "completed",
    "WorkflowExecutionFailed": "failed",
    "WorkflowExecutionCanceled": "canceled",
    "WorkflowExecutionTerminated": "terminated",
    "WorkflowExecutionTimedOut": "timed_out",
}


def _get(identifier: str, **more: Any) -> Ask:
    return Ask("getExecution", path={"id": identifier}, **more)


def _cancel(identifier: str, **more: Any) -> Ask:
    return Ask("cancelExecution", path={"id": identifier}, **more)


def _terminate(identifier: str, **more: Any) -> Ask:
    return Ask("terminateExecution", path={"id": identifier}, **more)


def _signal(identifier: str, text: Any = _GRANTED, **more: Any) -> Ask:
    return Ask("signalExecution", path={"id": identifier}, query={"input": text}, **more)


def _create(workflow: str, given: Any) -> Ask:
    return Ask("createExecution", body={"workflow": workflow, "input": given})


def _list(_page: PageOf) -> Ask:
    return Ask("listExecutions")


# Lifecycle


def _events(item: Item) -> list[tuple[str, int]]:
    return [
        (event["event_type"], parse_instant(event["timestamp"]))
        for event in item.get("history", ())
    ]


def _history_begins(item: Item) -> Problem | None:
    events = _events(item)
    if not events:
        return None
    times = [at for _, at in events]
    if times != sorted(times):
        return Problem(
            "the history is not in the order in which things happened, oldest first",
            "what happened, oldest first",
            str([event["timestamp"] for event in item["history"]]),
        )
    # Of the same second are many: the first of them is told by its name.
    if events[0] != ("WorkflowExecutionStarted", parse_instant(item["start_time"])):
        return Problem(
            "the history does not begin with the start of the execution",
            f"WorkflowExecutionStarted at {item['start_time']}",
            f"{item['history'][0]}",
        )
    return None


def _history_ends(item: Item) -> Problem | None:
    events = _events(item)
    if not events:
        return None
    status = item["status"]
    closes = [_CLOSES[name] for name, _ in events if name in _CLOSES]
    if closes != ([] if status == "running" else [status]):
        return Problem(
            f"the history of an execution that is {status} does not fit that",
            "no event of an end" if status == "running" else f"one end, and that as {status}",
            str(closes or "none"),
        )
    if closes and events[-1][0] not in _CLOSES:
        return Problem(
            "the history goes on after the end of the execution",
            "nothing after the end",
            events[-1][0],
        )
    return None


def _time_fits(item: Item) -> Problem | None:
    """Frozen at the end, and not less than nothing."""
    ns = parse_duration(item["execution_time"])
    ends = [at for name, at in _events(item) if name in _CLOSES]
    if ns < 0:
        return Problem("execution_time is negative", "PT0S or more", item["execution_time"])
    if ends and item["status"] != "running":
        ran_ns = ends[-1] - parse_instant(item["start_time"])
        # Both timestamps are shown in whole seconds.
        if abs(ran_ns - ns) > 2 * SECOND:
            return Problem(
                "execution_time of a closed execution is not how long it ran",
                f"about {ran_ns // SECOND} s, from the start to the end in its history",
                item["execution_time"],
            )
    return None


_LIFE = Life(
    id=lambda item: str(item["workflow_id"]),
    word=lambda item: str(item["status"]),
    states={
        "running": OPEN,
        "completed": frozenset({COMPLETED}),
        "failed": frozenset({FAILED}),
        "canceled": frozenset({CANCELLED}),
        "terminated": frozenset({TERMINATED}),
        "timed_out": frozenset({FAILED}),
    },
    read=_get,
    moments=(Moment("start_time"),),
    constants=("workflow_id", "run_id", "start_time", "task_queue", "user", "workflow_type"),
    grows="history",
    unique=("run_id",),
    rules=(_history_begins, _history_ends, _time_fits),
)


# Starting


def _elevation(random: Random) -> Ask:
    given = {"role": "admin", "provider": "aws", "reason": f"verify {random.randrange(10**6)}"}
    return _create("default", given)


def _break_glass(random: Random) -> Ask:
    return _create("break-glass", {"role": "root", "incident": f"INC-{random.randrange(10**6)}"})


def _sudo(random: Random) -> Ask:
    return _create("local-sudo", {"hostname": "verify.example", "minutes": random.randint(5, 480)})


def _ids(body: Any) -> Sequence[str]:
    return (body["workflow_id"],)


_LIST = Listing(
    operation="listExecutions",
    ask=_list,
    items=lambda body: body["executions"],
    orders=(
        Order(
            name="newest first",
            key=lambda item: parse_instant(item["start_time"]),
            descending=True,
        ),
    ),
    only=frozenset({"running"}),
    same=("workflow_id", "run_id", "status", "start_time", "task_queue", "user", "workflow_type"),
)


# Controls


def _cancel_is_told(_before: Item, after: Item) -> Problem | None:
    names = [name for name, _ in _events(after)]
    wanted = ["WorkflowExecutionCancelRequested", "WorkflowExecutionCanceled"]
    if [name for name in names if name in wanted] != wanted:
        return Problem(
            "the history of a cancelled execution does not tell of the request and the end",
            ", then ".join(wanted),
            str(names),
        )
    return None


def _terminate_is_told(_before: Item, after: Item) -> Problem | None:
    names = [name for name, _ in _events(after)]
    if "WorkflowExecutionCancelRequested" in names or "WorkflowExecutionCanceled" in names:
        return Problem(
            "a terminated execution is cleaned up as if it were cancelled",
            "WorkflowExecutionTerminated only",
            str(names),
        )
    return None


def _receipt(before: Item, answer: Answer) -> Problem | None:
    if answer.body["workflow_id"] != before["workflow_id"]:
        return Problem(
            "the answer to a signal names another execution",
            before["workflow_id"],
            answer.body["workflow_id"],
        )
    return None


# Credentials


_AUTH = Auth(
    broken=(
        Credential(name="a token nobody has", headers=bearer("no-such-token")),
        Credential(name="a token that is no base64", headers=bearer("***")),
        Credential(name="an unknown scheme", headers={"Authorization": "Digest abc"}),
        Credential(name="an API key nobody has", headers={"X-API-Key": "no-such-token"}),
        Credential(
            name="a session without a user's e-mail address",
            headers=bearer("thand-incomplete-token"),
        ),
    ),
    expired=(
        Credential(name="an expired session", headers=bearer("thand-expired-token")),
        Credential(
            name="an expired session as X-API-Key", headers={"X-API-Key": "thand-expired-token"}
        ),
    ),
    also=(("as X-API-Key", lambda token: {"X-API-Key": token}),),
)


def _wrong(answer: Answer) -> str | None:
    body = answer.body
    if not isinstance(body, dict) or set(body) != {"code", "title", "message"}:
        return "is not {code, title, message}"
    if body["code"] != answer.status:
        return f"says code {body['code']} in an answer of {answer.status}"
    return None


# Other promises


def _names_the_field(player: Player) -> Iterator[Problem]:
    for given, word in (
        ({"role": "admin", "provider": "aws"}, "reason"),
        ({"role": "admin", "provider": "nobody", "reason": "because"}, "provider"),
        ({"role": 7, "provider": "aws", "reason": "because"}, "role"),
    ):
        answer = player.send(_create("default", given))
        if answer.ok:
            yield Problem(
                "an input that the workflow's own schema forbids is accepted",
                f"400 that names {word}",
                f"{answer.status} for {given}",
            )
        elif answer.status == 400 and word not in str(answer.body):
            yield Problem(
                "the refusal of an input does not name the field", f"{word}", str(answer.body)
            )


def _says_why(player: Player) -> Iterator[Problem]:
    """Each layer of a signal that cannot be undone is a 400, and harms nobody."""
    ids = player.start(waits=True)
    if not ids:
        return
    for text, what in (
        ("encrypted_signal_token", "the document's placeholder"),
        (_GRANTED[:-8] + "AAAAAA==", "a signal that was tampered with"),
        ("bm90IGEgc2lnbmFs", "base64 of no signal"),
        ("", "an empty input"),
    ):
        answer = player.send(_signal(ids[0], text))
        if answer.status != 400:
            yield Problem(f"{what} is not refused", "400", str(answer.status))
    shown = player.send(_get(ids[0]))
    signals = [name for name, _ in _events(shown.body) if name == "WorkflowExecutionSignaled"]
    if shown.ok and (shown.body["status"] != "running" or signals):
        yield Problem(
            "a signal that was refused has an effect",
            "running, no WorkflowExecutionSignaled",
            f"{shown.body['status']}, {len(signals)} signals",
        )


def _signals_are_noted(player: Player) -> Iterator[Problem]:
    ids = player.start(waits=True)
    if not ids or not player.send(_signal(ids[0])).ok:
        return
    shown = player.send(_get(ids[0]))
    if shown.ok and "WorkflowExecutionSignaled" not in [name for name, _ in _events(shown.body)]:
        yield Problem(
            "a signal that was delivered is not in the history",
            "WorkflowExecutionSignaled",
            str([name for name, _ in _events(shown.body)]),
        )


_GONE = frozenset({404})

TRAITS = Traits(
    life=_LIFE,
    starts=(
        Start(name="elevation", ask=_elevation, ids=_ids, waits=True, listed="listExecutions",
              echo=lambda _ask, _index: {"status": "running"}),
        Start(name="break-glass", ask=_break_glass, ids=_ids, listed="listExecutions"),
        Start(name="local-sudo", ask=_sudo, ids=_ids, listed="listExecutions"),
    ),
    lists=(_LIST,),
    controls=(
        Control(name="cancelling", ask=_cancel, ends=frozenset({"canceled"}), repeats=True,
                shows=_cancel_is_told),
        Control(name="terminating", ask=_terminate, ends=frozenset({"terminated"}), at_once=True,
                shows=_terminate_is_told),
        Control(name="refusing the approval", ask=lambda i: _signal(i, _REFUSED),
                ends=frozenset({"failed"}), answers=_receipt, starts="elevation"),
        Control(name="granting the approval", ask=_signal, answers=_receipt, starts="elevation"),
    ),
    ownership=Ownership(
        changes=lambda identifier: (
            _cancel(identifier, principal="other"),
            _terminate(identifier, principal="other"),
            _signal(identifier, _REFUSED, principal="other"),
        ),
        open=lambda identifier: (_get(identifier, principal="other"),),
        lists=(Ask("listExecutions", principal="other"),),
        refused=frozenset({403}),
    ),
    auth=_AUTH,
    refusals=Refusals(
        wrong=_wrong,
        unknown=(
            Unknown(_get(_NOBODYS), _GONE, "an id that nobody has"),
            Unknown(_cancel(_NOBODYS), _GONE, "an id that nobody has"),
            Unknown(_terminate(_NOBODYS), _GONE, "an id that nobody has"),
            Unknown(_signal(_NOBODYS), _GONE, "an id that nobody has"),
            Unknown(_create("no-such-workflow", {}), _GONE, "a workflow that does not exist"),
            Unknown(_create("vpn-legacy", {}), _GONE, "a workflow that is disabled"),
        ),
    ),
    invalid=(
        Invalid(
            ask=_signal("wf_abc123", ABSENT),
            reason="a signal without input",
            refused=frozenset({400}),
        ),
        Invalid(
            ask=Ask("createExecution", body={"workflow": "default", "input": []}),
            reason="an input that is no object",
            refused=frozenset({400}),
        ),
    ),
    no_store=(
        "cancelExecution", "terminateExecution", "signalExecution", "getExecution",
        "listExecutions", "createExecution",
    ),
    promises=(
        Promise("a refused input is named", "createExecution", True, _names_the_field),
        Promise("a broken signal is refused", "signalExecution", True, _says_why),
        Promise("signals are noted", "signalExecution", True, _signals_are_noted),
    ),
    settle_s=5 * 3600,
)  # fmt: skip
