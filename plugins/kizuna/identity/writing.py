"""Writing: who is whose now, as rows; only what changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from psycopg import sql

from kizuna.identity.exchange import Int4Array, count, write_columns
from kizuna.identity.tally import ABSENT, NOBODY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kizuna.identity.assignment import Assignment
    from kizuna.identity.exchange import Column, Connection
    from kizuna.identity.knowing import Knowledge
    from kizuna.identity.reading import Places
    from kizuna.identity.stamp import Stamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REASONS = {
    "restore": "its records stand on their own again, or are back",
    "merge": "shared evidence joins its records to this customer's",
    "split": "no evidence joins these records to the rest any more, or something speaks against it",
    "retire": "its last record is gone",
}
# An id is a function of the record that founds it: RFC 9562's version 8, made of SHA-256. A founder that has given its
# id away already gives a next generation.
MINT = """
insert into identity.customers (customer_number, customer_id, founder_number, run_number)
select
    customer_number,
    overlay(overlay(left(encode(digest, 'hex'), 32) placing '8' from 13) placing '8' from 17)::uuid,
    record_number,
    %(run_number)s
from (
    select
        minted.customer_number, minted.record_number,
        sha256(convert_to(
            'kizuna:customer:' || records.record_key
            || case when %(generation)s = 1 then '' else '|' || %(generation)s::text end, 'UTF8'
        )) as digest
    from minted inner join identity.records on minted.record_number = records.record_number
    order by minted.customer_number
) as digests
"""
UNLESS_TAKEN = "on conflict (customer_id) do nothing"
STILL_TO_MINT = """
delete from minted using identity.customers where minted.customer_number = customers.customer_number
"""
CLOSE = """
update identity.memberships set valid_to = %s where record_number = any(%s) and valid_to is null
"""
HOLD = """
insert into identity.claims (customer_number, record_number)
select customer_number, record_number from held on conflict do nothing
"""
SETTLE = """
delete from identity.claims using settled
where claims.customer_number = settled.customer_number and claims.record_number = settled.record_number
"""
REDIRECT = """
insert into identity.redirections (old_number, customer_number, run_number)
select old_number, new_number, %s from redirected
on conflict (old_number) do update set customer_number = excluded.customer_number, run_number = excluded.run_number
"""
APPEND = """
insert into identity.id_changes (kind, old_number, new_number, reason, run_number)
select %s, nullif(old_number, -1), nullif(new_number, -1), %s, %s from changes_{} order by place
"""
MEMBERSHIP = {"record_number": "int4", "customer_number": "int4", "valid_from": "timestamptz"}


@dataclass(frozen=True)
class Change:
    """What the ids of the solved records were and are."""

    places: Places
    knowledge: Knowledge
    assignment: Assignment


def write_customers(connection: Connection, change: Change, stamp: Stamp) -> int:
    """Bring customers, memberships, claims, redirections and the history from the previous map to the assigned one.

    Returns:
        how many rows were written: 0 when nothing changed.
    """
    is_first = not count(connection, "select (exists (select from identity.customers))::int")
    if is_first:
        connection.execute("select identity.drop_bulk_indexes()")
    written = _mint(connection, change, stamp, is_first=is_first)
    written += _keep_claims(connection, change)
    written += _move(connection, change, stamp, is_first=is_first)
    written += _end(connection, change, stamp)
    written += _redirect(connection, change, stamp)
    written += _append_changes(connection, change, stamp)
    if is_first:
        connection.execute("select identity.create_bulk_indexes()")
    return written


def load(connection: Connection, table: str, columns: Mapping[str, tuple[str, Column]]) -> None:
    """Make a temporary table of numbers: name → its type and values."""
    names = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, (kind, _) in columns.items()
    )
    connection.execute(sql.SQL("create temporary table {} ({}) on commit drop").format(sql.Identifier(table), names))
    target = sql.SQL("pg_temp.{}").format(sql.Identifier(table))
    types = {name: kind for name, (kind, _) in columns.items()}
    write_columns(connection, target, types, [values for _, values in columns.values()])
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(table)))


def _mint(connection: Connection, change: Change, stamp: Stamp, *, is_first: bool) -> int:
    founders = change.assignment.founders
    if not len(founders):
        return 0
    first = change.knowledge.next_number
    numbers = np.arange(first, first + len(founders), dtype=np.int32)
    load(
        connection,
        "minted",
        {"customer_number": ("int4", numbers), "record_number": ("int4", change.places.numbers[founders])},
    )
    generation, left = 1, len(founders)
    # Ids of the first run are all of the first generation, and there is no index yet to compare them by.
    statement = sql.SQL(MINT + ("" if is_first else UNLESS_TAKEN))
    while left:
        left -= connection.execute(statement, {"generation": generation, "run_number": stamp.run_number}).rowcount
        generation += 1
        if left:
            connection.execute(STILL_TO_MINT)
    return len(founders)


def _keep_claims(connection: Connection, change: Change) -> int:
    """Forget claims that are settled, then remember which records vanished and what merged ids held."""
    known, knowledge, assignment = change.knowledge.known, change.knowledge, change.assignment
    claims, written = known.claims, 0
    over = (claims.records != ABSENT) & np.isin(claims.customers, assignment.settled)
    if over.any():
        records = change.places.numbers[claims.records[over]]
        settled = {
            "customer_number": ("int4", knowledge.number(claims.customers[over])),
            "record_number": ("int4", records),
        }
        load(connection, "settled", settled)
        written += connection.execute(SETTLE).rowcount
    merged = np.flatnonzero(np.isin(known.previous, [old for old, _ in assignment.merged]))
    customers = np.concatenate([known.vanished, known.previous[merged]])
    if len(customers):
        records = np.concatenate([knowledge.vanished_records, change.places.numbers[merged]])
        held = {"customer_number": ("int4", knowledge.number(customers)), "record_number": ("int4", records)}
        load(connection, "held", held)
        written += connection.execute(HOLD).rowcount
    return written


def _move(connection: Connection, change: Change, stamp: Stamp, *, is_first: bool) -> int:
    changed, known = change.assignment.changed, change.knowledge.known
    numbers = change.places.numbers
    before = numbers[changed[known.previous[changed] != NOBODY]]
    closed = np.concatenate([change.knowledge.vanished_records, before])
    written = 0
    if len(closed):
        written += connection.execute(CLOSE, [stamp.at, Int4Array(closed)]).rowcount
    if len(changed):
        order = np.argsort(numbers[changed]) if is_first else np.arange(len(changed))
        records = changed[order]
        moment = np.broadcast_to(np.int64((stamp.at - EPOCH) // timedelta(microseconds=1)), len(records))
        customers = change.knowledge.number(change.assignment.current[records])
        columns = [numbers[records], customers, moment]
        write_columns(connection, sql.SQL("identity.memberships"), MEMBERSHIP, columns)
    return written + len(changed)


def _end(connection: Connection, change: Change, stamp: Stamp) -> int:
    assignment = change.assignment
    ended = [old for old, _ in assignment.merged] + assignment.retired
    statement = "update identity.customers set ended_at = %s where customer_number = any(%s) and ended_at is {} null"
    written = 0
    for customers, moment, state in ((ended, stamp.at, ""), (assignment.restored, None, "not")):
        if customers:
            numbers = Int4Array(_numbers(change, customers))
            written += connection.execute(sql.SQL(statement).format(sql.SQL(state)), [moment, numbers]).rowcount
    return written


def _redirect(connection: Connection, change: Change, stamp: Stamp) -> int:
    assignment, written = change.assignment, 0
    if assignment.restored:
        restored = Int4Array(_numbers(change, assignment.restored))
        written += connection.execute(
            "delete from identity.redirections where old_number = any(%s)", [restored]
        ).rowcount
    if assignment.redirects:
        redirected = {
            "old_number": ("int4", _numbers(change, list(assignment.redirects))),
            "new_number": ("int4", _numbers(change, list(assignment.redirects.values()))),
        }
        load(connection, "redirected", redirected)
        written += connection.execute(REDIRECT, [stamp.run_number]).rowcount
    return written


def _numbers(change: Change, dense: Sequence[int]) -> Column:
    return change.knowledge.number(np.array(dense, dtype=np.int64))


def _append_changes(connection: Connection, change: Change, stamp: Stamp) -> int:
    assignment, redirects = change.assignment, change.knowledge.known.redirects
    history = {
        "restore": [(redirects.get(number, NOBODY), number) for number in assignment.restored],
        "merge": assignment.merged,
        "split": assignment.split,
        "retire": [(number, NOBODY) for number in assignment.retired],
    }
    for kind, pairs in history.items():
        if pairs:
            table = np.array(pairs, dtype=np.int64)
            columns = {
                "place": ("int4", np.arange(len(pairs))),
                "old_number": ("int4", _numbers_or_nobody(change, table[:, 0])),
                "new_number": ("int4", _numbers_or_nobody(change, table[:, 1])),
            }
            load(connection, f"changes_{kind}", columns)
            statement = sql.SQL(APPEND).format(sql.SQL(kind))
            connection.execute(statement, [kind, REASONS[kind], stamp.run_number])
    return sum(map(len, history.values()))


def _numbers_or_nobody(change: Change, dense: Column) -> Column:
    return np.where(dense == NOBODY, NOBODY, change.knowledge.number(np.maximum(dense, 0)))
