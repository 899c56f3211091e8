"""The bare application: what uvicorn and the standard library's JSON cost, and little else.

It reads no document, checks nothing, and asks for no token.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from held import Held

_held = Held()


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers one request."""
    answer: Any = None
    match scope["method"], scope["path"].split("/")[1:]:
        case "GET", ["workflow-executions", execution_id]:
            answer = _held.one(execution_id)
        case "GET", ["workflows", workflow, "executions"]:
            query = parse_qs(scope["query_string"].decode())
            limit, offset = int(query["limit"][0]), int(query.get("offset", ["0"])[0])
            answer = _held.page(workflow, limit, offset, query.get("filters", [""])[0])
        case "POST", ["workflows", workflow, "test"]:
            await _body(receive)
            answer = {"workflowExecutionId": _held.create(workflow)}
    status = 404 if answer is None else 200
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Any) -> Any:
    """The request's body."""
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return json.loads(b"".join(parts))
