"""The review in Airflow: questions are asked, people answer through its API, decisions are written with their names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kizuna.settings import PROJECT
from tests.integration.identity.filled import Filled

WHY = "she wrote to us"


@pytest.fixture
def filled(warehouse_url: str) -> Filled:
    world = Filled(warehouse_url)
    for number, key in enumerate(["line:follower:U0a1b2c", "b", "c", "d", "e", "f"]):
        world.record(key, f"email:hana{number}@example.jp", customer=key, full="佐藤花", birth="1980-02-01")
    for other, probability in [("b", 0.8), ("c", 0.75), ("d", 0.7), ("e", 0.65), ("f", 0.6)]:
        world.run(
            "insert into identity.scored_pairs values (%s, %s, %s, 'model-1')",
            *(*sorted([other, "line:follower:U0a1b2c"]), probability),
        )
    return world


def run_dag(filled: Filled, home: Path, answers: dict[str, Any]) -> dict[str, Any]:
    (home / "plugins").mkdir()
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}",
        "AIRFLOW_HOME": str(home),
        "KIZUNA_HOME": str(home),
        "WAREHOUSE_URL": filled.url,
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
    script = str(Path(__file__).with_name("answering.py"))
    done = subprocess.run(
        [sys.executable, script, str(PROJECT / "dags"), json.dumps(answers)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "RESULT" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    kept: dict[str, Any] = json.loads(done.stdout.split("RESULT")[1].splitlines()[0])
    return kept | {"said": done.stdout + done.stderr}


def test_answers_become_decisions_with_the_name_of_who_gave_them(filled: Filled, tmp_path: Path) -> None:
    kept = run_dag(
        filled,
        tmp_path,
        {
            "2-1": ["same", {"pair": "2-1", "why": WHY}],
            "3-1": ["different", {"pair": "3-1", "why": "sisters"}],
            "4-1": [None, {}],  # nobody answers in time
            "5-1": ["same", {"pair": "2-1", "why": "of a question that was seen before"}],
            "6-1": ["same", {}],
        },
    )
    # Tasks are named by their pair; an answer that is for another pair, or does not say for which, fails its task.
    assert dict(zip(kept["names"], kept["states"], strict=True)) == {
        "2-1": "success",
        "3-1": "success",
        "4-1": "success",
        "5-1": "failed",
        "6-1": "failed",
        None: "success",
    }
    assert filled.run(
        "select decision, record_key_a, record_key_b, who, why from identity.overrides_in_force order by 1"
    ) == [
        ("always", "b", "line:follower:U0a1b2c", "emi", WHY),
        ("never", "c", "line:follower:U0a1b2c", "emi", "sisters"),
    ]
    assert {"pair": "4-1", "answer": "later"} in kept["xcoms"]
    assert len(kept["questions"]) == 5
    assert "scored 0.80" in "".join(kept["questions"])
    # Nothing that Airflow keeps or logs tells who it is about.
    everything = json.dumps(kept, ensure_ascii=False)
    for personal in ("佐藤", "hana0", "1980", "U0a1b2c"):
        assert personal not in everything, personal
    assert WHY not in json.dumps(kept["xcoms"])
