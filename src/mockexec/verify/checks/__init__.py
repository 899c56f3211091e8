"""Our own checks, one in each file: what a schema cannot say and Schemathesis does not know.

Those that only read come first: what they are shown is as little stirred as may be.
"""

from mockexec.verify.checks.auth import AUTH
from mockexec.verify.checks.caching import CACHING
from mockexec.verify.checks.check import Check
from mockexec.verify.checks.controls import CONTROLS
from mockexec.verify.checks.creation import CREATION
from mockexec.verify.checks.error_shape import ERROR_SHAPE
from mockexec.verify.checks.filters import FILTERS
from mockexec.verify.checks.idempotent_reads import IDEMPOTENT_READS
from mockexec.verify.checks.invalid import INVALID
from mockexec.verify.checks.lifecycle import LIFECYCLE
from mockexec.verify.checks.links import LINKS
from mockexec.verify.checks.odd_input import ODD_INPUT
from mockexec.verify.checks.order import ORDER
from mockexec.verify.checks.ownership import OWNERSHIP
from mockexec.verify.checks.pages import PAGES
from mockexec.verify.checks.promises import PROMISES
from mockexec.verify.checks.stories import MODEL
from mockexec.verify.checks.windows import WINDOWS

__all__ = ["CHECKS", "Check"]

CHECKS: tuple[Check, ...] = (
    ORDER, WINDOWS, FILTERS, PAGES, AUTH, ERROR_SHAPE, INVALID, LIFECYCLE, IDEMPOTENT_READS,
    CREATION, LINKS, CONTROLS, OWNERSHIP, PROMISES, CACHING, MODEL, ODD_INPUT,
)  # fmt: skip
