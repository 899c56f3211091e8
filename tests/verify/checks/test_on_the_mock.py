"""The mock keeps what its documents promise, and a run against it repeats to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mockexec import catalog
from mockexec.door.verifying import VerifyOptions, planned
from mockexec.verify.events import Sent
from mockexec.verify.plan import VerifyPlan
from mockexec.verify.result import Result, result_of
from mockexec.verify.run import run

OTHERS = {"polos": "sk_otherPolos1e8b4c605f274d93a1c86b"}


@contextmanager
def of_mock(api: str, seed: int, *checks: str) -> Iterator[VerifyPlan]:
    """A run of our checks on a mock in this process."""
    other = OTHERS.get(api, f"{api}-other-token")
    options = VerifyOptions(seed=seed, other_token=other, phases=("checks",), checks=checks)
    with planned(api, options) as plan:
        yield plan


def checked(api: str, seed: int) -> Result:
    """All that it tells."""
    with of_mock(api, seed) as plan:
        return result_of(plan.api, run(plan), plan.baseline)


@pytest.mark.parametrize("api", catalog.built_in_names())
def test_our_checks_find_nothing(api: str) -> None:
    """Every check is run that the API declares something for, and is content."""
    result = checked(api, 1)
    assert not result.groups
    assert not result.troubles
    assert len(result.parts) >= 12
    assert 250 <= result.requests <= 1300


def test_the_same_seed_sends_the_same_bytes() -> None:
    """Requests and answers of two runs are equal; those of another seed are not."""

    def exchanges(seed: int) -> list[tuple[str, bytes | None, int, bytes]]:
        with of_mock("polos", seed, "filters", "creation", "model") as plan:
            sent = [event.exchanged for event in run(plan) if isinstance(event, Sent)]
        return [(one.url, one.request.body, one.status, one.body) for one in sent]

    first = exchanges(3)
    assert first == exchanges(3)
    assert first != exchanges(4)


@pytest.mark.parametrize("api", catalog.built_in_names())
def test_every_api_declares_its_traits(api: str) -> None:
    """What they name is in the document."""
    traits = catalog.traits(api)
    assert traits is not None
    known = {operation.id for operation in catalog.api(api).operations}
    named = {listing.operation for listing in traits.lists}
    named |= {control.ask("x").operation for control in traits.controls}
    named |= {promise.operation for promise in traits.promises} | {*traits.no_store}
    assert named <= known
