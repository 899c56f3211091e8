"""How the agent packs what it gives out of its hands: session tokens and signals.

Source: the agent's published server (``models/common.go``, ``services/encrypt/local.go``)::

    sealed = base64( {"nonce": b64, "ciphertext": b64} )       AES-256-GCM, no associated data
    clear  = zlib( {"type": "...", "data": ...} )

The key is PBKDF2-HMAC-SHA256 of a password and a salt. A layer that cannot be undone is a
``BrokenEnvelope`` whose text says which layer it was and what is wrong with it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_ITERATIONS = 100_000
_KEY_BYTES = 32
_NONCE_BYTES = 12
# What one envelope may inflate to: a small token can hold a thousand times its size in zeros.
_CLEAR_BYTES_MAX = 1 << 20

_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


class BrokenEnvelope(Exception):  # noqa: N818  # it names what was given
    """A layer of an envelope cannot be undone; the text names the layer and the reason."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Password and salt that the encryption key is derived from.

    The agent refuses to leave its set-up page while they are the default; the mock does not.
    """

    password: str = "changeme"  # noqa: S105  # the agent ships with it
    salt: str = "changeme"


@dataclass(frozen=True, slots=True)
class Content:
    """What an envelope holds: a type word and any JSON."""

    type: str
    data: Any


def seal(content: Content, secret: Secret) -> str:
    """Pack and encrypt; the inverse of ``unseal``.

    The agent draws its nonce at random; here it is a keyed digest of the content, so that equal
    contents seal to equal texts and no nonce ever serves two contents.
    """
    key, clear = _key(secret), _deflate(content)
    nonce = hashlib.blake2b(clear, key=key, digest_size=_NONCE_BYTES).digest()
    ciphertext = AESGCM(key).encrypt(nonce, clear, None)
    box = {"nonce": _encode(nonce), "ciphertext": _encode(ciphertext)}
    return _encode(json.dumps(box, separators=(",", ":")).encode())


def unseal(text: str, secret: Secret) -> Content:
    """Decrypt and unpack. Raises ``BrokenEnvelope``."""
    box = _json(_decode(text), "encrypted data")
    if not isinstance(box, dict):
        raise BrokenEnvelope("encrypted data: expected an object with nonce and ciphertext")
    nonce, ciphertext = _bytes_of(box, "nonce"), _bytes_of(box, "ciphertext")
    if len(nonce) != _NONCE_BYTES:
        raise BrokenEnvelope(f"nonce: expected {_NONCE_BYTES} bytes, got {len(nonce)}")
    try:
        clear = AESGCM(_key(secret)).decrypt(nonce, ciphertext, None)
    except InvalidTag:
        raise BrokenEnvelope("cipher: message authentication failed") from None
    return _inflate(clear)


def pack(content: Content) -> str:
    """Pack without encrypting: base64 of the compressed JSON."""
    return _encode(_deflate(content))


def unpack(text: str) -> Content:
    """The inverse of ``pack``. Raises ``BrokenEnvelope``."""
    return _inflate(_decode(text))


@lru_cache(maxsize=16)
def _key(secret: Secret) -> bytes:
    # Tens of milliseconds by design, hence the cache.
    return hashlib.pbkdf2_hmac(
        "sha256", secret.password.encode(), secret.salt.encode(), _ITERATIONS, _KEY_BYTES
    )


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str, name: str = "") -> bytes:
    layer = f"{name}: " if name else ""
    stray = _NOT_BASE64.search(text.rstrip("="))
    if stray is not None:
        raise BrokenEnvelope(f"{layer}illegal base64 data at input byte {stray.start()}")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise BrokenEnvelope(f"{layer}illegal base64 data: wrong length or padding") from None


def _bytes_of(box: dict[str, Any], name: str) -> bytes:
    value = box.get(name)
    if not isinstance(value, str):
        raise BrokenEnvelope(f"encrypted data: {name} must be a string")
    return _decode(value, name)


def _deflate(content: Content) -> bytes:
    clear = json.dumps({"type": content.type, "data": content.data}, separators=(",", ":"))
    return zlib.compress(clear.encode())


def _inflate(data: bytes) -> Content:
    inflater = zlib.decompressobj()
    try:
        clear = inflater.decompress(data, _CLEAR_BYTES_MAX)
    except zlib.error:
        raise BrokenEnvelope("zlib: the data is not compressed or is damaged") from None
    if inflater.unconsumed_tail:
        raise BrokenEnvelope(f"zlib: the data is larger than {_CLEAR_BYTES_MAX} bytes")
    if not inflater.eof:
        raise BrokenEnvelope("zlib: the data ends too early")
    value = _json(clear, "json")
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise BrokenEnvelope("json: expected an object with a type")
    return Content(value["type"], value.get("data"))


def _json(data: bytes, layer: str) -> Any:
    try:
        value = json.loads(data.decode(), parse_constant=_no_constant)
        # A lone surrogate survives parsing but could not be written into any answer.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        # Not UTF-8, not JSON, NaN, an integer of thousands of digits: all are ValueErrors.
        raise BrokenEnvelope(f"{layer}: invalid JSON") from None
    return value


def _no_constant(word: str) -> Any:
    raise ValueError(word)
