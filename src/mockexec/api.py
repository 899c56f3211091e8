"""An API as a value: a document, and the dialect that brings it to life.

A built-in API, a user's document and the control API are all this one value; an operation without
a handler is answered from the document alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from mockexec.errors import DocumentError
from mockexec.http.call import Call, Handler, Reply, Verifier
from mockexec.http.refusal import Refusal
from mockexec.settings import Settings
from mockexec.simulation.execution import Execution
from mockexec.simulation.world import Model, Realm
from mockexec.spec.load import Document
from mockexec.spec.operations import (
    Operation,
    SecurityScheme,
    operations,
    security_schemes,
    server_paths,
)
from mockexec.spec.schemas import Schemas

Gate = Callable[[Call], None]
# (world's part, settings, options as texts) → a text that a client of the API sends.
Mint = Callable[[Realm, Settings, Mapping[str, str]], str]


def _no_aliases(path: str) -> tuple[str, ...]:  # noqa: ARG001  # the signature of Dialect.aliases
    return ()


def _unthrottled(settings: Settings) -> Gate | None:  # noqa: ARG001  # as of Dialect.throttle
    return None


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an API folder says of itself; ``mockexec.apis.<name>.DIALECT``.

    ``handlers``: by operationId, see ``handlers_of``. ``render``: makes a refusal the vendor's
    reply (``call.operation_id`` is empty when no operation was reached). ``verifiers``: by the name
    of the security scheme; each returns the principal, None when its credential is absent, or
    raises the refusal of a wrong one; scopes are its to check. ``gates``: by operationId, run
    before security, for vendors that look at something first. ``throttle``: gives what is run after
    security on every operation, None where the settings want nothing of it. ``aliases``: further
    paths at which a document's path answers.
    ``reply_headers``: added to every reply, refusals too. ``options``: the dialect's own settings
    with their defaults, ``option_readers`` what raises ValueError for a wrong value of one.
    ``development_token``: the credential that docs and printed commands use.
    ``mints``: by kind, what ``mockexec token`` can make besides; each raises UsageError for an
    option that is wrong. ``documents_refusals``: whether the document tells every refusal there
    can be; if it does not, an undocumented one is no fault of the reply. ``records``: the named
    tuples that its tables and executions hold, for snapshots. ``pushed``: (execution, state, now) →
    what its data notes, over its plan's, when somebody pushes it there by hand.
    """

    name: str
    model: Model
    handlers: Mapping[str, Handler]
    render: Callable[[Refusal, Call], Reply]
    verifiers: Mapping[str, Verifier]
    development_token: Callable[[Realm], str]
    gates: Mapping[str, Gate] = field(default_factory=dict)
    throttle: Callable[[Settings], Gate | None] = _unthrottled
    aliases: Callable[[str], tuple[str, ...]] = _no_aliases
    reply_headers: Callable[[Call], tuple[tuple[str, str], ...]] | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    option_readers: Mapping[str, Callable[[str], object]] = field(default_factory=dict)
    mints: Mapping[str, Mint] = field(default_factory=dict)
    documents_refusals: bool = True
    records: tuple[type, ...] = ()
    pushed: Callable[[Execution, str, int], Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Api:
    """One served API. ``name`` is its key everywhere and the first segment of its base path.

    ``prefixes`` are the paths below the base at which all its operations answer, "" first.
    """

    name: str
    document: Document
    operations: tuple[Operation, ...]
    schemas: Schemas
    security_schemes: Mapping[str, SecurityScheme]
    dialect: Dialect
    prefixes: tuple[str, ...] = ("",)

    @property
    def title(self) -> str:
        """The document's title."""
        return self.document.title


def make_api(document: Document, dialect: Dialect) -> Api:
    """The API of a document and its dialect.

    Raises:
        DocumentError: a handler of the dialect names no operation of the document.
    """
    found = operations(document)
    known = {operation.id for operation in found}
    for operation_id in (*dialect.handlers, *dialect.gates):
        if operation_id not in known:
            raise DocumentError(
                f"the dialect {dialect.name} handles {operation_id!r}, "
                "which the document does not have",
                file=document.uri,
            )
    return Api(
        name=dialect.name,
        document=document,
        operations=found,
        schemas=Schemas(document),
        security_schemes=security_schemes(document),
        dialect=dialect,
        prefixes=_prefixes(dialect.name, document),
    )


def _prefixes(name: str, document: Document) -> tuple[str, ...]:
    """The servers' paths below ``/name``; a foreign server path counts from there."""
    below = [path.removeprefix(f"/{name}").rstrip("/") for path in server_paths(document)]
    return tuple(dict.fromkeys(["", *below]))


def handlers_of(module: ModuleType, operation_ids: tuple[str, ...]) -> dict[str, Handler]:
    """The module's functions for these operations: the operationId in snake case names each."""
    return {
        operation_id: getattr(module, snake_case(operation_id)) for operation_id in operation_ids
    }


def snake_case(operation_id: str) -> str:
    """``getWorkflowExecution`` → ``get_workflow_execution``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", operation_id)
    return re.sub(r"\W+", "_", words).lower()
