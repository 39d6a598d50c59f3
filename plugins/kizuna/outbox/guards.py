"""What must hold before anything leaves; every guard refuses when it cannot tell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kizuna.outbox.errors import DestinationPausedError, GateNotPassedError, LargeChangeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kizuna.outbox.snapshot import Connection, Difference
    from kizuna.settings import Connection as Account

LARGEST_REMOVED_PART = 0.5
SMALLEST_LARGE_REMOVAL = 100
ALLOW_LARGE_CHANGE = "KIZUNA_ALLOW_LARGE_CHANGE"


def require_running(account: Account) -> None:
    """Refuse while the connection's kill-switch is on.

    Raises:
        DestinationPausedError: when the connection's extra has `paused` set to true.
    """
    if str(account.extra.get("paused", "")).lower() == "true":
        message = f"Connection {account.name!r} is paused (extra `paused` is true): remove it to deliver again"
        raise DestinationPausedError(message)


def require_gate(connection: Connection, run_id: str) -> None:
    """Refuse unless the sync gate of this run has checked something and found nothing critical.

    Raises:
        GateNotPassedError: when it has not, or its results cannot be found.
    """
    exists = connection.execute("select to_regclass('ops.quality_results') is not null").fetchone()
    if not exists or not exists[0]:
        message = "ops.quality_results does not exist: expected the sync gate's results; run `kizuna up` to create it"
        raise GateNotPassedError(message)
    row = connection.execute(
        """
        select count(*), count(*) filter (where severity = 'critical' and not success)
        from ops.quality_results
        where run_id = %s and gate = 'sync'
        """,
        [run_id],
    ).fetchone()
    checked, failed = row or (0, 0)
    if not checked:
        message = (
            f"The sync gate has no result for run {run_id!r}: expected at least one; run the gate before the delivery"
        )
        raise GateNotPassedError(message)
    if failed:
        message = (
            f"The sync gate of run {run_id!r} has {failed} critical failures: expected 0; see ops.quality_results, "
            "mend the data and run again"
        )
        raise GateNotPassedError(message)


def require_ordinary_change(differences: Iterable[Difference]) -> None:
    """Refuse when an audience would lose most of its people at once.

    Raises:
        LargeChangeError: when more than half and more than 100 would go and KIZUNA_ALLOW_LARGE_CHANGE is not 1.
    """
    if os.environ.get(ALLOW_LARGE_CHANGE) == "1":
        return
    for difference in differences:
        acknowledged = difference.removed + difference.unchanged
        if difference.removed > max(SMALLEST_LARGE_REMOVAL, acknowledged * LARGEST_REMOVED_PART):
            message = (
                f"Audience {difference.audience!r} would lose {difference.removed} of its {acknowledged} members: "
                f"expected at most {LARGEST_REMOVED_PART:.0%} (or {SMALLEST_LARGE_REMOVAL} persons); check the segment "
                f"and run again with {ALLOW_LARGE_CHANGE}=1"
            )
            raise LargeChangeError(message)
