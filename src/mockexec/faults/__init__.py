"""Faults: one file each. A fault is a value whose fields are the body that arms it, with one short
method that says what it does to an exchange; ``FAULTS`` has them by kind.
"""

from __future__ import annotations

from mockexec.faults.disconnect import Disconnect
from mockexec.faults.duplicate_page import DuplicatePage
from mockexec.faults.expired_token import ExpiredToken
from mockexec.faults.fault import Armed, Fault, Injection, Trigger, parse_fault
from mockexec.faults.latency import Latency
from mockexec.faults.malformed_json import MalformedJson
from mockexec.faults.rate_limit import RateLimit
from mockexec.faults.slow_body import SlowBody
from mockexec.faults.stale_read import StaleRead
from mockexec.faults.status import Status
from mockexec.faults.truncated_body import TruncatedBody

FAULTS: dict[str, type[Fault]] = {
    fault.kind: fault
    for fault in (
        Disconnect, DuplicatePage, ExpiredToken, Latency, MalformedJson, RateLimit, SlowBody,
        StaleRead, Status, TruncatedBody,
    )
}  # fmt: skip

__all__ = ["FAULTS", "Armed", "Fault", "Injection", "Trigger", "parse_fault"]
