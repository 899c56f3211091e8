"""foundry-platform-sdk 1.111.0 lives its story with the mock: log in, list, filter, page, fail.

The SDK has no method for listExecutions yet (it is in preview), but its transport is the one that
all its methods use: authentication, retries, decoding and error classes are the SDK's own.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
import pydantic
import pytest
from foundry_sdk import ConfidentialClientAuth, Config, UserTokenAuth
from foundry_sdk import _errors as errors
from foundry_sdk._core.api_client import ApiClient, RequestInfo
from foundry_sdk._core.model_base import ModelBase
from foundry_sdk._core.utils import AwareDatetime
from foundry_sdk.v2.core import errors as core_errors
from foundry_sdk.v2.core import models as core
from foundry_sdk.v2.filesystem import errors as filesystem_errors

pytestmark = pytest.mark.clients

MOCK = os.environ["MOCKEXEC_URL"]
HOST = MOCK.partition("://")[2] + "/foundry"

RESOURCE = "ri.function-registry.main.function.c26f11c8-cdb3-4f44-9f5d-9816ea1c82da"
CLOSED = "ri.function-registry.main.function.7d5f0a3e-91c2-4b6d-8e4f-2a1b3c4d5e6f"
UNKNOWN = "ri.function-registry.main.function.00000000-0000-4000-8000-000000000000"
PIPELINE = "ri.eddie.main.pipeline.b3d90e7f-52a4-4c18-8f6d-e1c07b9a2d34"
RUNNING = "1f168a1c-70d2-6e3a-b1f4-0c2d9e8a5b67"


class Execution(ModelBase):
    """An execution, declared as the SDK declares its own models."""

    trace_owning_rid: str = pydantic.Field(alias="traceOwningRid")
    foundry_trace_id: str = pydantic.Field(alias="foundryTraceId")
    resource_rid: str = pydantic.Field(alias="resourceRid")
    resource_version: str = pydantic.Field(alias="resourceVersion")
    status: Literal["SUCCEEDED", "FAILED"]
    failure_reason: str | None = pydantic.Field(alias="failureReason", default=None)
    start_time: AwareDatetime = pydantic.Field(alias="startTime")
    duration: core.Duration
    caller_rid: str | None = pydantic.Field(alias="callerRid", default=None)


class Page(ModelBase):
    """The answer of listExecutions."""

    data: list[Execution]
    next_page_token: str | None = pydantic.Field(alias="nextPageToken", default=None)


def control(path: str, body: dict[str, Any]) -> None:
    """Tells the mock something."""
    httpx.post(f"{MOCK}/_mockexec/{path}", json=body, timeout=60).raise_for_status()


def now() -> datetime:
    """What the mock's clock shows."""
    reply = httpx.get(f"{MOCK}/_mockexec/clock", timeout=60).raise_for_status()
    return datetime.fromisoformat(reply.json()["now"])


@pytest.fixture(autouse=True)
def world() -> None:
    """Each test has the world from its start."""
    control("reset", {"scenario": "default", "seed": 1})


def user(token: str = "foundry-dev-token", **settings: Any) -> ApiClient:  # noqa: S107  # no secret
    """The SDK with a user's token."""
    return ApiClient(UserTokenAuth(token), HOST, Config(scheme="http", **settings))


def page(
    client: ApiClient,
    body: Any = None,
    *,
    resource: str = RESOURCE,
    preview: Any = True,
    operation: str = "listExecutions",
) -> Page:
    """One call, made as the SDK's generated methods make theirs."""
    return client.call_api(
        RequestInfo.with_defaults(
            "POST",
            f"/v2/observability/resources/{{resourceRid}}/{operation}",
            response_type=Page,
            query_params={"preview": preview},
            path_params={"resourceRid": resource},
            header_params={"Content-Type": "application/json", "Accept": "application/json"},
            body={} if body is None else body,
            throwable_errors={
                "ResourceNotFound": filesystem_errors.ResourceNotFound,
                "ApiFeaturePreviewUsageOnly": core_errors.ApiFeaturePreviewUsageOnly,
                "ApiUsageDenied": core_errors.ApiUsageDenied,
                "InvalidPageSize": core_errors.InvalidPageSize,
                "InvalidPageToken": core_errors.InvalidPageToken,
            },
        )
    )


def all_pages(client: ApiClient, body: dict[str, Any], **more: Any) -> list[Execution]:
    """Every page, by following the tokens."""
    found: list[Execution] = []
    token = None
    while True:
        answer = page(client, {**body, "pageToken": token} if token else body, **more)
        found += answer.data
        token = answer.next_page_token
        if token is None:
            return found


def test_the_source_s_example_is_read() -> None:
    """The SDK's models take the answer as it is."""
    by_id = {found.foundry_trace_id: found for found in all_pages(user(), {})}
    example = by_id["1f168a0f-8f5a-648c-8ce4-21d9f1ce17c2"]
    assert example.resource_rid == RESOURCE
    assert example.status == "SUCCEEDED"
    assert (example.duration.value, example.duration.unit) == (30, "SECONDS")
    assert example.start_time == now() - timedelta(hours=2)
    assert example.failure_reason is None
    assert example.model_extra == {}


def test_a_client_logs_in_and_lists() -> None:
    """The token comes from the token endpoint, before the first call, and is sent with it."""
    auth = ConfidentialClientAuth(
        "mockexec-client",
        "mockexec-secret",
        should_refresh=False,
        scopes=["api:observability-read"],
    )
    client = ApiClient(auth, HOST, Config(scheme="http"))
    assert page(client, {"pageSize": 5}).data
    token = auth.get_token()
    assert (token.token_type, token.expires_in) == ("bearer", 3600)


def test_an_expired_token_is_refused_until_the_client_logs_in_again() -> None:
    """The SDK counts the hour by the machine's time, the mock by its own clock."""

    def fresh() -> ApiClient:
        auth = ConfidentialClientAuth("mockexec-client", "mockexec-secret", should_refresh=False)
        return ApiClient(auth, HOST, Config(scheme="http"))

    client = fresh()
    page(client)
    control("clock/advance", {"by": "PT1H"})
    with pytest.raises(errors.UnauthorizedError) as caught:
        page(client)
    assert caught.value.name == "Default:Unauthorized"
    assert caught.value.parameters == {"error": "EXPIRED"}
    assert page(fresh()).data


def test_a_client_with_a_wrong_secret_gets_no_token() -> None:
    """The SDK passes the HTTP error on."""
    auth = ConfidentialClientAuth("mockexec-client", "wrong", should_refresh=False)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        page(ApiClient(auth, HOST, Config(scheme="http")))
    assert caught.value.response.status_code == 401
    assert caught.value.response.json()["error"] == "invalid_client"


def test_an_execution_is_polled_for_until_it_has_finished() -> None:
    """There is nothing to start here; what runs appears in the list when it ends."""
    client = user()
    for _ in range(20):
        found = [e for e in page(client, resource=PIPELINE).data if e.foundry_trace_id == RUNNING]
        if found:
            break
        control("clock/advance", {"by": "PT1M"})
    assert [e.status for e in found] == ["SUCCEEDED"]
    assert found[0].start_time + timedelta(minutes=20) == now()


def test_pages_are_followed_to_the_end() -> None:
    """Every execution once, newest first, while the clock goes on."""
    client = user()
    whole = [found.foundry_trace_id for found in all_pages(client, {})]
    seen, token = [], None
    while True:
        answer = page(client, {"pageSize": 40, **({"pageToken": token} if token else {})})
        seen += [found.foundry_trace_id for found in answer.data]
        token = answer.next_page_token
        if token is None:
            break
        control("clock/advance", {"by": "PT10M"})
    assert seen == whole
    assert len(set(seen)) == len(seen) > 100


def test_filters_and_times_are_sent_as_the_sdk_writes_them() -> None:
    """Times in the body become texts with an offset."""
    client = user()
    window = {
        "startTime": now() - timedelta(hours=12),
        "endTime": now() + timedelta(days=1),
    }
    recent = all_pages(client, window)
    assert recent
    assert all(window["startTime"] <= found.start_time for found in recent)
    where = {
        "type": "and",
        "filters": [
            {"type": "eq", "field": "status", "value": "FAILED"},
            {"type": "gte", "field": "duration", "value": {"value": 500, "unit": "MILLISECONDS"}},
            {"type": "not", "filter": {"type": "isNull", "field": "callerRid"}},
        ],
    }
    found = all_pages(client, {**window, "where": where})
    assert found == [
        item
        for item in recent
        if item.status == "FAILED"
        and item.caller_rid
        and item.duration.value * {"SECONDS": 1000, "MILLISECONDS": 1}[item.duration.unit] >= 500
    ]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"where": {"type": "eq", "field": "duration", "value": 1}}, "InvalidExecutionFilter"),
        ({"pageSize": 0}, "InvalidPageSize"),
        ({"pageToken": "v1.bm90LW91cnM"}, "InvalidPageToken"),
    ],
)
def test_bad_requests_are_raised_with_the_vendor_s_name(body: dict[str, Any], name: str) -> None:
    """BadRequestError, or the class that the SDK has for the name."""
    with pytest.raises(errors.BadRequestError) as caught:
        page(user(), body)
    assert caught.value.name == name
    assert len(caught.value.error_instance_id) == 36


def test_typed_errors_are_raised_as_their_classes() -> None:
    """Their parameters have the types that the SDK declares."""
    with pytest.raises(core_errors.InvalidPageSize) as size:
        page(user(), {"pageSize": -1})
    assert size.value.parameters == {"pageSize": -1}
    with pytest.raises(core_errors.InvalidPageToken) as token:
        page(user(), {"pageToken": "x"})
    assert token.value.parameters == {"pageToken": "x"}
    with pytest.raises(core_errors.ApiFeaturePreviewUsageOnly):
        page(user(), preview=None)
    with pytest.raises(core_errors.ApiUsageDenied) as denied:
        page(user("foundry-weak-token"))
    assert denied.value.parameters == {"missingScope": "api:observability-read"}
    with pytest.raises(filesystem_errors.ResourceNotFound) as missing:
        page(user(), resource=UNKNOWN)
    assert missing.value.parameters == {"resourceRid": UNKNOWN}


def test_other_errors_are_raised_by_their_status() -> None:
    """401, 403, 404 without a body, 413 and 422 have a class each."""
    with pytest.raises(errors.UnauthorizedError):
        page(user("nobody-s"))
    with pytest.raises(errors.PermissionDeniedError) as denied:
        page(user(), resource=CLOSED)
    assert denied.value.name == "ListExecutionsPermissionDenied"
    assert denied.value.parameters == {"resourceRid": CLOSED}
    with pytest.raises(errors.ApiNotFoundError):
        page(user(), operation="listNothing")
    with pytest.raises(errors.UnprocessableEntityError):
        page(user(), {"pageSize": "ten"})
    with pytest.raises(errors.RequestEntityTooLargeError):
        page(user(), {"padding": "x" * 1_100_000})


def test_another_user_sees_another_list() -> None:
    """The closed resource is open to them."""
    found = page(user("foundry-other-token"), resource=CLOSED)
    assert {item.resource_rid for item in found.data} == {CLOSED}


def test_nothing_to_list_is_an_empty_page() -> None:
    """No data, no token, no error."""
    control("reset", {"scenario": "empty", "seed": 1})
    answer = page(user())
    assert (answer.data, answer.next_page_token) == ([], None)


def asked() -> list[int]:
    """How the mock answered listExecutions, the earliest first; 0 is no answer at all."""
    path = f"{MOCK}/_mockexec/journal?operation=listExecutions"
    return [one["status"] for one in httpx.get(path, timeout=60).json()][::-1]


@pytest.mark.parametrize("fault", [{"kind": "rate_limit"}, {"kind": "status", "status": 503}])
def test_it_tries_again_when_the_service_is_busy(fault: dict[str, Any]) -> None:
    """429 and 503, without its caller noticing."""
    control("faults", {**fault, "when": {"operation": "listExecutions", "times": 2}})
    assert page(user()).data
    assert len(asked()) == 3
    assert asked()[2] == 200


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "rate_limit"}, errors.RateLimitError),
        ({"kind": "status", "status": 503}, errors.ServiceUnavailable),
    ],
)
def test_it_gives_up_at_the_fourth_try(
    fault: dict[str, Any], error: type[errors.PalantirQoSException]
) -> None:
    """With the SDK's own class of error; at once where it is told to leave trying to its caller."""
    control("faults", fault)
    with pytest.raises(error):
        page(user())
    assert len(asked()) == 4
    with pytest.raises(error):
        page(user(propagate_qos="PROPAGATE_429_AND_503_TO_CALLER"))
    assert len(asked()) == 5


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 500}, errors.InternalServerError),
        ({"kind": "expired_token"}, errors.UnauthorizedError),
    ],
)
def test_it_does_not_try_again_what_would_not_help(
    fault: dict[str, Any], error: type[errors.PalantirRPCException]
) -> None:
    """One request, and the error that the vendor's body tells."""
    control("faults", fault)
    with pytest.raises(error) as caught:
        page(user())
    assert caught.value.error_instance_id
    assert len(asked()) == 1


@pytest.mark.parametrize(
    "fault", [{"kind": "disconnect"}, {"kind": "disconnect", "after_bytes": 9}]
)
def test_a_connection_that_breaks_is_an_error_of_its_own(fault: dict[str, Any]) -> None:
    """Before the answer or amid it; the next call works."""
    control("faults", {**fault, "when": {"times": 1}})
    with pytest.raises((errors.PalantirException, httpx.RemoteProtocolError)):
        page(user())
    assert page(user()).data
