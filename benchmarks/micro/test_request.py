"""What a request goes through, part by part, and whole requests in process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import Served, serve

from conftest import WORKFLOW
from mockexec.http.call import Call, Reply
from mockexec.http.remembered import forget
from mockexec.server.bodies import BodyReader
from mockexec.server.parameters import Decoder, QueryReader
from mockexec.server.replies import ReplyChecker, encode
from mockexec.server.routing import Router
from mockexec.spec.operations import Operation
from mockexec.spec.schemas import Schemas

Benchmark = Callable[..., Any]
LIST = f"/sailpoint/v3/workflows/{WORKFLOW}/executions"
INPUT = b'{"input":{"identity":{"id":"ee769173319b41d19ccec6cea52f237b","name":"john.doe"}}}'
JSON = [
    (b"content-type", b"application/json"), (b"content-length", str(len(INPUT)).encode()),
]  # fmt: skip


@pytest.fixture
def schemas(huge: Served) -> Schemas:
    """Those of the document."""
    return huge.mock.apis["sailpoint"].schemas


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """The usual scenario, in which executions may be started."""
    with serve("sailpoint", strict=False) as one:
        yield one


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """What runs whole requests."""
    one = asyncio.new_event_loop()
    yield one
    one.close()


@pytest.fixture
def page(huge: Served) -> Any:
    """Twenty of them."""
    return huge.get(f"{LIST}?limit=20").json()


def test_routing(benchmark: Benchmark) -> None:
    """The last of 403 paths, by another id each time, as nothing is remembered then."""
    router: Router[int] = Router()
    for number in range(403):
        router.add(f"/resource{number:03}/{{id}}", "GET", number)
    paths = iter(range(10**9))
    match = benchmark(lambda: router.find(f"/resource402/{next(paths)}"))
    assert match.plans == {"GET": 402}


def test_query(benchmark: Benchmark, operations: dict[str, Operation], schemas: Schemas) -> None:
    """Four parameters of three types decoded and checked."""
    parameters = operations["getWorkflowExecutions"].parameters
    decoders = [Decoder(each, schemas) for each in parameters if each.location == "query"]
    reader = QueryReader(decoders, strict=True, credentials=frozenset())

    def read() -> dict[str, Any]:
        values: dict[str, Any] = {}
        violations: list[Any] = []
        reader.read(
            "limit=20&offset=40&count=true&filters=status%20eq%20%22Failed%22", values, violations
        )
        assert not violations
        return values

    assert benchmark(read)["filters"] == 'status eq "Failed"'


def test_body(
    benchmark: Benchmark, huge: Served, operations: dict[str, Operation], schemas: Schemas
) -> None:
    """A JSON body read, parsed, checked, and searched for what the document does not know."""
    body = operations["testWorkflow"].body
    assert body is not None
    reader = BodyReader(body, schemas, strict=True, max_bytes=1 << 20)
    session, settings = huge.mock.base, huge.mock.settings
    call = Call(
        session, "sailpoint", settings, "POST", "http", "/sailpoint", "/x", "", JSON, dict(JSON)
    )

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": INPUT, "more_body": False}

    def read() -> None:
        # Nothing in it waits, so that one step is all of it.
        with pytest.raises(StopIteration):
            reader.read(call, receive).send(None)  # type: ignore[attr-defined]  # a coroutine

    benchmark(read)
    assert "input" in call.body


def test_reply_check(
    benchmark: Benchmark, operations: dict[str, Operation], schemas: Schemas, page: Any
) -> None:
    """A list of twenty held against the document."""
    checker = ReplyChecker(operations["getWorkflowExecutions"], schemas)
    assert benchmark(checker.check, Reply(200, page)) == []


def test_encode(benchmark: Benchmark, page: Any) -> None:
    """Body and headers of a list of twenty."""
    body, _headers = benchmark(encode, Reply(200, page, (("X-Total-Count", "20"),)), ())
    assert body.startswith(b"[{")


@pytest.mark.parametrize("remembers", [True, False], ids=["again", "first time"])
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/sailpoint/v3/workflow-executions/{id}", b"", 200),
        ("GET", f"{LIST}?limit=20", b"", 200),
        ("GET", f"{LIST}?limit=20&filters=status%20eq%20%22Completed%22", b"", 200),
        ("POST", f"/sailpoint/v3/workflows/{WORKFLOW}/test", INPUT, 200),
        ("GET", f"{LIST}?limit=251", b"", 400),
        ("GET", "/sailpoint/v3/nowhere", b"", 404),
    ],
    ids=["one", "list", "filter", "create", "400", "404"],
)
def test_request(
    benchmark: Benchmark,
    served: Served,
    loop: asyncio.AbstractEventLoop,
    method: str,
    path: str,
    body: bytes,
    status: int,
    remembers: bool,
) -> None:
    """A whole request, without a socket; ``first time``: no wire form is remembered yet."""
    first = served.get(f"{LIST}?limit=1").json()[0]["id"]
    ask = _asking(served, loop, method, path.format(id=first), body)

    def once() -> int:
        if not remembers:
            forget()
        return ask()

    assert benchmark(once) == status


def _asking(
    served: Served, loop: asyncio.AbstractEventLoop, method: str, target: str, body: bytes
) -> Callable[[], int]:
    """A function that sends one request and tells the status."""
    path, _, query = target.partition("?")
    headers = [
        (b"host", b"bench"), (b"authorization", f"Bearer {served.token('sailpoint')}".encode()),
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
    ]  # fmt: skip
    heads: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if "status" in message:
            heads[:] = [message["status"]]

    def ask() -> int:
        scope = {
            "type": "http", "method": method, "scheme": "http", "path": path, "headers": headers,
            "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        }  # fmt: skip
        loop.run_until_complete(served.app(scope, receive, send))
        return heads[0]

    return ask
