"""LINE's webhooks: what happens in the world, each once, signed over the exact body; and account linking."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.clock import Clock
from sandbox.line.friends import truth_of
from sandbox.line.links import nonce_owners
from sandbox.line.webhooks import redelivered, ulid
from sandbox.setting import Setting
from sandbox.state import State
from sandbox.vendors.line import webhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import httpx

    from sandbox.records import World
    from sandbox.webhooks import Webhook

DAY = 86_400


@pytest.fixture
def setting(world: World, tmp_path: Path) -> Iterator[Setting]:
    state = State(tmp_path / "webhooks")
    yield Setting(world, Clock(state, world.starts_at), state)
    state.close()


def events(sent: Sequence[Webhook]) -> list[dict[str, Any]]:
    return [event for webhook in sent for event in json.loads(webhook.body)["events"]]


def test_every_coming_and_going_of_a_friend_is_told_once(setting: Setting, world: World):
    since, until = world.starts_at - 200 * DAY, world.starts_at + 20 * DAY
    told = Counter(
        (
            event["source"]["userId"],
            event["type"],
            event["timestamp"] // 1000,
            event.get("follow", {}).get("isUnblocked"),
        )
        for event in events(list(webhooks(setting, since, until)))
        if event["type"] in ("follow", "unfollow")
    )
    expected = Counter[Any]()
    for friend in world.friends:
        for turn, (begin, end) in enumerate(friend.spans):
            expected[friend.user_id, "follow", begin, turn > 0] += since < begin <= until
            expected[friend.user_id, "unfollow", end, None] += end is not None and since < end <= until
    assert told == +expected
    assert any(is_unblocked for *_, is_unblocked in told)


def test_spans_put_together_tell_the_same_as_one(setting: Setting, world: World):
    begin = world.starts_at - 20 * DAY
    moments = [begin, begin + 3, begin + 3 * DAY, begin + 3 * DAY + 5, world.starts_at]
    parts = [list(webhooks(setting, since, until)) for since, until in itertools.pairwise(moments)]
    whole = list(webhooks(setting, begin, world.starts_at))
    assert [event for part in parts for event in events(part)] == events(whole)
    ids = [event["webhookEventId"] for event in events(whole)]
    assert len(ids) == len(set(ids)) > 50


def test_bodies_are_due_in_order_within_the_span_and_hold_several_events(setting: Setting, world: World):
    since, until = world.starts_at - 400 * DAY, world.starts_at
    sent = list(webhooks(setting, since, until))
    assert [webhook.at for webhook in sent] == sorted(webhook.at for webhook in sent)
    assert all(since < webhook.at <= until for webhook in sent)
    assert max(len(json.loads(webhook.body)["events"]) for webhook in sent) > 1


def test_the_signature_is_of_the_exact_bytes(setting: Setting, world: World):
    first = next(iter(webhooks(setting, world.starts_at - DAY, world.starts_at)))
    for webhook in (first, redelivered(setting, first)):
        digest = hmac.new(setting.webhook_secret.encode(), webhook.body, hashlib.sha256).digest()
        assert webhook.headers["x-line-signature"] == base64.b64encode(digest).decode()


def test_a_redelivery_is_the_same_events_marked_as_such(setting: Setting, world: World):
    first = next(iter(webhooks(setting, world.starts_at - DAY, world.starts_at)))
    again = redelivered(setting, first)
    assert again.body != first.body
    unmarked = again.body.replace(b'"isRedelivery":true', b'"isRedelivery":false')
    assert unmarked == first.body


def test_the_address_is_verified_first_with_no_events(setting: Setting, world: World):
    sent = list(webhooks(setting, world.starts_at, world.starts_at + DAY))
    assert [len(json.loads(webhook.body)["events"]) == 0 for webhook in sent].count(True) == 1
    assert json.loads(sent[0].body)["events"] == []


def test_an_event_id_is_a_ulid_of_its_moment():
    early, late = ulid(1_700_000_000_000, b"\xff" * 16), ulid(1_700_000_000_001, b"\x00" * 16)
    assert len(early) == len(late) == 26
    assert early < late
    assert ulid(0, b"\x00" * 10) == "0" * 26


def test_a_nonce_names_the_customer_only_to_the_shop(setting: Setting, world: World):
    owners, truth = nonce_owners(world), truth_of(world)
    accounts = {account.key: account.truth for account in world.accounts}
    linked = [e for e in events(list(webhooks(setting, 0, world.starts_at))) if e["type"] == "accountLink"]
    assert {event["link"]["result"] for event in linked} == {"ok", "failed"}
    for event in linked:
        customer = owners[event["link"]["nonce"]]
        assert accounts[customer] == truth[event["source"]["userId"]]
        assert customer not in event["link"]["nonce"]


def test_a_link_token_serves_once_and_for_ten_minutes(world: World, open_sandbox: Callable[..., httpx.Client]):
    client = open_sandbox(world)
    friend = client.get("/line/v2/bot/followers/ids", params={"limit": 1}).json()["userIds"][0]

    def issue() -> str:
        return str(client.post(f"/line/v2/bot/user/{friend}/linkToken").json()["linkToken"])

    def redeem(token: str, nonce: str = "n" * 22) -> int:
        asked = {"linkToken": token, "nonce": nonce}
        return client.get("/line/dialog/bot/accountLink", params=asked, headers={"Authorization": ""}).status_code

    token = issue()
    assert (redeem(token), redeem(token)) == (200, 400)
    assert redeem(issue(), nonce="short") == 400
    old = issue()
    client.post("/_sandbox/clock", json={"advance_seconds": 600})
    assert redeem(old) == 400


def test_a_made_link_is_told_in_the_next_span(world: World, open_sandbox: Callable[..., httpx.Client]):
    client = open_sandbox(world)
    setting: Setting = client._transport._app.state.setting  # type: ignore[attr-defined]
    friend = client.get("/line/v2/bot/followers/ids", params={"limit": 1}).json()["userIds"][0]
    token = client.post(f"/line/v2/bot/user/{friend}/linkToken").json()["linkToken"]
    client.get("/line/dialog/bot/accountLink", params={"linkToken": token, "nonce": "n" * 22})
    told = events(list(webhooks(setting, world.starts_at, world.starts_at + DAY)))
    made = [event for event in told if event.get("link", {}).get("nonce") == "n" * 22]
    assert [(event["source"]["userId"], event["link"]["result"]) for event in made] == [(friend, "ok")]
