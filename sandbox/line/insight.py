"""LINE's insight endpoints: followers by day, demographics, and what happened to the messages of a unit."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.line.answers import RefusalError, answer, day_of, end_of, number, read_day, start_of
from sandbox.line.friends import is_friend
from sandbox.line.messages import COUNTED_SECONDS, DAY, opening, sent, units_of_month

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.line.friends import Friends
    from sandbox.records import Friend, Human
    from sandbox.setting import Setting

# A day's figures are there some hours after it is over.
READY_HOUR = 6
DEMOGRAPHIC_AGE_SECONDS = 3 * DAY
SMALLEST_AUDIENCE = 20
LONGEST_PERIOD = timedelta(days=30)
MOST_UNITS_LISTED = 100
AGES = ((15, "from0to14"), (20, "from15to19"), (25, "from20to24"), (30, "from25to29"), (35, "from30to34"))
OLDER_AGES = ((40, "from35to39"), (45, "from40to44"), (50, "from45to49"), (200, "from50"))
PERIODS = ((7, "within7days"), (30, "within30days"), (90, "within90days"), (180, "within180days"))
LONGER_PERIODS = ((365, "within365days"), (100_000, "over365days"))


class InsightEndpoints:
    """The statistics of one channel."""

    def __init__(self, setting: Setting, friends: Friends) -> None:
        """Know who is a friend."""
        self._setting = setting
        self._friends = friends
        self._humans = {human.line_user_id: human for human in setting.world.humans if human.line_user_id}

    async def followers(self, request: Request) -> Response:
        """Count followers and blocks as of the end of a day in Japan; a day is ready some hours after it is over."""
        now = self._setting.clock.now()
        day = read_day(request, "date", default=day_of(now) - timedelta(days=1))
        if now < end_of(day) + READY_HOUR * 3600:
            return answer({"status": "unready"})
        followers, blocks = self._friends.totals(end_of(day))
        if followers == 0:
            return answer({"status": "out_of_service"})
        counts = {"followers": followers, "targetedReaches": followers - blocks, "blocks": blocks}
        return answer({"status": "ready", **counts})

    async def demographic(self, _request: Request) -> Response:
        """Describe the friends of some days ago, in percent; nothing of fewer than 20."""
        moment = self._setting.clock.now() - DEMOGRAPHIC_AGE_SECONDS
        friends = [friend for friend in self._friends.everybody if is_friend(friend, moment)]
        if len(friends) < SMALLEST_AUDIENCE:
            return answer({"available": False})
        tiles = {
            "genders": shares("gender", (gender(self._human(friend)) for friend in friends)),
            "ages": shares("age", (age(self._human(friend), moment) for friend in friends)),
            "areas": shares("area", (area(self._human(friend)) for friend in friends)),
            "appTypes": shares("appType", (app_type(friend) for friend in friends)),
            "subscriptionPeriods": shares("subscriptionPeriod", (period(friend, moment) for friend in friends)),
        }
        return answer({"available": True, **tiles})

    def _human(self, friend: Friend) -> Human | None:
        return self._humans.get(friend.user_id)

    async def units(self, request: Request) -> Response:
        """List the units of this month."""
        limit = number(request, "limit", default=MOST_UNITS_LISTED, smallest=1, largest=MOST_UNITS_LISTED)
        names = units_of_month(self._friends.everybody, self._setting.clock.now())
        after = request.query_params.get("start", "")
        left = [name for name in names if name > after]
        more = {"next": left[limit - 1]} if len(left) > limit else {}
        return answer({"customAggregationUnits": left[:limit], **more})

    async def aggregation(self, request: Request) -> Response:
        """Tell what happened, as far as whole days are counted, to the messages of a unit sent in a span of days."""
        first, last = read_day(request, "from"), read_day(request, "to")
        if not timedelta() <= last - first <= LONGEST_PERIOD:
            raise RefusalError(400, "The request parameter is invalid. The period is longer than 30 days.")
        unit = request.query_params.get("customAggregationUnit", "")
        counted_to = start_of(day_of(self._setting.clock.now())) - 1
        opened, clicked, opens, clicks, messages = set[str](), set[str](), 0, 0, 0
        for at, friend in sent(self._friends.everybody, unit, start_of(first), min(end_of(last), counted_to)):
            messages += 1
            told, until = opening(unit, at, friend), min(counted_to, at + COUNTED_SECONDS)
            if told.opened_at is not None and told.opened_at <= until:
                opened.add(friend.user_id)
                opens += 1
            if told.clicked_at is not None and told.clicked_at <= until:
                clicked.add(friend.user_id)
                clicks += 1
        if not messages:
            return answer({"overview": overview(None, None), "messages": [], "clicks": []})
        bubble = {"seq": 1, "impression": opens, "uniqueImpression": at_least_20(len(opened)), **NO_MEDIA}
        url = f"https://shop.example/line/{unit}"
        link = {"seq": 1, "url": url, "click": clicks, "uniqueClick": at_least_20(len(clicked))}
        link["uniqueClickOfRequest"] = link["uniqueClick"]
        return answer({"overview": overview(len(opened), len(clicked)), "messages": [bubble], "clicks": [link]})


PARTS = ("", "25Percent", "50Percent", "75Percent", "100Percent")
NO_MEDIA = dict.fromkeys([kind + part for kind in ("mediaPlayed", "uniqueMediaPlayed") for part in PARTS])


def overview(opened: int | None, clicked: int | None) -> dict[str, int | None]:
    """Write the summary of a unit."""
    media = {"uniqueMediaPlayed": None, "uniqueMediaPlayed100Percent": None}
    return {"uniqueImpression": at_least_20(opened), "uniqueClick": at_least_20(clicked), **media}


def at_least_20(people: int | None) -> int | None:
    """Hide how many people it were when they are so few that one could be known among them."""
    return people if people is not None and people >= SMALLEST_AUDIENCE else None


def shares(name: str, values: Iterable[str]) -> list[dict[str, Any]]:
    """Write how often each value occurs, in percent, the commonest first."""
    counted = Counter(values)
    whole = sum(counted.values())
    return [{name: value, "percentage": round(100 * count / whole, 1)} for value, count in counted.most_common()]


def gender(human: Human | None) -> str:
    """Guess as the vendor does, which sometimes cannot."""
    if human is None:
        return "unknown"
    return Random(f"line/gender/{human.number}").choice(("female", "female", "female", "male", "unknown"))


def age(human: Human | None, moment: int) -> str:
    """Give the age group."""
    if human is None:
        return "unknown"
    years = (day_of(moment) - human.birth_date).days // 365
    return next(name for limit, name in (*AGES, *OLDER_AGES) if years < limit)


def area(human: Human | None) -> str:
    """Give the prefecture without its suffix, as the vendor writes it."""
    prefecture = human.address.prefecture if human else None
    if prefecture is None:
        return "unknown"
    return prefecture if prefecture == "北海道" else prefecture[:-1]


def app_type(friend: Friend) -> str:
    """Give the kind of phone."""
    return Random(f"line/phone/{friend.user_id}").choice(("ios", "ios", "android", "others"))


def period(friend: Friend, moment: int) -> str:
    """Give how long somebody has been a friend."""
    begin = max(begin for begin, _ in friend.spans if begin <= moment)
    days = (moment - begin) // DAY
    return next(name for limit, name in (*PERIODS, *LONGER_PERIODS) if days < limit)
