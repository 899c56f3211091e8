"""Schemathesis's engine in this process: its phases and checks, as events of ours.

The only module that imports schemathesis. What an API rightly does otherwise than Schemathesis
expects stands in its document: on an operation ``x-expected-statuses`` maps statuses, with which a
request that fits the schema may be refused, to the reason; ``x-existing: true`` on a parameter says
that only values that exist make sense, so the documented example is sent.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.errors import OperationNotFound
from schemathesis.core.failures import Failure
from schemathesis.engine import StopReason, from_schema
from schemathesis.engine import events as theirs
from schemathesis.engine.core import EventStream
from schemathesis.engine.recorder import Interaction, ScenarioRecorder
from schemathesis.generation.case import Case
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER, HookContext

from mockexec.spec.operations import Operation
from mockexec.verify import wording
from mockexec.verify.events import Event, Found, PartFinished, PartStarted, Sent, Skipped, Trouble
from mockexec.verify.findings import Finding, Severity
from mockexec.verify.plan import VerifyPlan
from mockexec.verify.target import BudgetSpent, Exchanged, Headers, Request, Target
