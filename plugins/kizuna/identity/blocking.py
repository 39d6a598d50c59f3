"""Blocking: which of the touched values say nothing about a person, and whose records that concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

from psycopg import sql

from kizuna.identity.exchange import Column, Connection, ask

if TYPE_CHECKING:
    from kizuna.identity.policy import Policy
    from kizuna.identity.stamp import Stamp

# touched_values: whose records changed (concerns_all: whoever carries it). placeholders: whose text the policy blocks.
# lifted: whose it blocks no more.
TABLES: tuple[LiteralString, ...] = (
    "create temporary table touched_values (value_hash int8, kind text, concerns_all boolean) on commit drop",
    "create temporary table placeholders (value_hash int8) on commit drop",
    "create temporary table lifted (value_hash int8) on commit drop",
)
# Names are looked up only where the number of records alone could be too many.
VERDICTS = """
create temporary table verdicts on commit drop as
with caps as (
    select * from unnest(%s::text[], %s::int4[], %s::int4[]) as caps (kind, max_names, max_nameless)
),
counts as materialized (
    select
        touched.value_hash, touched.kind, touched.concerns_all,
        count(distinct stored_links.record_number) as record_count
    from (
        select value_hash, kind, bool_or(concerns_all) as concerns_all from touched_values group by value_hash, kind
    ) as touched
    left join identity.stored_links on touched.value_hash = stored_links.value_hash
    group by touched.value_hash, touched.kind, touched.concerns_all
),
crowds as materialized (
    select counts.value_hash, caps.max_names, caps.max_nameless
    from counts
    inner join caps on counts.kind = caps.kind
    where counts.record_count > least(caps.max_names, caps.max_nameless)
),
names as materialized (
    select
        crowds.value_hash,
        count(distinct nullif(records.name_hash, 0)) as name_count,
        count(distinct nullif(records.name_hash, 0)) > crowds.max_names
        or count(distinct records.record_number) filter (where records.name_hash = 0) > crowds.max_nameless as is_over
    from crowds
    inner join identity.stored_links on crowds.value_hash = stored_links.value_hash
    inner join identity.records on stored_links.record_number = records.record_number
    group by crowds.value_hash, crowds.max_names, crowds.max_nameless
)
select
    counts.value_hash,
    counts.kind,
    counts.concerns_all,
    counts.record_count,
    coalesce(names.name_count, 0) as name_count,
    blocked_values.value_hash is not null as was_blocked,
    case
        when counts.record_count = 0 then null
        when
            blocked_values.reason = 'placeholder'
            and not exists (select from lifted where lifted.value_hash = counts.value_hash)
            or exists (select from placeholders where placeholders.value_hash = counts.value_hash)
            then 'placeholder'
        when
            exists (
                select from identity.applied_overrides
                where applied_overrides.decision = 'shared' and applied_overrides.value_hash = counts.value_hash
            )
            then 'shared by decision'
        when names.is_over then 'too many names'
    end as reason
from counts
left join names on counts.value_hash = names.value_hash
left join identity.blocked_values on counts.value_hash = blocked_values.value_hash
"""
UNBLOCK = """
delete from identity.blocked_values using verdicts
where blocked_values.value_hash = verdicts.value_hash and verdicts.reason is null
"""
BLOCK = """
insert into identity.blocked_values (value_hash, kind, reason, record_count, name_count, run_id, at)
select value_hash, kind, reason, record_count, name_count, %s, %s from verdicts where reason is not null
on conflict (value_hash) do update
set
    reason = excluded.reason, record_count = excluded.record_count, name_count = excluded.name_count,
    run_id = excluded.run_id, at = excluded.at
where
    (blocked_values.reason, blocked_values.record_count, blocked_values.name_count)
    <> (excluded.reason, excluded.record_count, excluded.name_count)
"""
# Whom a record that no longer carries a value leaves, and whom a value joins now or does no more; who says something
# new is known, and a value that is blocked and was before concerns nobody.
CARRIERS = """
select distinct stored_links.record_number
from verdicts
inner join identity.stored_links on verdicts.value_hash = stored_links.value_hash
where
    verdicts.was_blocked <> (verdicts.reason is not null)
    or verdicts.concerns_all and not verdicts.was_blocked
"""


def block(connection: Connection, policy: Policy, stamp: Stamp) -> Column:
    """Bring `blocked_values` up to date for the touched values; return the records that may be joined otherwise now.

    Values nobody carries any more are forgotten.
    """
    connection.execute("analyze touched_values (value_hash), placeholders")
    kinds = policy.kinds.items()
    caps = [list(policy.kinds), [k.max_names for _, k in kinds], [k.max_nameless_records for _, k in kinds]]
    connection.execute(VERDICTS, caps)
    connection.execute("analyze verdicts (value_hash)")
    connection.execute(UNBLOCK)
    connection.execute(BLOCK, [stamp.run_id, stamp.at])
    connection.execute(
        "delete from identity.values using verdicts "
        "where values.value_hash = verdicts.value_hash and verdicts.record_count = 0"
    )
    return ask(connection, CARRIERS, {"record_number": "int4"})["record_number"]


def least_cap(policy: Policy) -> int:
    """Return up to how many records no kind's value can be too shared."""
    return min(min(kind.max_names, kind.max_nameless_records) for kind in policy.kinds.values())


def find_placeholders(connection: Connection, policy: Policy, source: LiteralString, kinds: list[str]) -> None:
    """Put into `placeholders` the values of `source` (a from clause that takes a kind) that the policy blocks."""
    for kind in kinds:
        blocked = policy.blocked.get(kind)
        if blocked:
            statement = "insert into placeholders select value_hash from {} and (value = any(%s) or value ~ any(%s))"
            connection.execute(sql.SQL(statement).format(sql.SQL(source)), [kind, blocked.exact, blocked.patterns])
