"""The server itself: real sockets and processes."""

from __future__ import annotations

import gc
import http.client
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from mockexec import catalog
from mockexec.errors import MockexecError, UsageError
from mockexec.server.app import App
from mockexec.server.connection import Connection
from mockexec.server.mock import Mock
from mockexec.server.run import BackgroundServer, base_url, bind
from mockexec.simulation.clock import Clock

# How long Ctrl-C may take; the second that is promised, and what a busy machine adds.
STOP_MAX_S = 3


def app() -> App:
    """The application of one API."""
    return App(Mock([catalog.api("thand")], catalog.scenario, clock=Clock("frozen")))


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``mockexec serve`` as a process of its own, and its address."""
    command = [sys.executable, "-m", "mockexec", "serve", "--port", "0", "--api", "thand"]
    started = subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert started.stdout is not None
        lines = iter(started.stdout.readline, "")
        address = next(line.split()[1] for line in lines if line.startswith("thand "))
        yield started, address
    finally:
        started.kill()
        started.communicate()


def test_a_background_server_answers_and_stops() -> None:
    """On a port of its own choice, until its context ends."""
    with BackgroundServer(app()) as server:
        assert httpx.get(f"{server.url}/_mockexec/health").json() == {"status": "ok"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/_mockexec/health")


@pytest.mark.parametrize("linger", [b"", struct.pack("ii", 1, 0)], ids=["closed", "broken off"])
def test_a_connection_that_has_ended_leaves_nothing_behind(linger: bytes) -> None:
    """It is freed at once, not when the collector comes or the time to keep it alive is over."""
    gc.collect()
    gc.disable()
    others = _connections()
    try:
        with BackgroundServer(app()) as server, httpx.Client(base_url=server.url) as client:
            for _ in range(5):
                _ask_and_go(server.url, linger)
            # The server hears of the end of a connection before it answers what comes later.
            for _ in range(50):
                client.get("/_mockexec/health")
                if _connections() == others + 1:
                    break
            assert _connections() == others + 1
    finally:
        gc.enable()


def _ask_and_go(url: str, linger: bytes) -> None:
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        if linger:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.sendall(b"GET /_mockexec/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"


def _connections() -> int:
    """How many of the server's connections are in memory."""
    return sum(type(each) is Connection for each in gc.get_objects())


def test_several_servers_run_side_by_side() -> None:
    """Each with a world of its own."""
    with BackgroundServer(app()) as one, BackgroundServer(app()) as other:
        assert one.url != other.url
        httpx.post(f"{one.url}/_mockexec/clock/advance", json={"by": "1h"})
        clocks = [httpx.get(f"{server.url}/_mockexec/clock").json() for server in (one, other)]
    assert clocks[0]["now"] > clocks[1]["now"]


def test_a_server_that_cannot_start_says_so() -> None:
    """An application that fails at its start is an error, not a wait without end."""

    async def broken(scope: object, receive: object, send: object) -> None:
        raise RuntimeError("this application never starts")

    with pytest.raises(MockexecError, match="could not start"), BackgroundServer(broken):
        pytest.fail("it must not come so far")


def test_only_the_application_and_the_date_speak_in_headers() -> None:
    """No server software is named, so that answers are the same with every release of it."""
    with BackgroundServer(app()) as server:
        headers = httpx.get(f"{server.url}/_mockexec/health").headers
    assert set(headers) == {"date", "content-type", "content-length"}


def test_a_taken_port_is_told_in_one_line() -> None:
    """Both by the function and by the command, which ends with exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} on 127.0.0.1 is taken"):
            bind("127.0.0.1", port)
        command = [sys.executable, "-m", "mockexec", "serve", "--port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"mockexec: port {port} on 127.0.0.1 is taken; choose another")


def test_an_unknown_host_is_told_in_one_line() -> None:
    """A name that no machine has cannot be listened on."""
    with pytest.raises(UsageError, match=r"cannot listen on host 'no\.such\.invalid'"):
        bind("no.such.invalid", 0)


def test_addresses_are_written_as_a_client_can_use_them() -> None:
    """All interfaces are shown as this machine, IPv6 in brackets."""
    with bind("0.0.0.0", 0) as everywhere:  # noqa: S104  # the case in question
        assert base_url(everywhere) == f"http://127.0.0.1:{everywhere.getsockname()[1]}"
    if socket.has_ipv6:
        with bind("::1", 0) as local:
            assert base_url(local) == f"http://[::1]:{local.getsockname()[1]}"


def test_requests_are_not_logged() -> None:
    """Whatever is asked, the command prints nothing after its table."""
    with process() as (started, address):
        for path in ("/api/v1/executions", "/nowhere", "/docs"):
            httpx.get(address + path)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=STOP_MAX_S)
    assert err == ""
    assert "GET" not in out
    assert started.returncode == 0


def test_ctrl_c_stops_at_once_with_an_open_connection() -> None:
    """A client that keeps its connection does not hold the server up."""
    with process() as (started, address):
        connection = http.client.HTTPConnection(urlsplit(address).netloc)
        connection.request("GET", "/thand/openapi.json")
        connection.getresponse().read()
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=STOP_MAX_S)
        connection.close()
    assert started.returncode == 0


def test_ctrl_c_stops_at_once_with_a_request_in_flight() -> None:
    """A client that never sends the rest of its body does not hold the server up."""
    with process() as (started, address):
        host = urlsplit(address)
        with socket.create_connection((host.hostname, host.port)) as client:
            client.sendall(
                b"POST /thand/api/v1/execution HTTP/1.1\r\nHost: x\r\n"
                b"Authorization: Bearer thand-dev-token\r\n"
                b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            )
            # Answered on another connection: by then the first request is with the application.
            assert httpx.get(f"{address}/openapi.json").status_code == 200
            started.send_signal(signal.SIGINT)
            started.communicate(timeout=STOP_MAX_S)
    assert started.returncode == 0


def test_sigterm_stops_it_too() -> None:
    """As a container is stopped."""
    with process() as (started, address):
        assert httpx.get(f"{address}/openapi.json").status_code == 200
        started.terminate()
        started.communicate(timeout=STOP_MAX_S)
    assert started.returncode in {0, -signal.SIGTERM}


def test_clients_that_come_while_it_loads_wait_for_it() -> None:
    """The socket listens from the moment it is bound."""
    sock = bind("127.0.0.1", 0)
    address = base_url(sock)
    answers: list[int] = []
    waiting = threading.Thread(
        target=lambda: answers.append(httpx.get(f"{address}/early", timeout=30).status_code)
    )
    waiting.start()
    sock.settimeout(30)
    connection, _ = sock.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    waiting.join()
    sock.close()
    assert answers == [204]
