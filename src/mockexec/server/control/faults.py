"""The faults of the caller's world."""

from __future__ import annotations

from difflib import get_close_matches

from mockexec.errors import UsageError, Violation
from mockexec.faults import FAULTS, parse_fault
from mockexec.faults.stale_read import StaleRead
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal, invalid
from mockexec.server.mock import Mock
from mockexec.server.views import fault_view

FAULTS_MAX = 100


class FaultsControl:
    """Putting them in force and ending them."""

    operations = ("listFaults", "createFault", "getFault", "deleteFault", "deleteFaults")

    def __init__(self, mock: Mock) -> None:
        self._mock = mock

    async def list_faults(self, call: Call) -> Reply:
        """In the order in which they were armed, which is that in which they strike."""
        faults = call.world.faults
        return Reply(200, [fault_view(faults, fault_id) for fault_id in faults.armed])

    async def create_fault(self, call: Call) -> Reply:
        """In force from the next request on; one of the same id is replaced, its counts too."""
        faults = call.world.faults
        if len(faults.armed) >= FAULTS_MAX and call.body.get("id") not in faults.armed:
            raise Refusal("full", f"{FAULTS_MAX} faults are in force; end some")
        when = call.body.get("when", {})
        self._check_names(when.get("api"), when.get("operation"))
        fault_id = call.body.get("id") or faults.next_id()
        try:
            armed = parse_fault(fault_id, call.body, FAULTS)
        except UsageError as error:
            raise invalid([Violation("body", "", "", str(error))]) from None
        is_stale = isinstance(armed.fault, StaleRead)
        faults.arm(fault_id, armed, call.world.fork() if is_stale else None)
        location = f"{call.base_path}/faults/{fault_id}"
        return Reply(201, fault_view(faults, fault_id), (("location", location),))

    async def get_fault(self, call: Call) -> Reply:
        """One, with what it has seen."""
        faults, fault_id = call.world.faults, call.path["id"]
        if fault_id not in faults.armed:
            raise _unknown(fault_id)
        return Reply(200, fault_view(faults, fault_id))

    async def delete_fault(self, call: Call) -> Reply:
        """Strikes no more."""
        if not call.world.faults.disarm(call.path["id"]):
            raise _unknown(call.path["id"])
        return Reply(204)

    async def delete_faults(self, call: Call) -> Reply:
        """All of them."""
        for fault_id in list(call.world.faults.armed):
            call.world.faults.disarm(fault_id)
        return Reply(204)

    def _check_names(self, api: str | None, operation: str | None) -> None:
        """A fault on a name that nothing has would never strike, and nobody would know why."""
        apis = self._mock.apis
        if api is not None and api not in apis:
            raise Refusal("not_found", _meant("API", api, list(apis)))
        if operation is not None:
            served = [apis[api]] if api is not None else list(apis.values())
            known = [one.id for value in served for one in value.operations]
            if operation not in known:
                raise Refusal("not_found", _meant("operation", operation, known))


def _unknown(fault_id: str) -> Refusal:
    return Refusal("not_found", f"there is no fault {fault_id[:100]!r}")


def _meant(kind: str, name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=3)
    there = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(known)}"
    return f"there is no {kind} {name[:100]!r}; {there}"
