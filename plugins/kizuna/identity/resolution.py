"""One run of identity: read, decide, write what changed, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kizuna import warehouse
from kizuna.identity.assignment import Assignment, assign
from kizuna.identity.components import connect
from kizuna.identity.reading import count, read_known, read_links, stage
from kizuna.identity.writing import Stamp, write_caps, write_changes

if TYPE_CHECKING:
    from datetime import datetime

    from kizuna.identity.exchange import Connection


class IdentityError(RuntimeError):
    """Identity cannot be resolved as things are; the text says why and what to do."""


class IdentifiersMissingError(IdentityError):
    """The table of identifiers does not exist."""


class IdentifiersVanishedError(IdentityError):
    """The table of identifiers is empty although customers exist."""


@dataclass(frozen=True)
class Resolution:
    """What one run found and changed, in counts."""

    records: int
    customers: int
    minted: int
    merged: int
    split: int
    restored: int
    retired: int = 0
    capped_values: int = 0


def resolve(warehouse_url: str, run_id: str) -> Resolution:
    """Give every record of `identity.int_identity__identifiers` its customer_id in `identity.members`.

    Deterministic in its input and the previous map; a run that finds nothing new writes nothing.

    Raises:
        IdentifiersMissingError: when dbt has not built the identifiers.
        IdentifiersVanishedError: when they are empty although customers exist.
    """
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('kizuna.identity'))")
        _require_identifiers(connection)
        record_count = stage(connection)
        if not record_count and count(connection, "select count(*) from identity.members"):
            message = (
                "identity.int_identity__identifiers is empty, but identity.members is not: expected at least one "
                "record; check the staging models, then run the transform again"
            )
            raise IdentifiersVanishedError(message)
        known = read_known(connection, record_count)
        assignment = assign(connect(record_count, *read_links(connection)), known)
        # Taken after the lock, so that the order of these stamps is the order of the runs.
        stamp = Stamp(run_id, _now(connection))
        write_changes(connection, assignment, known, stamp)
        return _summarize(assignment, write_caps(connection, run_id))


def _require_identifiers(connection: Connection) -> None:
    if not count(connection, "select (to_regclass('identity.int_identity__identifiers') is not null)::int"):
        message = (
            "identity.int_identity__identifiers does not exist: build the dbt model int_identity__identifiers first"
        )
        raise IdentifiersMissingError(message)


def _now(connection: Connection) -> datetime:
    row = connection.execute("select clock_timestamp()").fetchone()
    moment: datetime = row[0]  # type: ignore[index]
    return moment


def _summarize(assignment: Assignment, capped_values: int) -> Resolution:
    return Resolution(
        records=len(assignment.current),
        customers=len(np.unique(assignment.current)),
        minted=len(assignment.founders),
        merged=len(assignment.merged),
        split=len(assignment.split),
        restored=len(assignment.restored),
        retired=len(assignment.retired),
        capped_values=capped_values,
    )
