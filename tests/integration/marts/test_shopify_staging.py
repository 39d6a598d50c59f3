"""Shopify's staging of what its twin has: every kind of record typed, and gone when a webhook says so."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from kizuna import landing, layers, shopify_admin, warehouse
from kizuna.http import Client
from kizuna.inbox import InboxStream
from kizuna.settings import Connection
from kizuna.sources.shopify import SOURCE
from kizuna.strategy import Strategy
from sandbox.app import create_app
from sandbox.in_process import InProcess, time_out
from sandbox.shopify.departures import find_departures
from sandbox.shopify.storefront import Storefront
from sandbox.shopify.values import gid
from sandbox.shopify.webhooks import webhooks
from sandbox.world import invent_world
from tests.integration.marts.building import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AS_OF = date(2027, 5, 1)
DAY = 86_400


@pytest.fixture
def shop(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    app = create_app(invent_world(900, 3, date(2026, 11, 22)), tmp_path, sleep=time_out)
    monkeypatch.setattr(shopify_admin, "Client", partial(Client, transport=InProcess(app)))
    landing.ensure_tables(warehouse_url)
    yield app.state.setting
    app.state.setting.state.close()


def land_all(url: str) -> dict[str, int]:
    account = Connection("shopify", "http://sandbox/shopify", "sandbox-token")
    return {
        stream.name: landing.land_stream(SOURCE, stream, account, url, "run", sleep=lambda _seconds: None).read_count
        for stream in SOURCE.streams
        if not isinstance(stream, InboxStream)
    }


def tell(url: str, setting: Any, since: int, until: int) -> None:
    """Put what the shop sends into raw, as the inbox would."""
    statement = """
        insert into raw.shopify__webhooks
        (_record_id, _source_updated_at, _extracted_at, _run_id, _payload_hash, payload)
        values (%s, %s, now(), 'test', '', %s)
    """
    with warehouse.connect(url, "kizuna_ingest") as session:
        for hook in webhooks(setting, since, until):
            at = datetime.fromtimestamp(hook.at, UTC).isoformat()
            payload = {"topic": hook.headers["X-Shopify-Topic"], "triggered_at": at, "received_at": at}
            body = json.loads(hook.body)
            event = hook.headers["X-Shopify-Webhook-Id"]
            session.execute(statement, [event, at, json.dumps({**payload, "body": body})])


def build(url: str, *, full_refresh: bool = False) -> dict[str, list[str]]:
    """Build Shopify's staging and return the keys of what has left or stayed."""
    layers.build(
        "staging.shopify",
        "transform",
        run_id="test",
        warehouse_url=url,
        strategy=Strategy(),
        as_of=AS_OF,
        full_refresh=full_refresh,
    )
    tables = {"customers": "shopify_customer_id", "orders": "shopify_order_id", "products": "shopify_product_id"}
    return {
        table: list(read(url, f"select {key} as key from staging.stg_shopify__{table} order by 1").key)
        for table, key in tables.items()
    }


def count(url: str, table: str) -> int:
    return int(read(url, f"select count(*) as found from staging.stg_shopify__{table}").found[0])


def test_staging_has_what_the_shop_has_before_and_after_records_vanish(shop: Any, warehouse_url: str) -> None:
    landed = land_all(warehouse_url)
    first = build(warehouse_url)

    assert {table: len(keys) for table, keys in first.items()} == {table: landed[table] for table in first}
    assert count(warehouse_url, "abandoned_checkouts") == landed["abandoned_checkouts"] > 0
    assert count(warehouse_url, "subscription_contracts") == landed["subscription_contracts"] > 0
    for table in ("discounts", "transactions", "shipping_lines", "refund_lines", "order_visits", "product_variants"):
        assert count(warehouse_url, table) > 0, table
    for table in ("abandoned_checkout_lines", "subscription_contract_lines", "billing_attempts"):
        assert count(warehouse_url, table) > 0, table

    since = shop.clock.now()
    shop.clock.advance(150 * DAY)
    land_all(warehouse_url)
    tell(warehouse_url, shop, since, shop.clock.now())
    later = build(warehouse_url)
    told = read(warehouse_url, "select reason, count(*) as found from staging.stg_shopify__deletions group by 1")

    assert set(told.reason) == {"deleted", "merged", "redacted"}
    assert later == there(shop, since)
    assert build(warehouse_url, full_refresh=True) == later


def there(setting: Any, since: int) -> dict[str, list[str]]:
    """What the shop lists two minutes ago, where the window ends, without those it had to forget since."""
    storefront, departures = Storefront(setting.world), find_departures(setting.world)
    until = setting.clock.now() - 120
    forgotten = {
        gid("Customer", setting.world.accounts[account].key)
        for account, at in departures.redacted_accounts.items()
        if since < at <= until
    }
    return {
        kind: sorted({view.key_of(record) for record in view.index("id").records.tolist()} - forgotten)
        for kind in ("customers", "orders", "products")
        for view in (storefront.view(kind, until),)
    }
