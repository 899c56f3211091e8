"""What a run reached: operations, their statuses, parameters and links, steps of lifecycles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from mockexec.spec.operations import Operation
from mockexec.verify.events import Sent, Transitions, TransitionSeen
from mockexec.verify.target import Exchanged


@dataclass(slots=True)
class Reached:
    """What was reached of one operation.

    ``statuses`` counts the answers; ``parameters`` the requests that carried each documented one,
    by ``in.name``, and ``body``.
    """

    operation: Operation
    documented: tuple[str, ...]
    parameters: dict[str, int]
    statuses: Counter[int] = field(default_factory=Counter)
    links: dict[str, int] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return self.statuses.total()

    @property
    def statuses_missed(self) -> tuple[str, ...]:
        """The documented statuses that never came."""
        return tuple(name for name in self.documented if not self.count_of(name))

    @property
    def parameters_missed(self) -> tuple[str, ...]:
        """The documented parameters that no request carried."""
        return tuple(name for name, count in self.parameters.items() if not count)

    def count_of(self, documented: str) -> int:
        """How many answers fell under a documented status, a range, or ``default``."""
        return sum(
            count for status, count in self.statuses.items() if self.name_of(status) == documented
        )

    def name_of(self, status: int) -> str:
        """Under which documented name a status falls, its own number if under none."""
        for name in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if name in self.documented:
                return name
        return str(status)


class Coverage:
    """The coverage of one run, fed with its events."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = {operation.id: _unreached(operation) for operation in operations}
        self.elsewhere = 0
        # resource → (from, to) → how often it was seen
        self.transitions: dict[str, dict[tuple[str, str], int]] = {}

    def take(self, event: Sent | Transitions | TransitionSeen) -> None:
        """Counts an event in."""
        if isinstance(event, Transitions):
            steps = self.transitions.setdefault(event.resource, {})
            for step in event.steps:
                steps.setdefault(step, 0)
        elif isinstance(event, TransitionSeen):
            steps = self.transitions.setdefault(event.resource, {})
            step = (event.source, event.target)
            steps[step] = steps.get(step, 0) + 1
        else:
            self._take_sent(event)

    @property
    def operations_reached(self) -> int:
        """Of how many operations an answer came that was a success."""
        return sum(any(status < 400 for status in r.statuses) for r in self.operations.values())

    def as_data(self) -> dict[str, Any]:
        """All of it as JSON data."""
        return {
            "operations": {
                name: {
                    "requests": reached.requests,
                    "statuses": {str(k): n for k, n in sorted(reached.statuses.items())},
                    "statuses_missed": list(reached.statuses_missed),
                    "parameters": dict(reached.parameters),
                    "links": dict(reached.links),
                }
                for name, reached in self.operations.items()
            },
            "elsewhere": self.elsewhere,
            "transitions": {
                resource: [
                    {"from": source, "to": target, "seen": count}
                    for (source, target), count in steps.items()
                ]
                for resource, steps in self.transitions.items()
            },
        }

    def _take_sent(self, event: Sent) -> None:
        reached = self.operations.get(event.operation)
        if reached is None:
            self.elsewhere += 1
            return
        reached.statuses[event.exchanged.status] += 1
        for name in event.parameters:
            known = name if name in reached.parameters else name.lower()
            if known in reached.parameters:
                reached.parameters[known] += 1
        if event.link:
            self._follow(event.link)

    def _follow(self, link: str) -> None:
        """Counts a link (``GET /a -> [200] Name``) with the operation that declares it."""
        for reached in self.operations.values():
            if link in reached.links:
                reached.links[link] += 1


def _unreached(operation: Operation) -> Reached:
    names = [
        f"{p.location}.{p.name.lower() if p.location == 'header' else p.name}"
        for p in operation.parameters
    ]
    if operation.body is not None:
        names.append("body")
    links = {
        f"{operation.method} {operation.path} -> [{status}] {link.name}": 0
        for status, response in operation.responses.items()
        for link in response.links.values()
    }
    return Reached(operation, tuple(operation.responses), dict.fromkeys(names, 0), links=links)


class Matcher:
    """Finds the operation of a request, and which of its parameters the request carried.

    Concrete paths come before templates, as in OpenAPI 3.0.3, Paths Object.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        ordered = sorted(operations, key=lambda operation: operation.path.count("{"))
        self._patterns = [(operation, _pattern(operation.path)) for operation in ordered]

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation at ``path``, which counts from the base URL; None if there is none."""
        for operation, pattern in self._patterns:
            if operation.method == method and pattern.fullmatch(path):
                return operation
        return None

    def sent(self, exchanged: Exchanged, phase: str) -> Sent:
        """The event for an exchange of a check of ours."""
        request = exchanged.request
        operation = self.operation(request.method, request.path)
        if operation is None:
            return Sent("", exchanged, (), phase)
        query = {unquote_plus(part.partition("=")[0]) for part in request.query.split("&")}
        headers = {name.lower() for name, _ in request.headers}
        found = [
            f"{p.location}.{p.name.lower() if p.location == 'header' else p.name}"
            for p in operation.parameters
            if _carried(p.location, p.name, query, headers)
        ]
        if request.body is not None and operation.body is not None:
            found.append("body")
        return Sent(operation.id, exchanged, tuple(found), phase)


def _carried(location: str, name: str, query: set[str], headers: set[str]) -> bool:
    if location == "query":
        # deepObject writes name[key], arrays of some vendors name[].
        return any(key == name or key.startswith(f"{name}[") for key in query)
    return location == "path" or (location == "header" and name.lower() in headers)


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^{}]*\}", path)
    return re.compile("[^/]*".join(map(re.escape, parts)))


def percent(part: int, whole: int) -> int:
    """``part`` of ``whole`` in percent; nothing of nothing is all of it."""
    return 100 if not whole else int(100 * part / whole)


def totals(coverage: Coverage) -> Mapping[str, tuple[int, int]]:
    """What was reached of what there is: operations, statuses, parameters, links, transitions."""
    rows = coverage.operations.values()
    steps = [count for seen in coverage.transitions.values() for count in seen.values()]
    found = {
        "operations": (coverage.operations_reached, len(rows)),
        "statuses": _of([bool(r.count_of(name)) for r in rows for name in r.documented]),
        "parameters": _of([bool(count) for r in rows for count in r.parameters.values()]),
        "links": _of([bool(count) for r in rows for count in r.links.values()]),
        "transitions": _of([bool(count) for count in steps]),
    }
    return {name: pair for name, pair in found.items() if pair[1]}


def _of(reached: list[bool]) -> tuple[int, int]:
    return sum(reached), len(reached)
