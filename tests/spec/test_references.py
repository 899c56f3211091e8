"""References: inside and across files, escapes, cycles, what is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mockexec.errors import DocumentError
from mockexec.spec.load import load_document
from mockexec.spec.operations import operations
from mockexec.spec.schemas import Schemas
from tests.spec.support import component, document, problems, with_schemas, write


def test_references_across_files_are_relative_to_the_file_they_stand_in(tmp_path: Path) -> None:
    """Path items, parameters and recursive schemas in other folders all come together."""
    root = write(
        tmp_path,
        **{
            "api": """\
            openapi: 3.0.3
            info: {title: T, version: '1'}
            paths:
              /a/{id}:
                $ref: paths/a.yaml
            """,
            "paths/a": """\
            get:
              operationId: getA
              parameters:
                - $ref: ../common.yaml#/parameters/id
              responses:
                '200':
                  description: ok
                  content:
                    application/json:
                      schema: {$ref: '../schemas/tree%20of.yaml'}
            """,
            "common": """\
            parameters:
              id: {name: id, in: path, required: true, schema: {$ref: '#/schemas/a~1b~0c'}}
            schemas:
              a/b~c: {type: integer}
            """,
            "schemas/tree of": """\
            type: object
            required: [name]
            properties:
              name: {type: string}
              children: {type: array, items: {$ref: ''}}
              parent: {$ref: '../schemas/tree%20of.yaml#'}
            """,
        },
    )
    loaded = load_document(root)
    assert len(loaded.files) == 4
    (operation,) = operations(loaded)
    assert operation.uri == (tmp_path / "paths/a.yaml").as_uri()
    schemas = Schemas(loaded)
    parameter = operation.parameters[0].schema
    body = operation.responses["200"].content["application/json"].schema
    assert parameter is not None
    assert body is not None
    assert schemas.validator(parameter, "request").is_valid(5)
    assert not schemas.validator(parameter, "request").is_valid("5")
    tree = schemas.validator(body, "response")
    assert tree.is_valid({"name": "a", "children": [{"name": "b", "children": []}]})
    assert problems(tree, {"name": "a", "children": [{"name": "b", "parent": {}}]}) == [
        ("/children/0/parent/name", "is missing")
    ]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("#/components/schemas/Nothing", "no such place"),
        ("other.yaml", "No such file"),
        ("#Anchor", "no schema has that anchor"),
        ("https://example.com/x.yaml", "remote host example.com is not allowed"),
        ("ftp://example.com/x.yaml", "is not followed"),
        ("#/components/schemas/%FF", "utf-8"),
    ],
)
def test_a_reference_to_nothing_is_named_with_its_line(
    tmp_path: Path, reference: str, reason: str
) -> None:
    """The line is that of the ``$ref``, the message quotes it and says why."""
    path = write(
        tmp_path,
        api=f"""\
        openapi: 3.0.3
        info: {{title: T, version: '1'}}
        paths: {{}}
        components:
          schemas:
            A:
              properties:
                b:
                  $ref: '{reference}'
        """,
    )
    with pytest.raises(DocumentError) as caught:
        load_document(path)
    assert caught.value.line == 9
    assert reference in str(caught.value)
    assert reason in str(caught.value)


def test_a_broken_second_file_is_named_itself(tmp_path: Path) -> None:
    """A mistake inside a referenced file is reported at its own place."""
    reference = "paths: {/a: {$ref: b.yaml}}"
    path = write(tmp_path, api=f"openapi: 3.0.3\n{reference}\n", b="a: 1\na: 2\n")
    with pytest.raises(DocumentError, match=r"b\.yaml:2: the key 'a' is there twice"):
        load_document(path)


def test_a_circle_of_references_alone_is_refused() -> None:
    """Following would never end; a recursive schema, which has structure between, is fine."""
    with pytest.raises(DocumentError, match="in a circle"):
        with_schemas(A={"$ref": "#/components/schemas/B"}, B={"$ref": "#/components/schemas/A"})
    with_schemas(A={"properties": {"a": {"$ref": "#/components/schemas/A"}}})


def test_data_holds_no_references() -> None:
    """A ``$ref`` in an example, a default, an enum, an extension, or as a name is not one."""
    nowhere = {"$ref": "#/nowhere"}
    schema = {
        "type": "object",
        "example": nowhere,
        "default": nowhere,
        "enum": [nowhere],
        "x-note": nowhere,
        "properties": {"$ref": {"type": "string"}, "example": {"type": "integer"}},
    }
    example = {"value": nowhere}
    loaded = document(components={"schemas": {"A": schema}, "examples": {"E": example}})
    assert loaded.resolve(schema, loaded.uri, "/at") == (schema, loaded.uri, "/at")
    inner = {"$ref": "#/components/schemas/Nowhere"}
    with pytest.raises(DocumentError):
        with_schemas(A={"properties": {"example": inner}})


def test_resolve_follows_a_chain() -> None:
    """Each step of a chain of references is taken; the result says where it ended."""
    loaded = with_schemas(
        A={"$ref": "#/components/schemas/B"},
        B={"$ref": "#/components/schemas/C"},
        C={"type": "string"},
    )
    start = loaded.at(loaded.uri, "/components/schemas/A")
    assert loaded.resolve(start, loaded.uri) == (
        {"type": "string"},
        loaded.uri,
        "/components/schemas/C",
    )


def test_identifiers_and_anchors_name_schemas() -> None:
    """From 3.1 on ``$id`` changes the base, ``$anchor`` names a place (JSON Schema 2020-12, 8.2)."""
    loaded = with_schemas(
        "3.1.0",
        Named={"$anchor": "named", "type": "integer"},
        Uses={"$ref": "#named"},
        Apart={
            "$id": "https://example.com/apart",
            "$defs": {"inner": {"$anchor": "in", "type": "string"}},
            "properties": {"a": {"$ref": "#/$defs/inner"}, "b": {"$ref": "#in"}},
        },
        Far={"properties": {"c": {"$ref": "https://example.com/apart#in"}}},
        Whole={"$ref": "https://example.com/apart"},
    )
    schemas = Schemas(loaded)
    uses = schemas.validator(component(loaded, "Uses"), "request")
    assert (uses.is_valid(1), uses.is_valid("1")) == (True, False)
    for name in ("Apart", "Whole"):
        apart = schemas.validator(component(loaded, name), "request")
        assert apart.is_valid({"a": "x", "b": "y"})
        assert not apart.is_valid({"a": 1})
        assert problems(apart, {"b": 1}) == [("/b", "must be a string, got 1")]
    assert not schemas.validator(component(loaded, "Far"), "request").is_valid({"c": 1})


def test_a_reference_may_lead_into_an_extension() -> None:
    """Schemas kept under ``x-…`` work like others."""
    loaded = document(
        "3.0.3",
        components={
            "schemas": {"A": {"type": "array", "items": {"$ref": "#/x-shared/Item"}}},
        },
        **{"x-shared": {"Item": {"type": "integer", "nullable": True}}},
    )
    items = Schemas(loaded).validator(component(loaded, "A"), "request")
    assert items.is_valid([1, None])
    assert problems(items, ["1"]) == [("/0", 'must be an integer or null, got "1"')]


@pytest.fixture
def remote() -> Iterator[HTTPServer]:
    """A local HTTP server with one schema, and one redirect to a host nobody allowed."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/away.yaml":
                self.send_response(302)
                self.send_header("Location", "http://elsewhere.invalid/x.yaml")
                self.end_headers()
            elif self.path == "/local.yaml":
                self.answer("{$ref: 'file:///etc/hostname'}")
            elif self.path == "/schema.yaml":
                self.answer("{type: object, properties: {a: {$ref: 'inner.yaml'}}}")
            elif self.path == "/inner.yaml":
                self.answer("{type: integer}")
            else:
                self.send_error(404)

        def answer(self, text: str) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_remote_references_need_an_allowed_host(remote: HTTPServer) -> None:
    """An allowed host is asked, also for what its files refer to; redirects elsewhere are not."""
    base = f"http://127.0.0.1:{remote.server_port}"
    hosts = frozenset(("127.0.0.1",))

    def load(name: str, hosts: frozenset[str]) -> None:
        schemas = {"A": {"$ref": f"{base}/{name}"}}
        raw = {"openapi": "3.0.3", "paths": {}, "components": {"schemas": schemas}}
        loaded = load_document(raw, remote_hosts=hosts)
        found = Schemas(loaded).validator(component(loaded, "A"), "request")
        assert problems(found, {"a": "x"}) == [("/a", 'must be an integer, got "x"')]

    load("schema.yaml", hosts)
    for name, allowed, reason in [
        ("schema.yaml", frozenset[str](), "is not allowed"),
        ("away.yaml", hosts, "remote host elsewhere.invalid is not allowed"),
        ("local.yaml", hosts, "is not followed"),
        ("nothing.yaml", hosts, "Not Found"),
    ]:
        with pytest.raises(DocumentError, match=reason):
            load(name, allowed)
