"""The errors of mockexec itself, and the value that says what is wrong with an input.

::

    MockexecError                we could not: bad document, bad fixture, bad setting (exit code 2)
    ├── DocumentError            an OpenAPI document cannot be read
    ├── FixtureError             a scenario file cannot be used
    └── UsageError               a command or call was used wrongly (unknown name, taken port)

What an API says no to is not an error of ours: that is a ``Refusal`` (``mockexec.http.refusal``).
"""

from __future__ import annotations

from dataclasses import dataclass


class MockexecError(Exception):
    """Base of all errors that mockexec raises to its user."""


class _PlacedError(MockexecError):
    """An error about a place in a file; its text is ``file:line: message``."""

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        self.message = message
        self.file = file
        self.line = line
        place = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
        super().__init__(place + message)


class DocumentError(_PlacedError):
    """An OpenAPI document cannot be read or is not one."""


class FixtureError(_PlacedError):
    """A scenario file is not as its schema wants it."""


class UsageError(MockexecError):
    """A command or call names something that is not there or cannot be had."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with one input.

    ``location`` is ``path``, ``query``, ``header``, ``cookie`` or ``body`` (``response`` for our
    own answers); ``name`` the parameter's name, empty for the body; ``pointer`` a JSON pointer
    into the value; ``message`` says in plain words what was expected and what came.
    """

    location: str
    name: str
    pointer: str
    message: str
