"""What happened: a bounded ring of exchanges, oldest forgotten first.

The journals of all sessions have a bound together, too, kept by a ``Shelf``.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from itertools import islice
from struct import Struct
from typing import Any, NamedTuple

from mockexec.errors import Violation
from mockexec.simulation.instants import SECOND

EXCHANGES_MAX = 1000
BYTES_MAX = 8 * 1024 * 1024
# Of all journals on a shelf.
SHELF_BYTES_MAX = 128 * 1024 * 1024
# What one exchange takes besides its content, about.
_OVERHEAD_BYTES = 256

Headers = list[tuple[bytes, bytes]]


class Exchange(NamedTuple):
    """One request and how it was answered, as bytes went over the wire.

    ``at_ns`` is the world's instant, ``took_ns`` the machine's time; ``status`` 0 where a fault cut
    the connection before the answer; ``fault`` the id of the fault that struck first, if any;
    ``notes`` what was let through but not documented, and what of our own reply broke the
    document. Names of the request's headers are in lower case.
    """

    id: int
    at_ns: int
    took_ns: int
    api: str
    operation_id: str
    method: str
    scheme: str
    base_path: str
    path: str
    query: str
    request_headers: Headers
    request_body: bytes
    status: int
    response_headers: Headers
    response_body: bytes
    fault: str = ""
    notes: tuple[Violation, ...] = ()


class Packed(NamedTuple):
    """An exchange as a journal keeps it: what many have in common, and the rest in one piece.

    A journal keeps the thousand latest. Were their ten parts kept one by one, each request would
    free and make as many that no cache of the processor holds any longer, which costs more than
    all the rest of the journal.
    """

    api: str
    operation_id: str
    fault: str
    notes: tuple[Violation, ...]
    content: bytes

    def exchange(self) -> Exchange:
        """All of it."""
        id_, at_s, fraction_ns, took_ns, status, *sizes = _HEAD.unpack_from(self.content)
        at_ns = at_s * SECOND + fraction_ns
        parts, start = [], _HEAD.size
        for size in sizes:
            parts.append(self.content[start : start + size])
            start += size
        line, request_headers, request_body, response_headers = parts
        method, scheme, base_path, path, query = line.decode("latin-1").split("\n", 4)
        return Exchange(
            id_, at_ns, took_ns, self.api, self.operation_id, method, scheme, base_path, path,
            query, _unpacked(request_headers), request_body, status, _unpacked(response_headers),
            self.content[start:], self.fault, self.notes,
        )  # fmt: skip


def pack(
    id_: int,
    at_ns: int,
    took_ns: int,
    line: tuple[str, str, str, str, str],
    request_headers: Headers,
    request_body: bytes,
    status: int,
    response_headers: Headers,
    response_body: bytes,
) -> bytes:
    """The content of a ``Packed``. ``line``: method, scheme, base path, path and query, of which
    only the last may have a line feed. No header's name has a colon, none has a line feed.
    """
    first = "\n".join(line).encode("latin-1")
    asked = b"\n".join(map(b":".join, request_headers))
    said = b"\n".join(map(b":".join, response_headers))
    at_s, fraction_ns = divmod(at_ns, SECOND)
    head = _HEAD.pack(
        id_,
        at_s,
        fraction_ns,
        took_ns,
        status,
        len(first),
        len(asked),
        len(request_body),
        len(said),
    )
    return b"".join((head, first, asked, request_body, said, response_body))


# id; at, in seconds and nanoseconds, as the year 9999 is too far for nanoseconds in 64 bits; took;
# status; the lengths of what follows, all but the last part.
_HEAD = Struct(">QqIqHIIII")


def _unpacked(headers: bytes) -> Headers:
    lines = headers.split(b"\n") if headers else []
    return [(name, value) for name, _, value in (line.partition(b":") for line in lines)]


class Journal:
    """The exchanges of one world: at most so many, and at most so many bytes of bodies."""

    __slots__ = ("_bytes", "_bytes_max", "_count", "_ring", "_shelf", "_size_max")

    def __init__(
        self,
        size_max: int = EXCHANGES_MAX,
        bytes_max: int = BYTES_MAX,
        shelf: Shelf | None = None,
    ) -> None:
        self._ring: deque[Packed] = deque()
        self._size_max = size_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._count = 0
        self._shelf = shelf

    def __len__(self) -> int:
        return len(self._ring)

    def next_id(self) -> int:
        """The number of the exchange to be recorded, from 1."""
        self._count += 1
        return self._count

    def record(self, exchange: Packed) -> None:
        """Adds one; the oldest go when there are too many or they hold too much."""
        ring = self._ring
        ring.append(exchange)
        held = self._bytes + len(exchange.content) + _OVERHEAD_BYTES
        while len(ring) > self._size_max or (held > self._bytes_max and len(ring) > 1):
            held -= len(ring.popleft().content) + _OVERHEAD_BYTES
        bytes_more, self._bytes = held - self._bytes, held
        if self._shelf is not None:
            self._shelf.note(self, bytes_more)

    def forget_oldest(self) -> int:
        """Forgets one exchange, if there is any; returns the bytes that it held."""
        if not self._ring:
            return 0
        weight = len(self._ring.popleft().content) + _OVERHEAD_BYTES
        self._bytes -= weight
        return weight

    def clear(self) -> None:
        """Forgets all of them; numbers go on."""
        if self._shelf is not None:
            self._shelf.drop(self, self._bytes)
        self._ring.clear()
        self._bytes = 0

    def find(self, *, limit: int, since: int = 0, **wanted: Any) -> list[Exchange]:
        """Up to ``limit`` exchanges, newest first, with ids above ``since``.

        ``wanted``: fields of ``Exchange`` and their values; None is any.
        """
        filters = [(name, value) for name, value in wanted.items() if value is not None]
        # A copy: a server in another thread may record while we read.
        latest_first = (packed.exchange() for packed in list(self._ring)[::-1])
        found = (
            exchange
            for exchange in latest_first
            if exchange.id > since
            and all(getattr(exchange, name) == value for name, value in filters)
        )
        return list(islice(found, limit))

    def newest(self, limit: int) -> list[Exchange]:
        """Up to ``limit`` exchanges, newest first."""
        # A copy: a server in another thread may record while we read.
        return [packed.exchange() for packed in list(self._ring)[: -limit - 1 : -1]]


class Shelf:
    """Journals that together hold at most so many bytes.

    Where they hold more, the one written to longest ago forgets its oldest exchanges; a single
    journal never reaches the bound alone.
    """

    __slots__ = ("_bytes", "_bytes_max", "_journals", "_latest")

    def __init__(self, bytes_max: int = SHELF_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        # Those that hold anything, the one written to longest ago first.
        self._journals: OrderedDict[Journal, None] = OrderedDict()
        self._latest: Journal | None = None

    def journal(self) -> Journal:
        """A new journal on this shelf."""
        return Journal(shelf=self)

    def note(self, journal: Journal, bytes_more: int) -> None:
        """``journal`` was written to, and holds so many bytes more."""
        if journal is not self._latest:
            self._latest = journal
            self._journals[journal] = None
            self._journals.move_to_end(journal)
        self._bytes += bytes_more
        while self._bytes > self._bytes_max:
            oldest = next(iter(self._journals))
            self._bytes -= oldest.forget_oldest()
            if not len(oldest):
                self._forget(oldest)

    def drop(self, journal: Journal, bytes_held: int) -> None:
        """``journal`` forgets all that it holds."""
        if journal in self._journals:
            self._forget(journal)
            self._bytes -= bytes_held

    def _forget(self, journal: Journal) -> None:
        del self._journals[journal]
        if journal is self._latest:
            self._latest = None
