"""The whole path under Airflow against the same steps called one after the other in one process.

Both start from nothing but the installed environment: clusters, sandbox and, for the one, Airflow included.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kizuna import settings

DIRECT = """
import sys, time
from kizuna import cli
from kizuna.local import direct
began = time.perf_counter()
direct.run(cli._world(None, None, None, None, int(sys.argv[1]), 7), lambda text: None)
print("WALK", time.perf_counter() - began)
"""


def measure(customers: int) -> list[str]:
    """Return two lines: the ratio of the whole runs, and the demo's own time and memory."""
    under_airflow, output = _timed([str(Path(sys.executable).parent / "kizuna"), "demo", "--customers", str(customers)])
    direct, _ = _timed([sys.executable, "-c", DIRECT, str(customers)])
    memory = re.search(r"peak memory ([\d.]+) GiB", output)
    peak = memory[1] if memory else "?"
    return [
        f"whole run under Airflow / direct ({customers:,} customers, start-up included): {under_airflow / direct:.2f} "
        f"({under_airflow:.0f} s / {direct:.0f} s; must ≤ 2.0, goal ≤ 1.5)",
        f"demo of {customers:,} customers: {under_airflow:.0f} s, {peak} GiB (must ≤ 240 s, ≤ 3 GiB)",
    ]


def _timed(command: list[str]) -> tuple[float, str]:
    with tempfile.TemporaryDirectory(prefix="kizuna-bench-") as home:
        Path(home).chmod(0o755)
        began = time.perf_counter()
        done = subprocess.run(
            command, env=dict(os.environ) | {"KIZUNA_HOME": home}, cwd=settings.PROJECT, capture_output=True, text=True
        )
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{command[:2]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return seconds, done.stdout
