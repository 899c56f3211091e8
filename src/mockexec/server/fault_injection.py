"""Faults at work: which strike an exchange, and how the struck answer goes out."""

from __future__ import annotations

from typing import Any, Protocol

from mockexec.faults import Armed, Injection
from mockexec.http.auth import TOKENS
from mockexec.http.call import Call
from mockexec.http.refusal import Refusal
from mockexec.server.parameters import Undecodable, unquote
from mockexec.server.replies import Send
from mockexec.simulation.clock import pause
from mockexec.simulation.instants import INSTANT_MAX
from mockexec.simulation.world import World

# The key in the ASGI scope under which our own server offers its connection, a ``Line``.
LINE = "mockexec.line"
_CHUNKS_MAX = 1000


class Line(Protocol):
    """The connection of a request, as far as it is not ASGI's."""

    def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Sends a whole answer at once; False: nothing was sent, it has to go ASGI's way."""

    def cut(self) -> None:
        """Closes it when what was sent has gone out; nothing more is sent."""

    def is_closing(self) -> bool:
        """Whether it is closed or about to be, by whomever."""


class Aborted(ConnectionError):  # noqa: N818  # it names what happened
    """The connection was closed by a fault, in a transport that has none to close."""


def injection_for(
    call: Call, api: str, operation_id: str, arguments: tuple[str, ...]
) -> Injection | None:
    """What the world's faults do to this call; None when none of them strikes.

    Every armed fault that covers the call counts it.
    """
    world = call.world
    faults = world.faults
    injection: Injection | None = None
    for fault_id, armed in list(faults.armed.items()):
        if not _covers(armed, call, api, operation_id, arguments):
            continue
        calls, hits = faults.counts[fault_id]
        random = world.chance.random(f"faults/{fault_id}")
        strikes = armed.trigger.strikes(calls + 1, hits, random)
        faults.counts[fault_id] = (calls + 1, hits + strikes)
        if strikes:
            injection = injection or Injection(random, fault_id, armed.fault.kind)
            injection.random = random
            was_stale = injection.is_stale
            armed.fault.inject(injection)
            if injection.is_stale and not was_stale:
                # Taken now: during a delay the fault may be disarmed.
                injection.origin = faults.origins[fault_id]
    return injection


def _covers(
    armed: Armed, call: Call, api: str, operation_id: str, arguments: tuple[str, ...]
) -> bool:
    trigger = armed.trigger
    if not trigger.covers(api, operation_id, call.method, call.raw_path, call.now_ns):
        return False
    return trigger.state is None or any(
        _state(call, argument) == trigger.state for argument in arguments
    )


def _state(call: Call, argument: str) -> str | None:
    """The state of the execution that a path argument names, if it names one."""
    try:
        execution = call.realm.executions.get(unquote(argument))
    except Undecodable:
        return None
    return execution.state if execution is not None else None


async def delay(world: World, injection: Injection) -> None:
    """Lets the delay pass: by the machine, or by turning a clock that does not run by itself."""
    if not injection.delay_ns:
        return
    if injection.turns_clock and not world.clock.scale:
        world.clock.set(min(world.clock.now_ns() + injection.delay_ns, INSTANT_MAX))
    else:
        await pause(injection.delay_ns)
    world.settle()


def turn_stale(call: Call, origin: World) -> None:
    """Lets a reading call see the world as it was: a copy, as readings may change things too.

    Credentials stay those of today, else every token issued since would be refused.
    """
    today = call.realm
    call.world = origin.fork()
    call.realm = call.world.realms[today.name]
    call.realm.tables[TOKENS] = today.table(TOKENS).fork()


def refuse(injection: Injection) -> None:
    """Raises the refusal that a fault answers with, if one does."""
    if injection.refusal is not None:
        said = injection.refusal
        # A fresh one: exceptions remember where they were raised, and faults live long.
        raise Refusal(
            said.reason,
            said.message,
            status=said.status,
            headers=said.headers,
            details=said.details,
        )


def spoil(
    method: str, body: bytes, headers: list[tuple[bytes, bytes]], injection: Injection
) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """(body, headers) as faults change them. Where no body goes out, none can be spoilt."""
    if injection.cut_at is not None:
        injection.cut_at = -1 if method == "HEAD" else min(injection.cut_at, len(body) - 1)
    if not body or not injection.transforms:
        return body, headers
    body = injection.spoilt(body)
    if injection.cut_at is not None:
        injection.cut_at = min(injection.cut_at, len(body) - 1)
    length = (b"content-length", b"%d" % len(body))
    return body, [length if name == b"content-length" else (name, v) for name, v in headers]


async def deliver(
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    injection: Injection,
    send: Send,
    line: Line | None,
) -> bool:
    """Sends what ``spoil`` made, dripping or only its beginning; says whether that was all.

    If it was not, the connection is to be cut, see ``cut``.
    """
    cut_at = injection.cut_at
    if cut_at is not None and cut_at < 0:
        return False
    await send({"type": "http.response.start", "status": status, "headers": headers})
    sent = body if cut_at is None else body[:cut_at]
    for number, chunk in enumerate(_chunks(sent, injection.chunk_bytes)):
        if number:
            await pause(injection.chunk_ns)
        if line is not None and line.is_closing():
            # The client has had enough: nobody waits for the rest.
            return True
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if cut_at is not None:
        return False
    await send({"type": "http.response.body", "body": b""})
    return True


def _chunks(body: bytes, size: int) -> list[bytes]:
    if not size:
        return [body]
    size = max(size, -(-len(body) // _CHUNKS_MAX))
    return [body[start : start + size] for start in range(0, len(body), size)]


def line_of(scope: Any) -> Line | None:
    """The connection of a request, where the server lets us have it."""
    line: Line | None = scope.get(LINE)
    return line


def cut(scope: Any) -> None:
    """Closes the connection of a request.

    Raises:
        Aborted: the transport has none.
    """
    line = line_of(scope)
    if line is None:
        raise Aborted("the connection was closed by a fault")
    line.cut()
