"""The many places at which the operations answer (the row on paths)."""

from __future__ import annotations

import pytest

from tests.apis.sailpoint.scenes import COMPLETED, RUNNING, SEND_EMAIL
from tests.support import Served


@pytest.mark.parametrize("prefix", ["", "/v3", "/beta", "/v2024", "/v2025", "/v2026"])
def test_every_prefix_has_every_operation(mock: Served, prefix: str) -> None:
    """One set of handlers: the answers are the same."""
    base = f"/sailpoint{prefix}"
    for path in (
        "/workflows",
        f"/workflows/{SEND_EMAIL}",
        f"/workflows/{SEND_EMAIL}/executions",
        f"/workflow-executions/{COMPLETED}",
        f"/workflow-executions/{COMPLETED}/history",
    ):
        response = mock.get(base + path)
        assert response.status_code == 200
        assert response.content == mock.get(f"/sailpoint{path}").content
    started = mock.post(f"{base}/workflows/{SEND_EMAIL}/test", json={"input": {}})
    assert started.status_code == 200
    assert mock.post(f"{base}/workflows/execute/external/{SEND_EMAIL}").status_code == 200
    assert mock.post(f"{base}/workflow-executions/{RUNNING}/cancel").status_code == 204
    assert mock.post(f"{base}/oauth/token").status_code == 401


def test_the_layout_of_the_newer_client_has_every_operation(mock: Served) -> None:
    """The version stands after the first segment."""
    for path in (
        "/workflows{}",
        f"/workflows{{}}/{SEND_EMAIL}",
        f"/workflows{{}}/{SEND_EMAIL}/executions",
        f"/workflow-executions{{}}/{COMPLETED}",
        f"/workflow-executions{{}}/{COMPLETED}/history",
    ):
        response = mock.get("/sailpoint" + path.format("/v1"))
        assert response.status_code == 200
        assert response.content == mock.get("/sailpoint" + path.format("")).content
    started = mock.post(f"/sailpoint/workflows/v1/{SEND_EMAIL}/test", json={"input": {}})
    assert started.status_code == 200
    external = mock.post(f"/sailpoint/workflows/v1/execute/external/{SEND_EMAIL}")
    assert external.status_code == 200
    cancel = f"/sailpoint/workflow-executions/v1/{RUNNING}/cancel"
    assert mock.post(cancel).status_code == 204
    refused = mock.request("DELETE", cancel)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path", ["/v4/workflows", "/workflows/", "/v3", "/workflows/v2/x/executions"]
)
def test_other_paths_are_nobodys(mock: Served, path: str) -> None:
    """No prefix is guessed and no slash forgiven."""
    assert mock.get(f"/sailpoint{path}").status_code == 404
