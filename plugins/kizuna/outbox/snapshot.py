"""What the sync model says now, held still for a delivery, and how it differs from what was acknowledged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from kizuna.outbox.errors import AudienceNameError, SyncModelMissingError

if TYPE_CHECKING:
    from kizuna.sending import AudienceObject

Connection = psycopg.Connection[Any]

# Long enough before an audience expires at the vendor that some failed runs do not matter.
RENEWED_BEFORE_EXPIRY = "14 days"
NAME_DIGITS = 12

HOLD_MEMBERS = """
create temporary table outbox_rows as
select
    audience,
    customer_id,
    consent_evidence,
    {member} as member_id,
    encode(sha256(convert_to({member}, 'UTF8')), 'hex') as member_key,
    case
        when coalesce({member}, '') !~ {pattern} then 'malformed_id'
        when coalesce(trim(consent_evidence), '') = '' then 'no_consent_evidence'
    end as rejected_for
from sync.{model};

create temporary table outbox_members as
select distinct on (audience, member_key) audience, member_id, member_key, customer_id, consent_evidence
from outbox_rows
where rejected_for is null
order by audience, member_key, customer_id, consent_evidence;

create unique index on outbox_members (audience, member_key);
analyze outbox_members;
"""
COMPARE = """
with acknowledged as (
    select * from ops.sync_acknowledged where destination_object = %(object)s
),
compared as (
    select
        coalesce(outbox_members.audience, acknowledged.audience) as audience,
        count(*) filter (where acknowledged.member_key is null) as added,
        count(*) filter (where outbox_members.member_key is null) as removed,
        count(*) filter (where outbox_members.member_key = acknowledged.member_key) as unchanged,
        count(*) filter (where (outbox_members.customer_id, outbox_members.consent_evidence)
            <> (acknowledged.customer_id, acknowledged.consent_evidence)) as relinked
    from outbox_members
    full join acknowledged
        on outbox_members.audience = acknowledged.audience and outbox_members.member_key = acknowledged.member_key
    group by 1
),
live as (
    select * from ops.sync_audiences where destination_object = %(object)s
),
open_jobs as (
    select audience from ops.sync_jobs
    where destination_object = %(object)s and state not in ('done', 'abandoned')
),
audiences as (
    select audience from compared
    union
    select audience from live where live_audience_id is not null
    union
    select audience from open_jobs
)
select
    audiences.audience,
    coalesce(added, 0),
    coalesce(removed, 0),
    coalesce(unchanged, 0),
    coalesce(relinked, 0),
    live_audience_id,
    coalesce(live_audience_id is not null and expires_at < now() + %(margin)s::interval, false)
from audiences
left join compared using (audience)
left join live using (audience)
order by audiences.audience
"""


@dataclass(frozen=True)
class Difference:
    """One audience: its members now against those acknowledged."""

    audience: str
    added: int
    removed: int
    unchanged: int
    relinked: int  # the same member, now under another customer_id or another consent; nothing to send
    live_audience_id: int | None
    is_expiring: bool

    @property
    def members(self) -> int:
        """How many the audience must have."""
        return self.added + self.unchanged

    @property
    def must_rebuild(self) -> bool:
        """Whether the vendor holds anything else than it should."""
        if not self.members:
            return bool(self.removed) or self.live_audience_id is not None
        return bool(self.added or self.removed) or self.live_audience_id is None or self.is_expiring


def hold(connection: Connection, declared: AudienceObject) -> None:
    """Copy the sync model into this session, sorted into members and rejected rows.

    Raises:
        SyncModelMissingError: when the model has not been built.
    """
    model = f"sync_{declared.full_name}"
    statements = sql.SQL(HOLD_MEMBERS).format(
        member=sql.Identifier(declared.member_column),
        pattern=sql.Literal(declared.member_id.pattern),
        model=sql.Identifier(model),
    )
    try:
        connection.execute(statements)
    except psycopg.errors.UndefinedTable:
        message = (
            f"sync.{model} does not exist: build the sync models first (the activate DAG, or dbt build --select sync)"
        )
        raise SyncModelMissingError(message) from None


def compare(connection: Connection, declared: AudienceObject) -> list[Difference]:
    """Return every audience that has, had or is getting members.

    Raises:
        AudienceNameError: when an audience's name does not fit into the vendor's.
    """
    rows = connection.execute(COMPARE, {"object": declared.full_name, "margin": RENEWED_BEFORE_EXPIRY}).fetchall()
    differences = [Difference(*row) for row in rows]
    for difference in differences:
        _check_name(difference.audience, declared)
    return differences


def _check_name(audience: str, declared: AudienceObject) -> None:
    room = declared.largest_name - len(vendor_name("", "")) - NAME_DIGITS
    if not 0 < len(audience) <= room or not audience.isprintable() or "/" in audience:
        message = (
            f"sync.sync_{declared.full_name}: audience {audience!r} cannot be named at {declared.destination}: "
            f"expected 1 to {room} printable characters without '/'; rename the segment"
        )
        raise AudienceNameError(message)


def vendor_name(audience: str, digest: str) -> str:
    """Return the vendor's name of an audience with these members; without a digest, how all of its names begin."""
    return f"kizuna/{audience}/{digest[:NAME_DIGITS]}"


def read_member_ids(connection: Connection, audience: str) -> list[str]:
    """Return the ids to send, in an order that depends on nothing but the ids."""
    query = 'select member_id from outbox_members where audience = %s order by member_id collate "C"'
    return [row[0] for row in connection.execute(query, [audience])]


def digest_of(member_ids: list[str]) -> str:
    """Return what identifies a set of members given in order."""
    return hashlib.sha256("\n".join(member_ids).encode()).hexdigest()


def count_rejected(connection: Connection) -> int:
    """Count the rows that must not or cannot leave."""
    row = connection.execute("select count(*) from outbox_rows where rejected_for is not null").fetchone()
    return int(row[0]) if row else 0
