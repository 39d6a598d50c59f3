"""Fixtures of the ingest tests: landing, and looking at what was landed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scripted import CONNECTION, ScriptedSource

from kizuna import warehouse
from kizuna.landing import Landing, land_stream

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def query(warehouse_url: str) -> Query:
    """Ask the warehouse as its owner."""

    def ask(text: str, role: str | None = None) -> list[tuple[Any, ...]]:
        with warehouse.connect(warehouse_url, role) as session:
            return session.execute(text).fetchall()  # type: ignore[arg-type]

    return ask


@pytest.fixture
def land(warehouse_url: str) -> Callable[..., Landing]:
    """Land a scripted source's only stream."""

    def run(source: ScriptedSource, run_id: str = "run-1") -> Landing:
        return land_stream(source, source.stream, CONNECTION, warehouse_url, run_id, sleep=lambda _seconds: None)

    return run
