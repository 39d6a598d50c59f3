"""Replays a real order history as a world: validated whole, then served as if the shop had lived through it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.history_values import STATUSES, HistoryValues, problem
from sandbox.records import Account, Address, Event, Line, Product, Profile, Sale, World
from sandbox.tables import HistoryTable, OrderHistoryError, find_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ORDER_COLUMNS = ("customer_id", "order_id", "ordered_at", "total")
ORDER_OPTIONS = ("currency", "email", "phone", "status", "source_channel")
CUSTOMER_COLUMNS = ("customer_id",)
CUSTOMER_OPTIONS = (
    "email",
    "phone",
    "family_name",
    "given_name",
    "family_name_kana",
    "given_name_kana",
    "postal_code",
    "prefecture",
    "city",
    "address",
    "birth_date",
    "accepts_marketing",
)
ITEM_COLUMNS = ("order_id", "sku", "title", "quantity", "unit_price")
REFUND_COLUMNS = ("order_id", "refunded_at", "amount")

# A run holds back the last minutes before the vendor's clock: to read the whole as-of day, the clock stands behind it.
MINUTES_BEHIND_THE_DAY = 5

__all__ = ["OrderHistory", "OrderHistoryError", "read_order_history"]


@dataclass(slots=True)
class OrderHistory:
    """The tables of a history, read and checked."""

    name: str
    zone: ZoneInfo
    currency: str
    sales: dict[str, Sale] = field(default_factory=dict)
    customer_of: dict[str, str] = field(default_factory=dict)
    status_of: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    lines: dict[str, list[Line]] = field(default_factory=dict)
    refunds: dict[str, list[Event]] = field(default_factory=dict)

    def currencies(self) -> set[str]:
        """Give the currencies of the orders."""
        return {sale.currency for sale in self.sales.values()}

    def world(self, as_of: date | None = None) -> World:
        """Make a world that starts right behind the as-of day (default: the day of the last order)."""
        sales = sorted(self.sales.values(), key=lambda sale: sale.at)
        last_day = as_of or datetime.fromtimestamp(sales[-1].at, self.zone).date()
        zone = str(self.zone)
        return World(
            name=self.name,
            starts_at=behind_the_day(last_day, self.zone),
            timezone=zone,
            currency=self.currency,
            products=list(self.products.values()),
            accounts=open_accounts(self, sales),
            sales=sales,
            friends=[],
            identity={"kind": "history", "name": self.name, "timezone": zone, "currency": self.currency},
        )


def behind_the_day(day: date, zone: ZoneInfo) -> int:
    """Give the moment from which a run reads the whole day, in seconds since 1970."""
    return int(datetime.combine(day + timedelta(days=1), time(0, MINUTES_BEHIND_THE_DAY), zone).timestamp())


def read_order_history(folder: Path, timezone: str, currency: str) -> OrderHistory:
    """Read and check a whole folder; `timezone` and `currency` hold for what names none of its own."""
    if not folder.is_dir():
        raise OrderHistoryError(folder.name, "a folder with orders.csv, orders.csv.gz or orders.parquet")
    history = OrderHistory(folder.resolve().name, ZoneInfo(timezone), currency)
    values = HistoryValues(history.zone, currency)
    read_orders(folder, values, history)
    read_customers(folder, values, history)
    read_items(folder, values, history)
    read_refunds(folder, values, history)
    finish_sales(history)
    return history


def needed(table: HistoryTable | None, name: str) -> HistoryTable:
    """Insist on a file."""
    if table is None:
        raise OrderHistoryError(name, f"a file {name}.csv, {name}.csv.gz or {name}.parquet in the folder")
    return table


def read_orders(folder: Path, values: HistoryValues, history: OrderHistory) -> None:
    """Read orders: every one is dated, priced, and there once."""
    table = needed(find_table(folder, "orders", ORDER_COLUMNS, ORDER_OPTIONS), "orders")
    for line, row in table.rows():
        customer_id, order_id, ordered_at, total, currency, email, phone, status, channel = row
        place = (table.file, line)
        if not order_id:
            raise problem(place, "order_id", order_id, "an order id")
        if order_id in history.sales:
            raise problem(place, "order_id", order_id, "every order id once, this one came before")
        if status and status not in STATUSES:
            raise problem(place, "status", status, f"one of {', '.join(STATUSES)}")
        history.sales[order_id] = Sale(
            key=order_id,
            name=order_id,
            at=values.moment(place, "ordered_at", ordered_at),
            account=None,
            total=values.money(place, "total", total),
            currency=values.currency(place, "currency", currency),
            email=email or None,
            phone=phone or None,
            channel=channel or "web",
            is_test=status == "test",
            is_paid=status != "pending",
        )
        history.status_of[order_id] = status or "paid"
        if customer_id:
            history.customer_of[order_id] = customer_id
    if not history.sales:
        raise OrderHistoryError(table.file, "at least one order")


def read_customers(folder: Path, values: HistoryValues, history: OrderHistory) -> None:
    """Read customers, where the file is there."""
    table = find_table(folder, "customers", CUSTOMER_COLUMNS, CUSTOMER_OPTIONS)
    for line, (customer_id, *rest) in table.rows() if table else ():
        place = (table.file if table else "", line)
        if not customer_id or customer_id in history.profiles:
            expected = "every customer id once, this one came before" if customer_id else "a customer id"
            raise problem(place, "customer_id", customer_id, expected)
        known = dict(zip(CUSTOMER_OPTIONS, rest, strict=True))
        history.profiles[customer_id] = Profile(
            since=0,
            family_name=known["family_name"] or None,
            given_name=known["given_name"] or None,
            family_name_kana=known["family_name_kana"] or None,
            given_name_kana=known["given_name_kana"] or None,
            email=known["email"] or None,
            phone=known["phone"] or None,
            address=read_address(known),
            birth_date=values.birth_date(place, "birth_date", known["birth_date"]),
            consents_to_email=values.yes_or_no(place, "accepts_marketing", known["accepts_marketing"]),
        )


def read_address(known: Mapping[str, str]) -> Address | None:
    """Read an address, if any part of it is there."""
    parts = [known[name] or None for name in ("postal_code", "prefecture", "city", "address")]
    if not any(parts):
        return None
    postal_code, prefecture, city, line = parts
    return Address(postal_code, None, prefecture, city, line)


def read_items(folder: Path, values: HistoryValues, history: OrderHistory) -> None:
    """Read order lines, and from them the products."""
    table = find_table(folder, "order_items", ITEM_COLUMNS, ("category",))
    for line, (order_id, sku, title, quantity, unit_price, category) in table.rows() if table else ():
        place = (table.file if table else "", line)
        sale = history.sales.get(order_id)
        if sale is None:
            raise problem(place, "order_id", order_id, "an order id of the orders file")
        price = values.money(place, "unit_price", unit_price)
        bought = Line(sku, title or sku, values.quantity(place, "quantity", quantity), price, category)
        history.lines.setdefault(order_id, []).append(bought)
        known = history.products.get(sku)
        if sku and (known is None or sale.at < known.created_at):
            first = known or Product(sku, sku, title or sku, category, price, sale.at)
            history.products[sku] = Product(sku, sku, first.title, first.category, first.price, sale.at)


def read_refunds(folder: Path, values: HistoryValues, history: OrderHistory) -> None:
    """Read refunds, none of which may lie before its order."""
    table = find_table(folder, "refunds", REFUND_COLUMNS, ())
    for line, (order_id, refunded_at, amount) in table.rows() if table else ():
        place = (table.file if table else "", line)
        sale = history.sales.get(order_id)
        if sale is None:
            raise problem(place, "order_id", order_id, "an order id of the orders file")
        moment = values.moment(place, "refunded_at", refunded_at)
        if moment < sale.at and moment + 86_400 <= sale.at:
            raise problem(place, "refunded_at", refunded_at, "a time not before the order")
        refund = Event(max(moment, sale.at), "refunded", values.money(place, "amount", amount))
        history.refunds.setdefault(order_id, []).append(refund)


def finish_sales(history: OrderHistory) -> None:
    """Give every sale its lines and what happened to it."""
    for order_id, sale in history.sales.items():
        sale.lines = history.lines.get(order_id, ())
        refunds = sorted(history.refunds.get(order_id, ()), key=lambda refund: refund.at)
        sale.events = [*refunds, *events_of_status(sale, history.status_of[order_id], refunds)]


def events_of_status(sale: Sale, status: str, refunds: list[Event]) -> Iterator[Event]:
    """Say what a status means in events; `refunded` means wholly, whatever part the refunds file tells."""
    if status in ("cancelled", "refused"):
        yield Event(sale.at, "cancelled" if status == "cancelled" else "refused")
    rest = sale.total - sum((refund.amount for refund in refunds), Decimal(0))
    if status == "refunded" and rest > 0:
        yield Event(refunds[-1].at if refunds else sale.at, "refunded", rest)


def open_accounts(history: OrderHistory, sales: list[Sale]) -> list[Account]:
    """Open an account for every customer id: at its first order, or at the history's start when it has none."""
    seen: dict[str, list[Sale]] = {customer_id: [] for customer_id in history.profiles}
    for sale in sales:
        customer_id = history.customer_of.get(sale.key)
        if customer_id is not None:
            seen.setdefault(customer_id, []).append(sale)
    accounts: list[Account] = []
    for customer_id, own in sorted(seen.items()):
        since = own[0].at if own else sales[0].at
        accounts.append(Account(customer_id, profiles_of(since, history.profiles.get(customer_id), own)))
        for sale in own:
            sale.account = len(accounts) - 1
    return accounts


def profiles_of(since: int, known: Profile | None, own: list[Sale]) -> list[Profile]:
    """Give an account its profile; without a customers file, e-mail and phone are those of the latest order."""
    if known is not None:
        return [replace(known, since=since)]
    profiles = [Profile(since)]
    for sale in own:
        email, phone = sale.email or profiles[-1].email, sale.phone or profiles[-1].phone
        profiles.append(Profile(sale.at, email=email, phone=phone))
    changed = [new for old, new in pairwise(profiles) if (old.email, old.phone) != (new.email, new.phone)]
    return changed if changed and changed[0].since == since else [profiles[0], *changed]
