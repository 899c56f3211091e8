"""Cancelling: the execution itself, everything below it and everything above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockexec.apis.polos.workflows import profile
from mockexec.simulation.execution import Execution
from mockexec.simulation.lifecycle import CANCELLED, CANCELLING, CLAIMED, QUEUED, cancel_plan
from mockexec.simulation.world import Realm


def cancel(realm: Realm, execution: Execution) -> Execution:
    """``execution``, not yet ended, after a user has asked for its cancelling.

    Relatives that have ended, or are being cancelled already, stay as they are.
    """
    relatives = _relatives(realm, execution)
    cancelled = _cancel_one(realm, execution)
    for relative in relatives:
        if not relative.is_final and relative.state != CANCELLING:
            _cancel_one(realm, relative)
    return cancelled


def pushed(execution: Execution, state: str, at_ns: int) -> dict[str, Any]:
    """What is noted when somebody pushes an execution by hand: nobody but the system cancelled it,
    unless a user had asked for it before.
    """
    if state not in {CANCELLING, CANCELLED} or execution.data.get("cancelled_by"):
        return {}
    asked = {"cancelled_by": "system", "cancelled_ns": at_ns}
    return {**asked, "worker": None} if state == CANCELLED else asked


def _cancel_one(realm: Realm, execution: Execution) -> Execution:
    now_ns = realm.world.now_ns
    if execution.state == CANCELLING:
        # Asking again only renews the time of asking.
        return realm.amend(execution, data={"cancelled_ns": now_ns})
    asked = {"cancelled_by": "user", "cancelled_ns": now_ns}
    if execution.state in {QUEUED, CLAIMED}:
        return realm.move(execution, CANCELLED, data={**asked, "worker": None})
    confirmed = cancel_plan(
        profile(realm, execution.group), realm.draws("cancellations"), {"worker": None}
    )
    return realm.move(execution, CANCELLING, plan=confirmed, data=asked)


def _relatives(realm: Realm, execution: Execution) -> list[Execution]:
    """Everything below ``execution`` and everything above it, each once.

    No API and no fixture makes anybody its own ancestor, but an imported snapshot may.
    """
    known = {execution.id}
    relatives = []
    for relative in (*_descendants(realm, execution), *_ancestors(realm, execution)):
        if relative.id not in known:
            known.add(relative.id)
            relatives.append(relative)
    return relatives


def _descendants(realm: Realm, execution: Execution) -> Iterator[Execution]:
    """Children, their children and so on."""
    parents, known = [execution], {execution.id}
    while parents:
        for child in realm.executions.range("parent", (parents.pop().id,)).iterate():
            if child.id not in known:
                known.add(child.id)
                parents.append(child)
                yield child


def _ancestors(realm: Realm, execution: Execution) -> Iterator[Execution]:
    """The parent, its parent and so on, as far as they are known."""
    known = {execution.id}
    parent = _parent(realm, execution)
    while parent is not None and parent.id not in known:
        known.add(parent.id)
        yield parent
        parent = _parent(realm, parent)


def _parent(realm: Realm, execution: Execution) -> Execution | None:
    parent_id = execution.data.get("parent")
    return None if parent_id is None else realm.executions.get(parent_id)
