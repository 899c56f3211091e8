"""The signal a running execution can be sent: a CloudEvent in an envelope.

Source: the agent's published server (``signalRunningWorkflow``) and the CloudEvents reader it
uses, which wants a ``specversion`` it knows and attributes of the right types, and nothing more:
``id``, ``type`` and ``source`` may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mockexec.apis.thand.envelope import Content, Secret, seal, unseal

APPROVAL = "com.thand.approval"

_CONTENT_TYPE = "workflow_signal"
_VERSIONS = ("1.0", "0.3")
# How much of a wrong value an answer repeats.
_SHOWN_MAX = 80
_TEXT_ATTRIBUTES = ("id", "type", "source", "subject", "dataschema", "datacontenttype", "time")
_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_EXTENSION = re.compile(r"[a-z0-9]+", re.ASCII)
_NOT_EXTENSIONS = frozenset({*_TEXT_ATTRIBUTES, "specversion", "data", "data_base64"})


class BadSignal(Exception):  # noqa: N818  # it names what was given
    """What was decrypted is not a signal. ``title`` is the server's fixed text."""

    def __init__(self, title: str, message: str = "") -> None:
        super().__init__(title, message)
        self.title = title
        self.message = message


@dataclass(frozen=True, slots=True)
class Signal:
    """A CloudEvent, as far as executions care: its type and, of an approval, the decision."""

    type: str
    approved: bool | None


def read_signal(text: str, secret: Secret) -> Signal:
    """Undo every layer. Raises ``BrokenEnvelope`` or ``BadSignal``."""
    content = unseal(text, secret)
    if content.type != _CONTENT_TYPE:
        raise BadSignal(f"invalid workflow state type: {content.type[:_SHOWN_MAX]}")
    if not isinstance(content.data, dict):
        raise BadSignal("Failed to parse workflow state: invalid data type")
    reason = _why_no_event(content.data)
    if reason:
        raise BadSignal("Failed to parse workflow state", reason)
    return Signal(content.data.get("type", ""), _decision(content.data))


def mint_signal(event: Mapping[str, Any], secret: Secret) -> str:
    """The ``input`` that carries the CloudEvent ``event``, not yet percent-encoded."""
    return seal(Content(_CONTENT_TYPE, dict(event)), secret)


def approval(*, approved: bool, event_id: str, time: str) -> dict[str, Any]:
    """The event an approver's button sends; ``time`` is RFC 3339."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "urn:thand:agent",
        "type": APPROVAL,
        "time": time,
        "datacontenttype": "application/json",
        "data": {"approved": approved},
    }


def _why_no_event(event: Mapping[str, Any]) -> str:
    """What the CloudEvents reader dislikes about ``event``; empty when it would take it."""
    if "specversion" not in event:
        return "no specversion"
    if event["specversion"] not in _VERSIONS:
        return f"unknown value: {str(event['specversion'])[:_SHOWN_MAX]}"
    for name in _TEXT_ATTRIBUTES:
        if not isinstance(event.get(name, ""), str):
            return f"{name}: expected a string"
    if "time" in event and not _TIME.fullmatch(event["time"]):
        return "time: expected an RFC 3339 timestamp"
    for name, value in event.items():
        if name in _NOT_EXTENSIONS:
            continue
        if not _EXTENSION.fullmatch(name):
            return f"{name[:_SHOWN_MAX]}: extension names consist of lower-case letters and digits"
        if isinstance(value, dict | list):
            return f"{name[:_SHOWN_MAX]}: an extension is a string, number or boolean"
    return ""


def _decision(event: Mapping[str, Any]) -> bool | None:
    """Whether an approval was granted; ``None`` for every other event.

    The workflow that waits for an approval reads ``data.approved``. One without it would leave
    the caller guessing, so the mock refuses it, which the server does not.
    """
    if event.get("type") != APPROVAL:
        return None
    data = event.get("data")
    approved = data.get("approved") if isinstance(data, dict) else None
    if not isinstance(approved, bool):
        raise BadSignal("Failed to parse workflow state", "data.approved: expected true or false")
    return approved
