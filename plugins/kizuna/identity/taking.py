"""Taking: the news of staging becomes evidence, links, values and records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

import numpy as np

from kizuna.identity.blocking import find_placeholders, least_cap
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
            concat_ws(
                '\n', evidence_table, record_key, source, brand, timestamptz_send(first_seen_at), identifiers, profile
            ), 0
        ) as content_hash
    from identity.int_identity__changes
)
select
    said.*,
    coalesce(identity.hash_value('profile:' || said.profile), 0) as profile_hash,
    coalesce(hashtextextended(said.name, 0), 0) as name_hash,
    evidence.evidence_number is null as is_new,
    evidence.record_number as old_record_number,
    coalesce(
        evidence.evidence_number,
        (select coalesce(max(evidence_number), 0) from identity.evidence)
        + row_number() over (order by said.evidence_key collate "C")
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
    select distinct record_key from news where not is_gone
),
numbered as (
    select
        keys.record_key,
        records.record_number is null as is_new,
        coalesce(
            records.record_number,
            (select coalesce(max(record_number), 0) from identity.records)
            + row_number() over (order by keys.record_key collate "C")
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
    identifier
from news
inner join affected on news.record_key = affected.record_key
cross join lateral unnest(news.identifiers) as identifiers (identifier)
where not news.is_gone
"""
TEXTS = """
create temporary table texts on commit drop as
with said_texts as (
    select value_hash, identifier from said
    union all
    select profile_hash, 'profile:' || profile from news where profile is not null
),
distinct_texts as (
    select value_hash, min(identifier) as identifier, max(identifier) as other, count(*) as said_count
    from said_texts
    group by value_hash
)
select
    distinct_texts.value_hash,
    split_part(distinct_texts.identifier, ':', 1) as kind,
    substr(distinct_texts.identifier, strpos(distinct_texts.identifier, ':') + 1) as value,
    distinct_texts.said_count,
    known.value_hash is not null as is_known,
    distinct_texts.identifier <> distinct_texts.other
    or coalesce(known.kind || ':' || known.value <> distinct_texts.identifier, false) as differs
from distinct_texts
left join identity.values as known on distinct_texts.value_hash = known.value_hash
"""
ADD_VALUES = """
insert into identity.values (value_hash, kind, value) select value_hash, kind, value from texts where not is_known
"""
# A value that is new and on few records is nothing to look at: only what was known, crowds, and what people spoke of.
TOUCH_VALUES = """
insert into touched_values (value_hash, kind, concerns_all)
select value_hash, kind, false from texts
where kind <> 'profile' and (is_known or said_count > %s)
union
-- Unknown and carried: erased at somebody's request.
select texts.value_hash, texts.kind, false
from texts
cross join lateral (
    select from identity.stored_links where stored_links.value_hash = texts.value_hash limit 1
) as carried
where texts.kind <> 'profile' and not texts.is_known
union
select texts.value_hash, texts.kind, false
from texts
inner join (
    select value_hash from identity.blocked_values
    union all
    select value_hash from identity.applied_overrides
    union all
    select value_hash from placeholders
) as spoken_of on texts.value_hash = spoken_of.value_hash
where texts.kind <> 'profile'
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
insert into touched_values (value_hash, kind, concerns_all)
select dropped.value_hash, kinds.kind, true
from dropped
inner join identity.kinds on dropped.kind_number = kinds.kind_number
"""
ADD_LINKS = """
insert into identity.stored_links (value_hash, first_seen_at, record_number, evidence_number, kind_number)
select said.value_hash, said.first_seen_at, said.record_number, said.evidence_number, kinds.kind_number
from said
inner join identity.kinds on said.kind = kinds.kind and said.scope = kinds.scope
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
    _execute(connection, NEWS, "analyze news (evidence_number)")
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
    _execute(connection, AFFECTED, "analyze affected (record_number)")
    connection.execute(SAID, [scoped])
    _execute(connection, "analyze said (record_number)", TEXTS, "analyze texts (value_hash)")
    _refuse_collisions(connection)
    find_placeholders(connection, policy, "texts where not is_known and kind = %s", list(policy.blocked))
    _execute(connection, ADD_VALUES, ADD_KINDS, DROP_LINKS)
    connection.execute(TOUCH_VALUES, [least_cap(policy)])
    _execute(
        connection,
        ADD_LINKS,
        DROP_EVIDENCE,
        CHANGE_EVIDENCE,
        ADD_EVIDENCE,
    )
    describe(connection)


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
