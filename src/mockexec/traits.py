"""What an API declares of its behaviour, so that it can be checked: ``apis/<name>/traits.py``.

A document says what requests and answers look like. What it says in prose only (which page
follows, what a filter selects, what cancelling does, who may see what) stands in ``Traits``: small
values and callables that translate between the API's own requests and the questions that checks
ask. Whoever writes them declares nothing that the document does not promise.

An ``Item`` is an execution as the API shows it, a decoded JSON object.
"""

from __future__ import annotations

import operator as comparing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, Protocol

from mockexec.simulation.chance import Random
from mockexec.simulation.instants import HOUR, format_instant
from mockexec.simulation.lifecycle import FINAL, STATES, TRANSITIONS

Item = Mapping[str, Any]
Principal = Literal["main", "other", "none"]
_NOTHING: Mapping[str, Any] = {}


class _Absent:
    """The type of ``ABSENT``."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()  # no body, as opposed to null


@dataclass(frozen=True, slots=True)
class Ask:
    """A request in the document's terms.

    ``path``, ``query`` and ``header`` are parameter values, not encoded; required parameters that
    are left out are sent with the document's example. ``body`` is JSON data (or a mapping of form
    fields where the operation takes only forms), ``ABSENT`` for none.
    """

    operation: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    body: Any = ABSENT
    principal: Principal = "main"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; header names in lower case; ``body`` decoded, ``ABSENT`` where it is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def ok(self) -> bool:
        """Whether the request was accepted."""
        return 200 <= self.status < 300


class Player(Protocol):
    """What a promise needs to see whether it is kept."""

    random: Random

    def send(self, ask: Ask) -> Answer:
        """One request; its answer has been validated against the document."""

    def settle(self, identifier: str) -> Item | None:
        """Waits, bounded, until the execution has ended; None if it does not or cannot be read."""

    def wait(self, seconds: float) -> None:
        """Turns a mock's clock, waits on a real server."""

    def start(self, *, waits: bool = False) -> tuple[str, ...]:
        """The ids of executions just started; ``waits``: by a start that waits for somebody."""

    def items(self) -> Sequence[Item]:
        """What the first list of the API shows now, all pages."""


class Fact(NamedTuple):
    """What can be said of a field of an item, so that it can be looked at again.

    ``relation``: ``is``, ``is missing`` (null, too), ``is there``, ``differs from`` or ``is less
    than``. ``other``: a value; for ``is less than`` the name of another field; None, with the last
    two, is the same field as it was shown before.
    """

    name: str
    relation: str
    other: Any = None


class Problem(NamedTuple):
    """A broken promise; ``title`` names the cause, ``facts`` what of the item shows it."""

    title: str
    expected: str
    got: str
    operation: str = ""
    facts: tuple[Fact, ...] = ()


# Lifecycle


@dataclass(frozen=True, slots=True)
class Moment:
    """A timestamp of an execution: set in the ``needs`` states, absent or null in the ``forbids``.

    Moments are listed in the order in which they pass.
    """

    name: str
    needs: frozenset[str] = frozenset()
    forbids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How an execution is read, and what must be true of it at any time.

    ``states`` maps the API's words to the states of ``simulation.lifecycle`` that each may stand
    for. ``read`` is None where single executions cannot be read. ``constants`` never change,
    ``once`` do not after they were set; ``rises`` never get smaller, the list ``grows`` never
    shorter; when it has ended, nothing changes. ``unique`` differ from execution to execution.
    ``rules`` are further truths: each returns what is wrong with an item, or None. ``gone`` are the
    statuses of reading an id that nobody has.
    """

    id: Callable[[Item], str]
    word: Callable[[Item], str]
    states: Mapping[str, frozenset[str]]
    read: Callable[[str], Ask] | None = None
    moments: tuple[Moment, ...] = ()
    constants: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    rises: tuple[str, ...] = ()
    grows: str = ""
    unique: tuple[str, ...] = ()
    rules: tuple[Callable[[Item], Problem | None], ...] = ()
    gone: frozenset[int] = frozenset({404})

    @property
    def final(self) -> frozenset[str]:
        """The words that an execution never leaves."""
        return frozenset(word for word, states in self.states.items() if states <= FINAL)

    def follows(self, before: str, after: str) -> bool:
        """Whether an execution seen as ``before`` may be seen as ``after`` later."""
        if before in self.final:
            return before == after
        return bool(_reachable(self.states[before]) & self.states[after])


def _reachable(states: frozenset[str]) -> frozenset[str]:
    found, todo = set(states), [*states]
    while todo:
        for state in TRANSITIONS[todo.pop()] - found:
            found.add(state)
            todo.append(state)
    return frozenset(found)


OPEN: Final = frozenset(STATES) - FINAL


# Starting


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One way to start executions.

    ``ask`` makes a valid request from a seeded generator, no two alike; ``ids`` finds the new ids
    in its answer. ``echo`` maps (body, item) to what the item must show of what was sent: field →
    value. ``waits``: what it starts stays open until somebody acts. ``listed``: it shows in the
    list of that operation at once.
    """

    name: str
    ask: Callable[[Random], Ask]
    ids: Callable[[Any], Sequence[str]]
    echo: Callable[[Ask, int], Mapping[str, Any]] = lambda _ask, _index: {}
    waits: bool = False
    listed: str = ""


# Lists


@dataclass(frozen=True, slots=True)
class PageOf:
    """Which page of a list: at most ``limit`` items from ``at`` (an offset, page number or token).

    ``where`` is a filter as the API writes it; ``since`` and ``until`` bound the window of lists
    that have one.
    """

    limit: int | None = None
    at: Any = None
    where: Any = None
    since: str | None = None
    until: str | None = None
    sort: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a page may be. ``over``: what becomes of a larger limit than ``most``.

    ``least`` is the smallest that is accepted; ``name`` the parameter, for titles.
    """

    name: str
    default: int
    least: int
    most: int
    over: Literal["refused", "clamped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order of a list: by ``key`` (comparable), then by ``ties`` ascending.

    ``sort`` is how it is asked for, None: it is the order without asking. ``reverse`` is how its
    exact reverse is asked for.
    """

    name: str
    key: Callable[[Item], Any]
    descending: bool = False
    sort: str | None = None
    ties: Callable[[Item], Any] | None = None
    reverse: str | None = None


class Compare(NamedTuple):
    """``field operator value``."""

    field: Field
    operator: str
    value: Any = None


class And(NamedTuple):
    """All of them hold."""

    parts: tuple[Expression, ...]


class Or(NamedTuple):
    """At least one holds."""

    parts: tuple[Expression, ...]


class Not(NamedTuple):
    """It does not hold."""

    part: Expression


Expression = Compare | And | Or | Not


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something to filter by.

    ``value`` reads it from an item as shown (None: it has none); ``hidden``: it is not shown, so
    only complements can be checked. ``operators`` are of eq, in, null, lt, le, gt, ge. ``extra``:
    values worth asking for besides those seen. ``folds``: case makes no difference.
    """

    name: str
    operators: tuple[str, ...]
    value: Callable[[Item], Any] = lambda _item: None
    hidden: bool = False
    extra: tuple[Any, ...] = ()
    folds: bool = False
    near: Callable[[Any, int], Any] | None = None  # a value just above (1) or below (-1) another
    is_text: bool = False  # a free text, of which a part is another value


def holds(expression: Expression, item: Item) -> bool | None:
    """Whether an item, as shown, satisfies a filter; None where it does not show it."""
    match expression:
        case And(parts):
            found = [holds(part, item) for part in parts]
            return False if False in found else None if None in found else True
        case Or(parts):
            found = [holds(part, item) for part in parts]
            return True if True in found else None if None in found else False
        case Not(part):
            inner = holds(part, item)
            return None if inner is None else not inner
    return None if expression.field.hidden else _compare(expression, item)


_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "eq": comparing.eq,
    "in": lambda value, wanted: value in wanted,
    "lt": comparing.lt,
    "le": comparing.le,
    "gt": comparing.gt,
    "ge": comparing.ge,
}


def _compare(comparison: Compare, item: Item) -> bool:
    field_, operator, wanted = comparison
    value = field_.value(item)
    if operator == "null":
        return value is None
    if value is None:
        return False
    if field_.folds:
        value = value.casefold()
        wanted = wanted.casefold()
    return bool(_COMPARED[operator](value, wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtering:
    """The filters of a list: ``write`` puts an expression in the API's words.

    ``connectives`` of and, or, not; ``once``: each field at most once. ``refused`` are filters
    that must be refused, with what is wrong with each.
    """

    fields: tuple[Field, ...]
    write: Callable[[Expression], Any]
    connectives: frozenset[str] = frozenset({"and", "or", "not"})
    once: bool = False
    refused: tuple[tuple[Any, str], ...] = ()


def spellings(ns: int, *, digits: int, zone: str = "Z") -> tuple[str, ...]:
    """One instant as clients may write it: with ``zone``, the other way to write UTC, and offsets
    east and west of it.
    """
    return (
        format_instant(ns, digits=digits, zone=zone),
        format_instant(ns, digits=digits, zone="+00:00" if zone == "Z" else "Z"),
        format_instant(ns + 2 * HOUR, digits=digits, zone="+02:00"),
        format_instant(ns - 5 * HOUR - HOUR // 2, digits=digits, zone="-05:30"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The bounds in time of a list: of what, how they are written, and whether they belong to it.

    ``instant`` gives nanoseconds; ``write`` lists all the forms in which a bound may be written;
    ``step_ns`` is the precision to which instants are shown and kept.
    """

    instant: Callable[[Item], int]
    write: Callable[[int], Sequence[str]]
    since_included: bool
    until_included: bool
    step_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list and its pages.

    ``ask`` requests a page, ``items`` finds them in the body, ``next`` gives the page that follows
    (None: this was the last). ``total`` tells how many there are in all; ``numbers`` checks what
    else a page says of itself. ``shifts``: pages are offsets from the newest item, so that a new
    one moves all of them. ``seals``: page tokens belong to their query. ``only``: the words of the
    states it shows, None for all. ``everything`` asks for all there is. ``same`` are the fields
    that reading an item must show as the list does. ``past`` asks for a page past the end of so
    many items, which must be empty. ``broken`` are requests for pages that must be refused, each
    with the reason.
    """

    operation: str
    ask: Callable[[PageOf], Ask]
    items: Callable[[Any], Sequence[Item]]
    next: Callable[[PageOf, Answer], PageOf | None] | None = None
    total: Callable[[Answer], int | None] | None = None
    numbers: Callable[[PageOf, Answer], Problem | None] | None = None
    everything: PageOf = PageOf()
    limits: Limits | None = None
    orders: tuple[Order, ...] = ()
    filtering: Filtering | None = None
    window: Window | None = None
    shifts: bool = False
    seals: bool = False
    only: frozenset[str] | None = None
    same: tuple[str, ...] = ()
    past: Callable[[int], PageOf] | None = None
    broken: tuple[tuple[PageOf, str], ...] = ()


# Controls


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Something done to an execution; ``name`` as in ``cancelling``.

    ``ends`` are the words one of which it must come to (empty: it goes on); ``at_once``: the next
    read shows it. ``refused`` are the statuses for one that has ended. ``shows`` tells what is
    wrong with the item (before, after it has settled), ``answers`` what is wrong with the answer
    given the item before. ``repeats``: doing it again while it is under way is accepted.
    ``starts`` names the start that makes an execution on which it has this effect, "" if it has it
    on all.
    """

    name: str
    ask: Callable[[str], Ask]
    ends: frozenset[str] = frozenset()
    at_once: bool = False
    refused: frozenset[int] = frozenset({409})
    gone: frozenset[int] = frozenset({404})
    shows: Callable[[Item, Item], Problem | None] = lambda _before, _after: None
    answers: Callable[[Item, Answer], Problem | None] = lambda _before, _answer: None
    repeats: bool = False
    starts: str = ""


# Who may what


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """What another principal must not see or change.

    ``reads`` and ``changes`` ask for an execution of main's, as the other principal (whose own
    parameters they carry); each must be refused with one of ``refused``. ``open``: requests of the
    other's that must be accepted, so that a server that refuses everything is no good either.
    ``lists`` are lists of the other's in which nothing of main's may stand. ``closed`` are requests
    that must be refused as they stand.
    """

    reads: Callable[[str], Sequence[Ask]] = lambda _id: ()
    changes: Callable[[str], Sequence[Ask]] = lambda _id: ()
    open: Callable[[str], Sequence[Ask]] = lambda _id: ()
    lists: tuple[Ask, ...] = ()
    closed: tuple[Ask, ...] = ()
    refused: frozenset[int] = frozenset({403, 404})


def bearer(token: str) -> Mapping[str, str]:
    """The header that carries a bearer token."""
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A credential as headers, and what is special about it."""

    name: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """A token from the API's own token endpoint.

    ``ask`` requests it, ``headers`` makes the credential from the answer; ``weak`` are requests it
    must not be enough for, ``good`` ones it must be. ``lives_s``: how long it works.
    """

    name: str
    ask: Ask
    headers: Callable[[Any], Mapping[str, str]]
    good: tuple[Ask, ...] = ()
    weak: tuple[Ask, ...] = ()
    lives_s: Callable[[Any], float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """Credentials that must not work, and those that must.

    ``broken`` never work; ``expired`` no longer do. ``weak`` are credentials with requests that
    they are not enough for (403; 401 where a server does not know them). ``also`` must work as
    main's own; each is made from main's token, the text after ``Bearer``. ``refused_clients`` ask
    for tokens and must not get any. ``wrong_scope``: how a granted token that is too weak is
    refused.
    """

    broken: tuple[Credential, ...] = ()
    expired: tuple[Credential, ...] = ()
    weak: tuple[tuple[Credential, tuple[Ask, ...]], ...] = ()
    minted: tuple[Minted, ...] = ()
    also: tuple[tuple[str, Callable[[str], Mapping[str, str]]], ...] = ()
    refused_clients: tuple[tuple[Ask, str], ...] = ()
    wrong_scope: frozenset[int] = frozenset({403})


class Unknown(NamedTuple):
    """A request for something that is not there, and the statuses it may be refused with."""

    ask: Ask
    refused: frozenset[int]
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """The vendor's form of a refusal.

    ``wrong`` says what is wrong with a body for its status, None if nothing. ``bodiless`` statuses
    come without one where no operation was reached.
    """

    wrong: Callable[[Answer], str | None]
    bodiless: frozenset[int] = frozenset()
    media_type: str = "application/json"
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalid:
    """Requests that a document's schema does not tell from valid ones, and what each deserves."""

    ask: Ask
    reason: str
    refused: frozenset[int]


@dataclass(frozen=True, slots=True)
class Promise:
    """Something else that an API promises: ``kept`` plays it through and yields what is wrong."""

    name: str
    operation: str
    changes: bool
    kept: Callable[[Player], Iterator[Problem]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """All that an API declares; what is left out is not checked.

    ``no_store``: operations whose answers must not be cached. ``settle_s``: after how many seconds
    of its clock a mock's executions have surely ended, if nobody is waited for.
    """

    life: Life | None = None
    starts: tuple[Start, ...] = ()
    lists: tuple[Listing, ...] = ()
    controls: tuple[Control, ...] = ()
    ownership: Ownership | None = None
    auth: Auth | None = None
    refusals: Refusals | None = None
    invalid: tuple[Invalid, ...] = ()
    no_store: tuple[str, ...] = ()
    promises: tuple[Promise, ...] = ()
    settle_s: float = 3600
