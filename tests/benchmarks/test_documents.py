"""The speed comparison's documents say what the scenarios rely on. Nothing is measured here."""

from __future__ import annotations

import pytest
from benchmarks.comparison.documents import executions, items, wide


def test_the_wide_document_has_403_operations() -> None:
    """Each has a name of its own, and the last resource can be read."""
    paths = wide()["paths"]

    names = [each["operationId"] for operations in paths.values() for each in operations.values()]
    assert len(set(names)) == len(names) == 403
    assert [*paths][-1] == "/resource081/{id}"


@pytest.mark.parametrize("count", [20, 250])
def test_the_example_of_the_list_is_as_long_as_asked(count: int) -> None:
    """All items differ, enough of them have completed for the filter, and not all."""
    answer = executions(count)["paths"]["/workflows/{id}/executions"]["get"]["responses"]["200"]

    example = answer["content"]["application/json"]["example"]
    assert example == items(count)
    assert len({each["id"] for each in example}) == count
    assert {each["status"] for each in example} == {"Completed", "Failed"}
