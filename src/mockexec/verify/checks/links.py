"""What was created can be read: the document's links from a creation to a read lead there.

For documents whose API declares no traits; with traits, ``creation`` knows more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockexec.spec.operations import Link, Operation
from mockexec.traits import Ask
from mockexec.verify import signs
from mockexec.verify.checks.check import Check, all_of, changing
from mockexec.verify.conformance import described
from mockexec.verify.findings import Finding
from mockexec.verify.probe import Probe, answer_of

_MARK = "$response.body#/"


def _needs(probe: Probe) -> str | None:
    if probe.traits.starts:
        return "the check creation knows more of this API"
    return None if any(_links(probe)) else "the document has no link from a creation to a read"


def _links(probe: Probe) -> Iterator[tuple[Operation, str, Link, Operation]]:
    for operation in probe.api.operations:
        if operation.method not in {"POST", "PUT"}:
            continue
        for status, response in operation.responses.items():
            for link in response.links.values():
                target = next((o for o in probe.api.operations if o.id == link.operation_id), None)
                if target is not None and target.method == "GET" and _ids_only(link):
                    yield operation, status, link, target


def _ids_only(link: Link) -> bool:
    """Whether all it takes comes from the answer's body."""
    values = link.parameters.values()
    return bool(link.parameters) and all(str(value).startswith(_MARK) for value in values)


def _play(probe: Probe) -> Iterator[Finding]:
    for operation, status, link, target in _links(probe):
        made = probe.send(probe.sample(operation))
        answer = answer_of(made)
        response = described(operation, made.status)
        if not answer.ok or response is None or response.status != status:
            continue
        values = {
            name.rpartition(".")[2]: _at(answer.body, str(value))
            for name, value in link.parameters.items()
        }
        if None in values.values():
            continue
        locations = {p.name: p.location for p in target.parameters}
        ask = Ask(
            target.id,
            path={n: str(v) for n, v in values.items() if locations.get(n) == "path"},
            query={n: v for n, v in values.items() if locations.get(n) == "query"},
        )
        read = probe.send(ask)
        if read.status == 404:
            yield probe.finding(
                f"what {operation.id} created cannot be read by {target.id}",
                f"2xx, as the link {link.name} promises",
                str(read.status),
                (made, read),
                operation=target.id,
                pointer=link.pointer,
                symptom=signs.answered(read),
            )


def _at(body: Any, expression: str) -> Any:
    value = body
    for step in expression.removeprefix(_MARK).split("/"):
        plain = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(plain)
        elif isinstance(value, list) and plain.isdecimal() and int(plain) < len(value):
            value = value[int(plain)]
        else:
            return None
    return value


LINKS = Check("links", "What was created can be read", all_of(changing, _needs), _play)
