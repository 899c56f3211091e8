"""``verify_tests``: an API or a document as parametrised tests, in a project of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.verify.shop import DOCUMENT, TOKEN, Shop, serving

QUICK = 'phases=("coverage",), max_examples=2'


def told_by_pytest(folder: Path, text: str, *arguments: str) -> str:
    """What pytest says of a file of tests, in a process of its own; warnings are errors."""
    (folder / "test_it.py").write_text(f"import mockexec\n{text}\n")
    (folder / "shop.yaml").write_text(DOCUMENT)
    ran = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider",
            "-W", "error", "-W", "ignore:::connexion", "-W", "ignore:::jsonschema", *arguments,
        ],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTEST_ADDOPTS": "", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    return ran.stdout + ran.stderr


def test_a_document_is_tested_part_by_part(tmp_path: Path) -> None:
    """One line makes a test of each operation, from a path beside the file; all pass on the mock."""
    told = told_by_pytest(tmp_path, f'test_shop = mockexec.verify_tests("shop.yaml", {QUICK})')
    assert "PASSED test_it.py::test_shop[operation:listThings]" in told
    assert "4 passed" in told


def test_a_finding_fails_its_test_in_words(tmp_path: Path) -> None:
    """The other parts pass; the failure is the finding as the command prints it."""
    with serving(Shop("server_error")) as url:
        told = told_by_pytest(
            tmp_path,
            f'test_shop = mockexec.verify_tests("shop.yaml", url="{url}", token="{TOKEN}", {QUICK})',
        )
    assert "1 failed, 3 passed" in told
    assert "a request makes the server fail: 500" in told
    assert "curl -sS -i" in told


def test_the_parts_spread_over_workers(tmp_path: Path) -> None:
    """Under xdist every part is run once, whoever runs it."""
    told = told_by_pytest(
        tmp_path, f'test_shop = mockexec.verify_tests("shop.yaml", {QUICK})', "-n", "2"
    )
    assert "4 passed" in told


def test_what_cannot_be_tested_is_skipped_with_the_reason(tmp_path: Path) -> None:
    """Such as a check that an API declares nothing for."""
    text = 'test_shop = mockexec.verify_tests("shop.yaml", checks=["ownership", "error_shape"])'
    told = told_by_pytest(tmp_path, text)
    assert "ownership" in told
    assert "1 passed, 1 skipped" in told


def test_bad_use_is_an_error_of_collection(tmp_path: Path) -> None:
    """In one line, not a traceback through the house."""
    told = told_by_pytest(tmp_path, 'test_shop = mockexec.verify_tests("shop.yml")')
    assert "neither an API nor a file" in told
    assert "error" in told
