"""What was measured, as values that can be kept as JSON and shown again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Self


@dataclass
class Line:
    """One peer in one scenario: medians over the runs.

    ``spread`` is how far the run furthest from the median of requests per second lies from it, as a
    share of it. Over all runs ``wrong`` answers had another status than expected, ``lost`` requests
    had none.
    """

    requests_per_s: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    spread: float
    runs: int
    wrong: int = 0
    lost: int = 0


@dataclass
class PeerFigures:
    """One peer: what is known of it, and its line of each scenario.

    ``ready_s`` by document; ``memory_mib`` when ``ready`` and, by document, after its scenarios;
    ``memory_soak_mib`` by the number of requests before; ``skipped`` by scenario with the reason;
    ``noted`` by scenario what to know of its line; ``left_out`` why it could not be measured (at
    all, or in some of its runs).
    """

    key: str
    title: str
    version: str
    lacks: list[str] = field(default_factory=list)
    is_ours: bool = False
    ready_s: dict[str, float] = field(default_factory=dict)
    memory_mib: dict[str, float] = field(default_factory=dict)
    memory_soak_mib: dict[str, float] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)
    left_out: str = ""


@dataclass
class Figures:
    """A whole comparison: on what machine, how, the scenarios' titles by key, the peers."""

    machine: dict[str, str]
    settings: dict[str, str]
    scenarios: dict[str, str]
    peers: list[PeerFigures]

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What ``to_json`` made."""
        data = json.loads(text)
        peers = [_peer(peer) for peer in data.pop("peers")]
        return cls(**data, peers=peers)


@dataclass(frozen=True)
class Run:
    """One run of one peer in one scenario."""

    requests_per_s: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    wrong: int
    lost: int


def line(runs: list[Run]) -> Line:
    """The medians of some runs."""
    middle = median(run.requests_per_s for run in runs)
    furthest = max(abs(run.requests_per_s - middle) for run in runs)
    return Line(
        requests_per_s=middle,
        cpu_us=median(run.cpu_us for run in runs),
        p50_ms=median(run.p50_ms for run in runs),
        p99_ms=median(run.p99_ms for run in runs),
        spread=furthest / middle if middle else 0.0,
        runs=len(runs),
        wrong=sum(run.wrong for run in runs),
        lost=sum(run.lost for run in runs),
    )


def _peer(data: dict[str, Any]) -> PeerFigures:
    lines = {key: Line(**each) for key, each in data.pop("lines").items()}
    return PeerFigures(**data, lines=lines)
