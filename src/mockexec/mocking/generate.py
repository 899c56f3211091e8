"""Values for a schema, from a seeded generator.

The schema is brought into canonical form first, which knows no allOf, if or not any more, and
compiled into a tree of makers (``makers``). A value is then made top down, validated as a whole,
and made again, smaller each time, while it does not fit.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import jsonschema_rs

from mockexec.mocking.hints import Hints
from mockexec.mocking.makers import Compiler, Draw, NoValue
from mockexec.mocking.words import writer
from mockexec.simulation.chance import Random
from mockexec.spec.operations import SchemaRef
from mockexec.spec.schemas import Schemas

if TYPE_CHECKING:
    from faker import Generator as Faker

__all__ = ["Generator", "NoValue"]

ATTEMPTS_MAX = 60
# How deep optional parts are filled in, and about how many values there are in all.
LEVELS = 5
VALUES_MAX = 600


# One for each document, for as long as it is in use.
_COMPILERS: WeakKeyDictionary[Schemas, Compiler] = WeakKeyDictionary()


class Generator:
    """Makes values that fit one schema, as a response may have them.

    Raises:
        NoValue: the schema is beyond what can be made.
    """

    def __init__(self, schemas: Schemas, ref: SchemaRef) -> None:
        self._validator = schemas.validator(ref, "response")
        try:
            canonical = jsonschema_rs.canonicalize(
                schemas.reference(ref, "response"),
                registry=schemas.registry("response"),
                draft=jsonschema_rs.Draft202012,
                validate_formats=True,
                offline=True,
            )
        except (jsonschema_rs.canonical.CanonicalizationError, jsonschema_rs.ValidationError) as no:
            raise NoValue(f"the schema has no canonical form: {no}") from None
        compiler = _COMPILERS.setdefault(schemas, Compiler())
        self._root = compiler.compile(canonical)
        self._hints = Hints(schemas, (ref,))
        self._in_vain = False

    def value(self, random: Random, *, name: str = "", examples: bool = True) -> Any:
        """A value; the same for the same state of ``random``.

        ``name`` is what the value is called where it goes, if that may tell something about it;
        ``examples`` lets the document's own examples of parts of it be used.

        Raises:
            NoValue: none was found in 60 attempts.
        """
        # What was sought in vain once is not sought again: it takes long.
        for attempt in range(0 if self._in_vain else ATTEMPTS_MAX):
            draw = Draw(
                random,
                _by_name,
                levels=max(0, LEVELS - attempt // 8),
                values_left=VALUES_MAX // (1 + attempt // 8),
                # An example that is fit by itself may still not fit in with the rest.
                examples=examples and attempt < ATTEMPTS_MAX // 4,
            )
            try:
                value = self._root.make(draw, name, self._hints)
            except NoValue:
                continue
            if self._validator.is_valid(value):
                return value
        self._in_vain = True
        raise NoValue(f"no value was found in {ATTEMPTS_MAX} attempts")


def _by_name(name: str, random: Random) -> str | None:
    """A text such as a property of this name has, drawn from ``random``; None for other names."""
    write = writer(name)
    if write is None:
        return None
    fake = _faker()
    fake.random = random
    return write(fake)


@cache
def _faker() -> Faker:
    from faker import Factory  # noqa: PLC0415  # 0.2 s, and most mocks never generate

    return Factory.create("en_US")
