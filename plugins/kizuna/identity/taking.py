"""Taking: the news of staging becomes evidence, links, values and records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

import numpy as np

from kizuna.identity.blocking import find_placeholders
from kizuna.identity.describing import describe
from kizuna.identity.errors import EvidenceMissingError, EvidenceVanishedError, HashCollisionError
from kizuna.identity.exchange import Column, Connection, ask, count

if TYPE_CHECKING:
    from kizuna.identity.policy import Policy

# What a row says, in one number: evidence that says what it said before is no news.
NEWS = """
create temporary table news on commit drop as
with said as (
    select
        evidence_key, evidence_table, record_key, source, brand, identifiers, is_gone,
        coalesce(first_seen_at, 'infinity') as first_seen_at,
        case when profile <> '{}' then profile::text end as profile,
        coalesce(
            profile ->> 'full', (profile ->> 'family') || (profile ->> 'given'),
            profile ->> 'full_kana', (profile ->> 'family_kana') || (profile ->> 'given_kana')
        ) as name,
        case when profile <> '{}' then (select count(*) from jsonb_object_keys(profile))::int2 else 0::int2 end
            as profile_size,
        hashtextextended(
            row(
                evidence_table, record_key, source, brand, extract(epoch from first_seen_at), identifiers, profile
            )::text, 0
        ) as content_hash
    from identity.int_identity__changes
)
select
    said.*,
    coalesce(identity.hash_value('profile:' || said.profile), 0) as profile_hash,
    coalesce(identity.hash_value('name:' || said.name), 0) as name_hash,
    evidence.evidence_number is null as is_new,
    evidence.record_number as old_record_number,
    coalesce(
        evidence.evidence_number,
        (select coalesce(max(evidence_number), 0) from identity.evidence)
        + row_number() over (
            partition by evidence.evidence_number is null order by said.first_seen_at, said.evidence_key
        )
    )::int4 as evidence_number
from said
left join identity.evidence on said.evidence_key = evidence.evidence_key
where
    case
        when said.is_gone then evidence.evidence_number is not null
        else evidence.content_hash is distinct from said.content_hash
    end
"""
AFFECTED = """
create temporary table affected on commit drop as
with keys as (
    select record_key, min(first_seen_at) as first_seen_at from news where not is_gone group by record_key
),
numbered as (
    select
        keys.record_key,
        records.record_number is null as is_new,
        coalesce(
            records.record_number,
            (select coalesce(max(record_number), 0) from identity.records)
            + row_number() over (
                partition by records.record_number is null order by keys.first_seen_at, keys.record_key
            )
        )::int4 as record_number
    from keys
    left join identity.records on keys.record_key = records.record_key
)
select * from numbered
union all
select null, false, old_record_number
from (select distinct old_record_number from news where old_record_number is not null) as before
where not exists (select from numbered where numbered.record_number = before.old_record_number)
"""
SAID = """
create temporary table said on commit drop as
select
    affected.record_number,
    news.evidence_number,
    news.first_seen_at,
    identity.hash_value(identifier) as value_hash,
    split_part(identifier, ':', 1) as kind,
    case when split_part(identifier, ':', 1) = any(%s) then split_part(identifier, ':', 2) else '' end as scope,
    substr(identifier, strpos(identifier, ':') + 1) as value
from news
inner join affected on news.record_key = affected.record_key
cross join lateral unnest(news.identifiers) as identifiers (identifier)
where not news.is_gone
"""
TEXTS = """
create temporary table texts on commit drop as
with said_texts as (
    select value_hash, kind, value from said
    union all
    select profile_hash, 'profile', profile from news where profile is not null
),
distinct_texts as (
    select
        value_hash, min(kind) as kind, min(value) as value,
        min(kind) <> max(kind) or min(value) <> max(value) as differs
    from said_texts
    group by value_hash
)
select
    distinct_texts.value_hash, distinct_texts.kind, distinct_texts.value,
    known.value_hash is not null as is_known,
    distinct_texts.differs
    or coalesce(known.kind <> distinct_texts.kind or known.value <> distinct_texts.value, false) as differs
from distinct_texts
left join identity.values as known on distinct_texts.value_hash = known.value_hash
"""
ADD_VALUES = """
insert into identity.values (value_hash, kind, value)
select value_hash, kind, value from texts where not is_known order by value_hash
"""
ADD_KINDS = """
insert into identity.kinds (kind_number, kind, scope)
select
    (select coalesce(max(kind_number), 0) from identity.kinds) + row_number() over (order by kind, scope), kind, scope
from (select distinct kind, scope from said) as said
where not exists (select from identity.kinds where kinds.kind = said.kind and kinds.scope = said.scope)
"""
DROP_LINKS = """
with dropped as (
    delete from identity.stored_links
    using news
    where stored_links.record_number = news.old_record_number and stored_links.evidence_number = news.evidence_number
    returning stored_links.value_hash, stored_links.kind_number
)
insert into touched_values (value_hash, kind)
select dropped.value_hash, kinds.kind from dropped inner join identity.kinds on dropped.kind_number = kinds.kind_number
"""
ADD_LINKS = """
insert into identity.stored_links (value_hash, first_seen_at, record_number, evidence_number, kind_number)
select said.value_hash, said.first_seen_at, said.record_number, said.evidence_number, kinds.kind_number
from said
inner join identity.kinds on said.kind = kinds.kind and said.scope = kinds.scope
order by said.evidence_number
"""
DROP_EVIDENCE = """
delete from identity.evidence using news where news.is_gone and evidence.evidence_number = news.evidence_number
"""
CHANGE_EVIDENCE = """
update identity.evidence
set
    evidence_table = news.evidence_table, record_number = affected.record_number, source = news.source,
    brand = news.brand, first_seen_at = news.first_seen_at, profile_hash = news.profile_hash,
    name_hash = news.name_hash, profile_size = news.profile_size, content_hash = news.content_hash
from news
inner join affected on news.record_key = affected.record_key
where evidence.evidence_number = news.evidence_number and not news.is_new and not news.is_gone
"""
ADD_EVIDENCE = """
insert into identity.evidence (
    evidence_number, evidence_key, evidence_table, record_number, source, brand, first_seen_at,
    profile_hash, name_hash, profile_size, content_hash
)
select
    news.evidence_number, news.evidence_key, news.evidence_table, affected.record_number, news.source, news.brand,
    news.first_seen_at, news.profile_hash, news.name_hash, news.profile_size, news.content_hash
from news
inner join affected on news.record_key = affected.record_key
where news.is_new and not news.is_gone
order by news.evidence_number
"""
MOVE_READ_UP_TO = """
insert into identity.read_up_to (evidence_table, sequence)
select evidence_table, max(_sequence) from identity.int_identity__changes
where evidence_table is not null and _sequence is not null
group by evidence_table
on conflict (evidence_table) do update set sequence = excluded.sequence
where read_up_to.sequence < excluded.sequence
"""


@dataclass(frozen=True)
class Taken:
    """How much was taken, and the numbers of the records it speaks of."""

    evidence: int
    records: Column


def take(connection: Connection, policy: Policy) -> Taken:
    """Replace what changed evidence said, and leave in `touched_values` every value whose records changed.

    Fills the temporary tables touched_values (value_hash, kind; may repeat) and placeholders (value_hash).

    Raises:
        EvidenceMissingError: when dbt has not built the changes.
        EvidenceVanishedError: when no evidence would be left where there was some.
        HashCollisionError: when two values have one hash.
    """
    if not count(connection, "select (to_regclass('identity.int_identity__changes') is not null)::int"):
        message = "identity.int_identity__changes does not exist: build the dbt model int_identity__changes first"
        raise EvidenceMissingError(message)
    _execute(connection, NEWS, "analyze news")
    evidence = count(connection, "select count(*) from news")
    if evidence:
        _apply(connection, policy)
    _execute(connection, MOVE_READ_UP_TO, "truncate identity.int_identity__changes")
    if not evidence:
        return Taken(0, np.empty(0, dtype=np.int32))
    _refuse_nothing(connection)
    records = ask(connection, "select record_number from affected", {"record_number": "int4"})["record_number"]
    return Taken(evidence, records)


def _apply(connection: Connection, policy: Policy) -> None:
    scoped = [name for name, kind in policy.kinds.items() if kind.scope != "global"]
    _execute(connection, AFFECTED, "analyze affected")
    connection.execute(SAID, [scoped])
    _execute(connection, "analyze said", TEXTS, "analyze texts")
    _refuse_collisions(connection)
    _execute(connection, ADD_VALUES, ADD_KINDS, DROP_LINKS, ADD_LINKS)
    _execute(connection, "insert into touched_values (value_hash, kind) select value_hash, kind from said")
    _execute(
        connection,
        DROP_EVIDENCE,
        CHANGE_EVIDENCE,
        ADD_EVIDENCE,
    )
    describe(connection)
    find_placeholders(connection, policy, "texts where not is_known and kind = %s", list(policy.blocked))


def _refuse_collisions(connection: Connection) -> None:
    row = connection.execute("select kind, value_hash, count(*) over () from texts where differs limit 1").fetchone()
    if row:
        kind, value_hash, collisions = row
        message = (
            f"{collisions} hashes stand for two different texts, the first of kind {kind} with hash {value_hash}: "
            "expected one text a hash. Nothing was written; correct the value in the source: 64 bits have met"
        )
        raise HashCollisionError(message)


def _refuse_nothing(connection: Connection) -> None:
    if not count(connection, "select (exists (select from identity.evidence))::int"):
        message = (
            "identity.int_identity__changes says that all evidence is gone, but identity.members is not empty: "
            "expected at least one row of evidence. Check the staging models, then run the transform again; nothing "
            "was written"
        )
        raise EvidenceVanishedError(message)


def _execute(connection: Connection, *statements: LiteralString) -> None:
    for statement in statements:
        connection.execute(statement)
