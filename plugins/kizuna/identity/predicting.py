"""Splink on DuckDB, in memory and offline: the staged records in, pairs with their probability out.

Importing this module imports the optional packages (`pip install kizuna[scoring]`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import duckdb
import pyarrow
from psycopg import sql
from splink import DuckDBAPI, Linker

from kizuna.identity.likeness import COLUMNS

if TYPE_CHECKING:
    from kizuna.identity.exchange import Connection
    from kizuna.identity.pairing import Pair

ROWS_PER_BATCH = 50_000
OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class People:
    """The records of scoring_input in a DuckDB of this process; gone with it."""

    def __init__(self, connection: Connection) -> None:
        self.database = duckdb.connect(":memory:", config=OFFLINE)
        columns = ", ".join(f'"{name}" varchar' for name in COLUMNS)
        self.database.execute(f"create table people (record_number integer, {columns}, is_changed boolean)")
        names = ("record_number", *COLUMNS, "is_changed")
        query = sql.SQL("select {} from scoring_input").format(sql.SQL(", ").join(map(sql.Identifier, names)))
        with connection.cursor(name="people") as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(ROWS_PER_BATCH):
                batch = pyarrow.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
                self.database.execute("insert into people select * from batch")
                del batch

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget everybody."""
        self.database.close()

    def predict(self, settings: dict[str, Any], least: float) -> list[Pair]:
        """The pairs of the model's blocks with a changed record in each that are at least so probable."""
        predicted = self._linker(settings).inference.predict(threshold_match_probability=least)
        pairs = "least(record_number_l, record_number_r), greatest(record_number_l, record_number_r)"
        query = f"select {pairs}, round(match_probability, 6) from {predicted.physical_name} order by 1, 2"  # noqa: S608
        return self.database.execute(query).fetchall()

    def levels(self, settings: dict[str, Any]) -> list[tuple[int, ...]]:
        """Every pair of the model's blocks: its two records, and which level of each comparison holds (-1: unsaid)."""
        shown = {**settings, "retain_matching_columns": True, "retain_intermediate_calculation_columns": True}
        predicted = self._linker(shown).inference.predict()
        names = [comparison["output_column_name"] for comparison in settings["comparisons"]]
        gammas = ", ".join(f"gamma_{name}" for name in names)
        return self.database.execute(
            f"select record_number_l, record_number_r, {gammas} from {predicted.physical_name}"  # noqa: S608
        ).fetchall()

    def _linker(self, settings: dict[str, Any]) -> Linker:
        people = DuckDBAPI(connection=self.database).register("people")
        return Linker(people, settings, log_level=None)
