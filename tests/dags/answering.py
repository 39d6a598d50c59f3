"""A process of Airflow's own: runs `review_identity` once and answers its questions as the UI does.

Arguments: the folder of DAGs, and JSON {pair: [answer, form]}; an answer of null lets the time for answering pass.
Prints RESULT and what Airflow kept: states, XComs, questions.
"""

import json
import sys
import threading
import time
from datetime import timedelta

from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
from airflow.dag_processing.dagbag import DagBag
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.sdk.timezone import utcnow
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from sqlalchemy import select

PERSON = SimpleAuthManagerUser(username="emi", role="admin")


def answer_all(answers: dict) -> None:
    """Answer every question once, through the handler of the API's own route."""
    waits = select(TaskInstance).where(TaskInstance.state == TaskInstanceState.AWAITING_INPUT)
    while answers:
        time.sleep(0.2)
        with create_session() as session:
            for task in session.scalars(waits).all():
                pair = session.get(HITLDetail, task.id).params["pair"]["value"]
                chosen, form = answers.pop(pair)
                if chosen is None:
                    task.trigger_timeout = utcnow() - timedelta(seconds=1)
                else:
                    payload = UpdateHITLDetailPayload(chosen_options=[chosen], params_input=form)
                    place = (task.dag_id, task.run_id, task.task_id)
                    update_hitl_detail(*place, payload, PERSON, session, task.map_index)
        SchedulerJobRunner(Job()).check_awaiting_input_timeouts()


initdb()
dag = DagBag(sys.argv[1], safe_mode=False).dags["review_identity"]
threading.Thread(target=answer_all, args=[json.loads(sys.argv[2])], daemon=True).start()
dag.test()
with create_session() as session:
    tasks = session.scalars(select(TaskInstance).order_by(TaskInstance.task_id, TaskInstance.map_index)).all()
    kept = {
        "states": [str(task.state) for task in tasks],
        "names": [task.rendered_map_index for task in tasks],
        "xcoms": [xcom.value for xcom in session.scalars(select(XComModel).order_by(XComModel.map_index))],
        "questions": [f"{asked.subject}\n{asked.body}" for asked in session.scalars(select(HITLDetail))],
    }
print("RESULT" + json.dumps(kept, default=str))
