"""mockexec beside other mock servers and frameworks: requests per second, and what they cost.

``python benchmarks/speed.py`` installs the peers from npm and PyPI into a folder of its own, lets
them serve the same document in turn, and writes a table, a picture and the figures behind them. See
``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.comparison import documents
from benchmarks.comparison.cases import SCENARIOS
from benchmarks.comparison.figures import Figures, PeerFigures
from benchmarks.comparison.install import InstallError, Place, default_cache, install
from benchmarks.comparison.measure import Comparison, Options
from benchmarks.comparison.peers import PEERS, Peer
from benchmarks.comparison.picture import picture
from benchmarks.comparison.readme import NoMarks, with_figures
from benchmarks.comparison.report import report


def say(line: str) -> None:
    """Progress."""
    print(line, file=sys.stderr, flush=True)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    peers, scenarios = ([each.key for each in both] for both in (PEERS, SCENARIOS))
    parser.add_argument(
        "--peers", metavar="A,B", type=_names(peers), default=peers,
        help="only these: " + ", ".join(peers),
    )  # fmt: skip
    parser.add_argument(
        "--scenarios", metavar="A,B", type=_names(scenarios), default=scenarios,
        help="only these: " + ", ".join(scenarios),
    )  # fmt: skip
    parser.add_argument("--seconds", type=int, default=5, help="of a run [5]")
    parser.add_argument("--warmup", type=int, default=1, help="seconds before each run [1]")
    parser.add_argument("--repetitions", type=int, default=5, help="how often, all of it [5]")
    parser.add_argument("--quick", action="store_true", help="one run of a second each")
    parser.add_argument(
        "--soak", action="store_true", help="also a million requests to mockexec, for its memory"
    )
    parser.add_argument("--cores", metavar="SERVER,LOAD", type=_cores, default=_first_cores())
    parser.add_argument("--ready-limit", type=float, default=90.0, help="seconds to start [90]")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="[%(default)s]")
    parser.add_argument("--output", type=Path, help="folder of the results [CACHE/results]")
    parser.add_argument("--note", default="", help="what to know of this run; stands in the report")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="show the figures of speed.json again",
    )
    parser.add_argument(
        "--readme", type=Path, metavar="FILE", help="also write the table between its marks there"
    )
    return parser.parse_args(arguments)


def main() -> int:
    """Measures and writes; 0, or 1 if it cannot be done."""
    arguments = parse()
    output = arguments.output or arguments.cache / "results"
    if arguments.source:
        figures = Figures.from_json(arguments.source.read_text(encoding="utf-8"))
        return write(figures, output, arguments.readme)
    for program, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(program) is None:
            say(f"{program} is missing: install the package {package} (this runs on Linux only)")
            return 1
    chosen = [peer for peer in PEERS if peer.key in arguments.peers]
    try:
        with_peers = any(not peer.is_ours for peer in chosen)
        place = install(arguments.cache, say, with_peers=with_peers)
    except InstallError as error:
        say(str(error))
        return 1
    return write(compare(arguments, place, chosen), output, arguments.readme)


def compare(arguments: argparse.Namespace, place: Place, chosen: list[Peer]) -> Figures:
    """The figures of the chosen peers."""
    server_core, load_core = arguments.cores
    # wrk is started from here, and stays where this is.
    os.sched_setaffinity(0, {load_core})
    options = Options(
        seconds=1 if arguments.quick else arguments.seconds,
        warmup_s=0 if arguments.quick else arguments.warmup,
        start_warmup_s=1 if arguments.quick else 2 + arguments.warmup,
        repetitions=1 if arguments.quick else arguments.repetitions,
        server_core=server_core,
        ready_limit_s=arguments.ready_limit,
        only=frozenset(arguments.scenarios),
    )
    without_java = [peer for peer in chosen if peer.needs_java and not place.java]
    comparison = Comparison(
        place,
        [peer for peer in chosen if peer not in without_java],
        documents.write_all(arguments.cache / "documents"),
        options,
        say,
    )
    begun = os.getloadavg()[0]
    try:
        comparison.run()
        if arguments.soak:
            comparison.soak(PEERS[0])
    except KeyboardInterrupt:
        say("broken off: what was measured so far counts")
    figures = Figures(
        machine=_machine(place, begun),
        settings=_settings(options, load_core, arguments.note),
        scenarios={each.key: each.title for each in SCENARIOS if each.key in options.only},
        peers=list(comparison.figures.values()),
    )
    for peer in without_java:
        reason = "needs Java, and there is none"
        version = place.version(peer.package)
        figures.peers.append(PeerFigures(peer.key, peer.title, version, left_out=reason))
    return figures


def write(figures: Figures, folder: Path, readme: Path | None) -> int:
    """The table, the picture and the figures; 1 if the README has no place for its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("speed.json", figures.to_json()),
        ("speed.md", report(figures, picture="speed.svg")),
        ("speed.svg", picture(figures)),
    ):
        (folder / name).write_text(text, encoding="utf-8")
        say(f"written: {folder / name}")
    if readme is None:
        return 0
    try:
        text = with_figures(readme.read_text(encoding="utf-8"), figures)
    except NoMarks as error:
        say(f"{readme}: {error}")
        return 1
    readme.write_text(text, encoding="utf-8")
    say(f"written: {readme}")
    return 0


def _machine(place: Place, load_begun: float) -> dict[str, str]:
    """What it was measured on."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    facts = {
        "processor": f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load average": f"{load_begun:.1f} when it began, {os.getloadavg()[0]:.1f} when it ended",
    }
    if place.node.exists():
        facts["Node"] = place.version("node")
    if place.java:
        facts["Java"] = place.java_version()
    wrk = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False)  # noqa: S607  # wherever it is
    facts["load generator"] = " ".join((wrk.stdout + wrk.stderr).split()[:2])
    return facts


def _settings(options: Options, load_core: int, note: str) -> dict[str, str]:
    """How it was measured."""
    settings = {
        "run": f"{options.seconds} s, after {options.warmup_s} s that do not count",
        "repetitions": str(options.repetitions),
        "cores": f"server {options.server_core}, load generator {load_core}",
    }
    return settings | ({"note": note} if note else {})


def _first_cores() -> tuple[int, int]:
    """The first two cores that may be used; the one twice if there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[min(1, len(usable) - 1)]


def _cores(text: str) -> tuple[int, int]:
    server, load = text.split(",")
    return int(server), int(load)


def _names(known: list[str]) -> Callable[[str], list[str]]:
    """Reads a list of names, each of which must be known."""

    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"no such: {', '.join(unknown)}")
        return names

    return read


if __name__ == "__main__":
    sys.exit(main())
