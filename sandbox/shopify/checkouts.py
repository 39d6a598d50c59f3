"""Checkouts that people left: most for good, some taken up again days later. Only invented people leave any."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from sandbox.shopify.values import bag, gid, instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sandbox.records import Line, World
    from sandbox.shopify.timeline import Node

DAY = 86_400
# A checkout is abandoned when nothing has happened in it for this long.
ABANDONED_AFTER = 600
SHARE_BEFORE_A_SALE = 0.3


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout that was left at `left_at`, and completed at `completed_at` if its owner came back."""

    account: int
    created_at: int
    left_at: int
    completed_at: int | None
    lines: Sequence[Line]

    @property
    def changes(self) -> list[int]:
        """When it changed, from its appearing among the abandoned ones on."""
        return [self.left_at] if self.completed_at is None else sorted({self.left_at, self.completed_at})


def leave_checkouts(world: World) -> list[Checkout]:
    """Find the checkouts of the invented people, in order of time; a replayed history has none."""
    if not world.humans:
        return []
    return sorted(_left_before_sales(world), key=lambda checkout: (checkout.created_at, checkout.account))


def _left_before_sales(world: World) -> Iterator[Checkout]:
    """Let some buyers leave a checkout before they buy: the same things, or others that they never buy."""
    for sale in world.sales:
        random = Random(f"shopify/checkout/{sale.key}")
        if sale.account is None or sale.channel != "web" or random.random() >= SHARE_BEFORE_A_SALE:
            continue
        created = max(world.accounts[sale.account].created_at, sale.at - random.randint(3600, 6 * DAY))
        left = created + ABANDONED_AFTER + random.randint(0, 900)
        is_recovered = left < sale.at and random.random() < 0.6
        yield Checkout(sale.account, created, left, sale.at if is_recovered else None, sale.lines)


def checkout_gid(position: int) -> str:
    """Number the checkouts in order of time."""
    return gid("AbandonedCheckout", str(37_000_000_000_001 + position))


def checkout_node(world: World, position: int, checkout: Checkout, at: int, products: Mapping[str, Node]) -> Node:
    """Write a checkout as it is at a moment."""
    key = checkout_gid(position).rsplit("/", 1)[1]
    total = sum((line.unit_price * line.quantity for line in checkout.lines), Decimal(0))
    is_completed = checkout.completed_at is not None and checkout.completed_at <= at
    return {
        "__typename": "AbandonedCheckout",
        "id": checkout_gid(position),
        "name": f"#{key}",
        "createdAt": instant(checkout.created_at),
        "updatedAt": instant(at),
        "completedAt": instant(checkout.completed_at or 0) if is_completed else None,
        "customAttributes": [],
        "discountCodes": [],
        "subtotalPriceSet": bag(total, world.currency),
        "totalDiscountSet": bag(Decimal(0), world.currency),
        "totalPriceSet": bag(total, world.currency),
        "totalTaxSet": bag(total * 10 // 110, world.currency),
        "_customer": gid("Customer", world.accounts[checkout.account].key),
        "_lineItems": [
            {
                "__typename": "AbandonedCheckoutLineItem",
                "id": gid("AbandonedCheckoutLineItem", f"{key}{number:02}"),
                "sku": line.sku,
                "title": line.title,
                "quantity": line.quantity,
                "originalTotalPriceSet": bag(line.unit_price * line.quantity, world.currency),
                "discountedTotalPriceSet": bag(line.unit_price * line.quantity, world.currency),
                "product": product,
                "variant": product["_variants"][0] if product else None,
            }
            for number, line in enumerate(checkout.lines, start=1)
            for product in (products.get(line.sku),)
        ],
    }
