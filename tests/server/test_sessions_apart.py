"""Many sessions at once on a large base: none of them ever notices another.

Random requests of all sessions take turns, some at the same time, on one mock; then each session's
requests are played alone, in a process in which nothing else was ever asked. The answers must be
the same to the byte.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockexec.server.app import App
from mockexec.simulation.session import Session, Sessions
from tests.server.session_play import FATES, Alone, Answer, Asked, ask, make_mock

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the lonely mock is a forked one")

JSON = [("content-type", "application/json")]
# What an answer may hold that another request can name.
_IDS = re.compile(r'"(?:id|execution_id|executionId|processId)": ?"([^"]{3,600})"')
_TOKENS = re.compile(r'"access_token": ?"([^"]+)"')

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 503, "when": {"every": 2}},
    {"kind": "rate_limit", "when": {"nth": 2}},
    {"kind": "expired_token", "when": {"probability": 0.4}},
    {"kind": "latency", "delay": "1s", "to": "50s", "turns_clock": True},
    {"kind": "latency", "delay": "1ms", "when": {"times": 2}},
    {"kind": "slow_body", "chunk_bytes": 100, "pause": "0s"},
    {"kind": "disconnect", "when": {"every": 3}},
    {"kind": "disconnect", "after_bytes": 20, "when": {"probability": 0.3}},
    {"kind": "truncated_body", "when": {"every": 2}},
    {"kind": "malformed_json", "when": {"times": 3}},
    {"kind": "stale_read"},
    {"kind": "duplicate_page", "when": {"every": 2}},
)
STATES = ("running", "waiting", "completed", "failed", "cancelled", "terminated")


class Player(NamedTuple):
    """A session: how it begins, and how its requests name it."""

    name: str
    begins: dict[str, Any] | None = None  # None: by its first use
    in_header: bool = False

    def first(self) -> Asked:
        """The request that begins it."""
        if self.begins is None:
            return self.asks("GET", "/_mockexec/clock")
        body = json.dumps({"name": self.name, **self.begins})
        return Asked("POST", "/_mockexec/sessions", JSON, body)

    def asks(
        self, method: str, path: str, headers: list[tuple[str, str]] | None = None, body: str = ""
    ) -> Asked:
        """A request of this session's."""
        headers = [*(headers or [])]
        if not self.name:
            return Asked(method, path, headers, body)
        if self.in_header:
            return Asked(method, path, [*headers, ("mockexec-session", self.name)], body)
        return Asked(method, f"/@{self.name}{path}", headers, body)

    def controls(self, method: str, path: str, body: Any = None) -> Asked:
        """A request to the control API."""
        path = f"/_mockexec{path}"
        if body is None:
            return self.asks(method, path)
        return self.asks(method, path, JSON, json.dumps(body))


# The base world too: what happens in it after a session has begun is no matter to that session.
PLAYERS = (
    Player(""),
    Player("first"),
    Player("header", in_header=True),
    Player("seeded", {"seed": 5}),
    Player("empty", {"scenario": "empty"}, in_header=True),
    Player("busy", {"scenario": "busy", "seed": 9}),
)


class Story:
    """Players on one mock: what each asked, and what it was answered."""

    def __init__(self, app: App, examples: list[dict[str, Any]]) -> None:
        self.app = app
        self.examples = examples
        # Everybody's: a session may well try what is another's.
        self.ids = ["exe-1", "wf_abc123"]
        self.tokens = ["nobody's"]
        self.asked: dict[str, list[Asked]] = {player.name: [] for player in PLAYERS}
        self.answered: dict[str, list[Answer]] = {player.name: [] for player in PLAYERS}

    async def together(self, asked: dict[str, Asked]) -> None:
        """Requests of several players at the same time."""
        answers = await asyncio.gather(*(ask(self.app, one) for one in asked.values()))
        for (name, one), answer in zip(asked.items(), answers, strict=True):
            self.asked[name].append(one)
            self.answered[name].append(answer)
            # Of a page one is enough; created ones come alone.
            self.ids += _IDS.findall(answer.body)[:1]
            self.tokens += _TOKENS.findall(answer.body)


# The number decides what is asked, and the name which of the names that anybody has seen is used.
Act = Callable[[Story, Player, int, int], Asked]


def _late(names: list[str], name: int) -> str:
    """A late one for a small number."""
    return names[-1 - name % len(names)]


def example(story: Story, player: Player, number: int, name: int) -> Asked:
    """The example of an operation, as it stands or by another id, token, page or path."""
    number, way = divmod(number, 7)
    told = story.examples[number % len(story.examples)]
    url, headers = urlsplit(told["url"]), dict(told["headers"])
    path = url.path
    if way in {1, 2} and "{" in told["path"]:
        path = _renamed(told["path"], path, _late(story.ids, name))
    if way == 3:
        path += "x"
    if way in {4, 6} and "Authorization" in headers:
        headers["Authorization"] = f"Bearer {_late(story.tokens, name)}"
    query = url.query
    if way == 5 and told["method"] == "GET" and not query:
        query = f"limit=3&offset={number % 7}&size=2&page={number % 3}"
    path = f"{path}?{query}" if query else path
    return player.asks(told["method"], path, list(headers.items()), told["body"] or "")


def _renamed(template: str, path: str, name: str) -> str:
    """The path with another value for the last parameter of its template."""
    parts, pieces = template.split("/"), path.split("/")
    position = max(place for place, part in enumerate(parts) if "{" in part) - len(parts)
    pieces[position] = re.sub(r"\{.*\}", name, parts[position])
    return "/".join(pieces)


def turn(story: Story, player: Player, number: int, name: int) -> Asked:
    """The clock: forward, to an instant, or until nothing moves."""
    del story, name
    number, way = divmod(number, 4)
    if way == 0:
        return player.controls("PUT", "/clock", {"now": f"2026-01-01T12:{number % 60:02}:00Z"})
    if way == 1:
        return player.controls("POST", "/clock/run-until-idle")
    by = f"{number % 24}h" if way == 2 else f"{number}s"
    return player.controls("POST", "/clock/advance", {"by": by})


def execution(story: Story, player: Player, number: int, name: int) -> Asked:
    """Seen, added, pushed along, by the control API."""
    number, way = divmod(number, 4)
    if way == 0:
        api = ("foundry", "frontdoor", "sailpoint", "thand", "polos")[number % 5]
        return player.controls("POST", "/executions", {"api": api})
    if way == 1:
        return player.controls("GET", f"/executions?limit=5&offset={number}")
    place = f"/executions/{_late(story.ids, name)}"
    if way == 2:
        return player.controls("GET", place)
    return player.controls("PATCH", place, {"state": STATES[number % len(STATES)]})


def fault(story: Story, player: Player, number: int, name: int) -> Asked:
    """Armed, listed, ended."""
    del story, name
    number, way = divmod(number, 5)
    if way == 0:
        return player.controls("DELETE", "/faults")
    if way == 1:
        return player.controls("GET", "/faults")
    body = FAULTS[number % len(FAULTS)]
    return player.controls("POST", "/faults", {"id": "mine", **body} if way == 2 else body)


def reset(story: Story, player: Player, number: int, name: int) -> Asked:
    """A fresh world: as the base began, or of another scenario and seed."""
    del story, name
    scenario, seed = FATES[number % len(FATES)]
    return player.controls("POST", "/reset", {"scenario": scenario, "seed": seed})


def snapshot(story: Story, player: Player, number: int, name: int) -> Asked:
    """Taken, listed, restored, deleted; what is not there is refused."""
    del story, name
    number, way = divmod(number, 5)
    place = f"/snapshots/snap-{number % 3 + 1}"
    if way == 0:
        return player.controls("GET", "/snapshots")
    if way == 1:
        return player.controls("DELETE", place)
    if way == 2:
        return player.controls("POST", f"{place}/restore")
    return player.controls("POST", "/snapshots", {"name": f"n{number}"})


def journal(story: Story, player: Player, number: int, name: int) -> Asked:
    """Read, exported, forgotten."""
    del story, name
    if number % 4 == 0:
        return player.controls("DELETE", "/journal")
    return player.controls("GET", "/journal" if number % 4 == 1 else "/journal.har?limit=3")


def look(story: Story, player: Player, number: int, name: int) -> Asked:
    """What the control API tells of the world as a whole, and of a request before it is made."""
    del name
    if number % 3:
        return player.controls("GET", "/clock" if number % 3 == 1 else "/apis")
    told = story.examples[number % len(story.examples)]
    url = urlsplit(told["url"])
    path = f"{url.path}?{url.query}" if url.query else url.path
    body = {"method": told["method"], "path": path, "headers": told["headers"]}
    if told["body"]:
        body["body"] = told["body"]
    return player.controls("POST", "/explain", body)


# What a test mostly does, it does here mostly.
ACTS: tuple[Act, ...] = (
    *[example] * 8, *[turn] * 2, *[execution] * 3, *[fault] * 3, reset, *[snapshot] * 2, journal,
    look,
)  # fmt: skip


class Step(NamedTuple):
    """Who does what; ``at_once``: while the step before is still under way."""

    player: Player
    act: Act
    number: int
    name: int
    at_once: bool


STEPS = st.lists(
    st.builds(
        Step, st.sampled_from(PLAYERS), st.sampled_from(ACTS), st.integers(0, 999),
        st.integers(0, 20), st.booleans(),
    ),
    min_size=100,
    max_size=200,
)  # fmt: skip


def batches(steps: list[Step]) -> Iterator[list[Step]]:
    """The steps, those together that go at once; never two of one player."""
    batch: list[Step] = []
    for step in steps:
        taken = {one.player.name for one in batch}
        if batch and (not step.at_once or step.player.name in taken):
            yield batch
            batch = []
        batch.append(step)
    if batch:
        yield batch


async def told(app: App, examples: list[dict[str, Any]], steps: list[Step]) -> Story:
    """All of it on one mock, whose base world begins afresh."""
    mock = app.mock
    mock.base = Session("", mock.fresh_world())
    mock.sessions = Sessions(mock.base)
    story = Story(app, examples)
    for player in PLAYERS:
        await story.together({player.name: player.first()})
    for batch in batches(steps):
        await story.together(
            {one.player.name: one.act(story, one.player, one.number, one.name) for one in batch}
        )
    return story


@pytest.fixture(scope="module")
def alone() -> Iterator[Alone]:
    """The lonely mock."""
    with Alone() as running:
        yield running


@pytest.fixture(scope="module")
def app() -> App:
    """The shared one, which every story goes on with: what the last one left must not matter."""
    made = App(make_mock())
    asyncio.run(made.start())
    return made


@pytest.fixture(scope="module")
def examples(app: App) -> list[dict[str, Any]]:
    """An example request for every operation, with the operation's path."""
    listed = asyncio.run(ask(app, Asked("GET", "/_mockexec/apis")))
    return [
        {**operation["example"], "path": operation["path"]}
        for api in json.loads(listed.body)
        for operation in api["operations"]
    ]


# Of what the profile says: playing each session alone costs more than the story.
@settings(max_examples=settings().max_examples // 4)
@given(steps=STEPS)
def test_no_session_notices_another(
    app: App, alone: Alone, examples: list[dict[str, Any]], steps: list[Step]
) -> None:
    """Each is answered as if it were alone, whatever the others do in between and at once."""
    story = asyncio.run(told(app, examples, steps))
    for name, asked in story.asked.items():
        answered = story.answered[name]
        for one, seen, expected in zip(asked, answered, alone.answers(asked), strict=True):
            assert seen == expected, (name, one)


def test_a_thousand_sessions_keep_their_own_changes(app: App) -> None:
    """Each with another clock and other executions, on one base, which stays as it was."""
    mock = app.mock
    mock.base = Session("", mock.fresh_world())
    mock.sessions = Sessions(mock.base)
    players = [Player(f"s{number}") for number in range(1000)]

    async def play() -> None:
        for turn in range(3):
            for number, player in enumerate(players):
                adds = turn < number % 3
                change = (
                    player.controls("POST", "/executions", {"api": "thand"})
                    if adds
                    else player.controls("POST", "/clock/advance", {"by": f"{number}ms"})
                )
                assert (await ask(app, change)).status == (201 if adds else 200)

    base = mock.base.world
    size, start_ns = len(base.realms["thand"].executions), base.now_ns
    asyncio.run(play())
    worlds = [session.world for session in mock.sessions]
    assert [len(world.realms["thand"].executions) - size for world in worlds] == [
        number % 3 for number in range(1000)
    ]
    assert [(world.clock.now_ns() - start_ns) // 10**6 for world in worlds] == [
        number * (3 - number % 3) for number in range(1000)
    ]
    assert (len(base.realms["thand"].executions), base.clock.now_ns()) == (size, start_ns)
