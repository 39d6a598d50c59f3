"""One DAG per source: vendor API → raw → gate. A source in plugins/kizuna/sources is a DAG here."""

import os

import pendulum
from airflow.sdk import DAG

from kizuna.operators import GateRaw, IngestStream, ingest_timetable
from kizuna.sources import SOURCES

accounts = {name for name, value in os.environ.items() if value}

for source in SOURCES.values():
    with DAG(
        f"ingest_{source.name}",
        description=f"{source.name} → raw, reconciled with the vendor's own counts",
        schedule=ingest_timetable(),
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        # Whoever has no account of this vendor has nothing to read; one kept elsewhere is unpaused by hand.
        is_paused_upon_creation=f"AIRFLOW_CONN_{source.name.upper()}" not in accounts,
        default_args={"owner": "kizuna"},
        max_active_runs=1,
        tags=["ingest"],
    ):
        streams = [IngestStream(source_name=source.name, stream_name=stream.name) for stream in source.streams]
        streams >> GateRaw(source_name=source.name)
