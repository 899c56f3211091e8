"""The journal over the control API: filters, the HAR file, and what it does not tell."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs

from mockexec.server.har import MASK
from tests.support import Served, serve

LIST = "/thand/api/v1/executions"


def journal(mock: Served, query: str = "") -> list[dict[str, Any]]:
    """What a query finds."""
    found: list[dict[str, Any]] = mock.get(f"/_mockexec/journal?{query}").json()
    return found


def har(mock: Served, query: str = "") -> list[dict[str, Any]]:
    """The entries of the file."""
    found: list[dict[str, Any]] = mock.get(f"/_mockexec/journal.har?{query}").json()["log"][
        "entries"
    ]
    return found


def test_it_is_filtered_by_everything_it_tells() -> None:
    """API, operation, status, method, and what is new since."""
    with serve("thand", "sailpoint") as mock:
        mock.get(LIST)
        mock.get("/thand/nowhere")
        mock.get("/sailpoint/v3/workflows")
        mock.post("/sailpoint/v3/workflows")
        assert [one["id"] for one in journal(mock)] == [4, 3, 2, 1]
        for query, expected in (
            ("api=thand", [2, 1]), ("operation=listWorkflows", [3]), ("status=404", [2]),
            ("method=POST", [4]), ("since=2", [4, 3]), ("limit=1", [4]), ("since=4", []),
            ("api=sailpoint&status=200&limit=5", [3]),
        ):  # fmt: skip
            assert [one["id"] for one in journal(mock, query)] == expected, query
            assert [one["_id"] for one in har(mock, query)] == expected[::-1]


def test_reading_it_does_not_fill_it() -> None:
    """Nor does anything else of the control API."""
    with serve("thand") as mock:
        mock.get(LIST)
        for _ in range(5):
            journal(mock)
            mock.get("/_mockexec/clock")
        assert len(journal(mock)) == 1


def test_it_is_forgotten_when_told_to_and_numbers_go_on() -> None:
    """So that ``since`` never finds what was there before."""
    with serve("thand") as mock:
        mock.get(LIST)
        assert mock.request("DELETE", "/_mockexec/journal").status_code == 204
        assert journal(mock) == []
        mock.get(LIST)
        assert [one["id"] for one in journal(mock)] == [2]


def test_it_tells_which_fault_struck_and_what_the_client_saw() -> None:
    """The spoilt body, not the good one."""
    with serve("thand") as mock:
        whole = mock.get(LIST).content
        mock.post("/_mockexec/faults", json={"kind": "truncated_body", "keep": 0.5})
        cut = mock.get(LIST).content
        assert cut == whole[: len(whole) // 2]
        latest, earlier = journal(mock)
        assert (latest["fault"], earlier["fault"]) == ("fault-1", "")
        assert har(mock)[-1]["response"]["content"]["text"].encode() == cut
        mock.request("DELETE", "/_mockexec/faults")
        mock.post("/_mockexec/faults", json={"kind": "disconnect"})
        mock.get(LIST)
        assert journal(mock, "status=0")[0]["fault"] == "fault-2"


# The rules of HAR 1.2 for the objects that we write.
_PAIRS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "value"],
        "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
    },
}
_SIZES = {"headersSize": {"type": "integer", "minimum": -1}, "bodySize": {"type": "integer", "minimum": -1}}  # fmt: skip
HAR = {
    "type": "object",
    "required": ["log"],
    "properties": {
        "log": {
            "type": "object",
            "required": ["version", "creator", "entries"],
            "properties": {
                "version": {"const": "1.2"},
                "creator": {
                    "type": "object",
                    "required": ["name", "version"],
                    "properties": {"name": {"type": "string"}, "version": {"type": "string"}},
                },
                "entries": {"type": "array", "items": {"$ref": "#/$defs/entry"}},
            },
        }
    },
    "$defs": {
        "entry": {
            "type": "object",
            "required": ["startedDateTime", "time", "request", "response", "cache", "timings"],
            "properties": {
                "startedDateTime": {
                    "type": "string",
                    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
                },
                "time": {"type": "number", "minimum": 0},
                "cache": {"type": "object"},
                "timings": {
                    "type": "object",
                    "required": ["send", "wait", "receive"],
                    "additionalProperties": {"type": "number", "minimum": -1},
                },
                "request": {
                    "type": "object",
                    "required": [
                        "method", "url", "httpVersion", "cookies", "headers", "queryString",
                        "headersSize", "bodySize",
                    ],
                    "properties": {
                        "headers": _PAIRS, "cookies": _PAIRS, "queryString": _PAIRS, **_SIZES,
                        "postData": {"type": "object", "required": ["mimeType", "text"]},
                    },
                },
                "response": {
                    "type": "object",
                    "required": [
                        "status", "statusText", "httpVersion", "cookies", "headers", "content",
                        "redirectURL", "headersSize", "bodySize",
                    ],
                    "properties": {
                        "headers": _PAIRS, "cookies": _PAIRS, **_SIZES,
                        "status": {"type": "integer"},
                        "content": {"type": "object", "required": ["size", "mimeType"]},
                    },
                },
            },
        }
    },
}  # fmt: skip


def test_the_har_file_keeps_to_its_specification() -> None:
    """Every member that HAR 1.2 wants, in its type; its times add up, its URLs are whole."""
    with serve("thand", "frontdoor") as mock:
        mock.get(f"{LIST}?mistyped=a%20b&x=")
        mock.post("/thand/api/v1/execution", json={"workflow": "nothing"})
        mock.get("/@mine/frontdoor/nowhere")
        mock.get("/frontdoor")
        file = mock.get("/_mockexec/journal.har").json()
        jsonschema_rs.validate(HAR, file)
        entries = file["log"]["entries"]
        for entry in entries:
            assert entry["time"] == sum(entry["timings"].values())
            url = urlsplit(entry["request"]["url"])
            assert (url.scheme, url.netloc) == ("http", "mock.test")
        listed = entries[0]["request"]
        assert listed["url"] == f"http://mock.test{LIST}?mistyped=a%20b&x="
        assert [(p["name"], p["value"]) for p in listed["queryString"]] == parse_qsl(
            "mistyped=a%20b&x=", keep_blank_values=True
        )
        (mine,) = mock.get("/@mine/_mockexec/journal.har").json()["log"]["entries"]
        assert mine["request"]["url"] == "http://mock.test/@mine/frontdoor/nowhere"


def test_no_secret_leaves_in_the_har_file_or_the_list() -> None:
    """Headers, queries, forms, JSON bodies, and answers that a fault has spoilt."""
    secrets = ("dev-secret", "S3CRET", "frontdoor-dev-token")
    with serve("frontdoor", "thand", strict=False) as mock:
        form = {"grant_type": "client_credentials", "client_id": "dev-client",
                "client_secret": "dev-secret"}  # fmt: skip
        issued = mock.post("/frontdoor/oauth/token", data=form)
        token = issued.json()["access_token"]
        mock.post("/_mockexec/faults", json={"kind": "truncated_body", "keep": 0.4})
        mock.post("/frontdoor/oauth/token", data=form)
        mock.request("DELETE", "/_mockexec/faults")
        mock.get("/frontdoor/x", headers={"cookie": "a=S3CRET", "x-api-key": "S3CRET"})
        mock.get("/thand/x?access_token=S3CRET&API_KEY=S3CRET&client%5Fsecret=S3CRET&page=1")
        mock.post("/thand/x", json={"password": "S3CRET", "a": {"Token": 'S3\\"CRET', "b": 1}})
        text = mock.get("/_mockexec/journal.har").text + mock.get("/_mockexec/journal").text
        for secret in (*secrets, token, token[:12]):
            assert secret not in text
        assert MASK in text
        assert "client_credentials" in text
        assert "page=1" in text


def test_an_exchange_at_the_end_of_time_is_kept() -> None:
    """The clock goes to the year 9999, and the journal with it."""
    with serve("polos") as mock:
        moved = mock.request(
            "PUT", "/_mockexec/clock", json={"now": "9999-12-30T00:00:00.000000001Z"}
        )
        assert moved.status_code == 200, moved.text
        assert mock.get("/polos/nowhere").status_code == 404
        (entry,) = journal(mock)
        assert entry["at"].startswith("9999-12-30T00:00:0")
