"""NetFoundry Frontdoor executions: Spring pages and HAL, ``:verb`` paths, two-field errors."""

from __future__ import annotations

from mockexec.api import Dialect, handlers_of
from mockexec.apis.frontdoor import auth, errors, handlers
from mockexec.apis.frontdoor.paging import INDEXES
from mockexec.apis.frontdoor.populate import arrive, check, populate
from mockexec.simulation.world import Model

# Executions are the account's audit trail, and nothing says that it ends: none is ever forgotten.
MODEL = Model("frontdoor", INDEXES, populate, arrive, check=check)

DIALECT = Dialect(
    name="frontdoor",
    model=MODEL,
    handlers=handlers_of(
        handlers,
        ("createToken", "listExecutions", "findExecution", "getExecution", "cancelExecution"),
    ),
    render=errors.render,
    verifiers={
        "bearerAuth": auth.verify_bearer,
        "basicAuth": auth.verify_basic,
        # A token from the token endpoint travels as any other bearer token does.
        "oauth2": auth.verify_bearer,
    },
    development_token=auth.development_token,
)
