"""``mockexec verify``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mockexec import catalog
from mockexec.door.verifying import VerifyOptions, curl_for, planned, today
from mockexec.errors import UsageError
from mockexec.simulation.instants import parse_duration
from mockexec.verify.baseline import REASON_MISSING, Baseline, read_baseline, write_baseline
from mockexec.verify.coverage import Coverage
from mockexec.verify.given import read_param
from mockexec.verify.plan import EXAMPLES_MAX, PHASES, VerifyPlan
from mockexec.verify.replay import Replayed, read_stories, replay
from mockexec.verify.reporters import KINDS, open_reports
from mockexec.verify.reporters.console import ConsoleReporter
from mockexec.verify.result import Result
from mockexec.verify.run import greet, run
from mockexec.verify.shard import read_shard
from mockexec.verify.target import Headers, Limits
from mockexec.verify.tokens import ClientCredentials

_RATE = re.compile(r"(\d{1,6})/([smh])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@click.command("verify")
@click.argument("what", metavar="[API|SPEC]", required=False)
@click.option("--url", default="", help="Base URL of a server to test instead of a mock.")
@click.option("--token", default="", envvar="MOCKEXEC_TOKEN", help="Credential to send.")
@click.option(
    "--other-token",
    default="",
    envvar="MOCKEXEC_OTHER_TOKEN",
    help="Credential of somebody else, who must not see what is the first one's.",
)
@click.option(
    "-H", "--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="Repeatable."
)
@click.option("--client-id", default="", help="For a token by client credentials.")
@click.option("--client-secret", default="", envvar="MOCKEXEC_CLIENT_SECRET")
@click.option("--token-url", default="", help="Where that token is to be had.")
@click.option("--scope", default="", help="What that token is asked for.")
@click.option("--seed", default=0, show_default=True, help="The same seed, the same requests.")
@click.option(
    "--max-examples",
    "examples_max",
    type=click.IntRange(1),
    default=EXAMPLES_MAX,
    show_default=True,
    help="Cases for each operation in each phase.",
)
@click.option(
    "--phases", default=",".join(PHASES), show_default=True, help="What to run, with commas."
)
@click.option("--check", "checks", metavar="NAME", multiple=True, help="Only this; repeatable.")
@click.option("--exclude-check", "excluded", metavar="NAME", multiple=True, help="Repeatable.")
@click.option(
    "--operation", "operations", metavar="ID", multiple=True, help="Only this; repeatable."
)
@click.option(
    "--param",
    "params",
    metavar="NAME=VALUE",
    multiple=True,
    help="Send this value of a parameter; operationId.NAME=VALUE on one operation. Repeatable.",
)
@click.option("--max-time", metavar="DURATION", default="", help="At most 90s, 10m, PT1H …")
@click.option("--max-requests", type=click.IntRange(1), default=None, help="At most so many.")
@click.option("--rate-limit", metavar="N/s|m|h", default="", help="At most so many at a time.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--shard", metavar="I/N", default="", help="The I-th of N parts of the run.")
@click.option(
    "--allow-changes",
    is_flag=True,
    help="Call what changes something on a server that is not on this machine, too.",
)
@click.option("--insecure", is_flag=True, help="Take any TLS certificate.")
@click.option(
    "--report",
    "reports",
    metavar="KIND=FILE",
    multiple=True,
    help=f"Write a report: {', '.join(KINDS)}; repeatable.",
)
@click.option("--baseline", type=click.Path(path_type=Path), help="File of accepted deviations.")
@click.option("--baseline-update", is_flag=True, help="Accept what is found: write it there.")
@click.option("--reason", default=REASON_MISSING, help="Why it is accepted.")
@click.option(
    "--replay",
    "replayed",
    type=click.Path(path_type=Path),
    help="Send the findings of this JSON Lines report again; say which still fail.",
)
def command(what: str | None, **given: Any) -> None:
    """Test an API against its document: a mock of it in this process, or the server at --url.

    Without API and SPEC, the mocks of all APIs. Exit code: 0 clean, 1 findings, 2 if it could not
    be tested.
    """
    options = _options(given)
    reports = _reports(given["reports"])
    single = ("url", "reports", "baseline", "replayed")
    if what is None and any(given[name] for name in single):
        raise UsageError("name an API or a document to verify")
    if given["baseline_update"] and given["baseline"] is None:
        raise UsageError("--baseline-update needs the file: --baseline FILE")
    codes = []
    for name in [what] if what is not None else catalog.names():
        with planned(name, options) as plan:
            if given["replayed"] is not None:
                codes.append(_replay(plan, given["replayed"]))
                continue
            result = _run(plan, reports)
            if given["baseline_update"]:
                _accept(plan, result, given["baseline"], given["reason"])
                codes.append(2 if result.troubles else 0)
            else:
                codes.append(result.exit_code)
    sys.exit(1 if 1 in codes else max(codes))


def _run(plan: VerifyPlan, reports: Sequence[tuple[str, Path]]) -> Result:
    curl = curl_for(plan)
    result = Result(plan.api, Coverage(plan.chosen), plan.baseline)
    with open_reports(reports, curl) as reporters:
        live = sys.stdout.isatty()
        console = ConsoleReporter(
            lambda text: click.echo(text, nl=False), curl, live=live, style=click.style
        )
        everyone = [console, *reporters]
        for event in run(plan):
            result.take(event)
            for reporter in everyone:
                reporter.take(event)
        for reporter in everyone:
            reporter.finish(result)
    return result


def _accept(plan: VerifyPlan, result: Result, path: Path, reason: str) -> None:
    """Writes what was found into the baseline."""
    findings = [group.finding for group in (*result.groups, *result.accepted)]
    ended = result.finished is not None and result.finished.ended == "done"
    baseline = plan.baseline.updated(findings, reason, whole=ended and plan.is_whole)
    write_baseline(path, baseline)
    click.echo(f"{path}: {len(baseline.entries)} accepted deviations")


def _replay(plan: VerifyPlan, path: Path) -> int:
    """The exit code of a replay: 1 if anything still fails."""
    stories = read_stories(path)
    greet(plan)
    code = 0
    for replayed in replay(plan, stories):
        click.echo(_verdict(replayed))
        code = code or int(replayed.still_fails)
    return code


def _verdict(replayed: Replayed) -> str:
    word = "still fails" if replayed.still_fails else "not any more"
    story = replayed.story
    return f"{word}: {story.operation}: {story.title}\n  {replayed.because}"


def _options(given: dict[str, Any]) -> VerifyOptions:
    return VerifyOptions(
        url=given["url"],
        token=given["token"],
        other_token=given["other_token"],
        headers=_headers(given["headers"]),
        client=_client(given),
        seed=given["seed"],
        examples_max=given["examples_max"],
        phases=tuple(phase.strip() for phase in given["phases"].split(",")),
        checks=given["checks"],
        excluded=given["excluded"],
        operations=given["operations"],
        params=tuple(map(read_param, given["params"])),
        shard=read_shard(given["shard"]) if given["shard"] else None,
        workers=given["workers"],
        limits=Limits(
            requests_max=given["max_requests"] or 0,
            time_max_s=_time_s(given["max_time"]),
            per_second_max=_per_second(given["rate_limit"]),
        ),
        allow_changes=given["allow_changes"],
        tls_verify=not given["insecure"],
        baseline=_baseline(given["baseline"], may_lack=given["baseline_update"]),
    )


def _baseline(path: Path | None, *, may_lack: bool) -> Baseline:
    if path is None:
        return Baseline()
    return read_baseline(path, today(), may_lack=may_lack)


def _client(given: dict[str, Any]) -> ClientCredentials | None:
    names = ("client_id", "client_secret", "token_url")
    if not any(given[name] for name in names):
        return None
    if missing := [name for name in names if not given[name]]:
        option = missing[0].replace("_", "-")
        raise UsageError(f"client credentials also need --{option}")
    return ClientCredentials(
        given["client_id"], given["client_secret"], given["token_url"], given["scope"]
    )


def _headers(texts: Sequence[str]) -> Headers:
    found = []
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise UsageError(f"{text!r} is not of the form 'NAME: VALUE'")
        found.append((name.strip(), value.strip()))
    return tuple(found)


def _reports(texts: Sequence[str]) -> list[tuple[str, Path]]:
    found = []
    for text in texts:
        kind, equals, file = text.partition("=")
        if not equals or not file:
            raise UsageError(f"{text!r} is not of the form KIND=FILE")
        if kind not in KINDS:
            raise UsageError(f"there is no report {kind!r}; there are: {', '.join(KINDS)}")
        found.append((kind, Path(file)))
    return found


def _time_s(text: str) -> float:
    if not text:
        return 0.0
    try:
        return parse_duration(f"{text}s" if text.isdecimal() else text) / 1_000_000_000
    except ValueError as error:
        raise UsageError(f"--max-time: {error}") from None


def _per_second(text: str) -> float:
    if not text:
        return 0.0
    found = _RATE.fullmatch(text)
    if found is None or not int(found[1]):
        raise UsageError(f"{text!r} is not a rate such as 10/s or 300/m")
    return int(found[1]) / _SECONDS[found[2]]
