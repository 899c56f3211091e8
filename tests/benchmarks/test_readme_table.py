"""The README's table of figures, written between its marks."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.comparison.figures import Figures, Line, PeerFigures
from benchmarks.comparison.readme import BEGIN, END, NoMarks, with_figures

README = Path(__file__).parents[2] / "README.md"


def _line(requests_per_s: float, **more: int) -> Line:
    return Line(
        requests_per_s,
        cpu_us=1e6 / requests_per_s,
        p50_ms=1.0,
        p99_ms=2.5,
        spread=0.0,
        runs=5,
        **more,
    )


@pytest.fixture
def figures() -> Figures:
    """Ours, and one that is a fourth as fast, and loses requests."""
    ours = PeerFigures(
        "mockexec", "mockexec", "0.1.0", is_ours=True, ready_s={"executions": 0.5},
        memory_mib={"executions": 64}, lines={"one": _line(20_000), "list": _line(10_000)},
    )  # fmt: skip
    other = PeerFigures(
        "other", "Other", "2.0", ["holds nothing"], lines={"one": _line(5_000, lost=3)}
    )
    titles = {"one": "get one", "list": "list of 20", "404": "404"}
    return Figures({"processor": "one"}, {"repetitions": "5"}, titles, [other, ours])


def test_the_figures_stand_between_the_marks(figures: Figures) -> None:
    """Whatever stood there is replaced, what stands around it stays, and again is the same."""
    text = with_figures(f"before\n{BEGIN}\nformer\n{END}\nafter\n", figures)
    assert text.startswith(f"before\n{BEGIN}\n\n| requests per second")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "former" not in text
    assert "| **mockexec 0.1.0** | 20,000 | 10,000 | 50 | 2.5 | 0.50 | 64 | - |" in text
    assert "| Other 2.0 | 5,000* | - | 200 | 2.5 | - | - | holds nothing |" in text
    assert "| Other | 4.00 / 4.00 | - |" in text
    assert with_figures(text, figures) == text


def test_a_file_without_marks_is_told(figures: Figures) -> None:
    """Nothing is written anywhere else."""
    with pytest.raises(NoMarks, match="it needs the lines"):
        with_figures(f"{END}\n{BEGIN}\n", figures)


def test_the_readme_has_the_marks(figures: Figures) -> None:
    """So that one command brings it up to date."""
    assert "| **mockexec 0.1.0** | 20,000 | 10,000 |" in with_figures(
        README.read_text(encoding="utf-8"), figures
    )
