"""What happened: a bounded ring of exchanges, oldest forgotten first.

The journals of all sessions have a bound together, too, kept by a ``Shelf``.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from itertools import islice
from typing import Any, NamedTuple

from mockexec.errors import Violation

EXCHANGES_MAX = 1000
BYTES_MAX = 8 * 1024 * 1024
# Of all journals on a shelf.
SHELF_BYTES_MAX = 128 * 1024 * 1024
# What one exchange counts besides its bodies, about.
_OVERHEAD_BYTES = 1024

Headers = list[tuple[bytes, bytes]]


class Exchange(NamedTuple):
    """One request and how it was answered, as bytes went over the wire.

    ``at_ns`` is the world's instant, ``took_ns`` the machine's time; ``status`` 0 where a fault cut
    the connection before the answer; ``fault`` the id of the fault that struck first, if any;
    ``notes`` what was let through but not documented, and what of our own reply broke the
    document.
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
    packed_headers: bytes
    request_body: bytes
    status: int
    response_headers: Headers
    response_body: bytes
    fault: str = ""
    notes: tuple[Violation, ...] = ()

    @property
    def request_headers(self) -> Headers:
        """The request's headers, names in lower case."""
        lines = self.packed_headers.split(b"\n") if self.packed_headers else []
        return [(name, value) for name, _, value in (line.partition(b":") for line in lines)]


def pack_headers(headers: Headers) -> bytes:
    """Headers as one piece of memory, none of whose names has a colon or values a line feed.

    Keeping the thousand latest lists of pairs alive would cost every request more than the rest of
    the journal: the allocator would find no memory of theirs to use again.
    """
    return b"\n".join([b":".join(pair) for pair in headers])


class Journal:
    """The exchanges of one world: at most so many, and at most so many bytes of bodies."""

    __slots__ = ("_bytes", "_bytes_max", "_count", "_ring", "_shelf", "_size_max")

    def __init__(
        self,
        size_max: int = EXCHANGES_MAX,
        bytes_max: int = BYTES_MAX,
        shelf: Shelf | None = None,
    ) -> None:
        self._ring: deque[Exchange] = deque()
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

    def record(self, exchange: Exchange) -> None:
        """Adds one; the oldest go when there are too many or they hold too much."""
        ring = self._ring
        ring.append(exchange)
        held = self._bytes + _weight(exchange)
        while len(ring) > self._size_max or (held > self._bytes_max and len(ring) > 1):
            held -= _weight(ring.popleft())
        bytes_more, self._bytes = held - self._bytes, held
        if self._shelf is not None:
            self._shelf.note(self, bytes_more)

    def forget_oldest(self) -> int:
        """Forgets one exchange, if there is any; returns the bytes that it held."""
        if not self._ring:
            return 0
        weight = _weight(self._ring.popleft())
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
        found = (
            exchange
            for exchange in self.newest(len(self._ring))
            if exchange.id > since
            and all(getattr(exchange, name) == value for name, value in filters)
        )
        return list(islice(found, limit))

    def newest(self, limit: int) -> list[Exchange]:
        """Up to ``limit`` exchanges, newest first."""
        # A copy: a server in another thread may record while we read.
        return list(self._ring)[::-1][:limit]


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


def _weight(exchange: Exchange) -> int:
    return len(exchange.request_body) + len(exchange.response_body) + _OVERHEAD_BYTES
