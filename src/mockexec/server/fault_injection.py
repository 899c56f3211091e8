"""Faults at work: which strike an exchange, and how the struck answer goes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockexec.faults import Armed, Injection
from mockexec.http.call import Call
from mockexec.server.parameters import Undecodable, unquote
from mockexec.server.replies import Send
from mockexec.simulation.clock import pause
from mockexec.simulation.world import World

# The key in the ASGI scope under which our own protocol offers to close the connection.
ABORT = "mockexec.abort"
_CHUNKS_MAX = 1000


class Aborted(ConnectionError):
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
            injection = injection or Injection(random, origin=fault_id)
            armed.fault.inject(injection)
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
        world.clock.advance(injection.delay_ns)
    else:
        await pause(injection.delay_ns)
    world.settle()


async def deliver(
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    injection: Injection,
    send: Send,
    abort: Callable[[], None] | None,
) -> None:
    """Sends an encoded reply as the faults have it.

    Raises:
        Aborted: a fault closes the connection, and the transport has none.
    """
    if injection.cut_at is not None and injection.cut_at < 0:
        _abort(abort)
        return
    for transform in injection.transforms:
        body = transform(body)
    headers = [(name, value) for name, value in headers if name != b"content-length"]
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    sent = body if injection.cut_at is None else body[: injection.cut_at]
    for chunk in _chunks(sent, injection.chunk_bytes):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if injection.chunk_ns:
            await pause(injection.chunk_ns)
    if len(sent) < len(body) or injection.cut_at is not None:
        _abort(abort)
        return
    await send({"type": "http.response.body", "body": b""})


def _chunks(body: bytes, size: int) -> list[bytes]:
    if not size:
        return [body]
    size = max(size, -(-len(body) // _CHUNKS_MAX))
    return [body[start : start + size] for start in range(0, len(body), size)]


def _abort(abort: Callable[[], None] | None) -> None:
    if abort is None:
        raise Aborted("the connection was closed by a fault")
    abort()


def abort_of(scope: Any) -> Callable[[], None] | None:
    """The function that closes this request's connection, where the transport has one."""
    abort: Callable[[], None] | None = scope.get(ABORT)
    return abort
