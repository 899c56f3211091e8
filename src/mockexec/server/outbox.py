"""Where answers leave: those of one turn of the event loop go out together, at its end.

A turn reads whatever has come in, and most requests are answered while it is read. An answer sent
at once wakes its client for itself, and again for the next one; to wake a process on the same
machine costs a fifth to a third of what all the rest of a request does. At the end of the turn the
client wakes for the first answer, and is at work when the others arrive.
"""

from __future__ import annotations

import asyncio

# More than this is not held back: neither so many answers, nor so long a one.
_OUTLETS_MAX = 24
_HELD_MAX_BYTES = 64 * 1024


class Outbox:
    """The outlets of one server that hold something back."""

    __slots__ = ("_holding",)

    def __init__(self) -> None:
        self._holding: list[Outlet] = []

    def add(self, outlet: Outlet) -> None:
        """Sees to it that ``outlet`` sends soon."""
        holding = self._holding
        if not holding:
            asyncio.get_running_loop().call_soon(self._send)
        holding.append(outlet)
        if len(holding) >= _OUTLETS_MAX:
            self._send()

    def _send(self) -> None:
        holding, self._holding = self._holding, []
        for outlet in holding:
            outlet.send()


class Outlet:
    """A connection's transport, as far as HTTP needs one, which holds back what is written until
    the end of the turn. Nothing overtakes: it is sent before more is written or it is closed.
    """

    __slots__ = (
        "_held", "_held_bytes", "_outbox", "_transport", "get_extra_info", "is_closing",
        "pause_reading", "resume_reading",
    )  # fmt: skip

    def __init__(self, transport: asyncio.Transport, outbox: Outbox) -> None:
        self._transport = transport
        self._outbox = outbox
        self._held: list[bytes] = []
        self._held_bytes = 0
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def write(self, data: bytes) -> None:
        """Sends ``data``, after what was written before, when the turn ends or there is much."""
        held = self._held
        held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > _HELD_MAX_BYTES:
            self.send()
        elif len(held) == 1:
            self._outbox.add(self)

    def close(self) -> None:
        """Closes the connection when all that was written has gone out."""
        self.send()
        self._transport.close()

    def send(self) -> None:
        """Sends what is held back; of a connection that is closed by now, nothing."""
        held = self._held
        if not held:
            return
        data = held[0] if len(held) == 1 else b"".join(held)
        self._held, self._held_bytes = [], 0
        if not self.is_closing():
            self._transport.write(data)
