"""One order in Shopify's words: lines, discounts, shipping, transactions, refunds, and where the visitor came from."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from sandbox.shopify.values import bag, gid, instant, money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.records import Event, Line, Sale
    from sandbox.shopify.timeline import Node

DAY = 86_400
CARD, ON_DELIVERY = "shopify_payments", "cash_on_delivery"
# Where visitors come from: source, medium, campaign, referrer. Neither names nor addresses of real shops.
CAME_FROM: tuple[tuple[str, str | None, str | None, str | None], ...] = (
    ("direct", None, None, None),
    ("Google", "organic", None, "https://www.google.com/"),
    ("Google", "cpc", "brand_search", "https://www.google.com/"),
    ("Instagram", "social", "autumn_skincare", "https://l.instagram.com/"),
    ("LINE", "message", "line_weekly", "https://line.me/"),
    ("newsletter", "email", "monthly_letter", None),
)


def order_node(sale: Sale, at: int, products: Mapping[str, Node], customer: str | None, rank: int | None) -> Node:
    """Write an order as it is at a moment; `rank` is its place among the orders of its customer."""
    happened = [event for event in sale.events if event.at <= at]
    refunds = [event for event in happened if event.kind == "refunded"]
    refunded = sum((event.amount for event in refunds), Decimal(0))
    cancelled = next((event for event in happened if event.kind == "cancelled"), None)
    placed = instant(sale.at)
    lines = line_nodes(sale, products)
    return {
        "__typename": "Order",
        "id": gid("Order", sale.key),
        "name": sale.name,
        "createdAt": placed,
        "processedAt": placed,
        "updatedAt": instant(at),
        "cancelledAt": instant(cancelled.at) if cancelled else None,
        "cancelReason": "CUSTOMER" if cancelled else None,
        "test": sale.is_test,
        "sourceName": sale.channel,
        "email": sale.email,
        "phone": sale.phone,
        "tags": ["受取拒否"] if any(event.kind == "refused" for event in happened) else [],
        "currencyCode": sale.currency,
        "displayFinancialStatus": financial_status(sale, [event.kind for event in happened], refunded),
        **sums(sale, refunded, is_cancelled=cancelled is not None),
        "customAttributes": [{"key": key, "value": value} for key, value in sale.attributes.items()],
        "customerJourneySummary": journey_node(sale, rank),
        "discountCodes": [sale.discount_code] if sale.discount_code else [],
        "refunds": [refund_node(sale, number, event, lines) for number, event in enumerate(refunds, start=1)],
        "transactions": transaction_nodes(sale, happened),
        "metafields": {},
        "_customer": customer,
        "_lineItems": lines,
        "_shippingLines": shipping_nodes(sale),
        "_discountApplications": [discount_node(sale)] if sale.discount else [],
    }


def sums(sale: Sale, refunded: Decimal, *, is_cancelled: bool) -> Node:
    """Write an order's amounts of money."""
    amounts = {
        "totalPriceSet": sale.total,
        "totalDiscountsSet": sale.discount,
        "totalTaxSet": sale.tax,
        "totalShippingPriceSet": sale.shipping,
        "totalRefundedSet": refunded,
        "currentTotalPriceSet": Decimal(0) if is_cancelled else sale.total - refunded,
    }
    return {name: bag(value, sale.currency) for name, value in amounts.items()}


def financial_status(sale: Sale, kinds: Sequence[str], refunded: Decimal) -> str:
    """Name where an order's money stands."""
    if refunded > 0:
        return "REFUNDED" if refunded >= sale.total else "PARTIALLY_REFUNDED"
    if "cancelled" in kinds:
        return "VOIDED"
    return "PAID" if sale.is_paid or "paid" in kinds else "PENDING"


def line_nodes(sale: Sale, products: Mapping[str, Node]) -> list[Node]:
    """Write an order's lines, each with its share of the discount."""
    shares = allocate(sale)
    return [
        {
            "__typename": "LineItem",
            "id": gid("LineItem", f"{sale.key}-{number}"),
            "sku": line.sku,
            "title": line.title,
            "quantity": line.quantity,
            "originalUnitPriceSet": bag(line.unit_price, sale.currency),
            "discountedTotalSet": bag(line.unit_price * line.quantity, sale.currency),
            "discountAllocations": [allocation_node(sale, share)] if share else [],
            "product": product,
            "variant": product["_variants"][0] if product else None,
        }
        for number, (line, share) in enumerate(zip(sale.lines, shares, strict=True), start=1)
        for product in (products.get(line.sku),)
    ]


def allocate(sale: Sale) -> list[Decimal]:
    """Spread an order's discount over its lines by their price, without losing a yen."""
    totals = [line.unit_price * line.quantity for line in sale.lines]
    whole = sum(totals, Decimal(0))
    if not sale.discount or whole <= 0:
        return [Decimal(0)] * len(totals)
    step = Decimal(1) if sale.currency == "JPY" else Decimal("0.01")
    shares = [(sale.discount * total / whole).quantize(step) for total in totals]
    shares[-1] += sale.discount - sum(shares, Decimal(0))
    return shares


def allocation_node(sale: Sale, share: Decimal) -> Node:
    """Write a line's share of the order's discount."""
    return {"allocatedAmountSet": bag(share, sale.currency), "discountApplication": discount_node(sale)}


def discount_node(sale: Sale) -> Node:
    """Write what gave the discount: a code the buyer typed, or the shop itself."""
    known = {"__typename": "DiscountCodeApplication", "code": sale.discount_code}
    manual = {"__typename": "ManualDiscountApplication", "title": "値引き", "description": None}
    is_tenth = sale.discount_code == "WELCOME10"
    percentage = {"__typename": "PricingPercentageValue", "percentage": 10.0}
    return {
        **(known if sale.discount_code else manual),
        "index": 0,
        "allocationMethod": "ACROSS",
        "targetSelection": "ALL",
        "targetType": "LINE_ITEM",
        "value": percentage if is_tenth else {"__typename": "MoneyV2", **money(sale.discount, sale.currency)},
    }


def shipping_nodes(sale: Sale) -> list[Node]:
    """Write how an order is sent; over the counter nothing is."""
    if sale.channel == "pos":
        return []
    return [
        {
            "__typename": "ShippingLine",
            "id": gid("ShippingLine", f"{sale.key}-1"),
            "title": "宅配便" if sale.shipping else "送料無料",
            "code": "standard" if sale.shipping else "free",
            "isRemoved": False,
            "originalPriceSet": bag(sale.shipping, sale.currency),
            "discountedPriceSet": bag(sale.shipping, sale.currency),
        }
    ]


def transaction_nodes(sale: Sale, happened: Sequence[Event]) -> list[Node]:
    """Write how the money moved: a card at once, cash at the door days later, and what went back."""
    if not sale.total:
        return []
    is_card = sale.is_paid
    gateway = CARD if is_card else ON_DELIVERY
    first = transaction_node(sale, 1, sale.at, "SALE", "SUCCESS" if is_card else "PENDING", sale.total, gateway)
    nodes = [first]
    for event in happened:
        kind = {"paid": "SALE", "refunded": "REFUND", "cancelled": "VOID"}.get(event.kind)
        if kind is not None:
            value = event.amount if event.kind == "refunded" else sale.total
            node = transaction_node(sale, len(nodes) + 1, event.at, kind, "SUCCESS", value, gateway)
            nodes.append({**node, "parentTransaction": first})
    return nodes


def transaction_node(sale: Sale, number: int, at: int, kind: str, status: str, value: Decimal, gateway: str) -> Node:
    """Write one movement of money."""
    return {
        "__typename": "OrderTransaction",
        "id": gid("OrderTransaction", f"{sale.key}-{number}"),
        "kind": kind,
        "status": status,
        "gateway": gateway,
        "test": sale.is_test,
        "createdAt": instant(at),
        "processedAt": instant(at),
        "amountSet": bag(value, sale.currency),
        "parentTransaction": None,
    }


def refund_node(sale: Sale, number: int, event: Event, lines: Sequence[Node]) -> Node:
    """Write a refund: of everything, or of one piece of the first line."""
    is_whole = event.amount >= sale.total
    returned = list(zip(sale.lines, lines, strict=True))
    entries = [(line, node, line.quantity, line.unit_price * line.quantity) for line, node in returned]
    if not is_whole and returned:
        entries = [(*returned[0], 1, event.amount)]
    return {
        "__typename": "Refund",
        "id": gid("Refund", f"{sale.key}-{number}"),
        "createdAt": instant(event.at),
        "totalRefundedSet": bag(event.amount, sale.currency),
        "_refundLineItems": [
            refund_line_node(sale, f"{sale.key}-{number}-{place}", *entry) for place, entry in enumerate(entries, 1)
        ],
    }


def refund_line_node(sale: Sale, key: str, line: Line, node: Node, quantity: int, subtotal: Decimal) -> Node:
    """Write one returned line."""
    return {
        "__typename": "RefundLineItem",
        "id": gid("RefundLineItem", key),
        "lineItem": node,
        "quantity": quantity,
        "restockType": "RETURN" if line.category != "食品" else "NO_RESTOCK",
        "subtotalSet": bag(subtotal, sale.currency),
    }


def journey_node(sale: Sale, rank: int | None) -> Node | None:
    """Write how the buyer came to the shop; only orders of the web shop have visits."""
    if sale.channel != "web":
        return None
    random = Random(f"shopify/journey/{sale.key}")
    last = sale.at - random.randint(60, 3600)
    first = last - random.choice((0, 0, random.randint(1, 29))) * DAY
    return {
        "ready": True,
        "customerOrderIndex": rank,
        "daysToConversion": (sale.at - first) // DAY,
        "firstVisit": visit_node(f"{sale.key}1", first, random),
        "lastVisit": visit_node(f"{sale.key}2", last, random),
    }


def visit_node(key: str, at: int, random: Random) -> Node:
    """Write one visit."""
    source, medium, campaign, referrer = random.choice(CAME_FROM)
    utm = {"source": source.lower(), "medium": medium, "campaign": campaign, "content": None, "term": None}
    return {
        "__typename": "CustomerVisit",
        "id": gid("CustomerVisit", key),
        "occurredAt": instant(at),
        "landingPage": "https://shop.example/" + ("" if medium is None else f"?utm_source={source.lower()}"),
        "referrerUrl": referrer,
        "source": source,
        "sourceType": "NEWSLETTER" if medium == "email" else None,
        "utmParameters": None if medium in (None, "organic") else utm,
    }
