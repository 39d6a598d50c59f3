"""A delivery in a process of its own that kills itself after a given number of writing statements (0: never).

Usage: python dying_delivery.py WAREHOUSE_URL BASE_URL RUN_ID DIES_AFTER_WRITE
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import psycopg

from kizuna import outbox
from kizuna.destinations import DESTINATIONS
from kizuna.settings import Connection

if TYPE_CHECKING:
    from collections.abc import Callable


class Deaths:
    """Counts the statements that write, and kills this process right after the one that brings the count to nothing."""

    def __init__(self, remaining: int) -> None:
        self.remaining = remaining

    def watch(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        def watched(cursor: Any, query: Any, *arguments: Any, **keywords: Any) -> Any:
            result = execute(cursor, query, *arguments, **keywords)
            if str(query).split()[0] in ("insert", "update", "delete"):
                self.remaining -= 1
                if not self.remaining:
                    os.kill(os.getpid(), signal.SIGKILL)
            return result

        return watched


def main() -> None:
    """Deliver once."""
    url, base_url, run_id, dies_after = sys.argv[1:]
    deaths = Deaths(int(dies_after))
    psycopg.Cursor.execute = deaths.watch(psycopg.Cursor.execute)  # type: ignore[method-assign]
    declared = DESTINATIONS["line__audiences"]
    DESTINATIONS["line__audiences"] = dataclasses.replace(declared, batch_size=3)
    account = Connection("line", base_url, "sandbox-token", {"poll_seconds": "0"})
    outbox.deliver("line__audiences", account, url, run_id)
    print("writes", int(dies_after) - deaths.remaining)


if __name__ == "__main__":
    main()
