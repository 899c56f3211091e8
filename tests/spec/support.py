"""Small documents for the tests of ``spec``."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from mockexec.spec.load import Document, load_document
from mockexec.spec.operations import SchemaRef
from mockexec.spec.schemas import Direction, Schemas, Validator


def document(version: str = "3.0.3", /, **parts: Any) -> Document:
    """A document in memory that has ``parts`` beside what every document has."""
    key = "swagger" if version == "2.0" else "openapi"
    base = {key: version, "info": {"title": "T", "version": "1"}, "paths": {}}
    return load_document(base | parts)


def write(directory: Path, **files: str) -> Path:
    """Write YAML files, named by keyword; returns the path of the first."""
    paths = []
    for name, text in files.items():
        path = directory / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        paths.append(path)
    return paths[0]


def with_schemas(version: str = "3.0.3", /, **schemas: Any) -> Document:
    """A document of these components."""
    return document(version, components={"schemas": schemas})


def component(document: Document, name: str) -> SchemaRef:
    """The schema of that name among the components."""
    return SchemaRef(document, document.uri, f"/components/schemas/{name}")


def validator(
    schema: Any, version: str = "3.0.3", direction: Direction = "request", /, **others: Any
) -> Validator:
    """The validator of ``schema``, which may refer to ``others``, and to itself as ``X``."""
    made = with_schemas(version, X=schema, **others)
    return Schemas(made).validator(component(made, "X"), direction)


def problems(validator: Validator, value: Any) -> list[tuple[str, str]]:
    """(pointer, message) of every violation; also checks that both methods agree."""
    found = [(item.pointer, item.message) for item in validator.violations(value)]
    assert validator.is_valid(value) is not bool(found)
    return found
