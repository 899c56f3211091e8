"""What a signal to a Thand execution is: a CloudEvent, compressed, encrypted, in base64."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from functools import cache
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

APPROVAL = "com.thand.approval"

_TEXTS = ("id", "type", "source", "subject", "dataschema", "datacontenttype", "time")
_CORE = {*_TEXTS, "specversion", "data", "data_base64"}
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_CLEAR_MAX = 1 << 20


class BadSignal(Exception):  # noqa: N818  # it names what was given
    """A text that is no signal; ``title`` says on which level."""

    def __init__(self, title: str, message: str = "") -> None:
        super().__init__(title, message)
        self.title = title
        self.message = message


class Signal(NamedTuple):
    """What an execution is told; ``granted`` is None for what is no decision."""

    type: str
    granted: bool | None


def read(text: str) -> Signal:
    """The signal in the query parameter ``input``.

    Raises:
        BadSignal: a layer cannot be undone, or what is inside is no signal.
    """
    content = _opened(text)
    if content["type"] != "workflow_signal":
        raise BadSignal(f"invalid workflow state type: {content['type'][:80]}")
    event = content.get("data")
    if not isinstance(event, dict):
        raise BadSignal("Failed to parse workflow state: invalid data type")
    wrong = _wrong(event)
    if wrong:
        raise BadSignal("Failed to parse workflow state", wrong)
    return Signal(event.get("type", ""), _decision(event))


def _wrong(event: dict[str, Any]) -> str:
    """What keeps ``event`` from being a CloudEvent; empty for one."""
    if "specversion" not in event:
        return "no specversion"
    if event["specversion"] not in {"1.0", "0.3"}:
        return f"unknown value: {event['specversion']!s:.80}"
    for name in _TEXTS:
        if not isinstance(event.get(name, ""), str):
            return f"{name}: expected a string"
    if not _TIME.fullmatch(event.get("time", "2024-01-15T10:30:00Z")):
        return "time: expected an RFC 3339 timestamp"
    for name, value in event.items():
        extension = re.fullmatch("[a-z0-9]+", name) and not isinstance(value, dict | list)
        if name not in _CORE and not extension:
            return f"{name:.80}: not a valid extension"
    return ""


def _decision(event: dict[str, Any]) -> bool | None:
    if event.get("type") != APPROVAL:
        return None
    data = event.get("data")
    granted = data.get("approved") if isinstance(data, dict) else None
    if not isinstance(granted, bool):
        raise BadSignal("Failed to parse workflow state", "data.approved: expected true or false")
    return granted


def _opened(text: str) -> dict[str, Any]:
    """Base64, AES-256-GCM, zlib and JSON, undone."""
    layer = "base64"
    try:
        sealed = base64.b64decode(text, validate=True)
        layer = "encrypted data"
        box = json.loads(sealed.decode())
        nonce, ciphertext = (base64.b64decode(box[one], validate=True) for one in _BOX)
        layer = "cipher"
        packed = AESGCM(_key()).decrypt(nonce, ciphertext, None)
        layer = "zlib"
        clear = zlib.decompressobj().decompress(packed, _CLEAR_MAX)
        layer = "json"
        content = json.loads(clear.decode())
        if not isinstance(content["type"], str):
            raise TypeError("type must be a string")
    except (ValueError, TypeError, LookupError, RecursionError, InvalidTag, zlib.error) as error:
        message = f"{layer}: {str(error) or 'message authentication failed'}"
        raise BadSignal("Failed to decode workflow state", message[:200]) from error
    return dict(content)


_BOX = ("nonce", "ciphertext")


@cache
def _key() -> bytes:
    """The key of the default password and salt; slow to make by design."""
    return hashlib.pbkdf2_hmac("sha256", b"changeme", b"changeme", 100_000, 32)
