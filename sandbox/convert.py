"""Turns published purchase data sets into order-history folders that the sandbox replays."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import yaml
from pyarrow import parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

ORDER_HEADER = ("customer_id", "order_id", "ordered_at", "total", "currency")
ITEM_HEADER = ("order_id", "sku", "title", "quantity", "unit_price")


class ConversionError(Exception):
    """A data set that is not known, or not where it was said to be."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a data set turns into."""

    orders: Sequence[tuple[str, ...]]
    items: Iterable[tuple[str, ...]] | None
    currency: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    orders: int
    customers: int
    total: Decimal
    files: tuple[str, ...]


def convert(dataset: str, source: Path, target: Path, with_items: bool = False) -> Written:  # noqa: FBT001, FBT002
    """Convert `cdnow_sample` or `online_retail` from its folder into a history folder with a fitting strategy."""
    if dataset not in DATASETS:
        message = f"data set {dataset!r} is unknown: use one of {', '.join(DATASETS)}"
        raise ConversionError(message)
    file_name, read = DATASETS[dataset]
    path = source if source.is_file() else source / file_name
    if not path.is_file():
        message = f"{path} is not there: give the folder that has {file_name}, or that file itself"
        raise ConversionError(message)
    conversion = read(path)
    target.mkdir(parents=True, exist_ok=True)
    write_csv(target / "orders.csv", ORDER_HEADER, conversion.orders)
    files = ["orders.csv", "strategy.yml"]
    if with_items and conversion.items is not None:
        write_csv(target / "order_items.csv", ITEM_HEADER, conversion.items)
        files.append("order_items.csv")
    else:
        # A second conversion without items must not leave the first one's behind.
        (target / "order_items.csv").unlink(missing_ok=True)
    (target / "strategy.yml").write_text(strategy_text(conversion), encoding="utf-8")
    customers = {row[0] for row in conversion.orders}
    total = sum((Decimal(row[3]) for row in conversion.orders), Decimal(0))
    return Written(len(conversion.orders), len(customers), total, tuple(files))


def strategy_text(conversion: Conversion) -> str:
    """Write the strategy under which the published figures of these sets come out."""
    strategy = {
        "business_timezone": conversion.timezone,
        "reporting_currency": conversion.currency,
        "same_day_orders": "count",
        "purchase_rules": {"exclude_free": False},
    }
    return yaml.safe_dump(strategy, sort_keys=False, allow_unicode=True)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def read_cdnow_sample(path: Path) -> Conversion:
    """Read CDNOW: every line is an order; the order id is the customer's id and the number of their line."""
    turns: Counter[str] = Counter()
    orders: list[tuple[str, ...]] = []
    with gzip.open(path, "rt", encoding="ascii") as lines:
        for line in lines:
            customer, _sample, day, _discs, dollars = line.split()
            turns[customer] += 1
            ordered_at = f"{day[:4]}-{day[4:6]}-{day[6:]}"
            orders.append((customer, f"{customer}-{turns[customer]}", ordered_at, dollars, "USD"))
    return Conversion(orders, None, "USD", "America/New_York")


@dataclass(slots=True)
class Invoice:
    """One invoice of Online Retail: an order."""

    customer: str
    at: datetime
    total: Decimal


def read_online_retail(path: Path) -> Conversion:
    """Read Online Retail: lines of known customers with quantity and price above zero; an invoice is an order.

    A few invoices span two minutes: the order is placed at the first.
    """
    invoices: dict[str, Invoice] = {}
    for line in sold_lines(path):
        known = invoices.setdefault(line.invoice, Invoice(line.customer, line.at, Decimal(0)))
        known.at = min(known.at, line.at)
        known.total += line.unit_price * line.quantity
    orders = [
        (invoice.customer, number, invoice.at.isoformat(" ", "minutes"), format(invoice.total, "f"), "GBP")
        for number, invoice in invoices.items()
    ]
    items = ((i.invoice, i.sku, i.title, str(i.quantity), format(i.unit_price, "f")) for i in sold_lines(path))
    return Conversion(orders, items, "GBP", "Europe/London")


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One line of Online Retail that counts."""

    invoice: str
    customer: str
    at: datetime
    sku: str
    title: str
    quantity: int
    unit_price: Decimal


def sold_lines(path: Path) -> Iterator[SoldLine]:
    """Read the lines that count; a price is the decimal number that was written, not its binary neighbour."""
    names = ["InvoiceNo", "CustomerID", "InvoiceDate", "StockCode", "Description", "Quantity", "UnitPrice"]
    table = parquet.read_table(path, columns=names)
    columns = [table.column(name).to_pylist() for name in names]
    for invoice, customer, at, sku, title, quantity, price in zip(*columns, strict=True):
        if customer is not None and quantity > 0 and price > 0:
            yield SoldLine(str(invoice), str(customer), at, str(sku), title or "", quantity, Decimal(repr(price)))


DATASETS: dict[str, tuple[str, Callable[[Path], Conversion]]] = {
    "cdnow_sample": ("CDNOW_sample.txt.gz", read_cdnow_sample),
    "online_retail": ("online_retail_2010-12_2011-12.parquet", read_online_retail),
}
