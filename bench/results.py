"""Where measured figures are kept: one line each, with the day."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results.md"


def record(line: str) -> None:
    """Append one measured line to bench/results.md."""
    with RESULTS.open("a", encoding="utf-8") as results:
        results.write(f"- {datetime.now(UTC):%Y-%m-%d}: {line}\n")
