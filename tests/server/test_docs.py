"""The docs page, and the documents as they are served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockexec import catalog
from mockexec.api import Api
from mockexec.server.app import App
from mockexec.server.generic import generic_api
from mockexec.server.mock import Mock
from mockexec.server.run import BackgroundServer
from mockexec.simulation.clock import Clock
from mockexec.simulation.world import Scenario
from mockexec.spec.load import load_document
from tests.server import browser
from tests.server.browser import Browser
from tests.support import serve

PETS = """# The pets, as their author wrote them.
openapi: 3.1.0
info: {title: 'Pets <"&">', version: "1"}
servers:   # several
- url: https://{region}.example.com/v1
  description: The real one
  variables: {region: {default: eu}}
- url: https://test.example.com/v2   # the other

# After the servers.
paths:
  /pets/{id}:
    servers: [{url: https://elsewhere.example}]
    get:
      operationId: getPet
      parameters: [{name: id, in: path, required: true, schema: {type: integer}, example: 7}]
      security: [{key: []}, {oauth: []}, {basic: []}]
      responses:
        "200": {description: It, content: {application/json: {schema: {$ref: "parts/pet.yaml"}}}}
components:
  securitySchemes:
    key: {type: apiKey, in: query, name: key}
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: /t, scopes: {}}}}
    basic: {type: http, scheme: basic}
"""
PLAIN = PETS.replace("    servers: [{url: https://elsewhere.example}]\n", "")


def pets(folder: Path, text: str = PETS, name: str = "pets.yaml") -> Api:
    """The API of a document and the file that it refers to."""
    (folder / "parts").mkdir()
    (folder / "parts" / "pet.yaml").write_text("type: object\nproperties: {name: {type: string}}\n")
    (folder / name).write_text(text)
    return generic_api(load_document(folder / name), "pets")


def texts(source: bytes) -> Any:
    """YAML with every scalar as the text that it is written as."""
    return yaml.load(source, yaml.BaseLoader)  # noqa: S506  # it makes nothing but texts


@pytest.mark.parametrize("name", catalog.built_in_names())
def test_the_document_is_served_as_it_is_written(name: str) -> None:
    """JSON and YAML say the same as the file, and the YAML keeps its comments."""
    file = catalog.data_folder("specs") / f"{name}.yaml"
    written = texts(file.read_bytes())
    with serve(name) as mock:
        as_json = mock.get(f"/{name}/openapi.json")
        as_yaml = mock.get(f"/{name}/openapi.yaml")
    assert as_json.headers["content-type"] == "application/json"
    assert as_yaml.headers["content-type"] == "application/yaml"
    served = texts(as_yaml.content)
    assert {**served, "servers": None} == {**written, "servers": None}
    assert [server["url"] for server in served["servers"]] == [
        server["url"] for server in written["servers"]
    ]
    assert as_json.json()["servers"] == yaml.safe_load(as_yaml.content)["servers"]
    assert list(as_json.json()["paths"]) == list(written["paths"])
    comments = [line for line in file.read_text().splitlines() if line.startswith("#")]
    assert [line for line in as_yaml.text.splitlines() if line.startswith("#")] == comments


def test_servers_are_what_the_client_sees(tmp_path: Path) -> None:
    """Foreign servers are replaced by this mock's addresses, the other text stays."""
    with serve(pets(tmp_path, PLAIN)) as mock:
        as_json, as_yaml = mock.get("/pets/openapi.json"), mock.get("/pets/openapi.yaml")
        alone = mock.get("/openapi.json")
    servers = [{"url": "/pets/v1", "description": "The real one"}, {"url": "/pets/v2"}]
    assert as_json.json()["servers"] == servers
    assert yaml.safe_load(as_yaml.content)["servers"] == servers
    assert as_yaml.text.startswith("# The pets, as their author wrote them.\nopenapi: 3.1.0\n")
    assert "\n# After the servers.\n" in as_yaml.text
    assert [server["url"] for server in alone.json()["servers"]] == ["/v1", "/v2"]


def test_servers_of_single_paths_are_left_out(tmp_path: Path) -> None:
    """All paths are answered here, whatever server the document names for one."""
    with serve(pets(tmp_path)) as mock:
        as_json = mock.get("/pets/openapi.json").json()
        as_yaml = yaml.safe_load(mock.get("/pets/openapi.yaml").content)
    assert "servers" not in as_json["paths"]["/pets/{id}"]
    assert as_yaml == as_json


def test_further_files_of_a_document_are_where_it_refers_to(tmp_path: Path) -> None:
    """A reader of the served document can follow its references."""
    with serve(pets(tmp_path)) as mock:
        part = mock.get("/pets/parts/pet.yaml")
    assert yaml.safe_load(part.content)["properties"] == {"name": {"type": "string"}}


def test_a_document_of_swagger_2_gets_its_own_kind_of_server(tmp_path: Path) -> None:
    """``basePath`` is this mock's; host and schemes go."""
    (tmp_path / "old.yaml").write_text(
        "swagger: '2.0'\ninfo: {title: Old, version: '1'}\nhost: old.example\n"
        "schemes: [https]\nbasePath: /v1\npaths: {}\n"
    )
    with serve(generic_api(load_document(tmp_path / "old.yaml"), "old")) as mock:
        document = mock.get("/old/openapi.json").json()
        assert yaml.safe_load(mock.get("/old/openapi.yaml").content) == document
    assert document["basePath"] == "/old/v1"
    assert not {"host", "schemes"} & set(document)


def test_an_operation_of_the_document_comes_before_a_page() -> None:
    """An API that has a path ``/docs`` answers it itself."""
    document = load_document(
        {
            "openapi": "3.0.3",
            "info": {"title": "Papers", "version": "1"},
            "paths": {
                "/docs": {
                    "get": {"operationId": "getDocs", "responses": {"204": {"description": "-"}}}
                }
            },
        }
    )
    with serve(generic_api(document, "papers")) as mock:
        assert mock.get("/papers/docs").status_code == 204
        assert mock.get("/papers/openapi.json").status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_page_takes_everything_from_this_mock(tmp_path: Path, path: str) -> None:
    """Nothing is loaded from elsewhere, and the policy would not let it."""
    with serve(pets(tmp_path), "thand") as mock:
        page = mock.get(f"/pets{path}")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "https://" not in page.text
        assert "http://" not in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "Pets &lt;&quot;&amp;&quot;&gt;" in page.text
        for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js", "favicon.png"):
            assert f'"/pets/docs/{name}"' in page.text
            assert mock.get(f"/pets/docs/{name}").status_code == 200


@pytest.mark.parametrize("page", ["openapi.json", "openapi.yaml", "docs", "docs/start.js"])
def test_pages_are_read_only_and_revalidated(page: str) -> None:
    """GET and HEAD; 304 for what the reader has; 405 with Allow for the rest."""
    with serve("thand") as mock:
        got = mock.get(f"/thand/{page}")
        head = mock.request("HEAD", f"/thand/{page}")
        again = mock.get(f"/thand/{page}", headers={"if-none-match": got.headers["etag"]})
        changed = mock.get(f"/thand/{page}", headers={"if-none-match": '"other"'})
        posted = mock.post(f"/thand/{page}")
    assert got.headers["cache-control"] == "no-cache"
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == got.headers
    assert (again.status_code, again.content, again.headers["etag"]) == (
        304,
        b"",
        got.headers["etag"],
    )
    assert changed.content == got.content
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser."""
    command = browser.executable()
    if command is None:
        pytest.skip("no Chromium is installed")
    with Browser(command, tmp_path_factory.mktemp("profile")) as started:
        yield started


# Opens the operation, presses "Try it out" and "Execute", and waits for the status of the answer.
TRY = """
(async () => {
  const until = (find) => new Promise((resolve, reject) => {
    const look = () => { const found = find(); if (found) { done(); resolve(found); } };
    const observer = new MutationObserver(look);
    const timer = setTimeout(() => { done(); reject(new Error("waited for " + find)); }, 30000);
    const done = () => { observer.disconnect(); clearTimeout(timer); };
    observer.observe(document, {subtree: true, childList: true, characterData: true});
    look();
  });
  const operation = await until(() => document.querySelector(".opblock"));
  const press = async (selector) => (await until(() => operation.querySelector(selector))).click();
  await press(".opblock-summary-control");
  await press(".try-out__btn");
  await press(".execute");
  const status = await until(() => operation.querySelector(
    ".live-responses-table tbody .response-col_status"));
  return status.textContent;
})()
"""


@pytest.mark.parametrize("name", catalog.names())
def test_try_it_out_answers_with_success_at_once(page: Browser, name: str) -> None:
    """In a real browser: open, "Try it out", "Execute"; no other server is asked."""
    mock = Mock([catalog.api(name)], catalog.scenario, clock=Clock("frozen"))
    with BackgroundServer(App(mock)) as server:
        page.errors.clear()
        page.requested.clear()
        page.open(f"{server.url}/{name}/docs")
        status = page.run(TRY)
    assert status.startswith("2"), status
    assert page.errors == []
    others = [url for url in page.requested if not url.startswith((server.url, "data:"))]
    assert others == []


def test_every_kind_of_credential_is_filled_in(page: Browser, tmp_path: Path) -> None:
    """A key in the query, OAuth and Basic: the request carries them all."""
    document = PLAIN.replace("{key: []}, {oauth: []}, {basic: []}", "{key: [], oauth: []}")
    mock = Mock([pets(tmp_path, document)], lambda name, _: Scenario(name, "none", {}))
    with BackgroundServer(App(mock)) as server:
        page.errors.clear()
        page.open(f"{server.url}/pets/docs")
        status = page.run(TRY)
        sent = page.run("document.querySelector('.curl-command').textContent")
    assert status.startswith("2"), status
    assert "/pets/v1/pets/7?key=pets-dev-token" in sent
    assert "Authorization: Bearer pets-dev-token" in sent
    assert page.errors == []
