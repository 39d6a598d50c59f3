"""The quality of identity: a run's figures, written to `identity.quality` for its gate and its page.

A run is judged against the last release: the last state that passed the gate, or that a person let pass. What a stopped
run has changed is therefore counted again by every run after it, until it is undone or released.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kizuna import warehouse
from kizuna.identity import figures

if TYPE_CHECKING:
    from datetime import datetime

    from kizuna.identity.exchange import Connection
    from kizuna.identity.figures import Figure

LOCK = "select pg_advisory_xact_lock(hashtext('kizuna.identity'))"
LAST_MEASURED = "select run_id, at from identity.quality where metric = 'records' order by at desc limit 1"
LAST_OTHER = """
select run_id, at from identity.quality where metric = 'records' and run_id <> %s order by at desc limit 1
"""
LAST_RELEASED = """
select released.run_id, released.at, records.value::float8, customers.value::float8
from identity.quality as released
inner join identity.quality as records on released.run_id = records.run_id and records.metric = 'records'
inner join identity.quality as customers on released.run_id = customers.run_id and customers.metric = 'customers'
where released.metric = 'released'
order by released.at desc
limit 1
"""
# Of releases, not of runs: a run that was stopped says nothing of what is usual. The first release merged nothing.
USUAL_MERGES = """
select percentile_cont(0.5) within group (order by value)::float8, count(*)
from (
    select merged.value
    from identity.quality as released
    inner join identity.quality as merged on released.run_id = merged.run_id and merged.metric = 'merged_share'
    where released.metric = 'released' and released.run_id <> %s
    order by released.at desc
    limit 20
) as latest
"""
FEWEST_RELEASES = 3


@dataclass(frozen=True)
class Release:
    """The state that readers were last given: when, and how many records and customers it had."""

    run_id: str
    at: datetime
    records: float
    customers: float


class NothingMeasuredError(RuntimeError):
    """There are no figures yet."""


def measure(warehouse_url: str, run_id: str, *, full: bool = False) -> list[Figure]:
    """Write the figures of the state after `run_id`, in place of earlier ones of this run, and return them.

    A `full` measurement reads every link; the first one, and that of a full run of the engine, always is.

    Raises:
        psycopg.errors.UndefinedTable: when the warehouse was not prepared.
    """
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute("set local work_mem = '128MB'")
        connection.execute(LOCK)  # no run commits between two figures; all it decided before has an earlier time
        (at,) = connection.execute("select clock_timestamp()").fetchone() or (None,)
        released, last = _last_release(connection), connection.execute(LAST_OTHER, [run_id]).fetchone()
        full = full or last is None or _was_full(connection, run_id)
        kept = ["released", *([] if full else figures.FULL_ONLY)]
        connection.execute("delete from identity.quality where run_id = %s and metric <> all(%s)", [run_id, kept])
        found = _measured(connection, run_id, last, released, full=full)
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into identity.quality (run_id, metric, kind, label, value, at) values (%s, %s, %s, %s, %s, %s)",
                [(run_id, *figure, at) for figure in found],
            )
    return found


def release(warehouse_url: str, run_id: str, by: str) -> None:
    """Take the state measured as `run_id` for what later runs are judged against; `by` is a gate, or who and why.

    Raises:
        NothingMeasuredError: when the run has no figures.
    """
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        written = connection.execute(
            """
            insert into identity.quality (run_id, metric, label, value, at)
            select run_id, 'released', %s, 1, at from identity.quality where run_id = %s and metric = 'records'
            on conflict do nothing
            """,
            [by, run_id],
        )
        if not written.rowcount and not _is_released(connection, run_id):
            message = f"run {run_id!r} has no figures in identity.quality: measure it first"
            raise NothingMeasuredError(message)


def latest(warehouse_url: str) -> tuple[str, datetime, list[Figure]]:
    """The last measured run, when it was measured, and its figures.

    Raises:
        NothingMeasuredError: when no run has been measured yet.
    """
    with warehouse.connect(warehouse_url, "kizuna_transform", read_only=True) as connection:
        last = connection.execute(LAST_MEASURED).fetchone()
        if last is None:
            message = "No run of identity has been measured yet: run the transform DAG first"
            raise NothingMeasuredError(message)
        run_id, at = str(last[0]), last[1]
        rows = connection.execute(
            "select metric, kind, label, value::float8 from identity.quality where run_id = %s order by 1, 2, 3",
            [run_id],
        ).fetchall()
    return run_id, at, rows  # type: ignore[return-value]


def _measured(
    connection: Connection, run_id: str, last: tuple[object, ...] | None, released: Release | None, *, full: bool
) -> list[Figure]:
    before, since = (None, None) if full or last is None else (_sizes_of(connection, last[0]), last[1])
    sizes = figures.customer_sizes(connection, before, since)  # type: ignore[arg-type]
    found = figures.of_sizes(sizes, connection)
    records, customers = (sum(size * count for size, count in sizes.items()), sum(sizes.values()))
    found += figures.of_run(connection, run_id, customers)
    found += figures.of_state(connection, records)
    if released is None:
        found += figures.of_release(connection, None, 0, 0)
    else:
        found += figures.of_release(connection, released.at, released.records, released.customers)
    usual, count = connection.execute(USUAL_MERGES, [run_id]).fetchone() or (0.0, 0)
    if count >= FEWEST_RELEASES:
        found.append(("merged_share_usual", "", "", float(usual)))
    return found + figures.of_links(connection, customers) if full else found


def _was_full(connection: Connection, run_id: str) -> bool:
    query = "select 1 from identity.runs where run_id = %s and mode = 'full'"
    return connection.execute(query, [run_id]).fetchone() is not None


def _sizes_of(connection: Connection, run_id: object) -> dict[int, int]:
    query = "select label::int, value::int8 from identity.quality where run_id = %s and metric = 'customer_size'"
    return dict(connection.execute(query, [run_id]).fetchall())


def _last_release(connection: Connection) -> Release | None:
    row = connection.execute(LAST_RELEASED).fetchone()
    return None if row is None else Release(*row)


def _is_released(connection: Connection, run_id: str) -> bool:
    query = "select 1 from identity.quality where run_id = %s and metric = 'released'"
    return connection.execute(query, [run_id]).fetchone() is not None
