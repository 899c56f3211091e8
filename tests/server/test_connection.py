"""What a client sees of a connection, byte by byte, whichever way its requests are answered."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockexec.server.run import BackgroundServer

HOST = b"Host: localhost\r\n"


class Echo:
    """Answers with what it was asked; by the path, at once or after waiting, whole or in parts."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.seen: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path = scope["path"]
        self.seen.append(path)
        if path == "/broken":
            raise LookupError("on purpose")
        if path == "/silent":
            return
        body = await self._body(receive)
        if path == "/waits":
            await asyncio.sleep(0)
            await asyncio.get_running_loop().run_in_executor(None, self.go_on.wait, 30)
        said = f"{scope['method']} {path}?{scope['query_string'].decode()} {len(body)}".encode()
        if path == "/long":
            said *= 10_000
        headers = [(b"content-type", b"text/plain")]
        if path == "/closes":
            headers.append((b"connection", b"close"))
        if path == "/parts":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": said[:3], "more_body": True})
            await send({"type": "http.response.body", "body": said[3:]})
            return
        headers.append((b"content-length", b"%d" % len(said)))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    async def _body(self, receive: Any) -> bytes:
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        return b"".join(parts)

    async def _live(self, receive: Any, send: Any) -> None:
        for told in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{told}.complete"})


@contextmanager
def connected(app: Echo) -> Iterator[socket.socket]:
    """A connection to a server that serves it."""
    with BackgroundServer(app) as server:
        address = urlsplit(server.url)
        with socket.create_connection((str(address.hostname), int(address.port or 0)), 30) as line:
            yield line


def answers(line: socket.socket, count: int) -> list[tuple[int, dict[bytes, bytes], bytes]]:
    """(status, headers, body) of so many answers with a length."""
    found = []
    with closing(line.makefile("rb")) as stream:
        for _ in range(count):
            status = int(stream.readline().split()[1])
            headers: dict[bytes, bytes] = {}
            while (text := stream.readline().rstrip(b"\r\n")) != b"":
                name, _, value = text.partition(b": ")
                headers[name] = value
            found.append((status, headers, stream.read(int(headers.get(b"content-length", b"0")))))
    return found


def until_closed(line: socket.socket) -> bytes:
    """Everything that comes until the server closes."""
    return b"".join(iter(lambda: line.recv(65536), b""))


def test_requests_on_one_connection_are_answered_one_after_the_other() -> None:
    """Each answer has its length and the date, and the connection stays open."""
    with connected(Echo()) as line:
        for number in range(3):
            line.sendall(b"GET /n?x=%d HTTP/1.1\r\n" % number + HOST + b"\r\n")
            ((status, headers, body),) = answers(line, 1)
            assert (status, body) == (200, b"GET /n?x=%d 0" % number)
            assert b"date" in headers
            assert b"connection" not in headers


def test_many_requests_sent_ahead_are_answered_in_order() -> None:
    """A thousand of them in one go, of which some wait."""
    app = Echo()
    app.go_on.set()
    paths = [b"/waits" if number % 100 == 50 else b"/%d" % number for number in range(1000)]
    with connected(app) as line:
        sent = b"".join(b"GET %s HTTP/1.1\r\n" % path + HOST + b"\r\n" for path in paths)
        threading.Thread(target=line.sendall, args=(sent,)).start()
        assert [body for _, _, body in answers(line, 1000)] == [b"GET %s? 0" % p for p in paths]


def test_answers_of_any_kind_keep_their_order() -> None:
    """Sent ahead in one go: short and long, in parts, after waiting; the last one closes."""
    app = Echo()
    app.go_on.set()
    paths = [b"/a", b"/parts", b"/long", b"/b", b"/waits", b"/long", b"/parts", b"/c", b"/closes"]
    with connected(app) as line:
        sent = b"".join(b"GET %s HTTP/1.1\r\n" % path + HOST + b"\r\n" for path in paths)
        threading.Thread(target=line.sendall, args=(sent,)).start()
        told = until_closed(line)
    assert told.count(b"HTTP/1.1 200 ") == len(paths)
    assert told.count(b"GET /long? 0") == 20_000
    # In chunks, the method stands apart from its path.
    named = re.findall(rb"(/[a-z]+)\? 0", told)
    assert [path for path, _ in groupby(named)] == paths


def test_many_clients_at_once_are_all_answered() -> None:
    """More of them than answers are held back for; those that have left hold nobody up."""
    with BackgroundServer(Echo()) as server, ExitStack() as lines:
        address = (str(urlsplit(server.url).hostname), int(urlsplit(server.url).port or 0))
        clients = [lines.enter_context(socket.create_connection(address, 30)) for _ in range(100)]
        for number, client in enumerate(clients):
            client.sendall(b"GET /%d HTTP/1.1\r\n" % number + HOST + b"\r\n")
        for client in clients[::10]:
            # Closed with the answer unread, or before it was sent: reset either way.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        for number, client in enumerate(clients):
            if number % 10:
                assert answers(client, 1)[0][2] == b"GET /%d? 0" % number


def test_a_request_that_waits_does_not_hold_up_others() -> None:
    """It goes on as a task; another connection is answered meanwhile."""
    app = Echo()
    with BackgroundServer(app) as server:
        address = (str(urlsplit(server.url).hostname), int(urlsplit(server.url).port or 0))
        with (
            socket.create_connection(address, 30) as one,
            socket.create_connection(address, 30) as two,
        ):
            one.sendall(b"GET /waits HTTP/1.1\r\n" + HOST + b"\r\n")
            two.sendall(b"GET /other HTTP/1.1\r\n" + HOST + b"\r\n")
            assert answers(two, 1)[0][2] == b"GET /other? 0"
            app.go_on.set()
            assert answers(one, 1)[0][2] == b"GET /waits? 0"


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_a_body_may_come_in_pieces(pieces: int) -> None:
    """With its head, or after it."""
    body = b"x" * 70
    sent = b"POST /b HTTP/1.1\r\n" + HOST + b"Content-Length: 70\r\n\r\n" + body
    size = -(-len(sent) // pieces)
    with connected(Echo()) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(sent), size):
            line.sendall(sent[start : start + size])
        assert answers(line, 1)[0][2] == b"POST /b? 70"


def test_a_body_may_be_large_and_chunked() -> None:
    """It is read to its end although it does not fit into what is read ahead."""
    size = 300_000
    head = b"POST /b HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (1000, b"y" * 1000) for _ in range(size // 1000))
    with connected(Echo()) as line:
        line.sendall(head + chunks + b"0\r\n\r\n")
        assert answers(line, 1)[0][2] == b"POST /b? %d" % size


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    """``Expect: 100-continue``."""
    with connected(Echo()) as line:
        line.sendall(
            b"POST /b HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert answers(line, 1)[0][0] == 100
        line.sendall(b"{}")
        assert answers(line, 1)[0][2] == b"POST /b? 2"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /x HTTP/1.0\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /closes HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_a_connection_that_is_to_close_closes(head: bytes) -> None:
    """After the answer, which says so once."""
    with connected(Echo()) as line:
        line.sendall(head)
        told = until_closed(line)
        assert told.startswith(b"HTTP/1.1 200 OK\r\n")
        assert told.count(b"connection: close\r\n") == 1
        assert told.endswith(b"? 0")


def test_an_answer_in_parts_goes_out_in_chunks() -> None:
    """Where its length is not known beforehand."""
    with connected(Echo()) as line:
        line.sendall(b"GET /parts HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        head, _, body = until_closed(line).partition(b"\r\n\r\n")
        assert b"transfer-encoding: chunked" in head
        assert body == b"3\r\nGET\r\na\r\n /parts? 0\r\n0\r\n\r\n"


def test_the_answer_to_head_has_no_body() -> None:
    """But the length that it would have, and the connection goes on."""
    with connected(Echo()) as line:
        line.sendall(b"HEAD /x HTTP/1.1\r\n" + HOST + b"\r\nGET /y HTTP/1.1\r\n" + HOST + b"\r\n")
        with closing(line.makefile("rb")) as stream:
            head = b"".join(iter(stream.readline, b"\r\n"))
            assert b"content-length: 10\r\n" in head
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("path", ["broken", "silent"])
def test_an_application_that_fails_gets_a_500(path: str) -> None:
    """Also where it fails before it waits for anything, outside of any task."""
    with connected(Echo()) as line:
        line.sendall(b"GET /%s HTTP/1.1\r\n" % path.encode() + HOST + b"\r\n")
        assert until_closed(line).startswith(b"HTTP/1.1 500 ")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/a%20b?q=%20", b"/a b?q=%20"),
        (b"http://localhost/a?b=c", b"/a?b=c"),
        (b"http://localhost", b"/?"),
        (b"/a?b?c", b"/a?b?c"),
        (b"/a?b=c#d", b"/a?b=c"),
        (b"//a", b"//a?"),
        (b"*", b"*?"),
    ],
)
def test_targets_are_read_as_paths_and_queries(target: bytes, path: bytes) -> None:
    """In origin and in absolute form."""
    with connected(Echo()) as line:
        line.sendall(b"GET %s HTTP/1.1\r\n" % target + HOST + b"\r\n")
        assert answers(line, 1)[0][2] == b"GET %s 0" % path


@pytest.mark.parametrize("garbage", [b"nonsense\r\n\r\n", b"\x00\r\n\r\n"])
def test_what_is_no_request_is_refused(garbage: bytes) -> None:
    """With 400, and the connection closes; the next one is served."""
    app = Echo()
    with connected(app) as line:
        line.sendall(garbage)
        assert until_closed(line).startswith(b"HTTP/1.1 400 ")
        with socket.create_connection(line.getpeername(), 30) as another:
            another.sendall(b"GET /x HTTP/1.1\r\n" + HOST + b"\r\n")
            assert answers(another, 1)[0][0] == 200


def test_what_came_before_garbage_is_answered_first() -> None:
    """Also when both came in one packet."""
    with connected(Echo()) as line:
        line.sendall(b"GET /x HTTP/1.1\r\n" + HOST + b"\r\nnonsense\r\n\r\n")
        told = until_closed(line)
        assert told.startswith(b"HTTP/1.1 200 ")
        assert b"\r\n\r\nGET /x? 0HTTP/1.1 400 " in told


def test_a_request_whose_body_is_garbage_is_refused() -> None:
    """Nothing is done for it."""
    app = Echo()
    with connected(app) as line:
        line.sendall(b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert until_closed(line).startswith(b"HTTP/1.1 400 ")
    assert app.seen == []


def test_a_client_that_leaves_in_the_middle_is_forgotten() -> None:
    """Its request ends, others are answered, and the server stops in good order."""
    app = Echo()
    with connected(app) as line:
        address = line.getpeername()
        line.sendall(b"POST /b HTTP/1.1\r\n" + HOST + b"Content-Length: 70\r\n\r\nhalf")
        line.shutdown(socket.SHUT_RDWR)
        with socket.create_connection(address, 30) as another:
            another.sendall(b"GET /x HTTP/1.1\r\n" + HOST + b"\r\n")
            assert answers(another, 1)[0][0] == 200
