"""One dbt task of ours against a plain `dbt build` of the same models: whole processes, in turns.

Run by `make bench`; needs a warehouse with landed data in WAREHOUSE_URL.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from kizuna import layers, settings, strategy

ROUNDS = 5
TASK = """
import sys
from datetime import date
from kizuna import layers, settings, strategy
layers.build("core", "transform", run_id="bench", warehouse_url=settings.warehouse_url(), strategy=strategy.load(),
    as_of=date.fromisoformat(sys.argv[1]))
"""


def measure(as_of: date) -> str:
    """Return one line: the ratio of medians, ours over plain, and both medians in seconds."""
    variables = json.dumps({"strategy": strategy.load().model_dump(mode="json"), "as_of": str(as_of)})
    project, target = settings.PROJECT / "dbt_project", settings.home() / "dbt" / "bench"
    plain = [str(Path(sys.executable).parent / "dbt"), "build", "--select", "core", "--vars", variables]
    plain += ["--exclude-resource-type", "unit_test", "--target", "transform", "--target-path", str(target)]
    plain += ["--project-dir", str(project), "--profiles-dir", str(project), "--log-path", str(target)]
    environment = dict(os.environ) | layers.connection_variables(settings.warehouse_url())
    commands = {"ours": [sys.executable, "-c", TASK, str(as_of)], "plain": plain}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for round_number in range(ROUNDS + 1):  # the first warms both partial parses
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            if round_number:
                seconds[name].append(time.perf_counter() - began)
    ours, bare = statistics.median(seconds["ours"]), statistics.median(seconds["plain"])
    return f"dbt task / plain `dbt build` (core, {ROUNDS} rounds): {ours / bare:.2f} ({ours:.1f} s / {bare:.1f} s; must ≤ 1.1, goal ≤ 1.0)"
