"""The rules of the house, checked: layers, engines behind one file, Connexion's extension points."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from connexion.middleware.abstract import AbstractRoutingAPI, SpecMiddleware
from connexion.middleware.main import ConnexionMiddleware
from connexion.security import SecurityHandlerFactory
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "mockexec"

# Which modules may import an engine.
ENGINES = {
    "connexion": {"server/connexion_app.py", "server/pipeline.py"},
    "starlette": {"server/connexion_app.py"},
    "uvicorn": {"server/connection.py", "server/run.py"},
    "faker": {"mocking/generate.py", "mocking/words.py", "cli/people.py"},
    "schemathesis": {"verify/schemathesis_engine.py"},
    "hypothesis": {"verify/model.py", "verify/repeatable.py"},
    "pytest": {"pytest_plugin.py"},
}


def test_the_layers_hold() -> None:
    """import-linter finds every import in its direction."""
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_each_engine_stands_behind_one_file(engine: str) -> None:
    """No other module imports it."""
    pattern = re.compile(rf"^\s*(?:from|import) {engine}\b", re.MULTILINE)
    users = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if pattern.search(path.read_text())
    }
    assert users <= ENGINES[engine]


def test_a_plain_import_pulls_no_engine() -> None:
    """``import mockexec`` is light: what is heavy comes when it is used."""
    code = "import sys, mockexec; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"connexion", "uvicorn", "pytest", "faker", "schemathesis"} & {*run.stdout.split()}


def test_a_start_imports_only_what_it_uses() -> None:
    """What is for other commands, or for parts of Connexion that are not used, stays out."""
    code = "import sys, mockexec.cli.serve; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {*run.stdout.split()}
    assert "connexion" in loaded
    assert not loaded & {
        "cryptography", "faker", "httpx", "hypothesis", "jinja2", "mockexec.traits", "pytest",
        "requests", "schemathesis", "starlette.testclient",
    }  # fmt: skip


def test_what_is_imported_later_is_there_when_it_is_called() -> None:
    """Whoever uses Connexion beside the mock, in one process, finds it whole."""
    code = """
import warnings
warnings.simplefilter("ignore")
import mockexec.server.connexion_app
from connexion import AsyncApp
client = AsyncApp("here").test_client()
from starlette.testclient import TestClient
import jinja2, requests
assert type(client) is TestClient, type(client)
assert issubclass(requests.Session, object) and jinja2.Template("{{ a }}").render(a=1) == "1"
from connexion import json_schema
assert json_schema.requests.Session is requests.Session
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_extension_points_of_connexion_are_as_we_use_them() -> None:
    """What the pipeline overrides and calls still has the names and parameters it relies on."""
    for name in ("make_operation", "_add_operation_internal"):
        assert getattr(AbstractRoutingAPI, name).__isabstractmethod__
    assert {"add_api", "__call__"} <= SpecMiddleware.__abstractmethods__
    routing = inspect.signature(AbstractRoutingAPI.__init__).parameters
    assert {"pythonic_params", "resolver_error_handler"} <= routing.keys()
    added = inspect.signature(AbstractRoutingAPI._add_operation_internal).parameters
    assert list(added) == ["self", "method", "path", "operation", "name"]
    factory = inspect.signature(SecurityHandlerFactory.parse_security_scheme).parameters
    assert list(factory) == ["self", "security_scheme", "required_scopes"]
    options = inspect.signature(ConnexionMiddleware.__init__).parameters
    assert {"middlewares", "resolver", "security_map", "swagger_ui_options"} <= options.keys()


def test_the_extension_points_of_uvicorn_are_as_we_use_them() -> None:
    """What the connection overrides, calls and hands over is still there."""
    overridden = (
        "data_received", "on_message_begin", "on_headers_complete", "on_body", "send_400_response",
        "on_message_complete", "on_response_complete", "timeout_keep_alive_handler",
        "connection_lost", "_start_asgi_task", "_unset_keepalive_if_required",
    )  # fmt: skip
    assert {*overridden} <= {*vars(HttpToolsProtocol)}
    cycle = inspect.signature(RequestResponseCycle.__init__).parameters
    assert list(cycle) == [
        "self", "scope", "transport", "flow", "logger", "access_logger", "access_log",
        "default_headers", "message_event", "expect_100_continue", "keep_alive", "on_response",
    ]  # fmt: skip
    assert {"receive", "send", "run_asgi"} <= {*vars(RequestResponseCycle)}
