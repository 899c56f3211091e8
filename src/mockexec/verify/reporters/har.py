"""HAR 1.2: every exchange, for a browser's network panel. Credentials are not in it.

Source: the HAR 1.2 specification (S. Ambrosino, J. Odvarko); fields of ours begin with an
underscore, as it asks.
"""

from __future__ import annotations

import json
from base64 import b64encode
from http import HTTPStatus
from importlib.metadata import version
from typing import IO, Any
from urllib.parse import parse_qsl

from mockexec.simulation.instants import format_instant
from mockexec.verify.curl import Curl
from mockexec.verify.events import Event, Sent
from mockexec.verify.result import Result
from mockexec.verify.target import Exchanged

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class HarReporter:
    """Writes entry by entry, so that a long run does not fill the memory."""

    def __init__(self, file: IO[str], curl: Curl) -> None:
        self._file = file
        self._curl = curl
        self._joint = "\n"
        creator = json.dumps({"name": "mockexec", "version": version("mockexec")})
        file.write(f'{{"log": {{"version": "1.2", "creator": {creator}, "entries": [')

    def take(self, event: Event) -> None:
        """Writes an exchange."""
        if isinstance(event, Sent):
            self._file.write(self._joint + json.dumps(self._entry(event), ensure_ascii=False))
            self._joint = ",\n"

    def finish(self, result: Result) -> None:
        """Closes what is open."""
        del result
        self._file.write("\n]}}\n")

    def _entry(self, event: Sent) -> dict[str, Any]:
        exchanged = event.exchanged
        took_ms = exchanged.took_s * 1000
        return {
            "startedDateTime": format_instant(exchanged.at_ns, digits=3),
            "time": took_ms,
            "request": self._request(exchanged),
            "response": _response(exchanged),
            "cache": {},
            "timings": {"send": 0, "wait": took_ms, "receive": 0},
            "_operation": event.operation,
            "_phase": event.phase,
        }

    def _request(self, exchanged: Exchanged) -> dict[str, Any]:
        request = exchanged.request
        told: dict[str, Any] = {
            "method": request.method,
            "url": exchanged.url,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(self._curl.headers(exchanged)),
            "queryString": _pairs(tuple(parse_qsl(request.query, keep_blank_values=True))),
            "headersSize": -1,
            "bodySize": len(request.body or b""),
        }
        if request.body:
            kind = next((v for n, v in request.headers if n.lower() == "content-type"), "")
            told["postData"] = {"mimeType": kind, "text": request.body.decode("utf-8", "replace")}
        return told


def _response(exchanged: Exchanged) -> dict[str, Any]:
    body = exchanged.body
    content: dict[str, Any] = {
        "size": len(body),
        "mimeType": exchanged.header("content-type") or "",
    }
    try:
        content["text"] = body.decode()
    except UnicodeDecodeError:
        content |= {"text": b64encode(body).decode(), "encoding": "base64"}
    return {
        "status": exchanged.status,
        "statusText": _REASONS.get(exchanged.status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(exchanged.headers),
        "content": content,
        "redirectURL": exchanged.header("location") or "",
        "headersSize": -1,
        "bodySize": len(body),
    }


def _pairs(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
