"""The pytest plugin, from outside: projects with tests that use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

import mockexec
from mockexec.apis import thand
from mockexec.http.call import Call, Handler, Reply
from tests.python.test_serve import PETS

pytest_plugins = ["pytester"]


def test_a_test_has_a_mock_of_its_own(inner: pytest.Pytester) -> None:
    """Nothing of one test is left for the next; the server is the same."""
    inner.makepyfile(
        """
        import pytest

        ports = set()

        @pytest.mark.parametrize("turn", range(3))
        def test_it(mockexec, mockexec_server, sailpoint, turn):
            assert mockexec.clock.mode == "frozen"
            assert mockexec.clock.now.isoformat() == "2026-01-01T12:00:00+00:00"
            assert not mockexec.requests
            assert not len(mockexec.faults)
            mockexec.clock.advance("1h")
            mockexec.fail("getWorkflow")
            assert sailpoint.url == f"{mockexec_server.url}/@{mockexec.session_name}/sailpoint"
            assert sailpoint.client.get("/workflows").status_code == 200
            mockexec.assert_called("listWorkflows", times=1)
            ports.add(mockexec_server.url)
            assert len(ports) == 1
        """
    )
    inner.runpytest_inprocess().assert_outcomes(passed=3)


def test_every_api_has_a_fixture(inner: pytest.Pytester) -> None:
    """With its address, its token, and a client that sends it."""
    inner.makeini("[pytest]\n")
    names = ("foundry", "frontdoor", "polos", "sailpoint", "thand")
    inner.makepyfile(
        "\n".join(
            f"def test_{name}({name}):\n"
            f"    assert {name}.url.endswith('/{name}') and {name}.token\n"
            f"    assert {name}.client.get('/openapi.json').status_code == 200\n"
            for name in names
        )
    )
    inner.runpytest_inprocess().assert_outcomes(passed=len(names))


def test_the_marker_says_what_the_mock_is_like(inner: pytest.Pytester) -> None:
    """Scenario, seed, faults and strictness; a test's own word counts most."""
    inner.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.mockexec(scenario="empty")
        FAULT = {"kind": "status", "status": 503, "when": {"operation": "listWorkflows"}}

        def test_of_the_module(mockexec):
            assert mockexec.executions.list() == []

        @pytest.mark.mockexec(scenario="default", faults=[FAULT])
        def test_of_its_own(mockexec, sailpoint):
            assert mockexec.executions.list()
            assert sailpoint.client.get("/workflows").status_code == 503

        @pytest.mark.parametrize("strict", [True, False])
        def test_strict(request, strict):
            request.applymarker(pytest.mark.mockexec(strict=strict))
            sailpoint = request.getfixturevalue("sailpoint")
            answer = sailpoint.client.get("/workflows", params={"unknown": "1"})
            assert answer.status_code == (400 if strict else 200)
        """
    )
    inner.runpytest_inprocess().assert_outcomes(passed=4)


def test_a_wrong_marker_is_told(inner: pytest.Pytester) -> None:
    """With what it may say."""
    inner.makepyfile(
        """
        import pytest

        @pytest.mark.mockexec(scenaro="empty")
        def test_it(mockexec): ...
        """
    )
    result = inner.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the marker mockexec takes scenario, seed, faults, strict: *"])


def test_chance_follows_from_the_name_and_the_seed(inner: pytest.Pytester) -> None:
    """The same test, the same ids, in every run; another seed, others."""
    inner.makepyfile(
        """
        import pytest
        from pathlib import Path

        @pytest.mark.mockexec(scenario="busy")
        @pytest.mark.parametrize("turn", range(2))
        def test_it(mockexec, turn):
            with Path("ids").open("a") as file:
                file.write(mockexec.executions.add("sailpoint").id + chr(10))

        @pytest.mark.mockexec(scenario="busy", seed=5)
        def test_told(mockexec):
            with Path("ids").open("a") as file:
                file.write(mockexec.executions.add("sailpoint").id + chr(10))
        """
    )
    for arguments in ([], [], ["--mockexec-seed=1"]):
        inner.runpytest_inprocess(*arguments).assert_outcomes(passed=3)
    ids = (inner.path / "ids").read_text().split()
    assert ids[:3] == ids[3:6]
    assert len(set(ids[:3])) == 3
    assert not {*ids[:2]} & {*ids[6:8]}
    assert ids[2] == ids[8]


def test_the_ini_file_says_what_is_served(inner: pytest.Pytester) -> None:
    """Documents by their path from there, and the scenario of every world."""
    (inner.path / "pets.yaml").write_text(PETS)
    inner.makeini(
        "[pytest]\nmockexec_apis =\n    pets.yaml\n    thand\nmockexec_scenario = empty\n"
    )
    inner.mkdir("deeper")
    (inner.path / "deeper" / "test_it.py").write_text(
        "def test_it(mockexec):\n"
        "    assert mockexec.executions.list() == []\n"
        "    assert list(mockexec.urls) == ['thand', 'pets']\n"
        "    assert mockexec.api('pets').client.get('/pets').json() == ['rex']\n"
    )
    inner.runpytest_inprocess("deeper").assert_outcomes(passed=1)


def test_a_failure_tells_what_was_asked(inner: pytest.Pytester) -> None:
    """In its report, and in a HAR file where that is wanted."""
    inner.makepyfile(
        """
        def test_it(sailpoint):
            sailpoint.client.get("/workflows")
            assert False

        def test_good(sailpoint):
            sailpoint.client.get("/workflows")
        """
    )
    result = inner.runpytest_inprocess("--mockexec-har=hars/new")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "mockexec: seed 0",
            "*- mockexec: what was asked last -*",
            "GET /sailpoint/workflows -> 200 (listWorkflows)",
            "all of it: *.har",
        ]
    )
    (file,) = (inner.path / "hars" / "new").iterdir()
    assert file.name.startswith("test_a_failure_tells_what_was_asked.py_test_it-")
    entries = json.loads(file.read_text())["log"]["entries"]
    assert any(entry["request"]["url"].endswith("/sailpoint/workflows") for entry in entries)


def test_a_failure_in_another_fixture_tells_it_too(inner: pytest.Pytester) -> None:
    """Set-up that uses the mock is part of the test."""
    inner.makepyfile(
        """
        import pytest

        @pytest.fixture
        def broken(sailpoint):
            sailpoint.client.get("/workflows")
            raise RuntimeError

        def test_it(broken): ...
        """
    )
    result = inner.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["GET /sailpoint/workflows -> 200 (listWorkflows)"])


def test_an_unmatched_request_is_a_warning(inner: pytest.Pytester) -> None:
    """The client under test has a path wrong, though the test did not look."""
    inner.makepyfile("def test_it(sailpoint): sailpoint.client.get('/workflow')")
    result = inner.runpytest_inprocess("-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*UnmatchedRequestWarning*", "*GET /sailpoint/workflow"])
    strict = inner.runpytest_inprocess(
        "-W", "error::mockexec.pytest_plugin.UnmatchedRequestWarning"
    )
    strict.assert_outcomes(passed=1, errors=1)


@pytest.mark.parametrize("strict", [True, False])
def test_a_mock_that_breaks_its_document_is_an_error(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, strict: bool
) -> None:
    """Even where the client took what it got."""

    async def broken(call: Call) -> Reply:
        return Reply(200, {"none": "of this is documented"})

    # The inner run is in this process, and its server is made of this table.
    handlers = cast("dict[str, Handler]", thand.DIALECT.handlers)
    monkeypatch.setitem(handlers, "listExecutions", broken)
    inner.makepyfile(
        f"""
        import pytest

        @pytest.mark.mockexec(strict={strict})
        def test_it(thand):
            answer = thand.client.get("/api/v1/executions")
            assert answer.status_code == (500 if {strict} else 200)
        """
    )
    result = inner.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the mock broke its document:*", "*listExecutions answered *"])


def test_an_external_mock_serves_too(inner: pytest.Pytester) -> None:
    """Through its control API: frozen, private, and gone afterwards."""
    inner.makepyfile(
        """
        import httpx

        def test_it(mockexec, thand):
            assert mockexec.clock.mode == "frozen"
            mockexec.fail("listExecutions", status=500, times=1)
            codes = [thand.client.get("/api/v1/executions").status_code for _ in range(2)]
            assert codes == [500, 200]
            mockexec.assert_called("listExecutions", times=2)
        """
    )
    with mockexec.serve("thand", clock="real") as mock:
        result = inner.runpytest_inprocess(f"--mockexec-url={mock.url}")
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines([f"mockexec: seed 0, mock at {mock.url}"])
        assert mock.clock.mode == "real"
        assert mock.site.control.ask("GET", "/sessions") == []


def test_no_external_mock_is_told(inner: pytest.Pytester) -> None:
    """Every test that needs it has the same error."""
    inner.makepyfile("def test_it(mockexec): ...")
    result = inner.runpytest_inprocess("--mockexec-url=http://127.0.0.1:9")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no mock answers at http://127.0.0.1:9*"])


def test_workers_do_not_meet(inner: pytest.Pytester) -> None:
    """Under xdist each has a server of its own, and every test finds its own world."""
    write_stateful_tests(inner.path, 40)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2"],
        cwd=inner.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    assert "40 passed" in run.stdout


def write_stateful_tests(folder: Path, count: int) -> None:
    """Tests that would fail if any state were shared; run by hand with hundreds of them."""
    (folder / "test_state.py").write_text(
        f"""
import pytest

WORKFLOW = "d201c5d9-d37b-4a2f-af14-66414f39d568"


@pytest.mark.parametrize("turn", range({count}))
def test_state(mockexec, sailpoint, turn):
    found = len(mockexec.executions.list("sailpoint"))
    for _ in range(turn % 5):
        mockexec.executions.add("sailpoint", workflow=WORKFLOW)
    mockexec.clock.advance(f"{{turn}}m")
    mockexec.fail("getWorkflow", status=500, times=turn % 3 + 1)
    codes = [sailpoint.client.get(f"/workflows/{{WORKFLOW}}").status_code for _ in range(4)]
    assert codes.count(500) == turn % 3 + 1
    assert len(mockexec.executions.list("sailpoint")) == found + turn % 5
    assert len(mockexec.requests) == 4
    assert mockexec.clock.now.hour == 12 + turn // 60
"""
    )


if __name__ == "__main__":
    write_stateful_tests(Path(sys.argv[1]), int(sys.argv[2]))
