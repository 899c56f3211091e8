"""Every refusal is in the vendor's form, with its status, media type and headers.

That form is looked at in whatever refusal any check gets (``Probe.form``); here they are provoked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mockexec.spec.operations import Operation
from mockexec.verify import signs
from mockexec.verify.checks.check import Check, nothing
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.plan import changes
from mockexec.verify.probe import Probe
from mockexec.verify.target import Exchanged, Request

_METHODS = ("DELETE", "PUT", "PATCH", "POST", "GET")
_WRONG_METHODS = 2
_TOO_LARGE = 1_300_000
_OK_WITHOUT_FORM = 300


def _play(probe: Probe) -> Iterator[Finding]:
    for operation in probe.api.operations:
        if probe.target.can_change or not changes(operation):
            yield from _of_operation(probe, operation)
    yield from _wrong_methods(probe)
    yield from _unknown_paths(probe)
    yield from _unknown_things(probe)
    _too_large(probe)


def _of_operation(probe: Probe, operation: Operation) -> Iterator[Finding]:
    """What any operation may be asked wrongly."""
    good = probe.request(probe.sample(operation))
    if "406" in operation.responses and _answers_with_a_body(operation):
        headers = (*_without(good, "accept"), ("Accept", "application/x-nobody-speaks-this"))
        exchanged = probe.send_raw(replace(good, headers=headers), operation)
        yield from _is(probe, operation, exchanged, {406}, "an Accept that rules JSON out")
    for name in ("401", "403"):
        if name in operation.responses and operation.security:
            probe.send_raw(replace(good, principal="none"), operation)
            break
    if operation.body is None or good.body is None:
        return
    if "415" in operation.responses:
        for kind in ("text/plain", "application/xml", None):
            bare = _without(good, "content-type")
            headers = bare if kind is None else (*bare, ("Content-Type", kind))
            exchanged = probe.send_raw(replace(good, headers=headers), operation)
            what = f"a body of the type {kind}" if kind else "a body without Content-Type"
            yield from _is(probe, operation, exchanged, {415}, what)
    if any(kind.endswith("json") for kind in operation.body.content):
        json_headers = (*_without(good, "content-type"), ("Content-Type", "application/json"))
        for body, what in ((b'{"a":', "a body that is cut off"), (b"[1]", "a list as the body")):
            exchanged = probe.send_raw(
                replace(good, body=body, headers=json_headers), operation, odd=what
            )
            yield from _is(probe, operation, exchanged, {400, 422}, what)


def _answers_with_a_body(operation: Operation) -> bool:
    """Whether there is anything in an accepted answer that Accept could rule out."""
    return any(r.content for status, r in operation.responses.items() if status.startswith("2"))


def _without(request: Request, name: str) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in request.headers if pair[0].lower() != name)


def _is(
    probe: Probe, operation: Operation, exchanged: Exchanged, statuses: set[int], what: str
) -> Iterator[Finding]:
    """Whether a wrong request was refused as it should, and in the right form."""
    wanted = statuses & {int(name) for name in operation.responses if name.isdecimal()}
    if exchanged.status < 400:
        yield probe.finding(
            f"{operation.id} accepts {what}",
            " or ".join(map(str, sorted(wanted or statuses))),
            f"{exchanged.status} {exchanged.text[:120]}",
            (exchanged,),
            operation=operation.id,
            severity=Severity.MEDIUM,
            symptom=signs.accepted(),
        )
    elif wanted and exchanged.status not in wanted and exchanged.status < 500:
        yield probe.finding(
            f"{operation.id} refuses {what} with {exchanged.status}",
            " or ".join(map(str, sorted(wanted))),
            f"{exchanged.status} {exchanged.text[:120]}",
            (exchanged,),
            operation=operation.id,
            severity=Severity.LOW,
            symptom=signs.answered(exchanged),
        )


def _wrong_methods(probe: Probe) -> Iterator[Finding]:
    """405 with exactly the document's methods in Allow."""
    if not probe.target.can_change:
        return
    by_path: dict[str, list[Operation]] = {}
    for operation in probe.api.operations:
        by_path.setdefault(operation.path, []).append(operation)
    for operations in by_path.values():
        known = {operation.method for operation in operations}
        request = probe.request(probe.sample(operations[0]))
        for method in [m for m in _METHODS if m not in known][:_WRONG_METHODS]:
            wrong = replace(request, method=method, body=None, query="",
                            headers=_without(request, "content-type"))  # fmt: skip
            exchanged = probe.send_raw(wrong, None, odd=f"{method} {operations[0].path}")
            yield from _not_allowed(probe, operations[0], known, method, exchanged)


def _not_allowed(
    probe: Probe, operation: Operation, known: set[str], method: str, exchanged: Exchanged
) -> Iterator[Finding]:
    if exchanged.status != 405:
        if exchanged.status < 500:
            yield probe.finding(
                f"{method} {operation.path} is answered with {exchanged.status}, not 405",
                f"405, as the document has only {', '.join(sorted(known))} there",
                f"{exchanged.status} {exchanged.text[:120]}",
                (exchanged,),
                operation=operation.id,
                severity=Severity.MEDIUM if exchanged.status < 400 else Severity.LOW,
                symptom=signs.answered(exchanged),
            )
        return
    allow = exchanged.header("allow")
    told = {one.strip().upper() for one in (allow or "").split(",")} - {"HEAD", "OPTIONS", ""}
    if allow is None:
        yield probe.finding(
            "a 405 comes without Allow",
            f"Allow: {', '.join(sorted(known))} (RFC 9110, 15.5.6)",
            "no Allow",
            (exchanged,),
            severity=Severity.MEDIUM,
            cause="405 without Allow",
            symptom=signs.lacks_header(exchanged, "Allow"),
        )
    elif told != known - {"HEAD", "OPTIONS"}:
        yield probe.finding(
            f"the Allow of {operation.path} does not hold its methods",
            ", ".join(sorted(known)),
            allow,
            (exchanged,),
            operation=operation.id,
            severity=Severity.MEDIUM,
            symptom=signs.has_header(exchanged, "allow"),
        )
    yield from probe.form(None, exchanged)


def _unknown_paths(probe: Probe) -> Iterator[Finding]:
    longest = max((op.path for op in probe.api.operations), key=len, default="/")
    for path in ("/no/such/path", f"{longest.partition('{')[0]}no/such/path/at/all"):
        exchanged = probe.send_raw(Request("GET", path), None)
        # Some vendors ask for credentials, or look at the parameters, first.
        if exchanged.status < _OK_WITHOUT_FORM:
            yield probe.finding(
                "a path that is not in the document is answered",
                "404",
                f"{exchanged.status} for {path}",
                (exchanged,),
                severity=Severity.LOW,
                symptom=signs.accepted(),
            )
        yield from probe.form(None, exchanged)


def _unknown_things(probe: Probe) -> Iterator[Finding]:
    refusals = probe.traits.refusals
    for ask, statuses, what in refusals.unknown if refusals else ():
        operation = probe.operation(ask.operation)
        if changes(operation) and not probe.target.can_change:
            continue
        exchanged = probe.send(ask)
        wanted = " or ".join(map(str, sorted(statuses)))
        if exchanged.status not in statuses and exchanged.status < 500:
            accepted = "accepts" if exchanged.status < 400 else "refuses"
            rest = "" if exchanged.status < 400 else f" with {exchanged.status}"
            yield probe.finding(
                f"{operation.id} {accepted} {what}{rest}",
                wanted,
                f"{exchanged.status} {exchanged.text[:160]}",
                (exchanged,),
                operation=operation.id,
                symptom=signs.answered(exchanged),
            )


def _too_large(probe: Probe) -> None:
    """One operation is enough: the limit stands before all of them."""
    for operation in probe.api.operations:
        if "413" in operation.responses and operation.body and probe.target.can_change:
            request = probe.request(probe.sample(operation))
            filler = b'{"filler": "' + b"x" * _TOO_LARGE + b'"}'
            odd = "a body of more than a mebibyte"
            probe.send_raw(replace(request, body=filler), operation, odd=odd)
            return


ERROR_SHAPE = Check("error_shape", "Refusals are in the vendor's form", nothing, _play)
