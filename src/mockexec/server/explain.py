"""Why a request is answered as it is: asked in a copy of the world, so that nothing changes.

The request goes the way of any other, through the same application; what is told is read from its
call afterwards. Faults are told, not suffered: nobody waits for a delay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from mockexec.api import Api
from mockexec.http.refusal import Refusal
from mockexec.mocking.responder import preferences
from mockexec.server.fault_injection import injection_for
from mockexec.server.pipeline import VISIT, Visit
from mockexec.server.views import violation_view
from mockexec.simulation.session import Session
from mockexec.simulation.world import World
from mockexec.spec.operations import Operation

_NEAREST_MAX = 3
# Below this two paths have nothing to do with each other.
_LIKENESS_MIN = 0.4
# What another method takes off that.
_OTHER_METHOD = 0.05
_BODY_SHOWN_MAX = 16 * 1024

Mount = Callable[[Any, Any, Any], Awaitable[None]]


class Place(NamedTuple):
    """Where a request goes: an API, the path below it, and what stands before that."""

    api: Api
    mount: Mount
    base_path: str
    below: str


class Explainer:
    """``locate`` finds the place of a raw path; None where no API is."""

    def __init__(self, apis: Mapping[str, Api], locate: Callable[[str], Place | None]) -> None:
        self._apis = apis
        self._locate = locate

    async def explain(self, session: Session, request: Mapping[str, Any]) -> dict[str, Any]:
        """What the control API tells of ``request`` (method, path, headers, body)."""
        method: str = request["method"].upper()
        raw_path, _, query = request["path"].partition("?")
        place = self._locate(raw_path)
        if place is None:
            return self._nowhere(method, raw_path)
        scope = _scope(method, raw_path, query, request.get("headers", {}))
        visit, answer = await _asked(place, scope, request.get("body") or "", session.world.fork())
        refusal = None if visit.call is None else visit.call.refusal
        faults = _faults(place.api, visit, session.world.fork())
        told = _told(place.api, visit)
        return {
            "api": place.api.name,
            "operation": told,
            "nearest": self._nearest(method, raw_path, [place.api]) if told is None else [],
            "checks": _checks(visit, refusal),
            "notes": []
            if visit.call is None
            else [violation_view(note) for note in visit.call.notes],
            "faults": faults,
            "answer": answer,
            "why": _why(visit, refusal, faults),
        }

    def _nowhere(self, method: str, raw_path: str) -> dict[str, Any]:
        served = ", ".join(f"/{name}" for name in self._apis)
        return {
            "api": None, "operation": None, "checks": [], "notes": [], "faults": [],
            "nearest": self._nearest(method, raw_path, self._apis.values()),
            "answer": None,
            "why": f"no API is served at {raw_path[:200]}; there are: {served}",
        }  # fmt: skip

    def _nearest(self, method: str, raw_path: str, apis: Iterable[Api]) -> list[dict[str, Any]]:
        """The operations whose paths are most like this one, rather those of the same method."""
        wanted = raw_path.split("/")
        rated = [
            (
                -_likeness(wanted, f"/{api.name}{prefix}{one.path}".split("/"))
                + _OTHER_METHOD * (one.method != method),
                number,
                prefix,
                api,
                one,
            )
            for api in apis
            for prefix in api.prefixes
            for number, one in enumerate(api.operations)
        ]
        rated.sort(key=lambda entry: entry[:3])
        near: dict[tuple[str, str], dict[str, Any]] = {}
        for unlikeness, _, prefix, api, operation in rated:
            if -unlikeness < _LIKENESS_MIN or len(near) == _NEAREST_MAX:
                break
            told = _operation(api, operation)
            told["path"] = f"/{api.name}{prefix}{operation.path}"
            near.setdefault((api.name, operation.id), told)
        return list(near.values())


async def _asked(
    place: Place, scope: dict[str, Any], body: str, world: World
) -> tuple[Visit, dict[str, Any]]:
    """The request, answered by ``world`` without its faults."""
    for fault_id in list(world.faults.armed):
        world.faults.disarm(fault_id)
    visit = scope[VISIT] = Visit(
        Session("", world), place.base_path, place.below, dict(scope["headers"]), is_asked=False
    )
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body.encode(), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await place.mount(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    headers = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in sent[0]["headers"]
    }
    shown = content[:_BODY_SHOWN_MAX].decode("utf-8", "replace")
    return visit, {"status": sent[0]["status"], "headers": headers, "body": shown}


def _scope(method: str, raw_path: str, query: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw_path,
        "raw_path": raw_path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in headers.items()
        ],
        "client": None,
        "server": None,
        "state": {},
    }


def _checks(visit: Visit, refusal: Refusal | None) -> list[dict[str, Any]]:
    """What the request went through, in order, up to what it did not pass."""
    if visit.plan is None:
        is_unknown = refusal is None or refusal.reason == "unknown_path"
        failed = "path" if is_unknown else "method"
        passed = [] if is_unknown else [_check("path")]
        return [*passed, _check(failed, refusal)]
    stages = visit.plan.stages
    assert visit.call is not None  # noqa: S101  # a plan is only found for a call
    reached = stages.index(visit.call.stage)
    return [
        *(_check(stage) for stage in ("path", "method", *stages[:reached])),
        _check(stages[reached], refusal),
    ]


def _check(name: str, refusal: Refusal | None = None) -> dict[str, Any]:
    return {
        "check": name,
        "passed": refusal is None,
        "message": "" if refusal is None else refusal.message,
        "violations": []
        if refusal is None
        else [violation_view(violation) for violation in refusal.violations],
    }


def _faults(api: Api, visit: Visit, world: World) -> list[str]:
    """The ids of the faults that would strike, asked in a copy of the world with its faults."""
    if visit.plan is None or visit.call is None:
        return []
    call = visit.call
    call.world = world
    world.settle()
    call.realm = world.realms[api.name]
    before = {fault_id: hits for fault_id, (_, hits) in world.faults.counts.items()}
    injection_for(call, api.name, visit.plan.operation.id, visit.arguments)
    return [
        fault_id for fault_id, (_, hits) in world.faults.counts.items() if hits > before[fault_id]
    ]


def _told(api: Api, visit: Visit) -> dict[str, Any] | None:
    return None if visit.plan is None else _operation(api, visit.plan.operation)


def _operation(api: Api, operation: Operation) -> dict[str, Any]:
    return {
        "api": api.name,
        "operation_id": operation.id,
        "method": operation.method,
        "path": operation.path,
        "at": api.document.location(operation.uri, operation.pointer),
    }


def _why(visit: Visit, refusal: Refusal | None, faults: list[str]) -> str:
    """The answer's reason in one sentence."""
    if visit.plan is None and refusal is None:
        said = "it is a browser's preflight"
    elif visit.plan is None or refusal is not None:
        assert refusal is not None  # noqa: S101  # a path or method is missing only by refusal
        said = f"refused: {refusal.message}"
    elif visit.call is not None and (wanted := preferences(visit.call)):
        chosen = ", ".join(f"{key}={value}" for key, value in wanted.items())
        said = f"Prefer: {chosen} chooses it from the document"
    else:
        said = f"{visit.plan.operation.id} answers it"
    if faults:
        return f"{said}; but first these faults strike: {', '.join(faults)}"
    return said


def _likeness(wanted: list[str], template: list[str]) -> float:
    """How like a path is to a template, from 0 to 1; a parameter is like anything."""
    pairs = zip(wanted[1:], template[1:], strict=False)
    # A parameter counts less than the same word, so that concrete paths come first.
    total = sum(0.9 if "{" in b and a else SequenceMatcher(None, a, b).ratio() for a, b in pairs)
    return total / max(len(wanted) - 1, len(template) - 1, 1)
