"""The sandbox's own time: it stands still until it is advanced, and is remembered across restarts."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.state import State


class Clock:
    """A clock that never runs and never goes back."""

    def __init__(self, state: State, starts_at: int) -> None:
        """Go on from the remembered moment, or move forward to the given one."""
        self._state = state
        self._now = max(int(state.read("now") or starts_at), starts_at)
        state.write("now", self._now)

    def now(self) -> int:
        """Give the moment in seconds since 1970."""
        return self._now

    def advance(self, seconds: int) -> int:
        """Move forward."""
        if seconds < 0:
            message = f"the sandbox clock cannot go back ({seconds} seconds): give a positive number"
            raise ValueError(message)
        self._now += seconds
        self._state.write("now", self._now)
        return self._now

    def iso(self) -> str:
        """Write the moment as ISO 8601."""
        return datetime.fromtimestamp(self._now, UTC).isoformat()

    def http_date(self) -> str:
        """Write the moment as the HTTP Date header does."""
        return format_datetime(datetime.fromtimestamp(self._now, UTC), usegmt=True)
