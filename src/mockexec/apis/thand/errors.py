"""Refusals in the agent's words: ``{"code", "title", "message"}``.

Source: the agent's published server (``internal/daemon/pages.go``, ``executions.go``) for the shape
and the titles of 401, 403, most 404 and the signal's 400; the other titles are ours.
"""

from __future__ import annotations

from mockexec.errors import Violation
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.simulation.instants import format_instant

# Its GETs change things, so nothing the API says may be answered from a cache, refusals included.
NO_STORE = ("cache-control", "no-store")

_NO_SESSION = {
    "listExecutions": "Unauthorized: unable to get user for list of running workflows",
    "createExecution": "Unauthorized: unable to get user for creating workflow",
    "getExecution": "Unauthorized: unable to get user to get workflow information",
    "cancelExecution": "Unauthorized: unable to get user for terminating workflow",
    "terminateExecution": "Unauthorized: unable to get user for terminating workflow",
    "signalExecution": "Unauthorized: unable to get user for signaling workflow",
}
_TITLES = {
    "invalid": "Invalid request",
    "missing_body": "Invalid request",
    "malformed_body": "Invalid request",
    "unknown_path": "Page not found",
    "method_not_allowed": "Method not allowed",
    "not_acceptable": "Not acceptable",
    "too_large": "Request body too large",
    "unsupported_media_type": "Unsupported media type",
    "rate_limited": "Too many requests",
    "full": "Too many executions",
    "internal": "Internal server error",
}


def render(refusal: Refusal, call: Call) -> Reply:
    """The refusal as the agent writes it, with the headers its status calls for."""
    title = refusal.details.get("title") or _TITLES.get(refusal.reason, "Request failed")
    message = refusal.message
    headers = [NO_STORE, *refusal.headers]
    if refusal.reason == "unauthenticated":
        headers.append(("www-authenticate", "Bearer"))
        if "title" not in refusal.details:
            title = _NO_SESSION.get(call.operation_id, "Unauthorized")
            message = "no user session found in context"
    elif refusal.reason == "internal" and not refusal.violations:
        at = format_instant(call.now_ns, zone="").replace("T", " ")
        message = f"An internal error occurred. Details are available in the logs at: {at}."
    if refusal.status == 429 and not any(name == "retry-after" for name, _ in headers):
        headers.append(("retry-after", "1"))
    body = {"code": refusal.status, "title": title, "message": message}
    return Reply(refusal.status, body, tuple(headers), "application/json; charset=utf-8")


def incomplete_user() -> Refusal:
    """A session whose user has no e-mail address, or one that is none."""
    return _titled("unauthenticated", "Unauthorized: user information is incomplete")


def input_required() -> Refusal:
    """A signal without its ``input``."""
    return _titled("invalid", "Input parameter is required")


def bad_signal(title: str, message: str) -> Refusal:
    """A signal of which a layer cannot be undone, or which is none."""
    return _titled("invalid", title, message)


def bad_input(violations: list[Violation]) -> Refusal:
    """An input that does not fit the schema of its workflow; names every field that is wrong."""
    message = "; ".join(
        f"{'.'.join(('input', *_steps(violation.pointer)))}: {violation.message}"
        for violation in violations
    )
    return _titled("invalid", "Invalid workflow input", message)


def no_workflow(name: str) -> Refusal:
    """A workflow that is unknown or disabled, which the caller need not tell apart."""
    return _titled("not_found", "Workflow not found", f"workflow not found: {name[:100]}")


def no_execution(execution_id: str, *, running: bool) -> Refusal:
    """An unknown execution; ``running``: one was wanted that can be acted on."""
    title = "Failed to find running workflow" if running else "Workflow not found"
    message = f"workflow execution not found: {execution_id[:100]}"
    return _titled("not_found", title, message)


def not_owner(verb: str) -> Refusal:
    """Somebody else's execution."""
    return _titled("forbidden", f"You do not have permission to {verb} this workflow")


def not_running() -> Refusal:
    """A closed execution."""
    message = "workflow execution already completed"
    return _titled("conflict", "Workflow is not running", message)


def too_many_signals() -> Refusal:
    """An execution that was sent more signals than the workflow engine records."""
    message = "exceeded workflow execution limit for signal events"
    return _titled("conflict", "Failed to signal workflow", message)


def _titled(reason: str, title: str, message: str = "") -> Refusal:
    return Refusal(reason, message, details={"title": title})


def _steps(pointer: str) -> list[str]:
    parts = pointer.split("/")[1:]
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]
