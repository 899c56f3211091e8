"""Connexion as its guide shows it: handlers written by hand (``app``), or its own mock (``mock``).

Its validation of parameters and bodies is on, that of responses off, as by default.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from connexion import AsyncApp
from connexion.mock import MockResolver
from connexion.resolver import Resolver
from held import Held, read_document


async def get_workflow_execution(id: str) -> Any:  # noqa: A002  # the parameter's name
    """One, or 404."""
    found = _held.one(id)
    return found if found is not None else ({"title": "no such execution"}, 404)


async def get_workflow_executions(
    id: str,  # noqa: A002  # the parameter's name
    limit: int,
    offset: int,
    filters: str = "",
) -> Any:
    """A page."""
    return _held.page(id, limit, offset, filters)


async def test_workflow(id: str, body: dict[str, Any]) -> Any:  # noqa: A002, ARG001  # their names
    """Starts one."""
    return {"workflowExecutionId": _held.create(id)}


async def get_resource(**_: Any) -> Any:
    """What any operation of the document with many of them answers."""
    return {"id": "resource-1", "name": "A resource", "kind": "PLAIN"}


def check_token(token: str) -> dict[str, Any]:
    """Who a token belongs to: everybody has all rights."""
    return {"sub": token, "scope": []}


_HANDLERS: dict[str, Callable[..., Any]] = {
    "getWorkflowExecution": get_workflow_execution,
    "getWorkflowExecutions": get_workflow_executions,
    "testWorkflow": test_workflow,
}


def _make(resolver: Resolver) -> AsyncApp:
    """The application for the document that is to be served."""
    document = read_document()
    document["components"]["securitySchemes"]["token"]["x-bearerInfoFunc"] = (
        "connexion_app.check_token"
    )
    made = AsyncApp(__name__)
    made.add_api(document, resolver=resolver)
    return made


def _find(operation_id: str) -> Callable[..., Any]:
    return _HANDLERS.get(operation_id, get_resource)


if os.environ["BENCHMARK_MODE"] == "mock":
    app = _make(MockResolver(mock_all=True))
else:
    _held = Held()
    app = _make(Resolver(_find))
