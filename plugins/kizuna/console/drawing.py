"""Bar charts as SVG, drawn on the server: no script, no library, nothing loaded from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# One page's style for every chart; colours of the text follow the page, light or dark.
STYLE = """
  svg.chart { display: block; width: 100%; height: auto; overflow: visible; font: 12px system-ui, sans-serif }
  svg.chart .bar { fill: #2b6cb0 } svg.chart .bar:hover { fill: #1a4a80 }
  svg.chart .warm { fill: #b7791f } svg.chart .warm:hover { fill: #8a5a12 }
  svg.chart text { fill: currentColor } svg.chart .quiet { opacity: .65 }
  svg.chart line { stroke: currentColor; stroke-opacity: .25 }
  @media (prefers-color-scheme: dark) { svg.chart .bar { fill: #63a4e8 } svg.chart .warm { fill: #e0a94a } }
"""
SMALLEST_BAR = 1.5  # what is there must be seen, however small beside the largest

Bar = tuple[str, float]


def columns(bars: Sequence[Bar], *, name: str, width: int = 560, height: int = 190, every: int = 1) -> str:
    """Upright bars in the order given (a histogram, or time from left to right), each with its value above it.

    Args:
        bars: label and value of each.
        name: what the chart shows, for who hears it read out.
        width: in units of the picture; the page scales it.
        height: likewise.
        every: only each n-th label and value is written; the others show on pointing.
    """
    if not bars:
        return nothing()
    step, top, bottom = width / len(bars), 18, height - 22
    highest = max(value for _, value in bars) or 1.0
    parts = [f'<line x1="0" y1="{bottom}" x2="{width}" y2="{bottom}"/>']
    for place, (label, value) in enumerate(bars):
        tall = max((bottom - top) * value / highest, SMALLEST_BAR if value else 0)
        left, middle, wide = place * step + step * 0.14, (place + 0.5) * step, step * 0.72
        parts.append(_bar(left, bottom - tall, wide, tall, label, value))
        if every == 1 or place in _written(len(bars), every):
            # Long labels at the edges stay inside the picture.
            edge = "middle" if every == 1 else "start" if place == 0 else "end" if place == len(bars) - 1 else "middle"
            at = {"start": left, "middle": middle, "end": left + wide}[edge]
            parts.append(_text(at, bottom - tall - 5, shown(value), edge))
            parts.append(_text(at, bottom + 16, label, edge, quiet=True))
    return _chart(name, width, height, parts)


def rows(bars: Sequence[Bar], *, name: str, width: int = 560, label_width: int = 210, warm: bool = False) -> str:
    """Lying bars, one a line, for classes with names; label left, value right of the bar."""
    if not bars:
        return nothing()
    line, room = 24, width - label_width - 70
    highest = max(value for _, value in bars) or 1.0
    parts = []
    for place, (label, value) in enumerate(bars):
        y, wide = place * line, max(room * value / highest, SMALLEST_BAR if value else 0)
        parts.append(_text(label_width - 10, y + 16, label, "end"))
        parts.append(_bar(label_width, y + 4, wide, line - 8, label, value, "warm" if warm else "bar"))
        parts.append(_text(label_width + wide + 6, y + 16, shown(value), "start", quiet=True))
    return _chart(name, width, line * len(bars), parts)


def _written(count: int, every: int) -> set[int]:
    """The places with a label: each n-th with room for the last one's."""
    return {count - 1, *range(0, count - every, every)}


def nothing() -> str:
    """What stands where there is nothing to draw."""
    return '<p class="nothing">None / なし</p>'


def shown(value: float) -> str:
    """A figure as people read it: whole with separators, small shares with three digits."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _bar(x: float, y: float, width: float, height: float, label: str, value: float, look: str = "bar") -> str:
    size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2"'
    return f'<rect class="{look}" {size}><title>{escape(label)}: {shown(value)}</title></rect>'


def _text(x: float, y: float, text: str, anchor: str, *, quiet: bool = False) -> str:
    look = ' class="quiet"' if quiet else ""
    return f'<text{look} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _chart(name: str, width: int, height: int, parts: Sequence[str]) -> str:
    head = f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(name)}">'
    return f"{head}{''.join(parts)}</svg>"
