"""The request path inside Connexion: its own middleware class, with plans compiled at start-up.

Connexion gives the operations, the resolved handlers and the security handlers; here they become
one ``Plan`` per operation and one router per API. ``Exchange`` in, reply out.
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
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.faults import Injection
from mockexec.server.bodies import ClientGone, Receive
from mockexec.server.fault_injection import abort_of, delay, deliver, injection_for
from mockexec.server.plan import Plan, Security, Verify
from mockexec.server.replies import Send, cors_headers, encode, send_encoded
from mockexec.server.routing import Match, Router
from mockexec.settings import Settings
from mockexec.simulation.clock import machine_ns
from mockexec.simulation.journal import Exchange
from mockexec.simulation.session import Session
from mockexec.simulation.world import RealmFull

logger = logging.getLogger("mockexec")

# What may be repeated to a browser: a list of header names.
_NAMES = re.compile(r"[A-Za-z0-9!#$&'*+.^_`|~-]+(?:, *[A-Za-z0-9!#$&'*+.^_`|~-]+)*")

# The key of our one entry in the ASGI scope.
VISIT = "mockexec"


class Visit:
    """What the outer application knows of a request: its session, and the path split in two."""

    __slots__ = ("base_path", "below", "call", "session")

    def __init__(self, session: Session, base_path: str, below: str) -> None:
        self.session = session
        self.base_path = base_path  # "/@name/sailpoint": where the API lies for this client
        self.below = below  # the raw path below it, beginning with a slash
        self.call: Call | None = None  # set as soon as there is one, for the error handler


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

    def __init__(self, app: Any, *, api: Api, settings: Settings) -> None:
        """``app`` is what Connexion would call next; nothing is ever passed on to it."""
        del app
        self._api = api
        self._render = api.dialect.render
        self._reply_headers = api.dialect.reply_headers
        self._documents_refusals = api.dialect.documents_refusals
        self._settings = settings
        self._router: Router[Plan] = Router()

    def add_api(self, specification: Specification, **options: Any) -> PipelineApi:
        """Takes the API over from Connexion."""
        options.pop("base_path", None)
        made = PipelineApi(specification, api=self._api, settings=self._settings, **options)
        self._router = made.router
        return made

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        """One request, or Connexion's start-up, which asks nothing of us."""
        if scope["type"] != "http":
            return
        visit: Visit = scope[VISIT]
        world = visit.session.world
        world.settle()
        call = visit.call = Call(
            visit.session,
            self._api.name,
            self._settings,
            method=scope["method"],
            scheme=scope["scheme"],
            base_path=visit.base_path,
            raw_path=visit.below,
            raw_query=scope["query_string"].decode("latin-1"),
            raw_headers=scope["headers"],
        )
        begun_ns = machine_ns()
        plan = None
        injection = None
        refused = False
        extra = cors_headers(call) if self._settings.cors else ()
        try:
            match = self._router.find(visit.below)
            if match is None:
                raise Refusal("unknown_path", f"no operation has the path {visit.below[:200]}")
            plan = match.plans.get(call.method)
            if plan is None:
                reply = self._other_method(call, match)
            else:
                if world.faults.armed:
                    injection = injection_for(
                        call, self._api.name, plan.operation.id, match.arguments
                    )
                if injection is None:
                    reply = await plan.answer(call, match.arguments, receive)
                else:
                    reply = await self._struck(plan, call, match.arguments, receive, injection)
        except Refusal as refusal:
            refused = True
            reply = self._render(refusal, call)
        except RealmFull as full:
            refused = True
            reply = self._render(Refusal("full", str(full)), call)
        except ClientGone:
            return
        if plan is not None:
            reply = self._checked(plan, call, reply, refused=refused)
        reply_headers = self._reply_headers(call)
        if reply_headers:
            extra = (*reply_headers, *extra)
        body, headers = encode(reply, extra)
        if world.faults.armed and plan is not None and reply.status < 300:
            world.faults.replies[self._api.name, plan.operation.id] = reply
        world.journal.record(
            Exchange(
                world.journal.next_id(), call.now_ns, machine_ns() - begun_ns, self._api.name,
                call.operation_id, call.method, call.scheme, visit.base_path, visit.below,
                call.raw_query, call.raw_headers, call.raw_body, reply.status, headers, body,
                "" if injection is None else injection.origin, call.notes,
            )
        )  # fmt: skip
        if injection is None:
            await send_encoded(reply.status, headers, body, send)
        else:
            await deliver(reply.status, headers, body, injection, send, abort_of(scope))

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
        if injection.refusal is not None:
            call.operation_id = plan.operation.id
            raise injection.refusal
        if injection.repeats:
            last: Reply | None = world.faults.replies.get((self._api.name, plan.operation.id))
            if last is not None:
                return last
        if injection.is_stale and call.method == "GET":
            call.world = world.faults.origins[injection.origin].fork()
            call.realm = call.world.realms[self._api.name]
        return await plan.answer(call, arguments, receive)

    def _other_method(self, call: Call, match: Match[Plan]) -> Reply:
        """A browser's preflight, or 405 with all the methods there are."""
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
        raise Refusal(
            "method_not_allowed",
            f"{call.method[:40]} is not allowed here, only {allowed}",
            headers=(("allow", allowed),),
        )

    def _checked(self, plan: Plan, call: Call, reply: Reply, *, refused: bool) -> Reply:
        """The reply, unless it breaks the document: then the fault is ours, and said."""
        violations = plan.check(reply)
        if not violations:
            return reply
        if refused and not self._documents_refusals:
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


def _contract_broken(violations: list[Violation]) -> Refusal:
    first = violations[0]
    return Refusal(
        "internal",
        f"the reply breaks the document: {first.pointer} {first.message}",
        violations=tuple(violations),
    )
