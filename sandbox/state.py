"""What outlives the sandbox's process: the clock, faults and LINE audiences, in one SQLite file.

Every change is committed before the answer goes out, so a killed sandbox comes back in the state its clients were told.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TABLES = """
create table if not exists setting (name text primary key, value text not null);
create table if not exists audience (
  id integer primary key autoincrement, description text not null, created integer not null
);
create table if not exists audience_member (
  audience_id integer not null references audience (id) on delete cascade, user_id text not null,
  is_reachable integer not null, primary key (audience_id, user_id)
) without rowid;
create table if not exists audience_job (
  id integer primary key autoincrement, audience_id integer not null references audience (id) on delete cascade,
  description text, created integer not null, member_count integer not null, polls_left integer not null
);
"""


class StateError(Exception):
    """The state folder belongs to another world."""


class State:
    """The state file of one sandbox."""

    def __init__(self, folder: Path) -> None:
        """Open or create the file."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "sandbox.sqlite"
        self.connection = sqlite3.connect(self.path, check_same_thread=False)
        self.connection.execute("pragma journal_mode = wal")
        self.connection.execute("pragma synchronous = normal")
        self.connection.execute("pragma foreign_keys = on")
        with self.connection:
            self.connection.executescript(TABLES)

    def read(self, name: str) -> Any:  # noqa: ANN401
        """Read a remembered value; None when there is none."""
        found = self.connection.execute("select value from setting where name = ?", (name,)).fetchone()
        return None if found is None else orjson.loads(found[0])

    def write(self, name: str, value: object) -> None:
        """Remember a value."""
        text = orjson.dumps(value).decode()
        with self.connection:
            self.connection.execute("insert or replace into setting (name, value) values (?, ?)", (name, text))

    def claim(self, identity: Mapping[str, str | int]) -> None:
        """Tie the state to a world; refuse one that belongs to another."""
        known = self.read("world")
        if known is None:
            self.write("world", dict(identity))
        elif known != dict(identity):
            message = (
                f"sandbox state {self.path.parent.name!r} belongs to the world {known}, asked for {dict(identity)}: "
                "use another state folder, or remove this one to start over"
            )
            raise StateError(message)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
