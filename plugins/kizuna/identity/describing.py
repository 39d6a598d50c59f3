"""Describing: what is known of a record as a whole, from all evidence that speaks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kizuna.identity.exchange import Connection

# The evidence that says most of a person speaks for the record; of equals the first seen.
DETAILS = """
create temporary table details on commit drop as
select
    affected.record_number, affected.record_key, affected.is_new,
    first_said.evidence_number is null as is_gone,
    first_said.source, first_said.brand, first_said.first_seen_at, most_said.profile_hash, most_said.name_hash
from affected
left join lateral (
    select * from identity.evidence where evidence.record_number = affected.record_number
    order by first_seen_at, evidence_key limit 1
) as first_said on true
left join lateral (
    select * from identity.evidence where evidence.record_number = affected.record_number
    order by profile_size desc, first_seen_at, evidence_key limit 1
) as most_said on true
"""
ADD_RECORDS = """
insert into identity.records (record_number, record_key, source, brand, first_seen_at, profile_hash, name_hash)
select record_number, record_key, source, brand, first_seen_at, profile_hash, name_hash
from details
where is_new
"""
RENAMED = """
insert into touched_values (value_hash, kind, concerns_all)
select stored_links.value_hash, kinds.kind, false
from details
inner join identity.records on details.record_number = records.record_number
inner join identity.stored_links on details.record_number = stored_links.record_number
inner join identity.kinds on stored_links.kind_number = kinds.kind_number
where not details.is_new and not details.is_gone and details.name_hash <> records.name_hash
"""
CHANGE_RECORDS = """
update identity.records
set
    is_gone = details.is_gone,
    source = coalesce(details.source, records.source),
    brand = coalesce(details.brand, records.brand),
    first_seen_at = coalesce(details.first_seen_at, records.first_seen_at),
    profile_hash = coalesce(details.profile_hash, 0),
    name_hash = coalesce(details.name_hash, 0)
from details
where
    records.record_number = details.record_number
    and not details.is_new
    and (
        records.is_gone <> details.is_gone
        or not details.is_gone and (
            records.source, records.brand, records.first_seen_at, records.profile_hash, records.name_hash
        ) is distinct from (
            details.source, details.brand, details.first_seen_at, details.profile_hash, details.name_hash
        )
    )
"""


def describe(connection: Connection) -> None:
    """Bring the records of `affected` up to date; leave in `touched_values` what those with another name carry."""
    for statement in (DETAILS, "analyze details (record_number)", RENAMED, ADD_RECORDS, CHANGE_RECORDS):
        connection.execute(statement)
