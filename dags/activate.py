"""Published marts → segments → sync → gate → destinations. Runs when marts have been published."""

import pendulum
from airflow.sdk import DAG, TaskGroup

from kizuna.destinations import DESTINATIONS
from kizuna.operators import PUBLISHED_MARTS, BuildModels, Deliver, GateModels

with DAG(
    "activate",
    description="segments → sync → gate → destinations",
    schedule=[PUBLISHED_MARTS],
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args={"owner": "kizuna"},
    max_active_runs=1,
    tags=["activate"],
):
    with TaskGroup("segments") as segments:
        BuildModels(task_id="build", layer="segments", target="activate")
    with TaskGroup("sync") as sync:
        built = BuildModels(task_id="build", layer="sync", target="activate")
        built >> GateModels(gate="sync") >> [Deliver(destination_object=name) for name in DESTINATIONS]
    segments >> sync
