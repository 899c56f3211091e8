"""The workflows that can be started, as the scenario defines them, and their input schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mockexec.errors import Violation
from mockexec.simulation.world import Realm
from mockexec.spec.load import load_document
from mockexec.spec.operations import SchemaRef
from mockexec.spec.schemas import Schemas, Validator


def enabled_workflow(realm: Realm, name: str) -> Mapping[str, Any] | None:
    """The scenario's workflow ``name``; None when it is unknown or disabled."""
    workflow: Mapping[str, Any] | None = realm.scenario.data["workflows"].get(name)
    return workflow if workflow is not None and workflow.get("enabled", True) else None


def input_violations(workflow: Mapping[str, Any], value: Any) -> list[Violation]:
    """What keeps ``value`` from being an input of the workflow; nothing if it is one."""
    validator = _validator(json.dumps(workflow["input"], sort_keys=True))
    return [] if validator.is_valid(value) else validator.violations(value)


@lru_cache(maxsize=64)
def _validator(schema: str) -> Validator:
    # By text, since worlds share scenarios and a mapping cannot be a key.
    document = load_document(
        {
            "openapi": "3.1.0",
            "info": {"title": "The input schema of a workflow", "version": "1"},
            "paths": {},
            "components": {"schemas": {"Input": json.loads(schema)}},
        }
    )
    input_schema = SchemaRef(document, document.uri, "/components/schemas/Input")
    return Schemas(document).validator(input_schema, "request")
