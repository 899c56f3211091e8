"""The document tells the truth: its error examples are what the mock answers, word for word."""

from __future__ import annotations

from typing import Any

import pytest

from mockexec import catalog
from tests.apis.foundry.support import CLOSED_RESOURCE, RESOURCE, UNKNOWN_RESOURCE, path
from tests.support import serve

LETTERS = "ri.automation.main.automation.0b9c8d7e-6f5a-4b3c-9d2e-1f0a9b8c7d6e"
PREVIEW = {"preview": "true"}
JSON = {"content-type": "application/json"}


def bearer(token: str | None) -> dict[str, str | None]:
    """The header of a token."""
    return {"authorization": token and f"Bearer {token}"}


def listing(resource: str = RESOURCE, **request: Any) -> tuple[str, dict[str, Any]]:
    """A listExecutions request, good but for what is given."""
    return path(resource), {"params": PREVIEW, **({} if "content" in request else {"json": {}}),
                            **request}  # fmt: skip


def form(**fields: str) -> tuple[str, dict[str, Any]]:
    """A createToken request."""
    return "/foundry/multipass/api/oauth2/token", {"data": fields}


GRANT = {"grant_type": "client_credentials"}
# By operation, status and name of the example: the request that gets it.
REQUESTS = {
    ("listExecutions", "400", "filter"): listing(
        json={"where": {"type": "eq", "field": "status", "value": "DONE"}}
    ),
    ("listExecutions", "400", "preview"): listing(params={}),
    ("listExecutions", "400", "pageSize"): listing(json={"pageSize": 0}),
    ("listExecutions", "400", "pageToken"): listing(json={"pageToken": "v1.bm90LW91cnM"}),
    ("listExecutions", "400", "body"): listing(content=b"", headers=JSON),
    ("listExecutions", "400", "argument"): listing(params={"preview": "maybe"}),
    ("listExecutions", "401", "missing"): listing(headers=bearer(None)),
    ("listExecutions", "401", "expired"): listing(headers=bearer("foundry-expired-token")),
    ("listExecutions", "403", "scope"): listing(headers=bearer("foundry-weak-token")),
    ("listExecutions", "403", "resource"): listing(CLOSED_RESOURCE),
    ("listExecutions", "403", "resourceVariant"): listing(LETTERS),
    ("listExecutions", "404", "resource"): listing(UNKNOWN_RESOURCE),
    ("listExecutions", "406", "accept"): listing(headers={"accept": "application/xml"}),
    ("listExecutions", "413", "body"): listing(content=b" " * 1_048_577, headers=JSON),
    ("listExecutions", "415", "contentType"): listing(
        content=b"{}", headers={"content-type": "text/plain"}
    ),
    ("listExecutions", "422", "type"): listing(json={"pageSize": "ten"}),
    ("createToken", "400", "grant"): form(grant_type="password"),
    ("createToken", "400", "scope"): form(**GRANT, scope="everything!"),
    ("createToken", "401", "client"): form(**GRANT, client_id="a", client_secret="b"),
}  # fmt: skip


def examples() -> dict[tuple[str, str, str], Any]:
    """The error examples of the document; 500 is left out, as nothing leads there."""
    return {
        (operation.id, status, name): body
        for operation in catalog.api("foundry").operations
        for status, response in operation.responses.items()
        if status[0] == "4"
        for media in response.content.values()
        for name, body in media.examples.items()
        # 406, 413 and 415 of both operations are the same answer.
        if (operation.id, status) not in {("createToken", s) for s in ("406", "413", "415")}
    }


def test_every_error_example_has_its_request() -> None:
    """None is left unproved."""
    assert examples().keys() == REQUESTS.keys()


@pytest.mark.parametrize("key", REQUESTS, ids="-".join)
def test_an_error_example_is_what_the_mock_answers(key: tuple[str, str, str]) -> None:
    """All of it but the id of the occurrence."""
    address, request = REQUESTS[key]
    with serve("foundry") as mock:
        response = mock.post(address, **request)
    assert str(response.status_code) == key[1]
    wanted, answered = dict(examples()[key]), response.json()
    assert wanted.pop("errorInstanceId", None) != answered.pop("errorInstanceId", "")
    assert answered == wanted
