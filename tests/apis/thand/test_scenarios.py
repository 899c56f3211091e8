"""The scenarios in ``fixtures/thand``."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from mockexec import catalog
from tests.apis.thand.vendor import API, BOB
from tests.support import Served, serve


def test_all_five_are_there() -> None:
    """Every API has the same five scenarios."""
    folder = catalog.fixtures_folder("thand")
    assert {path.stem for path in folder.glob("*.yaml")} == {
        "default",
        "empty",
        "busy",
        "failing",
        "huge",
    }


def check_readings(served: Served) -> None:
    """Lists, and shows a sample of all there is; the strict mock refuses what is not as documented."""
    assert served.get(f"{API}/executions").status_code == 200
    every = list(served.realm("thand").executions.all())
    for execution in every[:: max(1, len(every) // 50)]:
        assert served.get(f"{API}/execution/{execution.id}").status_code == 200


@pytest.mark.parametrize("scenario", ["default", "empty", "busy", "failing"])
def test_each_answers_every_reading_operation(scenario: str) -> None:
    """Whatever a scenario holds can be listed and shown without breaking the document."""
    with serve("thand", scenario=scenario, strict=True) as served:
        check_readings(served)


def states(scenario: str) -> Counter[str]:
    with serve("thand", scenario=scenario) as served:
        found = Counter(each.state for each in served.realm("thand").executions.all())
        found["hers"] = len(served.get(f"{API}/executions").json()["executions"])
    return found


def test_default_has_every_end() -> None:
    """`default` shows a front-end developer each state at least once."""
    found = states("default")
    assert found.keys() >= {"waiting", "completed", "failed", "cancelled", "terminated"}


def test_empty_has_workflows_and_no_executions() -> None:
    """`empty` has nothing that ran, and lets things be started."""
    assert states("empty") == {"hers": 0}


def test_failing_mostly_fails() -> None:
    """`failing`: of what is closed most has failed or timed out."""
    found = states("failing")
    assert found["failed"] > 3 * found["completed"]


def test_busy_goes_on_by_itself() -> None:
    """`busy`: new executions arrive all the time, the caller's own among them."""
    with serve("thand", scenario="busy") as served:
        before = len(served.realm("thand").executions)
        served.advance("1h")
        served.get(f"{API}/executions")
        found = served.realm("thand").executions
        assert 60 < len(found) - before < 240
        assert any(
            each.owner == "alice@example.com" and each.created_ns > 1_767_268_800_000_000_000
            for each in found.all()
        )


def test_the_control_api_starts_executions() -> None:
    """An execution can be put in by hand, of this workflow and that user, whoever asks."""
    data = {"workflow": "local-sudo", "user": "dora@example.com"}
    with serve("thand", scenario="empty") as served:
        made = served.post("/_mockexec/executions", json={"api": "thand", "data": data})
        assert made.status_code == 201
        found = served.get(f"{API}/execution/{made.json()['id']}").json()
        assert found["user"] == "dora@example.com"
        assert found["workflow_type"] == {"name": "LocalSudoWorkflow"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"workflow": "nothing"}, "no workflow 'nothing'"),
        ({"user": "nobody"}, "e-mail address"),
    ],
)
def test_the_control_api_is_told_what_cannot_start(data: dict[str, Any], reason: str) -> None:
    """An execution that could not be is refused with the reason."""
    with serve("thand", scenario="empty") as served:
        made = served.post("/_mockexec/executions", json={"api": "thand", "data": data})
    assert made.status_code == 409
    assert reason in made.json()["message"]


def test_huge_is_huge_and_loads_quickly() -> None:
    """`huge` holds a hundred thousand executions and is there after less than ten seconds of work."""
    # The processor's time, not the wall's: the machine may be busy with other tests.
    began = time.process_time()
    with serve("thand", scenario="huge") as served:
        took = time.process_time() - began
        assert len(served.realm("thand").executions) == 100_000
        answer = served.get(f"{API}/executions").json()["executions"]
        check_readings(served)
    assert took < 10
    assert len(answer) == 100


def test_a_list_does_not_look_at_every_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page touches the hundred executions that it shows, however many there are."""
    from mockexec.simulation.sorted_map import SortedMap

    with serve("thand", scenario="busy") as served:
        realm = served.realm("thand")
        touched: list[Any] = []
        get = SortedMap.get
        monkeypatch.setattr(
            SortedMap,
            "get",
            lambda self, key, *more: touched.append(key) or get(self, key, *more),  # type: ignore[func-returns-value]  # records, then looks
        )
        answer = served.get(f"{API}/executions").json()["executions"]
        assert len(realm.executions) > 3000
    assert len(touched) < len(answer) + 10


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Two worlds of one seed answer alike, byte for byte; another seed differs."""

    def story(seed: int) -> bytes:
        with serve("thand", scenario="busy", seed=seed) as served:
            body = {"workflow": "local-sudo", "input": {"hostname": "laptop", "minutes": 5}}
            answers = [served.post(f"{API}/execution", json=body)]
            served.advance("7m")
            answers += [served.get(f"{API}/executions", headers=who) for who in ({}, BOB)]
            created = answers[0].json()["workflow_id"]
            answers.append(served.get(f"{API}/execution/{created}"))
        return b"".join(answer.content for answer in answers)

    assert story(3) == story(3)
    assert story(3) != story(4)
