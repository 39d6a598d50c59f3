"""What the brand sends to its LINE friends, in which aggregation unit, and who opens it when.

Every Thursday evening there is news for all friends, in a unit of its own; whoever becomes a friend is welcomed, in one
unit for all. Most of those who open a message do so within hours, some after days.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from sandbox.line.answers import day_of, start_of
from sandbox.line.friends import is_friend

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.records import Friend

WELCOME = "welcome"
NEWS = "news_"
THURSDAY = 3
NEWS_HOUR = 18
DAY = 86_400
# Opens are counted up to two weeks after sending.
COUNTED_SECONDS = 14 * DAY
WELCOME_DELAY = 300


class Opening(NamedTuple):
    """One message that a user got: when they opened it, and whether they opened its link (None: never)."""

    opened_at: int | None
    clicked_at: int | None


def units_of_month(friends: Sequence[Friend], now: int) -> list[str]:
    """Name the units of messages that were sent in this month, in Japan."""
    today = day_of(now)
    first = today.replace(day=1)
    days = [first + timedelta(days=offset) for offset in range((today - first).days + 1)]
    news = [NEWS + f"{day:%Y%m%d}" for day in days if is_news_day(day) and news_moment(day) <= now]
    begin = start_of(first)
    welcomed = any(begin <= at <= now for friend in friends for at in welcome_moments(friend))
    return sorted([*news, *([WELCOME] if welcomed else [])])


def is_news_day(day: date) -> bool:
    """Say whether news is sent on a day."""
    return day.weekday() == THURSDAY


def news_moment(day: date) -> int:
    """Give the moment at which news is sent."""
    return start_of(day) + NEWS_HOUR * 3600


def welcome_moments(friend: Friend) -> Iterator[int]:
    """Give the moments at which somebody is welcomed: again after they came back."""
    for begin, _ in friend.spans:
        yield begin + WELCOME_DELAY


def sent(friends: Sequence[Friend], unit: str, first: int, last: int) -> Iterator[tuple[int, Friend]]:
    """Give the messages of a unit that were sent between two moments, one for each user who got one."""
    if unit == WELCOME:
        for friend in friends:
            for at in welcome_moments(friend):
                if first <= at <= last and is_friend(friend, at):
                    yield at, friend
        return
    day = news_day(unit)
    if day is not None and first <= (at := news_moment(day)) <= last:
        yield from ((at, friend) for friend in friends if is_friend(friend, at))


def news_day(unit: str) -> date | None:
    """Read the day of a unit of news; None for any other unit."""
    try:
        day = date.fromisoformat(unit.removeprefix(NEWS))
    except ValueError:
        return None
    return day if unit.startswith(NEWS) and is_news_day(day) else None


def opening(unit: str, at: int, friend: Friend) -> Opening:
    """Tell what a user did with one message."""
    random = Random(f"line/opening/{unit}/{at}/{friend.user_id}")
    if random.random() >= (0.8 if unit == WELCOME else 0.55):
        return Opening(None, None)
    delay = random.expovariate(1 / 3600) if random.random() < 0.75 else random.expovariate(1 / (3 * DAY))
    opened = at + int(delay)
    return Opening(opened, opened + random.randint(2, 90) if random.random() < 0.12 else None)
