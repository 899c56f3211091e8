"""The figures as a picture: an SVG of bars, requests per second, one panel for each of a few."""

from __future__ import annotations

from xml.sax.saxutils import escape

from .figures import Figures
from .report import sorted_peers

_SHOWN = ("one", "list", "filter", "create")
_PANEL_WIDTH, _NAME_WIDTH, _BAR_MAX = 500, 190, 235
_ROW, _HEAD, _MARGIN = 22, 40, 16
_FONT = 'font-family="Helvetica, Arial, sans-serif" font-size="12"'
_BAR = 'height="14"'
_OURS, _OTHERS, _INK, _QUIET = "#0b6e4f", "#a9b4c0", "#1c2430", "#5b6673"


def picture(figures: Figures) -> str:
    """The SVG, with two panels beside each other."""
    keys = [key for key in _SHOWN if any(key in peer.lines for peer in figures.peers)]
    rows = max((len(_bars(figures, key)) for key in keys), default=0)
    panel_height = _HEAD + rows * _ROW + _MARGIN
    width = 2 * _PANEL_WIDTH + _MARGIN
    height = _HEAD + -(-len(keys) // 2) * panel_height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {_FONT}>',
        "<title>Requests per second on one core</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(_MARGIN, 26, "Requests per second on one core", _INK, 'font-size="17"'),
    ]
    for number, key in enumerate(keys):
        left = _MARGIN + number % 2 * _PANEL_WIDTH
        top = _HEAD + number // 2 * panel_height
        parts += _panel(figures, key, left, top)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bars(figures: Figures, scenario: str) -> list[tuple[str, float, bool]]:
    """Title, requests per second, whether it is ours; the fastest first."""
    return [
        (peer.title, peer.lines[scenario].requests_per_s, peer.is_ours)
        for peer in sorted_peers(figures, scenario)
        if scenario in peer.lines
    ]


def _panel(figures: Figures, scenario: str, left: int, top: int) -> list[str]:
    """One scenario's bars."""
    bars = _bars(figures, scenario)
    most = max(value for _, value, _ in bars) or 1.0
    title = figures.scenarios.get(scenario, scenario)
    parts = [_text(left, top + 22, title, _INK, 'font-size="14" font-weight="bold"')]
    for number, (name, value, is_ours) in enumerate(bars):
        middle = top + _HEAD + number * _ROW
        start = left + _NAME_WIDTH
        length = max(1.0, value / most * _BAR_MAX)
        weight = 'font-weight="bold"' if is_ours else ""
        colour = _OURS if is_ours else _OTHERS
        end = f'text-anchor="end" {weight}'
        parts += [
            _text(start - 8, middle + 4, name, _INK, end),
            f'<rect x="{start}" y="{middle - 7}" width="{length:.1f}" {_BAR} fill="{colour}"/>',
            _text(start + length + 6, middle + 4, f"{value:,.0f}", _QUIET, weight),
        ]
    return parts


def _text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" {more}>{escape(text)}</text>'
