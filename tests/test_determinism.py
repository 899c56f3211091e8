"""The same seed, the same requests and the same clock moves give the same bytes."""

from __future__ import annotations

from typing import Any

import httpx

from mockexec import catalog
from mockexec.server.app import App
from mockexec.server.mock import Mock
from mockexec.server.run import BackgroundServer
from mockexec.simulation.clock import Clock

REQUESTS = 300


def run(scenario: str, seed: int) -> list[tuple[int, bytes, list[tuple[str, str]]]]:
    """Three hundred requests to a fresh mock of all APIs over a real socket."""
    apis = [catalog.api(name) for name in catalog.built_in_names()]
    mock = Mock(apis, catalog.scenario, scenario=scenario, seed=seed, clock=Clock("frozen"))
    with BackgroundServer(App(mock), port=0) as server, httpx.Client(base_url=server.url) as client:
        listed = client.get("/_mockexec/apis").json()
        examples = [operation["example"] for api in listed for operation in api["operations"]]
        return [exchange(client, server.url, examples, number) for number in range(REQUESTS)]


def exchange(
    client: httpx.Client, url: str, examples: list[dict[str, Any]], number: int
) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Every example in turn, now and then spoilt, and the clock turned in between."""
    if number % 11 == 10:
        response = client.post("/_mockexec/clock/advance", json={"by": "PT7M"})
    else:
        example = examples[number % len(examples)]
        target = example["url"] + ("x" if number % 5 == 4 else "")
        headers = {} if number % 13 == 12 else example["headers"]
        body = example["body"]
        content = body if isinstance(body, str | None) else None
        response = client.request(
            example["method"], target, headers=headers, content=content,
            json=None if isinstance(body, str | None) else body,
        )  # fmt: skip
    headers_sent = [
        (name, value.replace(url, "URL"))
        for name, value in response.headers.multi_items()
        if name != "date"
    ]
    return response.status_code, response.content.replace(url.encode(), b"URL"), headers_sent


def test_two_runs_are_the_same_to_the_byte() -> None:
    """Bodies and headers, but for Date; and they are not all refusals."""
    first, second = run("default", 7), run("default", 7)
    assert first == second
    assert sum(status < 300 for status, _, _ in first) > REQUESTS // 3


def test_another_seed_is_another_run() -> None:
    """Else the seed would mean nothing."""
    assert run("default", 1) != run("default", 2)
