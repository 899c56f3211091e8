"""What Hypothesis takes from the process it runs in, held still: a run follows from its seed alone.

Left to itself it draws, now and then, a constant that stands in the source of any module of the
user's that happens to be loaded, and it takes its settings from whatever profile is: the same seed
would send other requests from the command line than within a test suite, and there others after
one test than after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

# Its own defaults, which no one changes.
_PROFILE = "default"


@contextmanager
def repeatable() -> Iterator[None]:
    """Within the block Hypothesis knows its own defaults and constants, and no others."""
    profile = settings.get_current_profile_name()
    looked_up = providers._get_local_constants, providers.CONSTANTS_CACHE  # noqa: SLF001  # no other way
    nothing = Constants()
    settings.load_profile(_PROFILE)
    providers._get_local_constants = lambda: nothing  # noqa: SLF001  # as above
    # What was permitted of the constants before is remembered with them.
    providers.CONSTANTS_CACHE = type(providers.CONSTANTS_CACHE)(1024)
    try:
        yield
    finally:
        providers._get_local_constants, providers.CONSTANTS_CACHE = looked_up  # noqa: SLF001  # as above
        settings.load_profile(profile)
