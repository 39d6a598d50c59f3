"""One delivery to one destination object, from the checks before it to the counts after it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from kizuna import warehouse
from kizuna.destinations import DESTINATIONS
from kizuna.http import VendorError
from kizuna.outbox import guards
from kizuna.outbox.errors import DeliveryInProgressError, OutboxError, UnknownDestinationError
from kizuna.outbox.ledger import Ledger
from kizuna.outbox.snapshot import compare, count_rejected, hold
from kizuna.outbox.swap import Patience, Swap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kizuna.outbox.snapshot import Connection, Difference
    from kizuna.sending import AudienceObject
    from kizuna.settings import Connection as Account

DEADLINE_SECONDS = 3600.0
LONGEST_WAIT_FOR_ANOTHER_RUN = "30s"


@dataclass(frozen=True)
class Delivery:
    """What one delivery did, in counts of persons; `sent` are the members of the audiences that were built anew."""

    members: int
    added: int
    removed: int
    unchanged: int
    sent: int
    acknowledged: int
    requests: int
    seconds: float
    rejected: int = 0
    ignored: int = 0


@dataclass(frozen=True)
class Pace:
    """How time passes for a delivery; tests bring their own."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic


def deliver(
    destination_object: str,
    connection: Account,
    warehouse_url: str,
    run_id: str,
    *,
    dry_run: bool = False,
    require_gate: bool = True,
    pace: Pace | None = None,
) -> Delivery:
    """Make `destination_object` at the vendor equal to its sync model.

    A dry run passes no guard, calls nothing, writes nothing, and returns the counts of the real one.

    Raises:
        OutboxError: when a guard refuses, or the vendor's result is not what was sent.
        VendorError: when the vendor refuses or cannot be reached.
    """
    declared = _declared(destination_object)
    pace = pace or Pace()
    started = pace.monotonic()
    with _session(warehouse_url, destination_object) as session:
        hold(session, declared)
        differences, requests = compare(session, declared), 0
        if not dry_run:
            _require(connection, session, run_id, differences, gate=require_gate)
            requests = _deliver(declared, connection, Ledger(session, destination_object, run_id), differences, pace)
        return Delivery(
            **_count(differences),
            requests=requests,
            seconds=pace.monotonic() - started,
            rejected=count_rejected(session),
            ignored=0 if dry_run else _count_ignored(session, destination_object),
        )


def _count(differences: Sequence[Difference]) -> dict[str, int]:
    members = sum(difference.members for difference in differences)
    return {
        "members": members,
        "added": sum(difference.added for difference in differences),
        "removed": sum(difference.removed for difference in differences),
        "unchanged": sum(difference.unchanged for difference in differences),
        "sent": sum(difference.members for difference in differences if difference.must_rebuild),
        "acknowledged": members,
    }


def _declared(destination_object: str) -> AudienceObject:
    if destination_object not in DESTINATIONS:
        message = (
            f"Destination {destination_object!r} is not declared: expected one of {sorted(DESTINATIONS)}; "
            "see docs/add-a-destination.md"
        )
        raise UnknownDestinationError(message)
    return DESTINATIONS[destination_object]


@contextmanager
def _session(warehouse_url: str, destination_object: str) -> Iterator[Connection]:
    """Open a session that is alone with its destination and commits every step by itself."""
    with warehouse.connect(warehouse_url, "kizuna_activate", autocommit=True) as session:
        session.execute("select set_config('lock_timeout', %s, false)", [LONGEST_WAIT_FOR_ANOTHER_RUN])
        try:
            session.execute("select pg_advisory_lock(hashtext('kizuna.outbox'), hashtext(%s))", [destination_object])
        except psycopg.errors.LockNotAvailable:
            message = (
                f"{destination_object}: another run has been delivering for {LONGEST_WAIT_FOR_ANOTHER_RUN}: "
                "expected none; wait for it, or stop it, then run again"
            )
            raise DeliveryInProgressError(message) from None
        session.execute("set lock_timeout = 0")
        yield session


def _require(
    account: Account, session: Connection, run_id: str, differences: Sequence[Difference], *, gate: bool
) -> None:
    guards.require_running(account)
    if gate:
        guards.require_gate(session, run_id)
    guards.require_ordinary_change(differences)


def _deliver(
    declared: AudienceObject, connection: Account, ledger: Ledger, differences: Sequence[Difference], pace: Pace
) -> int:
    """Deliver every audience; one that fails does not keep the others waiting, and fails the delivery at the end."""
    ledger.reject()
    patience = Patience(
        sleep=pace.sleep,
        poll_seconds=float(connection.extra.get("poll_seconds", declared.poll_seconds)),
        deadline_seconds=float(connection.extra.get("deadline_seconds", DEADLINE_SECONDS)),
    )
    failures: list[Exception] = []
    with declared.open_account(connection, pace.sleep) as account:
        for difference in differences:
            try:
                Swap(declared, account, ledger, patience).deliver(difference)
            except (OutboxError, VendorError) as failure:
                failures.append(failure)
        requests = account.requests
    if failures:
        raise failures[0]
    return requests


def _count_ignored(session: Connection, destination_object: str) -> int:
    row = session.execute(
        "select coalesce(sum(ignored_count), 0) from ops.sync_audiences where destination_object = %s",
        [destination_object],
    ).fetchone()
    return int(row[0]) if row else 0
