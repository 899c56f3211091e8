"""Serving from Python: what is served, where, and to whom."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

import mockexec
from mockexec.errors import MockexecError, UsageError

PETS = """
openapi: 3.0.3
info: {title: Pets, version: "1"}
paths:
  /pets:
    get:
      operationId: listPets
      responses:
        "200":
          description: Some.
          content:
            application/json:
              schema: {type: array, items: {type: string}}
              example: [rex]
"""


def test_one_api_has_one_token() -> None:
    """And answers at the root, too."""
    with mockexec.serve("thand", clock="frozen") as mock:
        headers = {"Authorization": f"Bearer {mock.token}"}
        for base in (mock.url, mock.urls["thand"]):
            assert httpx.get(f"{base}/api/v1/executions", headers=headers).status_code == 200


def test_a_document_is_served_under_its_name(tmp_path: Path) -> None:
    """Alone, or beside an API; as a text or as a path."""
    path = tmp_path / "pets.yaml"
    path.write_text(PETS)
    with mockexec.serve(path) as mock:
        assert list(mock.urls) == ["pets"]
        assert mock.api("pets").client.get("/pets").json() == ["rex"]
        mock.assert_called("listPets", times=1)
    with mockexec.serve("thand", str(path)) as mock:
        assert list(mock.urls) == ["thand", "pets"]


def test_a_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment may name one; between a test and its mock it has no business."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with mockexec.serve("thand", clock="frozen") as mock, mockexec.connect(mock.url) as other:
        assert other.api("thand").client.get("/api/v1/executions").status_code == 200


def test_nothing_named_is_everything() -> None:
    """All APIs there are."""
    with mockexec.in_process(clock="frozen") as mock:
        assert {"foundry", "frontdoor", "polos", "sailpoint", "thand"} <= set(mock.urls)


@pytest.mark.parametrize(
    ("apis", "options", "message"),
    [
        (["sailpiont"], {}, "'sailpiont' is neither an API nor a file; there are: foundry"),
        (["thand"], {"clock": "slow"}, "'slow' is neither real nor frozen"),
        (["thand"], {"scenario": "none"}, "thand has no scenario 'none'"),
        (["thand"], {"options": {"thand.none": "1"}}, "there is no option 'thand.none'"),
    ],
)
def test_what_is_not_there_is_told(apis: list[str], options: dict[str, str], message: str) -> None:
    """In one line, before anything is served."""
    with (
        pytest.raises(UsageError, match=message),
        mockexec.serve(*apis, **options),  # type: ignore[arg-type]  # a table of wrong options
    ):
        pytest.fail("it must not come so far")


def test_after_the_end_nothing_answers() -> None:
    """A mock that has stopped says so."""
    with mockexec.serve("thand", clock="frozen") as mock:
        url = mock.url
    with pytest.raises(UsageError, match="the mock has stopped"):
        _ = mock.clock.now
    with pytest.raises(UsageError, match="no mock answers"), mockexec.connect(url):
        pytest.fail("it must not come so far")


def test_only_a_mock_can_be_connected_to() -> None:
    """Another server is told apart, whatever it answers."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            """Not a word."""

    with HTTPServer(("127.0.0.1", 0), Page) as other:
        threading.Thread(target=other.handle_request).start()
        url = f"http://127.0.0.1:{other.server_port}"
        with pytest.raises(UsageError, match="no mock: 200"), mockexec.connect(url):
            pytest.fail("it must not come so far")


def test_sessions_are_bounded() -> None:
    """One too many is refused; none is thrown away."""
    with (
        mockexec.serve("thand", clock="frozen", sessions_max=1) as mock,
        mock.session("one") as one,
    ):
        with pytest.raises(UsageError, match="1 sessions are in use"):
            mock.session("two")
        assert one.clock.mode == "frozen"


def test_other_machines_need_the_token() -> None:
    """On an address that is no loopback one; Python knows the token, others must show it."""
    host = "0.0.0.0"  # noqa: S104  # the case in question
    with mockexec.serve("thand", clock="frozen", host=host, control_token="let-me") as mock:
        assert mock.clock.mode == "frozen"
        with mockexec.connect(mock.url, control_token="let-me") as other:
            assert other.clock.mode == "frozen"
        with pytest.raises(MockexecError), mockexec.connect(mock.url):
            pytest.fail("it must not come so far")


def test_threads_may_share_a_mock() -> None:
    """The server's own thread alone changes the world: no clock move is lost."""
    with mockexec.serve("thand", clock="frozen") as mock:
        began = mock.clock.now

        def work() -> None:
            for _ in range(50):
                mock.clock.advance("1s")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (mock.clock.now - began).total_seconds() == 200


def test_in_process_inside_a_running_loop() -> None:
    """The mock is entered, asked and turned without leaving the loop, and without a socket."""

    async def main() -> None:
        with mockexec.in_process("thand", "sailpoint", clock="frozen", strict=True) as mock:
            with mock.session("mine") as mine:
                async with mock.async_client("sailpoint", mine) as client:
                    assert (await client.get("/workflows")).status_code == 200
                    mine.fail("listWorkflows", times=1)
                    assert (await client.get("/workflows")).status_code == 503
                    mine.disconnect("listWorkflows", times=1)
                    with pytest.raises(httpx.RemoteProtocolError):
                        await client.get("/workflows")
                mine.assert_called("listWorkflows", times=3)
            async with mock.async_client("thand") as client:
                assert (await client.get("/api/v1/executions")).status_code == 200
            assert len(mock.requests) == 1

    asyncio.run(main())


def test_in_process_header_names_are_found() -> None:
    """Those that a vendor writes in capitals, too."""
    with mockexec.in_process("sailpoint", clock="frozen", strict=True) as mock:
        workflow = mock.executions.list("sailpoint")[0].group
        listed = mock.api("sailpoint").client.get(
            f"/workflows/{workflow}/executions", params={"count": "true"}
        )
        assert int(listed.headers["X-Total-Count"]) > 0


@pytest.mark.parametrize("module", ["mockexec", "mockexec.pytest_plugin"])
def test_an_import_is_light(module: str) -> None:
    """Neither the package nor its plugin loads an engine before it is used."""
    code = f"import sys, {module}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"connexion", "uvicorn", "faker", "httpx", "jsonschema_rs", "orjson", "yaml"}
    assert not heavy & {*run.stdout.split()}


def test_what_the_package_offers_is_listed() -> None:
    """And nothing else is made up."""
    assert {"serve", "in_process", "connect", "LiveMock"} <= set(dir(mockexec))
    with pytest.raises(AttributeError, match="no attribute 'sevre'"):
        _ = mockexec.sevre  # type: ignore[attr-defined]  # the case in question
