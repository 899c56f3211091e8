"""Thand agent executions: the dialect."""

from __future__ import annotations

from mockexec.api import Dialect, handlers_of
from mockexec.apis.thand import auth, errors, handlers, minting
from mockexec.apis.thand.populate import MODEL
from mockexec.apis.thand.wire import TIMED_OUT
from mockexec.simulation.lifecycle import FAILED

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
    # Whose time is not over has failed, and not timed out, even if that is how it was to fail.
    pushed=lambda _execution, state, _at_ns: {TIMED_OUT: False} if state == FAILED else {},
    mints={"session": minting.session, "signal": minting.signal},
)
