"""Findings and their stories as JSON data, and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mockexec.verify.findings import Finding
from mockexec.verify.target import Exchanged, Request

# Shorter pauses between requests are the network's, not the check's.
_PAUSE_LEAST_S = 0.02
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Story:
    """A finding of an earlier run, ready to be sent again. ``pauses_s``: before each request."""

    check: str
    title: str
    operation: str
    cause: str
    symptom: Mapping[str, Any] | None
    exchanges: tuple[Exchanged, ...]
    pauses_s: tuple[float, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """That of its finding."""
        return (self.check, self.operation, self.cause or self.title)


def finding_as_data(finding: Finding) -> dict[str, Any]:
    """All of a finding; ``finding_story`` takes it back as far as it can be sent again."""
    return {
        "check": finding.check,
        "title": finding.title,
        "severity": finding.severity.value,
        "operation": finding.operation,
        "expected": finding.expected,
        "got": finding.got,
        "pointer": finding.pointer,
        "cause": finding.cause,
        "symptom": finding.symptom,
        "story": story_as_data(finding.exchanges),
    }


def story_as_data(exchanges: tuple[Exchanged, ...]) -> list[dict[str, Any]]:
    """The exchanges; ``pause_s`` stands where the check waited before one."""
    steps = []
    before = None
    for exchanged in exchanges:
        step = exchange_as_data(exchanged)
        pause_s = 0.0 if before is None else (exchanged.at_ns - before) / _NS
        if pause_s >= _PAUSE_LEAST_S:
            step["pause_s"] = round(pause_s, 3)
        before = exchanged.at_ns
        steps.append(step)
    return steps


def exchange_as_data(exchanged: Exchanged) -> dict[str, Any]:
    """One exchange; whose credentials were sent stands there, the credentials do not."""
    request = exchanged.request
    return {
        "request": {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": [list(pair) for pair in request.headers],
            "principal": request.principal,
            **_body(request.body),
        },
        "url": exchanged.url,
        "answer": answer_as_data(exchanged),
    }


def answer_as_data(exchanged: Exchanged) -> dict[str, Any]:
    """The answer, as ``symptoms`` compares it."""
    return {
        "status": exchanged.status,
        "headers": [list(pair) for pair in exchanged.headers],
        "body": exchanged.text,
    }


def story_from_data(data: Mapping[str, Any]) -> Story:
    """The story of a finding that ``finding_as_data`` made.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    steps = data["story"]
    return Story(
        check=data["check"],
        title=data["title"],
        operation=data["operation"],
        cause=data["cause"],
        symptom=data["symptom"],
        exchanges=tuple(_exchange(step) for step in steps),
        pauses_s=tuple(float(step.get("pause_s", 0)) for step in steps),
    )


def _exchange(step: Mapping[str, Any]) -> Exchanged:
    sent, answer = step["request"], step["answer"]
    body = sent.get("body")
    if "body_base64" in sent:
        content: bytes | None = b64decode(sent["body_base64"])
    else:
        content = None if body is None else body.encode()
    return Exchanged(
        Request(
            sent["method"],
            sent["path"],
            sent["query"],
            tuple((name, value) for name, value in sent["headers"]),
            content,
            sent["principal"],
        ),
        step["url"],
        answer["status"],
        tuple((name, value) for name, value in answer["headers"]),
        answer["body"].encode(),
    )


def _body(body: bytes | None) -> dict[str, str]:
    if body is None:
        return {}
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": b64encode(body).decode()}
