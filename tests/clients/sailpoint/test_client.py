"""The vendor's own client, sailpoint 1.2.0, against the served mock: its whole story.

Runs in the client's environment, in which mockexec is not installed; ``MOCKEXEC_URL`` says where
the mock is.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from urllib.request import Request, urlopen

import pytest
from pydantic import ValidationError
from sailpoint.beta.api.workflows_api import WorkflowsApi as BetaWorkflowsApi
from sailpoint.beta.api_client import ApiClient as BetaApiClient
from sailpoint.configuration import Configuration, ConfigurationParams
from sailpoint.paginator import Paginator
from sailpoint.v3.api.workflows_api import WorkflowsApi
from sailpoint.v3.api_client import ApiClient
from sailpoint.v3.exceptions import (
    ApiException,
    BadRequestException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
)
from sailpoint.v2024.api.workflows_api import WorkflowsApi as V2024WorkflowsApi
from sailpoint.v2024.api_client import ApiClient as V2024ApiClient
from urllib3.exceptions import MaxRetryError

pytestmark = pytest.mark.clients

URL = os.environ["MOCKEXEC_URL"]
SEND_EMAIL = "d201c5d9-d37b-4a2f-af14-66414f39d568"
DISABLED = "7d39cb5b-4f60-4e1e-8ad0-7b1f6f4ac9de"
COMPLETED = "b393f4e2-4785-4d7f-ab27-3a6b8ded4c81"
RUNNING = "12e0ae34-9ad4-4a4e-8a2e-0e9dc0f4e7b1"
CLIENT_ID = "b61429f5203d4f3b9c60d2a5e7f8c104"
CLIENT_SECRET = "sailpoint-development-secret"


def control(operation: str, body: dict[str, object]) -> None:
    """Calls the mock's control API."""
    request = Request(  # noqa: S310  # the address is the test runner's
        f"{URL}/_mockexec/{operation}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urlopen(request, timeout=30) as response:  # noqa: S310  # as above
        assert response.status in {200, 201, 204}


def advance(by: str) -> None:
    """Turns the mock's clock forward."""
    control("clock/advance", {"by": by})


@pytest.fixture(autouse=True)
def _fresh_world() -> None:
    control("reset", {"scenario": "default", "seed": 1})


def configuration(token: str | None = None, secret: str = CLIENT_SECRET) -> Configuration:
    """As the client's guide shows it; without a token it asks for one."""
    parameters = ConfigurationParams()
    parameters.base_url = f"{URL}/sailpoint"
    parameters.client_id = CLIENT_ID
    parameters.client_secret = secret
    parameters.access_token = token
    return Configuration(parameters)


@pytest.fixture
def api() -> WorkflowsApi:
    """The client with a token it has fetched itself."""
    return WorkflowsApi(ApiClient(configuration()))


def start(api: WorkflowsApi) -> str:
    """Starts the workflow and returns the execution's id."""
    return api.test_workflow(SEND_EMAIL, {"input": {"identity": {"id": "x"}}}).workflow_execution_id


def test_it_fetches_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    """The client's own request for one, which prints what goes wrong."""
    token = configuration().access_token
    assert token.count(".") == 2
    assert capsys.readouterr().out == ""


def test_a_wrong_secret_leaves_it_without_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints and goes on, and no call works then."""
    config = configuration(secret="wrong")
    assert config.access_token is None
    assert "Unauthorized when retrieving access token." in capsys.readouterr().out
    with pytest.raises(TypeError):  # the client's own: it cannot send a token that is None
        WorkflowsApi(ApiClient(config)).list_workflows()


def test_start_and_poll_to_the_end(api: WorkflowsApi) -> None:
    """Executing without closeTime, then an end with it."""
    execution_id = start(api)
    (first,) = api.get_workflow_executions(SEND_EMAIL, limit=1)
    assert (first.id, first.status, first.close_time) == (execution_id, "Executing", None)
    for _ in range(60):
        one = api.get_workflow_execution(execution_id)
        if one["status"] != "Executing":
            break
        advance("1s")
    assert one["status"] in {"Completed", "Failed"}
    (first,) = api.get_workflow_executions(SEND_EMAIL, limit=1)
    assert first.status == one["status"]
    assert first.start_time == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert first.close_time > first.start_time
    assert len(first.request_id) == 32


def test_list_with_limit_offset_count_and_filters(api: WorkflowsApi) -> None:
    """The total in the header, filters with blanks and quotes, times to the microsecond."""
    response = api.get_workflow_executions_with_http_info(SEND_EMAIL, limit=2, count=True)
    assert response.status_code == 200
    # A plain dict in this client: the header must come spelled as documented.
    assert response.headers.get("X-Total-Count") == "42"
    assert len(response.data) == 2
    (second,) = api.get_workflow_executions(SEND_EMAIL, limit=1, offset=1)
    assert second == response.data[1]
    source = next(one for one in api.get_workflow_executions(SEND_EMAIL) if one.id == COMPLETED)
    assert source.start_time.microsecond == 356648
    failed = api.get_workflow_executions(
        SEND_EMAIL, filters='status eq "Failed" and start_time ge 2022-01-01T00:00:00Z'
    )
    assert {one.status for one in failed} == {"Failed"}
    assert not api.get_workflow_executions(SEND_EMAIL, filters="start_time lt 2022")


@pytest.mark.parametrize("limit", [7, 20, 21, 250])
def test_the_paginator_collects_everything(api: WorkflowsApi, limit: int) -> None:
    """Also where the last page is full and one more request finds nothing."""
    whole = api.get_workflow_executions(SEND_EMAIL)
    paged = Paginator.paginate(api.get_workflow_executions, 1000, limit=limit, id=SEND_EMAIL)
    assert paged == whole
    assert len(paged) == 42


def test_the_paginator_stops_at_its_result_limit(api: WorkflowsApi) -> None:
    """Whole pages until there are enough."""
    paged = Paginator.paginate(api.get_workflow_executions, 15, limit=10, id=SEND_EMAIL)
    assert len(paged) == 20


def test_cancel(api: WorkflowsApi) -> None:
    """204 is None; the next read says Canceled."""
    assert api.cancel_workflow_execution(RUNNING) is None
    one = api.get_workflow_execution(RUNNING)
    assert one["status"] == "Canceled"
    assert one["closeTime"] == "2026-01-01T12:00:00.000000000Z"


def test_history(api: WorkflowsApi) -> None:
    """Events of types that the client knows, in order."""
    events = api.get_workflow_execution_history(COMPLETED)
    assert events[0].type == "WorkflowExecutionScheduled"
    assert events[-1].type == "WorkflowExecutionCompleted"
    assert [event.timestamp for event in events] == sorted(event.timestamp for event in events)


def test_workflows(api: WorkflowsApi) -> None:
    """The list and the one."""
    workflows = api.list_workflows()
    assert len(workflows) == 7
    one = api.get_workflow(SEND_EMAIL)
    assert one == next(each for each in workflows if each.id == SEND_EMAIL)
    assert (one.name, one.enabled, one.execution_count) == ("Send Email", True, 42)


def test_external_start(api: WorkflowsApi) -> None:
    """An id, or the reason why there is none."""
    request = {"input": {"ticket": "INC-1"}}
    started = api.create_external_execute_workflow(SEND_EMAIL, request)
    assert api.get_workflow_execution(started.workflow_execution_id)["status"] == "Executing"
    refused = api.create_external_execute_workflow(DISABLED, request)
    assert refused.workflow_execution_id is None
    assert "Check enabled flag" in refused.message


def test_400_is_a_bad_request_exception(api: WorkflowsApi) -> None:
    """Of a filter, and of a cancellation that comes too late."""
    with pytest.raises(BadRequestException) as unsupported:
        api.get_workflow_executions(SEND_EMAIL, filters='status ne "Failed"')
    assert unsupported.value.status == 400
    assert unsupported.value.data.detail_code == "400.1 Bad Request Content"
    assert 'does not support the operator "ne"' in unsupported.value.data.causes[0].text
    with pytest.raises(BadRequestException) as closed:
        api.cancel_workflow_execution(COMPLETED)
    assert "has closed" in closed.value.data.causes[0].text


def test_401_is_an_unauthorized_exception(api: WorkflowsApi) -> None:
    """Of a token that has expired."""
    advance("749s")
    with pytest.raises(UnauthorizedException) as expired:
        api.get_workflow_executions(SEND_EMAIL)
    # Its model of this body wants an object where the vendor sends a text, so data is empty.
    assert json.loads(expired.value.body) == {"error": "JWT validation failed: JWT is expired"}


def test_403_is_a_forbidden_exception() -> None:
    """Of a token that may only read."""
    reader = WorkflowsApi(ApiClient(configuration("sailpoint-read-token")))
    assert reader.get_workflow_executions(SEND_EMAIL)
    with pytest.raises(ForbiddenException) as forbidden:
        reader.cancel_workflow_execution(RUNNING)
    assert forbidden.value.data.detail_code == "403 Forbidden"


def test_404_is_a_not_found_exception(api: WorkflowsApi) -> None:
    """Of a workflow and of an execution."""
    for call in (api.get_workflow_executions, api.get_workflow_execution):
        with pytest.raises(NotFoundException) as missing:
            call("nobody")
        assert missing.value.data.detail_code == "404 Not found"
        assert len(missing.value.data.tracking_id) == 32


def test_the_client_itself_refuses_what_the_document_forbids(api: WorkflowsApi) -> None:
    """Client and mock agree on the bounds."""
    with pytest.raises(ValidationError):
        api.get_workflow_executions(SEND_EMAIL, limit=251)


def test_its_beta_and_v2024_halves_see_the_same() -> None:
    """All prefixes answer."""
    config = configuration()
    v3 = WorkflowsApi(ApiClient(config)).get_workflow_executions(SEND_EMAIL)
    beta = BetaWorkflowsApi(BetaApiClient(config)).get_workflow_executions(SEND_EMAIL)
    v2024 = V2024WorkflowsApi(V2024ApiClient(config)).get_workflow_executions(SEND_EMAIL)
    ids = [one.id for one in v3]
    assert [one.id for one in beta] == ids
    assert [one.id for one in v2024] == ids


def arm(fault: dict[str, object], times: int | None = None) -> None:
    """Makes calls of listWorkflows go wrong, so many or all."""
    when = {"operation": "listWorkflows"} | ({} if times is None else {"times": times})
    control("faults", {**fault, "when": when})


def asked() -> list[int]:
    """How the mock answered listWorkflows, the earliest first; 0 is no answer at all."""
    with urlopen(f"{URL}/_mockexec/journal?operation=listWorkflows", timeout=30) as response:  # noqa: S310  # as above
        return [one["status"] for one in json.load(response)][::-1]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "rate_limit", "retry_after": 0}, 429),
        ({"kind": "status", "status": 503, "retry_after": 0}, 503),
        ({"kind": "disconnect"}, 0),
    ],
)
def test_it_tries_again_what_passes(
    api: WorkflowsApi, fault: dict[str, object], status: int
) -> None:
    """Where the answer says when to come back, or there is none: its caller gets the list."""
    arm(fault, times=2)
    assert api.list_workflows()
    assert asked() == [status, status, 200]


def test_a_limit_that_stays_is_told(api: WorkflowsApi) -> None:
    """The fourth refusal is its caller's."""
    arm({"kind": "rate_limit", "retry_after": 0})
    with pytest.raises((ApiException, MaxRetryError)):
        api.list_workflows()
    assert asked() == [429] * 4


@pytest.mark.parametrize("status", [500, 503])
def test_a_failure_that_names_no_time_is_told_at_once(api: WorkflowsApi, status: int) -> None:
    """In the client's own class, with the vendor's body."""
    arm({"kind": "status", "status": status})
    with pytest.raises(ApiException) as caught:
        api.list_workflows()
    assert caught.value.status == status
    assert "detailCode" in str(caught.value.body)
    assert asked() == [status]
