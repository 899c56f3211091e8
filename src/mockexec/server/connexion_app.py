"""The Connexion application of one API. The only module, with ``pipeline``, that knows Connexion.

Connexion keeps the document's operations, the resolver, the security handlers and the exception
middleware. It is given an outline of the document (paths, operationIds, security), never schemas:
it would inline every ``$ref``, and knows neither 3.1 nor recursion.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mockexec.server.later import imported_later

# Two HTTP clients, a client for tests and a template engine: a third of Connexion's import, for
# specifications by URL, templates in them and remote token checks, none of which it does here.
with (
    warnings.catch_warnings(),
    imported_later("httpx", "jinja2", "requests", "starlette.testclient"),
):
    # Connexion 3.3 imports deprecated parts of starlette and jsonschema; no user can mend that.
    warnings.simplefilter("ignore")
    from connexion import AsyncApp
from connexion.exceptions import ProblemException
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.operations import AbstractOperation
from connexion.options import SwaggerUIOptions
from connexion.resolver import Resolution, Resolver
from starlette.exceptions import HTTPException

from mockexec.api import Api
from mockexec.http.auth import Principal
from mockexec.http.call import Call, Handler, Verifier
from mockexec.http.refusal import Refusal
from mockexec.server.metrics import Metrics
from mockexec.server.pipeline import VISIT, Pipeline, Visit
from mockexec.server.replies import CORS, Send, encode
from mockexec.settings import Settings

logger = logging.getLogger("mockexec")

_SCHEME_NAME = "x-mockexec-scheme"


class Mount:
    """An ASGI application: the Connexion application of one API, its pipeline asked first.

    Connexion's exception middleware is entered when there is an exception, with which it calls the
    pipeline again: to enter it for every request would cost as much as a fourth of the answer.
    """

    def __init__(
        self, api: Api, handlers: Mapping[str, Handler], settings: Settings, metrics: Metrics
    ) -> None:
        self._app = connexion_app(api, handlers, settings, metrics)
        self._pipeline: Pipeline

    async def start(self) -> None:
        """Lets Connexion build its stack, and with it the plans."""
        # It does so at the first call, whatever it is; this one asks nothing.
        await self._app({"type": "lifespan"}, _receive_nothing, _send_nowhere)
        stack = self._app.middleware.middleware_stack
        (self._pipeline,) = (layer for layer in stack if isinstance(layer, Pipeline))

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        """One request, whose ``Visit`` is in its scope."""
        visit: Visit = scope[VISIT]
        try:
            await self._pipeline.serve(visit, scope, receive, send)
        except Exception as error:  # it is handed on, and answered with 500
            visit.error = error
            await self._app(scope, receive, send)


async def _receive_nothing() -> dict[str, Any]:
    return {"type": "lifespan.startup"}


async def _send_nowhere(message: Any) -> None:
    del message


class HandlerResolver(Resolver):  # type: ignore[misc]  # connexion is not typed
    """operationId → handler: the dialect's, else one that answers from the document."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        super().__init__()
        self._handlers = handlers

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """Connexion's question for the function behind an operation."""
        return Resolution(self._handlers[operation.operation_id], operation.operation_id)


def connexion_app(
    api: Api, handlers: Mapping[str, Handler], settings: Settings, metrics: Metrics
) -> AsyncApp:
    """The application of ``api``; ``handlers`` has one for every operation of its document."""
    app = AsyncApp(
        api.name,
        middlewares=[
            ExceptionMiddleware,
            partial(Pipeline, api=api, settings=settings, metrics=metrics),
        ],
        resolver=HandlerResolver(handlers),
        security_map=_security_map(api.dialect.verifiers),
        swagger_ui_options=SwaggerUIOptions(swagger_ui=False, serve_spec=False),
    )
    app.add_api(outline(api), base_path="")
    handle = _error_handler(api, settings)
    for kind in (ProblemException, HTTPException, Exception):
        app.add_error_handler(kind, handle)
    return app


def outline(api: Api) -> dict[str, Any]:
    """An OpenAPI 3.0.3 document with the paths, operationIds and security of ``api``.

    Connexion checks it against the meta-schema, node by node: what need not be there is left out.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in api.operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = {
            "operationId": operation.id,
            "security": [
                {name: list(scopes) for name, scopes in alternative.items()}
                for alternative in operation.security
            ],
            # There must be one, and an extension is the one that costs nothing to check.
            "responses": {"x-see": {}},
        }
    return {
        "openapi": "3.0.3",
        "info": {"title": api.title, "version": "1"},
        "paths": paths,
        "components": {
            "securitySchemes": {
                name: {"type": "apiKey", "in": "header", "name": "-", _SCHEME_NAME: name}
                for name in api.security_schemes
            }
        },
    }


def _security_map(verifiers: Mapping[str, Verifier]) -> dict[str, Callable[[], Any]]:
    """Connexion's map from a type of scheme to the class that makes its verifying functions.

    In the outline every scheme is of one type and carries its name, since verifiers go by name.
    """

    class SecurityHandler:
        def get_fn(
            self, security_scheme: Mapping[str, Any], required_scopes: list[str]
        ) -> Callable[[Call], Principal | None]:
            name = security_scheme[_SCHEME_NAME]
            scopes = tuple(required_scopes)
            if name not in verifiers:
                return _unverifiable(name)
            return partial(verifiers[name], scopes=scopes)

    return {"apiKey": SecurityHandler}


def _unverifiable(name: str) -> Callable[[Call], Principal | None]:
    def refuse(call: Call) -> Principal | None:
        raise Refusal("unauthenticated", f"{call.operation_id}: nothing verifies the scheme {name}")

    return refuse


def _error_handler(api: Api, settings: Settings) -> Callable[[ConnexionRequest, Exception], Any]:
    """The last resort: an error of ours, in the vendor's words and in our log."""

    async def handle(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        call = request.scope[VISIT].call
        logger.error("%s %s failed", api.name, call.operation_id, exc_info=error)
        refusal = Refusal("internal", "an unexpected error, see the server's log")
        reply = api.dialect.render(refusal, call)
        extra = CORS if b"origin" in call.headers and settings.cors else ()
        body, headers = encode(reply, extra)
        return ConnexionResponse(
            status_code=reply.status,
            body=body,
            headers={
                name.decode(): value.decode()
                for name, value in headers
                if name != b"content-length"
            },
        )

    return handle
