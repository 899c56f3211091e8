"""Refusals: one shape everywhere, and the vendor's own words where they are known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.apis.polos.vendor import (
    API,
    COMPLETED,
    EXPIRED_KEY,
    FOREIGN,
    IN_PROJECT,
    OTHER_PROJECT,
    UNKNOWN,
    cancel,
    get,
    refused,
)
from tests.support import serve

GET = f"{API}/executions/{COMPLETED}"
RUN = f"{API}/workflows/wf/run"
JSON = {**IN_PROJECT, "content-type": "application/json"}
MISSING = (
    "Authentication required. Provide either an API key (Bearer sk_...) or a JWT token in cookie"
)


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        (None, MISSING),
        ("", MISSING),
        ("Bearer", MISSING),
        ("Basic c2s6c2s=", MISSING),
        ("Bearer sk_nobodyKnowsThisKey0000000000000000", "Invalid API key"),
        ("Bearer sk_", "Invalid API key"),
        (f"Bearer {EXPIRED_KEY}", "Invalid API key"),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", "Invalid authentication token"),
    ],
)
def test_who_is_not_let_in(authorization: str | None, error: str) -> None:
    """Rows "errors" and "auth": 401 with the vendor's exact texts and WWW-Authenticate."""
    with serve("polos") as mock:
        for method, path in [
            ("GET", GET),
            ("POST", f"{GET}/cancel"),
            ("POST", RUN),
            ("POST", f"{API}/workflows/batch_run"),
            ("GET", f"{API}/workflows/runs"),
        ]:
            response = mock.request(method, path, headers={"authorization": authorization})
            assert refused(response) == (401, "UNAUTHORIZED", error)
            assert response.headers["www-authenticate"] == "Bearer"


def test_any_key_will_do_when_the_mock_is_told_so() -> None:
    """``--any-token``: every sk_ key counts as the development key; others do not."""
    with serve("polos", any_token=True) as mock:
        assert mock.get(GET, headers={"authorization": "Bearer sk_whatever"}).status_code == 200
        assert mock.get(GET, headers={"authorization": "Bearer whatever"}).status_code == 401


@pytest.mark.parametrize("operation", ["", "/cancel"])
def test_another_projects_execution(operation: str) -> None:
    """Row "errors": 403 in both directions, and it stays as it is."""
    with serve("polos") as mock:
        method = "POST" if operation else "GET"
        response = mock.request(method, f"{API}/executions/{FOREIGN}{operation}")
        assert refused(response) == (403, "FORBIDDEN", "Project does not match execution project")
        foreign = mock.realm("polos").executions.get(FOREIGN)
        assert foreign is not None
        assert foreign.state == "running"


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        (OTHER_PROJECT, (403, "PROJECT_ACCESS_FORBIDDEN", "Access to project forbidden")),
        (UNKNOWN, (404, "NOT_FOUND", "Project not found")),
    ],
)
def test_another_project(project: str, expected: tuple[int, str, str]) -> None:
    """Row "errors": a project that is not the key's takes no runs."""
    with serve("polos") as mock:
        headers = {"x-project-id": project}
        assert refused(mock.post(RUN, headers=headers, json={"payload": 1})) == expected
        batch = {"workflows": [{"workflow_id": "a", "payload": 1}]}
        assert (
            refused(mock.post(f"{API}/workflows/batch_run", headers=headers, json=batch))
            == expected
        )


def test_an_id_that_is_none() -> None:
    """Row "errors": 400 with the vendor's text."""
    with serve("polos") as mock:
        for bad in ("nope", COMPLETED[:-1], f"{COMPLETED}0", "%00"):
            expected = (400, "BAD_REQUEST", "Invalid execution ID")
            assert refused(mock.get(f"{API}/executions/{bad}")) == expected
            assert refused(cancel(mock, bad)) == expected


def test_an_unknown_execution() -> None:
    """Row "errors": 404, where the vendor's server fails with a 500."""
    with serve("polos") as mock:
        expected = (404, "NOT_FOUND", "Execution not found")
        assert refused(mock.get(f"{API}/executions/{UNKNOWN}")) == expected


@pytest.mark.parametrize(
    ("content", "content_type", "status", "error_type", "says"),
    [
        (b'{"payload":', "application/json", 400, "BAD_REQUEST", "parse the request body as JSON"),
        (b"", "application/json", 400, "BAD_REQUEST", "is missing"),
        (b'{"payload":NaN}', "application/json", 400, "BAD_REQUEST", "must be JSON"),
        (b'{"payload":"\xff"}', "application/json", 400, "BAD_REQUEST", "parse the request body"),
        (b"[" * 5000, "application/json", 400, "BAD_REQUEST", "parse the request body"),
        (b"{}", "application/json", 422, "UNPROCESSABLE_ENTITY", "/payload: is missing"),
        (b"[]", "application/json", 422, "UNPROCESSABLE_ENTITY", "must be an object"),
        (
            b'{"payload":1,"run_timeout_seconds":2147483648}',
            "application/json", 422, "UNPROCESSABLE_ENTITY", "/run_timeout_seconds",
        ),
        (
            b'{"payload":1,"parent_execution_id":"x"}',
            "application/json", 422, "UNPROCESSABLE_ENTITY", "/parent_execution_id",
        ),
        (b'{"payload":1}', "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE", "text/plain"),
        (b'{"payload":1}', None, 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type is missing"),
        (
            b'{"payload":1}', "application/json; charset=bogus",
            415, "UNSUPPORTED_MEDIA_TYPE", "bogus",
        ),
    ],
)  # fmt: skip
def test_bodies_that_do_not_fit(
    content: bytes, content_type: str | None, status: int, error_type: str, says: str
) -> None:
    """Row "errors": 400 for what is not JSON, 415 for what is not announced, 422 for the rest."""
    with serve("polos") as mock:
        headers = {**IN_PROJECT, "content-type": content_type}
        found = refused(mock.post(RUN, headers=headers, content=content))
    assert found[:2] == (status, error_type)
    assert says in found[2]


def test_the_type_may_be_in_capitals_and_name_utf8() -> None:
    """Spellings that mean the same are taken."""
    with serve("polos") as mock:
        for content_type in ("Application/JSON", 'application/json; charset="UTF-8"'):
            headers = {**IN_PROJECT, "content-type": content_type}
            assert mock.post(RUN, headers=headers, content=b'{"payload":1}').status_code == 200


def test_a_body_that_is_too_large() -> None:
    """413, by announced and by real size."""
    with serve("polos", body_max_bytes=1000) as mock:
        large = b'{"payload":"' + b"x" * 1000 + b'"}'
        assert refused(mock.post(RUN, headers=JSON, content=large))[:2] == (
            413,
            "PAYLOAD_TOO_LARGE",
        )
        chunked = mock.post(RUN, headers=JSON, content=_chunks(large))
        assert refused(chunked)[:2] == (413, "PAYLOAD_TOO_LARGE")


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    """Sent without a Content-Length."""
    yield content[:600]
    yield content[600:]


def test_cancel_takes_no_body_and_overlooks_one() -> None:
    """The vendor's client sends a Content-Type and nothing else."""
    with serve("polos") as mock:
        path = f"{API}/executions/b81e4d07-62fa-4f3c-8d95-1a7c3e9f5042/cancel"
        assert mock.post(path, headers={"content-type": "application/json"}).status_code == 200


def test_paths_and_methods_that_are_not_there() -> None:
    """404 and 405 in the same shape, the latter with all methods."""
    with serve("polos") as mock:
        assert refused(mock.get(f"{API}/executions"))[:2] == (404, "NOT_FOUND")
        assert refused(mock.get(f"{GET}/"))[:2] == (404, "NOT_FOUND")
        response = mock.request("DELETE", GET)
        assert refused(response)[:2] == (405, "METHOD_NOT_ALLOWED")
        assert response.headers["allow"] == "GET"


def test_a_full_world_asks_to_come_back() -> None:
    """429 with Retry-After when no further run fits; nothing old is dropped."""
    with serve("polos") as mock:
        realm = mock.realm("polos")
        # The smallest full world there is; the real bound is a million.
        realm.model = replace(realm.model, executions_max=len(realm.executions))
        response = mock.post(RUN, headers=IN_PROJECT, json={"payload": 1})
        assert refused(response)[:2] == (429, "TOO_MANY_REQUESTS")
        assert int(response.headers["retry-after"]) > 0
        assert get(mock, COMPLETED)["status"] == "completed"
