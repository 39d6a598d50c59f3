"""Deciding: what people and the model said since the last run, and which records and values it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity.exchange import Column, Connection, ask

if TYPE_CHECKING:
    from kizuna.identity.policy import Policy

# A decision about a record nobody has heard of waits until there is one.
NEW_DECISIONS = """
create temporary table new_decisions on commit drop as
with in_force as (
    select
        decisions.override_id, decisions.decision,
        left_records.record_number as record_a, right_records.record_number as record_b, decisions.value_hash
    from identity.overrides_in_force as decisions
    left join identity.records as left_records on decisions.record_key_a = left_records.record_key
    left join identity.records as right_records on decisions.record_key_b = right_records.record_key
    where
        decisions.decision = 'shared'
        or left_records.record_number is not null and right_records.record_number is not null
)
select
    override_id, in_force.decision, in_force.record_a, in_force.record_b, in_force.value_hash,
    applied.record_a as old_a, applied.record_b as old_b, applied.value_hash as old_value_hash
from in_force
full join identity.applied_overrides as applied using (override_id)
where
    (in_force.decision, in_force.record_a, in_force.record_b, in_force.value_hash)
    is distinct from (applied.decision, applied.record_a, applied.record_b, applied.value_hash)
"""
APPLY_DECISIONS = """
insert into identity.applied_overrides (override_id, decision, record_a, record_b, value_hash)
select override_id, decision, record_a, record_b, value_hash from new_decisions where decision is not null
on conflict (override_id) do update
set
    decision = excluded.decision, record_a = excluded.record_a, record_b = excluded.record_b,
    value_hash = excluded.value_hash
"""
TOUCH_VALUES = """
insert into touched_values (value_hash, kind, concerns_all)
select decided.value_hash, kinds.kind, false
from (
    select value_hash from new_decisions union select old_value_hash from new_decisions
) as decided
cross join lateral (
    select kind_number from identity.stored_links where stored_links.value_hash = decided.value_hash limit 1
) as link
inner join identity.kinds on link.kind_number = kinds.kind_number
"""
TOUCHED_RECORDS = """
select distinct record_number
from new_decisions
cross join lateral (values (record_a), (record_b), (old_a), (old_b)) as sides (record_number)
where record_number is not null
"""
NEW_PAIRS = """
create temporary table new_pairs on commit drop as
select
    least(left_records.record_number, right_records.record_number) as record_a,
    greatest(left_records.record_number, right_records.record_number) as record_b,
    max(pairs.probability) as probability
from identity.scored_pairs as pairs
inner join identity.records as left_records on pairs.record_key_a = left_records.record_key
inner join identity.records as right_records on pairs.record_key_b = right_records.record_key
where (not pairs.is_taken or %s) and left_records.record_number <> right_records.record_number
group by 1, 2
"""
CHANGED_PAIRS = """
select distinct sides.record_number
from new_pairs
left join identity.applied_pairs as applied
    on new_pairs.record_a = applied.record_a and new_pairs.record_b = applied.record_b
cross join lateral (values (new_pairs.record_a), (new_pairs.record_b)) as sides (record_number)
where applied.probability is distinct from case when new_pairs.probability >= %s then new_pairs.probability end
"""
WITHDRAW_PAIRS = """
delete from identity.applied_pairs using new_pairs
where
    applied_pairs.record_a = new_pairs.record_a and applied_pairs.record_b = new_pairs.record_b
    and new_pairs.probability < %s
"""
APPLY_PAIRS = """
insert into identity.applied_pairs (record_a, record_b, probability)
select record_a, record_b, probability from new_pairs where probability >= %s
on conflict (record_a, record_b) do update set probability = excluded.probability
where applied_pairs.probability <> excluded.probability
"""
MARK_PAIRS = """
update identity.scored_pairs set is_taken = true
where
    not is_taken
    and exists (select from identity.records where records.record_key = scored_pairs.record_key_a)
    and exists (select from identity.records where records.record_key = scored_pairs.record_key_b)
"""
RECORDS = {"record_number": "int4"}


def decide(connection: Connection, policy: Policy, *, rescore: bool) -> Column:
    """Apply decisions and pairs that came or went; return their records, and leave their values in `touched_values`.

    Args:
        connection: inside the run's transaction.
        policy: whose `scored.accept` a pair must reach.
        rescore: look at every pair again, because `accept` has changed.
    """
    connection.execute(NEW_DECISIONS)
    decided = ask(connection, TOUCHED_RECORDS, RECORDS)["record_number"]
    connection.execute(TOUCH_VALUES)
    connection.execute(
        "delete from identity.applied_overrides using new_decisions "
        "where applied_overrides.override_id = new_decisions.override_id and new_decisions.decision is null"
    )
    connection.execute(APPLY_DECISIONS)
    accept = policy.scored.accept
    connection.execute(NEW_PAIRS, [rescore])
    scored = ask(connection, CHANGED_PAIRS, RECORDS, accept)["record_number"]
    connection.execute(WITHDRAW_PAIRS, [accept])
    connection.execute(APPLY_PAIRS, [accept])
    connection.execute(MARK_PAIRS)
    return np.concatenate([decided, scored])
