"""SailPoint Identity Security Cloud: workflow executions."""

from __future__ import annotations

from mockexec.api import Dialect, handlers_of
from mockexec.apis.sailpoint import auth, errors, handlers
from mockexec.apis.sailpoint.paging import BY_START, BY_STATUS
from mockexec.apis.sailpoint.populate import arrive, check, populate
from mockexec.simulation.world import Model

_PER_RESOURCE = ("workflows", "workflow-executions")


def _aliases(path: str) -> tuple[str, ...]:
    """The path in the layout of the newer client: the version stands after the first segment."""
    resource, slash, rest = path[1:].partition("/")
    return (f"/{resource}/v1{slash}{rest}",) if resource in _PER_RESOURCE else ()


DIALECT = Dialect(
    name="sailpoint",
    records=(auth.Window,),
    model=Model(
        "sailpoint",
        indexes=(BY_START, BY_STATUS),
        populate=populate,
        arrive=arrive,
        check=check,
        retention_ns=handlers.RETENTION_NS,
    ),
    handlers=handlers_of(
        handlers,
        (
            "listWorkflows",
            "getWorkflow",
            "getWorkflowExecutions",
            "getWorkflowExecution",
            "getWorkflowExecutionHistory",
            "cancelWorkflowExecution",
            "testWorkflow",
            "createExternalExecuteWorkflow",
            "createToken",
        ),
    ),
    render=errors.render,
    verifiers={"userAuth": auth.verify_user, "applicationAuth": auth.verify_any},
    development_token=lambda realm: auth.DEVELOPMENT_TOKEN,  # noqa: ARG005  # the same in all worlds
    throttle=auth.throttle,
    aliases=_aliases,
    options={"rate_limit": "off"},
    option_readers={"rate_limit": auth.read_limit},
)
