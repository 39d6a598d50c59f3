"""Lands one window of one stream in raw: read, reconciled with the vendor's count, and whole or not at all."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from kizuna import warehouse
from kizuna.inbox import InboxStream, open_inbox
from kizuna.landing.errors import (
    AccountingError,
    EmptySnapshotError,
    LandingError,
    ReconciliationError,
    StreamBusyError,
    SweepRefusedError,
)
from kizuna.landing.replay import Replay, replay
from kizuna.landing.states import StreamState, states
from kizuna.landing.sweep import MOST_GONE, Sweep, sweep
from kizuna.landing.tables import RawTable, Stamp
from kizuna.landing.walk import read_reconciled
from kizuna.reading import Window, lower_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from kizuna.landing.walk import Walk
    from kizuna.reading import Reader, Source, Span, Stream
    from kizuna.settings import Connection

LOCK_WAIT_SECONDS = 60

__all__ = [
    "AccountingError",
    "EmptySnapshotError",
    "Landing",
    "LandingError",
    "RawTable",
    "ReconciliationError",
    "Replay",
    "StreamBusyError",
    "StreamState",
    "Sweep",
    "SweepRefusedError",
    "ensure_tables",
    "land_stream",
    "replay_stream",
    "states",
    "sweep_stream",
]


@dataclass(frozen=True)
class Landing:
    """One landed window; `read_count` and `vendor_count` are of distinct records, quarantined ones among them.

    `vendor_count` is None where the vendor has no count, and the window was proven by a second reading.
    """

    source: str
    stream: str
    read_count: int
    vendor_count: int | None
    landed_count: int
    quarantined_count: int
    page_count: int
    window_lower: datetime
    window_upper: datetime
    seconds: float


def ensure_tables(warehouse_url: str) -> None:
    """Create the raw tables of all sources, so that what reads them finds them even before the first landing."""
    from kizuna.sources import SOURCES  # noqa: PLC0415 - sources import words that landing does not need

    with warehouse.connect(warehouse_url, "kizuna_ingest") as session:
        for source in SOURCES.values():
            for stream in source.streams:
                RawTable(session, source.name, stream.name).create()


def land_stream(
    source: Source,
    stream: Stream,
    connection: Connection,
    warehouse_url: str,
    run_id: str,
    *,
    span: Span | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Landing:
    """Read the stream's next window and land it, with watermark and counts, in one transaction.

    A `span` of source time is read instead of the next window, and leaves the watermark where it is; what is known
    already is not landed again. A snapshot has no past to read: it is landed as it is now.

    Raises:
        LandingError: when the window cannot be proven complete; nothing is landed.
        kizuna.http.VendorError: when the vendor cannot be read; nothing is landed.
    """
    started = time.monotonic()
    with (
        _session(warehouse_url, source.name, stream.name) as table,
        _open(source, stream, connection, warehouse_url, sleep) as reader,
    ):
        span = None if stream.is_snapshot else span
        window, now = _begin(table, source, stream, reader, span)
        if window.is_empty:
            nothing = Landing(source.name, stream.name, 0, None, 0, 0, 0, window.lower, window.upper, _since(started))
            _record(table, nothing, run_id)
            return nothing
        walk = read_reconciled(table, stream, reader, window)
        return _commit(table, stream, reader, walk, window, Stamp(run_id, now), started, moves=span is None)


def _open(
    source: Source, stream: Stream, connection: Connection, warehouse_url: str, sleep: Callable[[float], None]
) -> AbstractContextManager[Reader]:
    """Open the vendor, or for its webhooks the inbox, which is the same for all."""
    if isinstance(stream, InboxStream):
        return open_inbox(source.name, warehouse_url)
    return source.open(stream.name, connection, sleep, warehouse_url=warehouse_url)


def _begin(
    table: RawTable, source: Source, stream: Stream, reader: Reader, span: Span | None
) -> tuple[Window, datetime]:
    """The window to read, and the vendor's time."""
    hold_back = source.hold_back if stream.hold_back is None else stream.hold_back
    if span is not None:
        now = reader.start(span.lower, None)
        return Window(span.lower, min(span.upper, now - hold_back)), now
    watermark, cursor = table.watermark()
    lower = lower_bound(watermark, source.overlap if stream.overlap is None else stream.overlap)
    now = reader.start(lower, cursor)
    return Window(lower, now - hold_back, cursor), now


def sweep_stream(
    source: Source,
    stream: Stream,
    connection: Connection,
    warehouse_url: str,
    run_id: str,
    *,
    most_gone: int = MOST_GONE,
    sleep: Callable[[float], None] = time.sleep,
) -> Sweep:
    """Find the known records that the vendor does not have any more, which no window shows, and mark them deleted.

    Raises:
        SweepRefusedError: when more than `most_gone` records are missing.
        kizuna.http.VendorError: when the vendor cannot be read; nothing is marked.
    """
    with (
        _session(warehouse_url, source.name, stream.name) as table,
        source.open(stream.name, connection, sleep, warehouse_url=warehouse_url) as reader,
    ):
        return sweep(table, stream, reader, run_id, most_gone=most_gone)


def replay_stream(
    source: Source,
    stream: Stream,
    warehouse_url: str,
    run_id: str,
    *,
    record_id: str | None = None,
    changes: Mapping[str, Any] | None = None,
    is_trial: bool = False,
) -> Replay:
    """Judge a stream's quarantined records anew, with `changes` (dotted field → value), and land those that fit.

    Raises:
        StreamBusyError: when another run is landing the stream.
    """
    with _session(warehouse_url, source.name, stream.name) as table:
        return replay(table, stream, run_id, record_id=record_id, changes=changes or {}, is_trial=is_trial)


@contextmanager
def _session(warehouse_url: str, source: str, stream: str) -> Iterator[RawTable]:
    """Open a session that alone may land this stream; the lock ends with the session, however that ends."""
    with warehouse.connect(warehouse_url, "kizuna_ingest", autocommit=True) as session:
        session.execute(f"set lock_timeout = '{LOCK_WAIT_SECONDS}s'")
        try:
            session.execute("select pg_advisory_lock(hashtext('kizuna.landing'), hashtext(%s))", [f"{source}.{stream}"])
        except psycopg.errors.LockNotAvailable:
            message = (
                f"{source}.{stream} is being landed by another run for more than {LOCK_WAIT_SECONDS} s: expected one "
                f"at a time. Next: wait for it, or end it; its session is in pg_stat_activity as 'kizuna kizuna_ingest'"
            )
            raise StreamBusyError(message) from None
        table = RawTable(session, source, stream)
        table.create()
        table.open_window()
        yield table


def _commit(
    table: RawTable,
    stream: Stream,
    reader: Reader,
    walk: Walk,
    window: Window,
    stamp: Stamp,
    started: float,
    *,
    moves: bool,
) -> Landing:
    """Add the window's new versions, its counts and the watermark, all or nothing."""
    with table.session.transaction():
        if walk.has_duplicates:
            table.drop_duplicates()
        landed = table.insert_versions(stamp)
        if stream.is_snapshot:
            if reader.scopes is None:
                _refuse_empty(table, walk)
            landed += table.insert_deletions(stamp, reader.scopes)
        table.insert_quarantine(stamp.run_id)
        table.insert_files(reader.files, stamp.run_id)
        landing = Landing(
            source=table.source,
            stream=table.stream,
            read_count=walk.distinct_count,
            vendor_count=walk.vendor_count.count if walk.vendor_count else None,
            landed_count=landed,
            quarantined_count=walk.quarantined_count,
            page_count=walk.page_count,
            window_lower=window.lower,
            window_upper=window.upper,
            seconds=_since(started),
        )
        if moves:
            table.move_watermark(window.upper, reader.cursor, stamp.run_id)
        _record(table, landing, stamp.run_id)
    return landing


def _refuse_empty(table: RawTable, walk: Walk) -> None:
    known = table.count_present()
    if walk.distinct_count == 0 and known:
        message = (
            f"{table.source}.{table.stream}: the snapshot is empty, but {known} records are known: refusing to mark "
            f"them all deleted. Nothing was landed. Next: check that the token belongs to the same account as before"
        )
        raise EmptySnapshotError(message)


def _record(table: RawTable, landing: Landing, run_id: str) -> None:
    table.session.execute(
        """
        insert into ops.landings (
            run_id, source, stream, read_count, vendor_count, landed_count, quarantined_count, page_count,
            window_lower, window_upper, seconds
        )
        values (
            %(run_id)s, %(source)s, %(stream)s, %(read_count)s, %(vendor_count)s, %(landed_count)s,
            %(quarantined_count)s, %(page_count)s, %(window_lower)s, %(window_upper)s, %(seconds)s
        )
        """,
        {"run_id": run_id, **asdict(landing)},
    )


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
