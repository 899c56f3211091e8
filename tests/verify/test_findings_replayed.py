"""The generated pytest file, against impostors: it fails on the faulty server, and on no other.

For each kind of symptom a few faults; the file is run as a user would, by pytest in a process of its
own, against a server that was started anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mockexec.door.verifying import curl_for
from mockexec.verify.checks import CHECKS
from mockexec.verify.reporters.pytest_file import PytestReporter
from mockexec.verify.result import Result, result_of
from mockexec.verify.run import run
from tests.impostors.serving import serving
from tests.verify.planted import against, impostor

pytestmark = pytest.mark.impostors

# API, fault, the check that finds it.
FAULTS = [
    ("polos", "page-overlaps", "pages"),
    ("polos", "end-time-is-exclusive", "windows"),
    ("polos", "oldest-first-by-workflow", "filters"),
    ("polos", "pending-not-listed", "creation"),
    ("polos", "state-goes-back", "lifecycle"),
    ("polos", "end-before-start", "lifecycle"),
    ("polos", "foreign-run-readable", "ownership"),
    ("polos", "ended-run-is-cancelled", "controls"),
    ("polos", "cancel-without-effect", "controls"),
    ("polos", "reading-counts-as-retry", "idempotent_reads"),
    ("polos", "timeout-is-lost", "creation"),
    ("polos", "zone-missing", "controls"),
    ("polos", "challenge-missing", "auth"),
    ("polos", "allow-missing", "error_shape"),
    ("polos", "expired-key-accepted", "auth"),
    ("sailpoint", "count-before-filters", "filters"),
    ("sailpoint", "archived-listed", "lifecycle"),
]


def written(result: Result, path: Path, api: str) -> None:
    """The file of a run, as ``--report pytest=`` makes it."""
    with against(api, None, in_process=True) as plan, path.open("w", encoding="utf-8") as file:
        PytestReporter(file, curl_for(plan)).finish(result)


def outcome(api: str, fault: str | None, path: Path) -> str:
    """What pytest says of the file, with such a server."""
    module = impostor(api)
    with serving(module.make_app(fault)) as url:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:mockexec", "-p", "no:cacheprovider", path.name],
            cwd=path.parent, capture_output=True, text=True, check=False,
            env={
                **os.environ, "PYTEST_ADDOPTS": "", "URL": f"{url}/{api}",
                "TOKEN": module.TOKENS["main"], "OTHER_TOKEN": module.TOKENS["other"],
            },
        )  # fmt: skip
    return ran.stdout


@pytest.mark.parametrize(("api", "fault", "check"), FAULTS)
def test_the_generated_file_tells_the_faulty_server(
    api: str, fault: str, check: str, tmp_path: Path
) -> None:
    """At least one of its tests fails on a server with the fault, none on the correct one."""
    with against(api, fault, checks=(check,)) as plan:
        result = result_of(plan.api, run(plan))
    assert result.groups
    path = tmp_path / "test_findings.py"
    written(result, path, api)
    assert " failed" in outcome(api, fault, path)
    right = outcome(api, None, path)
    assert " passed" in right
    assert " failed" not in right, right


def test_the_faults_are_of_every_kind() -> None:
    """Each check whose findings are about more than one answer has one."""
    told = {check for _, _, check in FAULTS}
    alone = {"invalid", "odd_input", "promises", "caching", "links", "order", "model"}
    assert {check.name for check in CHECKS} <= told | alone
