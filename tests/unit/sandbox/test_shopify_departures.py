"""What vanishes from Shopify: no query shows it any more, its webhooks tell of it, and nothing else changes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from sandbox.clock import Clock
from sandbox.setting import Setting
from sandbox.shopify.departures import find_departures
from sandbox.shopify.storefront import Storefront
from sandbox.shopify.values import gid
from sandbox.shopify.webhooks import webhooks
from sandbox.state import State
from sandbox.world import invent_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.webhooks import Webhook

WORLD = invent_world(900, 7, date(2026, 11, 22))
GONE = find_departures(WORLD)
SHOP = Storefront(WORLD)


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[list[Webhook]]:
    state = State(tmp_path)
    setting = Setting(world=WORLD, clock=Clock(state, WORLD.starts_at), state=state)
    yield list(webhooks(setting, 0, 2**33))
    state.close()


def customer(position: int, now: int) -> dict[str, Any] | None:
    return SHOP.view("customers", now).find(gid("Customer", WORLD.accounts[position].key))


def test_every_kind_of_departure_happens() -> None:
    assert GONE.merged
    assert GONE.deleted_accounts
    assert GONE.redacted_accounts
    assert GONE.deleted_sales


def test_a_merged_account_vanishes_and_its_orders_move() -> None:
    for account, (at, kept) in GONE.merged.items():
        orders = [sale for sale in WORLD.sales if sale.account == account and sale.at < at and not sale.is_test]
        before, after = at - 1, at
        assert customer(account, before) is not None
        assert customer(account, after) is None
        left, found = customer(kept, before), customer(kept, after)
        assert left is not None
        assert found is not None
        for sale in orders:
            order = SHOP.view("orders", after).find(gid("Order", sale.key))
            assert order is not None
            assert order["_customer"] == gid("Customer", WORLD.accounts[kept].key)
        assert int(found["numberOfOrders"]) >= int(left["numberOfOrders"]) + len(orders)


def test_what_is_deleted_is_there_until_then_and_never_again() -> None:
    for position, at in GONE.deleted_accounts.items():
        assert customer(position, at - 1) is not None
        assert customer(position, at) is None
    for position, at in GONE.deleted_sales.items():
        key = gid("Order", WORLD.sales[position].key)
        assert SHOP.view("orders", at - 1).find(key) is not None
        assert SHOP.view("orders", at).find(key) is None


def test_who_was_forgotten_has_no_name_and_no_address_any_more() -> None:
    for position, at in GONE.redacted_accounts.items():
        forgotten = customer(position, at)
        assert forgotten is not None
        assert [forgotten[name] for name in ("firstName", "lastName", "defaultEmailAddress", "defaultAddress")] == [
            None
        ] * 4


def test_every_departure_is_told_once_and_in_time(sent: list[Webhook]) -> None:
    topics = Counter(hook.headers["X-Shopify-Topic"] for hook in sent)

    assert topics["customers/merge"] == len(GONE.merged)
    assert topics["customers/delete"] == len(GONE.deleted_accounts)
    assert topics["customers/redact"] == len(GONE.redacted_accounts)
    assert topics["orders/delete"] == len(GONE.deleted_sales)
    assert topics["orders/create"] == len(WORLD.sales)
    assert [hook.at for hook in sent] == sorted(hook.at for hook in sent)
    assert len({hook.headers["X-Shopify-Webhook-Id"] for hook in sent}) == len(sent)


def test_each_webhook_is_signed_over_its_very_bytes(sent: list[Webhook]) -> None:
    secret = b"sandbox-webhook-secret-of-32-bytes"
    for hook in sent[:50]:
        digest = hmac.new(secret, hook.body, hashlib.sha256).digest()
        assert hook.headers["X-Shopify-Hmac-SHA256"] == base64.b64encode(digest).decode()
        assert orjson.loads(hook.body)
