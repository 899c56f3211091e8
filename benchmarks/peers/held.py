"""What the Python peers hold and give: executions in memory, and nothing of how they are served."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

Execution = dict[str, Any]
_STARTED = "2022-02-07T20:13:29.356648026Z"


def read_document() -> dict[str, Any]:
    """The document to serve, with PyYAML's fast loader."""
    import yaml  # noqa: PLC0415  # the bare application needs none

    text = Path(os.environ["BENCHMARK_DOCUMENT"]).read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)  # type: ignore[no-any-return]


class Held:
    """Executions by id, and by workflow in the order they were started."""

    def __init__(self) -> None:
        path = Path(os.environ["BENCHMARK_HELD"])
        self._by_id: dict[str, Execution] = {}
        self._by_workflow: dict[str, list[Execution]] = {}
        self._numbers = itertools.count(1)
        for execution in json.loads(path.read_text(encoding="utf-8")):
            self._add(execution)

    def one(self, execution_id: str) -> Execution | None:
        """The execution of this id, if there is one."""
        return self._by_id.get(execution_id)

    def page(self, workflow: str, limit: int, offset: int, filters: str) -> list[Execution]:
        """A page, newest first; the one filter known is ``status eq "…"``."""
        of_workflow = self._by_workflow.get(workflow, [])
        if not filters:
            end = len(of_workflow) - offset
            return of_workflow[max(0, end - limit) : max(0, end)][::-1]
        status = filters.removeprefix('status eq "').removesuffix('"')
        chosen = (found for found in reversed(of_workflow) if found["status"] == status)
        return list(itertools.islice(chosen, offset, offset + limit))

    def create(self, workflow: str) -> str:
        """Starts one; its id."""
        number = next(self._numbers)
        execution = {
            "id": f"{number:08x}-0000-4000-8000-000000000000",
            "workflowId": workflow,
            "requestId": f"{number:032x}",
            "startTime": _STARTED,
            "status": "Executing",
        }
        self._add(execution)
        return str(execution["id"])

    def _add(self, execution: Execution) -> None:
        self._by_id[execution["id"]] = execution
        self._by_workflow.setdefault(execution["workflowId"], []).append(execution)
