"""Schemathesis's engine in this process: its phases and checks, as events of ours.

The only module that imports schemathesis. What an API rightly does otherwise than Schemathesis
expects stands in its document: on an operation ``x-expected-statuses`` maps statuses, with which a
request that fits the schema may be refused, to the reason; ``x-existing: true`` on a parameter says
that only values that exist make sense, so the documented example is sent.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import requests
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import StopReason, context, from_schema
from schemathesis.engine import events as theirs
from schemathesis.engine.core import EventStream
from schemathesis.engine.recorder import Interaction, ScenarioRecorder
from schemathesis.engine.recorder import Request as SentRequest
from schemathesis.engine.run import PhaseName
from schemathesis.generation.case import Case
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER, HookContext
from schemathesis.transport import requests as transport
from urllib3 import filepost

from mockexec.spec.operations import Link, Operation
from mockexec.verify import wording
from mockexec.verify.events import Event, Found, PartFinished, PartStarted, Sent, Skipped, Trouble
from mockexec.verify.findings import NO_ANSWER, Finding, Severity
from mockexec.verify.given import given
from mockexec.verify.plan import VerifyPlan
from mockexec.verify.repeatable import repeatable
from mockexec.verify.target import (
    AsgiApp,
    BudgetSpent,
    Credentials,
    Exchanged,
    Headers,
    Request,
    Target,
)

ENGINE_PHASES = ("examples", "coverage", "fuzzing", "stateful")
# With what a request that fits the schema may be answered anyway (Schemathesis's own default).
ACCEPTED_STATUSES = ("2xx", "3xx", 401, 403, 404, 409, 429, "5xx")

# How deep the stories of the stateful phase go. The declared links are followed in a pass of their
# own: the links that Schemathesis infers compete with them, and many would never be followed.
_STEPS_MAX = 15
# How often the stories of a group are told anew, each time others, while a link was not followed.
_ROUNDS_MAX = 4
_ROUND_APART = 1_000_003
# What Schemathesis or requests add, which says nothing about the case.
_NOISE = frozenset((
    "user-agent", "accept", "accept-encoding", "connection", "content-length",
    "x-schemathesis-testcaseid",
))  # fmt: skip
_BOUNDARY = "mockexec-2f1d8c4be07a4d62"
_CONTAINERS = (("path_parameters", "path"), ("query", "query"), ("headers", "header"),
               ("cookies", "cookie"))  # fmt: skip
_SEVERITIES = {severity.value: severity for severity in Severity}


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of the engine: which phases of it, and whether it follows links that it infers."""

    name: str
    title: str
    phases: tuple[str, ...]
    infers: bool = True

    @property
    def is_stateful(self) -> bool:
        """Whether it needs all operations at once."""
        return "stateful" in self.phases


def passes(phases: Sequence[str]) -> tuple[Pass, ...]:
    """The runs of the engine that these phases need; each begins in a fresh world of a mock."""
    single = tuple(phase for phase in phases if phase in ENGINE_PHASES[:-1])
    found = []
    if single:
        found.append(Pass("schemathesis", f"Schemathesis: {', '.join(single)}", single))
    if "stateful" in phases:
        stateful = ("stateful",)
        found.append(Pass("schemathesis/stateful", "Schemathesis: stories", stateful))
        title = "Schemathesis: the links of the document"
        found.append(Pass("schemathesis/links", title, stateful, infers=False))
    return tuple(found)


def execute(
    plan: VerifyPlan, engine_pass: Pass, operations: Sequence[Operation]
) -> Iterator[Event]:
    """Runs one pass over ``operations``.

    Raises:
        BudgetSpent: a limit of the run was reached on the way.
    """
    yield PartStarted(engine_pass.name, engine_pass.title)
    requests_before = plan.target.requests
    spent: BudgetSpent | None = None
    findings = 0
    try:
        for event in _stories(plan, engine_pass, operations):
            findings += isinstance(event, Found)
            yield event
    except BudgetSpent as error:
        spent = error
    yield PartFinished(engine_pass.name, plan.target.requests - requests_before, findings)
    if spent is not None:
        raise spent


def _stories(
    plan: VerifyPlan, engine_pass: Pass, operations: Sequence[Operation]
) -> Iterator[Event]:
    """The runs of the engine that a pass is made of."""
    if engine_pass.infers:
        yield from _Engine(plan, engine_pass, operations, plan.seed).events()
        return
    # In stories of everything, what lies several links away is reached by luck.
    for group in linked(operations):
        unfollowed = {*declared_links(group)}
        for number in range(_ROUNDS_MAX if unfollowed else 0):
            seed = plan.seed + number * _ROUND_APART
            for event in _Engine(plan, engine_pass, group, seed).events():
                if isinstance(event, Sent):
                    unfollowed.discard(event.link)
                yield event
            if not unfollowed:
                break


def linked(operations: Sequence[Operation]) -> list[list[Operation]]:
    """The operations that links of the document lead between, in groups without a link from one
    to another; those without any are left out.
    """
    groups: list[set[str]] = []
    for source in operations:
        for target in _targets(source, operations):
            joined = {source.id, target.id}
            apart = []
            for group in groups:
                if group & joined:
                    joined |= group
                else:
                    apart.append(group)
            groups = [*apart, joined]
    return [[one for one in operations if one.id in group] for group in groups]


def declared_links(operations: Sequence[Operation]) -> Iterator[str]:
    """The links between them as Schemathesis calls them: ``GET /a -> [200] Name``."""
    for operation in operations:
        for status, response in operation.responses.items():
            for link in response.links.values():
                if any(_leads_to(link, one) for one in operations):
                    yield f"{label(operation)} -> [{status}] {link.name}"


def _targets(source: Operation, operations: Sequence[Operation]) -> Iterator[Operation]:
    """Those of ``operations`` to which the answers of ``source`` link."""
    for response in source.responses.values():
        for link in response.links.values():
            yield from (one for one in operations if _leads_to(link, one))


def _leads_to(link: Link, operation: Operation) -> bool:
    # A reference is to a place in the document: ``#/paths/~1runs~1{id}/get``.
    place = unquote((link.operation_ref or "").partition("#")[2])
    return link.operation_id == operation.id or bool(place and place == operation.pointer)


def label(operation: Operation) -> str:
    """What Schemathesis calls an operation."""
    return f"{operation.method} {operation.path}"


class _Engine:
    """One run of Schemathesis's engine over some operations."""

    def __init__(
        self, plan: VerifyPlan, engine_pass: Pass, operations: Sequence[Operation], seed: int
    ) -> None:
        self._plan = plan
        self._target: Target = plan.target
        self._operations = {label(operation): operation for operation in operations}
        self._every = {label(operation): operation for operation in plan.api.operations}
        self._spent: BudgetSpent | None = None
        self._stream: EventStream | None = None
        # Requests counted before they went out, and all that came back.
        self._counted = 0
        self._told = 0
        self._schema = self._load(_config(plan, engine_pass, seed))

    def events(self) -> Iterator[Event]:
        """Runs to the end.

        Raises:
            BudgetSpent: a limit of the run was reached on the way.
        """

        def before_call(called: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
            del called, kwargs
            # Hooks are the process's, and another run may be under way in it.
            if case.operation.schema.config is self._schema.config:
                self._before_call()

        schemathesis.hook(before_call)
        try:
            with repeatable(), _same_boundaries(), _closed_sessions():
                self._stream = from_schema(self._schema).execute()
                while (event := self._next()) is not None:
                    yield from self._translated(event)
            if self._spent is not None:
                raise self._spent
        finally:
            GLOBAL_HOOK_DISPATCHER.unregister(before_call)
            self._close()

    def _close(self) -> None:
        """Ends the engine."""
        if self._stream is not None:
            self._stream.stop()
            self._stream.generator.close()
        self._stream = None

    def _next(self) -> theirs.EngineEvent | None:
        """The engine's next event, None after the last."""
        with warnings.catch_warnings():
            # Those of Schemathesis's and requests' own doing; a run has its own way to tell.
            warnings.simplefilter("ignore")
            return None if self._stream is None else next(self._stream.generator, None)

    def _load(self, config: SchemathesisConfig) -> Any:
        document = self._plan.api.document
        if len(document.files) == 1:
            # Its own copy, which it may change.
            schema: Any = schemathesis.openapi.from_dict(
                json.loads(json.dumps(document.raw, default=str)), config=config
            )
        else:
            # Only from its file can it follow references to others.
            path = Path(url2pathname(urlsplit(document.uri).path))
            schema = schemathesis.openapi.from_path(path, config=config)
        labels = self._operations.keys()
        schema = schema.include(lambda asked: asked.operation.label in labels)
        if self._plan.app is not None:
            schema.app = _Asgi(self._plan.app)
        return schema

    def _before_call(self) -> None:
        """Counts the request, waits for its turn; at the end of the budget it is the last one."""
        try:
            self._target.take_slot()
            self._counted += 1
        except BudgetSpent as spent:
            self._spent = spent
            if self._stream is not None:
                self._stream.stop()

    def _count(self, told: int) -> None:
        """Counts what some checks send on the side, which no hook is told of."""
        self._told += told
        if self._told > self._counted:
            self._target.requests += self._told - self._counted
            self._counted = self._told

    def _translated(self, event: theirs.EngineEvent) -> Iterator[Event]:
        if isinstance(event, theirs.ScenarioFinished):
            yield from self._scenario(event)
        elif isinstance(event, theirs.NonFatalError):
            yield self._error(event)
        elif isinstance(event, theirs.Interrupted):
            self._spent = self._spent or BudgetSpent("stopped")
        elif isinstance(event, theirs.FatalError):
            raise event.exception
        elif isinstance(event, theirs.EngineFinished):
            if event.stop_reason is StopReason.SERVER_UNAVAILABLE:
                yield Trouble("schemathesis", "the server stopped answering")
            for failure in event.failures:
                yield Found(self._finding("run", failure, ()))

    def _scenario(self, event: theirs.ScenarioFinished) -> Iterator[Event]:
        recorder = event.recorder
        self._count(len(recorder.interactions))
        exchanges: dict[str, Exchanged] = {}
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is None or case_id not in recorder.cases:
                continue
            node = recorder.cases[case_id]
            exchanged = exchanges[case_id] = self._exchanged(interaction)
            link = ""
            if node.transition is not None and node.is_transition_applied:
                link = " -> ".join(node.transition.id.split(" -> ")[:2])
            yield Sent(
                self._id(node.value.operation.label),
                exchanged,
                tuple(_parameters(node.value)),
                event.phase.value,
                link,
            )
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.failure_info is None:
                    continue
                failure = check.failure_info.failure
                failed_id = failure.case_id or case_id
                if check.name == "negative_data_rejection" and failed_id in exchanges:
                    case = recorder.cases[failed_id].value
                    if self._is_right(case, exchanges[failed_id].request):
                        continue
                story = _story(recorder, exchanges, failed_id, failure)
                yield Found(self._finding(check.name, failure, story))

    def _is_right(self, case: Case[Any], sent: Request) -> bool:
        """Whether a case that was to be wrong is right as it went out: all that was wrong is a body
        of which nothing is left, as of a form without fields, and that need not be there.
        """
        operation = self._every.get(case.operation.label)
        if sent.body or operation is None or operation.body is None or operation.body.required:
            return False
        parts = case.meta.components.items() if case.meta is not None else ()
        wrong = [location for location, part in parts if part.mode.is_negative]
        return wrong == [ParameterLocation.BODY]

    def _finding(self, check: str, failure: Failure, story: tuple[Exchanged, ...]) -> Finding:
        operation = self._every.get(failure.operation or "")
        name = f"schemathesis/{check}"
        severity = _SEVERITIES.get(failure.severity.value, Severity.MEDIUM)
        last = story[-1] if story else None
        got = wording.answer(last) if last else failure.message
        if operation is None:
            title = wording.one_line(f"{failure.title}: {failure.message}")
            return Finding(name, title, severity, "", failure.title, got, "", story)
        words = wording.told(failure, operation, last, self._plan.api.document)
        return Finding(
            check=name,
            title=words.title,
            severity=severity,
            operation=operation.id,
            expected=words.expected,
            got=got,
            pointer=words.pointer,
            exchanges=story,
            cause=words.cause,
            symptom=words.symptom,
        )

    def _error(self, event: theirs.NonFatalError) -> Event:
        """A connection that broke on a request of the document is the server's doing."""
        operation = self._every.get(event.label)
        message = wording.one_line(f"{event.info.title}: {event.info.message}")
        if event.phase is PhaseName.STATEFUL_TESTING and "links" in event.info.title:
            return Skipped("stories", "no link leads from one of these operations to another")
        cause = _cause(event.value)
        if operation is not None and isinstance(cause, requests.RequestException):
            return Found(
                Finding(
                    check="schemathesis/answer",
                    title="a request of the document gets no answer",
                    severity=Severity.CRITICAL,
                    operation=operation.id,
                    expected="an answer",
                    got=message,
                    pointer=operation.pointer,
                    exchanges=tuple(self._unanswered(cause.request)),
                    cause=event.info.title,
                    symptom=NO_ANSWER,
                )
            )
        return Trouble(self._id(event.label) or event.label, message)

    def _unanswered(self, request: Any) -> Iterator[Exchanged]:
        """The request that no answer came to, where it is known."""
        if isinstance(request, requests.PreparedRequest):
            asked, url = self._request(SentRequest.from_prepared_request(request))
            yield Exchanged(asked, url, 0, (), b"")

    def _id(self, operation_label: str) -> str:
        operation = self._every.get(operation_label)
        return "" if operation is None else operation.id

    def _exchanged(self, interaction: Interaction) -> Exchanged:
        sent, response = interaction.request, interaction.response
        assert response is not None  # noqa: S101  # the caller looked
        request, url = self._request(sent)
        mock = self._target.is_mock
        return Exchanged(
            request,
            url,
            response.status_code,
            tuple((name, value) for name, values in response.headers.items() for value in values),
            response.content or b"",
            0.0 if mock else response.elapsed,
            self._target.now_ns() if mock else int(interaction.timestamp * 1_000_000_000),
        )

    def _request(self, sent: SentRequest) -> tuple[Request, str]:
        """What was sent as a request of ours, and its URL."""
        url, path, query = self._placed(sent.uri)
        headers, principal = self._own_headers(sent.headers)
        return Request(sent.method, path, query, headers, sent.body, principal), url

    def _placed(self, uri: str) -> tuple[str, str, str]:
        """(URL without credentials, path below the base URL, query)."""
        base = self._target.base_url
        path, _, query = uri.removeprefix(base).partition("?")
        secret = self._target.credentials.get("main", Credentials()).query
        if secret:
            query = "&".join(part for part in query.split("&") if part not in secret.split("&"))
        return f"{base}{path}" + (f"?{query}" if query else ""), path, query

    def _own_headers(self, sent: dict[str, list[str]]) -> tuple[Headers, Literal["main", "none"]]:
        """The headers of the case itself, and whether it came with the main credentials."""
        main = self._target.credentials.get("main")
        secrets = {name.lower(): value for name, value in main.headers} if main else {}
        kept = []
        found = set()
        for name, values in sent.items():
            key = name.lower()
            if key in secrets and values == [secrets[key]]:
                found.add(key)
            elif key not in _NOISE:
                kept += [(name, value) for value in values]
        return tuple(kept), "main" if found == set(secrets) and main is not None else "none"


@contextmanager
def _same_boundaries() -> Iterator[None]:
    """Multipart bodies with a boundary that is always the same, so that a seed repeats them.

    Both libraries draw it from the system's randomness and take no other.
    """
    drawn = filepost.choose_boundary, transport.choose_boundary
    filepost.choose_boundary = transport.choose_boundary = lambda: _BOUNDARY
    try:
        yield
    finally:
        filepost.choose_boundary, transport.choose_boundary = drawn


@contextmanager
def _closed_sessions() -> Iterator[None]:
    """Closes the connections of the engine, which leaves them to whoever collects the garbage."""
    make = context.make_session
    made: list[requests.Session] = []

    def make_session(*arguments: Any, **options: Any) -> requests.Session:
        made.append(make(*arguments, **options))
        return made[-1]

    context.make_session = make_session
    try:
        yield
    finally:
        context.make_session = make
        for session in made:
            session.close()


class _Asgi:
    """An application as Schemathesis knows one: by a coroutine function."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)


def _config(plan: VerifyPlan, engine_pass: Pass, seed: int) -> SchemathesisConfig:
    target = plan.target
    phases: dict[str, Any] = {
        name: {"enabled": name in engine_pass.phases} for name in ENGINE_PHASES
    }
    phases["stateful"]["max-steps"] = _STEPS_MAX
    generation: dict[str, Any] = {"max-examples": plan.examples_max, "database": "none"}
    if not engine_pass.infers:
        phases["stateful"]["inference"] = {"algorithms": []}
        # A refusal ends a story of links; the other stories have them.
        generation["mode"] = "positive"
    if not target.can_change:
        phases["coverage"]["unexpected-methods"] = ["OPTIONS", "TRACE"]
    config: dict[str, Any] = {
        "base-url": target.base_url,
        "seed": seed,
        "headers": dict(target.credentials.get("main", Credentials()).headers),
        "workers": plan.workers,
        "continue-on-failure": True,
        # What a run has learned must not change the next one.
        "cache": {"enabled": False},
        # Constants of the application's source: of a mock they would be ours.
        "analysis": {"constants": {"enabled": False}},
        "generation": generation,
        "output": {"sanitization": {"enabled": False}, "truncation": {"enabled": False}},
        "suppress-health-check": ["all"],
        "tls-verify": plan.tls_verify,
        "phases": phases,
        "checks": _checks(plan),
        # Of all, since the engine also calls others to find values for the ones it tests.
        "operations": [own for operation in plan.api.operations if (own := _own(plan, operation))],
    }
    if not target.is_mock:
        # Waits where a 429 says for how long. The clock of a mock stands still meanwhile.
        config["rate-limit"] = "auto"
    return SchemathesisConfig.from_dict(config)


def check_names() -> tuple[str, ...]:
    """Schemathesis's own checks, as they are named here."""
    from schemathesis.checks import CHECKS, load_all_checks  # noqa: PLC0415  # loads much

    load_all_checks()
    return tuple(f"schemathesis/{name}" for name in CHECKS.get_all_names())


def _checks(plan: VerifyPlan) -> dict[str, Any]:
    names = [name.partition("/")[2] for name in check_names() if not plan.wants(name)]
    return {name: {"enabled": False} for name in names}


def _own(plan: VerifyPlan, operation: Operation) -> dict[str, Any]:
    """What the document says of testing this operation, in Schemathesis's words."""
    config: dict[str, Any] = {}
    expected = operation.extensions.get("x-expected-statuses")
    if expected and plan.wants("schemathesis/positive_data_acceptance"):
        statuses = [*ACCEPTED_STATUSES, *map(int, expected)]
        config["checks"] = {"positive_data_acceptance": {"expected-statuses": statuses}}
    existing = {
        f"{parameter.location}.{parameter.name}": next(iter(parameter.examples.values()))
        for parameter in operation.parameters
        if parameter.examples
        and (
            given(parameter)
            or plan.api.document.at(parameter.uri, parameter.pointer).get("x-existing")
        )
    }
    if existing:
        config["parameters"] = existing
    return config and {"include-name": label(operation), **config}


def _parameters(case: Case[Any]) -> Iterator[str]:
    for container, location in _CONTAINERS:
        for name in getattr(case, container) or ():
            yield f"{location}.{name}"
    if case.media_type is not None:
        yield "body"


def _story(
    recorder: ScenarioRecorder, exchanges: dict[str, Exchanged], case_id: str, failure: Failure
) -> tuple[Exchanged, ...]:
    """The requests that lead to the failing one, which comes last."""
    chain = recorder.iter_chain_cases(case_id=case_id, related_case_ids=failure.related_case_ids())
    before = [exchanges[case.id] for case in chain if case.id in exchanges and case.id != case_id]
    return (*before, exchanges[case_id]) if case_id in exchanges else tuple(before)


def _cause(error: Exception) -> BaseException:
    """The error behind Schemathesis's own."""
    return getattr(error, "error", None) or error.__cause__ or error
