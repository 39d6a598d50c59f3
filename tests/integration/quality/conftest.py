"""A small world in which every gate passes, for each test to break in its own way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from kizuna import landing, quality, settings, warehouse
from kizuna.quality.fields import KIND, Field
from kizuna.quality.suites import load_suites

EMPTY: dict[str, Any] = {"string": "", "number": 0, "boolean": False, "object": {}, "array": []}
Gate = Callable[..., quality.GateReport]


@pytest.fixture
def good_world(warehouse_url: str) -> str:
    """The warehouse's URL, with raw, core, candidate marts and sync rows that agree."""
    with warehouse.connect(warehouse_url) as connection:
        connection.execute(Path(__file__).with_name("world.sql").read_bytes())
        complete_payloads(connection)
    landing.ensure_tables(warehouse_url)
    return warehouse_url


def complete_payloads(connection: Connection[Any]) -> None:
    """Give the world's raw rows, where they lack it, every field that staging reads: empty, but of the right type."""
    for table, suite in load_suites(settings.PROJECT / "expectations", "raw").items():
        if connection.execute("select to_regclass(%s)", [f"raw.{table}"]).fetchone() == (None,):
            continue
        declared = [Field.declared(**one.arguments) for one in suite.expectations if one.kind == KIND]
        name = sql.Identifier("raw", table)
        for sequence, payload in connection.execute(
            sql.SQL("select _sequence, payload from {}").format(name)
        ).fetchall():
            for field in sorted(declared, key=lambda field: field.path):
                complete(payload, field)
            values = [Jsonb(payload), sequence]
            connection.execute(sql.SQL("update {} set payload = %s where _sequence = %s").format(name), values)


def complete(payload: Any, field: Field) -> None:
    holder, name = field.place
    for part in holder.split(".") if holder else ():
        payload = payload.get(part) if isinstance(payload, dict) else None
    if isinstance(payload, dict) and not field.is_optional:
        payload.setdefault(name, None if "null" in field.types else EMPTY[field.types[0]])


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
