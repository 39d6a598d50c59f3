"""Integer columns out of and into Postgres, many thousand rows in one message instead of one each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kizuna.identity.components import Numbers

ROWS_PER_MESSAGE = 65_536
COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_TRAILER = b"\xff\xff"

Connection = psycopg.Connection[Any]


def read_pairs(connection: Connection, query: sql.Composed | sql.SQL) -> tuple[Numbers, Numbers]:
    """Return the two integer columns of `query`.

    The server packs the numbers into byte strings: fetching them row by row would take ten times as long.
    """
    packed = sql.SQL(
        "with pairs (a, b) as materialized ({}), "
        "numbered as (select a, b, row_number() over () / {} as message from pairs) "
        "select string_agg(int4send(a) || int4send(b), ''::bytea) from numbered group by message"
    ).format(query, sql.Literal(ROWS_PER_MESSAGE))
    with connection.cursor(binary=True) as cursor:
        cursor.execute(packed)
        blocks = [np.frombuffer(bytes(row[0]), dtype=">i4").reshape(-1, 2) for row in cursor]
    if not blocks:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    table = np.concatenate(blocks)
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)


def write_numbers(connection: Connection, table: str, columns: Sequence[Numbers]) -> None:
    """Load integer columns into the temporary `table` by binary COPY."""
    fields = [(f"{part}{place}", ">i4") for place in range(len(columns)) for part in ("length", "value")]
    rows = np.empty(min(len(columns[0]), ROWS_PER_MESSAGE), dtype=np.dtype([("count", ">i2"), *fields]))
    rows["count"] = len(columns)
    for place in range(len(columns)):
        rows[f"length{place}"] = 4
    statement = sql.SQL("copy pg_temp.{} from stdin (format binary)").format(sql.Identifier(table))
    with connection.cursor().copy(statement) as copy:
        copy.write(COPY_HEADER)
        for start in range(0, len(columns[0]), ROWS_PER_MESSAGE):
            message = rows[: min(ROWS_PER_MESSAGE, len(columns[0]) - start)]
            for place, column in enumerate(columns):
                message[f"value{place}"] = column[start : start + len(message)]
            copy.write(message.tobytes())
        copy.write(COPY_TRAILER)
