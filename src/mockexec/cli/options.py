"""Kinds of option that several commands share."""

from __future__ import annotations

from collections.abc import Iterable

import click

from mockexec.errors import UsageError
from mockexec.mocks import clock_of
from mockexec.simulation.clock import Clock


def read_clock(ctx: click.Context, param: click.Parameter, value: str) -> Clock:
    """The clock that ``clock_of`` makes. A callback of click's."""
    try:
        return clock_of(value)
    except UsageError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def pairs(texts: Iterable[str], form: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a map; ``form`` says how they are written.

    Raises:
        UsageError: one is not of this form.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{text!r} is not of the form {form}")
        found[name] = value
    return found
