"""Once a day: ask a person about the pairs of records in doubt (Required Actions in the UI); no answer means later."""

from datetime import timedelta

import pendulum
from airflow.sdk import DAG

from kizuna.operators import AskAboutPair, QueuePairs

with DAG(
    "review_identity",
    description="pairs in doubt → a person → identity.overrides, in force from the next transform on",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    default_args={"owner": "kizuna"},
    max_active_runs=1,
    tags=["review"],
):
    queue = QueuePairs(task_id="queue", most=20)
    AskAboutPair.partial(
        task_id="ask",
        response_timeout=timedelta(hours=20),  # before the next day's questions
        map_index_template="{{ task.pair }}",
    ).expand_kwargs(queue.output)
