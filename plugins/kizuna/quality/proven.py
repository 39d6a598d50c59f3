"""How far a raw table has been proven: a landed row never changes, so what it has passed once is not read again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg import sql

from kizuna import warehouse
from kizuna.quality.checks import Outcome, Target, fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from kizuna.quality.suites import Expectation

FLOOR = "{proven_up_to}"
# The records as they are now, of the rows that have not passed yet: what a newer version has put right does not block.
NEW_ROWS = """(
    select landed.* from {table} as landed
    where landed._sequence > {proven_up_to} and not landed._is_deleted and not exists (
        select from {table} as newer where newer._record_id = landed._record_id
        and (coalesce(newer._source_updated_at, '-infinity'), newer._sequence)
        > (coalesce(landed._source_updated_at, '-infinity'), landed._sequence)
    )
) as new_rows"""

_FLOOR = """
select min(proven) from (
    select max((observed ->> 'proven_up_to')::bigint) as proven
    from ops.quality_results
    where gate = 'raw' and table_name = {} and expectation = any({}) and success and observed ->> 'query' = {}
    group by expectation
) as each
having count(*) = {}
"""


@dataclass(frozen=True)
class Ceiling:
    """The last row a check is about to read, and the exact query it reads with."""

    sequence: int
    query_digest: str


def with_floor(
    one: Expectation, table: str, target: Target, names: Sequence[str] = ()
) -> tuple[Expectation, Ceiling | None]:
    """The expectation with {new_rows} written out and the number of the last proven row for {proven_up_to}.

    Proof holds for the very same query only: a changed line or policy is checked on every row again. Where several
    expectations (`names`) share the query, it reads from the row up to which all of them have been proven.
    """
    one = replace(one, query=one.query.replace("{new_rows}", NEW_ROWS))
    if FLOOR not in one.query:
        return one, None
    names = names or [one.name]
    digest = hashlib.sha256(fill(one.query.replace(FLOOR, "0"), table, target).encode()).hexdigest()[:16]
    with warehouse.connect(target.warehouse_url, target.role, read_only=True) as connection:
        ceiling = _number(connection, sql.SQL("select max(_sequence) from {}").format(sql.Identifier("raw", table)))
        floor = _number(connection, sql.SQL(_FLOOR).format(table, list(names), digest, len(names)))
    # A table that was emptied and numbered anew has proven nothing.
    proven = floor if floor <= ceiling else 0
    return replace(one, query=one.query.replace(FLOOR, str(proven))), Ceiling(ceiling, digest)


def with_proof(outcome: Outcome, ceiling: Ceiling | None) -> Outcome:
    """The outcome, saying up to where the table is now proven if it passed."""
    if ceiling is None or not outcome.success:
        return outcome
    return replace(outcome, observed={"proven_up_to": ceiling.sequence, "query": ceiling.query_digest})


def _number(connection: Connection[tuple[object, ...]], query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    return int(str(row[0])) if row and row[0] is not None else 0
