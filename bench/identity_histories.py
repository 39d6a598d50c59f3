"""Ten thousand random histories of identity, where `make test` tries three hundred; about an hour.

Run by hand: `.venv/bin/python bench/identity_histories.py [--histories 10000] [--record]`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from results import record

TEST = "tests/integration/identity/test_identity_histories.py"


def main() -> None:
    """Run the property test with more examples, and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--record", action="store_true", help="append the result to bench/results.md")
    arguments = parser.parse_args()
    started = time.perf_counter()
    environment = {**os.environ, "KIZUNA_HISTORIES": str(arguments.histories)}
    command = [sys.executable, "-m", "pytest", TEST]
    subprocess.run(command, cwd=Path(__file__).parents[1], env=environment, check=True)
    line = f"identity: {arguments.histories:,} random histories hold in {time.perf_counter() - started:.0f} s"
    print(line)
    if arguments.record:
        record(line)


if __name__ == "__main__":
    main()
