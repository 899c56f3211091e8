"""``mockexec token``."""

from __future__ import annotations

import httpx
import pytest

from mockexec import catalog
from tests.cli.support import assert_one_line, run
from tests.support import serve


def thand(headers: dict[str, str], path: str = "/thand/api/v1/executions") -> httpx.Response:
    """What a fresh mock answers."""
    with serve("thand") as mock:
        return mock.get(path, headers={"authorization": None, **headers})


@pytest.mark.parametrize("name", catalog.names())
def test_the_development_token_is_the_one_that_every_mock_takes(name: str) -> None:
    """As the running mock tells it."""
    with serve(name) as mock:
        (api,) = mock.get("/_mockexec/apis").json()
    assert run("token", name).stdout == api["token"] + "\n"


def test_a_minted_session_is_let_in() -> None:
    """A session of Thand's opens what no credentials, or the wrong ones, do not."""
    minted = run("token", "thand", "--kind", "session", "--option", "user=ana@acme.example",
                 "--clock", "frozen").stdout.strip()  # fmt: skip
    assert thand({"authorization": f"Bearer {minted}"}).status_code == 200
    assert thand({"x-api-key": minted}).status_code == 200
    assert thand({"authorization": f"Bearer {minted[:-4]}"}).status_code == 401


def test_a_session_of_another_secret_is_not_let_in() -> None:
    """``--set`` says with which secret the server runs."""
    minted = run("token", "thand", "--kind", "session", "--clock", "frozen",
                 "--set", "thand.password=other").stdout.strip()  # fmt: skip
    assert thand({"authorization": f"Bearer {minted}"}).status_code == 401


def test_what_there_is_not_is_refused_with_what_there_is() -> None:
    """API, kind, option and setting: each one line, exit code 2."""
    assert_one_line(run("token", "nope"), "'nope'", "sailpoint", "thand")
    assert_one_line(run("token", "thand", "--kind", "badge"), "'badge'", "session, signal")
    assert_one_line(run("token", "polos", "--kind", "badge"), "'badge'", "none")
    session = ("token", "thand", "--kind", "session")
    assert_one_line(run(*session, "--option", "colour=red"), "'colour'", "user")
    assert_one_line(run(*session, "--option", "user"), "'user'", "NAME=VALUE")
    assert_one_line(run(*session, "--set", "thand.colour=red"), "'thand.colour'", "thand.salt")
    assert_one_line(run("token", "thand", "--option", "user=x"), "--kind")
