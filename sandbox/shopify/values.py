"""How Shopify writes ids, moments and money."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from sandbox.shopify.timeline import Node

GID = "gid://shopify/"


def gid(kind: str, key: str) -> str:
    """Write a record's key as the vendor's global id."""
    return f"{GID}{kind}/{key}"


def instant(at: int) -> str:
    """Write a moment as the vendor does: UTC to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def amount(value: Decimal) -> str:
    """Write money as the vendor does: a decimal that always has a point."""
    text = format(value, "f")
    return text if "." in text else text + ".0"


def money(value: Decimal, currency: str) -> Node:
    """Write an amount with its currency."""
    return {"amount": amount(value), "currencyCode": currency}


def bag(value: Decimal, currency: str) -> Node:
    """Write an amount in the shop's and in the buyer's currency, which are the same here."""
    sum_of_money = money(value, currency)
    return {"shopMoney": sum_of_money, "presentmentMoney": sum_of_money}
