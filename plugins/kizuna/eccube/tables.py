"""EC-CUBE's tables, and what is asked of them: the questions of the Web API, in SQL for PostgreSQL and MySQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kizuna.reading import EPOCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Dialect

    from kizuna.reading import Window

# 新規受付, 対応中, 入金済み: an edit of an item leaves no stamp anywhere, so open orders are read again.
OPEN = (1, 4, 6)
OPEN_DAYS = timedelta(days=90)


class Moment(sa.types.TypeDecorator[datetime]):
    """A time: EC-CUBE writes UTC, which PostgreSQL knows to be UTC and MySQL does not."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write a time as the database keeps it."""
        if value is None or dialect.name != "mysql":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read a time as UTC."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _table(name: str, columns: str, times: str = "") -> sa.TableClause:
    plain: list[sa.ColumnClause[Any]] = [sa.column(column) for column in columns.split()]
    return sa.table(name, *plain, *(sa.column(column, Moment()) for column in times.split()))


PERSON = "name01 name02 kana01 kana02 company_name postal_code addr01 addr02 phone_number pref_id"
STAMPS = "create_date update_date"

CUSTOMERS = _table(
    "dtb_customer",
    f"id {PERSON} email buy_times buy_total point customer_status_id sex_id",
    f"birth first_buy_date last_buy_date {STAMPS}",
)
ORDERS = _table(
    "dtb_order",
    f"id order_no pre_order_id {PERSON} email subtotal discount delivery_fee_total charge tax total payment_total "
    "add_point use_point currency_code payment_method customer_id order_status_id sex_id device_type_id payment_id",
    f"birth order_date payment_date {STAMPS}",
)
ORDER_ITEMS = _table(
    "dtb_order_item",
    "id order_id product_name product_code class_name1 class_category_name1 class_name2 class_category_name2 price "
    "quantity tax tax_rate currency_code product_id product_class_id order_item_type_id tax_display_type_id",
)
SHIPPINGS = _table(
    "dtb_shipping",
    f"id order_id {PERSON} delivery_name delivery_time tracking_number",
    f"delivery_date shipping_date {STAMPS}",
)
PRODUCTS = _table("dtb_product", "id name product_status_id", STAMPS)
PRODUCT_CLASSES = _table(
    "dtb_product_class",
    "id product_id product_code stock stock_unlimited price01 price02 visible currency_code class_category_id1 "
    "class_category_id2",
    STAMPS,
)
CARTS = _table("dtb_cart", "id customer_id total_price delivery_fee_total", STAMPS)
CART_ITEMS = _table("dtb_cart_item", "id cart_id product_class_id price quantity")

# Tables of names: id and name, called otherwise in two of them.
NAMES = {
    "customer_status": _table("mtb_customer_status", "id name"),
    "order_status": _table("mtb_order_status", "id name"),
    "product_status": _table("mtb_product_status", "id name"),
    "sex": _table("mtb_sex", "id name"),
    "pref": _table("mtb_pref", "id name"),
    "device_type": _table("mtb_device_type", "id name"),
    "order_item_type": _table("mtb_order_item_type", "id name"),
    "tax_display_type": _table("mtb_tax_display_type", "id name"),
    "class_category": _table("dtb_class_category", "id name"),
    "payment": _table("dtb_payment", "id payment_method"),
}


@dataclass(frozen=True)
class Part:
    """Rows below a record, by the column that points at it."""

    table: sa.TableClause
    parent: str


@dataclass(frozen=True)
class Kind:
    """What one stream reads: a table, the rows below each of its records, and the names that their codes have."""

    table: sa.TableClause
    names: tuple[str, ...]
    parts: tuple[Part, ...] = ()


KINDS = {
    "customers": Kind(CUSTOMERS, ("customer_status", "sex", "pref")),
    "orders": Kind(
        ORDERS,
        ("order_status", "sex", "pref", "device_type", "order_item_type", "tax_display_type", "payment"),
        (Part(ORDER_ITEMS, "order_id"), Part(SHIPPINGS, "order_id")),
    ),
    "products": Kind(PRODUCTS, ("product_status", "class_category"), (Part(PRODUCT_CLASSES, "product_id"),)),
    "carts": Kind(CARTS, (), (Part(CART_ITEMS, "cart_id"),)),
}


def changed(name: str, window: Window) -> sa.ColumnElement[bool]:
    """Say which records of a stream a window has; carts are read whole every time.

    An order belongs to it also by a stamp of its shippings, and as long as it is open: an edit of its parts leaves its
    own stamp alone.
    """
    if name == "carts":
        return sa.true()
    stamp = KINDS[name].table.c.update_date
    within = sa.and_(stamp >= window.lower, stamp < window.upper)
    if name != "orders" or window.lower == EPOCH:
        return within
    shipped = sa.exists().where(
        SHIPPINGS.c.order_id == ORDERS.c.id,
        SHIPPINGS.c.update_date >= window.lower,
        SHIPPINGS.c.update_date < window.upper,
    )
    is_open = sa.and_(ORDERS.c.order_status_id.in_(OPEN), ORDERS.c.order_date >= window.upper - OPEN_DAYS)
    return sa.and_(stamp < window.upper, sa.or_(within, shipped, is_open))


def count_of(name: str, window: Window) -> sa.Select[Any]:
    """Count the records of a window."""
    return sa.select(sa.func.count()).select_from(KINDS[name].table).where(changed(name, window))


def page_of(name: str, window: Window, after: int, size: int) -> sa.Select[Any]:
    """Read the next records of a window by their ids: rows that come or go shift nothing."""
    table = KINDS[name].table
    return sa.select(table).where(changed(name, window), table.c.id > after).order_by(table.c.id).limit(size)


def parts_of(part: Part, ids: Sequence[int]) -> sa.Select[Any]:
    """Read the rows below some records, in the order of their ids."""
    return sa.select(part.table).where(part.table.c[part.parent].in_(ids)).order_by(part.table.c.id)


def names_of(name: str) -> sa.Select[Any]:
    """Read a table of names: id, name."""
    return sa.select(*NAMES[name].c).order_by(NAMES[name].c.id)


def ids_after(name: str, after: int, size: int) -> sa.Select[Any]:
    """Read the next ids of a stream."""
    key = KINDS[name].table.c.id
    return sa.select(key).where(key > after).order_by(key).limit(size)


def time_of(dialect: str) -> sa.TextClause:
    """Ask for the time up to which the server shows everything: on a replica, what it has replayed.

    A replica of PostgreSQL that has replayed all there is stands still with its last transaction: nothing is missing
    then either. MySQL tells a replica's delay to administrators only.
    """
    if dialect == "mysql":
        return sa.text("select utc_timestamp()")
    return sa.text(
        "select case when pg_is_in_recovery() then least(now(), pg_last_xact_replay_timestamp()) else now() end"
    )
