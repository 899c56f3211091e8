"""Refusals: which comes first, and how each of them reads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.apis.foundry.support import (
    CLOSED_RESOURCE,
    RESOURCE,
    UNKNOWN_RESOURCE,
    path,
    refused,
    send,
)
from tests.support import Served, serve

LETTERS = "ri.automation.main.automation.0b9c8d7e-6f5a-4b3c-9d2e-1f0a9b8c7d6e"
WRONG_FILTER = {"type": "eq", "field": "duration", "value": 1}
JSON = {"content-type": "application/json"}


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"authorization": f"Bearer {token}"}


def raw(mock: Served, **changes: Any) -> Any:
    """A good request but for the changes."""
    request: dict[str, Any] = {
        "params": {"preview": "true"}, "content": b"{}", "headers": JSON, **changes,
    }  # fmt: skip
    return mock.post(path(request.pop("resource", RESOURCE)), **request)


def test_what_is_wrong_is_told_in_the_decided_order() -> None:
    """Row `errors`: a request with everything wrong, mended step by step.

    401 → 403 scope → 400 preview → 415 → body → 404 → 403 resource → page size → token → times →
    filter.
    """
    wrong = {
        "pageSize": 0,
        "pageToken": "v1.x",
        "startTime": "2026-01-01T00:00:00Z",
        "endTime": "2025-01-01T00:00:00Z",
        "where": WRONG_FILTER,
    }
    text = {"content-type": "text/plain"}
    with serve("foundry") as mock:

        def post(resource: str, body: Any, headers: dict[str, str], **params: str) -> Any:
            return mock.post(path(resource), params=params, headers=headers, **body)

        nothing, unread, full = {"content": b""}, {"content": b"{"}, {"json": wrong}
        steps: list[tuple[Any, int, str]] = [
            (post(UNKNOWN_RESOURCE, unread, {**bearer("no"), **text}), 401, "Default:Unauthorized"),
            (post(UNKNOWN_RESOURCE, unread, {**bearer("foundry-weak-token"), **text}), 403,
             "ApiUsageDenied"),
            (post(UNKNOWN_RESOURCE, unread, text), 400, "ApiFeaturePreviewUsageOnly"),
            (post(UNKNOWN_RESOURCE, unread, text, preview="true"), 415,
             "Conjure:UnsupportedMediaType"),
            (post(UNKNOWN_RESOURCE, nothing, JSON, preview="true"), 400, "MissingPostBody"),
            (post(UNKNOWN_RESOURCE, unread, JSON, preview="true"), 422,
             "Conjure:UnprocessableEntity"),
            (post(UNKNOWN_RESOURCE, {"json": {**wrong, "endTime": 5}}, {}, preview="true"), 422,
             "Conjure:UnprocessableEntity"),
            (post(UNKNOWN_RESOURCE, full, {}, preview="true"), 404, "ResourceNotFound"),
            (post(CLOSED_RESOURCE, full, {}, preview="true"), 403,
             "ListExecutionsPermissionDenied"),
            (post(RESOURCE, full, {}, preview="true"), 400, "InvalidPageSize"),
            (send(mock, {**wrong, "pageSize": 1}), 400, "InvalidPageToken"),
            (send(mock, {**wrong, "pageSize": 1, "pageToken": None}), 400,
             "InvalidExecutionFilter"),
        ]  # fmt: skip
        for response, status, name in steps:
            refused(response, status, name)
        last = steps[-1][0].json()["errorDescription"]
        assert "startTime is after endTime" in last
        mended = send(mock, {"where": WRONG_FILTER}).json()["errorDescription"]
        assert "/where/field" in mended


def test_every_refusal_has_the_vendor_s_shape() -> None:
    """Row `errors`: errorCode, errorName, errorInstanceId, errorDescription, parameters."""
    with serve("foundry", body_max_bytes=1000) as mock:
        refusals = [
            send(mock, token="no"),
            send(mock, token="foundry-weak-token"),
            send(mock, resource=UNKNOWN_RESOURCE),
            send(mock, resource=CLOSED_RESOURCE),
            send(mock, {"where": WRONG_FILTER}),
            raw(mock, params={}),
            raw(mock, content=b"{"),
            raw(mock, content=b""),
            raw(mock, content=b" " * 1001),
            raw(mock, headers={"content-type": "text/xml"}),
            raw(mock, headers={**JSON, "accept": "text/html"}),
        ]
    assert [response.status_code for response in refusals] == [
        401, 403, 404, 403, 400, 400, 422, 400, 413, 415, 406,
    ]  # fmt: skip
    for response in refusals:
        assert response.headers["content-type"] == "application/json"
        body = response.json()
        assert set(body) == {
            "errorCode", "errorName", "errorInstanceId", "errorDescription", "parameters",
        }  # fmt: skip
        assert str(UUID(body["errorInstanceId"])) == body["errorInstanceId"]
        assert body["errorDescription"].endswith(".")
    instances = {response.json()["errorInstanceId"] for response in refusals}
    assert len(instances) == len(refusals)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic Zm9vOmJhcg==", "foundry-dev-token"]
)
def test_no_token_is_missing_credentials(header: str | None) -> None:
    """Row `errors`: MissingCredentials, with the scheme to use."""
    with serve("foundry") as mock:
        response = raw(mock, headers={**JSON, "authorization": header})
    body = refused(response, 401, "MissingCredentials")
    assert body["errorCode"] == "UNAUTHORIZED"
    assert response.headers["www-authenticate"] == "Bearer"


def test_an_unknown_and_an_expired_token_are_told_apart() -> None:
    """Default:Unauthorized; an expired one says so in the parameters."""
    with serve("foundry") as mock:
        unknown = send(mock, token="nobody-s")
        expired = send(mock, token="foundry-expired-token")
    assert refused(unknown, 401, "Default:Unauthorized")["parameters"] == {}
    assert refused(expired, 401, "Default:Unauthorized")["parameters"] == {"error": "EXPIRED"}
    assert unknown.headers["www-authenticate"] == expired.headers["www-authenticate"] == "Bearer"


def test_any_token_counts_when_the_server_says_so() -> None:
    """`--any-token`: a well-formed one stands for the development token, none is still refused."""
    with serve("foundry", any_token=True) as mock:
        assert send(mock, token="whatever").status_code == 200
        assert send(mock, token="foundry-weak-token").status_code == 403
        refused(raw(mock, headers={**JSON, "authorization": None}), 401, "MissingCredentials")


def test_a_token_without_the_scope_is_denied_the_api() -> None:
    """Row `errors`: 403 ApiUsageDenied names the scope."""
    with serve("foundry") as mock:
        body = refused(send(mock, token="foundry-weak-token"), 403, "ApiUsageDenied")
    assert body["errorCode"] == "PERMISSION_DENIED"
    assert body["parameters"] == {"missingScope": "api:observability-read"}


@pytest.mark.parametrize("params", [{}, {"preview": "false"}])
def test_the_preview_must_be_asked_for(params: dict[str, str]) -> None:
    """Row `errors`: 400 ApiFeaturePreviewUsageOnly without preview=true."""
    with serve("foundry") as mock:
        body = refused(raw(mock, params=params), 400, "ApiFeaturePreviewUsageOnly")
    assert body["parameters"] == {}


@pytest.mark.parametrize("preview", ["", "yes", "TRUE", "1", "true "])
def test_a_preview_that_is_no_boolean_is_an_invalid_argument(preview: str) -> None:
    """Non-boolean text → Default:InvalidArgument, which names the parameter."""
    with serve("foundry") as mock:
        response = raw(mock, params={"preview": preview})
    assert "preview" in refused(response, 400, "Default:InvalidArgument")["errorDescription"]


@pytest.mark.parametrize("rid", ["abc", "ri.a.b", "ri.A.main.function.x", "ri.a.main.b.c%2Fd"])
def test_what_is_no_rid_is_an_invalid_argument(rid: str) -> None:
    """A path parameter that cannot be read is refused before anything is looked for."""
    with serve("foundry") as mock:
        body = refused(raw(mock, resource=rid), 400, "Default:InvalidArgument")
    assert "resourceRid" in body["errorDescription"]


def test_a_percent_encoded_rid_is_the_same_rid() -> None:
    """As the vendor's SDK sends it."""
    with serve("foundry") as mock:
        assert raw(mock, resource=RESOURCE.replace(".", "%2E")).status_code == 200


def test_an_unknown_resource_is_not_found() -> None:
    """Row `errors`: 404 ResourceNotFound names the resource."""
    with serve("foundry") as mock:
        body = refused(send(mock, resource=UNKNOWN_RESOURCE), 404, "ResourceNotFound")
    assert body["errorCode"] == "NOT_FOUND"
    assert body["parameters"] == {"resourceRid": UNKNOWN_RESOURCE}


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (CLOSED_RESOURCE, "ListExecutionsPermissionDenied"),
        (LETTERS, "ListExecutionsResourcePermissionDenied"),
    ],
)
def test_a_closed_resource_is_denied(resource: str, name: str) -> None:
    """Row `errors`: 403 with the first of the two errors unless the resource names the other."""
    with serve("foundry") as mock:
        body = refused(send(mock, resource=resource), 403, name)
    assert body["errorCode"] == "PERMISSION_DENIED"
    assert body["parameters"] == {"resourceRid": resource}


def test_a_missing_body_is_told() -> None:
    """Row `body`: no body → MissingPostBody, with or without a content type."""
    with serve("foundry") as mock:
        for headers in (JSON, {}):
            refused(raw(mock, content=b"", headers=headers), 400, "MissingPostBody")


@pytest.mark.parametrize(
    "content",
    [
        b"{", b"null", b"[]", b"7", b'"text"', b"\xff\xfe", b'{"pageSize": NaN}', b'{"a": "\\ud800"}',
        b"[" * 100_000, b'{"pageSize": "10"}', b'{"pageSize": 1.5}', b'{"pageSize": true}',
        b'{"pageSize": false}', b'{"pageSize": 2147483648}', b'{"pageSize": -2147483649}',
        b'{"pageSize": ' + b"9" * 5000 + b"}", b'{"pageToken": 5}', b'{"startTime": 5}',
        b'{"startTime": "yesterday"}', b'{"endTime": "2026-01-01"}',
        b'{"endTime": "2026-01-01T00:00:00"}', b'{"endTime": "2026-02-30T00:00:00Z"}',
        b'{"startTime": "2026-01-01T23:59:60Z"}', b'{"startTime": "0000-01-01T00:00:00Z"}',
    ],
    ids=lambda content: content[:30].decode("latin-1"),
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_unprocessable(content: bytes) -> None:
    """Row `errors`: 422 for text that is not JSON, and for fields of another type."""
    with serve("foundry") as mock:
        body = refused(raw(mock, content=content), 422, "Conjure:UnprocessableEntity")
    assert body["errorCode"] == "INVALID_ARGUMENT"
    assert "body" in body["errorDescription"].lower()


@pytest.mark.parametrize("wrong", [{"startTime": 5}, {"pageToken": 5}, {"pageSize": "x"}])
def test_a_field_of_another_type_is_seen_beside_a_bad_filter(wrong: dict[str, Any]) -> None:
    """However much is wrong with the filter."""
    where = {"type": "and", "filters": [WRONG_FILTER] * 40}
    with serve("foundry") as mock:
        for body in ({"where": where, **wrong}, {**wrong, "where": where}):
            refused(send(mock, body), 422, "Conjure:UnprocessableEntity")


def test_the_place_of_a_wrong_field_is_told() -> None:
    """The description names the field, what was expected, and what came."""
    with serve("foundry") as mock:
        text = send(mock, {"pageSize": "ten"}).json()["errorDescription"]
    assert "/pageSize" in text
    assert "integer" in text
    assert '"ten"' in text


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded",
                     "application/json; charset=bogus"]
)  # fmt: skip
def test_another_content_type_is_not_supported(content_type: str | None) -> None:
    """Row `errors`: 415 Conjure:UnsupportedMediaType."""
    with serve("foundry") as mock:
        response = raw(mock, headers={"content-type": content_type})
    body = refused(response, 415, "Conjure:UnsupportedMediaType")
    assert body["errorCode"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("content_type", ["Application/JSON", "application/json; charset=utf-8"])
def test_the_content_type_is_read_as_http_says(content_type: str) -> None:
    """Case and a charset do not matter."""
    with serve("foundry") as mock:
        assert raw(mock, headers={"content-type": content_type}).status_code == 200


def test_unknown_paths_and_methods_have_no_body() -> None:
    """As the vendor's server answers; its SDK makes ApiNotFoundError of the first."""
    with serve("foundry") as mock:
        for unknown in ("/foundry/api/v2/nothing", path() + "/", "/foundry/api/v2"):
            response = mock.post(unknown, json={})
            assert (response.status_code, response.content) == (404, b"")
        response = mock.get(path())
    assert (response.status_code, response.content) == (405, b"")
    assert response.headers["allow"] == "POST"
