"""netfoundry 5.11.3 lives its story with the mock: wait for executions, read all pages, fail.

The client knows the paths of a sibling API only, so that one function is replaced, by which it
tells the type of a resource from its URL. Nothing else of it is changed.
"""

from __future__ import annotations

import logging
import os
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from netfoundry import utility

pytestmark = pytest.mark.clients

MOCK = os.environ["MOCKEXEC_URL"]
FRONTDOOR = f"{MOCK}/frontdoor/3d6d2b6e-6c7a-4a7f-8c3d-9a9d2e1f0b1c"
EXECUTIONS = f"{FRONTDOOR}/executions"

utility.get_resource_type_by_url = lambda _url: utility.RESOURCES["executions"]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client tries 403, 404 and 429 again five times over half a minute; here without waiting."""
    for session in (utility.http, utility.http_cache):
        for adapter in session.adapters.values():
            monkeypatch.setattr(adapter, "max_retries", adapter.max_retries.new(backoff_factor=0))


@pytest.fixture(autouse=True)
def no_cache() -> None:
    """Pages after the first come through the client's cache; each test begins with an empty one."""
    utility.http_cache.cache.clear()


def control(path: str, body: dict[str, Any]) -> None:
    """Tells the mock something."""
    requests.post(f"{MOCK}/_mockexec/{path}", json=body, timeout=30).raise_for_status()


def client(scenario: str = "default") -> SimpleNamespace:
    """What the client's functions want of its Organization, with a fresh world and a minted token."""
    control("reset", {"scenario": scenario, "seed": 1})
    reply = requests.post(
        f"{MOCK}/frontdoor/oauth/token",
        json={
            "grant_type": "client_credentials",
            "client_id": "dev-client",
            "client_secret": "dev-secret",
            "audience": f"{MOCK}/frontdoor",
            "scope": "frontdoor.read frontdoor.write",
        },
        timeout=30,
    )
    reply.raise_for_status()
    return SimpleNamespace(
        token=reply.json()["access_token"],
        proxies={},
        verify=True,
        logger=logging.getLogger("client"),
    )


class TimePasses(logging.Handler):
    """Turns the mock's clock by a minute whenever the client notes that an execution is running."""

    seen = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One line of the client's log."""
        if "has status RUNNING" in record.getMessage():
            self.seen += 1
            control("clock/advance", {"by": "PT1M"})


@pytest.fixture
def time_passes() -> Any:
    """A clock that goes on while the client waits."""
    handler, logger = TimePasses(), logging.getLogger("client")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)


def cancel(setup: SimpleNamespace, execution: str) -> requests.Response:
    """Cancels through the client's own session; it has no function for it."""
    headers = {"Authorization": f"Bearer {setup.token}"}
    return utility.http.post(f"{EXECUTIONS}/{execution}:cancel", headers=headers)


def test_it_waits_until_an_execution_is_finished(time_passes: TimePasses) -> None:
    """wait_for_execution polls a running execution and returns once it is FINISHED."""
    setup = client()
    assert utility.wait_for_execution(setup, f"{EXECUTIONS}/exe-3", wait=60, sleep=1) is True
    assert time_passes.seen == 2


def test_it_finds_an_execution_by_its_process_and_waits_for_it(time_passes: TimePasses) -> None:
    """The answer of :find is an execution whose link can be waited for."""
    setup = client()
    found, status = utility.get_generic_resource_by_url(
        setup, f"{EXECUTIONS}:find", use_cache=False, processId="abc-124"
    )
    assert (status, found["id"], found["status"]) == ("OK", "exe-3", "RUNNING")
    href = found["_links"]["self"]["href"]
    assert utility.wait_for_execution(setup, href, wait=60, sleep=1) is True


def test_it_gives_up_when_an_execution_fails(time_passes: TimePasses) -> None:
    """wait_for_execution raises on FAILED."""
    setup = client()
    with pytest.raises(RuntimeError, match="unexpected status FAILED"):
        utility.wait_for_execution(setup, f"{EXECUTIONS}/exe-4", wait=60, sleep=1)
    assert time_passes.seen == 4


def test_it_sees_a_cancelled_execution() -> None:
    """A cancelled execution is neither complete nor an error to the client: it waits in vain."""
    setup = client()
    assert cancel(setup, "exe-1").json()["status"] == "CANCELLED"
    again = cancel(setup, "exe-1")
    with pytest.raises(requests.exceptions.HTTPError, match="409"):
        again.raise_for_status()
    assert again.json()["error"] == "conflict"
    with pytest.raises(RuntimeError, match="timed out with status 'CANCELLED'"):
        utility.wait_for_execution(setup, f"{EXECUTIONS}/exe-1", wait=1, sleep=1)


def test_it_reads_all_pages() -> None:
    """find_generic_resources follows the pages of a thousand to the end: all, none twice."""
    setup = client("busy")
    pages = list(
        utility.find_generic_resources(
            setup, EXECUTIONS, embedded="executionList", use_cache=False, sort="createdAt,desc"
        )
    )
    created = [one["createdAt"] for page in pages for one in page]
    assert [len(page) for page in pages[:-1]] == [1000] * 3
    assert len({one["id"] for page in pages for one in page}) == len(created) == 3206
    assert created == sorted(created, reverse=True)


def test_it_reads_one_page_of_a_size() -> None:
    """With a page and a size it reads that one, sorted by name as it does of itself."""
    setup = client()
    (page,) = utility.find_generic_resources(
        setup, EXECUTIONS, embedded="executionList", use_cache=False, page=1, size=20
    )
    names = [one["name"] for one in page]
    assert len(names) == 20
    assert names == sorted(names)


def test_it_reads_an_empty_list() -> None:
    """Of a frontdoor without executions it yields one empty page."""
    setup = client("empty")
    found = utility.find_generic_resources(
        setup, EXECUTIONS, embedded="executionList", use_cache=False
    )
    assert list(found) == [[]]


def test_a_bad_token_is_its_http_error() -> None:
    """401 reaches the caller at once, as requests' HTTPError with the vendor's body."""
    setup = client()
    setup.token = "frontdoor-expired-token"
    with pytest.raises(requests.exceptions.HTTPError) as raised:
        utility.get_generic_resource_by_url(setup, f"{EXECUTIONS}/exe-1", use_cache=False)
    assert raised.value.response.status_code == 401
    assert raised.value.response.json()["error"] == "unauthorized"


def test_a_wrong_order_is_its_http_error() -> None:
    """400 reaches the caller at once, too."""
    setup = client()
    with pytest.raises(requests.exceptions.HTTPError) as raised:
        list(utility.find_generic_resources(setup, EXECUTIONS, use_cache=False, sort="age,asc"))
    assert raised.value.response.status_code == 400
    assert raised.value.response.json()["message"].startswith("Value for sort must be of")


@pytest.mark.parametrize(
    "url",
    [
        f"{EXECUTIONS}/exe-9999",
        f"{MOCK}/frontdoor/{'0' * 8}-0000-4000-8000-{'0' * 12}/executions/x",
    ],
)
def test_what_it_does_not_find_it_tries_again_in_vain(url: str) -> None:
    """404 and 403 are tried again, as the client does for executions still to come, then RetryError."""
    setup = client()
    with pytest.raises(requests.exceptions.RetryError, match=r"too many 40[34] error responses"):
        utility.get_generic_resource_by_url(setup, url, use_cache=False)


def arm(fault: dict[str, Any], times: int | None = None) -> None:
    """Makes calls of getExecution go wrong, so many or all."""
    when = {"operation": "getExecution"} | ({} if times is None else {"times": times})
    control("faults", {**fault, "when": when})


def asked() -> list[int]:
    """How the mock answered getExecution, the earliest first; 0 is no answer at all."""
    path = f"{MOCK}/_mockexec/journal?operation=getExecution"
    return [one["status"] for one in requests.get(path, timeout=30).json()][::-1]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "rate_limit", "retry_after": 0}, 429),
        ({"kind": "status", "status": 503}, 503),
        ({"kind": "status", "status": 413, "retry_after": 0}, 413),
        ({"kind": "disconnect"}, 0),
    ],
)
def test_it_tries_again_what_passes(fault: dict[str, Any], status: int) -> None:
    """A busy service, a lost connection: its caller gets the execution."""
    setup = client()
    arm(fault, times=2)
    found, _ = utility.get_generic_resource_by_url(setup, f"{EXECUTIONS}/exe-1", use_cache=False)
    assert found["id"] == "exe-1"
    assert asked() == [status, status, 200]


def test_it_gives_up_in_the_end() -> None:
    """After five further tries."""
    setup = client()
    arm({"kind": "status", "status": 503})
    with pytest.raises(requests.exceptions.RetryError):
        utility.get_generic_resource_by_url(setup, f"{EXECUTIONS}/exe-1", use_cache=False)
    assert asked() == [503] * 6
