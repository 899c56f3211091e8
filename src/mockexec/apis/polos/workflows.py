"""The scenario's workflows by id. A run of any other name is queued like them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mockexec.simulation.lifecycle import Profile
from mockexec.simulation.world import Realm

UNREGISTERED_PROFILE = "unregistered"
# What the mock knows of a workflow that nobody has registered.
_UNREGISTERED: Mapping[str, Any] = MappingProxyType(
    {"type": "workflow", "profile": UNREGISTERED_PROFILE}
)


def workflow(realm: Realm, workflow_id: str) -> Mapping[str, Any]:
    """The scenario's entry for ``workflow_id``, or that of an unregistered one."""
    for entry in realm.scenario.data["workflows"]:
        if entry["id"] == workflow_id:
            found: Mapping[str, Any] = entry
            return found
    return _UNREGISTERED


def profile(realm: Realm, workflow_id: str) -> Profile:
    """How runs of ``workflow_id`` live."""
    return realm.profile(workflow(realm, workflow_id)["profile"])
