"""The control API: an API like any other, whose handlers turn the mock itself.

Its document is ``control.yaml``; what it shows is made in ``views``; one file here for each
resource. Every operation acts on the world of the caller's own session.
"""

from __future__ import annotations

from pathlib import Path

from mockexec.api import Api, Dialect, make_api, snake_case
from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.server.control.clock import ClockControl
from mockexec.server.control.executions import ExecutionsControl
from mockexec.server.control.faults import FaultsControl
from mockexec.server.control.journal import JournalControl
from mockexec.server.control.served import ServedControl
from mockexec.server.control.sessions import SessionsControl
from mockexec.server.control.snapshots import SnapshotsControl
from mockexec.server.explain import Explainer
from mockexec.server.mock import CONTROL, Mock
from mockexec.server.views import violation_view
from mockexec.simulation.world import Model
from mockexec.spec.load import load_document

_DOCUMENT = Path(__file__).parents[1] / "control.yaml"


def make_control(mock: Mock, explainer: Explainer) -> Api:
    """The control API of ``mock``."""
    resources = (
        ServedControl(mock, explainer),
        ClockControl(),
        ExecutionsControl(mock),
        SessionsControl(mock),
        SnapshotsControl(mock),
        FaultsControl(mock),
        JournalControl(mock),
    )
    dialect = Dialect(
        name=CONTROL,
        model=Model(CONTROL, indexes=(), populate=lambda _realm: None),
        handlers={
            operation: getattr(resource, snake_case(operation))
            for resource in resources
            for operation in resource.operations
        },
        render=render,
        verifiers={},
        development_token=lambda _realm: mock.settings.control_token,
    )
    return make_api(load_document(_DOCUMENT, keep=True), dialect)


def render(refusal: Refusal, call: Call) -> Reply:
    """A refusal in this API's own shape."""
    del call
    body = {
        "error": refusal.reason,
        "message": refusal.message,
        "violations": [violation_view(violation) for violation in refusal.violations],
    }
    return Reply(refusal.status, body, refusal.headers)
