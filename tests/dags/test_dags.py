"""The DAGs: they import, they are the ones we mean, and their tasks run in the order of the path."""

import json
import subprocess
import sys

import pytest

from kizuna.settings import PROJECT
from kizuna.sources import SOURCES

# Airflow configures logging, warnings and a metadata database when imported: it gets a process of its own.
LISTING = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1], safe_mode=False)
print("RESULT" + json.dumps({
    "errors": {file.rsplit("/", 1)[-1]: error for file, error in bag.import_errors.items()},
    "dags": {
        dag.dag_id: {
            "edges": sorted(f"{task.task_id} -> {after}" for task in dag.tasks for after in task.downstream_task_ids),
            "tasks": sorted(task.task_id for task in dag.tasks),
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "tags": sorted(dag.tags),
        }
        for dag in bag.dags.values()
    },
}))
"""


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return listing(tmp_path_factory.mktemp("airflow"))


def listing(home, **settings):
    (home / "plugins").mkdir()
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}",
        "AIRFLOW_HOME": str(home),
        "KIZUNA_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        **settings,
    }
    done = subprocess.run(
        [sys.executable, "-c", LISTING, str(PROJECT / "dags")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "RESULT" in done.stdout, done.stdout + done.stderr
    return json.loads(done.stdout.split("RESULT")[1].splitlines()[0])


def test_every_dag_file_imports(bag):
    assert bag["errors"] == {}


def test_there_is_one_ingest_per_source_and_those_that_follow(bag):
    sources = {file.stem for file in (PROJECT / "plugins" / "kizuna" / "sources").glob("*.py")} - {"__init__"}
    assert set(bag["dags"]) == {f"ingest_{source}" for source in sources} | {
        "transform",
        "activate",
        "sweep",
        "review_identity",
        "verify_identity",
    }


def test_no_run_overtakes_another_and_the_past_is_not_repeated(bag):
    for name, dag in bag["dags"].items():
        assert (dag["catchup"], dag["max_active_runs"]) == (False, 1), name
        assert dag["tags"], f"{name} has no tag"


def test_an_ingest_is_gated_after_all_its_streams(bag):
    for name in ("shopify", "line"):
        streams = sorted(stream.name for stream in SOURCES[name].streams)
        assert bag["dags"][f"ingest_{name}"]["edges"] == [f"{stream} -> gate" for stream in streams]


def test_the_transform_walks_the_layers_and_publishes_only_what_passed_the_gate(bag):
    assert bag["dags"]["transform"]["edges"] == [
        "core.build -> marts.build",
        "identity.build -> identity.gate",
        "identity.gate -> core.build",
        "marts.build -> marts.gate",
        "marts.gate -> marts.publish",
        "staging.build -> identity.build",
        "staging.build -> staging.others",
    ]


def test_pairs_are_scored_beside_the_path_only_where_the_policy_says_so(bag, tmp_path):
    assert "score" not in bag["dags"]["transform"]["tasks"]
    (tmp_path / "identity.yml").write_text("scored: {enabled: true}\n")
    edges = listing(tmp_path, KIZUNA_IDENTITY_POLICY=str(tmp_path / "identity.yml"))["dags"]["transform"]["edges"]
    assert [edge for edge in edges if "score" in edge] == ["identity.gate -> score"]


def test_nothing_leaves_before_the_sync_gate(bag):
    assert bag["dags"]["activate"]["edges"] == [
        "segments.build -> sync.build",
        "sync.build -> sync.gate",
        "sync.gate -> sync.line__audiences",
    ]


SPANS = """
from types import SimpleNamespace
import pendulum
from airflow.utils.types import DagRunType
from kizuna.operators import _span, ingest_timetable
interval = ingest_timetable().infer_manual_data_interval(run_after=pendulum.datetime(2026, 11, 22, 9, 30))
for kind in DagRunType:
    context = {
        "dag_run": SimpleNamespace(run_type=kind), "run_id": "r",
        "data_interval_start": interval.start, "data_interval_end": interval.end,
    }
    span = _span(context)
    print("RESULT", kind.value, span and (span.lower.isoformat(), span.upper.isoformat()))
"""


def test_a_backfill_reads_its_interval_and_every_other_run_goes_on_where_the_last_stopped(tmp_path):
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "AIRFLOW_HOME": str(tmp_path),
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}",
        "KIZUNA_INGEST_SCHEDULE": "@hourly",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
    }
    done = subprocess.run([sys.executable, "-c", SPANS], env=environment, capture_output=True, text=True, check=False)
    told = dict(line.split(" ", 2)[1:] for line in done.stdout.splitlines() if line.startswith("RESULT"))
    assert told, done.stderr
    assert told.pop("backfill") == "('2026-11-22T08:00:00+00:00', '2026-11-22T09:00:00+00:00')"
    assert set(told.values()) == {"None"}
