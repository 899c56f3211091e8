"""No input makes the server fail: odd texts, huge numbers, deep and broken JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from mockexec.spec.operations import Operation, Parameter
from mockexec.traits import Compare, Listing
from mockexec.verify.checks.check import Check, nothing
from mockexec.verify.findings import Finding
from mockexec.verify.plan import changes
from mockexec.verify.probe import Probe
from mockexec.verify.target import Request

# What each is, and its bytes as they stand in a query or path, percent-encoded.
_TEXTS: tuple[tuple[str, str], ...] = (
    ("U+0000", "%00"),
    ("a quote", quote("O'Brien")),
    ("text outside the basic plane", quote("🚚 Łódź 東京")),
    ("bytes that are no UTF-8", "%FF%FE"),
    ("a very long text", "a" * 3000),
    ("a line break", "%0D%0AX-Injected:%201"),
    ("dots and slashes", quote("../../etc/passwd", safe="")),
    ("a percent sign", "%25"),
    ("quotes and a semicolon", quote("x' OR '1'='1'; --")),
    ("an empty text", ""),
    ("digits of another script", quote("٣")),
)
_NUMBERS: tuple[tuple[str, str], ...] = (
    ("a number of forty digits", "9" * 40),
    ("a negative number of forty digits", "-" + "9" * 40),
    ("a number beyond 64 bits", str(2**64)),
    ("a number beyond 32 bits", str(2**31)),
    ("1e400", "1e400"),
    ("NaN", "NaN"),
)
_PER_PARAMETER = 3
_FILTERED: tuple[tuple[str, str], ...] = (
    ("text beyond Latin-1", "Łódź 東京 🚚"),
    ("U+0000", "a\x00b"),
    ("a quote", "x' OR '1'='1"),
)
_JSON_TEXTS: tuple[tuple[str, str], ...] = (
    ("U+0000", '"a\\u0000b"'),
    ("half a surrogate pair", '"\\ud800"'),
    ("text outside the basic plane", '"🚚 Łódź 東京"'),
    ("a quote and a semicolon", "\"x' OR '1'='1'; --\""),
    ("a very long text", '"' + "a" * 5000 + '"'),
)
_JSON_NUMBERS: tuple[tuple[str, str], ...] = (
    ("a number of forty digits", "9" * 40),
    ("1e400", "1e400"),
    ("a number beyond 64 bits", str(2**64)),
    ("a fraction", "1.5"),
    ("a negative number", "-1"),
    ("zero", "0"),
)
_BODIES: tuple[tuple[str, bytes], ...] = (
    ("an empty body", b""),
    ("null as the body", b"null"),
    ("NaN as the body", b"NaN"),
    ("a body that is no UTF-8", b'{"a": "\xff"}'),
    ("a body that begins with a byte order mark", b"\xef\xbb\xbf{}"),
    ("a body nested two thousand times", b"[" * 2000 + b"]" * 2000),
    ("an unfinished body nested a hundred thousand times", b'{"a":' * 100_000),
)


def _play(probe: Probe) -> Iterator[Finding]:
    for operation in probe.api.operations:
        if not (probe.target.can_change or not changes(operation)):
            continue
        for parameter in operation.parameters:
            _of_parameter(probe, operation, parameter)
        _of_body(probe, operation)
    for listing in probe.traits.lists:
        _of_filters(probe, listing)
        # What the odd inputs have left behind must not break what is read afterwards.
        probe.page(listing, listing.everything)
    # Answers of 5xx and those that the document does not have became findings on their way.
    yield from ()


def _of_filters(probe: Probe, listing: Listing) -> None:
    """Texts in a filter that is well formed."""
    if listing.filtering is None:
        return
    for field in listing.filtering.fields:
        if field.is_text and "eq" in field.operators:
            for what, text in _FILTERED:
                where = listing.filtering.write(Compare(field, "eq", text))
                ask = listing.ask(replace(listing.everything, where=where))
                probe.send(ask, odd=f"{what} in a filter")


def _of_parameter(probe: Probe, operation: Operation, parameter: Parameter) -> None:
    if parameter.location not in {"path", "query"} or parameter.schema is None:
        return
    types = probe.api.schemas.shape(parameter.schema).types
    odd = _NUMBERS if types & {"integer", "number"} else _TEXTS
    # The first two always: they are what most servers stumble over. Of the others some.
    chosen = [*odd[:2], *probe.random.sample(odd[2:], min(_PER_PARAMETER - 1, len(odd) - 2))]
    request = probe.request(probe.sample(operation))
    for what, encoded in dict(chosen).items():
        if parameter.location == "path" and not encoded:
            continue
        wrong = _placed(probe, operation, parameter, request, encoded)
        probe.send_raw(wrong, operation, odd=f"{what} in {parameter.name}")


def _placed(
    probe: Probe, operation: Operation, parameter: Parameter, request: Request, encoded: str
) -> Request:
    if parameter.location == "query":
        pairs = [p for p in request.query.split("&") if p and p.split("=")[0] != parameter.name]
        return replace(request, query="&".join([*pairs, f"{parameter.name}={encoded}"]))
    # A text that no other value holds marks the place in the path.
    mark = "mockexec-place"
    sample = replace(probe.sample(operation), path={parameter.name: mark})
    return replace(request, path=probe.request(sample).path.replace(mark, encoded))


def _of_body(probe: Probe, operation: Operation) -> None:
    if operation.body is None:
        return
    media = next((m for m in operation.body.content.values() if m.name.endswith("json")), None)
    sample = probe.sample(operation)
    request = probe.request(sample)
    if media is None or media.schema is None:
        probe.send_raw(replace(request, body=b"%00=%ff&&&=;"), operation, odd="a broken form")
        return
    if request.body is None:
        return
    for what, body in _BODIES:
        probe.send_raw(replace(request, body=body), operation, odd=what)
    shape = probe.api.schemas.shape(media.schema)
    for name, inner in shape.properties.items():
        numeric = inner.types & {"integer", "number"}
        for what, text in _some(probe, _JSON_NUMBERS if numeric else _JSON_TEXTS):
            odd = _with_property(sample.body, name, text)
            if odd is not None:
                probe.send_raw(replace(request, body=odd), operation, odd=f"{what} in /{name}")


def _some(probe: Probe, odd: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [odd[0], *probe.random.sample(odd[1:], 2)]


def _with_property(body: Any, name: str, text: str) -> bytes | None:
    """The sample with one property as that JSON text; what Python itself could not write."""
    if not isinstance(body, dict):
        return None

    mark = "mockexec-place"
    written = json.dumps({**body, name: mark}, ensure_ascii=False)
    return written.replace(f'"{mark}"', text).encode("utf-8", "surrogatepass")


ODD_INPUT = Check("odd_input", "No input makes the server fail", nothing, _play)
