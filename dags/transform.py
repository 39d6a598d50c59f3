"""Raw → published marts: one task group per layer, in the order the data flows. Runs when the marts' sources landed."""

import pendulum
from airflow.sdk import DAG, TaskGroup

from kizuna.identity import policy
from kizuna.operators import BuildIdentity, BuildModels, BuildStaging, GateModels, PublishMarts, ScorePairs, raw_asset
from kizuna.pipeline import SOURCES_OF_MARTS

with DAG(
    "transform",
    description="staging → identity → gate → core → marts → gate → publish",
    schedule=[raw_asset(name) for name in SOURCES_OF_MARTS],
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args={"owner": "kizuna"},
    max_active_runs=1,
    tags=["transform"],
):
    with TaskGroup("staging"):
        build = BuildStaging(task_id="build", of_marts=True)
        # The others may stand on these. Nothing waits for them, and their trouble does not keep the marts.
        build >> BuildStaging(task_id="others", of_marts=False)
    with TaskGroup("identity") as identity:
        BuildIdentity(task_id="build") >> GateModels(gate="identity")
    with TaskGroup("core") as core:
        BuildModels(task_id="build", layer="core")
    with TaskGroup("marts") as marts:
        BuildModels(task_id="build", layer="marts") >> GateModels(gate="marts") >> PublishMarts()
    build >> identity >> core >> marts
    # Optional, beside the path: the next run joins what was found alike.
    if policy.load().scored.enabled:
        identity >> ScorePairs(task_id="score")
