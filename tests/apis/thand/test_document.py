"""``specs/thand.yaml`` and the mock agree."""

from __future__ import annotations

from typing import Any

import pytest

from mockexec import catalog
from mockexec.apis.thand.envelope import Secret
from mockexec.apis.thand.signals import read_signal
from tests.support import serve

OPERATIONS = {
    "listExecutions": ("GET", "/api/v1/executions"),
    "createExecution": ("POST", "/api/v1/execution"),
    "getExecution": ("GET", "/api/v1/execution/{id}"),
    "cancelExecution": ("GET", "/api/v1/execution/{id}/cancel"),
    "terminateExecution": ("GET", "/api/v1/execution/{id}/terminate"),
    "signalExecution": ("GET", "/api/v1/execution/{id}/signal"),
}


def test_the_operations_are_those_of_the_page() -> None:
    """Row "operations": six of them, with these names, verbs and paths."""
    api = catalog.api("thand")
    assert {each.id: (each.method, each.path) for each in api.operations} == OPERATIONS


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_the_first_example_of_everything_works(operation_id: str) -> None:
    """Each operation, asked with its document's examples on a fresh mock, answers 2xx."""
    api = catalog.api("thand")
    operation = next(each for each in api.operations if each.id == operation_id)
    path, query = operation.path, {}
    for parameter in operation.parameters:
        example = next(iter(parameter.examples.values()))
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", example)
        else:
            query[parameter.name] = example
    more: dict[str, Any] = {}
    if operation.body is not None:
        media = operation.body.content["application/json"]
        more["json"] = next(iter(media.examples.values()))
    with serve("thand", strict=True) as served:
        answer = served.request(operation.method, f"/thand{path}", params=query, **more)
    assert 200 <= answer.status_code < 300, answer.text


def test_the_example_signals_are_what_they_say() -> None:
    """The two encoded examples of `input` hold a granted and a refused approval."""
    api = catalog.api("thand")
    operation = next(each for each in api.operations if each.id == "signalExecution")
    examples = next(each for each in operation.parameters if each.name == "input").examples
    assert read_signal(examples["granted"], Secret()).approved is True
    assert read_signal(examples["refused"], Secret()).approved is False
    assert examples["source"] == "encrypted_signal_token"
