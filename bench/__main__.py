"""Every benchmark, one after the other: `make bench`, or `.venv/bin/python bench --record`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = (
    "ingest.py",
    "webhooks.py",
    "identity.py",
    "normalization.py",
    "identity_quality.py",
    "layers.py",
    "whole_run.py",
)

for name in BENCHMARKS:
    print(f"== {name}", flush=True)
    subprocess.run([sys.executable, str(Path(__file__).parent / name), *sys.argv[1:]], check=True)
