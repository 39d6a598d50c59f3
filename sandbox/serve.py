"""Runs the sandbox as a process: chooses the world, keeps its anchor date, and serves on loopback until stopped."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox.app import create_app
from sandbox.records import World
from sandbox.state import State
from sandbox.world import TIMEZONE, invent_world


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
) -> None:
    """Serve a world until the process is stopped; an unreadable history raises before the port opens."""
    import uvicorn

    world = choose_world(state_dir, customers, seed, history, as_of, timezone, currency)
    app = create_app(world, state_dir)
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, date_header=False, server_header=False)


def choose_world(
    state_dir: Path,
    customers: int,
    seed: int,
    history: Path | None,
    as_of: date | None,
    timezone: str,
    currency: str,
) -> World:
    """Read the history, or invent the world anchored on the date at which its state was created."""
    if history is not None:
        from sandbox.replay import read_history

        return read_history(history, timezone, currency, as_of)
    state = State(state_dir)
    known = state.read("world")
    state.close()
    anchor = as_of or datetime.now(UTC).astimezone(ZoneInfo(TIMEZONE)).date()
    if known is not None and known.get("anchor") is not None and as_of is None:
        anchor = date.fromisoformat(known["anchor"])
    return invent_world(customers, seed, anchor)
