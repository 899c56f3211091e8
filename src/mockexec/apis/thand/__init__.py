"""Thand agent executions: the dialect."""

from __future__ import annotations

from mockexec.api import Dialect, handlers_of
from mockexec.apis.thand import auth, errors, handlers, minting
from mockexec.apis.thand.populate import MODEL

DIALECT = Dialect(
    name=auth.API,
    model=MODEL,
    handlers=handlers_of(
        handlers,
        (
            "listExecutions",
            "createExecution",
            "getExecution",
            "cancelExecution",
            "terminateExecution",
            "signalExecution",
        ),
    ),
    render=errors.render,
    verifiers={"bearer": auth.verify_bearer, "apiKey": auth.verify_api_key},
    development_token=lambda _realm: auth.DEVELOPMENT_TOKEN,
    gates={"signalExecution": handlers.require_input},
    options=auth.OPTIONS,
    mints={"session": minting.session, "signal": minting.signal},
)
