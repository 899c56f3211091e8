"""The contract that every API meets, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mockexec import catalog
from mockexec.api import snake_case
from mockexec.errors import Violation
from mockexec.scenarios import scenario_names
from mockexec.spec.lint import lint
from tests.support import Served, serve

SCENARIOS = ("busy", "default", "empty", "failing", "huge")
FILES = {
    "__init__", "auth", "errors", "handlers", "populate", "wire",
}  # fmt: skip


@pytest.fixture(params=catalog.built_in_names())
def api(request: pytest.FixtureRequest) -> str:
    """Each built-in API in turn."""
    name: str = request.param
    return name


@pytest.fixture
def served(api: str) -> Iterator[Served]:
    """It alone, strict."""
    with serve(api) as mock:
        yield mock


def test_its_document_is_clean(api: str) -> None:
    """``mockexec lint`` finds nothing to say."""
    assert lint(catalog.api(api).document) == []


def test_every_operation_has_a_handler_named_after_it(api: str) -> None:
    """Nothing of a built-in API is left to the generic mock."""
    value = catalog.api(api)
    for operation in value.operations:
        handler = value.dialect.handlers[operation.id]
        assert handler.__name__ == snake_case(operation.id)


def test_it_has_every_scenario(api: str) -> None:
    """The same five names for every API."""
    assert scenario_names(catalog.fixtures_folder(api)) == SCENARIOS


def test_its_folder_has_the_same_files_as_the_others(api: str) -> None:
    """Same job, same file name."""
    folder = catalog._PACKAGE / "apis" / api
    assert {path.stem for path in folder.glob("*.py")} >= FILES


def test_unknown_paths_and_methods_are_refused(served: Served, api: str) -> None:
    """404 for a path that is nobody's, 405 with Allow for a method that is not there."""
    assert served.get(f"/{api}/no/such/path/at/all").status_code == 404
    operation = served.mock.apis[api].operations[0]
    path = f"/{api}{operation.path.replace('{', '').replace('}', '')}"
    response = served.request("PATCH", path)
    assert response.status_code == 405
    assert operation.method in response.headers["allow"].split(", ")


def test_a_browser_on_another_origin_may_read_every_answer(served: Served, api: str) -> None:
    """Preflight from the document's own methods; refusals carry the headers too."""
    operation = served.mock.apis[api].operations[0]
    path = f"/{api}{operation.path.replace('{', '').replace('}', '')}"
    origin = {"origin": "http://front.end:3000"}
    wanted = {"access-control-request-method": operation.method,
              "access-control-request-headers": "authorization, content-type"}  # fmt: skip
    preflight = served.request("OPTIONS", path, headers={**origin, **wanted})
    assert preflight.status_code == 204
    assert operation.method in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "authorization, content-type"
    for refused in (
        served.get(f"/{api}/nowhere", headers=origin),
        served.request(operation.method, path, headers={**origin, "authorization": None}),
        served.request("PATCH", path, headers=origin),
    ):
        assert refused.status_code >= 400
        assert refused.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in served.get(f"/{api}/nowhere").headers


def test_unknown_parameters_are_let_through_and_noted(api: str) -> None:
    """As the vendors do; the journal says so, and ``--strict`` refuses them."""
    operation = catalog.api(api).operations[0]
    path = f"/{api}{operation.path.replace('{', '').replace('}', '')}?mistyped=1"
    note = Violation("query", "mistyped", "", "is not a parameter of this operation")
    with serve(api, strict=False) as lenient:
        lenient.request(operation.method, path)
        (exchange,) = lenient.world.journal.newest(1)
        refused_before_it_was_read = exchange.notes == () and exchange.status in {400, 401, 403}
        assert note in exchange.notes or refused_before_it_was_read
    with serve(api, strict=True) as strict:
        assert strict.request(operation.method, path).status_code in {400, 401, 403}


def test_the_same_seed_gives_the_same_bytes(api: str) -> None:
    """Two fresh mocks, the same requests, a frozen clock: bodies and headers are identical."""
    runs = []
    for _ in range(2):
        with serve(api, strict=False) as mock:
            runs.append([_exchange(mock, api, number) for number in range(60)])
    assert runs[0] == runs[1]


def _exchange(mock: Served, api: str, number: int) -> tuple[int, bytes, list[tuple[str, str]]]:
    """One of many different requests: all operations in turn, some wrong, the clock moving."""
    operations = mock.mock.apis[api].operations
    operation = operations[number % len(operations)]
    path = operation.path
    for parameter in operation.parameters:
        example = next(iter(parameter.examples.values()), "x")
        path = path.replace(f"{{{parameter.name}}}", str(example) if number % 3 else "unknown")
    if number % 7 == 0:
        mock.advance("13s")
    response = mock.request(operation.method, f"/{api}{path}", json={} if number % 2 else None)
    return response.status_code, response.content, list(response.headers.items())
