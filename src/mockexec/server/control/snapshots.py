"""The snapshots of the caller's session."""

from __future__ import annotations

from typing import Any

from mockexec.errors import FixtureError, UsageError, Violation
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal, invalid
from mockexec.server.mock import CONTROL, Mock
from mockexec.server.views import snapshot_view
from mockexec.simulation.session import Session, SnapshotsFull
from mockexec.simulation.snapshot import (
    BadSnapshot,
    Snapshot,
    export_snapshot,
    import_world,
    restored,
    scenario_of,
)


class SnapshotsControl:
    """Taking them, going back to them, carrying them elsewhere."""

    operations = (
        "listSnapshots", "createSnapshot", "getSnapshot", "restoreSnapshot", "deleteSnapshot",
    )  # fmt: skip

    def __init__(self, mock: Mock) -> None:
        self._mock = mock

    async def list_snapshots(self, call: Call) -> Reply:
        """The earliest first."""
        return Reply(200, [snapshot_view(one) for one in call.session.snapshots.values()])

    async def create_snapshot(self, call: Call) -> Reply:
        """The world as it stands, or one that was exported, put aside."""
        wanted = call.body or {}
        world = self._imported(wanted["import"]) if "import" in wanted else call.world.fork()
        name = wanted.get("name", "")
        try:
            snapshot = call.session.keep_snapshot(name, world)
        except SnapshotsFull as error:
            raise Refusal("full", str(error)) from None
        location = f"{call.base_path}/snapshots/{snapshot.id}"
        return Reply(201, snapshot_view(snapshot), (("location", location),))

    async def get_snapshot(self, call: Call) -> Reply:
        """All of it as JSON, to be imported elsewhere."""
        return Reply(200, export_snapshot(_found(call), self._mock.codec))

    async def restore_snapshot(self, call: Call) -> Reply:
        """The session goes on from it; what happened since stays in the journal."""
        snapshot = _found(call)
        restore(call.session, snapshot)
        return Reply(200, snapshot_view(snapshot))

    async def delete_snapshot(self, call: Call) -> Reply:
        """Forgets it."""
        del call.session.snapshots[_found(call).id]
        return Reply(204)

    def _imported(self, data: Any) -> Any:
        try:
            scenario = scenario_of(data, without=CONTROL)
            empty = self._mock.fresh_world(scenario)
            return import_world(data, empty, self._mock.codec)
        except BadSnapshot as error:
            raise invalid([Violation("body", "", "/import", str(error))]) from None
        except (UsageError, FixtureError) as error:
            raise Refusal("not_found", str(error)) from None


def restore(session: Session, snapshot: Snapshot) -> None:
    """Puts a copy of the snapshot's world in place of the session's, and keeps the journal."""
    world = restored(snapshot)
    world.journal = session.world.journal
    session.world = world


def _found(call: Call) -> Snapshot:
    wanted = call.path["id"]
    snapshot = call.session.snapshots.get(wanted)
    if snapshot is None:
        raise Refusal("not_found", f"this session has no snapshot {wanted[:100]!r}")
    return snapshot
