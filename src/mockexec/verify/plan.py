"""What a run is to do: a value, complete before the first request."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from mockexec.api import Api
from mockexec.spec.operations import Operation
from mockexec.verify.baseline import Baseline
from mockexec.verify.target import AsgiApp, Credentials, Target

if TYPE_CHECKING:
    from mockexec.traits import Traits

PHASES = ("checks", "examples", "coverage", "fuzzing", "stateful")
# Examples of each operation in each phase, unless told otherwise: a minute for a usual document.
EXAMPLES_MAX = 50
# By which methods nothing is changed (RFC 9110, 9.2.1; QUERY is of its own draft).
READING = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "QUERY"))
# On an operation: says that it changes something, or does not, where the method tells otherwise.
_CHANGES = "x-changes"


@dataclass(frozen=True, slots=True)
class VerifyPlan:
    """One run. ``app``: the application itself, where the target is in this process.

    ``traits``: what the API declares for our own checks. ``phases``: our own ``checks`` and the
    phases of Schemathesis. ``checks`` and ``excluded``: names of checks, ``schemathesis`` for all
    of its; none named is all there are. ``unfit``: checks that have no meaning on this target, each
    with the reason. ``operations``: operationIds; none is all. ``units``:
    the names of what this run takes of the whole (see ``shard``), None for all of it. ``renew``:
    puts a fresh world into a mock.
    """

    api: Api
    target: Target
    traits: Traits | None = None
    app: AsgiApp | None = None
    seed: int = 0
    examples_max: int = EXAMPLES_MAX
    phases: tuple[str, ...] = PHASES
    checks: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    unfit: Mapping[str, str] = field(default_factory=dict)
    operations: tuple[str, ...] = ()
    units: tuple[str, ...] | None = None
    workers: int = 1
    tls_verify: bool = True
    baseline: Baseline = field(default_factory=Baseline)
    renew: Callable[[], None] | None = None

    def wants(self, check: str) -> bool:
        """Whether a check is to be run, by its name or by what stands before the slash."""
        names = {check, check.partition("/")[0]}
        if names & {*self.excluded, *self.unfit}:
            return False
        if not self.checks:
            return True
        return bool(names & set(self.checks)) or any(
            name.startswith(f"{check}/") for name in self.checks
        )

    @property
    def is_whole(self) -> bool:
        """Whether it looks for everything there is to find."""
        chosen = self.checks or self.excluded or self.operations or self.units is not None
        return not chosen and set(self.phases) == set(PHASES)

    @property
    def chosen(self) -> tuple[Operation, ...]:
        """The operations that the run is about, whether or not they may be called."""
        if not self.operations:
            return self.api.operations
        return tuple(op for op in self.api.operations if op.id in self.operations)

    @property
    def callable(self) -> tuple[Operation, ...]:
        """Of the chosen ones those that may be called: all, or the reading ones alone."""
        if self.target.can_change:
            return self.chosen
        return tuple(op for op in self.chosen if not changes(op))


def changes(operation: Operation) -> bool:
    """Whether an operation changes something on the server."""
    declared = operation.extensions.get(_CHANGES)
    return declared if isinstance(declared, bool) else operation.method not in READING


def credentials(api: Api, token: str) -> Credentials:
    """``token`` as every security scheme of ``api`` takes it; as a bearer token in any case."""
    headers = {"Authorization": f"Bearer {token}"}
    query = []
    cookies = []
    for scheme in api.security_schemes.values():
        if scheme.type == "http" and scheme.scheme.lower() == "basic" and ":" in token:
            headers["Authorization"] = f"Basic {b64encode(token.encode()).decode()}"
        if scheme.type != "apiKey":
            continue
        if scheme.location == "header":
            headers[scheme.parameter] = token
        elif scheme.location == "query":
            query.append(f"{quote(scheme.parameter)}={quote(token)}")
        else:
            cookies.append(f"{scheme.parameter}={token}")
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    return Credentials(tuple(headers.items()), "&".join(query))
