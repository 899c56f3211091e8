"""Every operation that needs a credential refuses none, a broken, an expired and a weak one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mockexec.spec.operations import Operation
from mockexec.traits import Ask, Auth, Credential, Minted
from mockexec.verify import signs
from mockexec.verify.checks.check import Check
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.probe import UNREADABLE, Probe, answer_of
from mockexec.verify.target import Exchanged

_NOBODY = Credential(name="no credential", headers={})
_UNKNOWN = Credential(name="a token nobody has", headers={"Authorization": "Bearer no-such-token"})


def _needs(probe: Probe) -> str | None:
    if any(_is_secured(operation) for operation in probe.api.operations):
        return None
    return "no operation of the document needs a credential"


def _is_secured(operation: Operation) -> bool:
    return bool(operation.security) and {} not in operation.security


def _play(probe: Probe) -> Iterator[Finding]:
    secured = [
        operation
        for operation in probe.api.operations
        if _is_secured(operation) and (probe.target.can_change or operation.method == "GET")
    ]
    auth = probe.traits.auth or Auth()
    # Each operation may forget to ask; that tokens are looked at, one or two of them tell.
    for credential in (_NOBODY, _UNKNOWN):
        yield from _refused_everywhere(probe, secured, credential)
    if not secured:
        return
    first = probe.sample(_plainest(secured))
    broken = [*auth.broken, *_near_misses(probe)]
    for credential in broken:
        yield from _refuses(probe, first, credential)
    for credential in auth.expired:
        yield from _refused_everywhere(probe, secured, credential)
    for credential, asks in auth.weak:
        for ask in asks:
            yield from _is_not_enough(probe, ask, credential)
    for name, make in auth.also:
        yield from _is_enough(probe, first, name, make)
    for ask, reason in auth.refused_clients:
        yield from _client_refused(probe, ask, reason)
    for minted in auth.minted:
        yield from _mint(probe, auth, minted, first)


def _plainest(operations: list[Operation]) -> Operation:
    """A reading operation with as few parameters as may be."""
    return min(operations, key=lambda op: (op.method != "GET", len(op.parameters), op.path))


def _refused_everywhere(
    probe: Probe, operations: list[Operation], credential: Credential
) -> Iterator[Finding]:
    """By each operation; where several accept it, that is one mistake."""
    accepted: list[tuple[Operation, Exchanged]] = []
    otherwise: list[Finding] = []
    for operation in operations:
        found = [*_refuses(probe, probe.sample(operation), credential)]
        taken = [f for f in found if 200 <= f.exchanges[-1].status < 300]
        accepted += [(operation, finding.exchanges[-1]) for finding in taken]
        otherwise += found
    if len(accepted) < 2:
        yield from otherwise
        return
    yield probe.finding(
        f"{credential.name} is enough for {len(accepted)} operations",
        "401",
        ", ".join(operation.id for operation, _ in accepted),
        (accepted[0][1],),
        severity=Severity.CRITICAL,
        cause=f"{credential.name} is accepted",
        symptom=signs.accepted(),
    )


def _with(ask: Ask, credential: Credential) -> Ask:
    return replace(ask, principal="none", header={**ask.header, **credential.headers})


def _refuses(probe: Probe, ask: Ask, credential: Credential) -> Iterator[Finding]:
    exchanged = probe.send(_with(ask, credential), odd=credential.name)
    if 200 <= exchanged.status < 300:
        yield probe.finding(
            f"{credential.name} is enough for {ask.operation}",
            "401",
            f"{exchanged.status} {exchanged.text[:160]}",
            (exchanged,),
            operation=ask.operation,
            severity=Severity.CRITICAL,
            cause=f"{credential.name} is accepted by {ask.operation}",
            symptom=signs.accepted(),
        )
    elif exchanged.status != 401 and exchanged.status < 500 and _documents(probe, ask, 401):
        yield probe.finding(
            f"{credential.name} is refused with {exchanged.status}, not 401 ({ask.operation})",
            "401",
            f"{exchanged.status} {exchanged.text[:160]}",
            (exchanged,),
            operation=ask.operation,
            severity=Severity.MEDIUM,
            symptom=signs.answered(exchanged),
        )


def _documents(probe: Probe, ask: Ask, status: int) -> bool:
    return str(status) in probe.operation(ask.operation).responses


def _near_misses(probe: Probe) -> Iterator[Credential]:
    """Main's own token, with a part of it changed."""
    own = probe.target.credentials.get("main")
    value = next((v for n, v in own.headers if n.lower() == "authorization"), "") if own else ""
    scheme, _, token = value.partition(" ")
    if scheme != "Bearer" or len(token) < 8:
        return
    for changed, name in (
        (_other_end(token), "a token that ends otherwise"),
        (token[:-2], "a token without its end"),
        (_other_end(token[: len(token) // 2]) + token[len(token) // 2 :], "a changed token"),
        (token + "0", "a token with something after it"),
        (token.swapcase(), "a token in the other case"),
    ):
        yield Credential(name=name, headers={"Authorization": f"Bearer {changed}"})


def _other_end(text: str) -> str:
    return text[:-4] + "".join("A" if one != "A" else "B" for one in text[-4:])


def _is_not_enough(probe: Probe, ask: Ask, credential: Credential) -> Iterator[Finding]:
    if not probe.target.can_change and probe.operation(ask.operation).method != "GET":
        return
    exchanged = probe.send(_with(ask, credential), odd=credential.name)
    # A server that does not know the token says 401.
    if exchanged.status in {401, 403} or exchanged.status >= 500:
        return
    accepted = 200 <= exchanged.status < 300
    yield probe.finding(
        f"{credential.name} is enough for {ask.operation}"
        if accepted
        else f"{credential.name} is refused with {exchanged.status}, not 403 ({ask.operation})",
        "403",
        f"{exchanged.status} {exchanged.text[:160]}",
        (exchanged,),
        operation=ask.operation,
        severity=Severity.CRITICAL if accepted else Severity.MEDIUM,
        symptom=signs.answered(exchanged),
    )


def _is_enough(probe: Probe, ask: Ask, name: str, make: object) -> Iterator[Finding]:
    own = probe.target.credentials.get("main")
    value = next((v for n, v in own.headers if n.lower() == "authorization"), "") if own else ""
    scheme, _, token = value.partition(" ")
    if scheme != "Bearer" or not callable(make) or not probe.send(ask).status < 300:
        return
    headers: Mapping[str, str] = make(token)
    exchanged = probe.send(_with(ask, Credential(name=name, headers=headers)))
    if exchanged.status >= 300:
        yield probe.finding(
            f"a good token is refused {name}",
            "the answer that it gets as a bearer token",
            f"{exchanged.status} {exchanged.text[:160]}",
            (exchanged,),
            operation=ask.operation,
            symptom=signs.refused(),
        )


def _client_refused(probe: Probe, ask: Ask, reason: str) -> Iterator[Finding]:
    exchanged = probe.send(ask)
    if 200 <= exchanged.status < 300:
        yield probe.finding(
            f"{reason} is enough for a token",
            "401",
            str(exchanged.status),
            (exchanged,),
            operation=ask.operation,
            severity=Severity.CRITICAL,
            symptom=signs.accepted(),
        )


def _mint(probe: Probe, auth: Auth, minted: Minted, first: Ask) -> Iterator[Finding]:
    granted = probe.send(minted.ask)
    answer = answer_of(granted)
    if not answer.ok:
        return  # the client of the document's example is not known here
    try:
        credential = Credential(name=minted.name, headers=minted.headers(answer.body))
    except UNREADABLE:
        return
    for ask in minted.good:
        used = probe.send(_with(ask, credential))
        if used.status >= 400:
            yield probe.finding(
                f"{minted.name} does not work",
                f"{ask.operation} with the token just granted",
                f"{used.status} {used.text[:160]}",
                (granted, used),
                operation=ask.operation,
                symptom=signs.refused(),
            )
    for ask in minted.weak:
        if probe.target.can_change or probe.operation(ask.operation).method == "GET":
            yield from _too_weak(probe, auth, ask, credential, granted)
    yield from _tampered(probe, first, credential)
    if minted.lives_s is not None and probe.target.is_mock:
        probe.target.wait(minted.lives_s(answer.body) + 1)
        expired = replace(credential, name="a token past its time")
        yield from _refuses(probe, first, expired)


def _too_weak(
    probe: Probe, auth: Auth, ask: Ask, credential: Credential, granted: Exchanged
) -> Iterator[Finding]:
    used = probe.send(_with(ask, credential))
    if used.status not in auth.wrong_scope and used.status < 500:
        yield probe.finding(
            f"{credential.name} is enough for {ask.operation}"
            if used.status < 300
            else f"{credential.name} is refused with {used.status} ({ask.operation})",
            "403",
            f"{used.status} {used.text[:160]}",
            (granted, used),
            operation=ask.operation,
            severity=Severity.CRITICAL if used.status < 300 else Severity.MEDIUM,
            symptom=signs.answered(used),
        )


def _tampered(probe: Probe, ask: Ask, credential: Credential) -> Iterator[Finding]:
    """A granted token of which a character is another, near its end and in its middle."""
    scheme, _, token = credential.headers.get("Authorization", "").partition(" ")
    if len(token) < 16:
        return
    for place in (len(token) - 5, len(token) // 2):
        other = "A" if token[place] != "A" else "B"
        changed = token[:place] + other + token[place + 1 :]
        forged = Credential(
            name="a granted token that was tampered with",
            headers={"Authorization": f"{scheme} {changed}"},
        )
        yield from _refuses(probe, ask, forged)


AUTH = Check("auth", "Credentials are asked for, and looked at", _needs, _play)
