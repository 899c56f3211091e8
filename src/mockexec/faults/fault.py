"""The contract of a fault, when it strikes, and what it may do to an exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from types import NoneType
from typing import Any, ClassVar, Protocol

from mockexec.errors import UsageError
from mockexec.http.refusal import Refusal
from mockexec.simulation.chance import Random
from mockexec.simulation.instants import SECOND, parse_duration, parse_instant
from mockexec.simulation.world import World

SECONDS_MAX = 600
# The types that a field may be annotated with, as they are written.
_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "None": NoneType,
}


@dataclass(slots=True)
class Injection:
    """What is to happen to one exchange; the faults that strike fill it in, in turn.

    ``delay_ns`` passes before anything else (on a clock that does not run by itself it is turned
    on instead where ``turns_clock``); ``refusal`` is answered in place of the handler;
    ``transforms`` change the body; ``cut_at`` is the number of body bytes after which the
    connection is closed (-1: before the response begins); ``chunk_bytes`` every ``chunk_ns``
    drips the body; ``is_stale`` answers from the world as it was when the fault was armed;
    ``repeats`` answers with the operation's last body again.
    """

    random: Random
    fault_id: str  # of the fault that struck first
    kind: str = ""  # and what it is
    origin: World | None = None  # the world that ``is_stale`` answers from
    delay_ns: int = 0
    turns_clock: bool = False
    refusal: Refusal | None = None
    transforms: list[Callable[[bytes], bytes]] = field(default_factory=list)
    cut_at: int | None = None
    chunk_bytes: int = 0
    chunk_ns: int = 0
    is_stale: bool = False
    repeats: bool = False

    def spoilt(self, body: bytes) -> bytes:
        """The body as the faults change it, before a disconnect cuts it."""
        for transform in self.transforms:
            body = transform(body)
        return body


class Fault(Protocol):
    """One kind of fault; a frozen dataclass whose fields are its part of the body."""

    kind: ClassVar[str]

    def inject(self, injection: Injection) -> None:
        """Says what is to happen."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Which calls a fault strikes. What is None or empty does not restrict.

    ``nth`` strikes only that matching call (from 1), ``every`` each so-many-th, ``probability``
    by seeded chance; ``times`` bounds how often at most. ``state`` wants the call to name an
    execution in that state. ``since``/``until`` is a window of the virtual clock.
    """

    api: str | None = None
    operation: str | None = None
    method: str | None = None
    path: str | None = None  # a pattern: * stands for anything
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    times: int | None = None
    state: str | None = None
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        for name in ("nth", "every", "times"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise ValueError("probability must lie between 0 and 1")
        for name in ("since", "until"):
            text = getattr(self, name)
            if text is not None:
                try:
                    parse_instant(text)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None

    def covers(self, api: str, operation: str, method: str, path: str, now_ns: int) -> bool:
        """Whether a call is one that counts."""
        return (
            (self.api is None or self.api == api)
            and (self.operation is None or self.operation == operation)
            and (self.method is None or self.method.upper() == method)
            and (self.path is None or fnmatchcase(path, self.path))
            and (self.since is None or now_ns >= parse_instant(self.since))
            and (self.until is None or now_ns < parse_instant(self.until))
        )

    def strikes(self, calls: int, hits: int, random: Random) -> bool:
        """Whether the ``calls``-th call that counts is struck, after ``hits`` strikes."""
        if self.times is not None and hits >= self.times:
            return False
        if self.nth is not None and calls != self.nth:
            return False
        if self.every is not None and calls % self.every:
            return False
        return self.probability is None or random.random() < self.probability


@dataclass(frozen=True, slots=True)
class Armed:
    """A fault in force: what, when, and the body it was made of."""

    id: str
    fault: Fault
    trigger: Trigger
    body: Mapping[str, Any]


def parse_fault(fault_id: str, body: Mapping[str, Any], kinds: Mapping[str, type[Fault]]) -> Armed:
    """The fault that a control body describes: ``{"kind": …, its fields, "when": {…}}``.

    Raises:
        UsageError: a kind or field that is not there, or a value that cannot be.
    """
    kind = str(body.get("kind"))
    if kind not in kinds:
        raise UsageError(f"kind {kind!r} is no fault; there are: {', '.join(sorted(kinds))}")
    when = body.get("when", {})
    if not isinstance(when, Mapping):
        raise UsageError("when: must be an object")
    own = {key: value for key, value in body.items() if key not in {"kind", "when", "id"}}
    own, when = _whole(kinds[kind], own), _whole(Trigger, when)
    fault = _make(kinds[kind], own, kind)
    trigger = _make(Trigger, when, "when")
    kept = {"kind": kind, **own, **({"when": when} if "when" in body else {})}
    return Armed(fault_id, fault, trigger, kept)


def _whole(cls: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with whole numbers where fields want them: to JSON 4.0 is one."""
    integers = {field.name for field in fields(cls) if "int" in str(field.type).split(" | ")}
    return {
        name: int(value) if name in integers and _is_whole(value) else value
        for name, value in values.items()
    }


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _make(cls: Any, values: Mapping[str, Any], place: str) -> Any:
    known = {field.name: str(field.type) for field in fields(cls)}
    for name, value in values.items():
        if name not in known:
            there = ", ".join(known) or "none"
            raise UsageError(f"{place}: {name!r} is no field of it; there are: {there}")
        if not _is_of(value, known[name]):
            raise UsageError(f"{place}: {name} must be {known[name]}, not {value!r:.80}")
    try:
        return cls(**values)
    except ValueError as error:
        raise UsageError(f"{place}: {error}") from None


def _is_of(value: Any, annotation: str) -> bool:
    """Whether a JSON value is of an annotated type; true and false are no numbers."""
    names = annotation.split(" | ")
    if isinstance(value, bool):
        return "bool" in names
    return any(isinstance(value, _TYPES[name]) for name in names)


def duration_ns(text: str, name: str) -> int:
    """A duration field in nanoseconds; raises ValueError naming the field."""
    try:
        length_ns = parse_duration(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not 0 <= length_ns <= SECONDS_MAX * SECOND:
        raise ValueError(f"{name} must lie between 0s and {SECONDS_MAX}s")
    return length_ns
