"""Who may use the control API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mockexec import catalog
from mockexec.server.app import App
from mockexec.server.mock import Mock
from mockexec.server.run import BackgroundServer
from mockexec.settings import Settings
from mockexec.simulation.clock import Clock
from tests.server.browser import Browser, executable

EVERYWHERE = "0.0.0.0"  # noqa: S104  # the case in question


@contextmanager
def served(host: str = "127.0.0.1", token: str = "") -> Iterator[str]:
    """A mock on a real socket, and its address."""
    mock = Mock(
        [catalog.api("thand")], catalog.scenario,
        settings=Settings(control_token=token), clock=Clock("frozen"),
    )  # fmt: skip
    with BackgroundServer(App(mock), host=host) as server:
        yield server.url


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:81", "127.0.0.1", "127.8.7.6:1", "[::1]:9"]
)
def test_on_loopback_every_name_of_this_machine_will_do(host: str) -> None:
    """Without credentials."""
    with served() as url:
        assert httpx.post(f"{url}/_mockexec/reset", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"}, {"host": "localhost.evil.example"}, {"host": "127.0.0.1.nip.io"},
        {"host": "10.0.0.1"}, {"host": "["}, {"host": ""},
        {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:1"},
        {"origin": ""}, {"origin": "http://["},
    ],
)  # fmt: skip
def test_on_loopback_foreign_hosts_and_origins_are_refused(headers: dict[str, str]) -> None:
    """403 in the control API's own shape, in a session too; health stays open."""
    with served() as url:
        for path in ("/_mockexec/reset", "/@s/_mockexec/reset"):
            refused = httpx.post(f"{url}{path}", headers=headers)
            assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
            assert set(refused.json()) == {"error", "message", "violations"}
        assert httpx.get(f"{url}/_mockexec/health", headers=headers).status_code == 200
        assert httpx.get(f"{url}/_mockexec/docs", headers=headers).status_code == 403


def test_a_page_of_the_mocks_own_may_use_it() -> None:
    """The documentation tries things out."""
    with served() as url:
        assert httpx.post(f"{url}/_mockexec/reset", headers={"origin": url}).status_code == 200


def test_elsewhere_it_is_closed_without_a_token() -> None:
    """On all interfaces, whichever a client came in by; the APIs stay open."""
    with served(EVERYWHERE) as url:
        refused = httpx.post(f"{url}/_mockexec/reset")
        assert refused.status_code == 403
        assert "--control-token" in refused.json()["message"]
        assert httpx.get(f"{url}/_mockexec/health").status_code == 200
        headers = {"authorization": "Bearer thand-dev-token"}
        assert httpx.get(f"{url}/thand/api/v1/executions", headers=headers).status_code == 200


@pytest.mark.parametrize("host", [EVERYWHERE, "127.0.0.1"])
def test_with_a_token_callers_must_show_it(host: str) -> None:
    """401 with a challenge for none or a wrong one; with it, any Host will do."""
    with served(host, "s3cret") as url:
        for given in (None, "Bearer wrong", "Basic s3cret", "Bearer", "s3cret"):
            sent = {} if given is None else {"authorization": given}
            refused = httpx.post(f"{url}/_mockexec/reset", headers=sent)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        headers = {"authorization": "bearer s3cret", "host": "mock.lan"}
        assert httpx.post(f"{url}/_mockexec/reset", headers=headers).status_code == 200
        assert httpx.get(f"{url}/_mockexec/health").status_code == 200


@pytest.mark.skipif(executable() is None, reason="no Chromium is installed")
def test_a_page_of_another_origin_cannot_reset_the_mock(tmp_path: Path) -> None:
    """A real browser: neither plainly, nor as a form would, nor with a preflight."""
    command = executable()
    assert command is not None
    with served() as mine, served() as theirs, Browser(command, tmp_path) as browser:
        httpx.post(f"{mine}/_mockexec/clock/advance", json={"by": "1h"})
        browser.open(f"{theirs}/_mockexec/health")
        script = f"""(async () => {{
            await new Promise(done => setTimeout(done, 300));
            const told = [location.origin];
            for (const options of [
                {{method: "POST"}},
                {{method: "POST", mode: "no-cors", body: "x"}},
                {{method: "POST", headers: {{"content-type": "application/json"}}, body: "{{}}"}},
            ]) try {{
                const answer = await fetch("{mine}/_mockexec/reset", options);
                told.push(answer.type + answer.status);
            }} catch (error) {{ told.push("blocked"); }}
            return told;
        }})()"""
        assert browser.run(script) == [theirs, "blocked", "opaque0", "blocked"]
        assert f"{mine}/_mockexec/reset" in browser.requested
        now = httpx.get(f"{mine}/_mockexec/clock").json()["now"]
        assert now == "2026-01-01T13:00:00.000000000Z"
        own = f'fetch("{mine}/_mockexec/reset", {{method: "POST"}}).then(answer => answer.status)'
        browser.open(f"{mine}/_mockexec/health")
        assert browser.run(f"new Promise(r => setTimeout(r, 300)).then(() => {own})") == 200
