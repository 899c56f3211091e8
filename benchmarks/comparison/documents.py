"""The documents that are served, and what the peers need besides.

``executions`` is ``benchmarks/executions.yaml`` with an example of 20 items, ``long`` the same with
250, ``wide`` a made-up one with 403 operations.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

EXECUTION = "b393f4e2-4785-4d7f-ab27-3a6b8ded4c81"
WORKFLOW = "d201c5d9-d37b-4a2f-af14-66414f39d568"
# New executions belong to another workflow, so that the lists stay as they are.
CREATING = "9e1ad2a0-6f0c-4f5a-8a43-0c6a3a1f2d77"

PAGE, LONG_PAGE = 20, 250
# What the hand-written peers hold: enough for the long page.
HELD = 500
OPERATIONS = 403
_BASE = Path(__file__).parents[1] / "executions.yaml"
_STATUSES = ("Completed", "Completed", "Failed", "Completed")


def write_all(folder: Path) -> dict[str, Path]:
    """Writes the documents and the peers' other files; by document, where it lies."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = {"executions": executions(PAGE), "long": executions(LONG_PAGE), "wide": wide()}
    paths = {}
    for name, document in documents.items():
        paths[name] = folder / f"{name}.yaml"
        paths[name].write_text(_yaml(document), encoding="utf-8")
        _write_stubs(folder / f"wiremock-{name}" / "mappings", name, document)
    held = json.dumps(items(HELD), indent=1)
    (folder / "executions.json").write_text(held, encoding="utf-8")
    return paths


def items(count: int) -> list[dict[str, Any]]:
    """So many executions; the first is the one that is asked for by its id."""
    first = _load()["paths"]["/workflow-executions/{id}"]["get"]["responses"]["200"]
    example = first["content"]["application/json"]["example"]
    return [example] + [
        example
        | {"id": f"{number:08x}{EXECUTION[8:]}", "status": _STATUSES[number % len(_STATUSES)]}
        for number in range(1, count)
    ]


def executions(count: int) -> dict[str, Any]:
    """The document of the comparison, with so many items in the example of its list."""
    document = _load()
    answer = document["paths"]["/workflows/{id}/executions"]["get"]["responses"]["200"]
    # A mock that knows nothing of the limit gives the whole example, whatever it is asked for.
    answer["content"]["application/json"]["example"] = items(count)
    return document


def wide() -> dict[str, Any]:
    """A document with 403 operations: five on each of eighty resources, three on the last."""
    base = _load()
    components = {
        **base["components"],
        "schemas": {"Error": base["components"]["schemas"]["Error"]},
    }
    document: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": {"title": "Many operations", "version": "1"},
        "security": base["security"],
        "paths": {},
        "components": components,
    }
    for number in range(1, OPERATIONS // 5 + 2):
        name = f"resource{number:03}"
        components["schemas"][name] = _resource(name)
        document["paths"] |= _paths(name)
    last = document["paths"][f"/{name}/{{id}}"]
    del last["put"], last["delete"]
    return document


def _load() -> dict[str, Any]:
    """The document as it lies there."""
    return yaml.safe_load(_BASE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def _yaml(document: dict[str, Any]) -> str:
    """Without anchors, which some peers do not read."""
    # One object in two places would become an anchor.
    apart = json.loads(json.dumps(document))
    return yaml.safe_dump(apart, sort_keys=False, allow_unicode=True, width=100)


def _resource(name: str) -> dict[str, Any]:
    """The schema of one resource, with an example."""
    properties = {
        "id": {"type": "string", "minLength": 1, "maxLength": 64},
        "name": {"type": "string", "maxLength": 200},
        "enabled": {"type": "boolean"},
        "priority": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 10},
        "created": {"type": "string", "format": "date-time"},
        "owner": {
            "type": "object",
            "required": ["id"],
            "properties": {"id": {"type": "string"}, "mail": {"type": "string"}},
        },
        "tags": {"type": "array", "maxItems": 20, "items": {"type": "string"}},
        "kind": {"type": "string", "enum": ["PLAIN", "SHARED", "SYSTEM"]},
    }
    example = {
        "id": f"{name}-1",
        "name": f"The first {name}",
        "enabled": True,
        "priority": 3,
        "created": "2022-02-07T20:13:29Z",
        "owner": {"id": "john.doe", "mail": "john.doe@example.com"},
        "tags": ["one", "two"],
        "kind": "PLAIN",
    }
    return {
        "type": "object",
        "required": ["id", "name", "kind"],
        "properties": properties,
        "example": example,
    }


def _paths(name: str) -> dict[str, Any]:
    """The five operations of one resource, on two paths."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    example = _resource(name)["example"]
    one = {"application/json": {"schema": schema, "example": example}}
    many = {
        "application/json": {"schema": {"type": "array", "items": schema}, "example": [example] * 3}
    }
    item_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    limit = {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
    }
    refusals = {
        "400": {"$ref": "#/components/responses/BadRequest"},
        "401": {"$ref": "#/components/responses/Unauthorized"},
        "404": {"$ref": "#/components/responses/NotFound"},
    }

    def operation(verb: str, status: str, answer: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "operationId": f"{verb}{name.title()}",
            **more,
            "responses": {status: {"description": "Done.", **answer}, **refusals},
        }

    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {
        f"/{name}": {
            "get": operation("list", "200", {"content": many}, parameters=[limit]),
            "post": operation("create", "201", {"content": one}, requestBody=body),
        },
        f"/{name}/{{id}}": {
            "get": operation("get", "200", {"content": one}, parameters=[item_id]),
            "put": operation(
                "replace", "200", {"content": one}, parameters=[item_id], requestBody=body
            ),
            "delete": operation("remove", "204", {}, parameters=[item_id]),
        },
    }


def _write_stubs(folder: Path, name: str, document: dict[str, Any]) -> None:
    """WireMock's stubs: what the operations of the document answer, as one would write them."""
    folder.mkdir(parents=True, exist_ok=True)
    stubs = []
    for template, operations in document["paths"].items():
        for method, operation in operations.items():
            stubs.append(_stub(template, method, operation))
    if name != "wide":
        # Stubs that were added later are asked first.
        stubs.append(_refusal(400, {"queryParameters": {"limit": {"equalTo": "251"}}}))
        stubs.append(_refusal(401, {"headers": {"Authorization": {"absent": True}}}))
    text = json.dumps({"mappings": stubs}, indent=1)
    (folder / "stubs.json").write_text(text, encoding="utf-8")


def _stub(template: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """The stub of one operation: its example."""
    status, answer = next(iter(operation["responses"].items()))
    response: dict[str, Any] = {"status": int(status)}
    if "content" in answer:
        response["jsonBody"] = answer["content"]["application/json"]["example"]
        response["headers"] = {"Content-Type": "application/json"}
    return {
        "request": {"method": method.upper(), "urlPathTemplate": template},
        "response": response,
    }


def _refusal(status: int, condition: dict[str, Any]) -> dict[str, Any]:
    """The stub of a refusal, which comes before the others."""
    return {
        "priority": 1,
        "request": {"method": "ANY", "urlPathPattern": "/work.*", **condition},
        "response": {
            "status": status,
            "headers": {"Content-Type": "application/json"},
            "jsonBody": {"detailCode": str(status), "messages": []},
        },
    }
