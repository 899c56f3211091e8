"""Large documents of real vendors load, and every schema in them can be used.

The corpus is not part of the project; where it does not lie beside the checkout, these tests skip.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockexec.spec.lint import lint
from mockexec.spec.load import load_document
from mockexec.spec.operations import Operation, SchemaRef, operations
from mockexec.spec.schemas import Direction, Schemas

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"no corpus of vendors' documents at ../shared/{CORPUS.name}"
)

DOCUMENTS = {
    "argo-workflows": ("2.0", 73),
    "discord": ("3.1", 242),
    "github": ("3.0", 747),
    "kubernetes": ("2.0", 662),
    "openai": ("3.1", 288),
    "stripe": ("3.0", 390),
}


def unpacked(name: str, directory: Path) -> Path:
    """A document of the corpus as a plain file."""
    path = directory / f"{name}.json"
    path.write_bytes(gzip.decompress((CORPUS / f"{name}.json.gz").read_bytes()))
    return path


def request_schemas(operation: Operation) -> Iterator[tuple[SchemaRef | None, Direction]]:
    """Every schema of what is sent to an operation, and of its response headers."""
    for parameter in operation.parameters:
        yield parameter.schema, "request"
    for media in operation.body.content.values() if operation.body else ():
        yield media.schema, "request"
    for response in operation.responses.values():
        for header in response.headers.values():
            yield header.schema, "response"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_vendors_document_is_usable(name: str, tmp_path: Path) -> None:
    """All operations are found, all request schemas compile and have shapes."""
    document = load_document(unpacked(name, tmp_path))
    found = operations(document)
    assert (document.version, len(found)) == DOCUMENTS[name]
    assert len({operation.id for operation in found}) == len(found)
    schemas = Schemas(document)
    compiled = 0
    for operation in found:
        for ref, direction in request_schemas(operation):
            if ref is not None:
                validator = schemas.validator(ref, direction)
                assert validator.is_valid(object()) is False
                assert isinstance(schemas.shape(ref).types, frozenset)
                compiled += 1
    assert compiled > 100


def test_a_vendors_document_without_mistakes_has_no_findings(tmp_path: Path) -> None:
    """Lint is content with a real document of 73 operations."""
    assert lint(load_document(unpacked("argo-workflows", tmp_path))) == []
