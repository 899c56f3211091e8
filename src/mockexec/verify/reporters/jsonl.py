"""JSON Lines: one object a line; the lines with ``"event": "finding"`` can be replayed."""

from __future__ import annotations

import json
from typing import IO, Any

from mockexec.verify.curl import Curl
from mockexec.verify.events import Event, PartFinished, PartStarted, Sent, Skipped, Started, Trouble
from mockexec.verify.findings import Group
from mockexec.verify.result import Result
from mockexec.verify.stories import finding_as_data


class JsonLinesReporter:
    """Writes requests as they come (without bodies), findings and coverage at the end."""

    def __init__(self, file: IO[str], curl: Curl) -> None:
        self._file = file
        self._curl = curl

    def take(self, event: Event) -> None:
        """Writes what is not told at the end."""
        match event:
            case Started():
                self._write(
                    "started", title=event.title, url=event.url, mock=event.mock, seed=event.seed,
                    units=event.units,
                )  # fmt: skip
            case PartStarted():
                self._write("part_started", name=event.name, title=event.title)
            case PartFinished():
                self._write(
                    "part_finished", name=event.name, requests=event.requests,
                    findings=event.findings,
                )  # fmt: skip
            case Sent():
                exchanged = event.exchanged
                self._write(
                    "sent", operation=event.operation, phase=event.phase,
                    method=exchanged.request.method, url=exchanged.url, status=exchanged.status,
                    parameters=event.parameters, link=event.link,
                )  # fmt: skip
            case Skipped():
                self._write("skipped", what=event.what, reason=event.reason)
            case Trouble():
                self._write("trouble", where=event.where, message=event.message)
            case _:
                pass

    def finish(self, result: Result) -> None:
        """Writes the root causes and what was reached."""
        for group in result.groups:
            self._finding(group, result, accepted=False)
        for group in result.accepted:
            self._finding(group, result, accepted=True)
        self._write("coverage", **result.coverage.as_data())
        if (finished := result.finished) is not None:
            self._write(
                "finished", ended=finished.ended, requests=finished.requests,
                took_s=round(finished.took_s, 3), findings=len(result.groups),
                accepted=len(result.accepted), exit_code=result.exit_code,
            )  # fmt: skip

    def _finding(self, group: Group, result: Result, *, accepted: bool) -> None:
        finding = group.finding
        self._write(
            "finding",
            **finding_as_data(finding),
            place=result.place(finding),
            count=group.count,
            accepted=accepted,
            curl=[self._curl.line(exchanged) for exchanged in finding.exchanges],
        )

    def _write(self, event: str, **more: Any) -> None:
        # In ASCII: U+2028, U+0085 and the like end a line for some who read it.
        self._file.write(json.dumps({"event": event, **more}) + "\n")
