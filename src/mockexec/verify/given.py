"""Values that a user gives for parameters: the ids of a real account in place of the document's.

A given value takes the place of the document's example: wherever the example would be sent, be it
that nothing else is known or that a check asks for it by name, the given one is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from mockexec.api import Api
from mockexec.errors import UsageError
from mockexec.spec.operations import Operation, Parameter

# The name under which a given value stands among the examples of its parameter.
GIVEN = "--param"
Params = tuple[tuple[str, str], ...]

_LOCATIONS = ("path", "query", "header")


def read_param(text: str) -> tuple[str, str]:
    """``NAME=VALUE`` or ``operationId.NAME=VALUE``.

    Raises:
        UsageError: it is not of this form.
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"{text!r} is not of the form NAME=VALUE or operationId.NAME=VALUE")
    return name, value


def with_params(api: Api, params: Iterable[tuple[str, str]]) -> Api:
    """The API with the given values as the first examples of their parameters.

    Raises:
        UsageError: no parameter has such a name.
    """
    values = dict(params)
    unknown = values.keys() - {name for op in api.operations for name in _names(op)}
    for name in sorted(unknown):
        known = sorted({name for op in api.operations for name in _names(op)})
        near = get_close_matches(name, known, 1)
        hint = (
            f"did you mean {near[0]}?" if near else "no operation has it in path, query or header"
        )
        raise UsageError(f"there is no parameter {name!r}; {hint}")
    return replace(api, operations=tuple(_given(api, one, values) for one in api.operations))


def given(parameter: Parameter) -> bool:
    """Whether the user gave its value."""
    return GIVEN in parameter.examples


def instead(parameter: Parameter, value: Any) -> Any:
    """A value that a check asks for, or the given one if it is but the document's example."""
    if given(parameter) and value in [*parameter.examples.values()][1:]:
        return parameter.examples[GIVEN]
    return value


def _names(operation: Operation) -> set[str]:
    names = {p.name for p in operation.parameters if p.location in _LOCATIONS}
    return names | {f"{operation.id}.{name}" for name in names}


def _given(api: Api, operation: Operation, values: Mapping[str, str]) -> Operation:
    parameters = []
    for parameter in operation.parameters:
        text = values.get(f"{operation.id}.{parameter.name}", values.get(parameter.name))
        if text is not None and parameter.location in _LOCATIONS:
            examples = {GIVEN: _typed(api, parameter, text), **parameter.examples}
            parameter = replace(parameter, examples=examples)  # noqa: PLW2901  # the same, given
        parameters.append(parameter)
    return replace(operation, parameters=tuple(parameters))


def _typed(api: Api, parameter: Parameter, text: str) -> Any:
    """The text as the parameter's schema has it: a number where only numbers fit."""
    types = api.schemas.shape(parameter.schema).types if parameter.schema else {"string"}
    if not types & {"integer", "number", "boolean"} or "string" in types:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
