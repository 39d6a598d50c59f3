"""What Shopify's records say adds up: discounts, money that moved, checkouts taken up again, contracts billed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.records import Line, Sale
from sandbox.shopify.orders import allocate
from sandbox.shopify.storefront import Storefront
from sandbox.world import invent_world

if TYPE_CHECKING:
    from collections.abc import Iterator

WORLD = invent_world(300, 7, date(2026, 11, 22))
SHOP = Storefront(WORLD)
END = max(sale.at for sale in WORLD.sales) + 60 * 86_400
Node = dict[str, Any]


def nodes(kind: str, now: int = END) -> Iterator[Node]:
    view = SHOP.view(kind, now)
    return (view.node(record) for record in view.index("id").records.tolist())


def yen(bag: Node) -> Decimal:
    return Decimal(bag["shopMoney"]["amount"])


def test_the_lines_shares_of_a_discount_are_the_discount() -> None:
    discounted = [order for order in nodes("orders") if order["_discountApplications"]]
    assert discounted
    for order in discounted:
        shares = [share for line in order["_lineItems"] for share in line["discountAllocations"]]
        assert sum(yen(share["allocatedAmountSet"]) for share in shares) == yen(order["totalDiscountsSet"])


def test_no_yen_is_lost_when_a_discount_does_not_divide() -> None:
    line = Line("A", "a", 1, Decimal(100), "x")
    sale = Sale("1", "#1", 0, None, Decimal(200), "JPY", lines=[line] * 3, discount=Decimal(100))
    assert allocate(sale) == [Decimal(33), Decimal(33), Decimal(34)]


def test_money_that_moved_is_what_the_order_says() -> None:
    for order in nodes("orders"):
        moved = {"SALE": Decimal(0), "REFUND": Decimal(0), "VOID": Decimal(0)}
        for transaction in order["transactions"]:
            if transaction["status"] == "SUCCESS":
                moved[transaction["kind"]] += yen(transaction["amountSet"])
        assert moved["REFUND"] == yen(order["totalRefundedSet"])
        is_paid = order["displayFinancialStatus"] in ("PAID", "REFUNDED", "PARTIALLY_REFUNDED")
        assert not is_paid or moved["SALE"] == yen(order["totalPriceSet"])


def test_a_whole_refund_returns_every_line() -> None:
    whole = [order for order in nodes("orders") if order["displayFinancialStatus"] == "REFUNDED"]
    assert whole
    for order in whole:
        returned = order["refunds"][0]["_refundLineItems"]
        assert [line["quantity"] for line in returned] == [line["quantity"] for line in order["_lineItems"]]


def test_some_checkouts_are_completed_later_and_appear_only_when_abandoned() -> None:
    checkouts = list(nodes("abandonedCheckouts"))
    completed = [checkout for checkout in checkouts if checkout["completedAt"]]
    assert 0 < len(completed) < len(checkouts)
    assert all(checkout["createdAt"] < checkout["updatedAt"] == checkout["completedAt"] for checkout in completed)
    assert all(checkout["_lineItems"] and checkout["_customer"] for checkout in checkouts)


def test_regulars_have_contracts_whose_billings_are_their_orders() -> None:
    contracts = list(nodes("subscriptionContracts"))
    orders = {order["id"]: order for order in nodes("orders")}
    assert {contract["status"] for contract in contracts} == {"ACTIVE", "CANCELLED"}
    for contract in contracts:
        made = [attempt["state"]["_order"] for attempt in contract["_billingAttempts"] if "_order" in attempt["state"]]
        assert made
        # A test order may have been cleared away since.
        made = [key for key in made if key in orders]
        assert {orders[key]["sourceName"] for key in made} <= {"subscription_contract"}
        assert {orders[key]["_customer"] for key in made} <= {contract["_customer"]}
        assert (contract["nextBillingDate"] is None) == (contract["status"] == "CANCELLED")


@pytest.mark.parametrize("kind", ["abandonedCheckouts", "subscriptionContracts", "orders"])
def test_nothing_is_known_before_it_happens(kind: str) -> None:
    early = {node["id"]: node for node in nodes(kind, WORLD.starts_at)}
    late = {node["id"] for node in nodes(kind)}
    assert 0 < len(early) < len(late)
    assert all(node["updatedAt"] <= "2026-11-22T00:00:00Z" for node in early.values())


def test_a_world_without_people_has_neither_checkouts_nor_contracts() -> None:
    replayed = invent_world(20, 1, date(2026, 11, 22))
    replayed.humans = ()
    for kind in ("abandonedCheckouts", "subscriptionContracts"):
        assert len(Storefront(replayed).view(kind, END)) == 0
