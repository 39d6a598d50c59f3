"""The whole path under Airflow against the same steps called one after the other in one process.

Run by hand: `.venv/bin/python bench/whole_run.py [--customers 10000] [--record]`. Both start from nothing but the
installed environment: cluster, sandbox and, for the one, Airflow with its metadata tables are part of the time.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DIRECT = """
import sys
from kizuna.local import direct
from kizuna.local.world import World
direct.run(World(int(sys.argv[1]), 7, None, None, "Asia/Tokyo", "JPY"), print)
"""


def main() -> None:
    """Run both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--record", action="store_true", help="append the results to bench/results.md")
    arguments = parser.parse_args()
    size = str(arguments.customers)
    under_airflow, output = _timed([str(Path(sys.executable).parent / "kizuna"), "demo", "--customers", size])
    direct, _ = _timed([sys.executable, "-c", DIRECT, size])
    memory = re.search(r"peak memory ([\d.]+) GiB", output)
    lines = [
        f"whole run under Airflow / direct, {arguments.customers:,} customers, start-up included: "
        f"{under_airflow / direct:.2f} ({under_airflow:.0f} s / {direct:.0f} s; must ≤ 2.0, goal ≤ 1.5)",
        f"demo of {arguments.customers:,} customers: {under_airflow:.0f} s, {memory[1] if memory else '?'} GiB "
        "(must ≤ 240 s, ≤ 3 GiB)",
    ]
    print("\n".join(lines))
    if arguments.record:
        from results import record

        for line in lines:
            record(line)


def _timed(command: list[str]) -> tuple[float, str]:
    with tempfile.TemporaryDirectory(prefix="kizuna-bench-") as home:
        Path(home).chmod(0o755)
        environment = dict(os.environ) | {"KIZUNA_HOME": home}
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
    if done.returncode:
        message = f"{' '.join(command[:2])} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        raise SystemExit(message)
    return seconds, done.stdout


if __name__ == "__main__":
    main()
