"""Which function answers an operation: the dialect's handler, else the document itself."""

from __future__ import annotations

from mockexec.api import Api
from mockexec.http.call import Handler
from mockexec.mocking.responder import answer_from_document


def handlers_for(api: Api) -> dict[str, Handler]:
    """A handler for every operation of ``api``, by operationId."""
    own = api.dialect.handlers
    return {
        operation.id: own.get(operation.id) or answer_from_document(operation, api.schemas)
        for operation in api.operations
    }
