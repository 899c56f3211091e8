"""The run itself: what Schemathesis finds, in our words; budgets, order, what may be called."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

import mockexec
from mockexec.door.verifying import VerifyOptions, planned
from mockexec.errors import UsageError
from mockexec.verify.events import Found, Sent, Skipped, Started
from mockexec.verify.findings import Severity
from mockexec.verify.plan import PHASES
from mockexec.verify.result import result_of
from mockexec.verify.run import run, units
from mockexec.verify.shard import Shard
from mockexec.verify.target import Limits
from tests.verify.shop import DOCUMENT, TOKEN, Shop, serving
from tests.verify.support import causes, document, shopping, verified

EVERY = ("examples", "coverage", "fuzzing", "stateful")


def test_a_right_server_gives_no_finding(tmp_path: Path) -> None:
    """All phases of Schemathesis and our checks: nothing is found, every link is followed."""
    result = verified(tmp_path, phases=PHASES)
    assert not causes(result)
    assert not result.troubles
    assert result.exit_code == 0
    assert all(result.coverage.operations["createThing"].links.values())


@pytest.mark.parametrize(
    ("fault", "operation", "title", "severity", "line"),
    [
        (
            "server_error",
            "listThings",
            "a request makes the server fail: 500",
            Severity.CRITICAL,
            10,
        ),
        (
            "teapot",
            "listThings",
            "answers 418, which the document does not have",
            Severity.MEDIUM,
            10,
        ),
        ("no_auth", "createThing", "answers 201 without credentials", Severity.CRITICAL, 20),
    ],
)
def test_a_fault_is_one_finding_with_cause_and_place(
    tmp_path: Path, fault: str, operation: str, title: str, severity: Severity, line: int
) -> None:
    """What is seen of it otherwise is left out; the finding tells what came, and where to look."""
    result = verified(tmp_path, fault)
    (group,) = [g for g in result.groups if g.finding.operation == operation]
    finding = group.finding
    assert (finding.title, finding.severity) == (title, severity)
    assert result.place(finding).endswith(f"shop.yaml:{line}")
    assert str(finding.exchanges[-1].status) in finding.got
    assert result.exit_code == 1


def test_a_story_leads_to_what_is_wrong(tmp_path: Path) -> None:
    """A finding over several requests has them all, and names what is missing in which answer."""
    result = verified(tmp_path, "broken_item", phases=("stateful",))
    (group,) = result.groups
    finding = group.finding
    assert finding.title == 'the 200 answer breaks its schema: "name" is a required property'
    assert [e.request.method for e in finding.exchanges] == ["POST", "GET"]
    # The line of `required` in the schema that is broken, through the reference.
    assert result.place(finding).endswith("shop.yaml:75")


def test_what_was_created_and_is_not_there(tmp_path: Path) -> None:
    """The creation is told before the look-up that fails."""
    result = verified(tmp_path, "lost", phases=("stateful",))
    assert ("createThing", "what POST /things created is not there for GET /things/{id}") in causes(
        result
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_stories_go_on_until_every_link_is_followed(seed: int) -> None:
    """However few they are to be, and however often the first request of one is refused."""
    pushed = ("createExecution", "getExecution", "updateExecution")
    options = VerifyOptions(seed=seed, examples_max=8, phases=("stateful",), operations=pushed)
    with planned("_mockexec", options) as plan:
        result = result_of(plan.api, run(plan))
    for name in pushed:
        links = result.coverage.operations[name].links
        assert len(links) == 2
        assert all(links.values()), links


def test_the_seed_repeats_a_run(tmp_path: Path) -> None:
    """The same seed sends the same requests, another seed others."""

    def sent(seed: int) -> list[tuple[str, str, bytes | None]]:
        chosen = ("listWorkflows", "testWorkflow", "getWorkflowExecution", "createToken")
        options = VerifyOptions(seed=seed, examples_max=3, phases=EVERY, operations=chosen)
        with planned("sailpoint", options) as plan:
            requests = [e.exchanged.request for e in run(plan) if isinstance(e, Sent)]
        return [(r.method, f"{r.path}?{r.query}", r.body) for r in requests]

    first = sent(1)
    assert first == sent(1)
    assert first != sent(2)


def test_the_process_has_no_say_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed, the same requests, whatever modules are loaded and settings are in force."""

    def sent() -> list[tuple[str, bytes | None]]:
        options = VerifyOptions(
            seed=1, examples_max=60, phases=("fuzzing",), operations=("runWorkflow",)
        )
        with planned("polos", options) as plan:
            requests = [e.exchanged.request for e in run(plan) if isinstance(e, Sent)]
        return [(f"{request.path}?{request.query}", request.body) for request in requests]

    before = sent()
    constants = ", ".join(f"{number * 7919}, 'constant {number}'" for number in range(500))
    (tmp_path / "module_of_constants.py").write_text(f"SOME = [{constants}]\n")
    monkeypatch.syspath_prepend(tmp_path)
    import_module("module_of_constants")
    profile = settings.get_current_profile_name()
    settings.register_profile("hasty", max_examples=3, phases=(Phase.generate,))
    settings.load_profile("hasty")
    try:
        assert sent() == before
        assert settings.get_current_profile_name() == "hasty"
    finally:
        settings.load_profile(profile)
        del sys.modules["module_of_constants"]


def test_a_run_ends_when_its_requests_are_spent(tmp_path: Path) -> None:
    """It stops at the limit, says so, and tells what it found until then."""
    shop = Shop("no_auth")
    limits = Limits(requests_max=60)
    with shopping(tmp_path, shop, limits=limits) as plan:
        result = result_of(plan.api, run(plan))
    assert result.finished is not None
    assert result.finished.ended == "requests"
    # What is under way may end; what checks send on the side is counted when it is told.
    assert 60 <= len(shop.seen) <= 80
    assert ("createThing", "answers 201 without credentials") in causes(result)


def test_a_run_ends_when_its_time_is_over(tmp_path: Path) -> None:
    """However many cases there would be."""
    result = verified(tmp_path, limits=Limits(time_max_s=0.5), examples_max=5000)
    assert result.finished is not None
    assert result.finished.ended == "time"
    assert result.finished.took_s < 20


def test_only_the_chosen_operations_are_called(tmp_path: Path) -> None:
    """``operations`` leaves the others alone."""
    shop = Shop()
    with shopping(tmp_path, shop, operations=("listThings",), phases=EVERY) as plan:
        result = result_of(plan.api, run(plan))
    # Schemathesis first sees what kinds of requests arrive at all.
    assert {path for _, path in shop.seen if "probe" not in path} == {"/things"}
    assert result.coverage.operations["listThings"].requests
    assert not result.coverage.operations["getThing"].requests


def test_given_values_are_sent(tmp_path: Path) -> None:
    """By Schemathesis in every case, by our checks where they would send an example."""
    shop = Shop()
    shop.things["mine"] = {"id": "mine", "name": "it"}
    phases = ("checks", "coverage", "fuzzing", "stateful")
    given: dict[str, Any] = {"params": (("getThing.id", "mine"),), "phases": phases}
    with shopping(tmp_path, shop, checks=("idempotent_reads", "schemathesis"), **given) as plan:
        events = [event for event in run(plan) if isinstance(event, Sent)]
    read = [event for event in events if event.operation == "getThing"]
    assert {event.phase for event in read} >= {"idempotent_reads", "coverage", "fuzzing"}
    assert {event.exchanged.request.path for event in read} == {"/things/mine"}
    deleted = {event.exchanged.request.path for event in events if event.operation == "deleteThing"}
    assert len(deleted) > 5


def test_a_given_value_takes_the_place_of_the_one_that_checks_know(tmp_path: Path) -> None:
    """The id in the document is that of the document's account; a check's own ids stay."""
    project = "00000000-1111-4222-8333-444444444444"
    for given in (("X-Project-ID", project), ("execution_id", "not-mine")):
        options = VerifyOptions(params=(given,), checks=("creation",))
        with planned("polos", options) as plan:
            sent = [e for e in run(plan) if isinstance(e, Sent) and e.phase == "creation"]
        asked = {
            name: [e.exchanged.request for e in sent if e.operation == name]
            for name in ("runWorkflow", "getExecution")
        }
        assert asked["runWorkflow"]
        if given[1] == project:
            found = {dict(request.headers)["X-Project-ID"] for request in asked["runWorkflow"]}
            assert found == {project}
        else:
            assert len(asked["getExecution"]) > 1
            assert not any("not-mine" in request.path for request in asked["getExecution"])


def test_checks_are_chosen_and_left_out_by_name(tmp_path: Path) -> None:
    """One by its name, all of Schemathesis's by theirs."""
    ignored = "schemathesis/ignored_auth"
    assert not verified(
        tmp_path, "no_auth", excluded=(ignored, "schemathesis/missing_required_header")
    ).groups
    only = verified(tmp_path, "no_auth", "teapot", checks=(ignored,), phases=PHASES)
    assert {group.finding.check for group in only.groups} == {ignored}


def test_on_a_strange_server_nothing_is_changed(tmp_path: Path) -> None:
    """Not on loopback, changing operations wait for leave, and the report names them."""
    shop = Shop()
    with serving(shop) as url:
        # An address of this machine that is none of loopback's.
        strange = url.replace("127.0.0.1", "0.0.0.0")  # noqa: S104  # called, not listened on
        options = VerifyOptions(url=strange, token=TOKEN, examples_max=5)
        with planned(document(tmp_path), options) as plan:
            result = result_of(plan.api, run(plan))
    changing = {"POST", "PUT", "PATCH", "DELETE"} & {method for method, _ in shop.seen}
    assert not changing
    skipped = {skipped.what: skipped.reason for skipped in result.skipped}
    assert "--allow-changes" in skipped["createThing"]
    assert "--allow-changes" in skipped["deleteThing"]
    assert result.coverage.operations["getThing"].requests


def test_with_leave_a_strange_server_is_changed(tmp_path: Path) -> None:
    """``allow_changes`` calls everything."""
    shop = Shop()
    with serving(shop) as url:
        strange = url.replace("127.0.0.1", "0.0.0.0")  # noqa: S104  # called, not listened on
        options = VerifyOptions(
            url=strange, token=TOKEN, examples_max=5, allow_changes=True, phases=("fuzzing",)
        )
        with planned(document(tmp_path), options) as plan:
            result_of(plan.api, run(plan))
    assert "POST" in {method for method, _ in shop.seen}


def test_a_server_that_asks_for_patience_gets_it(tmp_path: Path) -> None:
    """429 with Retry-After is waited for and asked again; it is no finding."""
    shop = Shop("throttled")
    with shopping(tmp_path, shop) as plan:
        result = result_of(plan.api, run(plan))
    assert shop.throttled == 1
    assert not result.groups


def test_shards_have_the_whole_run_between_them(tmp_path: Path) -> None:
    """Every unit is in exactly one of n shards, and each shard calls only what is its own."""
    with planned("sailpoint", VerifyOptions()) as plan:
        whole = units(plan)
    for count in (1, 2, 3, 7, 50):
        shares = [Shard(number, count).share(whole) for number in range(1, count + 1)]
        assert sorted(unit for share in shares for unit in share) == sorted(whole)
    reached: set[str] = set()
    for number in (1, 2):
        options = {"shard": Shard(number, 2), "phases": ("fuzzing",), "examples_max": 3}
        result = verified(tmp_path, **options)
        called = {n for n, row in result.coverage.operations.items() if row.requests}
        # The greeting calls the list.
        assert called <= (called - reached) | {"listThings"}
        reached |= called
    assert reached == {"listThings", "createThing", "getThing", "deleteThing"}


def test_several_workers_find_the_same(tmp_path: Path) -> None:
    """Workers share the budget and the findings."""
    result = verified(tmp_path, "teapot", workers=4)
    assert ("listThings", "answers 418, which the document does not have") in causes(result)


def test_the_rate_is_kept(tmp_path: Path) -> None:
    """So many requests in a second, however fast the server is."""
    limits = Limits(requests_max=12, per_second_max=20.0)
    result = verified(tmp_path, limits=limits)
    assert result.finished is not None
    assert result.finished.took_s > 0.5


def test_headers_and_credentials_go_out(tmp_path: Path) -> None:
    """A header goes with every request; one that is a credential only with the main principal's."""
    shop = Shop()
    headers = (("X-Tenant", "acme"), ("Authorization", f"Bearer {TOKEN}"))
    with shopping(tmp_path, shop, token="", headers=headers) as plan:
        result = result_of(plan.api, run(plan))
    assert not result.groups
    assert all(sent.get("x-tenant") == "acme" for sent in shop.headers)
    assert any("authorization" not in sent for sent in shop.headers)


def test_nothing_answers(tmp_path: Path) -> None:
    """It is said before anything else."""
    with serving(Shop()) as url:
        gone = url
    options = VerifyOptions(url=gone)
    with (
        planned(document(tmp_path), options) as plan,
        pytest.raises(UsageError, match="nothing answers"),
    ):
        next(run(plan))


def test_a_run_tells_what_it_is_first(tmp_path: Path) -> None:
    """The first event names server, seed and units; findings come as they are made."""
    with shopping(tmp_path, Shop("teapot")) as plan:
        events = list(run(plan))
    first = events[0]
    assert isinstance(first, Started)
    assert first.url == plan.target.base_url
    assert first.units == tuple(f"operation:{op.id}" for op in plan.api.operations)
    found = next(n for n, event in enumerate(events) if isinstance(event, Found))
    assert any(isinstance(event, Sent) for event in events[found:])
    assert not any(isinstance(event, Skipped) for event in events)


@pytest.mark.parametrize("api", ["_mockexec", "thand"])
def test_a_mock_is_verified_in_process(api: str) -> None:
    """Without a server, an API or the control API, and nothing is found."""
    options = VerifyOptions(examples_max=5, phases=("coverage", "stateful"))
    with planned(api, options) as plan:
        result = result_of(plan.api, run(plan))
    assert result.requests > 100
    assert not result.groups, causes(result)
    assert not result.troubles


def test_one_fault_of_many_operations_is_shown_once(tmp_path: Path) -> None:
    """The same wrong answer everywhere is one cause; each operation's is kept beside it."""
    result = verified(tmp_path, "plain", excluded=("auth", "error_shape", "invalid"), phases=PHASES)
    shown = [group for group in result.shown if "401" in group.finding.title]
    assert [len(group.operations) for group in shown] == [4]
    assert len([group for group in result.groups if "401" in group.finding.title]) == 4


def test_the_document_says_what_changes_something(tmp_path: Path) -> None:
    """``x-changes`` on an operation counts for more than its method."""
    text = DOCUMENT.replace(
        "operationId: getThing\n", "operationId: getThing\n      x-changes: true\n"
    )
    text = text.replace(
        "operationId: createThing", "operationId: createThing\n      x-changes: false"
    )
    path = tmp_path / "shop.yaml"
    path.write_text(text)
    shop = Shop()
    with serving(shop) as url:
        strange = url.replace("127.0.0.1", "0.0.0.0")  # noqa: S104  # called, not listened on
        with planned(path, VerifyOptions(url=strange, token=TOKEN, examples_max=3)) as plan:
            result = result_of(plan.api, run(plan))
    assert {"getThing", "deleteThing"} <= {skipped.what for skipped in result.skipped}
    assert result.coverage.operations["createThing"].requests
    assert not result.coverage.operations["getThing"].requests


def test_a_broken_connection_is_a_finding(tmp_path: Path) -> None:
    """Not an end of the run, which goes on."""
    result = verified(tmp_path, "hangs_up", phases=PHASES, examples_max=5)
    found = {(g.finding.check, g.finding.title) for g in result.groups}
    assert ("schemathesis/answer", "a request of the document gets no answer") in found
    (finding,) = [g.finding for g in result.groups if g.finding.operation == "getThing"]
    assert finding.exchanges[-1].request.path.startswith("/things/thing-")
    assert result.finished is not None
    assert result.coverage.operations["listThings"].requests > 10


FORM = """\
openapi: 3.0.3
info: {title: Form, version: "1"}
paths:
  /tokens:
    post:
      operationId: createToken
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [name]
              properties: {name: {type: string, minLength: 1}}
      responses:
        "200":
          description: A token
          content: {application/json: {schema: {type: object}, example: {token: abc}}}
        "400": {description: The form is wrong}
        "406": {description: No such answer}
        "415": {description: No form}
"""


def test_a_form_without_a_field_is_no_body(tmp_path: Path) -> None:
    """A server that may be asked without a body does not err in taking it for none."""
    path = tmp_path / "form.yaml"
    path.write_text(FORM)
    with planned(path, VerifyOptions(examples_max=30)) as plan:
        result = result_of(plan.api, run(plan))
    assert not result.groups, causes(result)


def test_a_form_without_a_field_is_missing_where_a_body_is_needed(tmp_path: Path) -> None:
    """A server that takes it all the same errs."""
    lax, strict = tmp_path / "form.yaml", tmp_path / "strict" / "form.yaml"
    lax.write_text(FORM)
    strict.parent.mkdir()
    strict.write_text(FORM.replace("requestBody:", "requestBody:\n        required: true"))
    with mockexec.serve(lax) as mock:
        options = VerifyOptions(
            url=f"{mock.url}/form", token="form-dev-token", examples_max=30
        )  # of a mock
        with planned(strict, options) as plan:
            result = result_of(plan.api, run(plan))
    found = [group.finding for group in result.groups]
    assert any(f.check == "schemathesis/negative_data_rejection" for f in found), causes(result)


@pytest.mark.parametrize("version", ["2.0", "3.1 in two files"])
def test_documents_of_other_kinds(tmp_path: Path, version: str) -> None:
    """Swagger 2.0 with its base path; references from one file to another."""
    path = tmp_path / "api.yaml"
    if version == "2.0":
        path.write_text(
            'swagger: "2.0"\ninfo: {title: T, version: "1"}\nbasePath: /v1\npaths:\n  /a:\n'
            "    get:\n      parameters: [{name: n, in: query, type: integer}]\n      responses:\n"
            '        "200": {description: x, schema: {type: object}}\n        "400": {description: n}\n'
        )
    else:
        (tmp_path / "parts.yaml").write_text(
            "N: {name: n, in: query, schema: {type: [integer, 'null']}}\nA: {type: object}\n"
        )
        path.write_text(
            'openapi: 3.1.0\ninfo: {title: T, version: "1"}\npaths:\n  /a:\n    get:\n'
            '      parameters: [{$ref: "parts.yaml#/N"}]\n      responses:\n        "200":\n'
            "          description: x\n"
            '          content: {application/json: {schema: {$ref: "parts.yaml#/A"}}}\n'
            '        "400": {description: n}\n'
        )
    with planned(path, VerifyOptions(examples_max=5)) as plan:
        result = result_of(plan.api, run(plan))
    (row,) = result.coverage.operations.values()
    assert row.statuses[200]
    assert row.statuses[400]
    assert row.parameters["query.n"]
    assert not result.groups, causes(result)
    assert not result.troubles
