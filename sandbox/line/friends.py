"""Who is a LINE friend at a moment, and how many there have been."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.records import Friend, World


class Friends:
    """The friends of the shop's LINE account as of the clock."""

    def __init__(self, friends: Sequence[Friend]) -> None:
        """Index the friends by user id."""
        self.everybody = friends
        self._current: tuple[int, list[str]] = (-1, [])

    @cached_property
    def by_user_id(self) -> dict[str, Friend]:
        """Give every user who is ever a friend."""
        return {friend.user_id: friend for friend in self.everybody}

    def current(self, now: int) -> list[str]:
        """Give the user ids of the friends at a moment, in the order in which the vendor lists them."""
        if self._current[0] != now:
            self._current = (now, sorted(f.user_id for f in self.everybody if is_friend(f, now)))
        return self._current[1]

    def find(self, user_id: str, now: int) -> Friend | None:
        """Look a current friend up."""
        friend = self.by_user_id.get(user_id)
        return friend if friend is not None and is_friend(friend, now) else None

    def totals(self, moment: int) -> tuple[int, int]:
        """Count those who ever became friends up to a moment, and those of them who block the account then."""
        ever = [friend for friend in self.everybody if friend.spans[0][0] <= moment]
        return len(ever), sum(not is_friend(friend, moment) for friend in ever)


def is_friend(friend: Friend, moment: int) -> bool:
    """Say whether a user is a friend at a moment."""
    return any(begin <= moment and (end is None or moment < end) for begin, end in friend.spans)


def truth_of(world: World) -> dict[str, int]:
    """Tell which human is behind a user id; those who never buy are nobody known."""
    return {friend.user_id: friend.truth for friend in world.friends if friend.truth is not None}
