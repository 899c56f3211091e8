"""What security requirements ask of a client, and whether one is enough for another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from mockexec.spec.load import Document
from mockexec.spec.operations import security_schemes

# From the names of schemes to scopes.
Requirement = Mapping[str, tuple[str, ...]]
# What a scheme is, such as a key in a certain header.
Kind = tuple[str, ...]
# What a requirement asks for: each scheme by what it is, and the scopes.
Meaning = Mapping[Kind, frozenset[str]]


class Schemes:
    """The security schemes of a document, told apart by what they are and not by their names."""

    def __init__(self, document: Document) -> None:
        self._schemes = security_schemes(document)

    def ways(self, security: Sequence[Requirement]) -> Iterator[tuple[str, Meaning]]:
        """Every way to be let in, in words and by what it asks for."""
        for requirement in security or ({},):
            kinds = [[*self._kinds(name)] for name in requirement]
            for chosen in product(*kinds):
                scopes = [frozenset(item) for item in requirement.values()]
                yield _words(requirement, chosen), dict(zip(chosen, scopes, strict=True))

    def _kinds(self, name: str) -> Iterator[Kind]:
        """What a scheme is; one with several flows is several, as a client uses one of them."""
        scheme = self._schemes.get(name)
        if scheme is None:
            yield ("unknown", name)
        elif scheme.type == "apiKey":
            # Names of headers are equal in any case.
            key = scheme.parameter.lower() if scheme.location == "header" else scheme.parameter
            yield (scheme.type, scheme.location, key)
        elif scheme.type == "oauth2":
            yield from _flows(scheme.raw)
        elif scheme.type == "openIdConnect":
            yield (scheme.type, str(scheme.raw.get("openIdConnectUrl")))
        else:
            yield (scheme.type, scheme.scheme)


def _flows(scheme: Mapping[str, Any]) -> Iterator[Kind]:
    """Where OAuth tokens are had; 2.0 has one flow in the scheme itself."""
    flows = scheme.get("flows")
    if not isinstance(flows, dict):
        flows = {scheme.get("flow", ""): scheme}
    for name, flow in flows.items():
        urls = [str(flow.get(key, "")) for key in _URLS] if isinstance(flow, dict) else []
        yield ("oauth2", _FLOWS.get(name, name), *urls)


_URLS = ("authorizationUrl", "tokenUrl")
# The names of 2.0 and those since.
_FLOWS = {"accessCode": "authorizationCode", "application": "clientCredentials"}


def suffices(held: Meaning, wanted: Meaning) -> bool:
    """Whether a client that holds all of the one can do what the other asks for."""
    return all(kind in held and scopes <= held[kind] for kind, scopes in wanted.items())


def _words(requirement: Requirement, kinds: Sequence[Kind]) -> str:
    if not requirement:
        return "no credentials at all"
    words = []
    for (name, scopes), kind in zip(requirement.items(), kinds, strict=True):
        flow = [f"by {kind[1]}"] if kind[0] == "oauth2" and kind[1] else []
        details = ", ".join((*flow, *scopes))
        words.append(f"{name} ({details})" if details else name)
    return " with ".join(words)
