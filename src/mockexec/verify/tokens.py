"""A token by the client credentials grant (RFC 6749, 4.4)."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import quote_plus

from mockexec.errors import UsageError
from mockexec.verify.target import Unreachable, Wire


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """A client that may ask for tokens, and where. ``scope``: what it asks for, "" for nothing."""

    id: str
    secret: str
    url: str
    scope: str = ""

    def token(self, wire: Wire) -> str:
        """A fresh access token.

        The client shows its secret as every server must take it (2.3.1): as Basic credentials.

        Raises:
            UsageError: the server gives none.
        """
        pair = f"{quote_plus(self.id)}:{quote_plus(self.secret)}"
        body = "grant_type=client_credentials"
        if self.scope:
            body += f"&scope={quote_plus(self.scope)}"
        headers = (
            ("Authorization", f"Basic {b64encode(pair.encode()).decode()}"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
        )
        try:
            status, _, content = wire.exchange("POST", self.url, headers, body.encode())
        except Unreachable as error:
            raise UsageError(f"no token can be had: {error}") from None
        try:
            token = json.loads(content)["access_token"]
        except (ValueError, KeyError, TypeError):
            token = None
        if status != 200 or not isinstance(token, str):
            shown = content[:200].decode("utf-8", "replace")
            raise UsageError(f"{self.url} gives no token: {status} {shown}")
        return token
