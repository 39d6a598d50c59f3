"""One DAG per source: vendor API → raw → gate. A source in plugins/kizuna/sources is a DAG here."""

import pendulum
from airflow.sdk import DAG

from kizuna.operators import GateRaw, IngestStream, ingest_timetable
from kizuna.sources import SOURCES

for source in SOURCES.values():
    with DAG(
        f"ingest_{source.name}",
        description=f"{source.name} → raw, reconciled with the vendor's own counts",
        schedule=ingest_timetable(),
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        default_args={"owner": "kizuna"},
        max_active_runs=1,
        tags=["ingest"],
    ):
        streams = [IngestStream(source_name=source.name, stream_name=stream.name) for stream in source.streams]
        streams >> GateRaw(source_name=source.name)
