"""The shop's database as of the clock: EC-CUBE's tables in PostgreSQL, made anew each time they are loaded."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from sandbox.eccube.people import shop_of
from sandbox.eccube.records import (
    CUSTOMER_STATUSES,
    DEVICES,
    ITEM_TYPES,
    ORDER_STATUSES,
    PAYMENTS,
    PRODUCT_STATUSES,
    SEXES,
    TAX_DISPLAYS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.eccube.records import Record, Row
    from sandbox.records import World

TABLES = Path(__file__).with_suffix(".sql")
MASTERS = {
    "mtb_customer_status": CUSTOMER_STATUSES,
    "mtb_order_status": ORDER_STATUSES,
    "mtb_product_status": PRODUCT_STATUSES,
    "mtb_sex": SEXES,
    "mtb_device_type": DEVICES,
    "mtb_order_item_type": ITEM_TYPES,
    "mtb_tax_display_type": TAX_DISPLAYS,
}
TIMES = (
    *("create_date", "update_date", "order_date", "payment_date", "shipping_date"),
    *("first_buy_date", "last_buy_date"),
)
# What stands in a table of its own, and what an order keeps of its payment by name too.
NOT_COLUMNS = ("pref", "class_category")


def load_database(url: str, world: World, now: int) -> None:
    """Make the shop's tables in the schema `public`, as they are at a moment; whatever was there is dropped."""
    zone = ZoneInfo(world.timezone)
    with psycopg.connect(url) as connection:
        connection.execute("drop schema public cascade; create schema public")
        connection.execute(TABLES.read_bytes())
        for table, rows in tables_of(world, now).items():
            _insert(connection, table, [_stored(row, zone) for row in rows])


def tables_of(world: World, now: int) -> dict[str, list[Row]]:
    """Give the rows of each table at a moment, parents before those that point at them."""
    shop = shop_of(world)
    there = {kind: [one for one in shop.of(kind) if one.is_there(now)] for kind in ("customers", "orders", "products")}
    carts = [cart for cart in shop.carts if cart.is_there(now) and cart.owner and cart.owner.is_there(now)]
    prefectures = {row["pref_id"]: row["pref"] for row in (one.row(now) for one in there["orders"])}
    prefectures |= {row["pref_id"]: row["pref"] for row in (one.row(now) for one in there["customers"])}
    categories = {
        part["class_category_id1"]: part["class_category"]
        for product in there["products"]
        for part in product.parts
        if part["class_category"]
    }
    return {
        **{table: list(_masters(names)) for table, names in {**MASTERS, "mtb_pref": prefectures}.items()},
        "dtb_class_category": [{"id": number, "name": name} for number, name in categories.items()],
        "dtb_payment": [{"id": number, "payment_method": name} for number, name in PAYMENTS.items()],
        "dtb_customer": [one.row(now) for one in there["customers"]],
        "dtb_order": [_order(one, now) for one in there["orders"]],
        "dtb_order_item": list(_parts(there["orders"], "order_id")),
        "dtb_shipping": [{**row, "order_id": one.id} for one in there["orders"] if (row := one.shipping(now))],
        "dtb_product": [one.row(now) for one in there["products"]],
        "dtb_product_class": [{**row, "currency_code": "JPY"} for row in _parts(there["products"], "product_id")],
        "dtb_cart": [{**one.row(now), "customer_id": one.owner.id if one.owner else None} for one in carts],
        "dtb_cart_item": list(_parts(carts, "cart_id")),
    }


def _masters(names: dict[int, str]) -> Iterator[Row]:
    for place, (number, name) in enumerate(names.items()):
        yield {"id": number, "name": name, "sort_no": place}


def _parts(records: Iterable[Record], parent: str) -> Iterator[Row]:
    for record in records:
        for part in record.parts:
            yield {**part, parent: record.id}


def _order(record: Record, now: int) -> Row:
    row = record.row(now)
    owner = record.owner.id if record.owner else None
    return {**row, "order_no": str(record.id), "payment_method": PAYMENTS[row["payment_id"]], "customer_id": owner}


def _stored(row: Row, zone: ZoneInfo) -> Row:
    """Write a row as EC-CUBE stores it: times in UTC, days as midnight in the shop's zone."""
    return {name: _value(name, value, zone) for name, value in row.items() if name not in NOT_COLUMNS}


def _value(name: str, value: Any, zone: ZoneInfo) -> Any:  # noqa: ANN401 - a column's value
    if name in TIMES and value is not None:
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    return value


def _insert(connection: psycopg.Connection[Any], table: str, rows: list[Row]) -> None:
    names = sorted({name for row in rows for name in row})
    if not names:
        return
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    with connection.cursor() as cursor:
        copied = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), columns)
        with cursor.copy(copied) as copy:
            for row in rows:
                copy.write_row([row.get(name) for name in names])
