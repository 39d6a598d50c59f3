"""A warehouse of the skeleton becomes one of today without a customer losing their id."""

from __future__ import annotations

from kizuna import identity, warehouse
from tests.integration.identity.landing_evidence import members, read, run, said

# The tables of the skeleton, as they were.
SKELETON = """
drop view identity.members, identity.issued_ids, identity.redirects, identity.former_members, identity.events cascade;
create table identity.issued_ids (
    customer_number integer primary key, customer_id text not null unique, founder_record_key text not null,
    issued_at timestamptz not null, run_id text not null, ended_at timestamptz
);
create table identity.members (
    record_key text primary key, customer_id text not null, source text not null, linked_at timestamptz not null,
    run_id text not null
);
create table identity.former_members (customer_id text, record_key text, primary key (customer_id, record_key));
create table identity.redirects (
    old_customer_id text primary key references identity.issued_ids (customer_id), customer_id text not null,
    run_id text not null, at timestamptz not null
);
create table identity.events (
    event_id bigint generated always as identity primary key, kind text not null, old_customer_id text,
    new_customer_id text, reason text not null, run_id text not null, at timestamptz not null
);
create table identity.capped_values (
    kind text, value_hash text, record_count bigint not null, run_id text not null, primary key (kind, value_hash)
);
"""
A, B, C = (f"0000000{number}-0000-5000-8000-000000000000" for number in (1, 2, 3))
FILL = f"""
insert into identity.issued_ids values
(0, '{A}', 'a', '2026-01-01', 'run-1', null),
(1, '{B}', 'b', '2026-01-01', 'run-1', '2026-01-02'),
(2, '{C}', 'c', '2026-01-02', 'run-2', null);
insert into identity.members values
('a', '{A}', 'shopify', '2026-01-01', 'run-1'), ('b', '{A}', 'shopify', '2026-01-02', 'run-2'),
('c', '{C}', 'line', '2026-01-02', 'run-2');
insert into identity.former_members values ('{B}', 'b');
insert into identity.redirects values ('{B}', '{A}', 'run-2', '2026-01-02');
insert into identity.events (kind, old_customer_id, new_customer_id, reason, run_id, at) values
('mint', null, '{A}', 'new', 'run-1', '2026-01-01'), ('mint', null, '{B}', 'new', 'run-1', '2026-01-01'),
('mint', null, '{C}', 'new', 'run-2', '2026-01-02'), ('merge', '{B}', '{A}', 'shared', 'run-2', '2026-01-02');
"""


def upgrade(url: str) -> None:
    with warehouse.connect(url) as connection:
        connection.execute(SKELETON.encode())
        connection.execute(FILL.encode())
    warehouse.prepare(url)
    warehouse.prepare(url)


def test_ids_members_redirects_and_history_are_kept(warehouse_url: str) -> None:
    upgrade(warehouse_url)
    assert members(warehouse_url) == {"a": A, "b": A, "c": C}
    assert read(warehouse_url, "select old_customer_id, customer_id from identity.redirects") == [(B, A)]
    query = "select kind, old_customer_id, new_customer_id, run_id from identity.events order by run_number, event_id"
    assert read(warehouse_url, query) == [
        ("mint", None, A, "run-1"),
        ("mint", None, B, "run-1"),
        ("mint", None, C, "run-2"),
        ("merge", B, A, "run-2"),
    ]


def test_the_first_run_keeps_every_id_and_reverses_earlier_merges(warehouse_url: str) -> None:
    upgrade(warehouse_url)
    run(warehouse_url, {"a": said("email:x@example.jp"), "b": said("email:x@example.jp"), "c": said(), "d": said()})
    assert {key: owner for key, owner in members(warehouse_url).items() if key != "d"} == {"a": A, "b": A, "c": C}
    run(warehouse_url, {"b": said()})
    assert members(warehouse_url)["b"] == B
    identity.verify(warehouse_url, "check")


def test_members_without_evidence_end_with_the_first_run(warehouse_url: str) -> None:
    upgrade(warehouse_url)
    run(warehouse_url, {"a": said()})
    assert members(warehouse_url) == {"a": A}
    run(warehouse_url, {"c": said()})
    assert members(warehouse_url) == {"a": A, "c": C}
