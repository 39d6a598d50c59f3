"""EC-CUBE read from its database, or a replica of it: the records that the Web API would give, and carts.

Each walk counts and reads in one read-only transaction of one snapshot, so that count and rows cannot disagree.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from kizuna.eccube import tables
from kizuna.eccube.records import written
from kizuna.http import VendorRefusedError, VendorUnavailableError
from kizuna.reading import Reader, VendorCount, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kizuna.eccube.records import Names, Row
    from kizuna.settings import Connection

KINDS = ("postgres", "postgresql", "mysql")
DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
PAGE_SIZE = 500
CONNECT_SECONDS = 10


@contextmanager
def open_database(name: str, stream: str, connection: Connection) -> Iterator[DatabaseReader]:
    """Open one stream of the shop's database.

    Raises:
        VendorUnavailableError: when the database cannot be reached or does not answer; values are left out.
    """
    engine = _engine(name, connection)
    try:
        with engine.connect() as session:
            lag = timedelta(seconds=float(connection.extra.get("replica_lag_seconds", "0")))
            yield DatabaseReader(stream, session, lag)
    except SQLAlchemyError as error:
        reason = type(getattr(error, "orig", None) or error).__name__
        step = "check this connection, and that its login may read the tables dtb_* and mtb_*"
        raise VendorUnavailableError(name, f"{stream} in the database", None, 1, reason, step) from None
    finally:
        engine.dispose()


def _engine(name: str, connection: Connection) -> sa.Engine:
    try:
        return sa.create_engine(
            address(connection),
            poolclass=sa.NullPool,
            isolation_level="REPEATABLE READ",
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
        )
    except ModuleNotFoundError as error:
        step = "install PyMySQL beside Kizuna: .venv/bin/python -m pip install pymysql (docs/sources/eccube.md)"
        raise VendorRefusedError(name, "database", None, 1, f"{error.name} is not installed", step) from None


def address(connection: Connection) -> sa.URL:
    """Return where the database is, from a connection of Airflow's kinds postgres or mysql."""
    parts = urlsplit(connection.base_url)
    return sa.URL.create(
        DRIVERS[connection.kind],
        username=connection.login or None,
        password=connection.token or None,
        host=parts.hostname,
        port=parts.port,
        database=parts.path.strip("/"),
    )


class DatabaseReader(Reader):
    """One stream in an open session."""

    def __init__(self, stream: str, session: sa.Connection, lag: timedelta) -> None:
        """Remember what is read; `lag` is how far a replica may be behind."""
        self._stream, self._session, self._lag = stream, session, lag
        self._kind = tables.KINDS[stream]
        self._count = 0

    def start(self, lower: datetime, cursor: str | None) -> datetime:  # noqa: ARG002
        """Ask the server for its time."""
        moment: datetime = self._session.execute(tables.time_of(self._session.dialect.name)).scalar_one()
        self._session.rollback()
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return aware.astimezone(UTC).replace(microsecond=0) - self._lag

    def count(self, window: Window) -> VendorCount:  # noqa: ARG002 - counted on the snapshot that was read
        """Return how many records the last walk's snapshot has."""
        return VendorCount(self._count)

    def pages(self, window: Window) -> Iterator[list[Any]]:
        """Yield the window's records in the order of their ids, all of one snapshot."""
        self._session.rollback()
        # Before the transaction's first look at a table: PostgreSQL and MySQL both take it then, and only then.
        self._session.exec_driver_sql("set transaction read only")
        self._count = self._session.execute(tables.count_of(self._stream, window)).scalar_one()
        names = {name: self._names(name) for name in self._kind.names}
        after = 0
        while rows := self._rows(tables.page_of(self._stream, window, after, PAGE_SIZE)):
            yield [written(self._stream, row, parts, names) for row, parts in self._with_parts(rows)]
            after = rows[-1]["id"]
        self._session.rollback()

    def id_pages(self) -> Iterator[list[Any]]:
        """Yield the ids of all records."""
        after = 0
        while rows := self._rows(tables.ids_after(self._stream, after, 10 * PAGE_SIZE)):
            yield [{"id": str(row["id"])} for row in rows]
            after = rows[-1]["id"]
        self._session.rollback()

    def still_there(self, record_ids: Sequence[str]) -> int:
        """Ask for records by id."""
        key = self._kind.table.c.id
        ids = [int(record_id) for record_id in record_ids if record_id.isdigit()]
        found = self._session.execute(sa.select(sa.func.count()).where(key.in_(ids))).scalar_one()
        self._session.rollback()
        return int(found)

    def _with_parts(self, rows: Sequence[Row]) -> Iterator[tuple[Row, dict[str, list[Row]]]]:
        """Put to each record the rows below it, by table."""
        ids = [row["id"] for row in rows]
        below: dict[int, dict[str, list[Row]]] = {number: {} for number in ids}
        for part in self._kind.parts:
            for row in self._rows(tables.parts_of(part, ids)):
                below[row[part.parent]].setdefault(part.table.name, []).append(row)
        for row in rows:
            yield row, below[row["id"]]

    def _names(self, name: str) -> Names:
        return {row[0]: row[1] for row in self._session.execute(tables.names_of(name))}

    def _rows(self, statement: sa.Select[Any]) -> list[Row]:
        return [dict(row) for row in self._session.execute(statement).mappings()]
