"""LINE Messaging API: who follows an official account, their profiles, statistics, and webhook events.

Surprises of this vendor:
- Follower ids are for verified and premium accounts only; others are answered 403.
- The list is a snapshot without times: who left is seen by comparing; blocking and leaving look the same.
- A page may hold fewer ids than asked for and still have a next one; the token lives 24 hours.
- The only count is yesterday's (UTC+9), and `followers` never falls: those who are there are followers − blocks.
- 429 carries no Retry-After, and the same status says that a month's messages are used up.
- Statistics are of whole days in Japan, some hours late, and each of their endpoints takes 60 requests an hour.
- Profiles have no list: one request each. These streams and the statistics look into raw first and ask for what is not
  there yet, so that they cost what has changed; as every request gives one record, those to ask for are the count.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import psycopg

from kizuna import warehouse
from kizuna.answers import JAPAN
from kizuna.inbox import InboxStream
from kizuna.pagination import TokenPages
from kizuna.reading import EPOCH, VendorCount, Window
from kizuna.rest import RestSource, RestStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kizuna.answers import Answer
    from kizuna.asking import Get

USER_ID = r"U[0-9a-f]{32}"
# The count of a day is ready some hours into the next one.
DAYS_LOOKED_BACK = 4
SMALLEST_MOVEMENT = 20
# A profile is asked for once a follower is new or back, and again after this long; names change, but rarely. So many in
# a run keep a run short: about two minutes at 100 ms each. The rest is for the next runs.
PROFILE_LIFETIME = timedelta(days=90)
MOST_PROFILES = 1_000
PROFILES_TOGETHER = 100
# A first landing starts here; a day that stays unready is given up after `PATIENCE_DAYS`.
FIRST_DAYS = 30
PATIENCE_DAYS = 14
# Below the 60 requests an hour that each of the statistics allows: the count of followers needs some, too.
MOST_DAYS = 40
MOST_UNITS = 50
# Openings are counted for two weeks after a message was sent.
DAYS_OF_GROWTH = 14


def count_followers(get: Get, window: Window) -> VendorCount | None:
    """Return the last ready day's followers without blocks, give or take what may change in a day.

    None where LINE has no statistics of the account yet ("out_of_service" for each day).
    """
    today = window.upper.astimezone(JAPAN)
    states = set()
    for days in range(1, DAYS_LOOKED_BACK + 1):
        day = (today - timedelta(days=days)).strftime("%Y%m%d")
        answer = get("/v2/bot/insight/followers", {"date": day}, "followers count")
        states.add(answer.body.get("status"))
        if answer.body.get("status") == "ready":
            count = int(answer.body["followers"]) - int(answer.body["blocks"])
            return VendorCount(count, tolerance=max(SMALLEST_MOVEMENT, count // 20))
    if states == {"out_of_service"}:
        return None
    why = f"no count is ready for the {DAYS_LOOKED_BACK} days before {today:%Y-%m-%d}"
    return get.fail("followers count", answer, why, "run again in some hours; without a count nothing is landed")


def is_follower(get: Get, user_id: str) -> bool:
    """Tell whether somebody who is not in the list follows all the same, which a dropped page would explain."""
    return get(f"/v2/bot/profile/{user_id}", {}, "follower profile", accept=(404,)).status == 200


# Who came or came back after their profile was asked for, then those whose profile is oldest.
_DUE_PROFILES = """
select follower._record_id
from (
    select distinct on (_record_id) _record_id, _extracted_at, _is_deleted
    from raw.line__followers
    order by _record_id, _source_updated_at desc nulls last, _sequence desc
) as follower
left join lateral (
    select max(_source_updated_at) as asked_at from raw.line__profiles as profile
    where profile._record_id = follower._record_id
) as known on true
where
    not follower._is_deleted
    and (known.asked_at is null or known.asked_at < follower._extracted_at or known.asked_at < %(oldest)s)
order by known.asked_at nulls first, follower._record_id
limit %(most)s
"""


def due_profiles(get: Get, window: Window) -> list[str]:
    """Name the followers whose profile is to be asked for: new, back again, or not asked for in a long time."""
    values = {"oldest": window.upper - PROFILE_LIFETIME, "most": MOST_PROFILES}
    return [row[0] for row in ask_raw(get, _DUE_PROFILES, values)]


def read_profiles(get: Get, window: Window) -> Iterator[Sequence[object]]:
    """Ask for each due profile; who has none (left meanwhile, or has not agreed) is remembered as not found."""
    due = due_profiles(get, window)
    for begin in range(0, len(due), PROFILES_TOGETHER):
        yield [profile(get, user_id, window) for user_id in due[begin : begin + PROFILES_TOGETHER]]


def profile(get: Get, user_id: str, window: Window) -> dict[str, Any]:
    """Ask for one profile."""
    answer = get(f"/v2/bot/profile/{user_id}", {}, "profile", accept=(404,))
    found = answer.body if answer.status == 200 else {}
    # The id is the one asked for: another one would be somebody else's profile under this key.
    return {**found, "userId": user_id, "isFound": answer.status == 200, "askedAt": window.upper.isoformat()}


def due_days(get: Get, window: Window) -> list[date]:
    """List the days, oldest first, whose followers are not known for good, from the first known or asked for on."""
    yesterday = window.upper.astimezone(JAPAN).date() - timedelta(days=1)
    told = "select _record_id, bool_or(payload ->> 'status' <> 'unready') from raw.line__insight_followers group by 1"
    is_final = {date.fromisoformat(day): final for day, final in ask_raw(get, told, {})}
    first = min(is_final, default=yesterday - timedelta(days=FIRST_DAYS - 1))
    if window.lower > EPOCH:
        first = min(first, window.lower.astimezone(JAPAN).date())
    days = [first + timedelta(days=offset) for offset in range((yesterday - first).days + 1)]
    given_up = yesterday - timedelta(days=PATIENCE_DAYS)
    return [day for day in days if not is_final.get(day, False) and (day not in is_final or day > given_up)][:MOST_DAYS]


def read_days(get: Get, window: Window) -> Iterator[Sequence[object]]:
    """Ask for the followers of each due day."""
    for day in due_days(get, window):
        answer = get("/v2/bot/insight/followers", {"date": f"{day:%Y%m%d}"}, "followers of a day")
        yield [{**answer.body, "date": day.isoformat()}]


def is_demographic_due(get: Get, window: Window) -> bool:
    """Tell whether the friends have not been described yet today."""
    told = "select from raw.line__insight_demographics where _record_id = %(today)s limit 1"
    return not ask_raw(get, told, {"today": today_of(window)})


def read_demographic(get: Get, window: Window) -> Iterator[Sequence[object]]:
    """Ask how the friends are divided, once a day."""
    if is_demographic_due(get, window):
        answer = get("/v2/bot/insight/demographic", {}, "demographic")
        yield [{**answer.body, "askedOn": today_of(window)}]


@lru_cache(maxsize=4)
def units_in_use(get: Get) -> tuple[date | None, tuple[str, ...]]:
    """List the units of LINE's present month, named by its first day.

    Once in an opening: they are asked for by reading and by counting.
    """

    def ask(page: Mapping[str, str]) -> Answer:
        return get("/v2/bot/message/aggregation/list", page, "aggregation units")

    pagination = TokenPages(parameter="start", field="next")
    pages = list(get.walk("aggregation units", ask, {}, pagination, "customAggregationUnits"))
    date_of_answer = pages[-1][0].date
    month = date_of_answer.astimezone(JAPAN).date().replace(day=1) if date_of_answer else None
    return month, tuple(unit for _, units in pages for unit in units)


_ASKED_UNITS = """
select payload ->> 'month', payload ->> 'customAggregationUnit', max(payload ->> 'askedOn')
from raw.line__insight_messages group by 1, 2
"""


def due_units(get: Get, window: Window) -> list[tuple[str, date, date]]:
    """List what to ask today: each unit of this month up to yesterday, and last month's while they still grow.

    A record is of a month and not of a day: figures of fewer than 20 people are hidden, and of one day they often are;
    and so a unit costs one request a day. The vendor names the units of this month only; last month's are those that
    were asked for in it.
    """
    today = window.upper.astimezone(JAPAN).date()
    first = today.replace(day=1)
    last_month = (first - timedelta(days=1)).replace(day=1)
    asked = {(month, unit): day for month, unit, day in ask_raw(get, _ASKED_UNITS, {})}
    wanted: list[tuple[str, date, date]] = []
    if today > first:
        month, units = units_in_use(get)
        # A span of the past has units that nobody names any more.
        wanted += [(unit, first, today - timedelta(days=1)) for unit in units if month == first]
    if today <= first + timedelta(days=DAYS_OF_GROWTH):
        known = [unit for month, unit in asked if month == f"{last_month:%Y-%m}"]
        wanted += [(unit, last_month, first - timedelta(days=1)) for unit in known]
    due = [one for one in wanted if asked.get((f"{one[1]:%Y-%m}", one[0]), "") < today.isoformat()]
    # Those not asked for the longest come first, so that more units than one hour allows are all read in turn.
    return sorted(due, key=lambda one: (asked.get((f"{one[1]:%Y-%m}", one[0]), ""), one))[:MOST_UNITS]


def read_units(get: Get, window: Window) -> Iterator[Sequence[object]]:
    """Ask what happened to the messages of each due unit."""
    for unit, begin, end in due_units(get, window):
        period = {"customAggregationUnit": unit, "from": f"{begin:%Y%m%d}", "to": f"{end:%Y%m%d}"}
        answer = get("/v2/bot/insight/message/event/aggregation", period, "messages of a unit")
        days = {"month": f"{begin:%Y-%m}", "to": end.isoformat(), "askedOn": today_of(window)}
        yield [{**answer.body, "customAggregationUnit": unit, **days}]


def read_nonces(get: Get, window: Window) -> Iterator[Sequence[object]]:  # noqa: ARG001 - the page keeps them all
    """Read the nonces that the shop's own account link page issued, where the connection says where it lists them."""
    location = get.connection.extra.get("account_link_nonces")
    if location:
        yield from ([nonce] for nonce in get.lines(location, "account link nonces"))


def today_of(window: Window) -> str:
    """Return the day in Japan as LINE's clock has it."""
    return window.upper.astimezone(JAPAN).date().isoformat()


def ask_raw(get: Get, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Ask what has been landed; nothing where a table is not there yet."""
    with warehouse.connect(get.warehouse_url, "kizuna_ingest", read_only=True) as session:
        try:
            return session.execute(query, values).fetchall()
        except psycopg.errors.UndefinedTable:
            return []


SOURCE = RestSource(
    name="line",
    clock_path="/v2/bot/info",
    streams=(
        RestStream(
            "followers",
            path="/v2/bot/followers/ids",
            records="userIds",
            key="userId",
            key_pattern=USER_ID,
            is_snapshot=True,
            are_bare_ids=True,
            parameters={"limit": "1000"},
            pagination=TokenPages(parameter="start", field="next"),
            count=count_followers,
            is_there=is_follower,
        ),
        RestStream(
            "profiles",
            key="userId",
            key_pattern=USER_ID,
            updated="askedAt",
            read=read_profiles,
            count=lambda get, window: VendorCount(len(due_profiles(get, window))),
        ),
        RestStream(
            "insight_followers",
            key="date",
            read=read_days,
            count=lambda get, window: VendorCount(len(due_days(get, window))),
        ),
        RestStream(
            "insight_demographics",
            key="askedOn",
            read=read_demographic,
            count=lambda get, window: VendorCount(int(is_demographic_due(get, window))),
        ),
        RestStream(
            "insight_messages",
            key=("customAggregationUnit", "month"),
            read=read_units,
            count=lambda get, window: VendorCount(len(due_units(get, window))),
        ),
        RestStream(
            "account_link_nonces",
            key="nonce",
            updated="issuedAt",
            read=read_nonces,
            # A file that arrived is whole, or its download had failed.
            count=lambda _get, _window: VendorCount(0, is_lower_bound=True),
        ),
        InboxStream("webhooks"),
    ),
)
