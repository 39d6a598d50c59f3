"""Outcome: refused links, households and values over the caps, as rows; only what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from psycopg import sql

from kizuna.identity import sets
from kizuna.identity.exchange import Int4Array, read_columns
from kizuna.identity.problem import REASONS
from kizuna.identity.writing import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kizuna.identity.exchange import Column, Connection
    from kizuna.identity.policy import Policy
    from kizuna.identity.problem import Solution
    from kizuna.identity.stamp import Stamp
    from kizuna.identity.touching import Touched
    from kizuna.identity.writing import Change

# Refusals of no kind of value: of what people say (-1) and of what the model says (-2).
OF_DECISION, OF_SCORE = "decision", "score"
REFUSAL_TYPES = {"record_a": "int4", "record_b": "int4", "kind": "int4", "value_hash": "int8", "reason": "int4"}
STORED_REFUSALS = """
select
    record_a, record_b, array_position({kinds}, kind) - 3 as kind, value_hash,
    array_position({reasons}, reason) - 1 as reason
from identity.refused_links where {condition}
"""
FORGET_REFUSALS = """
delete from identity.refused_links using gone_refusals as gone
where
    refused_links.record_a = gone.record_a and refused_links.record_b = gone.record_b
    and refused_links.value_hash = gone.value_hash and refused_links.kind = (%s::text[])[gone.kind + 3]
"""
ADD_REFUSALS = """
insert into identity.refused_links (record_a, record_b, kind, value_hash, reason)
select record_a, record_b, (%s::text[])[kind + 3], value_hash, (%s::text[])[reason + 1] from fresh_refusals
"""
HOUSEHOLD_TYPES = {"customer_number": "int4", "household_number": "int4"}
STORED_HOUSEHOLDS = "select customer_number, household_number from identity.household_members where {condition}"
ADD_HOUSEHOLDS = """
insert into identity.household_members (customer_number, household_number)
select customer_number, household_number from fresh_households
"""
OVER_TYPES = {"value_hash": "int8", "record_count": "int8", "name_count": "int8"}
STORED_OVER = """
select value_hash, record_count, name_count from identity.blocked_values where reason = 'too many names'
"""
ADD_OVER = """
insert into identity.blocked_values (value_hash, kind, reason, record_count, name_count, run_id, at)
select value_hash, (%s::text[])[kind + 1], 'too many names', record_count, name_count, %s, %s from fresh_over
"""


def write_refusals(
    connection: Connection, change: Change, solution: Solution, touched: Touched | None, policy: Policy
) -> int:
    """Replace the refused links of the solved records (all, where `touched` is None); return the rows written."""
    kinds, reasons = [OF_SCORE, OF_DECISION, *policy.names], list(REASONS)
    known = {"kinds": sql.Literal(kinds), "reasons": sql.Literal(reasons)}
    written = (
        connection.execute("delete from identity.refused_links where kind <> all(%s)", [kinds]).rowcount
        if touched is None
        else 0
    )
    condition = _condition("record_a", touched.records if touched else None)
    stored = read_columns(connection, sql.SQL(STORED_REFUSALS).format(**known, condition=condition), REFUSAL_TYPES)
    refusals = solution.refusals
    now = [
        change.places.numbers[refusals.record_a],
        change.places.numbers[refusals.record_b],
        refusals.kinds,
        refusals.values,
        refusals.reasons,
    ]
    gone, fresh = difference(list(stored.values()), now)
    if len(gone[0]):
        _load(connection, "gone_refusals", REFUSAL_TYPES, gone)
        written += connection.execute(FORGET_REFUSALS, [kinds]).rowcount
    if len(fresh[0]):
        _load(connection, "fresh_refusals", REFUSAL_TYPES, fresh)
        written += connection.execute(ADD_REFUSALS, [kinds, reasons]).rowcount
    return written


def write_households(connection: Connection, change: Change, solution: Solution, *, everything: bool) -> int:
    """Replace the households of the customers solved; return the rows written."""
    known = change.knowledge.known
    concerned = np.concatenate([change.assignment.current, known.previous[known.previous >= 0], known.vanished])
    numbers = None if everything else change.knowledge.number(sets.distinct(concerned))
    query = sql.SQL(STORED_HOUSEHOLDS).format(condition=_condition("customer_number", numbers))
    stored = read_columns(connection, query, HOUSEHOLD_TYPES)
    now = _households(solution.households, change.knowledge.number(change.assignment.current))
    gone, fresh = difference(list(stored.values()), now)
    if len(gone[0]):
        statement = "delete from identity.household_members where customer_number = any(%s)"
        connection.execute(statement, [Int4Array(gone[0])])
    if len(fresh[0]):
        _load(connection, "fresh_households", HOUSEHOLD_TYPES, fresh)
        connection.execute(ADD_HOUSEHOLDS)
    return len(gone[0]) + len(fresh[0])


def write_over_caps(connection: Connection, over: dict[str, Column], policy: Policy, stamp: Stamp) -> int:
    """Bring the values that a full run found over the caps up to date; return the rows written."""
    stored = read_columns(connection, sql.SQL(STORED_OVER), OVER_TYPES)
    gone, fresh = difference(list(stored.values()), [over[name] for name in OVER_TYPES])
    if len(gone[0]):
        _load(connection, "gone_over", OVER_TYPES, gone)
        connection.execute(
            "delete from identity.blocked_values using gone_over where blocked_values.value_hash = gone_over.value_hash"
        )
    if len(fresh[0]):
        order = np.argsort(over["value_hash"])
        kinds = over["kind"][order[np.searchsorted(over["value_hash"], fresh[0], sorter=order)]]
        _load(connection, "fresh_over", {**OVER_TYPES, "kind": "int4"}, [*fresh, kinds])
        connection.execute(ADD_OVER, [list(policy.names), stamp.run_id, stamp.at])
    return len(gone[0]) + len(fresh[0])


def difference(before: Sequence[Column], now: Sequence[Column]) -> tuple[list[Column], list[Column]]:
    """Return the rows only in `before` and the rows only in `now`; rows are distinct in each."""
    size = len(before[0])
    columns = [
        np.concatenate([old.astype(np.int64), new.astype(np.int64)]) for old, new in zip(before, now, strict=True)
    ]
    order = np.lexsort(columns)
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for column in columns:
        same &= column[order][1:] == column[order][:-1]
    is_alone = np.ones(len(order), dtype=bool)
    is_alone[order[1:][same]] = is_alone[order[:-1][same]] = False
    gone, fresh = np.flatnonzero(is_alone[:size]), size + np.flatnonzero(is_alone[size:])
    return [column[gone] for column in columns], [column[fresh] for column in columns]


def _households(labels: Column, customers: Column) -> list[Column]:
    """Return customers in a household of two or more, and the household's first issued customer."""
    width = int(customers.max(initial=0)) + 1
    homes, owners = np.divmod(sets.distinct(labels.astype(np.int64) * width + customers), width)
    first = np.flatnonzero(sets.starts(homes))
    sizes = np.diff(first, append=len(homes))
    is_shared = np.repeat(sizes > 1, sizes)
    return [owners[is_shared], np.repeat(owners[first], sizes)[is_shared]]


def _condition(column: str, numbers: Column | None) -> sql.Composable:
    """Restrict to `numbers`; everything where it is None."""
    if numbers is None:
        return sql.SQL("true")
    listed = sql.Literal("{" + ",".join(map(str, numbers.tolist())) + "}")
    return sql.SQL("{} = any({}::int4[])").format(sql.Identifier(column), listed)


def _load(connection: Connection, table: str, types: dict[str, str], columns: Sequence[Column]) -> None:
    named = zip(types.items(), columns, strict=True)
    load(connection, table, {name: (kind, column) for (name, kind), column in named})
