"""Identity tables filled by hand, as a run leaves them: records, what they carry, whose they are, what was refused."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kizuna import warehouse

if TYPE_CHECKING:
    import psycopg

START = datetime(2026, 1, 1, tzinfo=UTC)
STRENGTHS = {"login": 1, "line": 2, "email": 3, "phone": 4, "name_birth": 5, "name_address": 6, "address": 7}


class Filled:
    """A warehouse whose identity tables a test fills; records are numbered in the order they are added, from 1."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.numbers: dict[str, int] = {}
        self.customers: dict[str, int] = {}
        with self.session() as connection:
            connection.execute(
                "insert into identity.runs (run_number, run_id, mode, policy_version, at) "
                "values (1, 'run-1', 'full', 'rules-1', %s)",
                [START],
            )
            for kind, strength in STRENGTHS.items():
                connection.execute(
                    "insert into identity.kinds (kind, scope, strength) values (%s, '', %s)", [kind, strength]
                )

    def session(self) -> psycopg.Connection[Any]:
        return warehouse.connect(self.url, "kizuna_transform")

    def run(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.session() as connection:
            cursor = connection.execute(query.encode(), list(values))
            return cursor.fetchall() if cursor.description else []

    def record(self, key: str, *identifiers: str, customer: str, source: str = "shopify", **profile: str) -> int:
        """Add a record a day younger than the one before, with what it carries and whose it is now."""
        number = len(self.numbers) + 1
        self.numbers[key] = number
        seen = START + timedelta(days=number)
        profile_hash = self.value("profile", json.dumps(profile, ensure_ascii=False)) if profile else 0
        self.run(
            "insert into identity.records (record_number, record_key, source, first_seen_at, profile_hash) "
            "values (%s, %s, %s, %s, %s)",
            *(number, key, source, seen, profile_hash),
        )
        self.run(
            "insert into identity.evidence (evidence_number, evidence_key, evidence_table, record_number, source, "
            "first_seen_at, content_hash) values (%s, %s, 'stg', %s, %s, %s, 0)",
            *(number, key, number, source, seen),
        )
        for identifier in identifiers:
            kind, value = identifier.split(":", 1)
            self.run(
                "insert into identity.stored_links select %s, %s, %s, %s, kind_number from identity.kinds "
                "where kind = %s",
                *(self.value(kind, value), seen, number, number, kind),
            )
        self.belongs(key, customer)
        return number

    def value(self, kind: str, value: str) -> int:
        rows = self.run(
            "insert into identity.values values (identity.hash_value(%s), %s, %s) "
            "on conflict (value_hash) do update set kind = excluded.kind returning value_hash",
            *(f"{kind}:{value}", kind, value),
        )
        return int(rows[0][0])

    def customer(self, name: str) -> int:
        if name not in self.customers:
            self.customers[name] = len(self.customers)
            self.run(
                "insert into identity.customers (customer_number, customer_id, run_number) values (%s, %s, 1)",
                *(self.customers[name], self.id_of(name)),
            )
        return self.customers[name]

    def id_of(self, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, name))

    def belongs(self, key: str, customer: str) -> None:
        self.run(
            "insert into identity.memberships values (%s, %s, %s, null)",
            *(self.numbers[key], self.customer(customer), START),
        )

    def refuse(self, one: str, other: str, identifier: str, reason: str) -> None:
        kind, value = identifier.split(":", 1)
        self.run(
            "insert into identity.refused_links values (%s, %s, %s, %s, %s)",
            *(self.numbers[one], self.numbers[other], kind, self.value(kind, value), reason),
        )

    def block(self, identifier: str, reason: str, records: int = 9, names: int = 7) -> None:
        kind, value = identifier.split(":", 1)
        self.run(
            "insert into identity.blocked_values values (%s, %s, %s, %s, %s, 'run-1', %s)",
            *(self.value(kind, value), kind, reason, records, names, START),
        )
