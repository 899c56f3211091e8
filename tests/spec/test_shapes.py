"""Shapes: what text may become."""

from __future__ import annotations

from typing import Any

import pytest

from mockexec.spec.schemas import Schemas, Shape
from tests.spec.support import component, with_schemas


def shape(schema: Any, version: str = "3.0.3", /, **others: Any) -> Shape:
    """The shape of ``schema``, which may refer to ``others``."""
    made = with_schemas(version, X=schema, **others)
    return Schemas(made).shape(component(made, "X"))


INTEGER = {"type": "integer"}
STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({}, set()),
        (INTEGER, {"integer"}),
        ({"type": "string", "nullable": True}, {"string", "null"}),
        ({"$ref": "#/components/schemas/I"}, {"integer"}),
        ({"allOf": [{"$ref": "#/components/schemas/I"}, {"minimum": 1}]}, {"integer"}),
        ({"oneOf": [INTEGER, STRING]}, {"integer", "string"}),
        ({"anyOf": [INTEGER, {}]}, set()),
        ({"type": "number", "anyOf": [INTEGER, STRING]}, {"integer"}),
        ({"enum": [1, "a", None, True, 1.5]}, {"integer", "string", "null", "boolean", "number"}),
        ({"properties": {"a": INTEGER}}, set()),
        ({"allOf": [{"$ref": "#/components/schemas/X"}, INTEGER]}, {"integer"}),
    ],
)
def test_types(schema: Any, types: set[str]) -> None:
    """References, compositions and enums are looked through; nothing said means anything."""
    assert shape(schema, I=INTEGER).types == types


def test_types_of_3_1() -> None:
    """Lists of types, const, and siblings of a reference."""
    assert shape({"type": ["integer", "null"]}, "3.1.0").types == {"integer", "null"}
    assert shape({"const": 5}, "3.1.0").types == {"integer"}
    both = {"$ref": "#/components/schemas/N", "type": "integer"}
    assert shape(both, "3.1.0", N={"type": ["number", "string"]}).types == {"integer"}
    assert shape(True, "3.1.0").types == set()


def test_parts() -> None:
    """Elements, named and further properties, wherever the schema describes them."""
    found = shape(
        {
            "allOf": [
                {"type": "object", "properties": {"a": INTEGER}},
                {"oneOf": [{"properties": {"a": STRING, "b": {"type": "boolean"}}}]},
            ],
            "additionalProperties": {"type": "array", "items": {"type": "number"}},
        }
    )
    assert found.types == {"object"}
    assert {name: part.types for name, part in found.properties.items()} == {
        "a": {"integer", "string"},
        "b": {"boolean"},
    }
    assert found.items is None
    assert found.additional is not None
    assert found.additional.types == {"array"}
    assert found.additional.items is not None
    assert found.additional.items.types == {"number"}


def test_recursion_is_harmless() -> None:
    """The shape of a tree can be walked as deep as one likes."""
    found = shape({"type": "object", "properties": {"child": {"$ref": "#/components/schemas/X"}}})
    for _ in range(500):
        found = found.properties["child"]
    assert found.types == {"object"}
