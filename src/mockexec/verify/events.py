"""What a run tells while it goes: values, which reporters print, draw and write.

Order: ``Started``, then for each part ``PartStarted`` … ``PartFinished``, at the end ``Finished``.
``Skipped`` stands wherever something of the plan was left out, always with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mockexec.verify.findings import Finding
from mockexec.verify.target import Exchanged


@dataclass(frozen=True, slots=True)
class Started:
    """The run begins.

    ``url`` is what requests go to, ``mock`` whether that is a mock of ours, ``units`` what is run
    (see ``shard``).
    """

    title: str
    url: str
    mock: bool
    seed: int
    operations: int
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartStarted:
    """A check of ours or a phase of Schemathesis begins."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One request was answered. ``operation`` is an operationId, "" if it reached none.

    ``parameters``: ``in.name`` of each parameter that it carried. ``phase``: the check of ours or
    the phase of Schemathesis. ``link``: the link of the document that it followed, ``""`` if none.
    """

    operation: str
    exchanged: Exchanged
    parameters: tuple[str, ...] = ()
    phase: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Something is wrong."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Transitions:
    """What may happen to a resource: the steps (from, to) that its check looks for.

    ``resource`` names it, such as ``execution``. Checks ``Target.tell`` these once.
    """

    resource: str
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TransitionSeen:
    """A check saw a resource go from one state to another; told as often as it happens."""

    resource: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Part of the plan, or an operation, that was left out."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something could not be tested, through no fault of the server that we can name."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class PartFinished:
    """A part is done."""

    name: str
    requests: int
    findings: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over.

    ``ended``: ``done``, or which limit was reached: ``time`` or ``requests``, or that the user
    ``stopped`` it.
    """

    ended: Literal["done", "time", "requests", "stopped"]
    requests: int
    took_s: float
    statuses: Mapping[int, int] = field(default_factory=dict)


Event = (
    Started
    | PartStarted
    | Sent
    | Found
    | Transitions
    | TransitionSeen
    | Skipped
    | Trouble
    | PartFinished
    | Finished
)
