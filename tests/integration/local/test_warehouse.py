"""The warehouse's roles: each sees what it needs and nothing else."""

import psycopg
import pytest

from kizuna import warehouse


def test_preparing_twice_changes_nothing(warehouse_url) -> None:
    def tables() -> list[tuple[object, ...]]:
        with warehouse.connect(warehouse_url) as connection:
            query = "select table_schema, table_name from information_schema.tables where table_schema <> 'pg_catalog'"
            return sorted(connection.execute(query).fetchall())

    before = tables()
    warehouse.prepare(warehouse_url)
    assert tables() == before


@pytest.mark.parametrize("schema", ["raw", "staging", "identity", "core", "marts_candidate", "segments", "sync", "ops"])
def test_bi_reads_the_published_marts_and_nothing_else(warehouse_url, schema) -> None:
    with warehouse.connect(warehouse_url) as connection:
        connection.execute(f"create table {schema}.secret as select 1 as one")
    with (
        warehouse.connect(warehouse_url, "kizuna_bi", read_only=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"select * from {schema}.secret")


@pytest.mark.parametrize("role", ["kizuna_transform", "kizuna_activate", "kizuna_bi"])
def test_only_ingest_writes_raw(warehouse_url, role) -> None:
    with (
        warehouse.connect(warehouse_url, role) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("create table raw.mine (one int)")


def test_a_read_only_session_writes_nowhere(warehouse_url) -> None:
    with (
        warehouse.connect(warehouse_url, "kizuna_ingest", read_only=True) as connection,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        connection.execute("create table raw.mine (one int)")
