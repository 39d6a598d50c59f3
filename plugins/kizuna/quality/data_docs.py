"""Data Docs: what a gate found, as pages that open without a network and hold no person's value."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kizuna.quality.checks import Outcome

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 95rem; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .6rem; vertical-align: top; }
td, th { border-bottom: 1px solid #d8dee4; } .failed { background: #ffebe9; } .warning { background: #fff8c5; }
code { font-size: .85em; overflow-wrap: anywhere; } img, nav, footer, .navbar, #ge-cta { display: none; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3; } .failed { background: #4c1717; }
.warning { background: #3d3200; } td, th { border-color: #30363d; } a { color: #79b8ff; } }
"""
REMOTE = re.compile(
    r"<script\b[^>]*\bsrc=[\"'][^\"']*[\"'][^>]*>\s*</script>"
    r"|<link\b[^>]*\bhref=[\"']https?:[^\"']*[\"'][^>]*>"
    r"|<(?:img|iframe)\b[^>]*>"
    r"|url\(['\"]?https?:[^)]*\)"
    r"|<footer\b.*?</footer>",
    re.DOTALL,
)


def write(folder: Path, gate: str, run_id: str, outcomes: Sequence[Outcome], results: Mapping[str, Any]) -> None:
    """Replace the folder's pages: an overview of all expectations, and Great Expectations' own page for each table."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.html"):
        old.unlink()
    for table, result in results.items():
        found = [outcome for outcome in outcomes if outcome.table == table]
        (folder / f"{table}.html").write_text(_table_page(result, found), encoding="utf-8")
    (folder / "index.html").write_text(_overview(gate, run_id, outcomes, results), encoding="utf-8")


def _overview(gate: str, run_id: str, outcomes: Sequence[Outcome], results: Mapping[str, Any]) -> str:
    failed = sum(not outcome.success for outcome in outcomes)
    rows = "\n".join(_row(outcome, linked=outcome.table in results) for outcome in _failed_first(outcomes))
    title = f"Gate {html.escape(gate)}: {len(outcomes)} expectations, {failed} failed"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head>"
        f"<body><h1>{title}</h1><p>Run <code>{html.escape(run_id)}</code></p><table><thead><tr>"
        "<th>Result</th><th>Table</th><th>Expectation</th><th>Why</th><th>Found</th><th>Owner</th><th>Line</th>"
        f"</tr></thead><tbody>{rows}</tbody></table></body></html>"
    )


def _failed_first(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return sorted(outcomes, key=lambda outcome: (outcome.success, outcome.table))


def _row(outcome: Outcome, *, linked: bool) -> str:
    one = outcome.expectation
    table = html.escape(outcome.table)
    cells = [
        "passed" if outcome.success else f"{one.severity}: failed",
        f'<a href="{table}.html">{table}</a>' if linked else table,
        f"<code>{html.escape(one.name)}</code>",
        html.escape(one.reason),
        html.escape(_found(outcome)),
        html.escape(one.owner),
        f"<code>{html.escape(one.place)}</code>",
    ]
    look = "" if outcome.success else "warning" if one.severity != "critical" else "failed"
    return f'<tr class="{look}">{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _found(outcome: Outcome) -> str:
    found: Mapping[str, Any] = outcome.observed
    parts = [str(found[key]) for key in ("problem", "value") if key in found]
    if outcome.unexpected_count is not None:
        parts.append(f"{outcome.unexpected_count} rows")
    return "; ".join([*parts, *map(str, found.get("samples", ()))])


def _table_page(result: Any, outcomes: Sequence[Outcome]) -> str:  # noqa: ANN401
    """Great Expectations' page of one table, drawn from counts only, without what it would load from other hosts."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer  # noqa: PLC0415
    from great_expectations.render.view import DefaultJinjaPageView  # noqa: PLC0415

    by_place = {outcome.expectation.place: outcome for outcome in outcomes}
    for entry in result.results:
        outcome = by_place[entry.expectation_config.meta.pop("place")]
        entry.result = {"observed_value": _found(outcome) or None}
        # Errors repeat values and our own paths; the overview has the part that may be shown.
        entry.exception_info = {"raised_exception": False, "exception_message": None, "exception_traceback": None}
    page = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    return REMOTE.sub("", page).replace("</head>", f"<style>{STYLE}</style></head>", 1)
