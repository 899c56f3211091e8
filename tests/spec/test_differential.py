"""The conversion of the 3.0 dialect, held against openapi-schema-validator.

The oracle's validators interpret OpenAPI 3.0 schemas as they stand; ours are converted to JSON
Schema 2020-12 and compiled. On generated schemas and values both must agree, but for decisions of
ours that differ on purpose; those are left out of the generated schemas or corrected below.
"""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator

from mockexec.spec.schemas import Schemas
from tests.spec.support import component, with_schemas

NAMES = ("a", "b", "c")

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    # Up to one beyond the bounds of int32. Floats that are whole numbers are integers for 2020-12
    # and not for the oracle, which follows draft 4; both readings of 3.0 are in use.
    st.sampled_from([-(2**31) - 1, -(2**31), -1, 0, 1, 2, 3, 2**31 - 1, 2**31, 0.5, 1.5]),
    st.sampled_from(["", "a", "bb", "2025-08-11", "2025-02-30", "not a date"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=8,
)


def _maybe(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keywords)


def _typed(name: str, **keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": st.just(name)}, optional={"nullable": st.booleans(), **keywords}
    )


SMALL = st.integers(0, 3)
# With exclusiveMinimum a limit must be there, as 3.0 (and draft 4) wants it.
LIMITS = st.one_of(
    _maybe(minimum=SMALL, maximum=SMALL),
    st.fixed_dictionaries({"minimum": SMALL, "exclusiveMinimum": st.booleans()}),
    st.fixed_dictionaries({"maximum": SMALL, "exclusiveMaximum": st.booleans()}),
)


@st.composite
def numbers(draw: st.DrawFn) -> dict[str, Any]:
    """An integer or number with limits, exclusive or not, and perhaps a format."""
    typed = draw(
        st.one_of(
            _typed("integer", format=st.sampled_from(["int32", "int64"])),
            _typed("number", format=st.sampled_from(["float", "double"])),
        )
    )
    made: dict[str, Any] = typed | draw(LIMITS)
    return made


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object whose properties may be read-only or write-only."""
    flagged = st.builds(
        lambda schema, flag: schema if "$ref" in schema or not flag else schema | {flag: True},
        inner,
        st.sampled_from(["", "", "readOnly", "writeOnly"]),
    )
    return _typed(
        "object",
        properties=st.dictionaries(st.sampled_from(NAMES), flagged, max_size=3),
        required=st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=3),
        additionalProperties=st.one_of(st.booleans(), inner),
        minProperties=SMALL,
        maxProperties=SMALL,
    )


LEAVES = st.one_of(
    numbers(),
    _typed(
        "string",
        minLength=SMALL,
        maxLength=SMALL,
        pattern=st.sampled_from(["^a", "b+$"]),
        format=st.sampled_from(["date", "password", "binary"]),
    ),
    _typed("boolean"),
    st.just({"$ref": "#/components/schemas/Other"}),
    # An enum that forgets null, together with nullable, is the one place where ours is kinder.
    st.fixed_dictionaries({"enum": st.lists(SCALARS, min_size=1, max_size=3)}),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        objects(inner),
        _typed("array", items=inner, minItems=SMALL, maxItems=SMALL, uniqueItems=st.booleans()).map(
            lambda schema: {"items": {}} | schema
        ),
        st.builds(
            lambda key, parts: {key: parts},
            st.sampled_from(["allOf", "anyOf", "oneOf"]),
            st.lists(inner, min_size=1, max_size=2),
        ),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)


def _without_sent_read_only(schema: Any) -> Any:
    """The schema for the oracle: it refuses a readOnly property that is sent, ours lets it pass."""
    if isinstance(schema, list):
        return [_without_sent_read_only(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _without_sent_read_only(value) for key, value in schema.items()}
    properties = made.get("properties", {})
    hidden = {name for name, part in properties.items() if part.pop("readOnly", False)}
    if "required" in made:
        made["required"] = [name for name in made["required"] if name not in hidden]
    return made


@pytest.mark.parametrize("direction", ["request", "response"])
@given(schema=SCHEMAS, other=LEAVES.filter(lambda s: "$ref" not in s), values=st.lists(VALUES, min_size=1, max_size=5))  # fmt: skip
@settings(max_examples=150)
def test_ours_agrees_with_the_oracle(
    direction: Literal["request", "response"], schema: Any, other: Any, values: list[Any]
) -> None:
    """Valid for one is valid for the other, in both directions."""
    made = with_schemas(X=schema, Other=other)
    ours = Schemas(made).validator(component(made, "X"), direction)
    theirs: Any
    if direction == "request":
        theirs = OAS30WriteValidator
        schema, other = _without_sent_read_only([schema, other])
    else:
        theirs = OAS30ReadValidator
    root = schema | {"components": {"schemas": {"Other": other}}}
    if "$ref" in schema:
        root = {"allOf": [schema], "components": root["components"]}
    oracle = theirs(root, format_checker=theirs.FORMAT_CHECKER)
    for value in values:
        expected = oracle.is_valid(value)
        assert ours.is_valid(value) is expected, (value, ours.violations(value))
        assert bool(ours.violations(value)) is not expected
