"""Kinds of option that several commands share."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from mockexec.errors import UsageError
from mockexec.simulation.clock import Clock

_SCALED = re.compile(r"x(\d{1,7}(?:\.\d{1,6})?)", re.ASCII)


class ClockType(click.ParamType):
    """``real``, ``frozen``, or ``x60``: sixty times as fast."""

    name = "clock"

    def convert(
        self, value: str | Clock, param: click.Parameter | None, ctx: click.Context | None
    ) -> Clock:
        """The clock, or click's own kind of refusal."""
        if isinstance(value, Clock):
            return value
        if value == "real":
            return Clock("real")
        if value == "frozen":
            return Clock("frozen")
        scaled = _SCALED.fullmatch(value)
        if scaled is None or float(scaled[1]) <= 0:
            self.fail(f"{value!r} is neither real nor frozen nor a pace such as x60", param, ctx)
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
