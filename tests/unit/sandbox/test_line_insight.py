"""LINE's statistics: ready late, grown for two weeks, silent about few people, sixty requests an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from sandbox.records import World

DAY = 86_400
INSIGHT = "/line/v2/bot/insight"


def aggregation(client: httpx.Client, unit: str, first: str, last: str) -> httpx.Response:
    asked = {"customAggregationUnit": unit, "from": first, "to": last}
    return client.get(f"{INSIGHT}/message/event/aggregation", params=asked)


def impressions(client: httpx.Client, unit: str, first: str, last: str) -> Any:
    return aggregation(client, unit, first, last).json()["overview"]["uniqueImpression"]


def advance(client: httpx.Client, seconds: int) -> None:
    client.post("/_sandbox/clock", json={"advance_seconds": seconds})


def test_a_day_is_ready_some_hours_after_it_is_over(client: httpx.Client):
    def status() -> str:
        return str(client.get(f"{INSIGHT}/followers", params={"date": "20261122"}).json()["status"])

    advance(client, 15 * 3600 + 5 * 3600)  # five o'clock on the day after, in Japan
    assert status() == "unready"
    advance(client, 3600)
    assert status() == "ready"


def test_days_before_the_first_follower_are_out_of_service(client: httpx.Client):
    told = client.get(f"{INSIGHT}/followers", params={"date": "20200101"}).json()
    assert told == {"status": "out_of_service"}


def test_units_are_those_of_this_month(client: httpx.Client):
    def names() -> list[str]:
        return list(client.get("/line/v2/bot/message/aggregation/list").json()["customAggregationUnits"])

    assert names() == ["news_20261105", "news_20261112", "news_20261119", "welcome"]
    advance(client, 20 * DAY)
    assert names() == ["news_20261203", "news_20261210", "welcome"]


def test_a_messages_figures_grow_for_two_weeks_and_stay(client: httpx.Client):
    told = []
    for _ in range(20):
        told.append(impressions(client, "news_20261119", "20261101", "20261130"))
        advance(client, DAY)
    assert told == sorted(told)
    assert told[0] < told[10]
    assert len(set(told[15:])) == 1


def test_a_message_counts_for_the_days_asked_for_alone(client: httpx.Client):
    assert impressions(client, "news_20261112", "20261113", "20261130") is None
    assert impressions(client, "news_20261112", "20261112", "20261112") > 20


def test_fewer_than_twenty_people_are_not_told(client: httpx.Client):
    told = aggregation(client, "welcome", "20261121", "20261121").json()
    assert 0 < told["messages"][0]["impression"] < 20
    assert told["messages"][0]["uniqueImpression"] is None
    assert told["overview"]["uniqueImpression"] is None


@pytest.mark.parametrize(
    ("first", "last"), [("20261101", "20261202"), ("20261105", "20261104"), ("2026-11", "20261104")]
)
def test_more_than_thirty_one_days_are_refused(client: httpx.Client, first: str, last: str):
    assert aggregation(client, "welcome", first, last).status_code == 400


def test_the_friends_are_described_in_percent(client: httpx.Client):
    told = client.get(f"{INSIGHT}/demographic").json()
    for name in ("genders", "ages", "areas", "appTypes", "subscriptionPeriods"):
        assert sum(tile["percentage"] for tile in told[name]) == pytest.approx(100, abs=2)


def test_insight_takes_sixty_requests_an_hour(world: World, open_sandbox: Callable[..., httpx.Client]):
    moment = [0.0]
    client = open_sandbox(world, line_insights_per_hour=60, monotonic=lambda: moment[0])

    def status() -> int:
        return client.get(f"{INSIGHT}/demographic").status_code

    assert [status() for _ in range(61)] == [200] * 60 + [429]
    assert client.get(f"{INSIGHT}/followers").status_code == 200, "each endpoint counts for itself"
    moment[0] = 3600.5
    assert status() == 200
