"""The views readers see: one schema of them a version, each asking the reader's own snapshot which version is live."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

OWNER = "kizuna_transform"
READERS = sql.SQL("kizuna_bi, kizuna_activate")
LIVE_VERSION = sql.SQL("(select version from ops.published_versions where state = 'published')")

Session = psycopg.Connection[tuple[Any, ...]]


def show(connection: Session, version: int, tables: list[str]) -> None:
    """Put a new schema of views on `version` in the place of marts; the views in use go aside unharmed."""
    connection.execute(
        "do $$ begin"
        " execute format('alter schema marts rename to %I', 'marts_retired_' || pg_current_xact_id());"
        " end $$"
    )
    connection.execute("create schema marts")
    for table in tables:
        _create_view(connection, version, table)
    connection.execute(sql.SQL("grant usage on schema marts to {}").format(READERS))
    connection.execute(sql.SQL("grant select on all tables in schema marts to {}").format(READERS))


def _columns(connection: Session, schema: str, table: str) -> list[tuple[str, str | None]]:
    """Names and comments of a table's columns, in order."""
    return connection.execute(
        "select attname, col_description(attrelid, attnum) from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
        [f'"{schema}"."{table}"'],
    ).fetchall()


def create_reader(connection: Session, schema: str, table: str) -> None:
    """A function with the table's columns that returns the rows of whichever version is live.

    Only a statement that was parsed while the switch went on ever runs it: its view belongs to one version,
    its snapshot to another, and the snapshot decides.
    """
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in _columns(connection, schema, table))
    body = sql.SQL(
        "declare live integer := {live};"
        " begin"
        " if live is null then raise exception 'no marts were published when this transaction began'; end if;"
        " return query execute concat({before}, live, {after});"
        " end"
    ).format(
        live=LIVE_VERSION,
        before=sql.SQL("select {} from marts_v").format(names).as_string(connection),
        after=sql.SQL(".{}").format(sql.Identifier(table)).as_string(connection),
    )
    reader = sql.Identifier(schema, f"{table}__live")
    connection.execute(
        sql.SQL(
            "create function {reader}() returns setof {table} language plpgsql stable parallel safe rows 1"
            " security definer set search_path = pg_catalog as {body}"
        ).format(reader=reader, table=sql.Identifier(schema, table), body=body.as_string(connection))
    )
    connection.execute(sql.SQL("revoke execute on function {}() from public").format(reader))
    connection.execute(sql.SQL("grant execute on function {}() to {}").format(reader, READERS))


def _create_view(connection: Session, version: int, table: str) -> None:
    schema = f"marts_v{version}"
    columns, view = _columns(connection, schema, table), sql.Identifier("marts", table)
    connection.execute(
        sql.SQL(
            "create view {view} as"
            " select {columns} from {table} where {live} = {version}"
            " union all"
            " select {columns} from {reader}() where {live} is distinct from {version}"
        ).format(
            view=view,
            columns=sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
            table=sql.Identifier(schema, table),
            reader=sql.Identifier(schema, f"{table}__live"),
            live=LIVE_VERSION,
            version=version,
        )
    )
    row = connection.execute("select obj_description(%s::regclass)", [f'"{schema}"."{table}"']).fetchone()
    if row and row[0]:
        connection.execute(sql.SQL("comment on view {} is {}").format(view, row[0]))
    for name, comment in columns:
        if comment:
            connection.execute(
                sql.SQL("comment on column {} is {}").format(sql.Identifier("marts", table, name), comment)
            )
