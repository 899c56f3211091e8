"""``mockexec serve``: how many worlds there may be, and who may turn them."""

from __future__ import annotations

import httpx
import pytest

from tests.cli.support import run
from tests.cli.test_serve import bases, served


def root(lines: list[str]) -> str:
    """Where everything lies."""
    return bases(lines)["thand"].removesuffix("/thand")


def test_no_more_sessions_than_allowed() -> None:
    """429 for one too many, on its first use and by the control API; those that are there stay."""
    with served("--api", "thand", "--max-sessions", "2") as lines, httpx.Client() as client:
        at = root(lines)
        for name in ("one", "two", "one"):
            assert client.get(f"{at}/@{name}/_mockexec/clock").status_code == 200
        refused = client.get(f"{at}/@three/thand/api/v1/executions")
        assert (refused.status_code, refused.json()["error"]) == (429, "session")
        assert "2 sessions are in use" in refused.json()["message"]
        assert client.post(f"{at}/_mockexec/sessions", json={"name": "three"}).status_code == 429
        client.delete(f"{at}/_mockexec/sessions/one").raise_for_status()
        assert client.get(f"{at}/@three/_mockexec/clock").status_code == 200
        listed = client.get(f"{at}/_mockexec/sessions").json()
        assert [session["name"] for session in listed] == ["two", "three"]


def test_the_control_api_wants_the_token_it_was_given() -> None:
    """Everything but health; the APIs themselves do not."""
    with served("--api", "thand", "--control-token", "s3cret") as lines, httpx.Client() as client:
        at = root(lines)
        refused = client.post(f"{at}/_mockexec/reset")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        told = {"authorization": "Bearer s3cret"}
        assert client.post(f"{at}/_mockexec/reset", headers=told).status_code == 200
        assert client.post(f"{at}/@mine/_mockexec/reset").status_code == 401
        assert client.get(f"{at}/_mockexec/health").status_code == 200
        listing = f"{at}/thand/api/v1/executions"
        token = {"authorization": "Bearer thand-dev-token"}
        assert client.get(listing, headers=token).status_code == 200
        assert client.get(listing, headers=told).status_code == 401


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_number_of_sessions_that_is_none_is_refused(count: str) -> None:
    """Before anything is served."""
    result = run("serve", "--max-sessions", count)
    assert result.exit_code == 2
    assert "--max-sessions" in result.stderr
