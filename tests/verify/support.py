"""What the tests of verify share: a run against the shop, all added up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mockexec.door.verifying import VerifyOptions, planned
from mockexec.verify.plan import VerifyPlan
from mockexec.verify.result import Result, result_of
from mockexec.verify.run import run
from tests.verify.shop import DOCUMENT, TOKEN, Shop, serving


def document(folder: Path) -> Path:
    """The shop's document as a file."""
    path = folder / "shop.yaml"
    path.write_text(DOCUMENT)
    return path


@contextmanager
def shopping(folder: Path, shop: Shop, **options: Any) -> Iterator[VerifyPlan]:
    """The plan of a run against ``shop``, served for as long as the context lasts."""
    options = {"token": TOKEN, "examples_max": 10, "phases": ("coverage", "fuzzing"), **options}
    with (
        serving(shop) as url,
        planned(document(folder), VerifyOptions(url=url, **options)) as plan,
    ):
        yield plan


def verified(folder: Path, *faults: str, **options: Any) -> Result:
    """All that a run against a shop with these faults tells."""
    with shopping(folder, Shop(*faults), **options) as plan:
        return result_of(plan.api, run(plan), plan.baseline)


def causes(result: Result) -> set[tuple[str, str]]:
    """(operation, title) of every root cause."""
    return {(group.finding.operation, group.finding.title) for group in result.groups}
