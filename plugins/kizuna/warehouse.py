"""The warehouse: connect as one of its roles, and bring its schemas up to date."""

from __future__ import annotations

from pathlib import Path

import psycopg

DDL = Path(__file__).parent
ROLES = ("kizuna_ingest", "kizuna_transform", "kizuna_activate", "kizuna_bi", "kizuna_webhooks")
OLDEST_SERVER = 150000


class WarehouseError(RuntimeError):
    """The warehouse cannot be used as it is; the text says why and what to do."""


def connect(
    url: str, role: str | None = None, *, read_only: bool = False, autocommit: bool = False
) -> psycopg.Connection[tuple[object, ...]]:
    """Open a session on the warehouse as `role` (one of ROLES), in UTC.

    Raises:
        psycopg.OperationalError: when the server cannot be reached or refuses the role.
    """
    options = ["-c timezone=UTC", "-c client_min_messages=warning"]
    if role:
        options.append(f"-c role={role}")
    if read_only:
        options.append("-c default_transaction_read_only=on")
    return psycopg.connect(
        url,
        options=" ".join(options),
        application_name=f"kizuna {role or 'owner'}",
        autocommit=autocommit,
        keepalives_idle=30,
    )


def prepare(url: str) -> None:
    """Create what is missing of schemas, roles and ops tables; may be run at any time.

    Raises:
        WarehouseError: when the server is older than 15.
    """
    with connect(url) as connection:
        version = connection.info.server_version
        if version < OLDEST_SERVER:
            message = f"The warehouse's server is Postgres {version // 10000}: expected 15 or newer"
            raise WarehouseError(message)
        # Two preparations at once would trip over each other's catalog rows.
        connection.execute("select pg_advisory_xact_lock(hashtext('kizuna.prepare'))")
        for script in [DDL / "warehouse.sql", *sorted((DDL / "ddl").glob("*.sql"))]:
            connection.execute(script.read_bytes())
