"""A request as a command line that sends it, for bash."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from mockexec.verify.target import Credentials, Exchanged, Headers, Principal

# What stands for the token of a principal in what is shown: reports go where secrets must not.
VARIABLES: Mapping[Principal, str] = {"main": "TOKEN", "other": "OTHER_TOKEN"}


@dataclass(frozen=True, slots=True)
class Curl:
    """Writes requests as curl lines.

    ``credentials`` are what each principal adds. ``secrets`` are the names, in lower case, of the
    headers whose values are not shown: a variable of the shell stands for them. A mock's are no
    secrets.
    """

    credentials: Mapping[Principal, Credentials] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()

    def line(self, exchanged: Exchanged) -> str:
        """The command that sends the request of ``exchanged`` again."""
        request = exchanged.request
        words = ["curl", "-sS", "-i"]
        if request.method == "HEAD":
            words = ["curl", "-sS", "-I"]
        elif request.method != ("GET" if request.body is None else "POST"):
            words += ["-X", request.method]
        parts = [shlex.join(words)]
        parts += [f"-H {text}" for text in self._headers(exchanged)]
        if request.body is not None:
            parts.append(_data(request.body))
        parts.append(self._url(exchanged))
        return " ".join(parts)

    def shown(self, principal: Principal) -> Credentials:
        """What a principal adds, secrets as ``$TOKEN``."""
        added = self.credentials.get(principal, Credentials())
        headers = tuple((name, self._shown(principal, name, v)) for name, v in added.headers)
        query = added.query
        if query and self.secrets:
            variable = VARIABLES.get(principal, "TOKEN")
            names = [part.partition("=")[0] for part in query.split("&")]
            query = "&".join(f"{name}=${variable}" for name in names)
        return Credentials(headers, query)

    def headers(self, exchanged: Exchanged) -> Headers:
        """The headers that were sent, credentials as they may be shown."""
        request = exchanged.request
        own = {name.lower() for name, _ in request.headers}
        shown = self.shown(request.principal)
        return (
            *((name, value) for name, value in shown.headers if name.lower() not in own),
            *request.headers,
        )

    def _headers(self, exchanged: Exchanged) -> list[str]:
        request = exchanged.request
        own = {name.lower() for name, _ in request.headers}
        found = []
        for name, value in self.headers(exchanged):
            text = f"{name}: {value}" if value else f"{name};"
            # Only what we put there ourselves may be expanded by the shell.
            is_ours = name.lower() in self.secrets and name.lower() not in own
            found.append(f'"{text}"' if is_ours else shlex.quote(text))
        if "content-type" not in own and request.body is not None:
            # curl would say that it is a form.
            found.append("'Content-Type:'")
        return found

    def _url(self, exchanged: Exchanged) -> str:
        query = self.shown(exchanged.request.principal).query
        if not query:
            return shlex.quote(exchanged.url)
        joint = "&" if "?" in exchanged.url else "?"
        if not self.secrets:
            return shlex.quote(f"{exchanged.url}{joint}{query}")
        return f'{shlex.quote(exchanged.url)}"{joint}{query}"'

    def _shown(self, principal: Principal, name: str, value: str) -> str:
        if name.lower() not in self.secrets:
            return value
        variable = VARIABLES.get(principal, "TOKEN")
        scheme = value.partition(" ")[0] if " " in value else ""
        return f"{scheme} ${variable}".strip()


def _data(body: bytes) -> str:
    """The body as an argument; what is no text goes through printf."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return f"--data-raw {shlex.quote(text)}"
    octal = "".join(f"\\{byte:03o}" for byte in body)
    # An argument cannot carry a NUL, a pipe can.
    return f"--data-binary @<(printf {shlex.quote(octal)})"
