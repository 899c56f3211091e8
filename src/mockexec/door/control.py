"""Requests to the control API of one session, and its refusals as errors."""

from __future__ import annotations

import json
from typing import Any

from mockexec.door.carriers import Carrier
from mockexec.errors import UsageError


class Control:
    """The control API as one session has it; ``session`` is empty for the base world."""

    def __init__(self, carrier: Carrier, session: str = "", token: str = "") -> None:
        self._carrier = carrier
        self._token = token
        self.session = session
        self._base = f"{f'/@{session}' if session else ''}/_mockexec"

    def of(self, session: str) -> Control:
        """The same mock's, of another session."""
        return Control(self._carrier, session, self._token)

    def ask(self, method: str, path: str, body: Any = None, *, missing_ok: bool = False) -> Any:
        """The answer as data; None where it has no body, or is a 404 that is ``missing_ok``.

        Raises:
            UsageError: it was refused, in the words of the control API.
        """
        status, content = self.send(method, path, body)
        try:
            data: Any = json.loads(content) if content else None
            if status < 400:
                return data
            message = data["message"]
            if status == 404 and missing_ok:
                return None
        except (ValueError, TypeError, KeyError):
            message = f"what answers is no mock: {status} {content[:200]!r}"
        raise UsageError(message)

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """(status, body) as they came."""
        headers = {"accept": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers["content-type"] = "application/json"
        content = b"" if body is None else json.dumps(body).encode()
        return self._carrier.ask(method, self._base + path, headers, content)
