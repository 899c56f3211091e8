"""Counters for Prometheus, in its text format 0.0.4; each mock has its own.

What happens per request is a look-up and a few additions; everything else waits until the text is
asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

from mockexec.simulation.instants import SECOND
from mockexec.simulation.world import World

# Upper bounds of the buckets in seconds: from an answer out of memory to one that a fault delays.
_BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0)
_BOUNDS_NS = tuple(int(bound * SECOND) for bound in _BOUNDS_S)
_SUM = len(_BOUNDS_NS) + 1  # after one place per bucket and one for what is beyond

_Lines = list[str]
_Labels = tuple[tuple[str, str], ...]


class Metrics:
    """What a server has counted since it started."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._durations: dict[str, list[int]] = {}
        self._strikes: Counter[tuple[str, str]] = Counter()

    def observe(self, api: str, operation: str, status: int, took_ns: int) -> None:
        """One answered request; ``status`` 0 for one that was not."""
        requests, key = self._requests, (api, operation, status // 100)
        requests[key] = requests.get(key, 0) + 1
        durations = self._durations.get(api)
        if durations is None:
            durations = self._durations[api] = [0] * (_SUM + 1)
        durations[bisect_left(_BOUNDS_NS, took_ns)] += 1
        durations[_SUM] += took_ns

    def strike(self, api: str, kind: str) -> None:
        """One request struck by a fault."""
        self._strikes[api, kind] += 1

    def text(self, world: World, *, sessions: int) -> str:
        """All of it, with the size of ``world``."""
        lines: _Lines = []
        requests: dict[_Labels, int] = {
            (("api", api), ("operation", operation), ("status", _class(hundreds))): count
            for (api, operation, hundreds), count in self._requests.items()
        }
        _family(lines, "requests_total", "counter", "Requests by operation.", requests)
        self._histogram(lines)
        strikes: dict[_Labels, int] = {
            (("api", api), ("kind", kind)): count for (api, kind), count in self._strikes.items()
        }
        _family(lines, "faults_struck_total", "counter", "Requests struck by faults.", strikes)
        _family(lines, "sessions", "gauge", "Sessions besides the base one.", _one(sessions))
        executions: dict[_Labels, int] = {
            (("api", name),): len(realm.executions)
            for name, realm in world.realms.items()
            if realm.model.indexes
        }
        _family(lines, "executions", "gauge", "Executions of the session's world.", executions)
        _family(
            lines,
            "journal_exchanges",
            "gauge",
            "Exchanges in its journal.",
            _one(len(world.journal)),
        )
        _family(
            lines, "faults_armed", "gauge", "Faults in force in it.", _one(len(world.faults.armed))
        )
        return "\n".join(lines) + "\n"

    def _histogram(self, lines: _Lines) -> None:
        name = "request_duration_seconds"
        _head(lines, name, "histogram", "Time from request to encoded answer, injected delays too.")
        for api, counts in self._durations.items():
            total = 0
            for bound, count in zip((*_BOUNDS_S, "+Inf"), counts, strict=False):
                total += count
                labels = (("api", api), ("le", str(bound)))
                lines.append(_sample(f"{name}_bucket", labels, total))
            lines.append(_sample(f"{name}_sum", (("api", api),), counts[_SUM] / SECOND))
            lines.append(_sample(f"{name}_count", (("api", api),), total))


def _one(value: int) -> dict[_Labels, int]:
    return {(): value}


def _class(hundreds: int) -> str:
    return f"{hundreds}xx" if hundreds else "none"


def _family(
    lines: _Lines,
    name: str,
    kind: str,
    text: str,
    samples: Mapping[_Labels, int],
) -> None:
    _head(lines, name, kind, text)
    lines += [_sample(name, labels, value) for labels, value in samples.items()]


def _head(lines: _Lines, name: str, kind: str, text: str) -> None:
    lines += [f"# HELP mockexec_{name} {text}", f"# TYPE mockexec_{name} {kind}"]


def _sample(name: str, labels: _Labels, value: float) -> str:
    inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"mockexec_{name}{{{inner}}} {value}" if inner else f"mockexec_{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
