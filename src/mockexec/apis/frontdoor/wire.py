"""The vendor's JSON.

Source: the API guide "Executions" of August 2025, which shows ``id``, ``processId``, ``status`` and
``startedAt`` and only the status RUNNING. Inferred: ``name``, ``createdAt`` and ``finishedAt``; the
three final statuses; both forms of a page, which sibling resources of the vendor have.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mockexec.apis.frontdoor.paging import Page
from mockexec.apis.frontdoor.properties import STATUSES, name_of, process_id_of, started_ns_of
from mockexec.http.remembered import remembered
from mockexec.simulation.execution import Execution
from mockexec.simulation.instants import format_instant

HAL = "application/hal+json"


@remembered
def plain_execution(execution: Execution) -> dict[str, Any]:
    """An execution in plain JSON."""
    finished_ns = execution.finished_ns
    return {
        "id": execution.id,
        "processId": process_id_of(execution),
        "name": name_of(execution),
        "status": STATUSES[execution.state],
        "createdAt": format_instant(execution.created_ns),
        "startedAt": format_instant(started_ns_of(execution)),
        "finishedAt": None if finished_ns is None else format_instant(finished_ns),
    }


def hal_execution(execution: Execution, address: str) -> dict[str, Any]:
    """An execution in HAL; ``address`` is the URL of the list it is in."""
    href = f"{address}/{quote(execution.id, safe='')}"
    return {**plain_execution(execution), "_links": {"self": {"href": href}}}


def spring_page(page: Page) -> dict[str, Any]:
    """A page in plain JSON."""
    return {
        "content": [plain_execution(one) for one in page.executions],
        "pageable": {"pageNumber": page.number, "pageSize": page.size},
        "totalElements": page.total,
        "totalPages": page.pages,
    }


def hal_page(page: Page, address: str) -> dict[str, Any]:
    """A page in HAL, which has no ``_embedded`` when it is empty."""
    body: dict[str, Any] = {}
    if page.executions:
        listed = [hal_execution(one, address) for one in page.executions]
        body["_embedded"] = {"executionList": listed}
    body["_links"] = _page_links(page, address)
    body["page"] = {
        "size": page.size,
        "totalElements": page.total,
        "totalPages": page.pages,
        "number": page.number,
    }
    return body


def _page_links(page: Page, address: str) -> dict[str, Any]:
    last = max(page.pages - 1, 0)
    numbers = {"self": page.number, "first": 0}
    if page.number > 0:
        numbers["prev"] = min(page.number - 1, last)
    if page.number < last:
        numbers["next"] = page.number + 1
    numbers["last"] = last
    return {
        relation: {"href": f"{address}?page={number}&size={page.size}&sort={page.sort}"}
        for relation, number in numbers.items()
    }
