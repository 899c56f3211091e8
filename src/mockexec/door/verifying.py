"""From what a user names (an API or a document, a server or none) to the plan of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mockexec import catalog
from mockexec.api import Api
from mockexec.door.carriers import at_once
from mockexec.errors import UsageError
from mockexec.http.auth import TOKENS
from mockexec.mocks import load_apis, scenario_loader
from mockexec.server.app import App
from mockexec.server.mock import CONTROL, Mock
from mockexec.simulation.clock import Clock, machine_ns
from mockexec.verify.baseline import Baseline, read_baseline
from mockexec.verify.curl import Curl
from mockexec.verify.given import Params, with_params
from mockexec.verify.plan import EXAMPLES_MAX, PHASES, VerifyPlan, credentials
from mockexec.verify.reporters.console import ConsoleReporter
from mockexec.verify.result import result_of
from mockexec.verify.run import check_names, run, units
from mockexec.verify.shard import Shard
from mockexec.verify.target import (
    AsgiWire,
    Credentials,
    Headers,
    HttpWire,
    Limits,
    Principal,
    Target,
    Times,
)
from mockexec.verify.tokens import ClientCredentials

if TYPE_CHECKING:
    from mockexec.traits import Traits

# Where `mockexec serve` serves, so that the commands of a report work against it as they are.
_ORIGIN = "http://localhost:8000"
# The control API is tested on a mock of the one API that its document's examples name, else hardly
# an execution would be created; with nothing in it: a clock that is turned by ages would fill the
# world with arrivals.
_CONTROLLED = "frontdoor"
_UNFIT_FOR_CONTROL = {
    "schemathesis/ensure_resource_availability": "a reset, a restored snapshot and the deletion of "
    "all faults rightly take away what was created before"
}
_REMEMBERS_NOTHING = "a mock of a document alone remembers nothing"
_TAKES_ANY_CREDENTIAL = "a mock of a document alone takes any credential of the right form"
_UNFIT_FOR_DOCUMENTS = {
    "auth": _TAKES_ANY_CREDENTIAL,
    "links": _REMEMBERS_NOTHING,
    "schemathesis/ignored_auth": _TAKES_ANY_CREDENTIAL,
    "schemathesis/use_after_free": _REMEMBERS_NOTHING,
    "schemathesis/ensure_resource_availability": _REMEMBERS_NOTHING,
}
_SECRET_HEADERS = frozenset(("authorization", "cookie", "proxy-authorization", "x-api-key"))


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What a user chooses about a run; every default is that of the command line.

    ``url``: the base URL of a server, "" for a mock in this process. ``headers`` are added to all
    requests (one that names a credential only to those of the main principal). ``params``: values
    of parameters, by ``NAME`` or ``operationId.NAME``.
    """

    url: str = ""
    token: str = ""
    other_token: str = ""
    headers: Headers = ()
    client: ClientCredentials | None = None
    seed: int = 0
    examples_max: int = EXAMPLES_MAX
    phases: tuple[str, ...] = PHASES
    checks: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    params: Params = ()
    shard: Shard | None = None
    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    allow_changes: bool = False
    tls_verify: bool = True
    baseline: Baseline = field(default_factory=Baseline)


@contextmanager
def planned(what: str | Path, options: VerifyOptions) -> Iterator[VerifyPlan]:
    """The plan of a run over ``what``, a name of an API or a path of a document.

    Raises:
        UsageError: there is no such API, operation, parameter, check or phase, or no token can be
            had.
        DocumentError: the document cannot be read, or is none.
    """
    plan = _remote(what, options) if options.url else _local(what, options)
    try:
        if options.params:
            plan = replace(plan, api=with_params(plan.api, options.params))
        _check_names(plan)
        if options.shard is not None:
            plan = replace(plan, units=options.shard.share(units(plan)))
        yield plan
    finally:
        plan.target.close()


def curl_for(plan: VerifyPlan) -> Curl:
    """How the requests of a run are shown: a mock's credentials as they are, others never."""
    if plan.target.is_mock:
        return Curl(plan.target.credentials)
    keys = {
        scheme.parameter.lower()
        for scheme in plan.api.security_schemes.values()
        if scheme.type == "apiKey"
    }
    return Curl(plan.target.credentials, _SECRET_HEADERS | keys)


def _remote(what: str | Path, options: VerifyOptions) -> VerifyPlan:
    api, traits = _api(what)
    parts = urlsplit(options.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"{options.url!r} is not a URL such as https://api.example.com/v1")
    wire = HttpWire(tls_verify=options.tls_verify)
    token = options.token or _fetched(options.client, wire)
    target = Target(
        wire=wire,
        base_url=options.url.rstrip("/"),
        credentials=_credentials(api, token, options.other_token, options.headers),
        limits=options.limits,
        can_change=options.allow_changes or _is_loopback(parts.hostname),
    )
    return _plan(api, traits, target, options)


def _fetched(client: ClientCredentials | None, wire: HttpWire) -> str:
    """A token by client credentials, "" without any."""
    try:
        return "" if client is None else client.token(wire)
    except UsageError:
        wire.close()
        raise


def _local(what: str | Path, options: VerifyOptions) -> VerifyPlan:
    if options.client is not None:
        raise UsageError("client credentials belong to a --url; a mock has its own token")
    mock, app, api, traits = _mock(what, options.seed)
    realm = mock.base.world.realms[api.name]
    token = options.token or ("" if api.name == CONTROL else api.dialect.development_token(realm))
    # The fixtures call it so in every API that has a second principal.
    others = [value for value, _ in realm.table(TOKENS).items() if "other" in value.lower()]
    other = options.other_token or next(iter(others), "")
    target = Target(
        wire=AsgiWire(app),
        base_url=f"{_ORIGIN}/{api.name}",
        credentials=_credentials(api, token, other, options.headers),
        times=_times(mock),
        limits=options.limits,
    )
    plan = _plan(api, traits, target, options)
    unfit: dict[str, str] = {}
    if api.name == CONTROL:
        unfit = _UNFIT_FOR_CONTROL
    elif api.name not in catalog.names():
        unfit = _UNFIT_FOR_DOCUMENTS
    return replace(plan, app=app, unfit=unfit, renew=lambda: mock.reset(mock.base))


def _mock(what: str | Path, seed: int) -> tuple[Mock, App, Api, Traits | None]:
    is_known = what == CONTROL or what in catalog.names()
    documents = [] if is_known else [_document(what)]
    names = [_CONTROLLED if what == CONTROL else str(what)] if is_known else []
    apis = load_apis(names, documents)
    mock = Mock(
        apis,
        scenario_loader(documents),
        scenario="empty" if what == CONTROL else "default",
        seed=seed,
        clock=Clock("frozen"),
    )
    app = App(mock)
    at_once(app.start())
    if what == CONTROL:
        return mock, app, app.control, None
    return mock, app, apis[0], None if documents else catalog.traits(apis[0].name)


def _times(mock: Mock) -> Times:
    """The clock of the mock's world, whichever that is: each part of a run has a fresh one."""

    def now_ns() -> int:
        return mock.base.world.clock.now_ns()

    def turn(seconds: float) -> None:
        world = mock.base.world
        world.clock.advance(int(seconds * 1_000_000_000))
        world.settle()

    return Times(now_ns, turn)


def _api(what: str | Path) -> tuple[Api, Traits | None]:
    if what in catalog.names():
        return catalog.api(str(what)), catalog.traits(str(what))
    (api,) = load_apis([], [_document(what)])
    return api, None


def _document(what: str | Path) -> Path:
    path = Path(what)
    if not path.is_file():
        known = ", ".join(catalog.names())
        raise UsageError(f"{str(what)!r} is neither an API nor a file; there are: {known}")
    return path


def _plan(api: Api, traits: Traits | None, target: Target, options: VerifyOptions) -> VerifyPlan:
    return VerifyPlan(
        api=api,
        target=target,
        traits=traits,
        seed=options.seed,
        examples_max=options.examples_max,
        phases=options.phases,
        checks=options.checks,
        excluded=options.excluded,
        operations=options.operations,
        workers=options.workers,
        tls_verify=options.tls_verify,
        baseline=options.baseline,
    )


def _credentials(
    api: Api, token: str, other: str, headers: Headers
) -> dict[Principal, Credentials]:
    """What each principal adds; a header that names a credential is the main principal's alone."""
    names = _SECRET_HEADERS | {scheme.parameter.lower() for scheme in api.security_schemes.values()}
    secret = tuple(pair for pair in headers if pair[0].lower() in names)
    shared = tuple(pair for pair in headers if pair[0].lower() not in names)
    main = credentials(api, token) if token else Credentials()
    own = {name.lower() for name, _ in secret}
    kept = tuple(pair for pair in main.headers if pair[0].lower() not in own)
    found: dict[Principal, Credentials] = {"none": Credentials(shared)}
    if kept or secret or main.query:
        found["main"] = Credentials((*kept, *secret, *shared), main.query)
    elif shared:
        found["main"] = Credentials(shared)
    if other:
        theirs = credentials(api, other)
        found["other"] = Credentials((*theirs.headers, *shared), theirs.query)
    return found


def _check_names(plan: VerifyPlan) -> None:
    """Raises UsageError for a name that nothing has."""
    _known("operation", plan.operations, [operation.id for operation in plan.api.operations])
    _known("phase", plan.phases, PHASES)
    if plan.checks or plan.excluded:
        _known("check", (*plan.checks, *plan.excluded), check_names())


def _known(kind: str, names: tuple[str, ...], known: Any) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise UsageError(f"there is no {kind} {name!r}; {hint}")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


# As tests


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one unit: why it was skipped, or what is wrong; both empty if all is well."""

    skipped: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A run that has been looked through and can be carried out unit by unit."""

    what: str | Path
    options: VerifyOptions
    units: tuple[str, ...]

    def run(self, unit: str) -> Outcome:
        """Carries out one unit, on a mock of its own."""
        with planned(self.what, self.options) as whole:
            plan = replace(whole, units=(unit,))
            result = result_of(plan.api, run(plan), plan.baseline)
            told: list[str] = []
            ConsoleReporter(told.append, curl_for(plan), live=False).findings(result)
            told += [f"not tested: {t.where}: {t.message}\n" for t in result.troubles]
        if told:
            return Outcome(wrong="".join(told))
        if not result.parts:
            reasons = [f"{skipped.what}: {skipped.reason}" for skipped in result.skipped]
            return Outcome(skipped="; ".join(reasons) or "nothing of it may be called")
        return Outcome()


def settled(
    what: str | Path,
    folder: Path,
    *,
    baseline: str | Path | None,
    max_examples: int | None,
    phases: Sequence[str],
    **options: Any,
) -> Settled:
    """A run whose files are named from ``folder``; ``options`` are those of ``VerifyOptions``.

    Raises:
        UsageError: there is no such API, operation, check or phase.
        DocumentError: the document cannot be read.
    """
    if what not in catalog.names() and what != CONTROL:
        what = folder / what
    found = VerifyOptions(
        phases=tuple(phases) or PHASES,
        examples_max=max_examples or EXAMPLES_MAX,
        baseline=Baseline() if baseline is None else read_baseline(folder / baseline, today()),
        **options,
    )
    with planned(what, found) as plan:
        return Settled(what, found, units(plan))


def today() -> date:
    """The machine's date, in UTC."""
    return datetime.fromtimestamp(machine_ns() / 1_000_000_000, UTC).date()
