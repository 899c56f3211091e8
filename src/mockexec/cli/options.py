"""Kinds of option that several commands share."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from mockexec.errors import UsageError
from mockexec.simulation.clock import Clock

_SCALED = re.compile(r"x(\d{1,7}(?:\.\d{1,6})?)", re.ASCII)


def read_clock(ctx: click.Context, param: click.Parameter, value: str) -> Clock:
    """``real``, ``frozen``, or ``x60``: sixty times as fast. A callback of click's."""
    if value == "real":
        return Clock("real")
    if value == "frozen":
        return Clock("frozen")
    scaled = _SCALED.fullmatch(value)
    if scaled is None or float(scaled[1]) <= 0:
        message = f"{value!r} is neither real nor frozen nor a pace such as x60"
        raise click.BadParameter(message, ctx, param)
    return Clock("scaled", scale=float(scaled[1]))


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
