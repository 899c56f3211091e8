"""Requests that ask for another protocol, as Java's client does with every one: they are answered."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from mockexec import catalog
from mockexec.server.app import App
from mockexec.server.mock import Mock
from mockexec.server.run import BackgroundServer
from mockexec.simulation.clock import Clock

PROJECT = "7a3f1c52-9d0e-4b86-8f14-2c6b5e0d9a71"
HEAD = (
    "Host: localhost\r\nAuthorization: Bearer sk_devPolos7a3f1c529d0e4b868f142c6b\r\n"
    f"X-Project-ID: {PROJECT}\r\nContent-Type: application/json\r\n"
)
WISHES = {
    "none": "",
    "h2c": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIA\r\n",
    "websocket": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
}
LIST = "/polos/api/v1/workflows/runs?workflow_id=mine"
BODIES = {
    "by length": 'Content-Length: 15\r\n\r\n{"payload": 42}',
    "in chunks": 'Transfer-Encoding: chunked\r\n\r\n9\r\n{"payload\r\n6\r\n": 42}\r\n0\r\nX-Trailer: 1\r\n\r\n',
}


@pytest.fixture
def line() -> Iterator[socket.socket]:
    """A connection to a mock of Polos."""
    mock = Mock([catalog.api("polos")], catalog.scenario, clock=Clock("frozen"))
    with BackgroundServer(App(mock)) as server:
        address = urlsplit(server.url)
        with closing(socket.create_connection((address.hostname, address.port), 20)) as found:
            yield found


def start(wish: str, framing: str) -> bytes:
    """A request that starts a run."""
    target = "/polos/api/v1/workflows/mine/run"
    return f"POST {target} HTTP/1.1\r\n{HEAD}{WISHES[wish]}{BODIES[framing]}".encode()


def listing(wish: str, more: str = "") -> bytes:
    """A request for the runs."""
    return f"GET {LIST} HTTP/1.1\r\n{HEAD}{WISHES[wish]}{more}\r\n".encode()


def answers(line: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """(status, body) of so many answers."""
    received = b""
    found: list[tuple[int, bytes]] = []
    while len(found) < count:
        head, blank, rest = received.partition(b"\r\n\r\n")
        fields = head.lower().split(b"\r\n")
        length = next((int(f[16:]) for f in fields if f.startswith(b"content-length: ")), 0)
        if blank and len(rest) >= length:
            found.append((int(head[9:12]), rest[:length]))
            received = rest[length:]
        else:
            chunk = line.recv(65536)
            assert chunk, "the connection was closed"
            received += chunk
    assert received == b""
    return found


@pytest.mark.parametrize("framing", BODIES)
@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_its_body_is_read_and_the_connection_goes_on(
    line: socket.socket, wish: str, framing: str, piece: int
) -> None:
    """However it comes in: byte by byte, in pieces, with further requests sent ahead."""
    sent = start(wish, framing) + listing(wish) + start("none", framing) + listing("none")
    for begin in range(0, len(sent), piece):
        line.sendall(sent[begin : begin + piece])
    (started, _), (one, first), (again, _), (two, both) = answers(line, 4)
    assert [started, one, again, two] == [200] * 4
    assert first.count(b'"payload":42') == 1
    assert both.count(b'"payload":42') == 2
    line.sendall(listing(wish))
    assert answers(line, 1) == [(200, both)]


@pytest.mark.parametrize("more", ["Content-Length: 0\r\n", "Content-Length: 00\r\n"])
def test_one_without_a_body_is_answered_at_once(line: socket.socket, more: str) -> None:
    """A length of nothing is no body to wait for."""
    line.sendall(listing("h2c", more) + listing("h2c"))
    assert answers(line, 2) == [(200, b"[]")] * 2


def test_a_thousand_sent_ahead_are_answered_in_turn(line: socket.socket) -> None:
    """Each by itself."""
    line.sendall(listing("h2c") * 1000)
    assert answers(line, 1000) == [(200, b"[]")] * 1000


def test_what_is_no_request_is_still_refused(line: socket.socket) -> None:
    """After one whose wish was overlooked, as after any other."""
    line.sendall(start("h2c", "by length"))
    ((status, _),) = answers(line, 1)
    assert status == 200
    line.sendall(b"NO REQUEST AT ALL\r\n\r\n")
    received = b""
    while chunk := line.recv(65536):
        received += chunk
    assert received.startswith(b"HTTP/1.1 400 Bad Request")


@pytest.mark.parametrize("framing", ["Transfer-Encoding: gzip", "Transfer-Encoding: chunked, gzip"])
def test_a_body_whose_end_cannot_be_told_is_refused(line: socket.socket, framing: str) -> None:
    """As without the wish, where the parser sees it at once."""
    line.sendall(listing("h2c", f"{framing}\r\n") + b"x")
    received = b""
    while chunk := line.recv(65536):
        received += chunk
    assert received.startswith(b"HTTP/1.1 400 Bad Request")
