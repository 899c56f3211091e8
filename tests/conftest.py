"""Profiles of Hypothesis: quick by default; ``MOCKEXEC_HYPOTHESIS=long`` for the long runs."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick",
    derandomize=True,
    database=None,
    print_blob=True,
    deadline=None,
    max_examples=50,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long",
    parent=settings.get_profile("quick"),
    derandomize=False,
    max_examples=500,
    stateful_step_count=50,
)
settings.load_profile(os.environ.get("MOCKEXEC_HYPOTHESIS", "quick"))
