"""LINE Messaging API: the followers of an official account.

Surprises of this vendor:
- Follower ids are for verified and premium accounts only; others are answered 403.
- The list is a snapshot without times: who left is seen by comparing; blocking and leaving look the same.
- A page may hold fewer ids than asked for and still have a next one; the token lives 24 hours.
- The only count is yesterday's (UTC+9), and `followers` never falls: those who are there are followers − blocks.
- 429 carries no Retry-After, and the same status says that a month's messages are used up.
"""

from datetime import timedelta

from kizuna.answers import JAPAN
from kizuna.asking import Get
from kizuna.pagination import TokenPages
from kizuna.reading import VendorCount, Window
from kizuna.rest import RestSource, RestStream

# The count of a day is ready some hours into the next one.
DAYS_LOOKED_BACK = 4
SMALLEST_MOVEMENT = 20


def count_followers(get: Get, window: Window) -> VendorCount:
    """Return the last ready day's followers without blocks, give or take what may change in a day."""
    today = window.upper.astimezone(JAPAN)
    for days in range(1, DAYS_LOOKED_BACK + 1):
        day = (today - timedelta(days=days)).strftime("%Y%m%d")
        answer = get("/v2/bot/insight/followers", {"date": day}, "followers count")
        if answer.body.get("status") == "ready":
            count = int(answer.body["followers"]) - int(answer.body["blocks"])
            return VendorCount(count, tolerance=max(SMALLEST_MOVEMENT, count // 20))
    why = f"no count is ready for the {DAYS_LOOKED_BACK} days before {today:%Y-%m-%d}"
    return get.fail("followers count", answer, why, "run again in some hours; without a count nothing is landed")


def is_follower(get: Get, user_id: str) -> bool:
    """Tell whether somebody who is not in the list follows all the same, which a dropped page would explain."""
    return get(f"/v2/bot/profile/{user_id}", {}, "follower profile", accept=(404,)).status == 200


SOURCE = RestSource(
    name="line",
    clock_path="/v2/bot/info",
    streams=(
        RestStream(
            "followers",
            path="/v2/bot/followers/ids",
            records="userIds",
            key="userId",
            key_pattern="U[0-9a-f]{32}",
            is_snapshot=True,
            are_bare_ids=True,
            parameters={"limit": "1000"},
            pagination=TokenPages(parameter="start", field="next"),
            count=count_followers,
            is_there=is_follower,
        ),
    ),
)
