"""Dropping what no reader can reach any more, without ever waiting for a query."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from kizuna import warehouse
from kizuna.publishing.views import OWNER

VERSIONS_KEPT = 7
PATIENCE = sql.SQL("set local lock_timeout = '100ms'")


def drop_outdated(warehouse_url: str) -> list[str]:
    """Drop versions beyond the kept ones and views readers have left; returns what has to wait for a reader.

    Never waits for a query: what is still being read is left for the next publish.
    """
    with warehouse.connect(warehouse_url, OWNER, read_only=True) as connection:
        retired = connection.execute(
            "select nspname from pg_namespace where nspname like 'marts\\_retired\\_%' order by nspname"
        ).fetchall()
        outdated = connection.execute(
            "select version from ops.published_versions where state in ('kept', 'rolled_back')"
            " order by version desc offset %s",
            [VERSIONS_KEPT],
        ).fetchall()
    waiting = [str(name) for (name,) in retired if not _drop(warehouse_url, str(name))]
    return waiting + [f"marts_v{version}" for (version,) in outdated if not _drop(warehouse_url, f"marts_v{version}")]


def _drop(warehouse_url: str, schema: str) -> bool:
    """Drop one schema piece by piece, so that nothing outside it goes with it; False when it is still in use."""
    try:
        with warehouse.connect(warehouse_url, OWNER) as connection:
            connection.execute(PATIENCE)
            rows: list[Any] = connection.execute(
                "select relname, relkind from pg_class where relnamespace = %s::regnamespace"
                " and relkind in ('v', 'r', 'p', 'm') order by relname",
                [f'"{schema}"'],
            ).fetchall()
            kinds = {"v": sql.SQL("view"), "m": sql.SQL("materialized view")}
            for name, kind in rows:
                reader = sql.Identifier(schema, f"{name}__live")
                connection.execute(sql.SQL("drop function if exists {}()").format(reader))
                connection.execute(
                    sql.SQL("drop {} {}").format(kinds.get(kind, sql.SQL("table")), sql.Identifier(schema, name))
                )
            connection.execute(sql.SQL("drop schema {}").format(sql.Identifier(schema)))
            connection.execute(
                "update ops.published_versions set state = 'dropped' where 'marts_v' || version = %s", [schema]
            )
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DependentObjectsStillExist):
        return False
    return True
