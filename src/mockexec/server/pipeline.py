"""The request path inside Connexion: its own middleware class, with plans compiled at start-up.

Connexion gives the operations, the resolved handlers and the security handlers; here they become
one ``Plan`` per operation and one router per API. A request in, a reply out.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from connexion.middleware.abstract import AbstractRoutingAPI, SpecMiddleware
from connexion.operations import AbstractOperation
from connexion.security import SecurityHandlerFactory
from connexion.spec import Specification

from mockexec.api import Api
from mockexec.errors import Violation
from mockexec.faults import Injection
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.http.remembered import Shared
from mockexec.server.bodies import ClientGone, Receive
from mockexec.server.fault_injection import (
    delay,
    deliver,
    injection_for,
    line_of,
    refuse,
    spoil,
    turn_stale,
)
from mockexec.server.metrics import Metrics
from mockexec.server.mock import CONTROL
from mockexec.server.plan import Plan, Security, Verify
from mockexec.server.replies import CORS, Send, encode, send_whole
from mockexec.server.routing import Match, Router
from mockexec.settings import Settings
from mockexec.simulation.clock import machine_ns
from mockexec.simulation.journal import Headers, Packed, pack
from mockexec.simulation.session import Session
from mockexec.simulation.world import RealmFull

logger = logging.getLogger("mockexec")

# What may be repeated to a browser: a list of header names.
_NAMES = re.compile(r"[A-Za-z0-9!#$&'*+.^_`|~-]+(?:, *[A-Za-z0-9!#$&'*+.^_`|~-]+)*")

# The key of our one entry in the ASGI scope.
VISIT = "mockexec"


class Visit:
    """What the outer application knows of a request: its session, and the path split in two; and
    what it is told of it afterwards.
    """

    __slots__ = (
        "arguments", "base_path", "below", "call", "error", "headers", "is_asked", "is_cut",
        "plan", "session",
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        base_path: str,
        below: str,
        headers: Mapping[bytes, bytes],
        *,
        is_asked: bool = True,
    ) -> None:
        """``is_asked``: somebody asked for it; else it is only to be seen what would happen."""
        self.session = session
        self.base_path = base_path  # "/@name/sailpoint": where the API lies for this client
        self.below = below  # the raw path below it, beginning with a slash
        self.headers = headers
        self.error: Exception | None = None  # what went wrong, to be raised inside Connexion
        self.call: Call | None = None  # set as soon as there is one, for the error handler
        self.is_asked = is_asked
        self.plan: Plan | None = None  # of the operation that was reached
        self.arguments: tuple[str, ...] = ()  # its path parameters, as they came
        self.is_cut = False  # set where a fault has the connection closed


class PipelineApi(AbstractRoutingAPI[Plan]):  # type: ignore[misc]  # connexion is not typed
    """The plans of one document, entered into a router."""

    def __init__(
        self,
        specification: Specification,
        *,
        api: Api,
        settings: Settings,
        security_map: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self._api = api
        self._settings = settings
        self._by_id = {operation.id: operation for operation in api.operations}
        self._security_factory = SecurityHandlerFactory(security_map)
        self.router: Router[Plan] = Router()
        super().__init__(specification, resolver=options["resolver"])

    def make_operation(self, operation: AbstractOperation) -> Plan:
        """Compiles one operation of Connexion's."""
        return Plan(
            self._api,
            self._by_id[operation.operation_id],
            operation.function,
            self._security(operation),
            self._settings,
        )

    def _security(self, operation: AbstractOperation) -> Security:
        return tuple(
            tuple(
                self._verify(operation.security_schemes[name], list(scopes))
                for name, scopes in requirement.items()
            )
            for requirement in operation.security or ()
        )

    def _verify(self, scheme: Mapping[str, Any], scopes: list[str]) -> Verify:
        verify: Verify = self._security_factory.parse_security_scheme(dict(scheme), scopes)
        return verify

    @staticmethod
    def _framework_path_and_name(operation: AbstractOperation, path: str) -> tuple[str, str]:
        return path, operation.operation_id

    def _add_operation_internal(
        self, method: str, path: str, operation: Plan, name: str | None = None
    ) -> None:
        del method, name  # the plan's operation knows its method, and needs no name
        for place in (path, *self._api.dialect.aliases(path)):
            for prefix in self._api.prefixes:
                self.router.add(
                    prefix + place,
                    operation.operation.method,
                    operation,
                    takes_empty=operation.takes_empty,
                )


class Pipeline(SpecMiddleware):  # type: ignore[misc]  # connexion is not typed
    """Answers every request of one API."""

    def __init__(self, app: Any, *, api: Api, settings: Settings, metrics: Metrics) -> None:
        """``app`` is what Connexion would call next; nothing is ever passed on to it."""
        del app
        self._api = api
        self._render = api.dialect.render
        self._reply_headers = api.dialect.reply_headers
        self._documents_refusals = api.dialect.documents_refusals
        # A fault on every call must not bar the way to the one that disarms it.
        self._can_be_struck = api.name != CONTROL
        # Those who read the journal again and again must not fill it with themselves.
        self._is_journaled = api.name != CONTROL
        self._metrics = metrics
        self._settings = settings
        self._router: Router[Plan] = Router()

    def add_api(self, specification: Specification, **options: Any) -> PipelineApi:
        """Takes the API over from Connexion."""
        options.pop("base_path", None)
        made = PipelineApi(specification, api=self._api, settings=self._settings, **options)
        self._router = made.router
        return made

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        """Connexion's call: a request that failed, or its start-up, which asks nothing of us."""
        del receive, send
        if scope["type"] == "http":
            raise scope[VISIT].error

    async def serve(self, visit: Visit, scope: Any, receive: Any, send: Send) -> None:
        """Answers one request.

        Raises:
            Exception: it failed, by our fault.
        """
        world = visit.session.world
        world.settle()
        call = visit.call = Call(
            visit.session,
            self._api.name,
            self._settings,
            scope["method"],
            scope["scheme"],
            visit.base_path,
            visit.below,
            scope["query_string"].decode("latin-1"),
            scope["headers"],
            visit.headers,
        )
        begun_ns = machine_ns()
        injection: Injection | None = None
        try:
            match = self._router.find(visit.below)
            plan = None if match is None else match.plans.get(call.method)
            if match is None or plan is None:
                reply = self._nowhere(call, match)
            else:
                visit.plan, visit.arguments = plan, match.arguments
                if world.faults.armed and self._can_be_struck:
                    injection = injection_for(
                        call, self._api.name, plan.operation.id, match.arguments
                    )
                if injection is None:
                    reply = await plan.answer(call, match.arguments, receive)
                else:
                    reply = await self._struck(plan, call, match.arguments, receive, injection)
        except (Refusal, RealmFull) as refused:
            reply = self._refused(refused, call)
        except ClientGone:
            return
        # What a fault answers need not be documented; what a handler answers must.
        if visit.plan is not None and (injection is None or injection.refusal is None):
            violations = visit.plan.check(reply)
            if violations:
                reply = self._broken(violations, call, reply)
        is_plain = self._reply_headers is None and b"origin" not in visit.headers
        body, headers = encode(reply, () if is_plain else self._extra(call))
        if world.faults.armed:
            self._keep(visit, call, reply)
        if injection is None:
            self._note(visit, call, begun_ns, (reply.status, headers, body))
            line = line_of(scope)
            if line is None or not line.answer(reply.status, headers, body):
                await send_whole(reply.status, headers, body, send)
            return
        body, headers = spoil(call.method, body, headers, injection)
        seen = _seen(reply.status, headers, body, injection)
        self._note(visit, call, begun_ns, seen, injection)
        line = line_of(scope)
        visit.is_cut = not await deliver(reply.status, headers, body, injection, send, line)

    def _extra(self, call: Call) -> tuple[tuple[str, str], ...]:
        """The headers that are the pipeline's to add."""
        extra = CORS if b"origin" in call.headers and self._settings.cors else ()
        return extra if self._reply_headers is None else (*self._reply_headers(call), *extra)

    def _refused(self, refused: Refusal | RealmFull, call: Call) -> Reply:
        """The vendor's words for what was refused."""
        if isinstance(refused, RealmFull):
            call.refusal = Refusal("full", str(refused))
        else:
            # Without the frames it came through, which hold the call: a circle for the collector.
            call.refusal = refused.with_traceback(None)
        return self._render(call.refusal, call)

    def _keep(self, visit: Visit, call: Call, reply: Reply) -> None:
        """Puts an answer aside for faults that deliver it again.

        Not the control API's own: an exported snapshot among them would hold all the earlier ones.
        """
        if self._can_be_struck and visit.plan is not None and reply.status < 300:
            replies = call.world.faults.replies
            replies[self._api.name, visit.plan.operation.id] = _own(reply)

    def _note(
        self,
        visit: Visit,
        call: Call,
        begun_ns: int,
        seen: tuple[int, Headers, bytes],
        injection: Injection | None = None,
    ) -> None:
        """Counts and records an exchange, as the client sees it."""
        took_ns = machine_ns() - begun_ns
        if visit.is_asked:
            self._metrics.observe(self._api.name, call.operation_id, seen[0], took_ns)
            if injection is not None:
                self._metrics.strike(self._api.name, injection.kind)
        if not self._is_journaled and not call.notes:
            return
        journal = visit.session.world.journal
        journal.record(
            Packed(
                self._api.name, call.operation_id,
                "" if injection is None else injection.fault_id, call.notes,
                pack(
                    journal.next_id(), call.now_ns, took_ns,
                    (call.method, call.scheme, visit.base_path, visit.below, call.raw_query),
                    call.raw_headers, call.raw_body, *seen,
                ),
            )
        )  # fmt: skip

    async def _struck(
        self,
        plan: Plan,
        call: Call,
        arguments: tuple[str, ...],
        receive: Receive,
        injection: Injection,
    ) -> Reply:
        """The reply to a call that faults strike."""
        world = call.world
        await delay(world, injection)
        call.now_ns = world.now_ns
        call.operation_id = plan.operation.id
        refuse(injection)
        if injection.repeats:
            last: Reply | None = world.faults.replies.get((self._api.name, plan.operation.id))
            if last is not None:
                return last
        if injection.origin is not None and call.method in {"GET", "HEAD"}:
            turn_stale(call, injection.origin)
        return await plan.answer(call, arguments, receive)

    def _nowhere(self, call: Call, match: Match[Plan] | None) -> Reply:
        """404; or a browser's preflight; or 405 with all the methods there are."""
        if match is None:
            nowhere = Refusal("unknown_path", f"no operation has the path {call.raw_path[:200]}")
            return self._refused(nowhere, call)
        allowed = ", ".join(sorted(match.plans))
        if (
            self._settings.cors
            and call.method == "OPTIONS"
            and call.raw_header(b"access-control-request-method") is not None
        ):
            wanted = call.raw_header(b"access-control-request-headers") or ""
            return Reply(
                204,
                headers=(
                    ("access-control-allow-methods", allowed),
                    ("access-control-allow-headers", wanted if _NAMES.fullmatch(wanted) else "*"),
                    ("access-control-max-age", "600"),
                ),
            )
        wrong = Refusal(
            "method_not_allowed",
            f"{call.method[:40]} is not allowed here, only {allowed}",
            headers=(("allow", allowed),),
        )
        return self._refused(wrong, call)

    def _broken(self, violations: list[Violation], call: Call, reply: Reply) -> Reply:
        """What becomes of a reply that breaks the document: the fault is ours, and said."""
        if call.refusal is not None and not self._documents_refusals:
            return reply
        for violation in violations:
            logger.error(
                "%s %s: our reply %s breaks the document: %s %s",
                self._api.name, call.operation_id, reply.status, violation.pointer,
                violation.message,
            )  # fmt: skip
        call.notes = (*call.notes, *violations)
        if not self._settings.strict:
            return reply
        return self._render(_contract_broken(violations), call)


def _seen(
    status: int, headers: Headers, body: bytes, injection: Injection
) -> tuple[int, Headers, bytes]:
    """What a client sees of a struck answer; the status 0 stands for none at all."""
    if injection.cut_at is None:
        return status, headers, body
    if injection.cut_at < 0:
        return 0, [], b""
    return status, headers, body[: injection.cut_at]


def _own(reply: Reply) -> Reply:
    """A reply that can be kept with a world."""
    return reply._replace(body=reply.body.value) if type(reply.body) is Shared else reply


def _contract_broken(violations: list[Violation]) -> Refusal:
    first = violations[0]
    return Refusal(
        "internal",
        f"the reply breaks the document: {first.pointer} {first.message}",
        violations=tuple(violations),
    )
