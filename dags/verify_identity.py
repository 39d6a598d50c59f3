"""Once a week: solve identity from all links and compare with what the runs have left. A difference is an alarm."""

import pendulum
from airflow.sdk import DAG

from kizuna.operators import VerifyIdentity

with DAG(
    "verify_identity",
    description="full rebuild beside the incremental map; writes nothing, fails where they differ",
    schedule="0 18 * * 6",  # Sunday, three in the morning in Japan: runs of identity wait meanwhile
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args={"owner": "kizuna"},
    max_active_runs=1,
    tags=["verify"],
):
    VerifyIdentity(task_id="verify")
