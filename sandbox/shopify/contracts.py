"""Subscription contracts (定期) of the accounts whose orders come by subscription, with what billing them brought."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from sandbox.shopify.values import gid, instant, money

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sandbox.records import Line, Sale, World
    from sandbox.shopify.timeline import Node

DAY = 86_400
CHANNEL = "subscription_contract"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to bill a contract; `order` is the key of the order it made, None where it failed."""

    at: int
    order: str | None


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of one account, from its first order on."""

    account: int
    created_at: int
    origin: str
    lines: Sequence[Line]
    attempts: Sequence[Attempt]
    cancelled_at: int | None

    @property
    def changes(self) -> list[int]:
        """When it changed."""
        ends = [] if self.cancelled_at is None else [self.cancelled_at]
        return sorted({self.created_at, *(attempt.at for attempt in self.attempts), *ends})


def make_contracts(world: World) -> list[Contract]:
    """Find the contracts of the invented people, in order of time; a replayed history has none."""
    if not world.humans:
        return []
    return sorted(_contracts(world), key=lambda contract: (contract.created_at, contract.account))


def _contracts(world: World) -> Iterator[Contract]:
    regulars = {human.number for human in world.humans if human.is_regular}
    own: dict[int, list[Sale]] = {}
    for sale in world.sales:
        if sale.account is not None and world.accounts[sale.account].truth in regulars:
            own.setdefault(sale.account, []).append(sale)
    ends = max((sale.at for sale in world.sales), default=0)
    for account, sales in own.items():
        repeats = [sale for sale in sales if sale.channel == CHANNEL]
        if repeats:
            yield _contract(account, sales[0], repeats, ends)


def _contract(account: int, origin: Sale, repeats: Sequence[Sale], ends: int) -> Contract:
    """Bill a contract once for each repeated order, now and then only at the second try."""
    random = Random(f"shopify/contract/{origin.key}")
    attempts: list[Attempt] = []
    for sale in repeats:
        if random.random() < 0.05 and sale.at - DAY > origin.at:
            attempts.append(Attempt(sale.at - DAY, None))
        attempts.append(Attempt(max(sale.at, origin.at + 1), sale.key))
    last = repeats[-1].at
    # Who has no order for more than a cycle before the end of all time has cancelled.
    cancelled = last + random.randint(3, 25) * DAY if last + 45 * DAY < ends else None
    return Contract(account, origin.at, origin.key, origin.lines, attempts, cancelled)


def contract_gid(position: int) -> str:
    """Number the contracts in order of time."""
    return gid("SubscriptionContract", str(34_000_001 + position))


def contract_node(world: World, position: int, contract: Contract, at: int, products: Mapping[str, Node]) -> Node:
    """Write a contract as it is at a moment."""
    key = contract_gid(position).rsplit("/", 1)[1]
    attempts = [attempt for attempt in contract.attempts if attempt.at <= at]
    is_cancelled = contract.cancelled_at is not None and contract.cancelled_at <= at
    last_order = max([contract.created_at, *(attempt.at for attempt in attempts if attempt.order)])
    last_payment = ("SUCCEEDED" if attempts[-1].order else "FAILED") if attempts else None
    changes = [change for change in contract.changes if change <= at]
    monthly = {"interval": "MONTH", "intervalCount": 1}
    return {
        "__typename": "SubscriptionContract",
        "id": contract_gid(position),
        "createdAt": instant(contract.created_at),
        "updatedAt": instant(at),
        "status": "CANCELLED" if is_cancelled else "ACTIVE",
        "currencyCode": world.currency,
        "nextBillingDate": None if is_cancelled else instant(last_order + 30 * DAY),
        "lastPaymentStatus": last_payment,
        "revisionId": str(len(changes)),
        "billingPolicy": {**monthly, "minCycles": None, "maxCycles": None},
        "deliveryPolicy": monthly,
        "deliveryPrice": money(Decimal(0), world.currency),
        "_customer": gid("Customer", world.accounts[contract.account].key),
        "_originOrder": gid("Order", contract.origin),
        "_lines": [
            line_node(f"{key}{n:02}", line, world.currency, products) for n, line in enumerate(contract.lines, 1)
        ],
        "_billingAttempts": [attempt_node(f"{key}{n:03}", attempt) for n, attempt in enumerate(attempts, 1)],
    }


def line_node(key: str, line: Line, currency: str, products: Mapping[str, Node]) -> Node:
    """Write what a contract delivers each time."""
    product = products.get(line.sku)
    return {
        "__typename": "SubscriptionLine",
        "id": gid("SubscriptionLine", key),
        "sku": line.sku,
        "title": line.title,
        "quantity": line.quantity,
        "currentPrice": money(line.unit_price, currency),
        "lineDiscountedPrice": money(line.unit_price * line.quantity, currency),
        "productId": product["id"] if product else None,
        "variantId": product["_variants"][0]["id"] if product else None,
        "sellingPlanName": "毎月お届け",
    }


def attempt_node(key: str, attempt: Attempt) -> Node:
    """Write one try to bill."""
    error = {"__typename": "SubscriptionBillingAttemptPaymentError", "code": "INSUFFICIENT_FUNDS"}
    failed = {"__typename": "SubscriptionBillingAttemptFailedState", "error": error}
    return {
        "__typename": "SubscriptionBillingAttempt",
        "id": gid("SubscriptionBillingAttempt", key),
        "createdAt": instant(attempt.at),
        "completedAt": instant(attempt.at),
        "originTime": instant(attempt.at),
        "state": failed if attempt.order is None else made_order(attempt.order),
    }


def made_order(key: str) -> Node:
    """Write that a billing made an order."""
    return {"__typename": "SubscriptionBillingAttemptSuccessState", "_order": gid("Order", key)}
