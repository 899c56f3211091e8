"""Every fault as it goes over the wire: seen from a raw socket, and by a client."""

from __future__ import annotations

import json

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockexec import catalog
from mockexec.faults import FAULTS, Injection
from mockexec.simulation.chance import Chance
from tests.faults.wire import Wired

PATH = "/sailpoint/v3/workflows"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_status_is_in_the_vendors_words(wired: Wired) -> None:
    """503 with the vendor's body, and the time to wait."""
    whole = wired.get(PATH)
    wired.arm("status", status=503, retry_after=7, when={"times": 2})
    raw = wired.raw(PATH)
    assert raw.head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert raw.length == len(raw.body)
    seen = wired.get(PATH)
    assert (seen.status_code, seen.headers["retry-after"]) == (503, "7")
    assert set(seen.json()) == {"detailCode", "trackingId", "messages", "causes"}
    assert wired.get(PATH).content == whole.content


@pytest.mark.parametrize("api", catalog.built_in_names())
def test_every_status_is_answered_by_every_api(wired: Wired, api: str) -> None:
    """With a body that its errors have, whatever the number."""
    method, path = first(wired, api)
    for status in (*range(400, 432), 451, 499, *range(500, 512), 520, 599):
        wired.arm("status", id="one", status=status)
        answer = wired.send(method, path)
        assert answer.status_code == status
        assert not answer.content or isinstance(answer.json(), dict)


def first(wired: Wired, api: str) -> tuple[str, str]:
    """Method and path of an operation of an API, one that reads if there is any."""
    (described,) = [one for one in wired.control("GET", "/apis").json() if one["name"] == api]
    every = described["operations"]
    chosen = next((one for one in every if one["method"] == "GET"), every[0])
    return chosen["method"], chosen["example"]["url"].removeprefix(wired.base)


def first_path(wired: Wired, api: str) -> str:
    """The path of an operation that reads."""
    return first(wired, api)[1]


@pytest.mark.parametrize("api", ["sailpoint", "thand", "polos", "frontdoor"])
def test_a_rate_limit_says_when_to_come_back(wired: Wired, api: str) -> None:
    """429, once Retry-After, in the vendor's words."""
    wired.arm("rate_limit", retry_after=9)
    path = first_path(wired, api)
    raw = wired.raw(path)
    assert raw.head.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert raw.head.lower().count(b"retry-after: 9") == 1
    assert raw.head.lower().count(b"retry-after") == 1
    assert wired.get(path).status_code == 429


@pytest.mark.parametrize("api", ["sailpoint", "thand", "polos", "frontdoor"])
def test_an_expired_token_is_the_vendors_401(wired: Wired, api: str) -> None:
    """With a challenge, and only for the call that was meant."""
    path = first_path(wired, api)
    wired.arm("expired_token", when={"nth": 2})
    assert wired.get(path).status_code == 200
    refused = wired.get(path)
    assert refused.status_code == 401
    assert "www-authenticate" in refused.headers
    assert wired.get(path).status_code == 200
    wired.arm("expired_token")
    raw = wired.raw(path)
    assert raw.head.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert raw.head.lower().count(b"\r\nwww-authenticate: ") == 1
    assert raw.length == len(raw.body)
    assert json.loads(raw.body).keys() == refused.json().keys()


def test_a_disconnect_sends_nothing_at_all(wired: Wired) -> None:
    """Not even a status line; a client sees the server gone."""
    wired.arm("disconnect", when={"times": 2})
    assert wired.raw(PATH) == (b"", b"")
    with pytest.raises(httpx.RemoteProtocolError):
        wired.get(PATH)
    assert wired.get(PATH).status_code == 200


@pytest.mark.parametrize("after", [0, 1, 100, 5000])
def test_a_disconnect_amid_the_body_keeps_to_the_byte(wired: Wired, after: int) -> None:
    """The head promises all of it, and so many bytes come."""
    whole = wired.get(PATH).content
    wired.arm("disconnect", after_bytes=after, when={"times": 2})
    raw = wired.raw(PATH)
    assert raw.length == len(whole)
    assert raw.body == whole[: min(after, len(whole) - 1)]
    with pytest.raises(httpx.RemoteProtocolError):
        wired.get(PATH)
    assert wired.get(PATH).content == whole


def test_a_disconnect_never_ends_as_if_all_were_well(wired: Wired) -> None:
    """Where the body is shorter than that, its last byte is lost."""
    whole = wired.get(PATH).content
    wired.arm("disconnect", after_bytes=10**9)
    assert wired.raw(PATH).body == whole[:-1]


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.9])
def test_a_truncated_body_agrees_with_its_length(wired: Wired, keep: float) -> None:
    """The client cannot tell from the transport."""
    whole = wired.get(PATH).content
    wired.arm("truncated_body", keep=keep)
    raw = wired.raw(PATH)
    assert raw.body == whole[: int(len(whole) * keep)]
    assert raw.length == len(raw.body)
    answer = wired.get(PATH)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_malformed_json_is_complete_and_unreadable(wired: Wired) -> None:
    """Its length agrees, its media type too."""
    wired.arm("malformed_json")
    raw = wired.raw(PATH)
    assert raw.length == len(raw.body)
    answer = wired.get(PATH)
    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@given(value=JSON)
def test_no_json_survives_being_malformed(value: object) -> None:
    """Whatever the body was, no parser takes what comes of it."""
    injection = Injection(Chance(0).random("x"), "one")
    FAULTS["malformed_json"]().inject(injection)
    spoilt = injection.spoilt(json.dumps(value).encode())
    with pytest.raises(json.JSONDecodeError):
        json.loads(spoilt)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(spoilt)


def test_a_slow_body_is_whole_and_takes_its_time(wired: Wired) -> None:
    """Every byte comes; the pauses between the chunks add up."""
    whole = wired.get(PATH).content
    size = len(whole) // 4 + 1
    wired.arm("slow_body", chunk_bytes=size, pause="60ms")
    assert wired.raw(PATH).body == whole
    answer = wired.get(PATH)
    assert answer.content == whole
    assert answer.elapsed.total_seconds() >= 3 * 0.06


def test_a_client_that_leaves_ends_the_dripping(wired: Wired) -> None:
    """Ten minutes of pauses hold nothing up."""
    wired.arm("slow_body", chunk_bytes=1, pause="10m", when={"times": 1})
    with pytest.raises(httpx.ReadTimeout):
        wired.get(PATH, timeout=0.2)
    assert wired.get(PATH).status_code == 200


def test_latency_passes_before_the_answer(wired: Wired) -> None:
    """Measured by the client; the journal counts it too."""
    wired.arm("latency", delay="120ms")
    answer = wired.get(PATH)
    assert answer.elapsed.total_seconds() >= 0.12
    (exchange,) = wired.control("GET", "/journal?limit=1").json()
    assert exchange["took_ms"] >= 120
    raw = wired.raw(PATH)
    assert (raw.head[:12], raw.body) == (b"HTTP/1.1 200", answer.content)


def test_latency_turns_a_frozen_clock_if_asked_to(wired: Wired) -> None:
    """Five minutes pass in the world, and none on the machine."""
    wired.arm("latency", delay="5m", turns_clock=True)
    assert wired.get(PATH).elapsed.total_seconds() < 5
    assert wired.control("GET", "/clock").json()["now"] == "2026-01-01T12:05:00.000000000Z"


@pytest.mark.parametrize("more", [{"to": "90s"}, {"sigma": 0.5}, {"sigma": 2, "to": "20s"}])
def test_random_latency_follows_from_the_seed(wired: Wired, more: dict[str, object]) -> None:
    """Uniform or log-normal, between its bounds, and the same in a world of the same seed."""
    runs = []
    for name in ("one", "other"):
        wired.control("POST", "/sessions", json={"name": f"{wired.name}{name}", "seed": 9})
        told = {"mockexec-session": f"{wired.name}{name}"}
        client = httpx.Client(base_url=wired.base[: wired.base.index("/@")], headers=told)
        body = {"kind": "latency", "delay": "10s", "turns_clock": True, **more}
        with client:
            assert client.post("/_mockexec/faults", json=body).status_code == 201
            shown = []
            for _ in range(5):
                client.get("/thand/api/v1/executions")
                shown.append(client.get("/_mockexec/clock").json()["now"])
        runs.append(shown)
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 5


def test_a_stale_read_answers_from_the_world_as_it_was(wired: Wired) -> None:
    """What was done since is not there; writing is not struck, and tokens hold."""
    path = first_path(wired, "frontdoor")
    old = wired.get(path).content
    wired.arm("stale_read", id="stale", when={"api": "frontdoor"})
    client = {"grant_type": "client_credentials", "client_id": "dev-client",
              "client_secret": "dev-secret"}  # fmt: skip
    token = wired.client.post("/frontdoor/oauth/token", data=client).json()["access_token"]
    wired.control("POST", "/executions", json={"api": "frontdoor"})
    told = wired.client.get(path, headers={"authorization": f"Bearer {token}"})
    assert (told.status_code, told.content) == (200, old)
    assert wired.get(path).content == old
    raw = wired.raw(path)
    assert (raw.head[:15], raw.length) == (b"HTTP/1.1 200 OK", len(raw.body))
    # Not the links: they name the host as the client did.
    assert json.loads(raw.body)["page"] == json.loads(old)["page"]
    wired.control("DELETE", "/faults/stale")
    assert wired.get(path).content != old


def test_a_duplicate_page_is_the_last_answer_again(wired: Wired) -> None:
    """Whatever page is asked for; the first call passes, having nothing before it."""
    path = first_path(wired, "frontdoor")
    wired.arm("duplicate_page", id="again", when={"times": 3})
    first_page, second = (wired.get(f"{path}?size=2&page={page}") for page in range(2))
    assert second.content == first_page.content
    raw = wired.raw(f"{path}?size=2&page=2")
    assert (raw.length, raw.body) == (len(first_page.content), first_page.content)
    assert wired.get(f"{path}?size=2&page=2").content != first_page.content
    assert wired.hits("again") == 3


def test_several_faults_strike_one_call(wired: Wired) -> None:
    """A slow answer may be truncated too."""
    whole = wired.get(PATH).content
    wired.arm("latency", delay="1s", turns_clock=True)
    wired.arm("truncated_body", keep=0.5)
    wired.arm("slow_body", chunk_bytes=10_000, pause="1ms")
    assert wired.raw(PATH).body == whole[: len(whole) // 2]
    assert wired.control("GET", "/clock").json()["now"] == "2026-01-01T12:00:01.000000000Z"


def test_a_refused_upload_leaves_the_connection_in_order(wired: Wired) -> None:
    """The body that nobody read does not become the next request."""
    wired.arm("status", status=503, when={"method": "POST"})
    for _ in range(3):
        answer = wired.send("POST", "/thand/api/v1/execution", content=b"x" * 300_000)
        assert answer.status_code == 503
        assert wired.get(PATH).status_code == 200


def test_faults_never_strike_the_control_api(wired: Wired) -> None:
    """Else nobody could end them."""
    wired.arm("disconnect")
    assert wired.control("GET", "/faults").json()[0]["kind"] == "disconnect"
    assert wired.control("DELETE", "/faults").status_code == 204
    assert wired.get(PATH).status_code == 200


def test_no_struck_answer_counts_as_a_breach_of_the_document(wired: Wired) -> None:
    """What a fault answers need not be documented."""
    wired.arm("status", status=418)
    wired.get(PATH)
    (exchange,) = wired.control("GET", "/journal?limit=1").json()
    assert (exchange["status"], exchange["notes"]) == (418, [])
