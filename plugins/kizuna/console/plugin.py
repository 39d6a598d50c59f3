"""The plugin that Airflow loads: the gates' latest results and their Data Docs, behind Airflow's own login."""

from __future__ import annotations

import sys
from html import escape
from importlib import import_module
from typing import Any

from airflow.api_fastapi.core_api.security import requires_authenticated
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse

from kizuna import settings, warehouse
from kizuna.console import identity_page

# Seconds to import, in every task that builds or checks.
HEAVY_MODULES = ("dbt.cli.main", "dbt.adapters.postgres", "great_expectations", "kizuna.pipeline")
LATEST_RESULTS = """
    with latest_runs as (
        select distinct on (gate, split_part(suite, '__', 1)) gate, run_id, split_part(suite, '__', 1) as family
        from ops.quality_results
        where gate = 'raw'
        order by gate, split_part(suite, '__', 1), at desc
    ),

    latest_other_runs as (
        select distinct on (gate) gate, run_id
        from ops.quality_results
        where gate <> 'raw'
        order by gate, at desc
    )

    select
        gate,
        table_name,
        count(*) as checked,
        count(*) filter (where not success and severity = 'critical') as critical,
        count(*) filter (where not success and severity <> 'critical') as warnings,
        max(at) as at
    from ops.quality_results
    where run_id in (select run_id from latest_runs union all select run_id from latest_other_runs)
    group by gate, table_name
    order by array_position(array['raw', 'identity', 'marts', 'sync'], gate), table_name
"""
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Kizuna: data quality</title>
<style>
  body {{ font: 15px/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }}
  body {{ color: #1a202c; background: #fff }}
  table {{ border-collapse: collapse; width: 100% }}
  th, td {{ text-align: left; padding: .35rem .8rem; border-bottom: 1px solid #e2e8f0 }}
  td.number {{ text-align: right; font-variant-numeric: tabular-nums }}
  .failed {{ color: #b91c1c; font-weight: 600 }}
</style>
<h1>Data quality / データ品質</h1>
<p>The latest result of each gate. 各ゲートの最新の検査結果。 Data Docs: {links} ·
 <a href="identity/">Identity / 名寄せ</a></p>
<table>
<tr><th>Gate / ゲート<th>Table / テーブル<th>Checked / 検査<th>Critical / 重大<th>Warnings / 警告<th>At (UTC)</tr>
{rows}
</table>
</html>"""

# Airflow mounts a plugin's pages without its login; this asks for it.
app = FastAPI(title="Kizuna", docs_url=None, redoc_url=None, dependencies=[Depends(requires_authenticated())])
docs_folder = settings.home() / "data_docs"


@app.get("/", response_class=HTMLResponse)
def quality_page() -> str:
    """The latest results of every gate, with links to their Data Docs."""
    with warehouse.connect(settings.warehouse_url(), "kizuna_transform", read_only=True) as connection:
        results = connection.execute(LATEST_RESULTS).fetchall()
    folders = sorted(page.parent.name for page in docs_folder.glob("*/index.html"))
    links = " · ".join(f'<a href="data-docs/{escape(name)}/index.html">{escape(name)}</a>' for name in folders)
    return PAGE.format(links=links or "none yet / まだありません", rows="\n".join(_row(result) for result in results))


def _row(result: tuple[Any, ...]) -> str:
    gate, table, checked, critical, warnings, at = result
    failed = ' class="failed number"' if critical else ' class="number"'
    return (
        f'<tr><td>{escape(gate)}<td>{escape(table)}<td class="number">{checked}'
        f'<td{failed}>{critical}<td class="number">{warnings}<td>{at:%Y-%m-%d %H:%M}</tr>'
    )


@app.get("/identity/", response_class=HTMLResponse)
def identity() -> str:
    """What the last run of identity found, and what changed run by run."""
    with warehouse.connect(settings.warehouse_url(), "kizuna_transform", read_only=True) as connection:
        return identity_page.page(connection)


@app.get("/data-docs/{path:path}")
def data_docs(path: str) -> FileResponse:
    """One file of the Data Docs that the gates have built."""
    file = (docs_folder / path).resolve()
    if not file.is_relative_to(docs_folder.resolve()) or not file.is_file():
        raise HTTPException(404, "No such page of the Data Docs: run the gate that builds it")
    return FileResponse(file)


class KizunaPlugin(AirflowPlugin):
    """Kizuna's pages in Airflow's navigation."""

    name = "kizuna"

    @classmethod
    def on_load(cls, *_: Any, **__: Any) -> None:  # noqa: ANN401 - Airflow's own
        """Import in the scheduler what its tasks, its forks, would import (docs/decisions/0002-warm-scheduler.md)."""
        if sys.argv[1:2] == ["scheduler"]:
            for module in HEAVY_MODULES:
                import_module(module)

    fastapi_apps = [{"app": app, "url_prefix": "/kizuna", "name": "Kizuna"}]  # noqa: RUF012 - as Airflow declares it
    external_views = [  # noqa: RUF012
        {"name": "Data quality", "href": "/kizuna/", "destination": "nav", "url_route": "kizuna-quality"},
        {"name": "Identity", "href": "/kizuna/identity/", "destination": "nav", "url_route": "kizuna-identity"},
    ]
