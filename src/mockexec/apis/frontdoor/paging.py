"""Numbered pages, in the order of any of six properties.

Every order has an index, so that a page costs the same wherever it lies. In each, what is equal
comes oldest first, then by id, and ``desc`` is exactly the reverse of ``asc``.
"""

from __future__ import annotations

from typing import NamedTuple

from mockexec.apis.frontdoor.properties import STATUSES, name_of, process_id_of, started_ns_of
from mockexec.http.call import Call
from mockexec.http.paging import pages_total
from mockexec.simulation.execution import Execution
from mockexec.simulation.store import Index

# Named as the properties that ``sort`` takes; the store appends the id to every key.
INDEXES = (
    Index("id", lambda execution: (execution.group,)),
    # By start within a process: what is found by its process is the last of them.
    Index("processId", lambda e: (e.group, process_id_of(e), started_ns_of(e), e.created_ns)),
    Index("name", lambda e: (e.group, name_of(e), e.created_ns)),
    Index("status", lambda e: (e.group, STATUSES[e.state], e.created_ns)),
    Index("startedAt", lambda e: (e.group, started_ns_of(e), e.created_ns)),
    Index("createdAt", lambda e: (e.group, e.created_ns)),
)


class Page(NamedTuple):
    """One page and where it lies; ``number`` counts from 0."""

    executions: list[Execution]
    number: int
    size: int
    sort: str
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; none for no execution."""
        return pages_total(self.total, self.size)


def read_page(call: Call, frontdoor: str) -> Page:
    """The page that the call asks for; one past the end is empty."""
    number, size, sort = call.query["page"], call.query["size"], call.query["sort"]
    by, _, direction = sort.partition(",")
    listed = call.realm.executions.range(by, (frontdoor,))
    executions = listed.page(number * size, size, reverse=direction.lower() == "desc")
    return Page(executions, number, size, sort, len(listed))
