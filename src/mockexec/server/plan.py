"""One operation compiled: what a request to it goes through, in order, with nothing left to build.

gate → security → throttle → parameters → negotiation → body → handler
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockexec.api import Api, Gate
from mockexec.errors import Violation
from mockexec.http.auth import Principal
from mockexec.http.call import Call, Handler, Reply
from mockexec.http.negotiation import negotiate
from mockexec.http.refusal import Refusal, invalid
from mockexec.server.bodies import BodyReader, Receive
from mockexec.server.parameters import Decoder, QueryReader, read_cookies
from mockexec.server.replies import ReplyChecker
from mockexec.server.routing import parameter_names
from mockexec.settings import Settings
from mockexec.spec.operations import Operation

Verify = Callable[[Call], "Principal | None"]
# Alternatives, each of which is a set of verifiers that must all know the caller.
Security = tuple[tuple[Verify, ...], ...]
# The path's arguments and the query, as they came.
_Texts = tuple[tuple[str, ...], str]


class _Values(NamedTuple):
    """What was read from them."""

    path: Mapping[str, Any]
    query: Mapping[str, Any]
    notes: tuple[Violation, ...]
    violations: tuple[Violation, ...]


_REMEMBERED_MAX = 1024
_REMEMBERED_LENGTH_MAX = 200


class Plan:
    """The compiled form of one operation."""

    __slots__ = (
        "_body", "_cookies", "_gate", "_handler", "_headers", "_offered", "_path",
        "_query", "_read_before", "_security", "_throttle", "_verify", "check", "operation",
    )  # fmt: skip

    def __init__(
        self,
        api: Api,
        operation: Operation,
        handler: Handler,
        security: Security,
        settings: Settings,
    ) -> None:
        self.operation = operation
        self._handler = handler
        self._security = security
        # The usual case: one credential.
        self._verify = security[0][0] if len(security) == 1 == len(security[0]) else None
        self._gate: Gate | None = api.dialect.gates.get(operation.id)
        self._throttle = api.dialect.throttle(settings)
        decoders = [Decoder(parameter, api.schemas) for parameter in operation.parameters]
        by_name = {d.name: d for d in decoders if d.location == "path"}
        # A parameter that the path names and the document forgot to declare is a plain text.
        self._path = tuple((name, by_name.get(name)) for name in parameter_names(operation.path))
        self._headers = tuple(
            (d, d.name.lower().encode()) for d in decoders if d.location == "header"
        )
        self._cookies = tuple(d for d in decoders if d.location == "cookie")
        self._query = QueryReader(
            [d for d in decoders if d.location == "query"],
            strict=settings.strict,
            credentials=_credential_names(api),
        )
        self._body = (
            BodyReader(
                operation.body,
                api.schemas,
                strict=settings.strict,
                max_bytes=settings.body_max_bytes,
            )
            if operation.body is not None
            else None
        )
        self._offered = _offered(operation)
        self._read_before: dict[_Texts, _Values] = {}
        # How a reply breaks the document.
        self.check = ReplyChecker(operation, api.schemas).check

    @property
    def stages(self) -> tuple[str, ...]:
        """What ``answer`` goes through, as ``call.stage`` names it."""
        there = {
            "gate": self._gate, "security": self._security, "throttle": self._throttle,
            "parameters": True, "accept": self._offered, "body": self._body, "handler": True,
        }  # fmt: skip
        return tuple(stage for stage, one in there.items() if one)

    @property
    def takes_empty(self) -> bool:
        """Whether an empty last path segment is a wrong value here rather than another path."""
        last = self._path[-1][1] if self._path else None
        return last is not None and not last.admits_text

    async def answer(self, call: Call, arguments: tuple[str, ...], receive: Receive) -> Reply:
        """The handler's reply.

        Raises:
            Refusal: something on the way said no.
        """
        call.operation_id = self.operation.id
        if self._gate is not None:
            call.stage = "gate"
            self._gate(call)
        if self._security:
            call.stage = "security"
            verify = self._verify
            call.principal = verify and verify(call)
            if call.principal is None:
                call.principal = self._authenticate(call)
        if self._throttle is not None:
            call.stage = "throttle"
            self._throttle(call)
        call.stage = "parameters"
        notes = self._read_parameters(call, arguments)
        if self._offered:
            call.stage = "accept"
            accept = call.headers.get(b"accept")
            if accept is None or accept == b"*/*":
                call.accepts = self._offered[0]
            else:
                call.accepts = self._negotiate(accept.decode("latin-1"))
        if self._body is not None:
            call.stage = "body"
            notes += await self._body.read(call, receive)
        call.notes = notes
        call.stage = "handler"
        return await self._handler(call)

    def _authenticate(self, call: Call) -> Principal | None:
        refusals: list[Refusal] = []
        anonymous = False
        for alternative in self._security:
            if not alternative:
                anonymous = True
                continue
            try:
                principals = [verify(call) for verify in alternative]
            except Refusal as refusal:
                refusals.append(refusal)
                continue
            if None not in principals:
                return principals[0]
        if refusals:
            # Credentials that are known but not enough say more than unknown ones.
            raise max(refusals, key=lambda refusal: refusal.status)
        if anonymous:
            return None
        raise Refusal("unauthenticated", "credentials are missing", details={"missing": True})

    def _read_parameters(self, call: Call, arguments: tuple[str, ...]) -> tuple[Violation, ...]:
        texts = (arguments, call.raw_query)
        call.path, call.query, notes, wrong = self._read_before.get(
            texts
        ) or self._read_path_and_query(texts)
        if self._headers or self._cookies:
            violations = list(wrong)
            if self._headers:
                call.header = self._read_headers(call, violations)
            if self._cookies:
                call.cookie = self._read_cookies(call, violations)
            wrong = tuple(violations)
        if wrong:
            raise invalid(wrong)
        return notes

    def _read_path_and_query(self, texts: _Texts) -> _Values:
        arguments, raw_query = texts
        path: dict[str, Any] = {}
        query: dict[str, Any] = {}
        violations: list[Violation] = []
        for (name, decoder), text in zip(self._path, arguments, strict=True):
            if decoder is None:
                path[name] = text
            else:
                decoder.read((text,), path, violations)
        notes = self._query.read(raw_query, query, violations)
        read = _Values(path, query, notes, tuple(violations))
        # Clients ask the same again and again; nobody changes what was read.
        if len(raw_query) + sum(map(len, arguments)) <= _REMEMBERED_LENGTH_MAX:
            if len(self._read_before) >= _REMEMBERED_MAX:
                self._read_before.clear()
            self._read_before[texts] = read
        return read

    def _read_headers(self, call: Call, violations: list[Violation]) -> dict[str, object]:
        values: dict[str, object] = {}
        for decoder, name in self._headers:
            texts = [value.decode("latin-1") for key, value in call.raw_headers if key == name]
            if texts:
                decoder.read(texts, values, violations)
            else:
                decoder.absent(values, violations)
        return values

    def _read_cookies(self, call: Call, violations: list[Violation]) -> dict[str, object]:
        values: dict[str, object] = {}
        given = read_cookies(call.raw_header(b"cookie") or "")
        for decoder in self._cookies:
            if decoder.name in given:
                decoder.read(given[decoder.name], values, violations)
            else:
                decoder.absent(values, violations)
        return values

    def _negotiate(self, accept: str) -> str:
        if accept == self._offered[0]:
            return accept
        chosen = negotiate(accept, self._offered)
        if chosen is None:
            offered = ", ".join(self._offered)
            raise Refusal("not_acceptable", f"Accept {accept[:80]!r} admits none of: {offered}")
        return chosen


def _offered(operation: Operation) -> tuple[str, ...]:
    """The media types of the operation's successes, in document order."""
    return tuple(
        dict.fromkeys(
            name
            for status, response in operation.responses.items()
            if status.startswith("2")
            for name in response.content
        )
    )


def _credential_names(api: Api) -> frozenset[str]:
    return frozenset(
        scheme.parameter for scheme in api.security_schemes.values() if scheme.location == "query"
    )
