"""Sessions: private worlds in one process."""

from __future__ import annotations

import pytest

from mockexec import catalog
from mockexec.server.app import App
from mockexec.server.mock import Mock
from mockexec.simulation.clock import Clock
from mockexec.simulation.session import Session, Sessions, SessionsFull
from tests.support import Served, serve

LIST = "/thand/api/v1/executions"
FRONTDOOR = "3d6d2b6e-6c7a-4a7f-8c3d-9a9d2e1f0b1c"


def token(mock: Served) -> dict[str, str]:
    """Frontdoor's development token, where a path does not begin with the API's name."""
    return {"authorization": f"Bearer {mock.token('frontdoor')}"}


def total(mock: Served, prefix: str = "", **more: dict[str, str]) -> int:
    """How many executions a session has."""
    found: int = mock.get(f"{prefix}/_mockexec/executions", **more).json()["total"]
    return found


def test_a_session_is_a_world_of_its_own() -> None:
    """State, clock, faults and journal; by prefix or by header."""
    with serve("thand") as mock:
        before = total(mock)
        mock.post("/@a/_mockexec/executions", json={"api": "thand"})
        mock.post("/@a/_mockexec/clock/advance", json={"by": "1h"})
        mock.post("/@b/_mockexec/faults", json={"kind": "status"})
        assert [total(mock), total(mock, "/@a"), total(mock, "/@b")] == [before, before + 1, before]
        assert total(mock, headers={"mockexec-session": "a"}) == before + 1
        token = {"authorization": "Bearer thand-dev-token"}
        assert mock.get(f"/@b{LIST}", headers=token).status_code == 503
        assert mock.get(f"/@a{LIST}", headers=token).status_code == 200
        clocks = [mock.get(f"{p}/_mockexec/clock").json()["now"][11:16] for p in ("", "/@a", "/@b")]
        assert clocks == ["12:00", "13:00", "12:00"]
        journals = [len(mock.get(f"{p}/_mockexec/journal").json()) for p in ("", "/@a", "/@b")]
        assert journals == [0, 1, 1]


def test_links_stay_in_the_session() -> None:
    """HAL links and the document's servers begin with its prefix."""
    with serve("frontdoor") as mock:
        described = mock.get("/@mine/_mockexec/apis").json()
        assert described[0]["base_url"] == "http://mock.test/@mine/frontdoor"
        document = mock.get("/@mine/frontdoor/openapi.json").json()
        assert all("/@mine/frontdoor" in server["url"] for server in document["servers"])
        url = next(o for o in described[0]["operations"] if o["operation_id"] == "listExecutions")
        answer = mock.get(
            url["example"]["url"].removeprefix("http://mock.test"),
            headers=url["example"]["headers"],
        )
        links = answer.json()["_links"]
        assert all("/@mine/frontdoor/" in link["href"] for link in links.values())


def test_links_stay_in_a_session_that_a_header_chose() -> None:
    """They have its prefix, so that whoever follows them without the header is in it too."""
    mine = {"mockexec-session": "mine"}
    with serve("frontdoor") as mock:
        made = mock.post("/_mockexec/executions", json={"api": "frontdoor"}, headers=mine)
        assert made.headers["location"].startswith("/@mine/_mockexec/executions/")
        described = mock.get("/_mockexec/apis", headers=mine).json()
        assert described[0]["base_url"] == "http://mock.test/@mine/frontdoor"
        for name in ("openapi.json", "openapi.yaml", "docs"):
            told = mock.get(f"/frontdoor/{name}", headers=mine)
            assert told.content == mock.get(f"/@mine/frontdoor/{name}").content
        listing = f"/frontdoor/{FRONTDOOR}/executions?sort=createdAt,desc"
        answer = mock.get(listing, headers=mine).json()
        assert answer == mock.get(f"/@mine{listing}", headers=token(mock)).json()
        newest = answer["_embedded"]["executionList"][0]
        assert newest["id"] == made.json()["id"]
        href = newest["_links"]["self"]["href"].removeprefix("http://mock.test")
        assert mock.get(href, headers=token(mock)).json()["id"] == newest["id"]
        outside = href.removeprefix("/@mine")
        assert mock.get(outside).status_code == 404
        # What was asked for stands in the journal as it was asked for.
        har = mock.get("/_mockexec/journal.har", headers=mine).json()
        assert f"http://mock.test{listing}" in [e["request"]["url"] for e in har["log"]["entries"]]


def test_a_path_wins_over_a_header() -> None:
    """Its links are those of the session in the path, once."""
    with serve("frontdoor") as mock:
        other = {"mockexec-session": "other", **token(mock)}
        answer = mock.get(f"/@mine/frontdoor/{FRONTDOOR}/executions", headers=other).json()
        assert answer["_links"]["self"]["href"].startswith("http://mock.test/@mine/frontdoor/")
        assert [one["name"] for one in mock.get("/_mockexec/sessions").json()] == ["mine"]


def test_sessions_are_begun_listed_and_ended() -> None:
    """With a name of one's own or a given one."""
    with serve("thand") as mock:
        made = mock.post("/_mockexec/sessions", json={"name": "mine", "seed": 4})
        assert made.status_code == 201
        assert (made.json()["name"], made.json()["seed"]) == ("mine", 4)
        assert made.json()["base_path"] == "/@mine"
        given = mock.post("/_mockexec/sessions").json()["name"]
        assert [one["name"] for one in mock.get("/_mockexec/sessions").json()] == ["mine", given]
        assert mock.request("DELETE", "/_mockexec/sessions/mine").status_code == 204
        assert mock.request("DELETE", "/_mockexec/sessions/mine").status_code == 404


def test_a_session_begins_with_a_scenario_or_as_the_base_stands() -> None:
    """Beginning again replaces it."""
    with serve("thand") as mock:
        mock.post("/_mockexec/executions", json={"api": "thand"})
        mock.post("/_mockexec/sessions", json={"name": "s"})
        assert total(mock, "/@s") == total(mock)
        mock.post("/_mockexec/sessions", json={"name": "s", "scenario": "empty"})
        assert total(mock, "/@s") == 0
        refused = mock.post("/_mockexec/sessions", json={"name": "s", "scenario": "none such"})
        assert refused.status_code == 404
        assert total(mock, "/@s") == 0


def test_a_seed_tells_what_happens_from_now_on() -> None:
    """The same seed, the same ids; another, others."""
    with serve("thand") as mock:
        ids = []
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            mock.post("/_mockexec/sessions", json={"name": name, "seed": seed})
            arrived = mock.post(f"/@{name}/_mockexec/executions", json={"api": "thand"})
            ids.append(arrived.json()["id"])
        assert ids[0] == ids[1] != ids[2]


def test_a_reset_is_the_sessions_own() -> None:
    """The base world is left alone."""
    with serve("thand") as mock:
        mock.post("/_mockexec/executions", json={"api": "thand"})
        before = total(mock)
        mock.post("/@a/_mockexec/reset", json={"scenario": "empty"})
        assert (total(mock, "/@a"), total(mock)) == (0, before)


@pytest.mark.parametrize("name", ["", "a b", "%2F", "x" * 65, "ä"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """400, and no session begins."""
    with serve("thand") as mock:
        assert mock.get(f"/@{name}/_mockexec/clock").status_code == 400
        assert mock.post("/_mockexec/sessions", json={"name": name}).status_code == 400
        assert mock.get("/_mockexec/sessions").json() == []


def test_a_path_that_is_nowhere_begins_no_session() -> None:
    """Nor does a page of another origin."""
    with serve("thand", "polos") as mock:
        assert mock.get("/@a/nowhere").status_code == 404
        assert mock.get("/@a/_mockexec/clock", headers={"origin": "http://x"}).status_code == 403
        assert mock.get("/_mockexec/sessions").json() == []


def test_sessions_are_bounded_and_none_is_lost() -> None:
    """429 for one too many, on first use too."""
    mock = Mock([catalog.api("thand")], catalog.scenario, clock=Clock("frozen"), sessions_max=2)
    served = Served(mock)
    try:
        for name in "ab":
            assert served.get(f"/@{name}/_mockexec/clock").status_code == 200
        assert served.get("/@c/_mockexec/clock").status_code == 429
        assert served.post("/_mockexec/sessions").status_code == 429
        assert served.post("/_mockexec/sessions", json={"name": "a"}).status_code == 201
        served.request("DELETE", "/_mockexec/sessions/b")
        assert served.get("/@c/_mockexec/clock").status_code == 200
    finally:
        served.close()
    assert isinstance(served.app, App)


def test_idle_sessions_end_by_themselves_the_others_stay() -> None:
    """The longest unused go first; a used one is not idle."""
    with serve("thand") as mock:
        sessions = Sessions(Session("", mock.world), count_max=2, idle_max_ns=10**15)
        old, used = sessions.use("old"), sessions.use("used")
        with pytest.raises(SessionsFull):
            sessions.use("new")
        old.used_ns -= 2 * 10**15
        assert [session.name for session in sessions] == ["used"]
        assert sessions.use("new").name == "new"
        assert sessions.use("used") is used
