"""What the document forbids is refused: what is out of bounds, of the wrong type, or missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mockexec.spec.operations import Operation, Parameter, SchemaRef
from mockexec.traits import ABSENT, Ask
from mockexec.verify import signs
from mockexec.verify.checks.check import Check, nothing
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.plan import changes
from mockexec.verify.probe import Probe
from mockexec.verify.target import Exchanged

_TYPES: dict[str, Any] = {
    "string": {"an": "object"},
    "integer": "text",
    "number": "text",
    "boolean": "text",
    "array": "text",
    "object": [1],
}


def _play(probe: Probe) -> Iterator[Finding]:
    for invalid in probe.traits.invalid:
        if _may(probe, probe.operation(invalid.ask.operation)):
            exchanged = probe.send(invalid.ask, odd=invalid.reason)
            yield from _refused(probe, invalid.ask, exchanged, invalid.reason, invalid.refused)
    for operation in probe.api.operations:
        if _may(probe, operation):
            yield from _parameters(probe, operation)
            yield from _body(probe, operation)


def _may(probe: Probe, operation: Operation) -> bool:
    return probe.target.can_change or not changes(operation)


def _refused(
    probe: Probe,
    ask: Ask,
    exchanged: Exchanged,
    what: str,
    statuses: frozenset[int] = frozenset(),
) -> Iterator[Finding]:
    if exchanged.status < 400:
        yield probe.finding(
            f"{what} is accepted ({ask.operation})",
            "a refusal" + (f" ({', '.join(map(str, sorted(statuses)))})" if statuses else " (4xx)"),
            f"{exchanged.status} {exchanged.text[:160]}",
            (exchanged,),
            operation=ask.operation,
            severity=Severity.MEDIUM,
            symptom=signs.accepted(),
        )
    elif statuses and exchanged.status not in statuses and exchanged.status < 500:
        yield probe.finding(
            f"{what} is refused with {exchanged.status} ({ask.operation})",
            " or ".join(map(str, sorted(statuses))),
            f"{exchanged.status} {exchanged.text[:160]}",
            (exchanged,),
            operation=ask.operation,
            severity=Severity.LOW,
            symptom=signs.answered(exchanged),
        )


def _parameters(probe: Probe, operation: Operation) -> Iterator[Finding]:
    for parameter in operation.parameters:
        if parameter.location not in {"path", "query", "header"} or parameter.schema is None:
            continue
        for value, what in _wrong_values(probe, parameter, parameter.schema):
            ask = _with(probe.sample(operation), parameter, value)
            exchanged = probe.send(ask, odd=what)
            yield from _refused(probe, ask, exchanged, what)


def _with(ask: Ask, parameter: Parameter, value: Any) -> Ask:
    changed = {parameter.name: value}
    match parameter.location:
        case "path":
            return replace(ask, path={**ask.path, **changed})
        case "query":
            return replace(ask, query={**ask.query, **changed})
    return replace(ask, header={**ask.header, **changed})


def _wrong_values(
    probe: Probe, parameter: Parameter, schema: SchemaRef
) -> Iterator[tuple[Any, str]]:
    """Values that the schema refuses, each checked to be one, and what is wrong with it."""
    node = _resolved(probe, schema)
    types = probe.api.schemas.shape(schema).types
    name = parameter.name
    if parameter.required and parameter.location != "path":
        yield ABSENT, f"a request without {name}"
    found = [*_of_numbers(name, node, types), *_of_texts(name, node, types, parameter)]
    validator = probe.api.schemas.validator(schema, "request")
    for value, what in found:
        # Of a header, only what can be sent in one.
        can_be_sent = parameter.location != "header" or (str(value).isascii() and value)
        if can_be_sent and not validator.is_valid(value):
            yield value, what


def _of_numbers(
    name: str, node: dict[str, Any], types: frozenset[str]
) -> Iterator[tuple[Any, str]]:
    if "boolean" in types:
        yield "maybe", f"{name}=maybe, which is neither true nor false,"
    if not types & {"integer", "number"}:
        return
    least, most = node.get("minimum"), node.get("maximum")
    if isinstance(least, int):
        yield least - 1, f"{name}={least - 1}, below its minimum,"
    if isinstance(most, int):
        yield most + 1, f"{name}={most + 1}, above its maximum,"
    yield "abc", f"{name}=abc, which is no number,"
    if "number" not in types:
        yield "1.5", f"{name}=1.5, which is no whole number,"


def _of_texts(
    name: str, node: dict[str, Any], types: frozenset[str], parameter: Parameter
) -> Iterator[tuple[Any, str]]:
    if "string" not in types:
        return
    if isinstance(node.get("enum"), list):
        yield "no-such-value", f"{name}=no-such-value, which is none of its values,"
    if node.get("format") == "uuid":
        yield "no-uuid", f"{name}=no-uuid, which is no UUID,"
    if "pattern" in node:
        yield "§", f"{name}=§, which does not match its pattern,"
    if isinstance(node.get("minLength"), int) and parameter.location == "query":
        yield "", f"an empty {name}"
    if isinstance(node.get("maxLength"), int):
        yield "x" * (node["maxLength"] + 1), f"a {name} longer than its maxLength"


def _resolved(probe: Probe, schema: SchemaRef) -> dict[str, Any]:
    node, _, _ = probe.api.document.resolve(schema.raw, schema.uri, schema.pointer)
    return node if isinstance(node, dict) else {}


def _body(probe: Probe, operation: Operation) -> Iterator[Finding]:
    if operation.body is None:
        return
    media = next((m for m in operation.body.content.values() if m.name.endswith("json")), None)
    sample = probe.sample(operation)
    if media is None or media.schema is None or not isinstance(sample.body, dict):
        return
    validator = probe.api.schemas.validator(media.schema, "request")
    node = _resolved(probe, media.schema)
    for name in node.get("required", ()):
        body = {key: value for key, value in sample.body.items() if key != name}
        yield from _send(probe, sample, body, f"a body without {name}", validator.is_valid(body))
    shape = probe.api.schemas.shape(media.schema)
    for name, inner in shape.properties.items():
        kinds = sorted(inner.types - {"null"})
        if len(kinds) == 1 and kinds[0] in _TYPES:
            body = {**sample.body, name: _TYPES[kinds[0]]}
            what = f"a body whose {name} is no {kinds[0]}"
            yield from _send(probe, sample, body, what, validator.is_valid(body))


def _send(probe: Probe, ask: Ask, body: Any, what: str, is_valid: bool) -> Iterator[Finding]:
    if is_valid:
        return
    wrong = replace(ask, body=body)
    exchanged = probe.send(wrong, odd=what)
    yield from _refused(probe, wrong, exchanged, what)


INVALID = Check("invalid", "What the document forbids is refused", nothing, _play)
