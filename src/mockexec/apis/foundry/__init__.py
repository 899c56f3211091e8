"""Palantir Foundry: the executions of a resource, as its observability API lists them."""

from __future__ import annotations

from mockexec.api import Dialect, handlers_of
from mockexec.apis.foundry import auth, errors, handlers
from mockexec.apis.foundry.populate import MODEL, Resource

DIALECT = Dialect(
    name="foundry",
    model=MODEL,
    handlers=handlers_of(handlers, ("listExecutions", "createToken")),
    render=errors.render,
    verifiers={"oauth2": auth.verify_oauth2},
    development_token=auth.development_token,
    records=(Resource,),
)
