"""What a listExecutions request asks for, checked in the order the mock decided on.

resource → permission → page size → page token → times → filter. The types of the body's fields are
the document's matter and checked before.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mockexec.apis.foundry import paging
from mockexec.apis.foundry.filters import EVERYTHING, Filter, InvalidFilterError, parse_filter
from mockexec.apis.foundry.paging import Cursor
from mockexec.apis.foundry.populate import Resource
from mockexec.http.call import Call
from mockexec.http.paging import digest
from mockexec.http.refusal import Refusal
from mockexec.simulation.instants import DAY, MILLISECOND, parse_instant

_PAGE_SIZE_MAX = 100


class Query(NamedTuple):
    """A checked request. ``digest`` is what ties page tokens to it."""

    resource_rid: str
    page_size: int
    filter: Filter
    cursor: Cursor
    digest: str


def read_query(call: Call) -> Query:
    """The query of this call.

    Raises:
        Refusal: something in it is refused, with the vendor's error name as its reason.
    """
    resource_rid = call.path["resourceRid"]
    body = call.body
    _check_resource(call, resource_rid)
    page_size = _page_size(body)
    tied = digest([resource_rid, *(body.get(key) for key in ("startTime", "endTime", "where"))])
    page_token = body.get("pageToken")
    cursor = None if page_token is None else paging.read_token(call, page_token, tied)
    first = _first_cursor(call, body)
    return Query(resource_rid, page_size, _filter(body), cursor or first, tied)


def _check_resource(call: Call, resource_rid: str) -> None:
    resource: Resource | None = call.realm.table("resources").get(resource_rid)
    facts = {"resourceRid": resource_rid}
    if resource is None:
        raise Refusal("ResourceNotFound", "", status=404, details=facts)
    if resource.viewers is not None and call.caller.subject not in resource.viewers:
        raise Refusal(resource.denied_with, "", status=403, details=facts)


def _page_size(body: dict[str, Any]) -> int:
    size = body.get("pageSize")
    if size is None:
        return _PAGE_SIZE_MAX
    if size < 1:
        raise Refusal("InvalidPageSize", "", status=400, details={"pageSize": size})
    return min(int(size), _PAGE_SIZE_MAX)


def _first_cursor(call: Call, body: dict[str, Any]) -> Cursor:
    """The window of a first page: the last 24 hours unless the body says otherwise."""
    from_ns, to_ns = _instant(body, "startTime"), _instant(body, "endTime")
    if from_ns is not None and to_ns is not None and from_ns > to_ns:
        raise Refusal("InvalidExecutionFilter", "body /startTime is after endTime", status=400)
    return Cursor(
        from_ms=_ceil_ms(call.now_ns - DAY if from_ns is None else from_ns),
        to_ms=_ceil_ms(call.now_ns if to_ns is None else to_ns),
        as_of_ns=call.now_ns,
    )


def _instant(body: dict[str, Any], key: str) -> int | None:
    text = body.get(key)
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise Refusal("Conjure:UnprocessableEntity", f"body /{key} {error}", status=422) from None


def _ceil_ms(instant_ns: int) -> int:
    """The first whole millisecond that is not before the instant."""
    return -(-instant_ns // MILLISECOND)


def _filter(body: dict[str, Any]) -> Filter:
    where = body.get("where")
    if where is None:
        return EVERYTHING
    try:
        return parse_filter(where)
    except InvalidFilterError as error:
        raise Refusal("InvalidExecutionFilter", f"body {error}", status=400) from None
