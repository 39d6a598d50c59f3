"""What a finished demo prints: counts per layer, the figures of the marts, gates, deliveries, times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from kizuna import settings, warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kizuna.local.databases import Running

LAYERS = ("raw", "staging", "identity", "core", "marts", "segments", "sync")
FIGURES = ("customers", "buyers", "orders", "gross_revenue", "net_revenue", "repeat_customers", "repeat_rate")
TABLES = """
    select table_name from information_schema.tables
    where table_schema = %s and table_name not like 'int\\_%%'
    order by table_name
"""
KPIS = """
    select as_of, metric, label_en, label_ja, value, unit, window_label, converted_count, matured_count,
        matured_converted_count, customer_count
    from marts.kpi_summary
    order by position
"""
PHASES = "select phase, count(*) from marts.customers group by phase order by count(*) desc"
LANDINGS = """
    select source, stream, vendor_count, read_count, landed_count, quarantined_count
    from ops.landings
    where run_id in (
        select run_id from ops.landings as latest where latest.source = landings.source order by at desc limit 1
    )
    order by array_position(array['shopify', 'line'], source), source, stream
"""
GATES = """
    select gate, count(*), count(distinct table_name),
        count(*) filter (where not success and severity = 'critical'),
        count(*) filter (where not success and severity <> 'critical')
    from ops.quality_results
    where run_id = any(%s)
    group by gate
    order by array_position(array['raw', 'identity', 'marts', 'sync'], gate)
"""
LATEST_RUNS = """
    select distinct on (split_part(run_id, '/', 1)) run_id
    from ops.quality_results
    order by split_part(run_id, '/', 1), at desc
"""
DELIVERIES = """
    select audience, count(*) from ops.sync_acknowledged group by audience order by audience
"""
CHANGES = """
    select change, count(*) from ops.sync_ledger
    where run_id = (select run_id from ops.runs where run_id like 'activate/%%' order by started_at desc limit 1)
    group by change order by change
"""


def tell_summary(running: Running, seconds_per_step: Mapping[str, float], seconds: float, peak_bytes: int) -> None:
    """Print the summary of the walk that has just ended."""
    with warehouse.connect(running.warehouse_url, read_only=True) as connection:
        _tell("\n絆 Kizuna: what this walk did")
        _tell_landings(connection)
        _tell_layers(connection)
        _tell_figures(connection)
        _tell_gates(connection)
        _tell_deliveries(connection)
    slowest = sorted(seconds_per_step.items(), key=lambda step: -step[1])
    _tell("\nSeconds per step: " + "  ".join(f"{name} {taken:.1f}" for name, taken in slowest))
    _tell(f"In all {seconds:.0f} s, peak memory {peak_bytes / 2**30:.2f} GiB (every process, Postgres included)")
    _tell(f"UI: {running.airflow_url} (while the system runs)   Data Docs: {settings.home() / 'data_docs'}")
    _tell("Read the marts: .venv/bin/kizuna sql --csv 'select * from marts.kpi_summary'")


def _tell_landings(connection: psycopg.Connection[Any]) -> None:
    _tell("\nLanded this time                      vendor's count       read     landed  quarantined")
    quiet = 0
    for source, stream, vendor, read, landed, quarantined in connection.execute(LANDINGS.encode()):
        counted = "none, read twice" if vendor is None else f"{vendor:,}"
        if read:
            _tell(f"  {source + '.' + stream:<32} {counted:>16} {read:>10,} {landed:>10,} {quarantined:>12,}")
        else:
            quiet += 1
    _tell(f"  {quiet} more streams had nothing to read" if quiet else "  every stream had something to read")


def _tell_layers(connection: psycopg.Connection[Any]) -> None:
    _tell("\nRows per layer")
    for layer in LAYERS:
        counts = []
        for (table,) in connection.execute(TABLES.encode(), [layer]).fetchall():
            count = sql.SQL("select count(*) from {}").format(sql.Identifier(layer, table))
            row = connection.execute(count).fetchone()
            counts.append(f"{table} {row[0]:,}" if row else table)
        _tell(f"  {layer:<10} {'  '.join(counts)}")


def _tell_figures(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute(KPIS.encode()).fetchall()
    _tell(f"\nThe marts as of {rows[0][0]}" if rows else "\nNo figures: marts.kpi_summary is empty")
    for _, metric, english, japanese, value, unit, *_ in rows:
        if metric in FIGURES:
            shown = f"{float(value) * 100:.1f} %" if unit == "rate" else f"{value:,} {unit}"
            _tell(f"  {shown:>22}  {english} / {japanese}")
    _tell("\nF2, the second purchase      converted   matured: converted / customers     rate")
    for _, metric, _, _, value, _, window, converted, matured, matured_converted, _ in rows:
        if metric == "f2_rate":
            rate = "immature" if value is None else f"{float(value) * 100:.1f} %"
            label = window if window == "ever" else f"within {window} days"
            _tell(f"  {label:<22} {converted:>12,} {f'{matured_converted:,} / {matured:,}':>30} {rate:>10}")
    phases = connection.execute(PHASES.encode()).fetchall()
    _tell("\nPhases: " + "  ".join(f"{phase} {count:,}" for phase, count in phases))


def _tell_gates(connection: psycopg.Connection[Any]) -> None:
    runs = [run_id for (run_id,) in connection.execute(LATEST_RUNS.encode())]
    _tell("\nGates")
    for gate, checked, tables, critical, warnings in connection.execute(GATES.encode(), [runs]):
        verdict = "passed" if not critical else f"{critical} critical FAILED"
        notes = f", {warnings} warnings" if warnings else ""
        _tell(f"  {gate:<6} {checked:>3} expectations on {tables} tables: {verdict}{notes}")


def _tell_deliveries(connection: psycopg.Connection[Any]) -> None:
    changes = "  ".join(f"{change} {count:,}" for change, count in connection.execute(CHANGES.encode()))
    _tell("\nActivated: " + (f"sent this time: {changes}" if changes else "nothing had changed, nothing was sent"))
    for audience, members in connection.execute(DELIVERIES.encode()):
        _tell(f"  {audience:<32} {members:,} members acknowledged by LINE")


def _tell(line: str) -> None:
    print(line)  # noqa: T201 - this is what the demo is for
