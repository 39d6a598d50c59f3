"""Touching: from records with news to every record whose customer may be another one now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity import sets
from kizuna.identity.exchange import Int4Array, Int8Array, ask, count

if TYPE_CHECKING:
    from kizuna.identity.exchange import Column, Connection

LINK_TYPES = {"record_number": "int4", "value_hash": "int8", "kind_number": "int2", "first_seen_at": "timestamptz"}
LINKS = """
select record_number, value_hash, kind_number, first_seen_at from identity.stored_links where record_number = any(%s)
"""
BLOCKED = "select value_hash from identity.blocked_values where value_hash = any(%s)"
CARRIERS = "select distinct record_number from identity.stored_links where value_hash = any(%s)"
# Pairs that people or the model join, and records that one customer holds or held: ids go by who held what.
PARTNERS = """
select record_b as record_number from identity.applied_pairs where record_a = any(%(records)s)
union
select record_a from identity.applied_pairs where record_b = any(%(records)s)
union
select record_b from identity.applied_overrides where decision = 'always' and record_a = any(%(records)s)
union
select record_a from identity.applied_overrides where decision = 'always' and record_b = any(%(records)s)
"""
HAS_PAIRS = """
select (exists (select from identity.applied_pairs) or exists (select from identity.applied_overrides))::int
"""
CLAIMANTS = "select distinct customer_number from identity.claims where record_number = any(%s)"
HELD = """
select record_number from identity.claims where customer_number = any(%(customers)s)
union
select record_number from identity.memberships where customer_number = any(%(customers)s) and valid_to is null
"""
RECORDS = {"record_number": "int4"}


@dataclass(frozen=True)
class Touched:
    """Records to solve again, ascending, their unblocked links, and the customers who have a claim on one of them."""

    records: Column
    links: dict[str, Column]
    claimants: Column


def spread(connection: Connection, seeds: Column) -> Touched:
    """Follow links, pairs and claims from `seeds` until nothing new comes, a round at a time.

    The rounds are driven from here, because the server's recursive queries look at each value again for every record.
    """
    records, values, claimants = np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int32)
    joining = values
    links: list[dict[str, Column]] = []
    has_pairs = bool(count(connection, HAS_PAIRS))
    frontier = sets.distinct(seeds)
    while len(frontier):
        records = sets.union(records, frontier)
        found = ask(connection, LINKS, LINK_TYPES, Int4Array(frontier))
        links.append(found)
        fresh = sets.difference(found["value_hash"], values)
        values = sets.union(values, fresh)
        fresh = sets.difference(fresh, ask(connection, BLOCKED, {"value_hash": "int8"}, Int8Array(fresh))["value_hash"])
        joining = sets.union(joining, fresh)
        carriers = ask(connection, CARRIERS, RECORDS, Int8Array(fresh))["record_number"]
        partners = _partners(connection, frontier) if has_pairs else carriers[:0]
        newcomers = ask(connection, CLAIMANTS, {"customer_number": "int4"}, Int4Array(frontier))["customer_number"]
        newcomers = sets.difference(newcomers, claimants)
        claimants = sets.union(claimants, newcomers)
        held = ask(connection, HELD, RECORDS, customers=Int4Array(newcomers))["record_number"]
        frontier = sets.difference(np.concatenate([carriers, partners, held]), records)
    return Touched(records, _distinct(links, joining), claimants)


def _partners(connection: Connection, records: Column) -> Column:
    return ask(connection, PARTNERS, RECORDS, records=Int4Array(records))["record_number"]


def _distinct(parts: list[dict[str, Column]], joining: Column) -> dict[str, Column]:
    """Keep one link a record and joining value, the first seen."""
    if not parts:
        return {name: np.empty(0, np.int64) for name in LINK_TYPES}
    links = {name: np.concatenate([part[name] for part in parts]) for name in LINK_TYPES}
    keep(links, sets.contained(links["value_hash"], joining))
    return make_distinct(links)


def make_distinct(links: dict[str, Column]) -> dict[str, Column]:
    """Sort links by record, and keep the first seen of each record and value."""
    order = np.lexsort((links["first_seen_at"], links["value_hash"], links["record_number"]))
    for name in links:
        links[name] = links[name][order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = links["record_number"][1:] != links["record_number"][:-1]
    is_first[1:] |= links["value_hash"][1:] != links["value_hash"][:-1]
    keep(links, is_first)
    return links


def keep(links: dict[str, Column], wanted: Column) -> None:
    """Drop rows one column at a time: a second copy of all columns would not fit."""
    if not wanted.all():
        for name in links:
            links[name] = links[name][wanted]
