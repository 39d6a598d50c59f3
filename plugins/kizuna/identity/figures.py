"""The figures of a run, as rows (metric, kind, label, value): what changed follows the change, the rest is counted.

What a figure costs, at 20 million links of 8 million records: those of every run read the changed memberships by their
indexes, and count records, refusals, households and the links of blocked values (docs/identity.md has the seconds);
those of `full` read every link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

if TYPE_CHECKING:
    from datetime import datetime

    from kizuna.identity.exchange import Connection

Figure = tuple[str, str, str, float]

MANY_RECORDS = 10  # a customer of fewer has too few to go by many names
SHOWN_VALUES = 20
CHANGES = ("minted", "merged", "split", "restored", "retired")
FULL_ONLY = ("component_size", "ids_per_customer", "top_shared_values", "without_identifiers")
EVENTS = ("mint", "merge", "split", "restore", "retire")

SIZES = """
select size, count(*)
from (select count(*) as size from identity.memberships where valid_to is null group by customer_number) as customers
group by size
"""
# Every customer that gained or lost a record since: out of the class it was in, into the one it is in.
CHANGED_SIZES = """
with changed as (
    select customer_number, valid_from, valid_to from identity.memberships
    where valid_from > %(since)s or valid_to > %(since)s
),

lost as (
    select customer_number, count(*) filter (where valid_from <= %(since)s and valid_to is not null) as records
    from changed
    group by customer_number
),

held as (
    select
        lost.customer_number,
        lost.records + count(members.record_number) filter (where members.valid_from <= %(since)s) as size_before,
        count(members.record_number) as size_now
    from lost
    left join identity.memberships as members
        on lost.customer_number = members.customer_number and members.valid_to is null
    group by lost.customer_number, lost.records
)

select size, sum(step) from (
    select size_before as size, -1 as step from held
    union all
    select size_now, 1 from held
) as steps
where size > 0
group by size
"""
# Records that had a customer when they were last released and have another, or none, now; ids that are gone by it.
MOVED = """
with left_behind as (
    select before.record_number, before.customer_number, now.customer_number as customer_now
    from identity.memberships as before
    left join identity.memberships as now on before.record_number = now.record_number and now.valid_to is null
    where before.valid_from <= %(since)s and before.valid_to > %(since)s
)

select
    count(*) filter (where customer_now <> customer_number),
    count(*) filter (where customer_now is null),
    (
        select count(*) from identity.customers
        where
            customers.customer_number in (select customer_number from left_behind)
            and customers.ended_at is not null
            and exists (select from identity.redirections where old_number = customers.customer_number)
    )
from left_behind
"""
MOST_NAMES = """
with touched as (
    select distinct customer_number from identity.memberships
    where valid_to is null and (%(since)s::timestamptz is null or valid_from > %(since)s)
),

large as (
    select members.customer_number
    from touched
    inner join identity.memberships as members
        on touched.customer_number = members.customer_number and members.valid_to is null
    group by members.customer_number
    having count(*) > %(many)s
),

names as (
    select count(distinct records.name_hash) as name_count
    from large
    inner join identity.memberships as members
        on large.customer_number = members.customer_number and members.valid_to is null
    inner join identity.records on members.record_number = records.record_number
    group by large.customer_number
)

select coalesce(max(name_count), 0) from names
"""
STANDING = "select count(*) from identity.records where not is_gone"
REFUSALS = "select kind, reason, count(*) from identity.refused_links group by kind, reason"
BLOCKED_VALUES = "select kind, reason, count(*) from identity.blocked_values group by kind, reason"
BLOCKED_RECORDS = """
select count(distinct stored_links.record_number)
from identity.blocked_values
inner join identity.stored_links on blocked_values.value_hash = stored_links.value_hash
"""
HOUSEHOLDS = "select count(distinct household_number) from identity.household_members"
RUN = """
select
    sum(minted), sum(merged), sum(split), sum(restored), sum(retired)
from identity.runs
where run_id = %s
"""

IDS_PER_CUSTOMER = """
with counted as (
    select members.customer_number, stored_links.kind_number, count(distinct stored_links.value_hash) as id_count
    from identity.stored_links
    inner join identity.memberships as members
        on stored_links.record_number = members.record_number and members.valid_to is null
    where not exists (select from identity.blocked_values where blocked_values.value_hash = stored_links.value_hash)
    group by members.customer_number, stored_links.kind_number
),

of_kinds as (
    select kinds.kind, counted.customer_number, sum(counted.id_count) as id_count
    from counted
    inner join identity.kinds on counted.kind_number = kinds.kind_number
    group by kinds.kind, counted.customer_number
)

select kind, id_count, count(*) from of_kinds group by kind, id_count
"""
TOP_SHARED_VALUES = """
with shared as (
    select value_hash, count(distinct record_number) as record_count
    from identity.stored_links
    where not exists (select from identity.blocked_values where blocked_values.value_hash = stored_links.value_hash)
    group by value_hash
    order by count(distinct record_number) desc, value_hash
    limit %s
)

select
    coalesce(values.kind, ''),
    to_hex(shared.value_hash) || coalesce(' ' || identity.mask(values.kind, values.value), ''),
    shared.record_count
from shared
left join identity.values on shared.value_hash = values.value_hash
where shared.record_count > 1
"""
WITHOUT_IDENTIFIERS = """
select count(*) from identity.records
where not is_gone and not exists (
    select from identity.stored_links where stored_links.record_number = records.record_number
)
"""
COMPONENT_SIZES = """
select sizes.key, sizes.value::int8
from identity.runs, jsonb_each_text(runs.component_sizes) as sizes
where runs.run_number = (select max(run_number) from identity.runs where mode = 'full')
"""


def customer_sizes(connection: Connection, before: dict[int, int] | None, since: datetime | None) -> dict[int, int]:
    """How many customers have how many records; from the sizes of an earlier run and what changed since, if given."""
    if before is None or since is None:
        return {int(size): int(count) for size, count in connection.execute(SIZES)}
    sizes = dict(before)
    for size, step in connection.execute(CHANGED_SIZES, {"since": since}):
        sizes[int(size)] = sizes.get(int(size), 0) + int(step)
    return {size: count for size, count in sizes.items() if count}


def of_sizes(sizes: dict[int, int], connection: Connection) -> list[Figure]:
    """Customers by size, and what follows from it."""
    records = sum(size * count for size, count in sizes.items())
    return [
        *(("customer_size", "", str(size), count) for size, count in sizes.items()),
        ("records", "", "", records),
        ("customers", "", "", sum(sizes.values())),
        ("largest_customer", "", "", max(sizes, default=0)),
        ("unresolved", "", "", number(connection, STANDING) - records),
    ]


def of_run(connection: Connection, run_id: str, customers: float) -> list[Figure]:
    """What the run changed, by kind of event, and as a share of all customers."""
    row = connection.execute(RUN, [run_id]).fetchone() or (None,) * len(CHANGES)
    counts = [float(count or 0) for count in row]
    shares = [count / customers if customers else 0.0 for count in counts]
    return [
        *(("churn", event, "", count) for event, count in zip(EVENTS, counts, strict=True)),
        *(("churn_share", event, "", share) for event, share in zip(EVENTS, shares, strict=True)),
    ]


def of_release(connection: Connection, since: datetime | None, records: float, customers: float) -> list[Figure]:
    """What changed since the last release, net: what was moved and moved back did not change."""
    moved, vanished, merged = 0, 0, 0
    if since is not None:
        moved, vanished, merged = connection.execute(MOVED, {"since": since}).fetchone() or (0, 0, 0)
    most_names = number(connection, MOST_NAMES, {"since": since, "many": MANY_RECORDS})
    return [
        ("moved", "", "", moved),
        ("moved_share", "", "", moved / records if records else 0.0),
        ("vanished", "", "", vanished),
        ("vanished_share", "", "", vanished / records if records else 0.0),
        ("merged", "", "", merged),
        ("merged_share", "", "", merged / customers if customers else 0.0),
        ("most_names", "", "", most_names),
    ]


def of_state(connection: Connection, records: float) -> list[Figure]:
    """What is refused, blocked and living together now."""
    blocked = number(connection, BLOCKED_RECORDS)
    return [
        *(("refusals", kind, reason, count) for kind, reason, count in connection.execute(REFUSALS)),
        *(("blocked_values", kind, reason, count) for kind, reason, count in connection.execute(BLOCKED_VALUES)),
        ("blocked_records", "", "", blocked),
        ("blocked_share", "", "", blocked / records if records else 0.0),
        ("households", "", "", number(connection, HOUSEHOLDS)),
    ]


def of_links(connection: Connection, customers: float) -> list[Figure]:
    """What needs every link: ids per customer, the values most records share, records that carry none."""
    per_kind: dict[str, list[tuple[int, int]]] = {}
    for kind, id_count, count in connection.execute(IDS_PER_CUSTOMER):
        per_kind.setdefault(kind, []).append((int(id_count), int(count)))
    for counts in per_kind.values():
        counts.append((0, int(customers) - sum(count for _, count in counts)))
    shared = connection.execute(TOP_SHARED_VALUES, [SHOWN_VALUES])
    return [
        *(
            ("ids_per_customer", kind, str(ids), count)
            for kind, counts in per_kind.items()
            for ids, count in counts
            if count
        ),
        *(("top_shared_values", kind, label, count) for kind, label, count in shared),
        *(("component_size", "", size, count) for size, count in connection.execute(COMPONENT_SIZES)),
        ("without_identifiers", "", "", number(connection, WITHOUT_IDENTIFIERS)),
    ]


def number(connection: Connection, query: LiteralString, values: dict[str, Any] | None = None) -> int:
    """The one number of `query`."""
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0
