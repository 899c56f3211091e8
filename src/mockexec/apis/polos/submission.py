"""Starting runs: one by one, and in batches that share what is not said per run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockexec.apis.polos import lives
from mockexec.apis.polos.auth import project_forbidden
from mockexec.apis.polos.workflows import workflow
from mockexec.http.refusal import Refusal
from mockexec.simulation.execution import Execution
from mockexec.simulation.world import Realm


def submit(
    realm: Realm,
    project: str,
    workflow_id: str,
    request: Mapping[str, Any],
    shared: Mapping[str, Any],
    *,
    at_ns: int | None = None,
) -> Execution:
    """Queues one run in ``project``, now or ``at_ns``.

    ``request`` is a run request or a batch entry; ``shared`` comes from ``shared_data``.
    """
    entry = workflow(realm, workflow_id)
    limit = request.get("run_timeout_seconds")
    # To JSON, 30.0 is as whole a number as 30; to the clock it is not.
    timeout_s = None if limit is None else int(limit)
    plan = lives.drawn(
        realm.profile(entry["profile"]),
        realm.draws("plans"),
        realm.scenario.data,
        payload=request["payload"],
        timeout_s=timeout_s,
    )
    queue = request.get("queue_name")
    return realm.start(
        realm.uuid(),
        group=workflow_id,
        owner=project,
        plan=plan,
        at_ns=at_ns,
        data={
            **shared,
            "type": entry["type"],
            "asks": entry.get("asks", {}),
            "payload": request["payload"],
            "queue": workflow_id if queue is None else queue,
            "concurrency_key": request.get("concurrency_key"),
            "timeout_s": timeout_s,
        },
    )


def shared_data(realm: Realm, project: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """What all runs of ``request`` have in common: deployment, session, user, place in a tree.

    Session and user are the parent's where the request has none. A run without a parent always
    has a session.

    Raises:
        Refusal: the parent is unknown, or belongs to another project.
    """
    parent = _parent(realm, project, request.get("parent_execution_id"))
    inherited: Mapping[str, Any] = {} if parent is None else parent.data
    session = _first(request.get("session_id"), inherited.get("session"))
    if session is None and parent is None:
        session = realm.uuid("sessions")
    return {
        "deployment": _first(request.get("deployment_id"), deployment(realm, project)),
        "session": session,
        "user": _first(request.get("user_id"), inherited.get("user")),
        "parent": None if parent is None else parent.id,
        "root": _root(parent, request.get("root_execution_id")),
        "step_key": request.get("step_key"),
    }


def deployment(realm: Realm, project: str) -> str | None:
    """The latest deployment of a project of the scenario."""
    for known in realm.scenario.data["projects"]:
        if known["id"] == project:
            latest: str = known["deployment"]
            return latest
    return None


def _parent(realm: Realm, project: str, parent_id: str | None) -> Execution | None:
    if parent_id is None:
        return None
    parent = realm.executions.get(parent_id.lower())
    if parent is None:
        raise Refusal("not_found", "Parent execution not found")
    if parent.owner != project:
        raise project_forbidden()
    return parent


def _root(parent: Execution | None, root_id: str | None) -> str | None:
    """The root asked for, else the parent's, else the parent; a root itself has none."""
    if root_id is not None:
        return root_id.lower()
    if parent is None:
        return None
    root: str = _first(parent.data.get("root"), parent.id)
    return root


def _first(value: Any, otherwise: Any) -> Any:
    """``value``, unless it is null: a client may send null for what it does not set."""
    return otherwise if value is None else value
