"""The sync model and what the outbox has written, in the words of the tests."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from kizuna import outbox, warehouse
from kizuna.destinations import DESTINATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kizuna.settings import Connection


class NoWaiting:
    """A pace that never sleeps and counts how long it would have slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.pace = outbox.Pace(sleep=self.slept.append, monotonic=lambda: 0.0)


class Segments:
    """One warehouse with a sync model of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        with warehouse.connect(url, "kizuna_activate") as connection:
            connection.execute(
                "create table sync.sync_line__audiences "
                "(audience text, customer_id text, line_user_id text, consent_evidence text)"
            )

    def fill(self, audience: str, user_ids: Iterable[str | None], *, consent: str | None = "consent-1") -> None:
        """Make these the members of `audience`."""
        rows = [(audience, f"customer {user_id}", user_id, consent) for user_id in user_ids]
        with warehouse.connect(self.url, "kizuna_activate") as connection:
            connection.execute("delete from sync.sync_line__audiences where audience = %s", [audience])
            connection.cursor().executemany("insert into sync.sync_line__audiences values (%s, %s, %s, %s)", rows)

    def pass_gate(self, run_id: str, *, success: bool = True, gate: str = "sync") -> None:
        """Write what the gate of a run found."""
        with warehouse.connect(self.url, "kizuna_activate") as connection:
            connection.execute(
                """
                insert into ops.quality_results
                    (run_id, gate, suite, expectation, table_name, severity, success, owner, reason, place)
                values (%s, %s, 'line', 'expect', 'sync_line__audiences', 'critical', %s, 'crm', 'test', 'here')
                """,
                [run_id, gate, success],
            )

    def deliver(self, connection: Connection, run_id: str = "run", **options: Any) -> outbox.Delivery:
        """Deliver with a gate that passed."""
        self.pass_gate(run_id)
        options.setdefault("pace", NoWaiting().pace)
        return outbox.deliver("line__audiences", connection, self.url, run_id, **options)

    def deliver_in_small_batches(self, connection: Connection, run_id: str) -> outbox.Delivery:
        """Deliver three ids a request, as `dying_delivery` does."""
        declared = DESTINATIONS["line__audiences"]
        with patch.dict(DESTINATIONS, line__audiences=dataclasses.replace(declared, batch_size=3)):
            return self.deliver(connection, run_id)

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """Read anything as the role that delivers."""
        with warehouse.connect(self.url, "kizuna_activate") as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def ledger(self) -> list[tuple[Any, ...]]:
        """Return the changes and whom they concern, in order."""
        return sorted(self.read("select audience, change, customer_id from ops.sync_ledger"))

    def live(self, audience: str) -> int | None:
        """Return the id of the live audience."""
        found = self.read(f"select live_audience_id from ops.sync_audiences where audience = '{audience}'")
        return found[0][0] if found else None

    def open_jobs(self) -> list[tuple[Any, ...]]:
        """Return what is not finished."""
        return self.read("select audience, state from ops.sync_jobs where state not in ('done', 'abandoned')")
