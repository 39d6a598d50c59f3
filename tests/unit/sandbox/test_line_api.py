"""LINE's protocol: followers, profiles, insight, and audiences with their limits."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.line.friends import is_friend

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from sandbox.records import World

UPLOAD = "/line/v2/bot/audienceGroup/upload"
GROUP = "/line/v2/bot/audienceGroup"
DAY = 86_400


def followers(client: httpx.Client, limit: int) -> list[str]:
    found: list[str] = []
    start: dict[str, str] = {}
    while True:
        page = client.get("/line/v2/bot/followers/ids", params={"limit": limit, **start}).json()
        found += page["userIds"]
        if "next" not in page:
            return found
        start = {"start": page["next"]}


def stranger(number: int) -> str:
    return f"U{number:032x}"


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_every_page_size_gives_the_same_friends(client: httpx.Client, world: World, limit: int):
    now = {friend.user_id for friend in world.friends if is_friend(friend, world.starts_at)}
    found = followers(client, limit)
    assert len(found) == len(set(found))
    assert set(found) == now


def test_a_page_may_hold_less_than_asked_for(world: World, open_sandbox: Callable[..., httpx.Client]):
    client = open_sandbox(world, line_largest_followers_page=3)
    page = client.get("/line/v2/bot/followers/ids", params={"limit": 10}).json()
    assert len(page["userIds"]) == 3
    assert followers(client, 10) == sorted(set(followers(client, 10)))


def test_friends_come_and_go_with_time(client: httpx.Client):
    before = set(followers(client, 1000))
    client.post("/_sandbox/clock", json={"advance_seconds": 120 * DAY})
    after = set(followers(client, 1000))
    assert after - before
    assert before - after


def test_a_page_token_dies_after_a_day(client: httpx.Client):
    token = client.get("/line/v2/bot/followers/ids", params={"limit": 1}).json()["next"]
    assert client.get("/line/v2/bot/followers/ids", params={"start": token}).status_code == 200
    client.post("/_sandbox/clock", json={"advance_seconds": DAY})
    refused = client.get("/line/v2/bot/followers/ids", params={"start": token})
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid start param"})


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
def test_a_limit_outside_the_vendors_is_refused(client: httpx.Client, limit: str):
    assert client.get("/line/v2/bot/followers/ids", params={"limit": limit}).status_code == 400


def test_insight_counts_the_day_before_and_never_forgets_a_follower(client: httpx.Client, world: World):
    end = world.starts_at - 9 * 3600  # midnight in Japan before the sandbox's nine o'clock
    told = client.get("/line/v2/bot/insight/followers", params={"date": "20261121"}).json()
    ever = [friend for friend in world.friends if friend.spans[0][0] < end]
    assert told["followers"] == len(ever)
    assert told["blocks"] == sum(not is_friend(friend, end - 1) for friend in ever)
    assert client.get("/line/v2/bot/insight/followers", params={"date": "20261122"}).json() == {"status": "unready"}
    assert client.get("/line/v2/bot/insight/followers", params={"date": "20261399"}).status_code == 400


def create(client: httpx.Client, ids: list[str], name: str = "first") -> httpx.Response:
    return client.post(UPLOAD, json={"description": name, "audiences": [{"id": user_id} for user_id in ids]})


def test_an_audience_is_ready_after_it_was_asked_for_twice(client: httpx.Client):
    audience = create(client, followers(client, 1000)[:3]).json()["audienceGroupId"]
    told = [client.get(f"{GROUP}/{audience}").json() for _ in range(2)]
    assert [answer["audienceGroup"]["status"] for answer in told] == ["IN_PROGRESS", "READY"]
    assert [answer["jobs"][0]["jobStatus"] for answer in told] == ["WORKING", "FINISHED"]


def test_adding_ids_makes_an_audience_work_again(client: httpx.Client):
    ids = followers(client, 1000)
    audience = create(client, ids[:3]).json()["audienceGroupId"]
    for _ in range(2):
        client.get(f"{GROUP}/{audience}")
    added = client.put(UPLOAD, json={"audienceGroupId": audience, "audiences": [{"id": i} for i in ids[2:6]]})
    assert (added.status_code, added.json()) == (202, {})
    first = client.get(f"{GROUP}/{audience}").json()
    assert first["audienceGroup"]["status"] == "IN_PROGRESS"
    assert client.get(f"{GROUP}/{audience}").json()["audienceGroup"]["audienceCount"] == 6


def test_strangers_are_taken_in_silence_and_not_counted(client: httpx.Client):
    friend = followers(client, 1000)[0]
    audience = create(client, [friend, stranger(1)]).json()["audienceGroupId"]
    assert client.get(f"{GROUP}/{audience}").json()["audienceGroup"]["audienceCount"] == 1
    held = client.get("/_sandbox/stats").json()["line"]["audiences"][0]
    assert (held["member_count"], held["reachable_count"]) == (2, 1)
    assert held["members_sha256"] == hashlib.sha256("\n".join(sorted([friend, stranger(1)])).encode()).hexdigest()


def test_one_malformed_id_fails_the_whole_upload(client: httpx.Client):
    refused = create(client, [stranger(1), "Uabc"])
    assert refused.status_code == 400
    assert refused.json()["details"] == [{"message": "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT"}]
    assert client.get("/_sandbox/stats").json()["line"]["audiences"] == []


def test_ten_thousand_ids_are_the_most(client: httpx.Client):
    ids = [stranger(number) for number in range(10_001)]
    assert create(client, ids).status_code == 400
    audience = create(client, ids[:10_000])
    assert audience.status_code == 202
    more = [{"id": user_id} for user_id in ids]
    assert (
        client.put(UPLOAD, json={"audienceGroupId": audience.json()["audienceGroupId"], "audiences": more}).status_code
        == 400
    )


def test_an_empty_audience_is_never_ready(client: httpx.Client):
    audience = create(client, []).json()["audienceGroupId"]
    told = [client.get(f"{GROUP}/{audience}").json()["audienceGroup"]["status"] for _ in range(4)]
    assert set(told) == {"IN_PROGRESS"}


@pytest.mark.parametrize("name", [None, "", "x" * 121, "line\nbreak"])
def test_a_name_is_needed_and_short(client: httpx.Client, name: str | None):
    assert client.post(UPLOAD, json={"description": name, "audiences": []}).status_code == 400


def test_eleven_uploads_at_once_are_too_many(client: httpx.Client):
    audience = create(client, [stranger(0)]).json()["audienceGroupId"]
    codes = [
        client.put(UPLOAD, json={"audienceGroupId": audience, "audiences": [{"id": stranger(n)}]}).status_code
        for n in range(1, 11)
    ]
    assert codes == [202] * 9 + [429]


def test_lists_are_searched_by_part_of_the_name_and_paged(client: httpx.Client):
    for number in range(5):
        create(client, [], f"Kizuna {number}")
    create(client, [], "other")
    page = client.get(f"{GROUP}/list", params={"page": 1, "size": 2, "description": "kizuna"}).json()
    assert [group["description"] for group in page["audienceGroups"]] == ["Kizuna 4", "Kizuna 3"]
    assert (page["totalCount"], page["hasNextPage"]) == (5, True)
    last = client.get(f"{GROUP}/list", params={"page": 3, "size": 2, "description": "kizuna"}).json()
    assert (len(last["audienceGroups"]), last["hasNextPage"]) == (1, False)
    assert client.get(f"{GROUP}/list").status_code == 400


def test_deleted_and_unknown_audiences_are_not_found(client: httpx.Client):
    audience = create(client, [stranger(1)]).json()["audienceGroupId"]
    assert client.delete(f"{GROUP}/{audience}").json() == {}
    for response in (
        client.get(f"{GROUP}/{audience}"),
        client.delete(f"{GROUP}/{audience}"),
        client.put(UPLOAD, json={"audienceGroupId": audience, "audiences": []}),
    ):
        assert response.status_code == 400
        assert response.json()["details"] == [{"message": "AUDIENCE_GROUP_NOT_FOUND"}]


def test_audiences_survive_a_restart(world: World, open_sandbox: Callable[..., httpx.Client]):
    client = open_sandbox(world)
    audience = create(client, followers(client, 1000)[:4]).json()["audienceGroupId"]
    client.get(f"{GROUP}/{audience}")
    before = client.get("/_sandbox/stats").json()["line"]
    again = open_sandbox(world)
    assert again.get("/_sandbox/stats").json()["line"] == before
    assert again.get(f"{GROUP}/{audience}").json()["audienceGroup"]["status"] == "READY"


def test_the_rate_limit_counts_requests_of_the_last_minute(world: World, open_sandbox: Callable[..., httpx.Client]):
    moment = [0.0]
    client = open_sandbox(world, line_requests_per_minute=2, monotonic=lambda: moment[0])

    def status() -> int:
        return client.get(f"{GROUP}/list", params={"page": 1}).status_code

    assert [status(), status(), status()] == [200, 200, 429]
    moment[0] = 60.5
    assert status() == 200


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_body_that_is_no_object_is_refused(client: httpx.Client, body: Any):
    assert client.post(UPLOAD, content=body).status_code == 400
