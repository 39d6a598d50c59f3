"""A month of the sandbox's LINE, with webhooks lost, doubled and late: staging ends in what is true."""

from __future__ import annotations

from datetime import date
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from kizuna import landing, layers, rest, warehouse
from kizuna.http import Client
from kizuna.settings import Connection
from kizuna.sources import SOURCES
from kizuna.strategy import Strategy
from kizuna.webhooks import events
from sandbox.app import create_app
from sandbox.in_process import InProcess
from sandbox.line.friends import is_friend, truth_of
from sandbox.vendors.line import redelivered, webhooks
from sandbox.world import invent_world
from tests.integration.marts.building import read
from tests.integration.marts.conftest import AS_OF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 86_400
COLUMNS = "(vendor, event_id, topic, body)"
INBOX = f"insert into ops.webhook_inbox {COLUMNS} values ('line', %s, %s, %s) on conflict do nothing"
SPANS = "select line_user_id from staging.stg_line__friendship_spans"


class Month:
    """Thirty days of a sandbox, received and landed."""

    def __init__(self, app: Any, warehouse_url: str) -> None:
        self.setting, self.url, self.chance = app.state.setting, warehouse_url, Random(7)
        self.late: list[Any] = []

    def land(self, *streams: str) -> None:
        extra = {"account_link_nonces": "/shop/account-link-nonces.jsonl"}
        account = Connection("line", "http://sandbox/line", "sandbox-token", extra)
        for stream in SOURCES["line"].streams:
            if stream.name in streams:
                landing.land_stream(SOURCES["line"], stream, account, self.url, "run")

    def live(self, days: int) -> None:
        """Let time pass; of each ten webhooks some are lost, some come again, and some come days later."""
        since = self.setting.clock.now()
        self.setting.clock.advance(days * DAY)
        due, self.late = self.late, []
        for webhook in webhooks(self.setting, since, self.setting.clock.now()):
            fate = self.chance.randrange(10)
            if fate == 0:
                continue
            if fate == 1:
                self.late.append(webhook)
                continue
            due += [webhook, redelivered(self.setting, webhook)] if fate == 2 else [webhook]
        self.chance.shuffle(due)
        with warehouse.connect(self.url, "kizuna_webhooks") as session:
            for webhook in due:
                for event in events.line({}, webhook.body, 0):
                    session.execute(INBOX, [event.event_id, event.topic, event.body])


@pytest.fixture
def month(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Month]:
    app = create_app(invent_world(400, 3, date(2026, 11, 22)), tmp_path)
    monkeypatch.setattr(rest, "Client", partial(Client, transport=InProcess(app)))
    landing.ensure_tables(warehouse_url)
    month = Month(app, warehouse_url)
    for _ in range(10):
        month.live(3)
        month.land("followers", "webhooks", "account_link_nonces")
    yield month
    app.state.setting.state.close()


def test_who_can_be_reached_and_who_is_whose_customer_is_true_in_the_end(month: Month) -> None:
    select = "path:models/staging/line"
    layers.build(select, "transform", run_id="test", warehouse_url=month.url, strategy=Strategy(), as_of=AS_OF)
    world, now = month.setting.world, month.setting.clock.now()
    friends = {friend.user_id: friend for friend in world.friends}

    told = read(month.url, "select line_user_id, is_reachable from staging.stg_line__friendships")
    assert dict(zip(told.line_user_id, told.is_reachable, strict=True)) == {
        user: is_friend(friends[user], now) for user in told.line_user_id
    }
    assert {user for user, friend in friends.items() if is_friend(friend, now)} <= set(told.line_user_id)
    # Some unfollows were lost: the list alone told of them.
    lost = read(month.url, f"{SPANS} where not is_reachable and since_sign = 'snapshot' and until_at is null")
    assert len(lost) > 0

    links = read(month.url, "select line_user_id, shop_customer_id from staging.stg_line__account_links")
    owners, truth = {account.key: account.truth for account in world.accounts}, truth_of(world)
    assert len(links) > 3
    for link in links.itertuples():
        assert owners[link.shop_customer_id.rsplit("/")[-1]] == truth[link.line_user_id]
