"""Columns of numbers through Postgres and back, in every width and over the edges of messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from psycopg import sql

from kizuna import warehouse
from kizuna.identity import exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES = {"place": "int4", "small": "int2", "large": "int8", "part": "float8", "seen": "timestamptz"}
TABLE = sql.SQL("pg_temp.numbers")


@pytest.fixture
def connection(warehouse_url: str) -> Iterator[exchange.Connection]:
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in TYPES.items())  # type: ignore[arg-type]
        connection.execute(sql.SQL("create temporary table numbers ({})").format(columns))
        yield connection


def numbers(count: int) -> list[exchange.Column]:
    place = np.arange(count)
    return [place, place % 7 - 3, place * 10**12 - 2**62, place / 8, place * 1_000_001 - 86_400_000_000]


@pytest.mark.parametrize("count", [0, 1, 70_000])
def test_columns_come_back_as_they_were_written_row_beside_row(connection: exchange.Connection, count: int) -> None:
    written = numbers(count)
    exchange.write_columns(connection, TABLE, TYPES, written)
    for read in (
        exchange.read_table(connection, TABLE, TYPES),
        exchange.read_columns(connection, sql.SQL("select * from numbers"), TYPES),
    ):
        order = np.argsort(read["place"])
        for name, column in zip(TYPES, written, strict=True):
            assert read[name][order].tolist() == column.tolist(), name
        assert [column.dtype.str[1:] for column in read.values()] == ["i4", "i2", "i8", "f8", "i8"]


def test_moments_are_microseconds_since_1970_on_both_sides(connection: exchange.Connection) -> None:
    exchange.write_columns(connection, TABLE, {"seen": "timestamptz"}, [np.array([1_500_000])])
    assert connection.execute("select seen from numbers").fetchone() == (datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC),)
    connection.execute("update numbers set seen = '2026-11-22 00:00:00.000001+00'")
    seen = exchange.read_table(connection, TABLE, {"seen": "timestamptz"})["seen"]
    assert seen.tolist() == [int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()) * 1_000_000 + 1]


def test_infinity_stays_later_than_every_moment_there_and_back(connection: exchange.Connection) -> None:
    connection.execute("insert into numbers (place, seen) values (1, '2026-01-01+00'), (2, 'infinity')")
    seen = exchange.read_table(connection, TABLE, {"seen": "timestamptz"})["seen"]
    assert seen.tolist() == [1_767_225_600_000_000, exchange.INFINITY]
    exchange.write_columns(connection, TABLE, {"place": "int4", "seen": "timestamptz"}, [np.array([3, 4]), seen])
    assert connection.execute("select place from numbers where seen = 'infinity' order by place").fetchall() == [
        (2,),
        (4,),
    ]


def test_a_table_is_read_where_a_condition_holds_and_without_what_was_deleted(connection: exchange.Connection) -> None:
    exchange.write_columns(connection, TABLE, TYPES, numbers(70_000))
    connection.execute("delete from numbers where place < 69000")
    read = exchange.read_table(connection, TABLE, {"place": "int4"}, sql.SQL("small = 0"))["place"]
    assert sorted(read.tolist()) == [place for place in range(69_000, 70_000) if place % 7 == 3]


def test_a_null_is_refused_instead_of_moving_all_numbers_behind_it_up_a_row(connection: exchange.Connection) -> None:
    connection.execute("insert into numbers (place, small) values (1, 1), (2, null), (3, 3)")
    with pytest.raises(exchange.MissingNumberError, match="small: 1 of 3 rows are null"):
        exchange.read_table(connection, TABLE, {"place": "int4", "small": "int2"})
    with pytest.raises(exchange.MissingNumberError, match="small: 1 of 3 rows are null"):
        exchange.read_columns(connection, sql.SQL("select * from numbers"), {"small": "int2", "place": "int4"})
