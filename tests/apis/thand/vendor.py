"""What the agent itself would send: its envelopes, written from its published server, not from ours.

Every layer can be swapped for a broken one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.support import Served

API = "/thand/api/v1"
NONCE = b"twelve bytes"
DEFAULT = "changeme"  # the agent's password and salt until they are set


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@cache
def key(password: str, salt: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 100_000, 32)


def encrypt(clear: bytes, password: str = DEFAULT, salt: str = DEFAULT) -> bytes:
    sealed = AESGCM(key(password, salt)).encrypt(NONCE, clear, None)
    return json.dumps({"nonce": b64(NONCE), "ciphertext": b64(sealed)}).encode()


def deflate(value: Any) -> bytes:
    return zlib.compress(json.dumps(value).encode())


def envelope(value: Any, **secret: str) -> str:
    """Any JSON, compressed, encrypted and in base64."""
    return b64(encrypt(deflate(value), **secret))


def event(**changes: Any) -> dict[str, Any]:
    """An approval that grants, with attributes changed, or removed where the change is None."""
    attributes = {
        "specversion": "1.0",
        "id": "0f3a1f0e-57a6-4f5e-9a2e-6a1f7f3a9d10",
        "source": "urn:thand:agent",
        "type": "com.thand.approval",
        "time": "2026-01-01T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {"approved": True},
    }
    return {name: value for name, value in (attributes | changes).items() if value is not None}


def signal(content: Mapping[str, Any] | None = None, **secret: str) -> str:
    """The ``input`` of a signal; an approval that grants unless ``content`` is another event."""
    data = event() if content is None else content
    return envelope({"type": "workflow_signal", "data": data}, **secret)


GRANTED = signal()
REFUSED = signal(event(data={"approved": False}))


def session(email: str | None = "carol@example.com", **changes: Any) -> str:
    """An encoded session; ``changes`` replace fields of the outer or the inner object."""
    user = {"username": "carol", "name": "Carol"} | ({} if email is None else {"email": email})
    inner = {
        "uuid": "8a8f7f7e-2f0c-4ac3-b7f9-1d1d0a2b3c4d",
        "user": user,
        "token": "",
        "refresh_token": "",
        "expiry": "2026-01-01T20:00:00Z",
        "provider": changes.pop("provider", "google"),
    }
    secret = changes.pop("secret", {})
    sealed = envelope({"type": changes.pop("inner_type", "session"), "data": inner}, **secret)
    outer = {"version": 1, "expiry": "2026-01-01T20:00:00Z", "session": sealed} | changes
    return b64(deflate({"type": "session_local", "data": outer}))


def start(served: Served, workflow: str = "default", **headers: str) -> str:
    """Starts an execution with a good input; returns its id."""
    inputs = {
        "default": {"role": "admin", "provider": "aws", "reason": "Emergency maintenance"},
        "local-sudo": {"hostname": "laptop-17", "minutes": 30},
        "production-database": {"database": "orders", "mode": "read", "reason": "slow query"},
    }
    body = {"workflow": workflow, "input": inputs[workflow]}
    answer = served.post(f"{API}/execution", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["workflow_id"])


def status(served: Served, execution_id: str) -> str:
    return str(served.get(f"{API}/execution/{execution_id}").json()["status"])


def events(served: Served, execution_id: str) -> list[str]:
    """The names of the execution's history, oldest first."""
    history = served.get(f"{API}/execution/{execution_id}").json()["history"]
    return [entry["event_type"] for entry in history]


def send(served: Served, execution_id: str, text: str, **more: Any) -> Any:
    """Signals an execution."""
    return served.get(f"{API}/execution/{execution_id}/signal", params={"input": text}, **more)


BOB = {"authorization": "Bearer thand-other-token"}
NOBODY: dict[str, str | None] = {"authorization": None}
