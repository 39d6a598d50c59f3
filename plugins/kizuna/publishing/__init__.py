"""Versions of the marts: switch readers to the checked candidate in one transaction, and back again.

Why views that look up their version, and not renamed tables alone: docs/decisions/0001-publish-by-renaming-schemas.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from kizuna import warehouse
from kizuna.publishing.retention import drop_outdated
from kizuna.publishing.views import OWNER, Session, create_reader, show

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date, datetime

LOCK_PATIENCE = sql.SQL("set local lock_timeout = '10s'")
UNFINISHED = ("__dbt_tmp", "__dbt_backup")


class PublishRefused(RuntimeError):  # noqa: N818 - the path's word for it
    """The marts stay as they are; the text says what stands against the switch and what to do."""


@dataclass(frozen=True)
class PublishedVersion:
    """One version of the marts; state is published (readers see it), kept, rolled_back or dropped."""

    version: int
    published_at: datetime
    as_of: date
    run_id: str
    strategy_hash: str
    state: str
    row_counts: Mapping[str, int]


def publish(warehouse_url: str, run_id: str, as_of: date, strategy_hash: str, *, removed: Collection[str] = ()) -> int:
    """Show the candidate marts to readers as a new version and return its number.

    A run that has published already (its task was killed after the commit and started again) gets its number
    back and nothing is switched. `removed` names marts that are missing on purpose.

    Raises:
        PublishRefused: when there is no candidate, it is incomplete, or another switch is going on.
    """
    with _session(warehouse_url) as connection:
        tables = _candidate_tables(connection)
        version = None if tables else _version_of_run(connection, run_id)
        if version is None:
            row_counts = _count_rows(connection, tables)
            _refuse_incomplete(connection, row_counts, removed)
            version = _take_candidate(connection, tables)
            _mark_live(connection, "kept")
            connection.execute(
                "insert into ops.published_versions (version, as_of, run_id, strategy_hash, state, row_counts)"
                " values (%s, %s, %s, %s, 'published', %s)",
                [version, as_of, run_id, strategy_hash, Jsonb(row_counts)],
            )
            show(connection, version, list(row_counts))
    drop_outdated(warehouse_url)
    return version


def rollback(warehouse_url: str) -> int:
    """Show readers the version before the published one again and return its number.

    Raises:
        PublishRefused: when no earlier version is kept, or another switch is going on.
    """
    with _session(warehouse_url) as connection:
        row = connection.execute(
            "select version, row_counts from ops.published_versions where state = 'kept'"
            " and version < (select version from ops.published_versions where state = 'published')"
            " order by version desc limit 1"
        ).fetchone()
        if row is None:
            message = (
                "There is no earlier version of the marts to return to: ops.published_versions has no row in state"
                " 'kept' below the published one. Run the transform again to publish a new version"
            )
            raise PublishRefused(message)
        _mark_live(connection, "rolled_back")
        connection.execute("update ops.published_versions set state = 'published' where version = %s", [row[0]])
        show(connection, row[0], list(row[1]))
    drop_outdated(warehouse_url)
    return int(row[0])


def versions(warehouse_url: str) -> list[PublishedVersion]:
    """All versions ever published, the newest first."""
    with warehouse.connect(warehouse_url, OWNER, read_only=True) as connection:
        rows: list[Any] = connection.execute(
            "select version, published_at, as_of, run_id, strategy_hash, state, row_counts"
            " from ops.published_versions order by version desc"
        ).fetchall()
    return [PublishedVersion(*row) for row in rows]


class _session:  # noqa: N801 - used as a function
    """One transaction as the marts' owner, with no other switch beside it."""

    def __init__(self, warehouse_url: str) -> None:
        self.connection: Session = warehouse.connect(warehouse_url, OWNER)

    def __enter__(self) -> Session:
        self.connection.__enter__()
        try:
            self.connection.execute(LOCK_PATIENCE)
            self.connection.execute("select pg_advisory_xact_lock(hashtext('kizuna.publishing'))")
        except psycopg.errors.LockNotAvailable:
            self.connection.close()
            message = "Another publish or rollback holds the switch for more than 10 s: wait for it, then start again"
            raise PublishRefused(message) from None
        return self.connection

    def __exit__(self, *error: Any) -> None:  # noqa: ANN401
        self.connection.__exit__(*error)


def _candidate_tables(connection: Session) -> list[str]:
    rows = connection.execute(
        "select relname, relkind from pg_class where relnamespace = 'marts_candidate'::regnamespace"
        " and relkind in ('r', 'p', 'm', 'v') order by relname"
    ).fetchall()
    rows = [(name, kind) for name, kind in rows if not name.endswith(UNFINISHED)]
    views = [name for name, kind in rows if kind == "v"]
    if views:
        message = (
            f"marts_candidate.{views[0]} is a view: a version must hold its own rows, or it would change after it was"
            " checked. Set materialized: table for the model and build again"
        )
        raise PublishRefused(message)
    return [name for name, _ in rows]


def _version_of_run(connection: Session, run_id: str) -> int | None:
    row = connection.execute(
        "select version, state from ops.published_versions where run_id = %s order by version desc limit 1", [run_id]
    ).fetchone()
    if row is None:
        return None
    if row[1] != "published":
        message = (
            f"Run {run_id} published version {row[0]}, which is now {row[1]}: publishing it again would undo that."
            " Start a new transform run"
        )
        raise PublishRefused(message)
    return int(row[0])


def _count_rows(connection: Session, tables: list[str]) -> dict[str, int]:
    counts = {}
    for table in tables:
        name = sql.Identifier("marts_candidate", table)
        # Readers get the new tables at once; without statistics their first queries would be planned blindly.
        connection.execute(sql.SQL("analyze {}").format(name))
        row = connection.execute(sql.SQL("select count(*) from {}").format(name)).fetchone()
        counts[table] = int(row[0]) if row else 0
    return counts


def _refuse_incomplete(connection: Session, row_counts: Mapping[str, int], removed: Collection[str]) -> None:
    if not row_counts:
        message = "Schema marts_candidate holds no mart: run the transform (dbt build --select marts) before publishing"
        raise PublishRefused(message)
    row = connection.execute(
        "select version, row_counts from ops.published_versions where state = 'published'"
    ).fetchone()
    version, published = row or (0, {})
    missing = sorted(set(published) - set(row_counts) - set(removed))
    if missing:
        message = (
            f"marts_candidate.{missing[0]} is missing ({len(missing)} in all), but published version {version} has it:"
            " build the marts again; if it was removed on purpose, publish once with removed={its name}"
        )
        raise PublishRefused(message)
    emptied = [table for table, count in row_counts.items() if count == 0 and published.get(table)]
    if emptied or not any(row_counts.values()):
        table = (emptied or list(row_counts))[0]
        message = (
            f"marts_candidate.{table} has 0 rows, published version {version} has {published.get(table, 0)}:"
            " look at the layers before it (kizuna status), then build again"
        )
        raise PublishRefused(message)


def _take_candidate(connection: Session, tables: list[str]) -> int:
    row = connection.execute("select coalesce(max(version), 0) + 1 from ops.published_versions").fetchone()
    version = int(row[0]) if row else 1
    schema = f"marts_v{version}"
    connection.execute(sql.SQL("alter schema marts_candidate rename to {}").format(sql.Identifier(schema)))
    connection.execute("create schema marts_candidate")
    for table in tables:
        create_reader(connection, schema, table)
    return version


def _mark_live(connection: Session, state: str) -> None:
    connection.execute("update ops.published_versions set state = %s where state = 'published'", [state])
