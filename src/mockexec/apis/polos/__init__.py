"""Polos: the orchestrator's executions, runs, batches and approvals."""

from __future__ import annotations

from mockexec.api import Dialect, handlers_of
from mockexec.apis.polos import auth, cancellation, errors, handlers, populate
from mockexec.simulation.store import Index
from mockexec.simulation.world import Model

MODEL = Model(
    "polos",
    indexes=(
        Index("type", lambda e: (e.owner, e.data["type"], e.created_ns)),
        Index("workflow", lambda e: (e.owner, e.data["type"], e.group, e.created_ns)),
        Index("parent", lambda e: (e.data["parent"],) if e.data.get("parent") else None),
    ),
    populate=populate.populate,
    arrive=populate.arrive,
    check=populate.check,
)

DIALECT = Dialect(
    name="polos",
    model=MODEL,
    handlers=handlers_of(
        handlers,
        (
            "getExecution",
            "cancelExecution",
            "runWorkflow",
            "runWorkflowBatch",
            "listRuns",
            "getApproval",
            "submitApproval",
        ),
    ),
    render=errors.render,
    verifiers={"bearerAuth": auth.verify_api_key},
    development_token=auth.development_token,
    pushed=cancellation.pushed,
)
