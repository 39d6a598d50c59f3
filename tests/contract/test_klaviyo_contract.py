"""The sandbox's Klaviyo answers what the vendor's specification and guides promise."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.app import create_app
from sandbox.in_process import InProcess
from sandbox.klaviyo.events import Events
from sandbox.klaviyo.profiles import Profiles, text_of
from sandbox.world import invent_world
from tests.contract.tap import ContractError, Contracts, ContractTap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 86_400
HEADERS = {"Authorization": "Klaviyo-API-Key sandbox-token", "revision": "2026-07-15"}
TINY = {"page[size]": "1"}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    now = [1000.0]
    app = create_app(invent_world(500, 3, date(2026, 11, 22)), tmp_path, klaviyo_generosity=1, monotonic=lambda: now[0])
    app.state.now = now
    yield app
    app.state.setting.state.close()


@pytest.fixture
def klaviyo(app: Any, contracts: Contracts) -> Iterator[httpx.Client]:
    tap = ContractTap(InProcess(app), contracts)
    with httpx.Client(transport=tap, base_url="http://sandbox/klaviyo/api", headers=HEADERS) as opened:
        yield opened


def walk(app: Any, klaviyo: httpx.Client, path: str, parameters: dict[str, str]) -> Iterator[dict[str, Any]]:
    answer = klaviyo.get(path, params=parameters).json()
    while True:
        yield from answer["data"]
        if "next" not in answer["links"]:
            return
        app.state.now[0] += 1
        answer = klaviyo.get(answer["links"]["next"]).json()


def test_every_profile_is_on_one_page_in_the_order_of_its_change(app: Any, klaviyo: httpx.Client):
    asked = {"sort": "updated", "page[size]": "7", "additional-fields[profile]": "subscriptions"}
    rows = list(walk(app, klaviyo, "profiles", asked))
    updated = [row["attributes"]["updated"] for row in rows]
    assert updated == sorted(updated)
    assert len({row["id"] for row in rows}) == len(rows) > 500
    assert {row["attributes"]["subscriptions"]["email"]["marketing"]["consent"] for row in rows} == {
        *("SUBSCRIBED", "UNSUBSCRIBED", "NEVER_SUBSCRIBED")
    }
    ties = [moment for moment in set(updated) if updated.count(moment) > 7]
    assert ties, "an import touched more profiles in one second than a page holds"


def test_the_filter_of_changes_is_strict_at_both_ends(app: Any, klaviyo: httpx.Client):
    rows = list(walk(app, klaviyo, "profiles", {"sort": "updated", "page[size]": "100"}))
    first, last = rows[0]["attributes"]["updated"], rows[-1]["attributes"]["updated"]
    span = f"greater-than(updated,{first}),less-than(updated,{last})"
    inner = list(walk(app, klaviyo, "profiles", {"sort": "updated", "page[size]": "100", "filter": span}))
    assert inner == [row for row in rows if row["attributes"]["updated"] not in (first, last)]
    refused = klaviyo.get("profiles", params={"filter": f"greater-or-equal(updated,{first})"})
    assert refused.status_code == 400


def test_events_name_profile_and_metric_and_begin_where_asked(app: Any, klaviyo: httpx.Client):
    metrics = {row["id"] for row in klaviyo.get("metrics").json()["data"]}
    begin = "2026-11-10T00:00:00Z"
    asked = {"filter": f"greater-or-equal(datetime,{begin})", "sort": "datetime", "page[size]": "13"}
    rows = list(walk(app, klaviyo, "events", asked))
    times = [row["attributes"]["datetime"] for row in rows]
    assert times == sorted(times)
    assert times[0] >= "2026-11-10"
    assert len({row["id"] for row in rows}) == len(rows) > 13
    assert {row["relationships"]["metric"]["data"]["id"] for row in rows} <= metrics


def test_some_events_arrive_later_than_they_happened(app: Any, klaviyo: httpx.Client):
    world, clock = app.state.setting.world, app.state.setting.clock
    known = Events(world, Profiles(world)).between((world.starts_at, ""), world.starts_at + 90 * DAY, 10**12)
    late = next(one for one in known if one.recorded > one.at + 60)
    asked = {"filter": f"greater-or-equal(datetime,{text_of(late.at)})"}

    clock.advance(late.recorded - 1 - clock.now())
    before = {row["id"] for row in walk(app, klaviyo, "events", asked)}
    clock.advance(1)
    assert {row["id"] for row in walk(app, klaviyo, "events", asked)} - before == {late.id}


@pytest.mark.parametrize("kind", ["list", "segment"])
def test_groups_and_their_members(app: Any, klaviyo: httpx.Client, kind: str):
    groups = list(walk(app, klaviyo, f"{kind}s", {"page[size]": "2"}))
    assert len(groups) >= 3
    total = 0
    for group in groups:
        asked = {"page[size]": "20", "fields[profile]": "joined_group_at"}
        rows = list(walk(app, klaviyo, f"{kind}s/{group['id']}/profiles", asked))
        app.state.now[0] += 5
        counted = klaviyo.get(f"{kind}s/{group['id']}", params={f"additional-fields[{kind}]": "profile_count"}).json()
        assert counted["data"]["attributes"]["profile_count"] == len(rows)
        if rows:
            known = klaviyo.get(f"profiles/{rows[0]['id']}/relationships/{kind}s").json()["data"]
            assert group["id"] in [one["id"] for one in known]
        total += len(rows)
    assert total > 0


def test_who_is_merged_away_is_not_there_any_more(app: Any, klaviyo: httpx.Client):
    before = {row["id"] for row in walk(app, klaviyo, "profiles", {"page[size]": "100"})}
    app.state.setting.clock.advance(120 * DAY)
    gone = before - {row["id"] for row in walk(app, klaviyo, "profiles", {"page[size]": "100"})}
    assert gone
    assert klaviyo.get(f"profiles/{gone.pop()}").status_code == 404


def test_a_burst_is_refused_until_its_second_is_over(app: Any, klaviyo: httpx.Client):
    answers = [klaviyo.get("metrics") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    app.state.now[0] += int(answers[-1].headers["retry-after"])
    assert klaviyo.get("metrics").status_code == 200


def test_counting_members_is_allowed_fifteen_times_a_minute(app: Any, klaviyo: httpx.Client):
    known = klaviyo.get("segments").json()["data"][0]["id"]
    codes = []
    for _ in range(16):
        app.state.now[0] += 1
        answer = klaviyo.get(f"segments/{known}", params={"additional-fields[segment]": "profile_count"})
        codes.append(answer.status_code)
    assert codes == [200] * 15 + [429]
    assert 1 < int(answer.headers["retry-after"]) <= 61
    assert klaviyo.get(f"segments/{known}").status_code == 200


def test_refusals_have_the_vendors_shape(klaviyo: httpx.Client):
    assert klaviyo.get("lists", headers={"Authorization": "Klaviyo-API-Key wrong"}).status_code == 401
    assert klaviyo.get("lists", headers={"revision": "2019-01-01"}).status_code == 400
    assert klaviyo.get("lists", params={"page[size]": "11"}).status_code == 400
    assert klaviyo.get("lists/nothing").json()["errors"][0]["code"] == "not_found"


def test_the_tap_refuses_what_the_vendor_does_not_promise(contracts: Contracts):
    request = httpx.Request("GET", "http://sandbox/klaviyo/api/lists", headers=HEADERS)
    shape, rates = {"content-type": "application/vnd.api+json"}, {"RateLimit-Remaining": "1"}
    with pytest.raises(ContractError, match="lists"):
        contracts.check(request, httpx.Response(200, json={"data": [{"type": "list"}]}, headers={**shape, **rates}))
    with pytest.raises(ContractError, match="headers"):
        contracts.check(request, httpx.Response(429, json={"errors": []}, headers={**shape, **rates}))
    old = httpx.Request("GET", "http://sandbox/klaviyo/api/lists", headers={**HEADERS, "revision": "2026-01-15"})
    with pytest.raises(ContractError, match="revision"):
        contracts.check(old, httpx.Response(200, json={"data": []}, headers={**shape, **rates}))
