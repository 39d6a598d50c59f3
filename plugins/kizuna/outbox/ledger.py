"""What is written down before and after every step of a delivery, so that no step is forgotten or done twice.

Every function is one transaction: the sessions of the outbox commit by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row

if TYPE_CHECKING:
    from datetime import timedelta

    from kizuna.outbox.snapshot import Connection
    from kizuna.sending import NewAudience

COLUMNS = "job_id, audience, digest, state, member_count, batches_sent, audience_id, replaced_audience_id, lifetime"


@dataclass(frozen=True)
class Job:
    """One rebuild of one audience, as far as it has come."""

    job_id: int
    audience: str
    digest: str
    state: str
    member_count: int
    batches_sent: int
    audience_id: int | None
    replaced_audience_id: int | None
    lifetime: timedelta | None


@dataclass(frozen=True)
class Ledger:
    """The written side of one delivery to one destination."""

    connection: Connection
    destination_object: str
    run_id: str

    def open_job(self, audience: str) -> Job | None:
        """Return the work on `audience` that is not finished."""
        return self._job(
            f"select {COLUMNS} from ops.sync_jobs "  # noqa: S608 - constants
            "where destination_object = %s and audience = %s and state not in ('done', 'abandoned')",
            [self.destination_object, audience],
        )

    def intend(self, audience: str, digest: str, members: int, replaced: int | None) -> Job:
        """Write down that an audience is about to be built, or, with no members, removed."""
        state = "creating" if members else "removing"
        return self._require(
            "insert into ops.sync_jobs "  # noqa: S608 - constants
            "(destination_object, audience, run_id, digest, state, member_count, replaced_audience_id) "
            f"values (%s, %s, %s, %s, %s, %s, %s) returning {COLUMNS}",
            [self.destination_object, audience, self.run_id, digest, state, members, replaced],
        )

    def created(self, job: Job, audience: NewAudience) -> Job:
        """Write down the vendor's id of the audience; its first batch is in."""
        return self._advance(
            job,
            "state = 'adding', batches_sent = 1, audience_id = %s, lifetime = %s",
            [audience.audience_id, audience.lifetime],
        )

    def added(self, job: Job) -> Job:
        """Write down that one more batch is in."""
        return self._advance(job, "batches_sent = batches_sent + 1", [])

    def move(self, job: Job, state: str) -> Job:
        """Write down that the job is in another state."""
        return self._advance(job, "state = %s", [state])

    def swap(self, job: Job, ignored: int) -> Job:
        """Make the new audience the live one, the current members the acknowledged ones, and write each change down."""
        with self.connection.transaction():
            self._append_changes(job, job.audience_id)
            self._acknowledge(job.audience)
            self.connection.execute(
                """
                insert into ops.sync_audiences (
                    destination_object, audience, live_audience_id, live_digest, member_count, ignored_count,
                    swapped_at, expires_at, run_id
                )
                values (%s, %s, %s, %s, %s, %s, now(), now() + %s::interval, %s)
                on conflict (destination_object, audience) do update
                set live_audience_id = excluded.live_audience_id, live_digest = excluded.live_digest,
                    member_count = excluded.member_count, ignored_count = excluded.ignored_count,
                    swapped_at = excluded.swapped_at, expires_at = excluded.expires_at, run_id = excluded.run_id
                """,
                [
                    self.destination_object,
                    job.audience,
                    job.audience_id,
                    job.digest,
                    job.member_count,
                    ignored,
                    job.lifetime,
                    self.run_id,
                ],
            )
            return self.move(job, "cleaning")

    def remove(self, job: Job) -> Job:
        """Write down that an audience without members is gone at the vendor."""
        with self.connection.transaction():
            self.connection.execute(
                """
                insert into ops.sync_ledger (
                    destination_object, audience, customer_id, member_key, change, consent_evidence, audience_id, run_id
                )
                select destination_object, audience, customer_id, member_key, 'removed', consent_evidence, %s, %s
                from ops.sync_acknowledged where destination_object = %s and audience = %s
                """,
                [job.replaced_audience_id, self.run_id, self.destination_object, job.audience],
            )
            self.connection.execute(
                "delete from ops.sync_acknowledged where destination_object = %s and audience = %s",
                [self.destination_object, job.audience],
            )
            self.connection.execute(
                """
                update ops.sync_audiences
                set live_audience_id = null, live_digest = null, member_count = 0, ignored_count = 0,
                    swapped_at = now(), expires_at = null, run_id = %s
                where destination_object = %s and audience = %s
                """,
                [self.run_id, self.destination_object, job.audience],
            )
            return self.move(job, "done")

    def relink(self, audience: str) -> None:
        """Keep the acknowledged state's customer and consent true where the member is the same."""
        with self.connection.transaction():
            self._acknowledge(audience)

    def reject(self) -> None:
        """Write down rows that must not leave, each reason once a person."""
        self.connection.execute(
            """
            insert into ops.sync_ledger (
                destination_object, audience, customer_id, member_key, change, reason, consent_evidence, run_id
            )
            select distinct
                %(object)s, audience, customer_id, member_key, 'rejected', rejected_for, consent_evidence, %(run)s
            from outbox_rows
            where rejected_for is not null and not exists (
                select from ops.sync_ledger
                where sync_ledger.destination_object = %(object)s
                    and sync_ledger.audience = outbox_rows.audience
                    and sync_ledger.customer_id = outbox_rows.customer_id
                    and sync_ledger.change = 'rejected'
                    and sync_ledger.reason = outbox_rows.rejected_for
                    and sync_ledger.member_key is not distinct from outbox_rows.member_key
            )
            """,
            {"object": self.destination_object, "run": self.run_id},
        )

    def _append_changes(self, job: Job, audience_id: int | None) -> None:
        self.connection.execute(
            """
            insert into ops.sync_ledger (
                destination_object, audience, customer_id, member_key, change, consent_evidence, audience_id, run_id
            )
            select
                %(object)s,
                %(audience)s,
                coalesce(members.customer_id, acknowledged.customer_id),
                coalesce(members.member_key, acknowledged.member_key),
                case when acknowledged.member_key is null then 'added' else 'removed' end,
                coalesce(members.consent_evidence, acknowledged.consent_evidence),
                %(audience_id)s,
                %(run)s
            from (select * from outbox_members where audience = %(audience)s) as members
            full join (
                select * from ops.sync_acknowledged
                where destination_object = %(object)s and audience = %(audience)s
            ) as acknowledged on members.member_key = acknowledged.member_key
            where members.member_key is null or acknowledged.member_key is null
            """,
            {
                "object": self.destination_object,
                "audience": job.audience,
                "audience_id": audience_id,
                "run": self.run_id,
            },
        )

    def _acknowledge(self, audience: str) -> None:
        names = {"object": self.destination_object, "audience": audience}
        self.connection.execute(
            """
            delete from ops.sync_acknowledged
            where destination_object = %(object)s and audience = %(audience)s and not exists (
                select from outbox_members
                where outbox_members.audience = sync_acknowledged.audience
                    and outbox_members.member_key = sync_acknowledged.member_key
            )
            """,
            names,
        )
        self.connection.execute(
            """
            insert into ops.sync_acknowledged (
                destination_object, audience, member_key, customer_id, consent_evidence, acknowledged_at
            )
            select %(object)s, audience, member_key, customer_id, consent_evidence, now()
            from outbox_members where audience = %(audience)s
            on conflict (destination_object, audience, member_key) do update
            set customer_id = excluded.customer_id, consent_evidence = excluded.consent_evidence,
                acknowledged_at = excluded.acknowledged_at
            where (sync_acknowledged.customer_id, sync_acknowledged.consent_evidence)
                <> (excluded.customer_id, excluded.consent_evidence)
            """,
            names,
        )

    def _advance(self, job: Job, assignment: str, values: list[object]) -> Job:
        return self._require(
            f"update ops.sync_jobs set {assignment}, updated_at = now() where job_id = %s returning {COLUMNS}",  # noqa: S608
            [*values, job.job_id],
        )

    def _job(self, query: str, values: list[object]) -> Job | None:
        with self.connection.cursor(row_factory=class_row(Job)) as cursor:
            return cursor.execute(query, values).fetchone()

    def _require(self, query: str, values: list[object]) -> Job:
        job = self._job(query, values)
        if job is None:
            message = (
                "ops.sync_jobs lost a row that is being worked on: expected it to stay; is the warehouse being reset?"
            )
            raise LookupError(message)
        return job
