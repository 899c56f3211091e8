"""The journals of all sessions together: bounded, those longest unused losing first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mockexec.simulation.session import Sessions
from tests.support import Served, serve

LIST = "/thand/api/v1/executions"
NAMES = ("", "/@a", "/@b", "/@c")


def bound(mock: Served, bytes_max: int) -> None:
    """Lets the journals hold so much and no more."""
    mock.mock.sessions._shelf._bytes_max = bytes_max


def held(sessions: Sessions) -> int:
    """What the journals of all sessions hold, counted one by one."""
    return sum(session.world.journal._bytes for session in (sessions.base, *sessions))


def numbers(mock: Served, prefix: str) -> list[int]:
    """The numbers of the exchanges that a session's journal still has."""
    listed = mock.get(f"{prefix}/_mockexec/journal?limit=1000").json()
    return [exchange["id"] for exchange in listed][::-1]


def test_the_session_that_was_longest_unused_forgets_first() -> None:
    """Its oldest exchanges; the others keep theirs, and numbers go on."""
    with serve("thand") as mock:
        for prefix in ("/@a", "/@b"):
            for _ in range(10):
                mock.get(f"{prefix}{LIST}", headers={"authorization": "Bearer thand-dev-token"})
        bound(mock, held(mock.mock.sessions))
        for _ in range(4):
            mock.get(f"/@b{LIST}", headers={"authorization": "Bearer thand-dev-token"})
        assert numbers(mock, "/@a") == [*range(5, 11)]
        assert numbers(mock, "/@b") == [*range(1, 15)]
        mock.get(f"/@a{LIST}", headers={"authorization": "Bearer thand-dev-token"})
        assert numbers(mock, "/@a") == [*range(5, 12)]
        assert numbers(mock, "/@b") == [*range(2, 15)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.sampled_from(["ask"] * 6 + ["clear", "reset", "begin", "end", "take", "restore"]),
        ),
        max_size=60,
    )
)
def test_the_bound_holds_whatever_is_done(acts: list[tuple[str, str]]) -> None:
    """And what is counted is what is there: nothing stays counted that was forgotten."""
    with serve("thand", scenario="empty", strict=False) as mock:
        bound(mock, 20_000)
        sessions = mock.mock.sessions
        for prefix, act in acts:
            control = f"{prefix}/_mockexec"
            name = prefix[2:] or "a"
            if act == "ask":
                mock.post(f"{prefix}/thand/api/v1/execution", content=b"x" * 3000)
            elif act == "clear":
                mock.request("DELETE", f"{control}/journal")
            elif act == "begin":
                mock.post("/_mockexec/sessions", json={"name": name})
            elif act == "end":
                mock.request("DELETE", f"/_mockexec/sessions/{name}")
            else:
                path = {
                    "reset": "reset",
                    "take": "snapshots",
                    "restore": "snapshots/snap-1/restore",
                }
                mock.post(f"{control}/{path[act]}")
            assert sessions._shelf._bytes == held(sessions) <= 20_000


def test_idle_sessions_take_their_journals_with_them() -> None:
    """What they held is free for others."""
    with serve("thand") as mock:
        mock.get(f"/@a{LIST}")
        session = mock.mock.sessions.get("a")
        assert session is not None
        assert held(mock.mock.sessions) > 0
        session.used_ns -= 10**16
        assert mock.get("/_mockexec/sessions").json() == []
        assert mock.mock.sessions._shelf._bytes == 0
