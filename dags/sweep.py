"""Once a week: find what the vendors have deleted without our hearing of it."""

import pendulum
from airflow.sdk import DAG

from kizuna.operators import SweepStream
from kizuna.sources import SOURCES

with DAG(
    "sweep",
    description="compare all ids that a vendor has with those we know; what is gone is marked deleted",
    schedule="@weekly",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args={"owner": "kizuna"},
    max_active_runs=1,
    tags=["ingest"],
):
    for source in SOURCES.values():
        for stream in source.streams:
            if stream.can_be_swept:
                SweepStream(source_name=source.name, stream_name=stream.name)
