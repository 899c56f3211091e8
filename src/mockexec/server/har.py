"""The journal as a HAR 1.2 file, for a browser's network panel. Secrets are masked.

Source: the HAR 1.2 specification (S. Ambrosino, J. Odvarko); fields of ours begin with an
underscore, as it asks.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from mockexec.api import Api
from mockexec.simulation.instants import format_instant
from mockexec.simulation.journal import Exchange, Headers

MASK = "***"
# Header names in lower case, and names of fields in queries, forms and JSON.
_HEADERS = frozenset(
    ("authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key")
)  # fmt: skip
_FIELDS = frozenset((
    "access_token", "api_key", "apikey", "assertion", "client_assertion", "client_secret", "code",
    "id_token", "password", "refresh_token", "secret", "subject_token", "token",
))  # fmt: skip
_FORM = "application/x-www-form-urlencoded"
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Masks:
    """What is a secret: the usual names, and those of the documents' own API keys."""

    def __init__(self, apis: Iterable[Api]) -> None:
        keys = [
            scheme
            for api in apis
            for scheme in api.security_schemes.values()
            if scheme.type == "apiKey"
        ]
        self._headers = _HEADERS | {k.parameter.lower() for k in keys if k.location == "header"}
        self._fields = _FIELDS | {k.parameter.lower() for k in keys if k.location == "query"}
        names = "|".join(re.escape(name) for name in sorted(self._fields))
        # Also in what a fault has cut off or spoilt, which no parser takes.
        self._in_json = re.compile(rf'("(?:{names})"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.IGNORECASE)

    def header(self, name: str, value: str) -> str:
        """The value to show of a header."""
        if name.lower() in self._headers:
            return MASK
        return value

    def query(self, text: str) -> str:
        """A query or form, its order and encoding kept."""
        return "&".join(self._pair(part) for part in text.split("&"))

    def body(self, text: str, media_type: str) -> str:
        """The text to show of a body."""
        essence = media_type.partition(";")[0].strip().lower()
        if essence == _FORM:
            return self.query(text)
        if essence == "multipart/form-data" and any(f'name="{f}"' in text for f in self._fields):
            return MASK
        return self._in_json.sub(rf'\1"{MASK}"', text)

    def _pair(self, part: str) -> str:
        name, equals, _ = part.partition("=")
        return f"{name}={MASK}" if equals and unquote_plus(name).lower() in self._fields else part


def har(exchanges: Iterable[Exchange], masks: Masks) -> dict[str, Any]:
    """The exchanges as a HAR file, in the order given."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "mockexec", "version": version("mockexec")},
            "entries": [_entry(exchange, masks) for exchange in exchanges],
        }
    }


def _entry(exchange: Exchange, masks: Masks) -> dict[str, Any]:
    took_ms = exchange.took_ns / 1_000_000
    return {
        "startedDateTime": format_instant(exchange.at_ns, digits=3),
        "time": took_ms,
        "request": _request(exchange, masks),
        "response": _response(exchange, masks),
        "cache": {},
        "timings": {"send": 0, "wait": took_ms, "receive": 0},
        "_id": exchange.id,
        "_api": exchange.api,
        "_operation": exchange.operation_id,
        "_fault": exchange.fault,
    }


def _request(exchange: Exchange, masks: Masks) -> dict[str, Any]:
    headers = _headers(exchange.request_headers, masks)
    query = masks.query(exchange.query)
    told = {
        "method": exchange.method,
        "url": _url(exchange, query),
        "httpVersion": "HTTP/1.1",
        # Their values are secrets; the header shows that there are some.
        "cookies": [],
        "headers": headers,
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(exchange.request_body),
    }
    if exchange.request_body:
        media_type = _value(exchange.request_headers, b"content-type")
        text = exchange.request_body.decode("utf-8", "replace")
        told["postData"] = {"mimeType": media_type, "text": masks.body(text, media_type)}
    return told


def _response(exchange: Exchange, masks: Masks) -> dict[str, Any]:
    body = exchange.response_body
    media_type = _value(exchange.response_headers, b"content-type")
    content: dict[str, Any] = {"size": len(body), "mimeType": media_type}
    try:
        content["text"] = masks.body(body.decode(), media_type)
    except UnicodeDecodeError:
        content |= {"text": b64encode(body).decode(), "encoding": "base64"}
    return {
        "status": exchange.status,
        "statusText": _REASONS.get(exchange.status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(exchange.response_headers, masks),
        "content": content,
        "redirectURL": _value(exchange.response_headers, b"location"),
        "headersSize": -1,
        "bodySize": len(body),
    }


def _url(exchange: Exchange, query: str) -> str:
    host = _value(exchange.request_headers, b"host") or "localhost"
    below = "" if exchange.path == "/" and exchange.base_path else exchange.path
    url = f"{exchange.scheme}://{host}{exchange.base_path}{below}"
    return f"{url}?{query}" if query else url


def _headers(headers: Headers, masks: Masks) -> list[dict[str, str]]:
    told = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    return [{"name": name, "value": masks.header(name, value)} for name, value in told]


def _value(headers: Headers, wanted: bytes) -> str:
    return next(
        (value.decode("latin-1") for name, value in headers if bytes(name).lower() == wanted), ""
    )
