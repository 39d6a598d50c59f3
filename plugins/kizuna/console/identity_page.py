"""The page of identity: what the last run found, and what changed run by run; hashes and masked values only."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kizuna.console.drawing import STYLE, columns, nothing, rows, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

RUNS_SHOWN = 40
CLASSES = (0, 1, 2, 3, 4, 5, 6, 11, 21, 51, 101)  # where each class of the histograms starts
# What is measured at full runs only is shown of the last run that had it, everything else of the last run.
FULL_ONLY = ("component_size", "ids_per_customer", "top_shared_values", "without_identifiers")
LATEST = """
    with last_run as (
        select run_id from identity.quality where metric = 'records' order by at desc limit 1
    ),

    shown as (
        select distinct on (metric) metric, run_id
        from identity.quality
        where metric = any(%s) or run_id in (select run_id from last_run)
        order by metric, at desc, run_id desc
    )

    select quality.metric, quality.kind, quality.label, quality.value::float8, quality.at
    from identity.quality
    inner join shown using (metric, run_id)
    order by quality.metric, quality.kind, quality.label
"""
CHURN = """
    with runs as (
        select run_id, max(at) as at
        from identity.quality
        where metric = 'churn'
        group by run_id
        order by at desc
        limit %s
    )

    select quality.kind, runs.at, quality.value::float8
    from runs
    inner join identity.quality on runs.run_id = quality.run_id and quality.metric = 'churn'
    order by runs.at
"""
CHURN_NAMES = {
    "mint": "New ids / 新規ID",
    "merge": "Merges / 統合",
    "split": "Splits / 分割",
    "restore": "Restored ids / 復元",
    "retire": "Retired ids / 廃止",
}
TILES = {
    "records": "Records / レコード",
    "customers": "Customers / 顧客",
    "households": "Households / 世帯",
    "largest_customer": "Largest customer, records / 最大の顧客",
    "without_identifiers": "Records without identifiers / 識別子なし",
    "blocked_records": "Records with a blocked value / 除外値あり",
    "unresolved": "Records without a customer / 未解決",
    "moved": "Records moved since the last release / 移動したレコード",
}
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Kizuna: identity</title>
<style>
  body {{ font: 15px/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem }}
  body {{ color: #1a202c; background: #fff }}
  h2 {{ font-size: 1.05rem; margin: 0 0 .2rem }} h3 {{ font-size: .9rem; margin: .8rem 0 .2rem; font-weight: 600 }}
  .note {{ margin: 0 0 .8rem; opacity: .75; font-size: .85rem }}
  .tiles {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .8rem; margin: 1rem 0 }}
  .tiles div, section {{ border: 1px solid #cbd5e0; border-radius: .5rem; padding: .8rem 1rem }}
  .tiles b {{ display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums }}
  .charts {{ columns: 30rem; column-gap: .8rem }} section {{ break-inside: avoid; margin: 0 0 .8rem }}
  @media (prefers-color-scheme: dark) {{ body {{ color: #e2e8f0; background: #171b22 }}
    .tiles div, section {{ border-color: #3a4454 }} a {{ color: #79b8ff }} }}
  {style}
</style>
<h1>Identity / 名寄せ</h1>
<p class="note">Run of {at}. Values are masked; the hash finds them in <code>identity.values</code>.
{at} の実行結果。値は伏せてあり、ハッシュで <code>identity.values</code> から引けます。
<a href="../">Data quality / データ品質</a></p>
<div class="tiles">{tiles}</div>
<div class="charts">{charts}</div>
</html>"""

Figures = dict[str, list[tuple[str, str, float]]]


def page(connection: Connection[Any]) -> str:
    """The whole page; says so where no run has been measured yet."""
    found = connection.execute(LATEST, [list(FULL_ONLY)]).fetchall()
    if not found:
        return PAGE.format(style=STYLE, at="–", tiles="", charts="<p>No run yet / まだ実行されていません</p>")
    figures: Figures = defaultdict(list)
    for metric, kind, label, value, _ in found:
        figures[metric].append((kind, label, value))
    churn: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for kind, at, value in connection.execute(CHURN, [RUNS_SHOWN]):
        churn[kind].append((f"{at:%m-%d %H:%M}", value))
    charts = "\n".join(f"<section>{section}</section>" for section in (*_snapshot(figures), _churn(churn)))
    last = max(at for *_, at in found)
    return PAGE.format(style=STYLE, at=f"{last:%Y-%m-%d %H:%M} UTC", tiles=_tiles(figures), charts=charts)


def _tiles(figures: Figures) -> str:
    single = {metric: rows[0][2] for metric, rows in figures.items() if len(rows) == 1}
    return "".join(
        f"<div><b>{shown(single[metric])}</b>{title}</div>" for metric, title in TILES.items() if metric in single
    )


def _snapshot(figures: Figures) -> list[str]:
    sizes, components = _classes(figures["customer_size"]), _classes(figures["component_size"])
    return [
        _titled(
            "Records per customer / 顧客ごとのレコード数", "Customers by size", columns(sizes, name="customer sizes")
        ),
        _titled(
            "Candidate components / 候補の大きさ",
            "What any chain of shared values joins, before conflicts are refused; of the last full run",
            columns(components, name="component sizes"),
        ),
        _titled("Ids per customer / 顧客ごとの識別子数", "Of the last full run", _ids(figures["ids_per_customer"])),
        _titled(
            "Refused links / 拒否された結び付き",
            "What would have joined two persons, by kind of value and reason",
            rows(_largest(figures["refusals"]), name="refusals", warm=True),
        ),
        _titled(
            "Values shared by most records / 共有の多い値",
            "Masked; of the last full run",
            rows(_largest(figures["top_shared_values"]), name="top shared values", label_width=270),
        ),
        _titled(
            "Blocked values / 除外された値",
            "Values that link nobody, by kind and reason",
            rows(_largest(figures["blocked_values"]), name="blocked values", warm=True),
        ),
    ]


def _ids(figures: Sequence[tuple[str, str, float]]) -> str:
    by_kind: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    for figure in figures:
        by_kind[figure[0]].append(figure)
    charts = [
        f"<h3>{escape(kind)}</h3>{columns(_classes(of_kind), name=f'{kind} per customer', height=110)}"
        for kind, of_kind in by_kind.items()
    ]
    return "".join(charts) or nothing()


def _churn(churn: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    charts = []
    for kind, title in CHURN_NAMES.items():
        if any(value for _, value in churn.get(kind, ())):
            bars, every = churn[kind], max(1, len(churn[kind]) // 3)
            charts.append(f"<h3>{title}</h3>{columns(bars, name=f'{kind} per run', height=110, every=every)}")
    return _titled("Changes per run / 実行ごとの変化", f"The last {RUNS_SHOWN} runs", "".join(charts) or nothing())


def _classes(figures: Sequence[tuple[str, str, float]]) -> list[tuple[str, float]]:
    """Counts by size as a histogram: small sizes one by one, larger ones together."""
    counts: dict[int, float] = defaultdict(float)
    for _, label, value in figures:
        counts[max(start for start in CLASSES if start <= int(label))] += value
    ends = dict(pairwise(CLASSES))
    return [(_class_name(start, ends.get(start)), counts[start]) for start in sorted(counts)]


def _class_name(start: int, following: int | None) -> str:
    if following is None:
        return f"{start}+"
    return str(start) if following == start + 1 else f"{start}–{following - 1}"


def _largest(figures: Sequence[tuple[str, str, float]], count: int = 12) -> list[tuple[str, float]]:
    named = [(" · ".join(part for part in (kind, label) if part), value) for kind, label, value in figures]
    return sorted(named, key=lambda bar: (-bar[1], bar[0]))[:count]


def _titled(title: str, note: str, chart: str) -> str:
    return f'<h2>{title}</h2><p class="note">{note}</p>{chart}'
