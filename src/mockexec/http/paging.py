"""Page tokens that cannot be forged, and the arithmetic of numbered pages."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

_SIGNATURE_BYTES = 16
_TOKEN_MAX = 4096


class BadPageToken(ValueError):  # noqa: N818  # it names what was given
    """A page token that was not made with this key, or was changed on its way."""


def seal(content: Mapping[str, Any], key: bytes) -> str:
    """A signed, URL-safe text that carries ``content`` (JSON data)."""
    payload = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    return seal_bytes(_signature(payload, key) + payload)


def unseal(text: str, key: bytes) -> dict[str, Any]:
    """The content of a text made by ``seal`` with the same key.

    Raises:
        BadPageToken: it was not.
    """
    if len(text) > _TOKEN_MAX:
        raise BadPageToken("the token is too long")
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        raise BadPageToken("the token is not base64url") from None
    signature, payload = sealed[:_SIGNATURE_BYTES], sealed[_SIGNATURE_BYTES:]
    # Base64 has spare bits: only the very text that was given out is taken back.
    if seal_bytes(sealed) != text or not hmac.compare_digest(signature, _signature(payload, key)):
        raise BadPageToken("the token was not issued by this server")
    content: dict[str, Any] = json.loads(payload)
    return content


def seal_bytes(sealed: bytes) -> str:
    """The one text for these bytes."""
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def digest(value: Any) -> str:
    """A short text that is the same for equal JSON data: ties a token to its query."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def pages_total(items_total: int, size: int) -> int:
    """How many pages of ``size`` hold ``items_total`` items; none for none."""
    return -(-items_total // size)


def _signature(payload: bytes, key: bytes) -> bytes:
    return blake2b(payload, key=key[:64], digest_size=_SIGNATURE_BYTES).digest()
