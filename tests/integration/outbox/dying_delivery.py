"""A delivery in a process of its own that kills itself after a given number of writes (0: never).

Usage: python dying_delivery.py WAREHOUSE_URL BASE_URL RUN_ID DIES_AFTER_WRITE
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from kizuna import outbox
from kizuna.destinations import DESTINATIONS
from kizuna.outbox.ledger import Ledger
from kizuna.settings import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

WRITES = ("intend", "created", "added", "move", "swap", "remove", "relink", "reject")


def counted(write: Callable[..., Any], deaths: list[int]) -> Callable[..., Any]:
    """Kill this process right after the write that brings the count down to nothing."""

    def count(*arguments: Any, **keywords: Any) -> Any:
        result = write(*arguments, **keywords)
        deaths[0] -= 1
        if not deaths[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return count


def main() -> None:
    """Deliver once."""
    url, base_url, run_id, dies_after = sys.argv[1:]
    deaths = [int(dies_after)]
    for name in WRITES:
        setattr(Ledger, name, counted(getattr(Ledger, name), deaths))
    declared = DESTINATIONS["line__audiences"]
    DESTINATIONS["line__audiences"] = dataclasses.replace(declared, batch_size=3)
    account = Connection("line", base_url, "sandbox-token", {"poll_seconds": "0"})
    outbox.deliver("line__audiences", account, url, run_id)
    print("writes", int(dies_after) - deaths[0])


if __name__ == "__main__":
    main()
