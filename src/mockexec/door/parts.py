"""The parts of a live mock: its clock, its executions and its faults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from mockexec.door.control import Control
from mockexec.door.values import Execution, Fault, instant
from mockexec.faults import FAULTS, parse_fault

_PAGE = 1000


class LiveClock:
    """The clock of one world. It only moves forward."""

    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def now(self) -> datetime:
        """The instant it shows, in UTC."""
        return instant(self._view["now"])

    @property
    def mode(self) -> str:
        """``real``, ``frozen`` or ``scaled``."""
        mode: str = self._view["mode"]
        return mode

    @property
    def next_due(self) -> datetime | None:
        """When the next thing happens by itself; None when nothing will."""
        text = self._view["next_due"]
        return None if text is None else instant(text)

    def advance(self, by: str | timedelta) -> datetime:
        """Turns it forward by ``10m``, ``PT5M`` or a timedelta; returns the instant reached.

        Everything that is due by then happens, in order.
        """
        text = by if isinstance(by, str) else _duration_text(by)
        return self._reached("POST", "/clock/advance", {"by": text})

    def set(self, to: str | datetime) -> datetime:
        """Turns it forward to an instant: an RFC 3339 text, or a datetime with its zone."""
        if isinstance(to, datetime) and to.tzinfo is None:
            raise ValueError("an instant needs a time zone: datetime(..., tzinfo=UTC)")
        text = to if isinstance(to, str) else to.isoformat()
        return self._reached("PUT", "/clock", {"now": text})

    def freeze(self) -> datetime:
        """Stops it; from now on it moves only when it is turned."""
        return self._reached("PUT", "/clock", {"mode": "frozen"})

    def scale(self, factor: float) -> datetime:
        """Lets it run ``factor`` times as fast as the machine's; 1 is real time."""
        body = {"mode": "real"} if factor == 1 else {"mode": "scaled", "scale": factor}
        return self._reached("PUT", "/clock", body)

    def run_until_idle(self) -> datetime:
        """Turns it from event to event until no execution moves by itself any more."""
        return self._reached("POST", "/clock/run-until-idle")

    @property
    def _view(self) -> Any:
        return self._control.ask("GET", "/clock")

    def _reached(self, method: str, path: str, body: Any = None) -> datetime:
        return instant(self._control.ask(method, path, body)["now"])


class LiveExecutions:
    """The executions of one world, of every API."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def list(
        self, api: str | None = None, *, state: str | None = None, group: str | None = None
    ) -> list[Execution]:
        """Those that fit, the latest created first."""
        wanted = {"api": api, "state": state, "group": group}
        query = {name: value for name, value in wanted.items() if value is not None}
        found: list[Execution] = []
        while True:
            paging = {"limit": _PAGE, "offset": len(found)}
            page = self._control.ask("GET", f"/executions?{urlencode({**query, **paging})}")
            found += [Execution.read(view) for view in page["executions"]]
            if len(found) >= page["total"] or not page["executions"]:
                return found

    def add(self, api: str, *, arrival: str | None = None, **data: str) -> Execution:
        """Lets one arrive now, as those of the scenario do: by the process ``arrival`` or the
        first there is, with ``data`` put over what it says.
        """
        body: dict[str, Any] = {"api": api}
        if arrival is not None:
            body["arrival"] = arrival
        if data:
            body["data"] = data
        return Execution.read(self._control.ask("POST", "/executions", body))

    def get(self, execution_id: str, api: str | None = None) -> Execution:
        """One with its past and its data; ``api`` where two APIs have the same id.

        Reading it here does not count as a reading by a client.
        """
        return Execution.read(self._control.ask("GET", _place(execution_id, api)))

    def move(self, execution_id: str, state: str, api: str | None = None) -> Execution:
        """Pushes one along to ``state``; raises UsageError where the lifecycle has no such way."""
        place = _place(execution_id, api)
        return Execution.read(self._control.ask("PATCH", place, {"state": state}))


class LiveFaults:
    """The faults in force in one world, in the order in which they were armed."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __iter__(self) -> Iterator[Fault]:
        return iter([Fault.read(view) for view in self._control.ask("GET", "/faults")])

    def __len__(self) -> int:
        return len(self._control.ask("GET", "/faults"))

    def get(self, fault_id: str) -> Fault:
        """One, with what it has counted so far."""
        return Fault.read(self._control.ask("GET", f"/faults/{quote(fault_id, safe='')}"))

    def arm(self, body: dict[str, Any]) -> Fault:
        """Puts in force what a control body describes: ``{"kind": …, "when": {…}, …}``.

        Raises:
            UsageError: a kind, field or operation that is not there, or a value that cannot be.
        """
        # Checked here as well: the control API's document can only say that no form fits.
        parse_fault("", body, FAULTS)
        return Fault.read(self._control.ask("POST", "/faults", body))

    def remove(self, fault: Fault | str) -> None:
        """Ends one."""
        fault_id = fault if isinstance(fault, str) else fault.id
        self._control.ask("DELETE", f"/faults/{quote(fault_id, safe='')}")

    def clear(self) -> None:
        """Ends all of them."""
        self._control.ask("DELETE", "/faults")


def _place(execution_id: str, api: str | None) -> str:
    query = "" if api is None else f"?{urlencode({'api': api})}"
    return f"/executions/{quote(execution_id, safe='')}{query}"


def _duration_text(length: timedelta) -> str:
    if length < timedelta(0):
        raise ValueError("the clock only moves forward; reset the world to start again")
    seconds = length // timedelta(seconds=1)
    return f"{seconds}s{length.microseconds}us"
