"""The journal of the caller's world."""

from __future__ import annotations

from mockexec.http.call import Call, Reply
from mockexec.server.har import Masks, har
from mockexec.server.mock import Mock
from mockexec.server.views import exchange_view
from mockexec.simulation.journal import Exchange


class JournalControl:
    """Reading it, carrying it away, forgetting it."""

    operations = ("listJournal", "exportJournal", "deleteJournal")

    def __init__(self, mock: Mock) -> None:
        self._masks = Masks(mock.apis.values())

    async def list_journal(self, call: Call) -> Reply:
        """The latest exchanges, filtered before they are counted."""
        mask = self._masks.query
        return Reply(200, [exchange_view(one, mask(one.query)) for one in _found(call)])

    async def export_journal(self, call: Call) -> Reply:
        """The same exchanges as a HAR file, the earliest first, without secrets."""
        return Reply(200, har(_found(call)[::-1], self._masks))

    async def delete_journal(self, call: Call) -> Reply:
        """Forgets all of it; numbers go on."""
        call.world.journal.clear()
        return Reply(204)


def _found(call: Call) -> list[Exchange]:
    query = call.query
    return call.world.journal.find(
        limit=query["limit"],
        since=query.get("since", 0),
        api=query.get("api"),
        operation_id=query.get("operation"),
        status=query.get("status"),
        method=query.get("method"),
    )
