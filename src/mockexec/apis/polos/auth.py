"""API keys and projects: a key belongs to one project, named in its ``project`` claim."""

from __future__ import annotations

from mockexec.http.auth import Principal, authorization, known_token
from mockexec.http.call import Call
from mockexec.http.refusal import Refusal
from mockexec.simulation.execution import Execution
from mockexec.simulation.world import Realm

_KEY_PREFIX = "sk_"


def development_token(realm: Realm) -> str:
    """The API key that docs and printed commands use: the scenario's first."""
    value: str = realm.scenario.data["tokens"][0]["value"]
    return value


def verify_api_key(call: Call, scopes: tuple[str, ...]) -> Principal | None:
    """Whom the bearer key stands for; None when there is none.

    Raises:
        Refusal: the key is unknown, or is no key at all; in the vendor's words.
    """
    del scopes  # a key has none: it may do everything in its project
    scheme, key = authorization(call.raw_header(b"authorization"))
    if scheme != "bearer" or not key:
        return None
    if not key.startswith(_KEY_PREFIX):
        # The vendor takes it for a session token of its web application; the mock knows none.
        raise Refusal("unauthenticated", "Invalid authentication token")
    if call.settings.any_token:
        key = development_token(call.realm)
    token = known_token(call.realm, key)
    if token is None:
        raise Refusal("unauthenticated", "Invalid API key")
    return token.principal()


def project_of_key(call: Call) -> str:
    """The project of the caller's key."""
    project: str = call.caller.claims["project"]
    return project


def project_of_header(call: Call, *, unknown: str) -> str:
    """The project that ``X-Project-ID`` names, which must be the key's.

    Raises:
        Refusal: it is another one (forbidden), or there is none such (the reason ``unknown``).
    """
    project: str = call.header["X-Project-ID"].lower()
    if project == project_of_key(call):
        return project
    if unknown == "not_found" and not any(
        project == known["id"] for known in call.realm.scenario.data["projects"]
    ):
        raise Refusal("not_found", "Project not found")
    raise project_forbidden()


def project_forbidden() -> Refusal:
    """The refusal of work in a project that is not the key's."""
    return Refusal(
        "forbidden",
        "Access to project forbidden",
        details={"error_type": "PROJECT_ACCESS_FORBIDDEN"},
    )


def check_owner(call: Call, execution: Execution) -> None:
    """Raises Refusal when the execution belongs to another project than the caller's key."""
    if execution.owner != project_of_key(call):
        raise Refusal("forbidden", "Project does not match execution project")
