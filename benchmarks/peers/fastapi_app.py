"""FastAPI as its guide shows it: parameters, bodies and answers declared as types."""

from __future__ import annotations

import os
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from fastapi.security import HTTPBearer
from held import Held, read_document
from pydantic import BaseModel, Field

_held = Held()
app = FastAPI(dependencies=[Depends(HTTPBearer())])


class Execution(BaseModel):
    """One run of a workflow."""

    id: str
    workflowId: str  # noqa: N815  # the wire's name
    requestId: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]  # noqa: N815
    startTime: str  # noqa: N815
    closeTime: str | None = None  # noqa: N815
    status: str


class TestRequest(BaseModel):
    """What to start a workflow with."""

    input: dict[str, Any]


class TestResponse(BaseModel):
    """What was started."""

    workflowExecutionId: str  # noqa: N815


class Resource(BaseModel):
    """What any operation of the document with many of them answers."""

    id: str
    name: str
    kind: str


@app.get("/workflow-executions/{execution_id}", response_model_exclude_none=True)
async def get_workflow_execution(execution_id: str) -> Execution:
    """One, or 404."""
    found = _held.one(execution_id)
    if found is None:
        raise HTTPException(404)
    return Execution.model_validate(found)


@app.get("/workflows/{workflow}/executions", response_model_exclude_none=True)
async def get_workflow_executions(
    workflow: str,
    limit: Annotated[int, Query(ge=0, le=250)] = 250,
    offset: Annotated[int, Query(ge=0)] = 0,
    filters: Annotated[str, Query(max_length=2048)] = "",
) -> list[Execution]:
    """A page."""
    found = _held.page(workflow, limit, offset, filters)
    return [Execution.model_validate(each) for each in found]


@app.post("/workflows/{workflow}/test")
async def test_workflow(workflow: str, body: TestRequest) -> TestResponse:  # noqa: ARG001
    """Starts one."""
    return TestResponse(workflowExecutionId=_held.create(workflow))


async def get_resource(resource_id: Annotated[str, Path(alias="id")] = "") -> Resource:
    """What any operation of the document with many of them answers."""
    return Resource(id=resource_id, name="A resource", kind="PLAIN")


async def list_resources(limit: Annotated[int, Query(ge=1, le=100)] = 50) -> list[Resource]:
    """The same as a list."""
    return [Resource(id="1", name="A resource", kind="PLAIN")][:limit]


if os.environ["BENCHMARK_NAME"] == "wide":
    for template, operations in read_document()["paths"].items():
        for method in operations:
            handler = get_resource if "{id}" in template else list_resources
            app.add_api_route(template, handler, methods=[method])
