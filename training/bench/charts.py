"""Charts as SVG, drawn by hand: small files, the same bytes for the same figures, readable on white and on black."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

WIDTH: Final = 760
TICKS: Final = ("0", ".2", ".4", ".6", ".8", "1")
# Mid tones have a contrast of about 4 to both white and black.
INK: Final = "#768390"
COLOURS: Final = {"bm25": "#8a7fd6", "encoder": "#2f9e6e", "ours": "#2f7fe0", "tutorial": "#d9772b"}
LABELS: Final = {
    "bm25": "BM25, jieba words",
    "encoder": "bundled encoder alone",
    "ours": "Zhice",
    "tutorial": "tutorial stack",
}

_TOP, _LEFT, _PLOT = 64, 52, 190
_ROW, _NAMES = 26, 250

Series = Mapping[str, Sequence[float | None]]


def columns(title: str, groups: Sequence[str], series: Series) -> str:
    """Shares (0 to 1) as columns: a group a set, a column a system; `None` leaves a gap, said to be not measured."""
    wide = (WIDTH - _LEFT - 16) / len(groups)
    bar = min(34.0, (wide - 18) / len(series))
    parts = [_grid(TICKS)]
    for number, group in enumerate(groups):
        begin = _LEFT + number * wide + (wide - bar * len(series)) / 2
        for place, (name, values) in enumerate(series.items()):
            value, left = values[number], begin + place * bar
            middle = left + bar / 2
            if value is None:
                parts.append(_text(middle, _TOP + _PLOT - 5, "-", anchor="middle", size=10))
                continue
            top = _TOP + _PLOT * (1 - value)
            parts.append(_rect(left + 1, top, bar - 2, _PLOT * value, COLOURS[name]))
            parts.append(_text(middle, top - 4, _share(value), anchor="middle", size=10))
        parts.append(_text(_LEFT + (number + 0.5) * wide, _TOP + _PLOT + 18, group, anchor="middle"))
    return _svg(title, _TOP + _PLOT + 34, [*parts, _legend(list(series))])


def rows(title: str, bars: Sequence[tuple[str, str, float]], *, unit: str) -> str:
    """Quantities as rows that begin at 0: (label, system, value > 0)."""
    longest = max(value for _, _, value in bars)
    parts = []
    for number, (label, name, value) in enumerate(bars):
        y = _TOP - 16 + number * _ROW
        length = (WIDTH - _NAMES - 120) * value / longest
        parts.append(_text(_NAMES - 10, y + 15, label, anchor="end"))
        parts.append(_rect(_NAMES, y + 2, length, _ROW - 8, COLOURS[name]))
        parts.append(_text(_NAMES + length + 8, y + 15, f"{_quantity(value)} {unit}"))
    return _svg(title, _TOP - 16 + len(bars) * _ROW + 12, parts)


def curve(title: str, lines: Mapping[str, Sequence[tuple[float, float]]], *, x: str, y: str) -> str:
    """Lines through points of the unit square; the second line is dashed."""
    wide = WIDTH - _LEFT - 40
    parts = [_grid(TICKS)]
    parts += [
        _text(_LEFT + wide * number / 5, _TOP + _PLOT + 18, tick, anchor="middle") for number, tick in enumerate(TICKS)
    ]
    styles = [(COLOURS["ours"], ""), (COLOURS["tutorial"], ' stroke-dasharray="6 4"')]
    left = float(_LEFT)
    for (name, points), (colour, dashes) in zip(lines.items(), styles, strict=False):
        path = " ".join(f"{_LEFT + wide * px:.1f},{_TOP + _PLOT * (1 - py):.1f}" for px, py in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        parts.append(
            f'<line x1="{left:.0f}" y1="44" x2="{left + 24:.0f}" y2="44" stroke="{colour}" stroke-width="2"{dashes}/>'
        )
        parts.append(_text(left + 30, 48, name))
        left += 60 + 7 * len(name)
    parts.append(_text(WIDTH - 40, _TOP + _PLOT + 36, x, anchor="end"))
    parts.append(_text(WIDTH - 40, 24, y, anchor="end"))
    return _svg(title, _TOP + _PLOT + 48, parts)


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" font-family="system-ui, sans-serif" font-size="12">'
    )
    return "\n".join(
        [head, f"<title>{escape(title)}</title>", _text(16, 24, title, size=15, weight=600), *parts, "</svg>", ""]
    )


def _grid(labels: Sequence[str]) -> str:
    lines = []
    for number, label in enumerate(labels):
        y = _TOP + _PLOT * (1 - number / (len(labels) - 1))
        lines.append(
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - 16}" y2="{y:.1f}" stroke="{INK}" stroke-opacity="0.3"/>'
        )
        lines.append(_text(_LEFT - 8, y + 4, label, anchor="end", size=11))
    return "\n".join(lines)


def _legend(names: Sequence[str]) -> str:
    parts, left = [], float(_LEFT)
    for name in names:
        parts += [_rect(left, 36, 12, 12, COLOURS[name]), _text(left + 18, 46, LABELS[name])]
        left += 44 + 7 * len(LABELS[name])
    return "\n".join(parts)


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, weight: int = 400) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
        f'fill="{INK}">{escape(text)}</text>'
    )


def _share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def _quantity(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
