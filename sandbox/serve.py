"""Runs the sandbox as a process: chooses the world, keeps its anchor date, and serves on loopback until stopped."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import uvicorn

from sandbox.app import create_app
from sandbox.replay import behind_the_day, read_order_history
from sandbox.state import State
from sandbox.world import TIMEZONE, invent_world

if TYPE_CHECKING:
    from sandbox.records import World


def run(
    host: str = "127.0.0.1",
    port: int = 8800,
    state_dir: Path = Path(".kizuna/sandbox"),
    customers: int = 1000,
    seed: int = 7,
    history: Path | None = None,
    as_of: date | None = None,
    timezone: str = TIMEZONE,
    currency: str = "JPY",
    webhooks_url: str | None = None,
    *,
    writes_exports: bool = False,
) -> None:
    """Serve a world until the process is stopped; an unreadable history raises before the port opens."""
    world = choose_world(state_dir, customers, seed, history, as_of, timezone, currency)
    app = create_app(world, state_dir, writes_exports=writes_exports)
    for vendor in app.state.deliveries.describe() if webhooks_url else ():
        app.state.deliveries.subscribe(vendor, f"{webhooks_url}/{vendor}")
    uvicorn.run(
        app, host=host, port=port, log_level="warning", access_log=False, date_header=False, server_header=False
    )


def choose_world(
    state_dir: Path,
    customers: int,
    seed: int,
    history: Path | None,
    as_of: date | None,
    timezone: str,
    currency: str,
) -> World:
    """Read the history, or invent the world anchored on the date at which its state was created.

    A later as-of day moves the clock of an invented world behind that day; the world stays the same.
    """
    if history is not None:
        return read_order_history(history, timezone, currency).world(as_of)
    state = State(state_dir)
    known = state.read("world")
    state.close()
    if known is not None and "anchor" in known:
        anchor = date.fromisoformat(known["anchor"])
    else:
        anchor = as_of or datetime.now(UTC).astimezone(ZoneInfo(TIMEZONE)).date()
    world = invent_world(customers, seed, anchor)
    if as_of is not None and as_of > anchor:
        world.starts_at = behind_the_day(as_of, ZoneInfo(TIMEZONE))
    return world
