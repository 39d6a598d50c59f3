"""Writing: new ids, moved records, events and redirects, each only where something changed."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity.exchange import Connection, write_numbers
from kizuna.identity.reading import LARGEST_SHARED_VALUE, count
from kizuna.identity.tally import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from kizuna.identity.assignment import Assignment
    from kizuna.identity.components import Numbers
    from kizuna.identity.survival import Known

# Fixed for good: it is part of every customer_id ever issued.
NAMESPACE = uuid.UUID("5f0c2a1e-7d0b-5c59-9c2b-6b697a756e61")
KEYS_PER_FETCH = 50_000

REASONS = {
    "mint": "records no id was ever given to",
    "restore": "its records stand on their own again, or are back",
    "merge": "a shared value joins its records to this id's",
    "split": "no shared value joins these records to the rest any more",
    "retire": "its last record is gone",
}


MOVE_MEMBERS = """
update identity.members
set customer_id = issued_ids.customer_id, linked_at = %s, run_id = %s
from moved
inner join input_records using (record_number)
inner join identity.issued_ids using (customer_number)
where members.record_key = input_records.record_key
"""
# In the order of the primary key, which more than halves the time of a first run.
ADD_MEMBERS = """
insert into identity.members (record_key, customer_id, source, linked_at, run_id)
select input_records.record_key, issued_ids.customer_id, input_records.source, %s, %s
from moved
inner join input_records using (record_number)
inner join identity.issued_ids using (customer_number)
where not exists (select from identity.members where members.record_key = input_records.record_key)
order by input_records.record_key
"""


@dataclass(frozen=True)
class Stamp:
    """Which run writes, and when."""

    run_id: str
    at: datetime


def derive_id(founder_record_key: str, generation: int) -> str:
    """Return the id a founding record gives; a later generation where the earlier id is already someone's."""
    name = founder_record_key if generation == 1 else f"{founder_record_key}\n{generation}"
    # uuid.uuid5 written out: millions of ids are issued at a first run, and the class takes most of its time.
    digits = hashlib.sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def write_changes(connection: Connection, assignment: Assignment, known: Known, stamp: Stamp) -> None:
    """Bring every identity table from the previous map to the assigned one."""
    if len(assignment.founders):
        _issue(connection, assignment.founders, known.next_number, stamp)
    _keep_claims(connection, assignment, known)
    _move_members(connection, assignment, known, stamp)
    _mark_ends(connection, assignment, stamp)
    _redirect(connection, assignment, stamp)
    _append_events(connection, assignment, known, stamp)


def _issue(connection: Connection, founders: Numbers, first_number: int, stamp: Stamp) -> None:
    connection.execute("create temporary table minted (customer_number int4, record_number int4) on commit drop")
    write_numbers(connection, "minted", [first_number + np.arange(len(founders)), founders])
    connection.execute(
        "create temporary table minted_ids (customer_number int4, customer_id text, record_key text) on commit drop"
    )
    with connection.cursor(name="founders") as cursor:
        cursor.execute("select customer_number, record_key from minted inner join input_records using (record_number)")
        while keys := cursor.fetchmany(KEYS_PER_FETCH):
            _copy_ids(connection, ((number, derive_id(key, 1), key) for number, key in keys))
    _avoid_taken_ids(connection)
    connection.execute(
        """
        insert into identity.issued_ids (customer_number, customer_id, founder_record_key, issued_at, run_id)
        select customer_number, customer_id, record_key, %s, %s from minted_ids order by customer_number
        """,
        [stamp.at, stamp.run_id],
    )


def _copy_ids(connection: Connection, rows: Iterable[tuple[int, str, str]]) -> None:
    with connection.cursor().copy("copy pg_temp.minted_ids from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _avoid_taken_ids(connection: Connection) -> None:
    """Move on to the next generation where a founding record has already given its id to another customer."""
    generation = 1
    while True:
        taken = connection.execute(
            """
            select minted_ids.customer_number, minted_ids.record_key
            from minted_ids inner join identity.issued_ids using (customer_id)
            """
        ).fetchall()
        if not taken:
            return
        generation += 1
        connection.execute(
            """
            update minted_ids set customer_id = free.customer_id
            from unnest(%s::int4[], %s::text[]) as free (customer_number, customer_id)
            where minted_ids.customer_number = free.customer_number
            """,
            [[number for number, _ in taken], [derive_id(key, generation) for _, key in taken]],
        )


def _keep_claims(connection: Connection, assignment: Assignment, known: Known) -> None:
    """Forget claims that are settled, then remember which records vanished and what merged ids held."""
    if assignment.settled:
        connection.execute(
            """
            delete from identity.former_members
            using input_records, identity.issued_ids
            where former_members.record_key = input_records.record_key
                and former_members.customer_id = issued_ids.customer_id
                and issued_ids.customer_number = any(%s)
            """,
            [assignment.settled],
        )
    if len(known.vanished):
        connection.execute(
            """
            insert into identity.former_members (customer_id, record_key)
            select customer_id, record_key from identity.members
            where not exists (select from input_records where input_records.record_key = members.record_key)
            on conflict do nothing
            """
        )
    if assignment.merged:
        connection.execute(
            """
            insert into identity.former_members (customer_id, record_key)
            select members.customer_id, members.record_key
            from identity.members
            inner join identity.issued_ids using (customer_id)
            where issued_ids.customer_number = any(%s)
            on conflict do nothing
            """,
            [[old for old, _ in assignment.merged]],
        )


def _move_members(connection: Connection, assignment: Assignment, known: Known, stamp: Stamp) -> None:
    if len(known.vanished):
        connection.execute(
            """
            delete from identity.members
            where not exists (select from input_records where input_records.record_key = members.record_key)
            """
        )
    if not len(assignment.changed):
        return
    connection.execute("create temporary table moved (record_number int4, customer_number int4) on commit drop")
    write_numbers(connection, "moved", [assignment.changed, assignment.current[assignment.changed]])
    connection.execute("analyze moved")
    if (known.previous[assignment.changed] != NOBODY).any():
        connection.execute(MOVE_MEMBERS, [stamp.at, stamp.run_id])
    connection.execute(ADD_MEMBERS, [stamp.at, stamp.run_id])


def _mark_ends(connection: Connection, assignment: Assignment, stamp: Stamp) -> None:
    ended = [old for old, _ in assignment.merged] + assignment.retired
    if ended:
        connection.execute(
            "update identity.issued_ids set ended_at = %s where customer_number = any(%s) and ended_at is null",
            [stamp.at, ended],
        )
    if assignment.restored:
        connection.execute(
            "update identity.issued_ids set ended_at = null where customer_number = any(%s)", [assignment.restored]
        )


def _redirect(connection: Connection, assignment: Assignment, stamp: Stamp) -> None:
    if assignment.restored:
        connection.execute(
            """
            delete from identity.redirects using identity.issued_ids
            where redirects.old_customer_id = issued_ids.customer_id and issued_ids.customer_number = any(%s)
            """,
            [assignment.restored],
        )
    if assignment.redirects:
        connection.execute(
            """
            insert into identity.redirects (old_customer_id, customer_id, run_id, at)
            select old_ids.customer_id, new_ids.customer_id, %s, %s
            from unnest(%s::int4[], %s::int4[]) as changed (old_number, new_number)
            inner join identity.issued_ids as old_ids on changed.old_number = old_ids.customer_number
            inner join identity.issued_ids as new_ids on changed.new_number = new_ids.customer_number
            on conflict (old_customer_id) do update
            set customer_id = excluded.customer_id, run_id = excluded.run_id, at = excluded.at
            """,
            [stamp.run_id, stamp.at, list(assignment.redirects), list(assignment.redirects.values())],
        )


def _append_events(connection: Connection, assignment: Assignment, known: Known, stamp: Stamp) -> None:
    minted = range(known.next_number, known.next_number + len(assignment.founders))
    _append(connection, "mint", [(None, number) for number in minted], stamp)
    _append(connection, "restore", [(known.redirects.get(number), number) for number in assignment.restored], stamp)
    _append(connection, "merge", assignment.merged, stamp)
    _append(connection, "split", assignment.split, stamp)
    _append(connection, "retire", [(number, None) for number in assignment.retired], stamp)


def _append(connection: Connection, kind: str, changes: Sequence[tuple[int | None, int | None]], stamp: Stamp) -> None:
    if not changes:
        return
    connection.execute(
        """
        insert into identity.events (kind, old_customer_id, new_customer_id, reason, run_id, at)
        select %s, old_ids.customer_id, new_ids.customer_id, %s, %s, %s
        from unnest(%s::int4[], %s::int4[]) with ordinality as changes (old_number, new_number, place)
        left join identity.issued_ids as old_ids on changes.old_number = old_ids.customer_number
        left join identity.issued_ids as new_ids on changes.new_number = new_ids.customer_number
        order by changes.place
        """,
        [kind, REASONS[kind], stamp.run_id, stamp.at, [old for old, _ in changes], [new for _, new in changes]],
    )


def write_caps(connection: Connection, run_id: str) -> int:
    """Bring the list of values that link nothing up to date; return its length."""
    connection.execute(
        """
        create temporary table input_caps on commit drop as
        select distinct identifiers.kind, identifiers.value_hash, input_hubs.record_count
        from input_hubs
        inner join identity.int_identity__identifiers as identifiers
            on input_hubs.value = md5(identifiers.kind || ':' || identifiers.value_hash)::uuid
        where input_hubs.record_count > %s
        """,
        [LARGEST_SHARED_VALUE],
    )
    connection.execute(
        """
        delete from identity.capped_values
        where not exists (
            select from input_caps
            where input_caps.kind = capped_values.kind and input_caps.value_hash = capped_values.value_hash
        )
        """
    )
    connection.execute(
        """
        insert into identity.capped_values (kind, value_hash, record_count, run_id)
        select kind, value_hash, record_count, %s from input_caps
        on conflict (kind, value_hash) do update
        set record_count = excluded.record_count, run_id = excluded.run_id
        where capped_values.record_count <> excluded.record_count
        """,
        [run_id],
    )
    return count(connection, "select count(*) from input_caps")
