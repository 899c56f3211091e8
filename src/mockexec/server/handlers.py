"""Which function answers an operation: the dialect's handler, else the document itself."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import cache

from mockexec.api import Api
from mockexec.http.call import Call, Handler, Reply
from mockexec.mocking.responder import answer_from_document, preferences
from mockexec.spec.operations import Operation


def handlers_for(api: Api) -> dict[str, Handler]:
    """A handler for every operation of ``api``, by operationId."""
    own = api.dialect.handlers
    return {
        operation.id: answer_from_document(operation, api.schemas)
        if operation.id not in own
        else _unless_preferred(own[operation.id], operation, api)
        for operation in api.operations
    }


def _unless_preferred(own: Handler, operation: Operation, api: Api) -> Handler:
    """The dialect's handler, but for requests whose ``Prefer`` chooses a documented answer."""

    @cache
    def from_document() -> Handler:
        # Made when first wanted: few ever are, and checking all examples takes a while.
        return answer_from_document(operation, api.schemas)

    def handle(call: Call) -> Awaitable[Reply]:
        if b"prefer" not in call.headers or not preferences(call):
            return own(call)
        return from_document()(call)

    return handle
