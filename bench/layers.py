"""One dbt task of ours against a plain `dbt build` of the same models: whole processes, in turns.

Run by hand: `.venv/bin/python bench/layers.py [--customers 10000] [--record]`. It makes a system of its own, without
Airflow.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5
TASK = """
import sys
from datetime import date
from kizuna import layers, settings, strategy
layers.build("core", "transform", run_id="bench", warehouse_url=settings.warehouse_url(), strategy=strategy.load(),
    as_of=date.fromisoformat(sys.argv[1]))
"""


def main() -> None:
    """Land and build once, then time both in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--record", action="store_true", help="append the result to bench/results.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kizuna-bench-") as home:
        Path(home).chmod(0o755)
        os.environ["KIZUNA_HOME"] = home
        line = _measured(arguments.customers)
    print(line)
    if arguments.record:
        from results import record

        record(line)


def _measured(customers: int) -> str:
    from kizuna import pipeline, settings
    from kizuna.local import system
    from kizuna.local.world import World
    from kizuna.sources import SOURCES

    world = World(customers, 7, None, None, "Asia/Tokyo", "JPY")
    with system.outside(world, lambda _: None) as variables:
        os.environ.update(variables)
        for name in SOURCES:
            pipeline.ingest(name, settings.connection(name), f"ingest_{name}/bench")
        run = pipeline.Run.open("transform/bench")
        pipeline.transform(run)
        seconds = _in_turns(run)
    ours, plain = statistics.median(seconds["ours"]), statistics.median(seconds["plain"])
    return (
        f"dbt task / plain `dbt build`, core, {customers:,} customers, {ROUNDS} rounds in turns: {ours / plain:.2f} "
        f"({ours:.1f} s / {plain:.1f} s; must ≤ 1.1, goal ≤ 1.0)"
    )


def _in_turns(run: object) -> dict[str, list[float]]:
    from kizuna import layers, settings

    variables = {"strategy": run.strategy.model_dump(mode="json"), "as_of": str(run.as_of)}  # type: ignore[attr-defined]
    project, target = settings.PROJECT / "dbt_project", settings.home() / "dbt" / "plain"
    plain = [str(Path(sys.executable).parent / "dbt"), "build", "--select", "core", "--vars", json.dumps(variables)]
    plain += ["--exclude-resource-type", "unit_test", "--target", "transform", "--target-path", str(target)]
    plain += ["--project-dir", str(project), "--profiles-dir", str(project), "--log-path", str(target)]
    commands = {"ours": [sys.executable, "-c", TASK, variables["as_of"]], "plain": plain}
    environment = dict(os.environ) | layers.connection_variables(settings.warehouse_url())
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for round_number in range(ROUNDS + 1):  # the first round warms both partial parses and is not counted
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            if round_number:
                seconds[name].append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
