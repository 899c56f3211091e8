"""Row "errors": every refusal in the vendor's one form, with place and reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mockexec import catalog
from mockexec.api import make_api
from mockexec.http.call import Call
from mockexec.http.refusal import STATUS_BY_REASON, Refusal
from tests.apis.frontdoor import EXECUTIONS, FRONTDOOR
from tests.support import serve

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON_BODY = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "code", "words"),
    [
        ("GET", "/frontdoor/exe/executions", {}, 400, "invalid_request",
         "Value for frontdoorId must be of UUID"),
        ("GET", f"/frontdoor/{FRONTDOOR[:-1]}/executions/exe-1", {}, 400, "invalid_request",
         "Value for frontdoorId must be of UUID"),
        ("GET", f"{EXECUTIONS}/%FF", {}, 400, "invalid_request", "Value for id must be of String"),
        ("GET", "/frontdoor/nowhere", {}, 404, "not_found", "/nowhere"),
        ("GET", f"{EXECUTIONS}/", {}, 404, "not_found", "/executions/"),
        ("DELETE", f"{EXECUTIONS}/exe-1", {}, 405, "method_not_allowed", "DELETE"),
        ("HEAD", EXECUTIONS, {}, 405, "method_not_allowed", ""),
        ("POST", "/frontdoor/oauth/token", {"content": b"", "headers": JSON_BODY}, 400,
         "invalid_request", "Value for body must be of JSON object or form"),
        ("POST", "/frontdoor/oauth/token", {"content": b"{", "headers": JSON_BODY}, 400,
         "invalid_request", "Value for body must be of JSON object or form"),
        ("POST", "/frontdoor/oauth/token", {"content": b"[]", "headers": JSON_BODY}, 400,
         "invalid_request", "Value for body must be of JSON object or form"),
        ("POST", "/frontdoor/oauth/token", {"content": b"grant_type=x", "headers": FORM}, 400,
         "invalid_request", "Value for client_id must be of String"),
        ("POST", "/frontdoor/oauth/token", {"content": b"x", "headers": {"content-type": "text/plain"}},
         415, "unsupported_media_type", "text/plain"),
        ("POST", "/frontdoor/oauth/token", {"content": b"{}"}, 415, "unsupported_media_type",
         "Content-Type"),
        ("POST", "/frontdoor/oauth/token", {"content": b"1" * 1_048_577, "headers": JSON_BODY}, 413,
         "payload_too_large", "1048576"),
    ],
)  # fmt: skip
def test_every_refusal_has_the_vendors_form(
    method: str, path: str, more: dict[str, Any], status: int, code: str, words: str
) -> None:
    """Row "errors": {"error", "message"} and nothing else, as JSON, naming place and reason."""
    with serve("frontdoor") as served:
        refused = served.request(method, path, **more)
    assert refused.status_code == status
    if method == "HEAD":
        return
    assert refused.headers["content-type"] == "application/json"
    assert set(refused.json()) == {"error", "message"}
    assert refused.json()["error"] == code
    assert words in refused.json()["message"]


@pytest.mark.parametrize(
    ("path", "allow"),
    [(EXECUTIONS, "GET"), (f"{EXECUTIONS}/exe-1", "GET"), (f"{EXECUTIONS}/exe-1:cancel", "POST")],
)
def test_405_names_the_methods_there_are(path: str, allow: str) -> None:
    """A 405 carries Allow, and needs no token."""
    with serve("frontdoor") as served:
        refused = served.request("PATCH", path, headers={"authorization": None})
    assert refused.status_code == 405
    assert refused.headers["allow"] == allow


def test_all_wrong_values_are_told_at_once() -> None:
    """A request with three mistakes is told all three."""
    with serve("frontdoor") as served:
        message = served.get(f"{EXECUTIONS}?page=x&size=y&sort=z").json()["message"]
    assert [part.split(" must")[0] for part in message.split("; ")] == [
        "Value for page",
        "Value for size",
        "Value for sort",
    ]


@pytest.mark.parametrize("reason", STATUS_BY_REASON)
def test_every_reason_of_the_server_has_a_code(reason: str) -> None:
    """Whatever the server refuses for has its status, a documented code and the status's header."""

    def refuse(_call: Call) -> None:
        raise Refusal(reason, "because")

    built_in = catalog.api("frontdoor")
    api = make_api(built_in.document, replace(built_in.dialect, throttle=lambda _settings: refuse))
    scenario = {"frontdoor": catalog.scenario("frontdoor", "default")}
    with serve(api, scenario=scenario, strict=False) as served:
        refused = served.get(EXECUTIONS)
    error = built_in.document.raw["components"]["schemas"]["Error"]
    assert refused.status_code == STATUS_BY_REASON[reason]
    assert refused.json()["error"] in error["properties"]["error"]["enum"]
    assert (refused.json()["error"] == "internal_error") == (reason == "internal")
    assert ("www-authenticate" in refused.headers) == (refused.status_code == 401)
    assert ("retry-after" in refused.headers) == (refused.status_code == 429)


def test_retry_after_is_kept_when_the_refusal_brings_one() -> None:
    """A rate limit that knows its own waiting time says that one."""

    def refuse(_call: Call) -> None:
        raise Refusal("rate_limited", "slow down", headers=(("retry-after", "7"),))

    built_in = catalog.api("frontdoor")
    api = make_api(built_in.document, replace(built_in.dialect, throttle=lambda _settings: refuse))
    with serve(api, scenario={"frontdoor": catalog.scenario("frontdoor", "default")}) as served:
        refused = served.get(EXECUTIONS)
    assert refused.status_code == 429
    assert refused.headers.get_list("retry-after") == ["7"]
    assert refused.json() == {"error": "too_many_requests", "message": "Slow down"}
