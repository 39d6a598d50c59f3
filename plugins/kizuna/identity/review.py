"""Pairs that a person should look at: scored between doubt and acceptance, or joined by a strong value but refused.

Shown masked and side by side; an answer becomes a decision (`overrides`) with who, when and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rapidfuzz.distance import Levenshtein

from kizuna.identity import overrides
from kizuna.identity.overrides import OverrideError

if TYPE_CHECKING:
    from kizuna.identity.exchange import Connection
    from kizuna.identity.overrides import Override
    from kizuna.identity.policy import Policy

Answer = Literal["same", "different", "later"]
ANSWERS: tuple[Answer, ...] = ("same", "different", "later")
# How many candidates of each sort are looked at for one question, before it is tried with more: most of them are
# undecided, so the first is enough unless thousands have been decided.
DEPTHS = (50, 5_000, 10_000_000)
# The best of both sorts by turns, one pair of records for each pair of customers; what is decided is not asked again.
QUEUE = """
with customers as not materialized (
    select records.record_number, records.record_key, memberships.customer_number
    from identity.memberships
    inner join identity.records using (record_number)
    where memberships.valid_to is null
),
decided as (
    select
        least(ones.customer_number, others.customer_number) as lower_customer,
        greatest(ones.customer_number, others.customer_number) as upper_customer
    from identity.overrides_in_force
    inner join customers as ones on overrides_in_force.record_key_a = ones.record_key
    inner join customers as others on overrides_in_force.record_key_b = others.record_key
),
scored as (
    select
        'scored' as sort, ones.record_number as record_a, others.record_number as record_b,
        pairs.probability, 'scored' as kind, null::bigint as value_hash, null as reason, 0 as strength
    from (
        select scored_pairs.*
        from identity.scored_pairs
        where scored_pairs.probability >= %(review)s and scored_pairs.probability < %(accept)s
        order by scored_pairs.probability desc, scored_pairs.record_key_a, scored_pairs.record_key_b
        limit %(depth)s
    ) as pairs
    inner join identity.records as ones on pairs.record_key_a = ones.record_key
    inner join identity.records as others on pairs.record_key_b = others.record_key
),
refused as (
    select
        'refused', refused_links.record_a, refused_links.record_b,
        null::double precision, refused_links.kind, refused_links.value_hash, refused_links.reason,
        array_position(%(strong_kinds)s::text[], refused_links.kind) as strength
    from identity.refused_links
    where refused_links.kind = any(%(strong_kinds)s) and refused_links.reason <> 'never by decision'
    order by strength, refused_links.record_a, refused_links.record_b
    limit %(depth)s
),
candidates as (
    select * from scored
    union all
    select * from refused
),
apart as (
    select
        candidates.*, ones.record_key as record_key_a, others.record_key as record_key_b,
        least(ones.customer_number, others.customer_number) as lower_customer,
        greatest(ones.customer_number, others.customer_number) as upper_customer
    from candidates
    inner join customers as ones on candidates.record_a = ones.record_number
    inner join customers as others on candidates.record_b = others.record_number
    where ones.customer_number <> others.customer_number
),
best as (
    select distinct on (apart.lower_customer, apart.upper_customer) apart.*
    from apart
    where (apart.lower_customer, apart.upper_customer) not in (
        select decided.lower_customer, decided.upper_customer from decided
    )
    order by
        apart.lower_customer, apart.upper_customer, apart.sort, apart.strength, apart.probability desc,
        apart.record_a, apart.record_b
),
turns as (
    select
        best.*,
        row_number() over (
            partition by best.sort
            order by best.strength, best.probability desc, best.record_a, best.record_b
        ) as turn
    from best
)
select
    turns.record_a, turns.record_b, turns.record_key_a, turns.record_key_b, turns.kind,
    identity.mask(values.kind, values.value), turns.probability, turns.reason
from turns
left join identity.values on turns.value_hash = values.value_hash and turns.kind = values.kind
order by turns.turn, turns.sort
limit %(most)s
"""
# What each of two records says: profile fields, then identifiers; raw values stay in this module.
SAYINGS = """
select profile.key, records.record_number, profile.value, identity.mask(profile.key, profile.value)
from identity.records
inner join identity.values on records.profile_hash = values.value_hash and values.kind = 'profile'
cross join lateral jsonb_each_text(values.value::jsonb) as profile
where records.record_number = any(%(records)s)
union
select kinds.kind, stored_links.record_number, values.value, identity.mask(values.kind, values.value)
from identity.stored_links
inner join identity.kinds using (kind_number)
inner join identity.values on stored_links.value_hash = values.value_hash and kinds.kind = values.kind
where stored_links.record_number = any(%(records)s) and kinds.kind not like 'name%%'
order by 1, 4, 3
"""
FIELDS = {
    "full": "name",
    "family": "family name",
    "given": "given name",
    "full_kana": "name (kana)",
    "family_kana": "family name (kana)",
    "given_kana": "given name (kana)",
    "birth": "birth",
    "email": "e-mail",
    "phone": "phone",
    "address": "address",
    "login": "login",
    "line": "LINE",
}


@dataclass(frozen=True)
class Pair:
    """Two records of two customers, and why someone should look at them."""

    record_a: int
    record_b: int
    record_key_a: str
    record_key_b: str
    kind: str
    masked_value: str | None
    probability: float | None
    reason: str | None

    @property
    def name(self) -> str:
        """How commands and tasks call it: the two record numbers, which say nothing of anybody."""
        return f"{self.record_a}-{self.record_b}"

    def because(self) -> str:
        """Return in words why it is asked."""
        if self.reason is None:
            return f"scored {self.probability:.2f}"
        return f"same {self.kind} {self.masked_value or ''} but {self.reason}"


@dataclass(frozen=True)
class Comparison:
    """What two records say on one thing, masked, and whether it is the same; None where one says nothing."""

    field: str
    one: str
    other: str
    verdict: str


def queue(connection: Connection, policy: Policy, most: int) -> list[Pair]:
    """Return at most `most` undecided pairs, the best first."""
    asked = {"review": policy.scored.review, "accept": policy.scored.accept, "strong_kinds": strong_kinds(policy)}
    pairs: list[Pair] = []
    for depth in DEPTHS:
        rows: list[tuple[Any, ...]] = connection.execute(
            QUEUE, {**asked, "most": most, "depth": depth * most}
        ).fetchall()
        pairs = [Pair(*row) for row in rows]
        if len(pairs) == most:
            break
    return pairs


def strong_kinds(policy: Policy) -> list[str]:
    """Return the kinds whose refusals deserve a person: those stronger than what households share."""
    kinds = list(policy.kinds.items())
    return [
        name for place, (name, _) in enumerate(kinds) if not any(k.is_household_evidence for _, k in kinds[: place + 1])
    ]


def named(connection: Connection, name: str) -> tuple[tuple[int, str], tuple[int, str]]:
    """Return the number and key of the two records that a pair's name stands for.

    Raises:
        OverrideError: when it is no such name, or the records are not there.
    """
    numbers = re.fullmatch(r"(\d{1,9})-(\d{1,9})", name)
    rows = connection.execute(
        "select record_number, record_key from identity.records where record_number = any(%s)",
        [[int(number) for number in numbers.groups()] if numbers else []],
    ).fetchall()
    keys: dict[Any, Any] = dict(rows)
    if numbers is None or len(keys) != 2:
        message = f"{name!r} names no pair of records: `kizuna identity review list` shows those that wait"
        raise OverrideError(message)
    one, other = (int(number) for number in numbers.groups())
    return (one, str(keys[one])), (other, str(keys[other]))


def compare(connection: Connection, name: str) -> list[Comparison]:
    """Return side by side, masked, what the two records of a pair say."""
    (one, _), (other, _) = named(connection, name)
    said: dict[str, dict[int, dict[str, str]]] = {}
    for field, record, value, masked in connection.execute(SAYINGS, {"records": [one, other]}):
        said.setdefault(str(field), {}).setdefault(int(str(record)), {})[str(value)] = str(masked)
    return [
        _side_by_side(field, said[field].get(one, {}), said[field].get(other, {}))
        for field in sorted(said, key=lambda field: (list(FIELDS).index(field) if field in FIELDS else 99, field))
    ]


def _side_by_side(field: str, one: dict[str, str], other: dict[str, str]) -> Comparison:
    if not one or not other:
        verdict = ""
    elif one.keys() & other.keys():
        verdict = "same"
    elif len(one) == len(other) == 1:
        verdict = _difference(field, next(iter(one)), next(iter(other)))
    else:
        verdict = "different"
    return Comparison(FIELDS.get(field, field), _listed(one), _listed(other), verdict)


def _difference(field: str, one: str, other: str) -> str:
    """Say how far two values are from each other without saying what they are."""
    if field == "birth":
        parts = zip(("year", "month", "day"), one.split("-"), other.split("-"), strict=False)
        return "different: " + ", ".join(part for part, left, right in parts if left != right)
    distance = Levenshtein.distance(one, other)
    return {1: "different: by one character", 2: "different: by two characters"}.get(distance, "different")


def _listed(values: dict[str, str]) -> str:
    return ", ".join(sorted(values.values())) or "–"


def decide(connection: Connection, name: str, answer: Answer, *, who: str, why: str) -> Override | None:
    """Write down what someone answered on a pair: same is `always`, different is `never`, later is nothing yet.

    Whoever answers what is in force already adds nothing; the decision in force is returned.

    Raises:
        OverrideError: when the pair is unknown, or the answer contradicts a decision in force.
    """
    (_, key_a), (_, key_b) = named(connection, name)
    if answer == "later":
        return None
    wanted = overrides.on_records("always" if answer == "same" else "never", key_a, key_b, who=who, why=why)
    in_force = [one for one in overrides.living(connection) if one.subject() == wanted.subject()]
    return in_force[0] if in_force else overrides.decide(connection, wanted)
