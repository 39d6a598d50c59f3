"""EC-CUBE's staging: what the sandbox's shop holds, typed, and the same whether built anew or on changes."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from kizuna import landing, layers, oauth, warehouse
from kizuna.http import Client
from kizuna.settings import Connection
from kizuna.sources import eccube
from kizuna.strategy import Strategy
from sandbox.app import create_app
from sandbox.eccube.people import shop_of
from sandbox.eccube.records import Change
from sandbox.eccube.tokens import FIRST_REFRESH_TOKEN
from sandbox.in_process import InProcess
from sandbox.world import invent_world

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from sandbox.records import World

DAY = 86_400
ACCOUNT = Connection(
    "eccube", "http://sandbox/eccube", "sandbox-token", {"refresh_token": FIRST_REFRESH_TOKEN}, login="sandbox-client"
)
TABLES = ("customers", "orders", "order_items", "products", "product_classes", "carts", "webhooks")


def test_staging_tells_what_the_shop_holds(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(invent_world(150, 3, date(2026, 11, 22)), tmp_path)
    for words in (eccube, oauth):
        monkeypatch.setattr(words, "Client", partial(Client, transport=InProcess(app)))
    setting = app.state.setting
    withdraw_one(setting.world, setting.clock.now() + 10 * DAY)
    landing.ensure_tables(warehouse_url)
    for days in (0, 40):
        setting.clock.advance(days * DAY)
        land(warehouse_url)
        build(warehouse_url)
    on_changes = contents(warehouse_url)
    build(warehouse_url, full_refresh=True)
    assert contents(warehouse_url) == on_changes

    now = setting.clock.now() - 120
    orders = [order for order in shop_of(setting.world).orders if order.is_there(now) and order.shipping(now)]
    goods = sum(
        (item["price"] + item["tax"]) * item["quantity"]
        for order in orders
        for item in order.parts
        if item["order_item_type_id"] == 1
    )
    asked = "select sum(product_revenue_incl_tax)::int, count(distinct eccube_order_id)::int from staging.{}"
    assert ask(warehouse_url, asked.format("stg_eccube__order_items")) == [(goods, len(orders))]
    balance = """
        select count(*) from staging.stg_eccube__orders as orders
        inner join (
            select eccube_order_id, sum(amount_incl_tax) as total from staging.stg_eccube__order_items group by 1
        ) as items on orders.eccube_order_id = items.eccube_order_id
        where orders.total_incl_tax != items.total
    """
    assert ask(warehouse_url, balance) == [(0,)], "the rows of an order add up to what is paid"
    dummies = "select count(*), count(email) from staging.stg_eccube__customers where status = 'withdrawn'"
    withdrawn, known = ask(warehouse_url, dummies)[0]
    assert withdrawn > known > 0, "who withdrew before the first reading has no known address"
    assert ask(warehouse_url, "select count(*) from staging.stg_eccube__customers where email ~ 'dummy'") == [(0,)]
    app.state.setting.state.close()


def withdraw_one(world: World, at: int) -> None:
    """Let a member of today leave in some days."""
    members = (one for one in shop_of(world).customers if one.is_there(world.starts_at - DAY))
    customer = next(one for one in members if one.row(at)["customer_status_id"] == 2)
    gone = Change(at, {"customer_status_id": 3, "email": "x" * 60 + "@dummy.dummy"})
    customer.changes = [*(change for change in customer.changes if change.at < at), gone]


def land(url: str) -> None:
    for stream in eccube.SOURCE.streams:
        landing.land_stream(eccube.SOURCE, stream, ACCOUNT, url, "run")


def build(url: str, *, full_refresh: bool = False) -> None:
    layers.build(
        "path:models/staging/eccube",
        "transform",
        run_id="run",
        warehouse_url=url,
        strategy=Strategy(),
        as_of=date(2026, 11, 22),
        full_refresh=full_refresh,
    )


def ask(url: str, text: str) -> list[tuple[Any, ...]]:
    with warehouse.connect(url) as session:
        return session.execute(text).fetchall()  # type: ignore[arg-type]


def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    texts = {name: f"select to_jsonb(kept)::text from staging.stg_eccube__{name} as kept order by 1" for name in TABLES}
    return {name: ask(url, text) for name, text in texts.items()}
