"""Order histories for tests: what happened, and the same as the source's payloads in raw."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg

from kizuna import landing, warehouse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CURRENCY = "USD"
RAW_COLUMNS = "(_record_id, _source_updated_at, _extracted_at, _run_id, _payload_hash, payload)"


@dataclass(frozen=True)
class Order:
    """One order as it happened."""

    order_id: str
    customer_id: str
    ordered_at: datetime
    total: Decimal
    cancelled_at: datetime | None = None
    is_test: bool = False
    tags: tuple[str, ...] = ()
    refunds: tuple[tuple[datetime, Decimal], ...] = field(default=())

    def known_by(self, moment: datetime) -> Order | None:
        """The same order as it was known just before `moment`; None when it had not been placed."""
        if self.ordered_at >= moment:
            return None
        cancelled_at = self.cancelled_at if self.cancelled_at and self.cancelled_at < moment else None
        refunds = tuple((at, amount) for at, amount in self.refunds if at < moment)
        return Order(
            self.order_id, self.customer_id, self.ordered_at, self.total, cancelled_at, self.is_test, self.tags, refunds
        )


def end_of(day: date, timezone: str) -> datetime:
    """The moment a business date is over."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(timezone))


def cut(orders: Iterable[Order], day: date, timezone: str) -> list[Order]:
    """What was known of the orders at the end of a business date."""
    known = (order.known_by(end_of(day, timezone)) for order in orders)
    return [order for order in known if order is not None]


def cdnow(shared: Path) -> list[Order]:
    """The CDNOW sample: real purchases by day, several a day, some worth nothing."""
    lines = pd.read_csv(
        shared / "data/cdnow_sample/CDNOW_sample.txt.gz",
        sep=r"\s+",
        names=["master", "customer", "day", "pieces", "amount"],
        dtype=str,
    )
    return [
        Order(
            f"{number:06}",
            line.customer,
            datetime.strptime(line.day, "%Y%m%d").replace(hour=12, tzinfo=UTC),
            Decimal(line.amount),
        )
        for number, line in enumerate(lines.itertuples(), 1)
    ]


def online_retail(shared: Path) -> list[Order]:
    """UCI Online Retail: positive lines of known customers; an invoice is an order."""
    lines = pd.read_parquet(shared / "data/online_retail/online_retail_2010-12_2011-12.parquet")
    bought = lines[lines.CustomerID.notna() & (lines.Quantity > 0) & (lines.UnitPrice > 0)]
    amounts = [
        Decimal(str(price)) * int(pieces) for price, pieces in zip(bought.UnitPrice, bought.Quantity, strict=True)
    ]
    invoices = (
        bought.assign(amount=amounts)
        .groupby("InvoiceNo")
        .agg(customer=("CustomerID", "first"), ordered_at=("InvoiceDate", "min"), total=("amount", "sum"))
    )
    return [
        Order(str(number), str(invoice.customer), invoice.ordered_at.to_pydatetime().replace(tzinfo=UTC), invoice.total)
        for number, invoice in invoices.iterrows()
    ]


def load(url: str, orders: Iterable[Order], accounts: Mapping[str, datetime] | None = None) -> None:
    """Write orders and accounts into raw; who ordered has an account as old as the first order unless told."""
    landing.ensure_tables(url)
    orders, known = list(orders), dict(accounts or {})
    for order in sorted(orders, key=lambda order: order.ordered_at):
        known.setdefault(order.customer_id, order.ordered_at)
    customers = ((customer, at, {"createdAt": at.isoformat()}) for customer, at in known.items())
    write(url, "shopify__customers", customers)
    write(url, "shopify__orders", ((order.order_id, order.ordered_at, order_payload(order)) for order in orders))


def forget(url: str) -> None:
    """Empty raw and the memory of identity, as on the first day."""
    with psycopg.connect(url) as connection:
        connection.execute("truncate raw.shopify__customers, raw.shopify__orders, raw.line__followers")
        connection.execute(
            "truncate identity.read_up_to, identity.records, identity.evidence, identity.stored_links, "
            "identity.values, identity.blocked_values, identity.runs, identity.customers, identity.memberships, "
            "identity.claims, identity.redirections, identity.id_changes, identity.refused_links, "
            "identity.household_members"
        )


def write(url: str, table: str, records: Iterable[tuple[str, datetime, dict[str, Any]]]) -> None:
    """Add one version of each record."""
    statement = f"copy raw.{table} {RAW_COLUMNS} from stdin"
    with (
        warehouse.connect(url, "kizuna_ingest") as connection,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,  # type: ignore[arg-type]
    ):
        for record_id, updated_at, payload in records:
            text = json.dumps(payload)
            copy.write_row([record_id, updated_at, updated_at, "test", hashlib.sha256(text.encode()).digest(), text])


def order_payload(order: Order) -> dict[str, Any]:
    """The order as Shopify's API gives it."""
    return {
        "id": order.order_id,
        "name": f"#{order.order_id}",
        "createdAt": order.ordered_at.isoformat(),
        "processedAt": order.ordered_at.isoformat(),
        "updatedAt": order.ordered_at.isoformat(),
        "cancelledAt": order.cancelled_at.isoformat() if order.cancelled_at else None,
        "test": order.is_test,
        "sourceName": "web",
        "tags": list(order.tags),
        "currencyCode": CURRENCY,
        "totalPriceSet": money(order.total),
        "customer": {"id": order.customer_id},
        "customAttributes": [],
        "discountCodes": [],
        "lineItems": {"nodes": [line_payload(order)], "pageInfo": {"hasNextPage": False, "endCursor": None}},
        "refunds": [
            {"id": f"{order.order_id}-{number}", "createdAt": at.isoformat(), "totalRefundedSet": money(amount)}
            for number, (at, amount) in enumerate(order.refunds, 1)
        ],
    }


def line_payload(order: Order) -> dict[str, Any]:
    """The one line of an order."""
    return {
        "id": f"{order.order_id}-line",
        "sku": "SKU-1",
        "title": "CD",
        "quantity": 1,
        "originalUnitPriceSet": money(order.total),
        "discountedTotalSet": money(order.total),
        "product": {"id": "product-1", "productType": "CD"},
    }


def money(amount: Decimal) -> dict[str, Any]:
    """An amount as Shopify writes it."""
    return {"shopMoney": {"amount": str(amount), "currencyCode": CURRENCY}}
