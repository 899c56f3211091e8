"""The speed comparison's report and picture, made from given figures. Nothing is measured here."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from benchmarks.comparison.figures import Figures, Line, PeerFigures, Run, line
from benchmarks.comparison.picture import picture
from benchmarks.comparison.report import report


def _line(requests_per_s: float, **more: float) -> Line:
    figures = {"cpu_us": 50.0, "p50_ms": 1.25, "p99_ms": 3.5, "spread": 0.02} | more
    return Line(requests_per_s=requests_per_s, runs=3, **figures)  # type: ignore[arg-type]  # counts too


@pytest.fixture
def figures() -> Figures:
    """Three peers: one fast, one slow that cannot everything, one that did not start."""
    ours = PeerFigures(
        "mockexec", "mockexec", "0.1.0", is_ours=True,
        ready_s={"executions": 0.5}, memory_mib={"ready": 60, "executions": 64},
        memory_soak_mib={"10000": 64.0, "1000000": 65.5},
        lines={"one": _line(20_000), "list": _line(12_000), "400": _line(15_000), "session": _line(19_000)},
    )  # fmt: skip
    slow = PeerFigures(
        "slow", "Slow & <simple>", "2.0", ["checks no requests"],
        lines={"one": _line(4_000, cpu_us=200, wrong=7, spread=0.4), "list": _line(24_000)},
        skipped={"400": "checks no requests"}, noted={"list": "a list of 1 instead"},
    )  # fmt: skip
    gone = PeerFigures(
        "gone", "Gone", "3.0", left_out="executions: ended with code 1\nno such file"
    )
    return Figures(
        machine={"processor": "one of two"},
        settings={"repetitions": "3"},
        scenarios={
            "one": "get one",
            "list": "list of 20",
            "400": "400",
            "session": "get one, in a session",
        },
        peers=[slow, gone, ours],
    )


def test_the_fastest_peer_stands_first(figures: Figures) -> None:
    """Rows are ordered by the first scenario, and figures are rounded to whole requests."""
    text = report(figures)

    rows = [row for row in text.splitlines() if row.startswith(("| **mockexec**", "| Slow"))]
    assert rows[0] == "| **mockexec** | 20,000 | 12,000 | 15,000 |"
    assert rows[1] == "| Slow & <simple> | 4,000* | 24,000* | - |"


def test_what_is_wrong_is_told(figures: Figures) -> None:
    """Wrong answers, other lists, missing and scattered figures are explained below the tables."""
    text = report(figures)

    assert "- Slow & <simple>, get one*: 7 answers of another status" in text
    assert "- Slow & <simple>, list of 20*: a list of 1 instead" in text
    assert "- Slow & <simple>, 400: not measured: checks no requests" in text
    assert "- 1 of 6 figures have a run further than 15% from the median, the worst ±40%" in text


def test_mockexec_is_set_against_each_peer(figures: Figures) -> None:
    """By requests per second and by processor time, and not at all where the peer has no figure."""
    assert "| Slow & <simple> | 5.00 / 4.00 | 0.50 / 1.00 | - |" in report(figures)


def test_sessions_have_a_table_of_their_own(figures: Figures) -> None:
    """What only mockexec has is not a column of dashes for everybody else."""
    assert "| get one, in a session | 19,000 | 50 | 1.2 | 3.5 |" in report(figures)


def test_memory_and_start_are_shown(figures: Figures) -> None:
    """Start, memory and what a peer does not do stand together; the soak has a line per mark."""
    text = report(figures)

    assert "| mockexec 0.1.0 | 0.50 | - | 60 | 64 | - |" in text
    assert "| Slow & <simple> 2.0 | - | - | - | - | checks no requests |" in text
    assert "- mockexec: 65.5 MiB after 1,000,000 requests" in text


def test_a_peer_that_did_not_start_is_left_out_with_its_lines(figures: Figures) -> None:
    """It has no row, but its reason and last lines are there."""
    text = report(figures)

    assert "- Gone 3.0: executions: ended with code 1\n\n```\nno such file\n```" in text
    assert "| Gone" not in text


def test_the_picture_has_a_bar_for_each_figure(figures: Figures) -> None:
    """It is well-formed, and the lengths are in proportion within a panel."""
    root = ElementTree.fromstring(picture(figures))  # noqa: S314  # our own text

    names = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert names.count("Slow & <simple>") == 2
    assert "Gone" not in names
    bars = [rect for rect in root.iter("{http://www.w3.org/2000/svg}rect") if rect.get("x")]
    widths = [float(bar.get("width", "0")) for bar in bars]
    assert widths[1] == pytest.approx(widths[0] / 5)
    assert widths[3] == pytest.approx(widths[2] / 2)


def test_figures_survive_being_kept(figures: Figures) -> None:
    """What was written as JSON is shown the same again."""
    assert report(Figures.from_json(figures.to_json())) == report(figures)


def test_medians_are_taken_and_losses_added() -> None:
    """The spread is that of the run furthest from the median."""
    runs = [
        Run(requests_per_s=each, cpu_us=each / 10, p50_ms=1, p99_ms=2, wrong=1, lost=2)
        for each in (100, 80, 110)
    ]

    assert line(runs) == Line(100, 10, 1, 2, spread=0.2, runs=3, wrong=3, lost=6)
