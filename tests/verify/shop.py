"""A small server of somebody else's making, and its document: right, or wrong in one way.

``with shop("server_error") as url`` serves it; ``Shop`` is the bare ASGI application.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from mockexec.server.fault_injection import LINE
from mockexec.server.run import BackgroundServer

TOKEN = "shop-token"
DOCUMENT = """openapi: 3.0.3
info: {title: Shop, version: "1"}
security: [{bearer: []}]
paths:
  /things:
    get:
      operationId: listThings
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50}}
      responses:
        "200":
          description: Some.
          content:
            application/json:
              schema: {type: array, items: {$ref: "#/components/schemas/Thing"}}
        "400": {$ref: "#/components/responses/Refused"}
        "401": {$ref: "#/components/responses/Refused"}
        "405": {$ref: "#/components/responses/Refused"}
        "429": {$ref: "#/components/responses/Refused"}
    post:
      operationId: createThing
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [name]
              additionalProperties: false
              properties: {name: {type: string, minLength: 1, maxLength: 20}}
      responses:
        "201":
          description: It is there.
          content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}
          links:
            GetThing: {operationId: getThing, parameters: {id: "$response.body#/id"}}
            DeleteThing: {operationId: deleteThing, parameters: {id: "$response.body#/id"}}
        "400": {$ref: "#/components/responses/Refused"}
        "401": {$ref: "#/components/responses/Refused"}
        "405": {$ref: "#/components/responses/Refused"}
        "429": {$ref: "#/components/responses/Refused"}
        "415": {$ref: "#/components/responses/Refused"}
  /things/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string, minLength: 1}}
    get:
      operationId: getThing
      responses:
        "200":
          description: It.
          content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}
        "401": {$ref: "#/components/responses/Refused"}
        "404": {$ref: "#/components/responses/Refused"}
        "405": {$ref: "#/components/responses/Refused"}
        "429": {$ref: "#/components/responses/Refused"}
    delete:
      operationId: deleteThing
      responses:
        "204": {description: Gone.}
        "401": {$ref: "#/components/responses/Refused"}
        "404": {$ref: "#/components/responses/Refused"}
        "405": {$ref: "#/components/responses/Refused"}
        "429": {$ref: "#/components/responses/Refused"}
components:
  securitySchemes: {bearer: {type: http, scheme: bearer}}
  responses:
    Refused:
      description: No.
      content:
        application/json:
          schema: {type: object, required: [error], properties: {error: {type: string}}}
  schemas:
    Thing:
      type: object
      required: [id, name]
      properties: {id: {type: string}, name: {type: string}}
"""
_ALLOWED = {"/things": "GET, POST", "/things/{id}": "GET, DELETE"}
_NAME = re.compile(r".{1,20}", re.DOTALL)


class Shop:
    """The application. ``faults``: what is wrong with it.

    ``server_error`` (a limit of 50 is too much for it), ``broken_item`` (a single thing lacks its
    name), ``teapot`` (418 for a list without a limit), ``no_auth``, ``lost`` (what was created is
    not there), ``throttled`` (429 once, then all is well), ``locked`` (401 to everybody), ``plain`` (refusals
    are text/plain), ``hangs_up`` (a single thing that is there breaks the connection).
    """

    def __init__(self, *faults: str, token: str = TOKEN) -> None:
        self.faults = set(faults)
        self.token = token
        self.things: dict[str, dict[str, str]] = {}
        # (method, path) of every request, and how many were answered with 429.
        self.seen: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.throttled = 0
        self._next = 1

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request, or the server's start and end."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {
            name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        self.seen.append((scope["method"], scope["path"]))
        self.headers.append(headers)
        if "hangs_up" in self.faults and scope["path"].removeprefix("/things/") in self.things:
            scope[LINE].cut()
            return
        status, data, extra = self._answer(scope, headers, body)
        content = b"" if data is None else json.dumps(data).encode()
        name = b"text/plain" if status >= 400 and "plain" in self.faults else b"application/json"
        kind = [(b"content-type", name)] if data is not None else []
        await send({
            "type": "http.response.start", "status": status,
            "headers": [*kind, *((n.encode(), v.encode()) for n, v in extra.items())],
        })  # fmt: skip
        await send({"type": "http.response.body", "body": content})

    def _answer(
        self, scope: Any, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        path = scope["path"]
        if path == "/token":
            return self._token(headers, body)
        template = "/things" if path == "/things" else "/things/{id}"
        if not path.startswith("/things") or path.count("/") > 2:
            return 404, {"error": "nothing here"}, {}
        if scope["method"] not in _ALLOWED[template].split(", "):
            return 405, {"error": "not so"}, {"allow": _ALLOWED[template]}
        if "no_auth" not in self.faults and not self._knows(headers):
            return 401, {"error": "who are you?"}, {"www-authenticate": "Bearer"}
        if "throttled" in self.faults and not self.throttled and len(self.seen) > 3:
            self.throttled += 1
            return 429, {"error": "not so fast"}, {"retry-after": "0"}
        if template == "/things":
            return self._list(scope) if scope["method"] == "GET" else self._create(headers, body)
        return self._one(scope["method"], path.removeprefix("/things/"))

    def _knows(self, headers: dict[str, str]) -> bool:
        right = headers.get("authorization") == f"Bearer {self.token}"
        return right and "locked" not in self.faults

    def _token(self, headers: dict[str, str], body: bytes) -> tuple[int, Any, dict[str, str]]:
        fits = headers.get("authorization") == "Basic aWQ6c2VjcmV0"
        if not fits or b"grant_type=client_credentials" not in body:
            return 401, {"error": "invalid_client"}, {}
        return 200, {"access_token": self.token, "token_type": "Bearer"}, {}

    def _list(self, scope: Any) -> tuple[int, Any, dict[str, str]]:
        query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
        texts = query.get("limit", [])
        if "teapot" in self.faults and not texts:
            return 418, {"error": "a teapot"}, {}
        if len(texts) > 1 or not all(re.fullmatch(r"[1-9]|[1-4]\d|50", text) for text in texts):
            return 400, {"error": "limit is wrong"}, {}
        if "server_error" in self.faults and texts == ["50"]:
            return 500, {"error": "oh no"}, {}
        limit = int(texts[0]) if texts else 10
        return 200, list(self.things.values())[:limit], {}

    def _create(self, headers: dict[str, str], body: bytes) -> tuple[int, Any, dict[str, str]]:
        if headers.get("content-type", "").partition(";")[0] != "application/json":
            return 415, {"error": "not JSON"}, {}
        try:
            data = json.loads(body)
        except ValueError:
            return 400, {"error": "no JSON"}, {}
        if (
            not isinstance(data, dict)
            or set(data) != {"name"}
            or not isinstance(data["name"], str)
            or not _NAME.fullmatch(data["name"])
        ):
            return 400, {"error": "no such thing"}, {}
        thing = {"id": f"thing-{self._next:06}", "name": data["name"]}
        self._next += 1
        if "lost" not in self.faults:
            self.things[thing["id"]] = thing
        return 201, thing, {}

    def _one(self, method: str, name: str) -> tuple[int, Any, dict[str, str]]:
        thing = self.things.get(name)
        if thing is None:
            return 404, {"error": "no such thing"}, {}
        if method == "DELETE":
            del self.things[name]
            return 204, None, {}
        if "broken_item" in self.faults:
            return 200, {"id": thing["id"]}, {}
        return 200, thing, {}


@contextmanager
def serving(shop: Shop) -> Iterator[str]:
    """Its base URL, for as long as the context lasts."""
    with BackgroundServer(shop, "127.0.0.1", 0) as server:
        yield server.url
