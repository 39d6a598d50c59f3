"""Evidence by hand: the table of changes as dbt leaves it, from what records are to say now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

from kizuna import identity, warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLES = (
    *("read_up_to", "records", "evidence", "kinds", "stored_links", "values", "blocked_values", "runs", "policies"),
    *("customers", "memberships", "claims", "redirections", "id_changes", "refused_links", "household_members"),
    *("applied_overrides", "scored_pairs", "applied_pairs"),
)
CREATE = """
create table if not exists identity.int_identity__changes (
    evidence_key text, evidence_table text, _sequence bigint, record_key text, source text, brand text,
    first_seen_at timestamptz, identifiers text[], profile jsonb, is_gone boolean
)
"""
ADD = "insert into identity.int_identity__changes values (%s, 'stg_test', %s, %s, %s, %s, %s, %s, %s, false)"
DROP = """
insert into identity.int_identity__changes (evidence_key, is_gone)
select evidence_key, true from identity.evidence where evidence_key = any(%s)
"""


@dataclass(frozen=True)
class Said:
    """What one evidence row says; its record has its name unless another is given."""

    identifiers: tuple[str, ...] = ()
    profile: Mapping[str, str] = field(default_factory=dict)
    record: str | None = None
    first_seen: str | None = "2026-01-01"


def said(*identifiers: str, record: str | None = None, first_seen: str | None = "2026-01-01", **profile: str) -> Said:
    return Said(identifiers, profile, record, first_seen)


def land(url: str, changes: Mapping[str, Said | None], sequence: int = 1) -> None:
    """Build the changes anew, as dbt does; None is a row that staging has lost."""
    with warehouse.connect(url, "kizuna_transform") as connection:
        connection.execute(CREATE)
        connection.execute("truncate identity.int_identity__changes")
        for key, row in changes.items():
            if row is not None:
                record = row.record or key
                values = [key, sequence, record, "shopify", "main", row.first_seen, sorted(set(row.identifiers))]
                connection.execute(ADD, [*values, Jsonb(dict(row.profile)) if row.profile else None])
        connection.execute(DROP, [[key for key, row in changes.items() if row is None]])


def run(
    url: str, changes: Mapping[str, Said | None], run_id: str = "run", *, full: bool = False
) -> identity.Resolution:
    """Land and resolve."""
    land(url, changes)
    return identity.resolve(url, run_id, full=full)


def read(url: str, query: str, *parameters: object) -> list[tuple[object, ...]]:
    with warehouse.connect(url, "kizuna_transform") as connection:
        return connection.execute(query, parameters or None).fetchall()  # type: ignore[arg-type]


def members(url: str) -> dict[str, str]:
    """Return record_key → customer_id, now."""
    return dict(read(url, "select record_key, customer_id from identity.members where valid_to is null"))  # type: ignore[arg-type]


def groups(url: str) -> set[frozenset[str]]:
    """Return the records of each customer."""
    now = members(url)
    return {frozenset(key for key, owner in now.items() if owner == customer) for customer in now.values()}


def fingerprints(url: str) -> dict[str, object]:
    """Tell, for every table, where each row lies and who wrote it: any write at all shows."""
    return {table: sorted(map(str, read(url, f"select ctid, xmin from identity.{table}"))) for table in TABLES}
