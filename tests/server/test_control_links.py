"""Every link that the control API's document declares leads where it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import Served, serve

# How each operation that has links is brought to its answer: method, path, body.
REACHED: dict[str, tuple[str, str, Any]] = {
    "createExecution": ("POST", "/executions", {"api": "frontdoor"}),
    "getExecution": ("GET", "/executions/exe-3", None),
    "updateExecution": ("PATCH", "/executions/exe-3", {"state": "failed"}),
    "createSession": ("POST", "/sessions", {"name": "mine"}),
    "createSnapshot": ("POST", "/snapshots", {}),
    "createFault": ("POST", "/faults", {"kind": "status"}),
}
# What an operation that is linked to is sent.
BODIES: dict[str, Any] = {"updateExecution": {"state": "cancelled"}}


def declared(mock: Served) -> list[tuple[str, str, Any]]:
    """Each link: the operation that has it, its name, and what it says."""
    return [
        (operation.id, link.name, link)
        for operation in mock.app.control.operations
        for response in operation.responses.values()
        for link in response.links.values()
    ]


def test_every_declared_link_is_followed() -> None:
    """From an answer to the operation that the link names, with the values that it takes along."""
    with serve("frontdoor") as mock:
        links = declared(mock)
        assert len(links) == 12
        assert {operation for operation, _, _ in links} == set(REACHED)
        operations = {operation.id: operation for operation in mock.app.control.operations}
        for source, name, link in links:
            mock.post("/_mockexec/reset")
            method, path, body = REACHED[source]
            answer = mock.request(method, f"/_mockexec{path}", json=body)
            assert answer.is_success, answer.text
            target = operations[link.operation_id]
            followed = mock.request(
                target.method,
                f"/_mockexec{target.path}".format(
                    **{key: value_of(told, answer.json()) for key, told in link.parameters.items()}
                ),
                json=BODIES.get(target.id),
            )
            if (source, target.id) == ("updateExecution", "updateExecution"):
                # What has failed stays so.
                assert followed.status_code == 409
            else:
                assert followed.is_success, (source, name, followed.text)


def value_of(expression: str, body: Any) -> str:
    """What a link takes from an answer's body."""
    start, _, pointer = expression.partition("#/")
    if start != "$response.body":
        pytest.fail(f"a link takes {expression!r}, which this test does not know")
    value: str = body[pointer]
    return value
