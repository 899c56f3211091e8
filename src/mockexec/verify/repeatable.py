"""What Hypothesis takes from the process it runs in, held still: a run follows from its seed alone.

Left to itself it draws, now and then, a constant that stands in the source of any module of the
user's that happens to be loaded, and it takes its settings from whatever profile is: the same seed
would send other requests from the command line than within a test suite, and there others after
one test than after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

# Its own defaults, which no one changes.
_PROFILE = "default"
# Names of Hypothesis's own that it does not promise. One that lacks them is less repeatable, and no
# worse otherwise; the test suite tells when that comes.
_PRIVATE = ("_get_local_constants", "CONSTANTS_CACHE")


@contextmanager
def repeatable() -> Iterator[None]:
    """Within the block Hypothesis knows its own defaults and constants, and no others."""
    profile = settings.get_current_profile_name()
    kept = {name: getattr(providers, name) for name in _PRIVATE if hasattr(providers, name)}
    settings.load_profile(_PROFILE)
    if len(kept) == len(_PRIVATE):
        nothing = Constants()
        # What was permitted of the constants before is remembered in the cache.
        cache = type(providers.CONSTANTS_CACHE)(1024)
        _put({"_get_local_constants": lambda: nothing, "CONSTANTS_CACHE": cache})
    try:
        yield
    finally:
        _put(kept)
        settings.load_profile(profile)


def _put(values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(providers, name, value)
