-- In words: what everybody but the engine reads.
create or replace view identity.issued_ids as
select
    customers.customer_number,
    customers.customer_id::text as customer_id,
    records.record_key as founder_record_key,
    runs.at as issued_at,
    runs.run_id,
    customers.ended_at
from identity.customers
inner join identity.runs on customers.run_number = runs.run_number
left join identity.records on customers.founder_number = records.record_number;
comment on view identity.issued_ids is 'Every customer_id ever issued, in words.';

create or replace view identity.members as
select
    records.record_key,
    customers.customer_id::text as customer_id,
    records.source,
    records.brand,
    memberships.valid_from,
    memberships.valid_to
from identity.memberships
inner join identity.records on memberships.record_number = records.record_number
inner join identity.customers on memberships.customer_number = customers.customer_number;
comment on view identity.members is
'Whose every record is (valid_to is null) and was; as of a moment: valid_from <= moment and moment < valid_to or null.';

create or replace view identity.redirects as
select
    old_customers.customer_id::text as old_customer_id,
    customers.customer_id::text as customer_id,
    runs.run_id,
    runs.at
from identity.redirections
inner join identity.customers as old_customers on redirections.old_number = old_customers.customer_number
inner join identity.customers on redirections.customer_number = customers.customer_number
inner join identity.runs on redirections.run_number = runs.run_number;
comment on view identity.redirects is 'Where the records of an id that was merged away are now; always one step.';

create or replace view identity.former_members as
select
    customers.customer_id::text as customer_id,
    records.record_key
from identity.claims
inner join identity.customers on claims.customer_number = customers.customer_number
inner join identity.records on claims.record_number = records.record_number;
comment on view identity.former_members is
'What an id held when it was merged away, and records that vanished while they carried it.';

-- A mint is a row of customers: its event is numbered below zero, before all others of its run.
create or replace view identity.events as
select
    id_changes.event_id,
    id_changes.kind,
    old_customers.customer_id::text as old_customer_id,
    new_customers.customer_id::text as new_customer_id,
    id_changes.reason,
    runs.policy_version as rule_version,
    runs.run_id,
    runs.run_number,
    runs.at
from identity.id_changes
inner join identity.runs on id_changes.run_number = runs.run_number
left join identity.customers as old_customers on id_changes.old_number = old_customers.customer_number
left join identity.customers as new_customers on id_changes.new_number = new_customers.customer_number
union all
select
    customers.customer_number::bigint - 2147483648 as event_id,
    'mint' as kind,
    null as old_customer_id,
    customers.customer_id::text as new_customer_id,
    'records no id was ever given to' as reason,
    runs.policy_version as rule_version,
    runs.run_id,
    runs.run_number,
    runs.at
from identity.customers
inner join identity.runs on customers.run_number = runs.run_number;
comment on view identity.events is
'All that happened to ids, by run_number and event_id; an id lives from its mint or restore to its merge or retire.';

create or replace view identity.links as
select
    records.record_key,
    evidence.evidence_key,
    kinds.kind,
    kinds.scope,
    stored_links.value_hash,
    kinds.strength,
    nullif(stored_links.first_seen_at, 'infinity') as first_seen_at,
    evidence.source,
    stored_links.record_number
from identity.stored_links
inner join identity.records on stored_links.record_number = records.record_number
inner join identity.evidence on stored_links.evidence_number = evidence.evidence_number
inner join identity.kinds on stored_links.kind_number = kinds.kind_number;
comment on view identity.links is 'Which record carries which identifier, by which evidence; hashed.';

create or replace view identity.refusals as
select
    left_records.record_key as record_key_a,
    right_records.record_key as record_key_b,
    refused_links.kind,
    refused_links.value_hash,
    refused_links.reason,
    refused_links.record_a,
    refused_links.record_b
from identity.refused_links
inner join identity.records as left_records on refused_links.record_a = left_records.record_number
inner join identity.records as right_records on refused_links.record_b = right_records.record_number;
comment on view identity.refusals is 'Links that were seen and not followed, and why.';

create or replace view identity.households as
select
    customers.customer_id::text as customer_id,
    household_customers.customer_id::text as household_id
from identity.household_members
inner join identity.customers on household_members.customer_number = customers.customer_number
inner join identity.customers as household_customers
    on household_members.household_number = household_customers.customer_number;
comment on view identity.households is
'Customers who live together, as far as refused phones and addresses tell; only households of two or more.';

create or replace view identity.overrides_in_force as
select
    override_id,
    decision,
    record_key_a,
    record_key_b,
    value_hash,
    who,
    why,
    at
from identity.overrides
where revoked_at is null;
comment on view identity.overrides_in_force is 'Decisions that were not taken back.';

grant select
on identity.members, identity.issued_ids, identity.redirects, identity.former_members, identity.events, identity.links,
identity.refusals, identity.households, identity.overrides_in_force
to kizuna_transform;
