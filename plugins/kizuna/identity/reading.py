"""Reading: records, links and what earlier runs decided, as the numbers that decisions are made on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from psycopg import sql

from kizuna.identity import sets
from kizuna.identity.capping import count_names
from kizuna.identity.exchange import Int4Array, ask, read_columns, read_table
from kizuna.identity.problem import Problem
from kizuna.identity.profiles import Profiles
from kizuna.identity.touching import LINK_TYPES, keep

if TYPE_CHECKING:
    from kizuna.identity.exchange import Column, Connection
    from kizuna.identity.policy import Policy
    from kizuna.identity.touching import Touched

RECORD_TYPES = {"record_number": "int4", "first_seen_at": "timestamptz", "profile_hash": "int8", "name_hash": "int8"}
RECORDS = """
select record_number, first_seen_at, profile_hash, name_hash from identity.records
where record_number = any(%s) and not is_gone
"""
RANKS = """
select record_number, (row_number() over (order by record_key collate "C"))::int4 as place from identity.records
where record_number = any(%s)
"""
DECISIONS = "select record_a, record_b from identity.applied_overrides where decision = %s"
PAIRS = "select record_a, record_b, probability from identity.applied_pairs where record_a = any(%s)"
PAIR_TYPES = {"record_a": "int4", "record_b": "int4"}


@dataclass(frozen=True)
class Places:
    """The records to solve, from the oldest: the place of each in the problem, and back."""

    numbers: Column  # record_number of each place
    table: Column  # sorted numbers, or the place of every number from 0 on
    order: Column | None  # the place of each sorted number

    @classmethod
    def of(cls, numbers: Column) -> Places:
        """Number records by their order in `numbers`."""
        highest = int(numbers.max(initial=-1))
        if highest < 4 * len(numbers):
            table = np.full(highest + 2, -1, dtype=np.int32)
            table[numbers] = np.arange(len(numbers), dtype=np.int32)
            return cls(numbers, table, None)
        order = np.argsort(numbers)
        return cls(numbers, numbers[order], order)

    def find(self, numbers: Column) -> Column:
        """Return the places of record numbers; -1 for those that are not there."""
        if self.order is None:
            return np.where(numbers < len(self.table), self.table[np.minimum(numbers, len(self.table) - 1)], -1)
        spots = np.minimum(np.searchsorted(self.table, numbers), len(self.table) - 1)
        return np.where(self.table[spots] == numbers, self.order[spots], -1)


@dataclass(frozen=True)
class Reading:
    """What there is to solve."""

    places: Places
    problem: Problem


def read_touched(connection: Connection, touched: Touched, policy: Policy) -> Reading:
    """Read the touched records and what joins them."""
    records = _ordered(connection, ask(connection, RECORDS, RECORD_TYPES, Int4Array(touched.records)))
    places = Places.of(records["record_number"])
    pairs = ask(connection, PAIRS, {**PAIR_TYPES, "probability": "float8"}, Int4Array(touched.records))
    return Reading(places, _problem(connection, records, places, touched.links, pairs, policy))


def read_everything(connection: Connection, policy: Policy) -> tuple[Reading, dict[str, Column]]:
    """Read all records and links; return the values that are over the caps, too (columns value_hash, kind, …)."""
    table = sql.SQL("identity.records")
    records = _ordered(connection, read_table(connection, table, RECORD_TYPES, sql.SQL("not is_gone")))
    places = Places.of(records["record_number"])
    names = records.pop("name_hash")
    pairs = read_table(connection, sql.SQL("identity.applied_pairs"), {**PAIR_TYPES, "probability": "float8"})
    links = read_table(connection, sql.SQL("identity.stored_links"), LINK_TYPES)
    links["record_number"] = places.find(links["record_number"]).astype(np.int32)
    keep(links, ~sets.contained(links["value_hash"], _decided_values(connection)))
    links["kind"], links["scope"] = _kinds(connection, links.pop("kind_number"), policy)
    keep(links, links["kind"] >= 0)
    crowded = count_names(links["value_hash"], links["record_number"], links["kind"], names, policy)
    keep(links, ~sets.contained(links["value_hash"], crowded.values))
    over = {
        "value_hash": crowded.values,
        "kind": crowded.kinds,
        "record_count": crowded.record_counts,
        "name_count": crowded.name_counts,
    }
    return Reading(places, _assemble(connection, records, places, links, pairs)), over


def _ordered(connection: Connection, records: dict[str, Column]) -> dict[str, Column]:
    """Sort records from the oldest; of equals, the smallest record_key comes first."""
    seen = records["first_seen_at"]
    order = np.argsort(seen, kind="stable")
    is_next = seen[order][1:] == seen[order][:-1]
    if is_next.any():
        is_tied = np.zeros(len(seen), dtype=bool)
        is_tied[order[1:][is_next]] = is_tied[order[:-1][is_next]] = True
        numbers = records["record_number"][is_tied]
        ranks = ask(connection, RANKS, {"record_number": "int4", "place": "int4"}, Int4Array(numbers))
        ascending = np.argsort(numbers)
        rank = np.zeros(len(seen), dtype=np.int32)
        spots = np.flatnonzero(is_tied)[ascending]
        rank[spots[np.searchsorted(numbers[ascending], ranks["record_number"])]] = ranks["place"]
        order = np.lexsort((rank, seen))
    return {name: column[order] for name, column in records.items()}


def _decided_values(connection: Connection) -> Column:
    query = sql.SQL("select value_hash from identity.blocked_values where reason <> 'too many names'")
    return read_columns(connection, query, {"value_hash": "int8"})["value_hash"]


def _kinds(connection: Connection, kind_numbers: Column, policy: Policy) -> tuple[Column, Column]:
    """Return each link's place in the policy (-1: links nothing), and a number for its scope (0: global)."""
    rows = connection.execute("select kind_number, kind from identity.kinds").fetchall()
    size = max((number for number, _ in rows), default=0) + 1
    kinds, scopes = np.full(size, -1, np.int8), np.zeros(size, np.int16)
    for number, kind in rows:
        if kind in policy.kinds:
            kinds[number] = policy.names.index(kind)
            scopes[number] = number if policy.kinds[kind].scope != "global" else 0
    return kinds[kind_numbers], scopes[kind_numbers]


def _problem(
    connection: Connection,
    records: dict[str, Column],
    places: Places,
    links: dict[str, Column],
    pairs: dict[str, Column],
    policy: Policy,
) -> Problem:
    links = dict(links)
    links["record_number"] = places.find(links["record_number"])
    links["kind"], links["scope"] = _kinds(connection, links.pop("kind_number"), policy)
    keep(links, links["kind"] >= 0)
    return _assemble(connection, records, places, links, pairs)


def _assemble(
    connection: Connection,
    records: dict[str, Column],
    places: Places,
    links: dict[str, Column],
    pairs: dict[str, Column],
) -> Problem:
    profiles, texts = Profiles.of(connection, records["profile_hash"])
    decisions = {decision: ask(connection, DECISIONS, PAIR_TYPES, decision) for decision in ("always", "never")}
    scored = _present(places, pairs)
    return Problem(
        record_count=len(places.numbers),
        link_records=links["record_number"],
        link_values=links["value_hash"],
        link_kinds=links["kind"],
        link_seen=links["first_seen_at"],
        link_scopes=links["scope"],
        profiles=profiles,
        profile_texts=texts,
        always=_present(places, decisions["always"])[:2],
        never=_present(places, decisions["never"])[:2],
        scored=(scored[0], scored[1], scored[2]),
    )


def _present(places: Places, pairs: dict[str, Column]) -> tuple[Column, Column, Column]:
    """Return the pairs both of whose records are here, by place."""
    left, right = places.find(pairs["record_a"]), places.find(pairs["record_b"])
    here = (left >= 0) & (right >= 0)
    probabilities = pairs.get("probability", np.zeros(len(left)))
    return left[here], right[here], probabilities[here]
