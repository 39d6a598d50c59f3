"""One warehouse that lives a history: its changes landed, its runs run, its tables read in a form that compares."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kizuna import identity, warehouse
from kizuna.identity import policy, resolution
from tests.integration.identity.histories import POLICIES, PROFILES, Batch, Decide, Drop, Put, Score, State, seen_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kizuna.identity.exchange import Connection

CHANGES = """
create table identity.int_identity__changes (
    evidence_key text, evidence_table text, _sequence bigint, record_key text, source text, brand text,
    first_seen_at timestamptz, identifiers text[], profile jsonb, is_gone boolean
)
"""
# When a run was and how it went about it; all else must be the same however a state was reached.
MOMENTS = {"valid_from", "valid_to", "ended_at", "at", "revoked_at"}
CIRCUMSTANCES = {
    *("run_id", "mode", "seconds", "taken_evidence", "touched_records", "touched_components", "component_sizes"),
    *("refused", "blocked", "scored_at"),
}
RULES = [policy.Policy.model_validate(yaml.safe_load(text)) for text in POLICIES]
NOT_THE_ENGINES = {"int_identity__changes", "quality"}


class Replica:
    """A prepared warehouse whose sessions stay open: opening one costs more than a small run."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.owner = warehouse.connect(url, autocommit=True)
        self.worker = warehouse.connect(url, "kizuna_transform")
        self.worker.execute(CHANGES)
        self.worker.commit()
        rows = self.owner.execute("select tablename from pg_tables where schemaname = 'identity' order by 1").fetchall()
        self.tables = [str(table) for (table,) in rows if table not in NOT_THE_ENGINES]
        self.state, self.runs = State(), 0

    def close(self) -> None:
        self.owner.close()
        self.worker.close()

    @contextmanager
    def session(self, *_: object, **__: object) -> Iterator[Connection]:
        """Stand in for `warehouse.connect`: commits or rolls back like it, but stays open."""
        try:
            yield self.worker
        except BaseException:
            self.worker.rollback()
            raise
        self.worker.commit()

    def forget(self) -> None:
        """Be as new."""
        statements = [f"delete from identity.{table}" for table in [*self.tables, "int_identity__changes"]]
        statements += ["alter table identity.overrides alter column override_id restart"]
        statements += ["alter table identity.id_changes alter column event_id restart"]
        self._do("; ".join(statements))
        self.state, self.runs = State(), 0
        self._land("anchor", "record-anchor", [], {}, None, sequence=1)

    def live(self, batch: Batch, *, full: bool = False) -> None:
        """Land what a batch says, then run."""
        news: dict[int, Put | Drop] = {}
        for step in batch:
            match step:
                case Put():
                    news[step.evidence] = step
                case Drop() if step.evidence in self.state.evidence:
                    news[step.evidence] = step
                case Score():
                    self._score(step)
            self.state.follow(step)
        self._decide(self.state.decisions)
        for evidence, step in news.items():
            self._tell(evidence, step, sequence=self.runs + 1)
        self.run(full=full)

    def hear_again(self) -> None:
        """Land everything that is known once more, as dbt does after a full refresh of staging, then run."""
        for evidence, step in self.state.evidence.items():
            self._tell(evidence, step, sequence=1)
        self.run()

    def run(self, *, full: bool = False) -> None:
        """Resolve under the policy in force; unless `full`, what is touched only, be it nearly everything."""
        self.runs += 1
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(warehouse, "connect", self.session)
            patch.setattr(policy, "load", lambda: RULES[self.state.policy])
            patch.setattr(resolution, "MOST_TOUCHED", 1e9)
            identity.resolve(self.url, f"run-{self.runs}", full=full)

    def _tell(self, evidence: int, step: Put | Drop, sequence: int) -> None:
        key = f"shop:order:{evidence}"
        if isinstance(step, Drop):
            self._do("insert into identity.int_identity__changes (evidence_key, is_gone) values (%s, true)", key)
        else:
            self._land(
                key, f"record-{step.record}", sorted(step.identifiers), PROFILES[step.profile], evidence, sequence
            )

    def _land(
        self,
        key: str,
        record: str,
        identifiers: list[str],
        profile: dict[str, str],
        evidence: int | None,
        sequence: int,
    ) -> None:
        number = evidence or 0
        self._do(
            "insert into identity.int_identity__changes values (%s, %s, %s, %s, %s, %s, %s, %s, %s, false)",
            *(key, f"stg_shop__{number % 2}", sequence, record, f"shop{number % 2}", "main"),
            *(seen_at(number), identifiers, json.dumps(profile, ensure_ascii=False) if profile else None),
        )

    def _decide(self, decisions: list[Decide]) -> None:
        """Bring the table of overrides to the decisions in force, each decision a row of its own."""
        wanted = [_words(decision) for decision in decisions]
        for override_id, *words in self._read(
            "select override_id, decision, record_key_a, record_key_b, value_hash from identity.overrides_in_force "
            "order by override_id"
        ):
            if tuple(words) in wanted:
                wanted.remove(tuple(words))
            else:
                self._do("update identity.overrides set revoked_at = '2026-02-01' where override_id = %s", override_id)
        for words in wanted:
            self._do(
                "insert into identity.overrides (decision, record_key_a, record_key_b, value_hash, who, why, at) "
                "values (%s, %s, %s, %s, 'tester', 'a test', '2026-01-01')",
                *words,
            )

    def _score(self, step: Score) -> None:
        self._do(
            "insert into identity.scored_pairs (record_key_a, record_key_b, probability, model_version, scored_at) "
            "values (%s, %s, %s, 'model', '2026-01-01') on conflict (record_key_a, record_key_b) do update "
            "set probability = excluded.probability, is_taken = false",
            *(f"record-{record}" for record in step.records),
            step.probability,
        )

    def rows(self) -> dict[str, list[str]]:
        """Return every row of every table as text, moments by their order, without run ids and durations."""
        parts = [f"'{name}', (select jsonb_agg(to_jsonb(t)) from identity.{name} as t)" for name in self.tables]
        ((tables,),) = self._read(f"select jsonb_build_object({', '.join(parts)})")
        listed = {name: rows or [] for name, rows in tables.items()}
        moments = {row[key] for rows in listed.values() for row in rows for key in row.keys() & MOMENTS if row[key]}
        order = {moment: place for place, moment in enumerate(sorted(moments))}
        return {name: sorted(_comparable(row, order) for row in rows) for name, rows in listed.items()}

    def fingerprints(self) -> list[tuple[Any, ...]]:
        """Tell where each row lies and who wrote it: any write at all shows."""
        parts = [f"select '{name}', ctid::text, xmin::text from identity.{name}" for name in self.tables]
        return sorted(self._read(" union all ".join(parts)))

    def belonging(self) -> dict[str, object]:
        """Return who is together, whatever the ids: customers, households, refused links and blocked values."""
        customers, households = {}, {}
        for record, customer, household in self._read(
            "select record_key, members.customer_id, household_id from identity.members "
            "left join identity.households using (customer_id) where valid_to is null"
        ):
            customers.setdefault(customer, set()).add(record)
            households.setdefault(household or customer, set()).add(record)
        return {
            "customers": sorted(sorted(group) for group in customers.values()),
            "households": sorted(sorted(group) for group in households.values()),
            "refused": sorted(
                (*sorted(row[:2]), *row[2:])
                for row in self._read(
                    "select record_key_a, record_key_b, kind, value_hash, reason from identity.refusals"
                )
            ),
            "blocked": sorted(self._read("select value_hash, reason, record_count from identity.blocked_values")),
        }

    def lost_ids(self) -> list[str]:
        """Return the ids ever issued that lead to no living customer although they were not retired."""
        alive = {
            customer for (customer,) in self._read("select customer_id from identity.members where valid_to is null")
        }
        targets = dict(self._read("select old_customer_id, customer_id from identity.redirects"))
        ended = dict(self._read("select customer_id, ended_at is not null from identity.issued_ids"))
        lost = []
        for customer, has_ended in ended.items():
            target = targets.get(customer, customer)
            is_retired = ended[target] and target not in targets and target not in alive
            if not (target in alive or is_retired) or (customer in alive) == has_ended:
                lost.append(customer)
        return lost

    def overlapping_memberships(self) -> list[tuple[Any, ...]]:
        """Return the records that were two customers' at one time."""
        return self._read(
            "select one.record_number from identity.memberships as one inner join identity.memberships as other "
            "on one.record_number = other.record_number and one.ctid <> other.ctid "
            "and one.valid_from < coalesce(other.valid_to, 'infinity') "
            "and other.valid_from < coalesce(one.valid_to, 'infinity')"
        )

    def _read(self, query: str) -> list[tuple[Any, ...]]:
        return self.owner.execute(query).fetchall()  # type: ignore[arg-type]

    def _do(self, statement: str, *values: object) -> None:
        self.owner.execute(statement, values or None)  # type: ignore[arg-type]


def _words(decision: Decide) -> tuple[str, str | None, str | None, int | None]:
    if isinstance(decision.said_of, str):
        return decision.decision, None, None, hash_of(decision.said_of)
    a, b = (f"record-{record}" for record in decision.said_of)
    return decision.decision, a, b, None


def hash_of(identifier: str) -> int:
    """Return an identifier's hash as identity.hash_value does."""
    return int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:8], "big", signed=True)


def _comparable(row: dict[str, object], order: dict[str, int]) -> str:
    said = {key: order.get(str(value), value) if key in MOMENTS else value for key, value in row.items()}
    return json.dumps({k: v for k, v in said.items() if k not in CIRCUMSTANCES}, sort_keys=True, ensure_ascii=False)
