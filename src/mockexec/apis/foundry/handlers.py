"""Foundry's two operations: list the executions of a resource, and get a token."""

from __future__ import annotations

from itertools import islice

from mockexec.apis.foundry import auth, paging, wire
from mockexec.apis.foundry.query import Query, read_query
from mockexec.http.auth import issue_token
from mockexec.http.call import Call, Reply
from mockexec.simulation.execution import Execution


async def list_executions(call: Call) -> Reply:
    """One page of the finished executions of a resource, newest start first."""
    query = read_query(call)
    found = _first_matches(call, query, query.page_size + 1)
    shown = found[: query.page_size]
    token = None
    if len(found) > query.page_size:
        last = shown[-1]
        cursor = query.cursor._replace(after=(wire.start_ms(last), last.id))
        token = paging.write_token(call, query.digest, cursor)
    return Reply(200, wire.page(shown, token))


def _first_matches(call: Call, query: Query, limit: int) -> list[Execution]:
    """The first executions that the query selects behind its cursor.

    Where only one status can match, those of the other are never looked at.
    """
    statuses, cursor = query.filter.statuses, query.cursor
    if not statuses:
        return []
    # Newest first, then by trace id: the indexes hold negative times, so that one direction serves.
    low: tuple[int, str] | tuple[int] = (1 - cursor.to_ms,)
    if cursor.after is not None:
        after_ms, after_id = cursor.after
        # The least text greater than the id, so that the next entry is the first.
        low = (-after_ms, after_id + "\0")
    index, prefix = "started", [query.resource_rid]
    if len(statuses) == 1:
        index, prefix = "status", [query.resource_rid, *statuses]
    candidates = call.realm.executions.range(
        index, tuple(prefix), low=low, high=(1 - cursor.from_ms,)
    )
    matches, as_of_ns = query.filter.matches, cursor.as_of_ns
    return list(
        islice(
            (
                execution
                for execution in candidates.iterate(reverse=False)
                # What finished after the first page was given is not part of this list.
                if execution.changed_ns <= as_of_ns and matches(execution)
            ),
            limit,
        )
    )


async def create_token(call: Call) -> Reply:
    """An access token for a client that shows its id and secret."""
    client = auth.authenticate_client(call)
    allowed = frozenset(client.get("scopes", ()))
    wanted = frozenset(call.body.get("scope", "").split())
    token = issue_token(
        call.realm,
        client["subject"],
        wanted & allowed if wanted else allowed,
        lifetime_s=auth.TOKEN_LIFETIME_S,
    )
    return Reply(
        200,
        {
            "access_token": token.value,
            "token_type": "bearer",
            "expires_in": auth.TOKEN_LIFETIME_S,
            "scope": " ".join(sorted(token.scopes)),
        },
        (("cache-control", "no-store"),),
    )
