"""A small world in which every gate passes, for each test to break in its own way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kizuna import quality, warehouse

Gate = Callable[..., quality.GateReport]


@pytest.fixture
def good_world(warehouse_url: str) -> str:
    """The warehouse's URL, with raw, core, candidate marts and sync rows that agree."""
    with warehouse.connect(warehouse_url) as connection:
        connection.execute(Path(__file__).with_name("world.sql").read_bytes())
    return warehouse_url


@pytest.fixture
def break_with(good_world: str) -> Callable[[str], None]:
    """Run one statement that puts something wrong."""

    def _break(statement: str) -> None:
        with warehouse.connect(good_world) as connection:
            connection.execute(statement.encode())

    return _break


@pytest.fixture
def gate(good_world: str, tmp_path: Path) -> Gate:
    """Run a gate of the world."""

    def _gate(name: Any, only: str | None = None, run_id: str = "run", suites: Path | None = None) -> Any:
        folder = tmp_path / "docs"
        return quality.run_gate(name, good_world, run_id, only=only, docs_folder=folder, suites_folder=suites)

    return _gate


@pytest.fixture
def results(good_world: str) -> Callable[[str], list[tuple[Any, ...]]]:
    """Read ops.quality_results."""

    def _results(query: str) -> list[tuple[Any, ...]]:
        with warehouse.connect(good_world) as connection:
            return connection.execute(query.encode()).fetchall()

    return _results
