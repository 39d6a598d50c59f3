"""The raw tables and the SQL that brings a read window into them; the comparison with what is there is all here."""

from __future__ import annotations

from dataclasses import asdict, astuple
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import psycopg

    from kizuna.landing.records import Batch
    from kizuna.reading import ReadFile

    Session = psycopg.Connection[Any]

_CREATE_RAW = """
create table if not exists {table} (
    _sequence bigint generated always as identity primary key,
    _record_id text collate "C" not null,
    _source_updated_at timestamptz,
    _extracted_at timestamptz not null,
    _run_id text not null,
    _payload_hash bytea not null,
    _is_deleted boolean not null default false,
    payload jsonb
);
create index if not exists {index} on {table} (_record_id, _sequence desc);
grant select on {table} to kizuna_transform;
"""

# The window is collected in the session, outside any transaction: a long walk holds no lock and blocks no vacuum.
_CREATE_COLLECTING = """
create temporary table window_records (
    record_id text collate "C" not null,
    updated_at timestamptz,
    payload_hash bytea not null,
    payload jsonb not null
);
create temporary table window_rejects (
    record_id text collate "C",
    reason text not null,
    payload text not null,
    payload_hash bytea not null,
    field text,
    shown text
);
create temporary table earlier_ids (record_id text collate "C" not null);
create temporary view window_ids as
select record_id from window_records
union
select coalesce(record_id, encode(payload_hash, 'hex')) from window_rejects;
"""

_COPY_RECORDS = "copy window_records (record_id, updated_at, payload_hash, payload) from stdin"
_COLLECT_REJECT = "insert into window_rejects values (%s, %s, %s, %s, %s, %s)"

_COUNT_WINDOW = """
select
    (select count(*) from window_records),
    (select count(*) from window_rejects),
    (select count(*) from window_ids),
    (select count(distinct coalesce(record_id, encode(payload_hash, 'hex'))) from window_rejects)
"""

# A record read twice in one window (it moved between pages, or the vendor repeated it) counts as it was last changed.
# Rows lie in the order in which they were read, so that ctid says which of two equal times came last.
_DROP_DUPLICATES = """
delete from window_records
using (
    select
        ctid as place,
        row_number() over (partition by record_id order by updated_at desc nulls last, ctid desc) as rank
    from window_records
) as ranked
where window_records.ctid = ranked.place and ranked.rank > 1
"""

_INSERT_ALL = """
insert into {table} (_record_id, _source_updated_at, _extracted_at, _run_id, _payload_hash, payload)
select incoming.record_id, incoming.updated_at, %(at)s, %(run_id)s, incoming.payload_hash, incoming.payload
from window_records as incoming
"""

# A record is compared with its own latest version that is not newer than itself: landing an older state again, in
# whatever order, adds nothing. One index lookup per record read, so that the cost follows the window, not the history.
_COMPARED = """
left join lateral (
    select versions._payload_hash, versions._is_deleted
    from {table} as versions
    where
        versions._record_id = incoming.record_id
        and (versions._source_updated_at is null or versions._source_updated_at <= incoming.updated_at)
    order by versions._source_updated_at desc nulls last, versions._sequence desc
    limit 1
) as latest on true
where latest._payload_hash is distinct from incoming.payload_hash or latest._is_deleted
"""
_INSERT_VERSIONS = _INSERT_ALL + _COMPARED

_LATEST_OF_ALL = """
(
    select distinct on (_record_id) *
    from {table}
    order by _record_id asc, _source_updated_at desc nulls last, _sequence desc
)
"""
# In the order of bytes "0" follows "/": the ids of a part are one span of the index.
_LATEST_OF_SCOPES = """
(
    select parts.*
    from unnest(%(scopes)s::text[]) as scope (name)
    cross join lateral (
        select distinct on (_record_id) *
        from {table}
        where _record_id > scope.name || '/' and _record_id < scope.name || '0'
        order by _record_id asc, _source_updated_at desc nulls last, _sequence desc
    ) as parts
)
"""

# Only for snapshots: who is not in it any more has left. A rejected record is there, if not in good shape.
_FROM_MISSING = """
from {latest} as latest
where
    not latest._is_deleted
    and not exists (select from window_records where window_records.record_id = latest._record_id)
    and not exists (select from window_rejects where window_rejects.record_id = latest._record_id)
"""

_INSERT_DELETIONS = f"""
insert into {{table}} (_record_id, _source_updated_at, _extracted_at, _run_id, _payload_hash, _is_deleted, payload)
select latest._record_id, latest._source_updated_at, %(at)s, %(run_id)s, latest._payload_hash, true, latest.payload
{_FROM_MISSING}
"""

_SAMPLE_MISSING = f"select latest._record_id {_FROM_MISSING} order by random() limit %(size)s"
_HAS_RECORD = "select from {table} where _record_id = %s limit 1"
_COUNT_PRESENT = "select count(*) from {latest} as latest where not latest._is_deleted"
# The same name with content it had before: touched, or gone back to what it was.
_INSERT_FILE = """
insert into ops.landed_files (source, stream, name, content_hash, byte_count, row_count, modified_at, run_id)
values (%(source)s, %(stream)s, %(name)s, %(content_hash)s, %(byte_count)s, %(row_count)s, %(modified_at)s, %(run_id)s)
on conflict (source, stream, name, content_hash) do update
set modified_at = excluded.modified_at, run_id = excluded.run_id, landed_at = excluded.landed_at
"""

_INSERT_QUARANTINE = """
insert into ops.quarantine (source, stream, payload_hash, reason, record_id, payload, field, shown, run_id)
select distinct on (payload_hash, reason)
    %(source)s, %(stream)s, payload_hash, reason, record_id, payload, field, shown, %(run_id)s
from window_rejects
order by payload_hash, reason
on conflict (source, stream, payload_hash, reason) do update
set last_seen_at = now(), seen_count = quarantine.seen_count + 1, run_id = excluded.run_id
"""

_MOVE_WATERMARK = """
insert into ops.watermarks as watermarks (source, stream, upper_at, cursor, run_id)
values (%s, %s, %s, %s, %s)
on conflict (source, stream) do update
set
    upper_at = greatest(watermarks.upper_at, excluded.upper_at),
    cursor = excluded.cursor,
    run_id = excluded.run_id,
    updated_at = now()
"""


class Stamp(NamedTuple):
    """What every version of a landing carries: the run, and the vendor's time at which it was read."""

    run_id: str
    at: datetime


class WindowCounts(NamedTuple):
    """What a window collected: rows of records and of rejects, distinct ids among both, and among the rejects."""

    records: int
    rejects: int
    distinct: int
    distinct_rejects: int


class RawTable:
    """`raw.<source>__<stream>` in a session of kizuna_ingest, and the window being collected for it."""

    def __init__(self, session: Session, source: str, stream: str) -> None:
        """Name the table; nothing is created yet."""
        name = f"{source}__{stream}"
        self.session, self.source, self.stream = session, source, stream
        self._names = {"table": sql.Identifier("raw", name), "index": sql.Identifier(f"{name}_record_id")}

    def create(self) -> None:
        """Create the table where it is missing."""
        if self.session.execute("select to_regclass(%s)", [self._text("{table}").as_string()]).fetchone() == (None,):
            self.session.execute(self._text(_CREATE_RAW))

    def open_window(self) -> None:
        """Start collecting a window."""
        self.session.execute(_CREATE_COLLECTING)

    def clear_window(self) -> None:
        """Forget what was collected but the ids of all readings, to read it again."""
        self.session.execute(
            "insert into earlier_ids select record_id from window_ids except select record_id from earlier_ids"
        )
        self.session.execute("truncate window_records, window_rejects")

    def count_lost(self) -> int:
        """Count the ids of the readings before that this one lacks."""
        row = self.session.execute("select count(*) from (table earlier_ids except table window_ids) as _").fetchone()
        return int(row[0]) if row else 0

    def collect(self, batch: Batch) -> None:
        """Add some pages."""
        with self.session.cursor() as cursor:
            if batch.lines:
                with cursor.copy(_COPY_RECORDS) as copy:
                    copy.write(batch.lines)
            cursor.executemany(_COLLECT_REJECT, [astuple(reject) for reject in batch.rejects])
        if batch.left_ids:
            # Who changed since an earlier reading is left for the next window, and not lost.
            self.session.execute("delete from earlier_ids where record_id = any(%s)", [batch.left_ids])

    def count_window(self) -> WindowCounts:
        """Count what was collected."""
        row = self.session.execute(_COUNT_WINDOW).fetchone()
        return WindowCounts(*row) if row else WindowCounts(0, 0, 0, 0)

    def count_present(self) -> int:
        """Count the records of a snapshot stream that are known and not deleted."""
        row = self.session.execute(self._of_scopes(_COUNT_PRESENT, None)[0]).fetchone()
        return int(row[0]) if row else 0

    def has(self, record_id: str) -> bool:
        """Tell whether the record has been landed in any version."""
        return self.session.execute(self._text(_HAS_RECORD), [record_id]).fetchone() is not None

    def keep(self, record_ids: Sequence[str]) -> None:
        """Count records as there although they were not collected."""
        text = "insert into window_records select one, null, '', 'null' from unnest(%s::text[]) as one"
        self.session.execute(text, [list(record_ids)])

    def sample_missing(self, size: int, scopes: Sequence[str] | None) -> list[str]:
        """Name some of the known records that the collected snapshot (of these parts) does not have."""
        text, values = self._of_scopes(_SAMPLE_MISSING, scopes)
        return [row[0] for row in self.session.execute(text, {"size": size, **values})]

    def drop_duplicates(self) -> None:
        """Keep one of each record in the window: the one changed last."""
        self.session.execute(_DROP_DUPLICATES)

    def insert_versions(self, stamp: Stamp) -> int:
        """Add a version of each record that differs from what is known of it."""
        # The first landing is the largest by far, and has nothing to compare with.
        is_first = self.session.execute(self._text("select from {table} limit 1")).fetchone() is None
        text = self._text(_INSERT_ALL if is_first else _INSERT_VERSIONS)
        return self.session.execute(text, stamp._asdict()).rowcount

    def insert_deletions(self, stamp: Stamp, scopes: Sequence[str] | None) -> int:
        """Add a deleted version of each record that the snapshot (of these parts) does not have any more."""
        text, values = self._of_scopes(_INSERT_DELETIONS, scopes)
        return self.session.execute(text, {**stamp._asdict(), **values}).rowcount

    def insert_quarantine(self, run_id: str) -> None:
        """Keep the window's rejected records with their reasons."""
        names = {"source": self.source, "stream": self.stream, "run_id": run_id}
        self.session.execute(_INSERT_QUARANTINE, names)

    def insert_files(self, files: Sequence[ReadFile], run_id: str) -> None:
        """Remember which files were read, by their content, so that none is landed twice."""
        with self.session.cursor() as cursor:
            cursor.executemany(
                _INSERT_FILE,
                [{"source": self.source, "stream": self.stream, "run_id": run_id, **asdict(file)} for file in files],
            )

    def watermark(self) -> tuple[datetime | None, str | None]:
        """Return how far the stream has been read, and the vendor's cursor there."""
        query = "select upper_at, cursor from ops.watermarks where source = %s and stream = %s"
        row = self.session.execute(query, [self.source, self.stream]).fetchone()
        return (row[0], row[1]) if row else (None, None)

    def move_watermark(self, upper: datetime, cursor: str | None, run_id: str) -> None:
        """Move forward only: a vendor's clock that was set back must not have windows read twice from then on."""
        self.session.execute(_MOVE_WATERMARK, [self.source, self.stream, upper, cursor, run_id])

    def _of_scopes(self, text: str, scopes: Sequence[str] | None) -> tuple[sql.Composed, dict[str, Any]]:
        """Restrict what can be missing to the parts that the snapshot tells of."""
        latest = self._text(_LATEST_OF_ALL if scopes is None else _LATEST_OF_SCOPES)
        return sql.SQL(text).format(**self._names, latest=latest), {} if scopes is None else {"scopes": list(scopes)}

    def _text(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(**self._names)
