"""The shop's rows as its Web API writes them: ids as text, times in the shop's own zone, masters as objects."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sandbox.eccube.records import (
    CUSTOMER_STATUSES,
    DEVICES,
    ITEM_TYPES,
    ORDER_STATUSES,
    PAYMENTS,
    PRODUCT_STATUSES,
    SEXES,
    TAX_DISPLAYS,
    TAX_TYPES,
    Record,
    Row,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

Node = dict[str, Any]
NAMES = ("name01", "name02", "kana01", "kana02", "phone_number", "postal_code", "addr01", "addr02")
ORDER_AMOUNTS = (
    *("subtotal", "discount", "delivery_fee_total", "charge", "tax", "total", "payment_total"),
    *("add_point", "use_point", "currency_code", "pre_order_id"),
)
ITEM_FIELDS = (
    *("product_name", "product_code", "class_name1", "class_category_name1"),
    *("price", "quantity", "tax", "tax_rate", "tax_adjust", "currency_code"),
)


class Nodes:
    """Writes records as of a moment."""

    def __init__(self, zone: ZoneInfo, now: int) -> None:
        """Write as of `now` with times in `zone`: the database holds UTC, and the API shows the shop's time."""
        self._zone, self._now = zone, now

    def customer(self, record: Record) -> Node:
        """Write a customer."""
        row = record.row(self._now)
        return {
            **self._base(row),
            **{name: row.get(name) for name in (*NAMES, "email", "buy_times", "buy_total", "point")},
            "birth": self._day(row["birth"]),
            "first_buy_date": self._time(row.get("first_buy_date")),
            "last_buy_date": self._time(row.get("last_buy_date")),
            "Status": master(CUSTOMER_STATUSES, row["customer_status_id"]),
            "Sex": master(SEXES, row["sex_id"]),
            "Pref": prefecture(row),
        }

    def order(self, record: Record) -> Node:
        """Write an order with its items and its shipping; the customer is looked up by the resolver."""
        row, shipping = record.row(self._now), record.shipping(self._now)
        return {
            **self._base(row),
            **{name: row.get(name) for name in (*NAMES, *ORDER_AMOUNTS, "email")},
            "order_no": str(record.id),
            "birth": self._day(row["birth"]),
            "order_date": self._time(row.get("order_date")),
            "payment_date": self._time(row.get("payment_date")),
            "payment_method": PAYMENTS[row["payment_id"]],
            "Payment": {"id": str(row["payment_id"]), "method": PAYMENTS[row["payment_id"]]},
            "DeviceType": master(DEVICES, row["device_type_id"]),
            "OrderStatus": {**(master(ORDER_STATUSES, row["order_status_id"]) or {}), "display_order_count": True},
            "Sex": master(SEXES, row["sex_id"]),
            "Pref": prefecture(row),
            "OrderItems": [self._item(item) for item in record.parts],
            "Shippings": [self._shipping(shipping)] if shipping else [],
            "_owner": record.owner,
        }

    def product(self, record: Record) -> Node:
        """Write a product with its classes."""
        row = record.row(self._now)
        return {
            **self._base(row),
            **{name: row.get(name) for name in ("name", "description_detail")},
            "Status": master(PRODUCT_STATUSES, row["product_status_id"]),
            "ProductClasses": [self._class(part) for part in record.parts],
        }

    def _item(self, item: Row) -> Node:
        product_id, class_id = item["product_id"], item["product_class_id"]
        return {
            "id": str(item["id"]),
            **{name: item[name] for name in ITEM_FIELDS},
            "Product": {"id": str(product_id), "name": item["product_name"]} if product_id else None,
            "ProductClass": {"id": str(class_id), "code": item["product_code"]} if class_id else None,
            "RoundingType": {"id": "2", "name": "切り捨て", "sort_no": 1},
            "TaxType": master(TAX_TYPES, item["tax_type_id"]),
            "TaxDisplayType": master(TAX_DISPLAYS, item["tax_display_type_id"]),
            "OrderItemType": master(ITEM_TYPES, item["order_item_type_id"]),
        }

    def _shipping(self, row: Row) -> Node:
        return {
            **self._base(row),
            **{name: row.get(name) for name in (*NAMES, "tracking_number")},
            "shipping_delivery_name": row.get("delivery_name"),
            "shipping_date": self._time(row.get("shipping_date")),
            "Pref": prefecture(row),
        }

    def _class(self, row: Row) -> Node:
        size = row["class_category"]
        return {
            **self._base(row),
            **{name: row[name] for name in ("stock", "stock_unlimited", "price02", "visible")},
            "code": row["product_code"],
            "currency_code": "JPY",
            "ClassCategory1": {"id": str(row["class_category_id1"]), "name": size} if size else None,
        }

    def _base(self, row: Row) -> Node:
        times = {name: self._time(row[name]) for name in ("create_date", "update_date")}
        return {"id": str(row["id"]), **times}

    def _time(self, seconds: int | None) -> str | None:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC).astimezone(self._zone).isoformat()

    def _day(self, day: date | None) -> str | None:
        return None if day is None else datetime(day.year, day.month, day.day, tzinfo=self._zone).isoformat()


def master(names: Mapping[int, str], number: int | None) -> Node | None:
    """Write a row of a master table."""
    return None if number is None else _master(tuple(names.items()), number)


@lru_cache(maxsize=256)
def _master(names: tuple[tuple[int, str], ...], number: int) -> Node:
    return {"id": str(number), "name": dict(names)[number], "sort_no": [key for key, _ in names].index(number)}


def prefecture(row: Row) -> Node | None:
    """Write a prefecture."""
    number = row["pref_id"]
    return {"id": str(number), "name": row["pref"], "sort_no": number}
