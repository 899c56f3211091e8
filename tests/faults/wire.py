"""What the tests of faults share: a served mock, a session of one's own in it, and raw sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from mockexec import catalog
from mockexec.server.app import App
from mockexec.server.mock import Mock
from mockexec.server.run import BackgroundServer
from mockexec.simulation.clock import Clock


class Raw(NamedTuple):
    """What came over the wire until the other side closed."""

    head: bytes
    body: bytes

    @property
    def length(self) -> int:
        """The length that the head promises."""
        lines = self.head.lower().split(b"\r\n")
        return next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))


class Wired:
    """A session of a served mock: requests by httpx, or byte by byte."""

    def __init__(self, url: str, mock: Mock, name: str) -> None:
        self.mock = mock
        self.name = name
        self.base = f"{url}/@{name}"
        self._address = (str(urlsplit(url).hostname), int(urlsplit(url).port or 0))
        self.client = httpx.Client(base_url=self.base, timeout=30)
        self._tokens = {api["name"]: api["token"] for api in self.control("GET", "/apis").json()}

    def control(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request to the control API of this session."""
        response = self.client.request(method, f"/_mockexec{path}", **more)
        assert response.is_success, response.text
        return response

    def arm(self, kind: str, **fields: Any) -> str:
        """Arms a fault; returns its id."""
        fault_id: str = self.control("POST", "/faults", json={"kind": kind, **fields}).json()["id"]
        return fault_id

    def hits(self, fault_id: str) -> int:
        """How often it struck."""
        found: int = self.control("GET", f"/faults/{fault_id}").json()["hits"]
        return found

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request with the development token."""
        token = self._tokens[path.split("/")[1]]
        headers = {"authorization": f"Bearer {token}", **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET."""
        return self.send("GET", path, **more)

    def raw(self, path: str, method: str = "GET") -> Raw:
        """The answer to one request on a connection of its own, as bytes."""
        token = self._tokens[path.split("/")[1]]
        with socket.create_connection(self._address, timeout=30) as line:
            line.sendall(
                f"{method} /@{self.name}{path} HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
            )
            received = b"".join(iter(lambda: line.recv(65536), b""))
        head, _, body = received.partition(b"\r\n\r\n")
        return Raw(head, body)


class Server:
    """A server that gives every test a session."""

    def __init__(self, url: str, mock: Mock) -> None:
        self.url = url
        self.mock = mock
        self._count = 0

    @contextmanager
    def session(self) -> Iterator[Wired]:
        """A fresh session; afterwards the server must still answer."""
        self._count += 1
        wired = Wired(self.url, self.mock, f"t{self._count}")
        with closing(wired.client):
            yield wired
            assert wired.control("GET", "/health").json() == {"status": "ok"}


@contextmanager
def served(*names: str) -> Iterator[Server]:
    """The APIs (all, if none is named) on a real socket, with a frozen clock."""
    apis = [catalog.api(name) for name in names or catalog.built_in_names()]
    mock = Mock(apis, catalog.scenario, seed=1, clock=Clock("frozen"))
    with BackgroundServer(App(mock)) as server:
        yield Server(server.url, mock)
