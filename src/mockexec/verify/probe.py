"""What a check works with: requests in the document's terms, every answer validated on its way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote, urlencode

from mockexec.api import Api
from mockexec.simulation.chance import Random
from mockexec.spec.operations import Operation, Parameter
from mockexec.traits import ABSENT, Answer, Ask, Control, Item, Life, Listing, PageOf, Start, Traits
from mockexec.verify import signs
from mockexec.verify.conformance import Conformance
from mockexec.verify.events import Transitions, TransitionSeen
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.given import given, instead
from mockexec.verify.target import Exchanged, Request, Target, Unreachable

ITEMS_MAX = 1000
PAGES_MAX = 40
# What an unreadable answer makes of the callables that read it. That the answer breaks the
# document has been found by then; a check leaves it alone.
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError)
_POLL_S = 0.05
_POLLS_MAX = 50
_TURNS = 14  # of a mock's clock, together what ``settle_s`` says


@dataclass(frozen=True, slots=True)
class Walk:
    """All pages of a list. ``complete``: the last one was reached, and every page could be read."""

    items: list[Item]
    pages: list[tuple[PageOf, Exchanged, list[Item]]]
    complete: bool

    @property
    def exchanges(self) -> tuple[Exchanged, ...]:
        """Its requests."""
        return tuple(exchanged for _, exchanged, _ in self.pages)


@dataclass
class Probe:
    """One check's hold on the target. ``random`` is seeded by the check's name."""

    target: Target
    api: Api
    given: Traits | None
    random: Random
    check: str = ""
    breaches: list[Finding] = field(default_factory=list)
    _seen: set[tuple[str, str, str]] = field(default_factory=set)
    _words: dict[str, str] = field(default_factory=dict)
    # By which request an execution was started, so that a story can begin with it.
    _begun: dict[str, Exchanged] = field(default_factory=dict)
    _failed: bool = False

    @property
    def traits(self) -> Traits:
        """What the API declares; nothing, if it declares nothing."""
        return self.given or Traits()

    @property
    def life(self) -> Life:
        """How executions are read; for checks that need it."""
        if self.traits.life is None:
            raise LookupError("the API declares no executions")
        return self.traits.life

    def operation(self, operation_id: str) -> Operation:
        """The operation of that id."""
        return next(op for op in self.api.operations if op.id == operation_id)

    # Requests.

    def request(self, ask: Ask) -> Request:
        """The request as it goes out, but for credentials."""
        operation = self.operation(ask.operation)
        values = self._values(operation, ask)
        path = operation.path
        for parameter in operation.parameters:
            if parameter.location == "path":
                text = quote(_text(values["path", parameter.name]), safe="")
                path = path.replace(f"{{{parameter.name}}}", text)
        query = [
            (name, _text(one))
            for (location, name), value in values.items()
            if location == "query"
            for one in (value if isinstance(value, list | tuple) else [value])
        ]
        headers = [
            (name, _text(value)) for (location, name), value in values.items()
            if location == "header"
        ]  # fmt: skip
        body, kind = _body(operation, ask.body)
        if kind is not None:
            headers.append(("Content-Type", kind))
        return Request(
            operation.method, path, urlencode(query, quote_via=quote), tuple(headers), body,
            ask.principal,
        )  # fmt: skip

    def send(self, ask: Ask, *, odd: str = "", patient: bool = True) -> Exchanged:
        """The answer to a request, validated against the document."""
        operation = self.operation(ask.operation)
        return self.send_raw(self.request(ask), operation, odd=odd, patient=patient)

    def send_raw(
        self,
        request: Request,
        operation: Operation | None,
        *,
        odd: str = "",
        patient: bool = True,
    ) -> Exchanged:
        """The same for a request that is complete; without an operation only 5xx is looked for."""
        try:
            exchanged = self.target.send(request, patient=patient)
        except Unreachable:
            if not self._failed:
                raise
            # A server that has failed closes the connection, and may be about to do so only now.
            exchanged = self.target.send(request, patient=patient)
        self._failed = exchanged.status >= 500
        if operation is not None:
            self.seen(operation, exchanged, odd=odd)
        elif exchanged.status >= 500:
            self.breach(
                Finding(
                    check="conformance",
                    title=f"the server fails with {exchanged.status} on {odd or 'a request'}",
                    severity=Severity.CRITICAL,
                    operation="",
                    expected="an answer below 500",
                    got=f"{exchanged.status} {exchanged.text[:200]}",
                    exchanges=(exchanged,),
                    symptom=signs.answered(exchanged),
                )
            )
        return exchanged

    def seen(self, operation: Operation, exchanged: Exchanged, *, odd: str = "") -> None:
        """Takes note of an answer: what breaks the document in it becomes a finding.

        A refusal that the document's schema lets pass must be in the vendor's form besides.
        """
        found = [*self._conformance.findings(operation, exchanged, odd=odd)]
        if not found:
            found = [*self.form(operation, exchanged)]
        begun = [one for name, one in self._begun.items() if name in exchanged.request.path][:1]
        for finding in found:
            self.breach(replace(finding, exchanges=(*begun, *finding.exchanges)))

    def form(self, operation: Operation | None, exchanged: Exchanged) -> Iterator[Finding]:
        """Whether a refusal is in the vendor's form."""
        refusals = self.traits.refusals
        if refusals is None or not 400 <= exchanged.status < 500:
            return
        if exchanged.status in refusals.bodiless and not exchanged.body:
            return
        sent = (exchanged.header("content-type") or "").partition(";")[0].strip().lower()
        problem = refusals.wrong(answer_of(exchanged))
        if sent != refusals.media_type:
            problem = f"is {sent or 'of no media type'}, not {refusals.media_type}"
        if problem is None:
            return
        status = exchanged.status
        where = f"the {status} of {operation.id}" if operation else f"a {status}"
        yield Finding(
            check="error_shape",
            title=f"{where} {problem}",
            severity=Severity.MEDIUM,
            operation=operation.id if operation else "",
            expected="a refusal in the vendor's form",
            got=f"{exchanged.header('content-type')}: {exchanged.text[:200]}",
            pointer=operation.pointer if operation else "",
            exchanges=(exchanged,),
            cause=f"{where} {problem}",
            symptom=signs.has_header(exchanged, "content-type")
            if sent != refusals.media_type
            else signs.like(exchanged),
        )

    def breach(self, finding: Finding) -> None:
        """Keeps a finding until the check hands it out, each root cause once."""
        if finding.key not in self._seen:
            self._seen.add(finding.key)
            self.breaches.append(finding)

    def ask(self, ask: Ask) -> Answer:
        """The answer to a request, decoded."""
        return answer_of(self.send(ask))

    def sample(self, operation: Operation) -> Ask:
        """A good request of any operation, from the document's examples."""
        body: Any = ABSENT
        if operation.body is not None:
            examples = [
                example
                for media in operation.body.content.values()
                for example in media.examples.values()
            ]
            if examples:
                body = examples[0]
        return Ask(operation.id, body=body)

    # Executions.

    def read(self, identifier: str) -> tuple[Item | None, Exchanged]:
        """One execution as it stands, None where it cannot be read."""
        if self.life.read is None:
            raise LookupError("single executions cannot be read")
        exchanged = self.send(self.life.read(identifier))
        answer = answer_of(exchanged)
        item = answer.body if answer.ok and isinstance(answer.body, Mapping) else None
        if item is not None:
            self.note(item)
        return item, exchanged

    def word(self, item: Item) -> str | None:
        """The state of an execution; None where it cannot be read."""
        return self._word(item)

    def identify(self, item: Item) -> str | None:
        """The id of an execution; None where it cannot be read."""
        try:
            return self.life.id(item)
        except UNREADABLE:
            return None

    def note(self, item: Item) -> None:
        """Tells the run of the step that an execution took since it was seen last."""
        identifier, word = self.identify(item), self._word(item)
        if identifier is None or word is None:
            return
        before = self._words.get(identifier)
        self._words[identifier] = word
        if before is not None and before != word:
            self.target.tell(TransitionSeen("execution", before, word))

    def announce(self) -> None:
        """Tells the run which steps there are."""
        life = self.life
        steps = [(a, b) for a in life.states for b in life.states if a != b and life.follows(a, b)]
        self.target.tell(Transitions("execution", tuple(steps)))

    def start(self, start: Start) -> tuple[list[str], Ask, Exchanged]:
        """The ids of executions just started, what was sent, and the exchange."""
        ask = start.ask(self.random)
        exchanged = self.send(ask)
        answer = answer_of(exchanged)
        try:
            ids = [str(one) for one in start.ids(answer.body)] if answer.ok else []
        except UNREADABLE:
            ids = []
        self._begun |= dict.fromkeys(ids, exchanged)
        return ids, ask, exchanged

    def starts(self, *, waits: bool | None = None, name: str = "") -> list[Start]:
        """The ways to start, of that kind; first those that fit best."""
        found = [s for s in self.traits.starts if not name or s.name == name]
        return [s for s in found if waits is None or s.waits == waits]

    def open_one(
        self, control: Control | None = None, *, waits: bool = True, word: str = ""
    ) -> tuple[str, Item, list[Exchanged]] | None:
        """A fresh execution that is open, or one of the list where none can be started.

        ``waits``: one that waits for somebody, if there is such a start. ``word``: the state that
        it is to be in; it is waited for.
        """
        wanted = control.starts if control else ""
        starts = self.starts(waits=waits, name=wanted) or self.starts(name=wanted)
        for start in starts[:1]:
            ids, _, exchanged = self.start(start)
            for _ in self.ticks(short=True) if ids else ():
                item, read = self.read(ids[0])
                if item is None or self._word(item) in self.life.final:
                    break
                if not word or self._word(item) == word:
                    return ids[0], item, [exchanged, read]
        for item in [] if starts and word else self.listed():
            identifier = self.identify(item)
            if identifier is not None and self._word(item) not in self.life.final:
                fresh, read = self.read(identifier)
                if fresh is not None and self._word(fresh) not in self.life.final:
                    return identifier, fresh, [read]
        return None

    def listed(self) -> list[Item]:
        """What the first list shows now, all of it; empty where there is no list."""
        if not self.traits.lists:
            return []
        listing = self.traits.lists[0]
        return self.walk(listing, listing.everything).items

    def settle(self, identifier: str, *, least: int = 0) -> tuple[Item | None, list[Exchanged]]:
        """Reads one until it has ended, bounded; the item is None if it has not by then."""
        exchanges: list[Exchanged] = []
        for tick in self.ticks():
            item, exchanged = self.read(identifier)
            exchanges.append(exchanged)
            if item is None:
                return None, exchanges
            if self._word(item) in self.life.final and tick >= least:
                return item, exchanges
        return None, exchanges

    def ticks(self, *, short: bool = False) -> Iterator[int]:
        """Numbers, with time between them: enough, together, for an execution to end.

        A mock's clock is turned in growing steps; on a real server they are short and even.
        ``short``: enough for it to begin.
        """
        if not self.target.is_mock or short:
            for tick in range(_POLLS_MAX):
                yield tick
                self.target.wait(0.5 if self.target.is_mock else _POLL_S / 2 if short else _POLL_S)
            return
        # A geometric series that begins with half a second.
        ratio = max(1.2, (self.traits.settle_s * 2) ** (1 / (_TURNS - 1)))
        step_s = 0.5
        for tick in range(_TURNS + 2):
            yield tick
            self.target.wait(step_s)
            step_s = min(step_s * ratio, self.traits.settle_s)

    # Lists.

    def page(self, listing: Listing, page: PageOf) -> tuple[Exchanged, list[Item] | None]:
        """One page; None where it was refused or cannot be read."""
        exchanged = self.send(listing.ask(page))
        answer = answer_of(exchanged)
        if not answer.ok:
            return exchanged, None
        try:
            items = [*listing.items(answer.body)]
        except UNREADABLE:
            return exchanged, None
        if self.given and self.given.life and listing is self.given.lists[0]:
            for item in items:
                self.note(item)
        return exchanged, items

    def walk(
        self,
        listing: Listing,
        first: PageOf,
        *,
        pages_max: int = PAGES_MAX,
        between: Callable[[], None] | None = None,
    ) -> Walk:
        """All pages from ``first`` on; ``between`` is done after each."""
        items: list[Item] = []
        pages: list[tuple[PageOf, Exchanged, list[Item]]] = []
        page: PageOf | None = first
        while page is not None and len(pages) < pages_max and len(items) < ITEMS_MAX:
            exchanged, got = self.page(listing, page)
            if got is None:
                return Walk(items, pages, complete=False)
            items += got
            pages.append((page, exchanged, got))
            if listing.next is None:
                return Walk(items, pages, complete=True)
            try:
                page = listing.next(page, answer_of(exchanged))
            except UNREADABLE:
                return Walk(items, pages, complete=False)
            if between is not None and page is not None:
                between()
        return Walk(items, pages, complete=page is None)

    def behind(self, listing: Listing, whole: Walk) -> Exchanged | None:
        """What stands behind the last item of a list; None if nothing, as it should.

        Page tokens lead nowhere by themselves: of lists with such, nothing is asked.
        """
        if listing.next is None or listing.seals:
            return None
        if not whole.complete and len(whole.items) >= ITEMS_MAX:
            return None
        size, got = 7, len(whole.pages[0][2]) if whole.pages else 0
        exchanged, items = self.page(
            listing, PageOf(size, got if listing.shifts else -(-got // size))
        )
        seen = {json.dumps(item, sort_keys=True) for item in whole.items}
        more = [item for item in items or () if json.dumps(item, sort_keys=True) not in seen]
        return exchanged if more else None

    # Findings.

    def finding(
        self,
        title: str,
        expected: str,
        got: str,
        exchanges: Sequence[Exchanged],
        *,
        operation: str = "",
        severity: Severity = Severity.HIGH,
        pointer: str | None = None,
        cause: str = "",
        symptom: signs.Symptom | None = None,
    ) -> Finding:
        """A finding of this check; its place is the operation's unless another is given."""
        if pointer is None:
            known = [op for op in self.api.operations if op.id == operation]
            pointer = known[0].pointer if known else ""
        return Finding(
            check=self.check,
            title=title,
            severity=severity,
            operation=operation,
            expected=expected,
            got=got,
            pointer=pointer,
            exchanges=tuple(exchanges),
            cause=cause or title,
            symptom=symptom,
        )

    def listed_wrong(
        self,
        exchanged: Exchanged,
        shown: Sequence[Item],
        wrong: str,
        answers: Sequence[int] = (-1,),
        **more: Any,
    ) -> signs.Symptom | None:
        """The symptom of something wrong with a list, see ``signs.items``."""
        first = self.identify(shown[0]) if shown and self.traits.life else None
        if first is None and shown and "id" in shown[0]:
            first = str(shown[0]["id"])
        return signs.items(exchanged, shown, first, wrong, answers=answers, **more)

    @cached_property
    def _conformance(self) -> Conformance:
        return Conformance(self.api, self._word)

    def _word(self, value: Any) -> str | None:
        life = self.traits.life
        if life is None or not isinstance(value, Mapping):
            return None
        try:
            word = life.word(value)
        except UNREADABLE:
            return None
        return word if word in life.states else None

    def _values(self, operation: Operation, ask: Ask) -> dict[tuple[str, str], Any]:
        """The values by place and name: the request's own, examples for what is required."""
        own: dict[Literal["path", "query", "header"], Mapping[str, Any]] = {
            "path": ask.path, "query": ask.query, "header": ask.header,
        }  # fmt: skip
        values = {
            (parameter.location, parameter.name): example_of(parameter)
            for parameter in operation.parameters
            if (parameter.required or given(parameter)) and parameter.location in own
        }
        known = {(p.location, p.name.lower()): p for p in operation.parameters}
        for location, asked in own.items():
            for name, value in asked.items():
                if (parameter := known.get((location, name.lower()))) is not None:
                    value = instead(parameter, value)  # noqa: PLW2901  # the same, for the account
                key = next((k for k in values if k[0] == location and k[1] == name), None)
                values[key or (location, name)] = value
        return {key: value for key, value in values.items() if value is not ABSENT}


def example_of(parameter: Parameter) -> Any:
    """A value for a parameter: its first example; a text that may do where it has none."""
    return next(iter(parameter.examples.values()), "1")


def answer_of(exchanged: Exchanged) -> Answer:
    """An answer, decoded."""
    try:
        body = exchanged.json() if exchanged.body else ABSENT
    except ValueError:
        body = ABSENT
    return Answer(exchanged.status, dict(exchanged.headers), body)


def as_other(ask: Ask) -> Ask:
    """The same request by the other principal."""
    return replace(ask, principal="other")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _body(operation: Operation, body: Any) -> tuple[bytes | None, str | None]:
    if body is ABSENT or operation.body is None:
        return None, None
    kinds = [name.partition(";")[0] for name in operation.body.content]
    json_kinds = [kind for kind in kinds if kind.endswith("json")]
    if json_kinds or not kinds:
        kind = next(iter(json_kinds), "application/json")
        return json.dumps(body, ensure_ascii=False).encode(), kind
    if "application/x-www-form-urlencoded" in kinds and isinstance(body, Mapping):
        return urlencode(body).encode(), "application/x-www-form-urlencoded"
    return str(body).encode(), kinds[0]
