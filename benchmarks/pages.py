"""What a page costs at a thousand, a hundred thousand and a million executions.

``python benchmarks/pages.py`` prints, for each API and kind of list, the time of one page in
process (no socket) and its ratio to the same page of the smallest world. Sizes take turns, and the
least of many repetitions counts, so that a busy machine disturbs the ratios little.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support import Served, serve

from mockexec import catalog
from mockexec.http.remembered import forget
from mockexec.simulation.instants import DAY, format_instant
from mockexec.simulation.world import Scenario

HUGE = 100_000
ROUNDS, REPEATS = 30, 5


def scaled(api: str, size: int) -> Scenario:
    """The scenario ``huge`` with about ``size`` executions."""
    scenario = catalog.scenario(api, "huge")

    def scale(part: Any) -> Any:
        return {**part, "count": max(1, part["count"] * size // HUGE)}

    history = scenario.data["history"]
    history = [scale(part) for part in history] if isinstance(history, list) else scale(history)
    return dataclasses.replace(scenario, data={**scenario.data, "history": history}, arrivals=())


def requests(api: str, now_ns: int) -> dict[str, tuple[str, str, str, bytes]]:
    """By kind of list: method, path, query, body. A range holds more than a page at any size."""
    since, until = (format_instant(now_ns - days * DAY) for days in (60, 1))
    if api == "sailpoint":
        path = "/sailpoint/workflows/d201c5d9-d37b-4a2f-af14-66414f39d568/executions"
        return {
            "unfiltered": ("GET", path, "limit=250", b""),
            "by time": ("GET", path, f"limit=250&filters=start_time%20ge%20{since}", b""),
            "by status": ("GET", path, "limit=250&filters=status%20eq%20%22Completed%22", b""),
        }
    if api == "frontdoor":
        path = "/frontdoor/3d6d2b6e-6c7a-4a7f-8c3d-9a9d2e1f0b1c/executions"
        return {
            "unfiltered": ("GET", path, "size=250", b""),
            "by time": ("GET", path, "size=250&page=2&sort=startedAt,desc", b""),
            "by status": ("GET", path, "size=250&sort=status", b""),
        }
    if api == "foundry":
        rid = "ri.function-registry.main.function.c26f11c8-cdb3-4f44-9f5d-9816ea1c82da"
        path = f"/foundry/api/v2/observability/resources/{rid}/listExecutions"
        window = f'"startTime":"{since}","endTime":"{until}","pageSize":100'
        where = ',"where":{"type":"eq","field":"status","value":"SUCCEEDED"}'
        return {
            "unfiltered": ("POST", path, "preview=true", f'{{"startTime":"{since}"}}'.encode()),
            "by time": ("POST", path, "preview=true", f"{{{window}}}".encode()),
            "by status": ("POST", path, "preview=true", f"{{{window}{where}}}".encode()),
        }
    if api == "polos":
        path = "/polos/api/v1/workflows/runs"
        return {
            "unfiltered": ("GET", path, "limit=250", b""),
            "by time": ("GET", path, f"limit=250&start_time={since}&end_time={until}", b""),
        }
    return {"unfiltered": ("GET", "/thand/api/v1/executions", "", b"")}


async def page_s(
    served: Served, request: tuple[str, str, str, bytes], token: str
) -> tuple[float, int]:
    """The time of one page, the least of a few, in seconds; and its length in bytes."""
    method, path, query, body = request
    headers = [
        (b"host", b"bench"), (b"authorization", f"Bearer {token}".encode()),
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
        (b"x-project-id", b"7a3f1c52-9d0e-4b86-8f14-2c6b5e0d9a71"),
    ]  # fmt: skip
    statuses, sizes = [], []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 200))
        sizes.append(len(message.get("body", b"")))

    least = float("inf")
    for _ in range(REPEATS):
        scope = {
            "type": "http", "method": method, "scheme": "http", "path": path, "headers": headers,
            "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        }  # fmt: skip
        forget()
        begun = perf_counter()
        await served.app(scope, receive, send)
        least = min(least, perf_counter() - begun)
    if set(statuses) != {200}:
        raise SystemExit(f"{path}?{query} answered {set(statuses)}")
    return least, max(sizes)


def main() -> None:
    """Measures and prints."""
    for api in sys.argv[1:] or catalog.built_in_names():
        sizes = [1_000, HUGE] + ([1_000_000] if api == "sailpoint" else [])
        worlds = []
        for size in sizes:
            mock = serve(api, scenario={api: scaled(api, size)}, strict=False)
            worlds.append((mock, mock.__enter__()))
        token = worlds[0][1].token(api)
        kinds = requests(api, worlds[0][1].world.now_ns)
        least = {(kind, size): float("inf") for kind in kinds for size in sizes}
        lengths: dict[tuple[str, int], int] = {}
        for _ in range(ROUNDS):
            for size, (_, served) in zip(sizes, worlds, strict=True):
                for kind, request in kinds.items():
                    seconds, length = asyncio.run(page_s(served, request, token))
                    least[kind, size] = min(least[kind, size], seconds)
                    lengths[kind, size] = length
        for kind in kinds:
            base = least[kind, sizes[0]]
            figures = []
            for size in sizes:
                # A shorter page is a faster one, and no measure (thand lists what still runs).
                is_same = 0.9 < lengths[kind, size] / lengths[kind, sizes[0]] < 1.1
                ratio = f"{least[kind, size] / base:.2f}" if is_same else "another page"
                figures.append(f"{size:>9,}: {least[kind, size] * 1e6:7.0f} µs ({ratio})")
            print(f"{api:10} {kind:11} {'  '.join(figures)}")
        for mock, _ in worlds:
            mock.__exit__(None, None, None)


if __name__ == "__main__":
    main()
