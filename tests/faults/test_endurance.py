"""Ten thousand struck requests: the server stays alive, correct, and as small as before."""

from __future__ import annotations

import gc
import socket
import tracemalloc
from urllib.parse import urlsplit

from tests.faults.wire import Server, Wired, served

PATH = "/thand/api/v1/executions"
KINDS = (
    {"kind": "status", "status": 503, "when": {"every": 7}},
    {"kind": "rate_limit", "when": {"every": 11}},
    {"kind": "expired_token", "when": {"every": 13}},
    {"kind": "latency", "delay": "1ms", "turns_clock": True, "when": {"every": 3}},
    {"kind": "slow_body", "chunk_bytes": 500, "pause": "0s", "when": {"every": 5}},
    {"kind": "truncated_body", "when": {"every": 8}},
    {"kind": "malformed_json", "when": {"every": 9}},
    {"kind": "stale_read", "when": {"every": 4}},
    {"kind": "duplicate_page", "when": {"every": 6}},
    {"kind": "disconnect", "when": {"every": 17}},
    {"kind": "disconnect", "after_bytes": 30, "when": {"every": 19}},
)
# The first thousands fill what is bounded: the journal, caches, the allocator's pools.
WARM, MEASURED = 2500, 7500
GROWTH_MAX_BYTES = 512 * 1024


def strike(server: Server, wired: Wired, count: int) -> int:
    """Sends requests on connections that are kept while they live; returns how many were cut."""
    address = urlsplit(server.url)
    request = (
        f"GET /@{wired.name}{PATH} HTTP/1.1\r\nHost: localhost\r\n"
        "Authorization: Bearer thand-dev-token\r\n\r\n"
    ).encode()
    line: socket.socket | None = None
    cuts = 0
    for _ in range(count):
        line = line or socket.create_connection((address.hostname, address.port), timeout=30)
        line.sendall(request)
        if not answered(line):
            line.close()
            line = None
            cuts += 1
    if line is not None:
        line.close()
    return cuts


def answered(line: socket.socket) -> bool:
    """Reads one answer; says whether it came whole."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = line.recv(65536)
        if not chunk:
            return False
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        int(field[15:]) for field in head.lower().split(b"\r\n") if field.startswith(b"content-len")
    )
    while len(body) < length:
        chunk = line.recv(65536)
        if not chunk:
            return False
        body += chunk
    return True


def test_ten_thousand_mixed_faults_leave_memory_flat() -> None:
    """What Python holds grows by less than half a megabyte over the last 7,500 of them."""
    with served("thand") as server, server.session() as wired:
        for body in KINDS:
            wired.control("POST", "/faults", json=body)
        tracemalloc.start()
        try:
            assert strike(server, wired, WARM)
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            assert strike(server, wired, MEASURED)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert after - before < GROWTH_MAX_BYTES
        wired.control("DELETE", "/faults")
        assert wired.get(PATH).json()["executions"]
