"""Pairs: which scored pairs stand beside links, contradictions and decisions, and writing those that differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kizuna.identity.comparing import CONTRADICT, Profile, compare

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kizuna.identity.exchange import Connection
    from kizuna.identity.policy import Policy

Pair = tuple[int, int, float]

CANDIDATES = """
create temporary table scored_candidates (record_a integer, record_b integer, probability double precision)
on commit drop
"""
# What joins two records by itself, or what a person has said, needs no score.
DECIDED = """
delete from scored_candidates
using identity.overrides_in_force as decisions, scoring_input as one, scoring_input as other
where
    decisions.decision = 'never'
    and one.record_key = decisions.record_key_a and other.record_key = decisions.record_key_b
    and scored_candidates.record_a = least(one.record_number, other.record_number)
    and scored_candidates.record_b = greatest(one.record_number, other.record_number)
"""
SHARING = """
delete from scored_candidates
where exists (
    select
    from identity.stored_links as one
    inner join identity.stored_links as other on one.value_hash = other.value_hash
    inner join identity.kinds on one.kind_number = kinds.kind_number
    where
        one.record_number = scored_candidates.record_a and other.record_number = scored_candidates.record_b
        and kinds.kind = any(%s)
        and not exists (select from identity.blocked_values where blocked_values.value_hash = one.value_hash)
)
"""
PROFILES = """
select candidates.record_a, candidates.record_b, candidates.probability, one.profile, other.profile
from scored_candidates as candidates
inner join scoring_input as one on candidates.record_a = one.record_number
inner join scoring_input as other on candidates.record_b = other.record_number
"""
# Keys in the order of the alphabet, whichever record is older.
IN_WORDS = """
create temporary table scored_now on commit drop as
select
    least(one.record_key, other.record_key) as record_key_a,
    greatest(one.record_key, other.record_key) as record_key_b,
    candidates.probability
from scored_candidates as candidates
inner join scoring_input as one on candidates.record_a = one.record_number
inner join scoring_input as other on candidates.record_b = other.record_number
"""
WRITE = """
insert into identity.scored_pairs (record_key_a, record_key_b, probability, model_version, scored_at, is_taken)
select record_key_a, record_key_b, probability, %(model)s, now(), false from scored_now
on conflict (record_key_a, record_key_b) do update
set
    probability = excluded.probability, model_version = excluded.model_version,
    scored_at = excluded.scored_at, is_taken = false
where
    scored_pairs.probability is distinct from excluded.probability
    or scored_pairs.model_version is distinct from excluded.model_version
"""
# Pairs of unchanged records were not looked at: they stand. Those of records that are gone do not.
WITHDRAW = """
update identity.scored_pairs as pairs
set probability = 0, scored_at = now(), is_taken = false
where
    pairs.probability > 0
    and not exists (
        select from scored_now
        where scored_now.record_key_a = pairs.record_key_a and scored_now.record_key_b = pairs.record_key_b
    )
    and (
        exists (
            select from scoring_input
            where is_changed and record_key in (pairs.record_key_a, pairs.record_key_b)
        )
        or (select count(*) from scoring_input where record_key in (pairs.record_key_a, pairs.record_key_b)) < 2
    )
"""
REMEMBER = """
insert into identity.scored_records (record_number, content_hash, version)
select record_number, content_hash, %(version)s from scoring_input where is_changed
on conflict (record_number) do update set content_hash = excluded.content_hash, version = excluded.version
"""
FORGET = """
delete from identity.scored_records
where not exists (select from scoring_input where scoring_input.record_number = scored_records.record_number)
"""


@dataclass(frozen=True)
class Use:
    """A model as it is used here: its version, and that with the policy's."""

    model_version: str
    version: str


def write(connection: Connection, found: Iterable[Pair], policy: Policy, use: Use) -> tuple[int, int, int]:
    """Bring identity.scored_pairs from what it was to what stands of the pairs found.

    Returns:
        How many pairs of changed records stand, how many rows were written and how many withdrawn.
    """
    fill(connection, found)
    drop_decided(connection, policy)
    connection.execute(IN_WORDS)
    connection.execute("create index on scored_now (record_key_a, record_key_b)")
    connection.execute("create index on scoring_input (record_key)")
    connection.execute("analyze scored_now, scoring_input")
    withdrawn = connection.execute(WITHDRAW).rowcount
    written = connection.execute(WRITE, {"model": use.model_version}).rowcount
    connection.execute(REMEMBER, {"version": use.version})
    connection.execute(FORGET)
    row = connection.execute("select count(*) from scored_now").fetchone()
    return (int(row[0]) if row else 0), written, withdrawn


def fill(connection: Connection, found: Iterable[Sequence[float]]) -> None:
    """Put pairs of record numbers, with whatever number belongs to each, into scored_candidates."""
    connection.execute(CANDIDATES)
    with connection.cursor().copy("copy scored_candidates from stdin") as copy:
        for pair in found:
            copy.write_row(pair)
    connection.execute("create index on scored_candidates (record_a, record_b)")
    connection.execute("analyze scored_candidates")


def drop_decided(connection: Connection, policy: Policy) -> None:
    """Take out of scored_candidates what links join, people have parted, or profiles contradict."""
    joining = [name for name, kind in policy.kinds.items() if kind.requires != "agreement"]
    connection.execute(DECIDED)
    connection.execute(SHARING, [joining])
    against = [
        (a, b)
        for a, b, _, one, other in connection.execute(PROFILES).fetchall()
        if one and other and compare(Profile.parse(one), Profile.parse(other)) & CONTRADICT
    ]
    connection.execute(
        "delete from scored_candidates using unnest(%s::int4[], %s::int4[]) as against (a, b)"
        " where record_a = against.a and record_b = against.b",
        [[a for a, _ in against], [b for _, b in against]],
    )
