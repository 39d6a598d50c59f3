"""A world as the records of a shop: customers, orders and products in the vendor's words, at any moment."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.timeline import Node, Timeline, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.records import Account, Product, Profile, Sale, World

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


class Storefront:
    """The shop's three kinds of records as timelines."""

    def __init__(self, world: World) -> None:
        """Index who bought what; records themselves are written only when a page shows them."""
        self.world = world
        self.products = self._product_timeline(world.products)
        product_nodes = [self._product_node(product) for product in world.products]
        self._product_nodes = product_nodes
        self._product_of = {p.sku: node for p, node in zip(world.products, product_nodes, strict=True)}
        self._sales_of: list[list[int]] = [[] for _ in world.accounts]
        for position, sale in enumerate(world.sales):
            if sale.account is not None:
                self._sales_of[sale.account].append(position)
        self.orders = self._order_timeline(world.sales)
        self.customers = self._customer_timeline(world.accounts)
        self._views: dict[str, tuple[int, View]] = {}

    def view(self, kind: str, now: int) -> View:
        """Show `customers`, `orders` or `products` at a moment; the last view is kept, as the clock mostly stands."""
        known = self._views.get(kind)
        if known is None or known[0] != now:
            timeline: Timeline = getattr(self, kind)
            known = self._views[kind] = (now, timeline.view(now))
        return known[1]

    def _product_timeline(self, products: Sequence[Product]) -> Timeline:
        created = [product.created_at for product in products]
        return Timeline(
            [gid("Product", product.key) for product in products],
            [[at] for at in created],
            {"created_at": created},
            lambda record, _at: self._product_nodes[record],
        )

    def _order_timeline(self, sales: Sequence[Sale]) -> Timeline:
        placed = [sale.at for sale in sales]
        return Timeline(
            [gid("Order", sale.key) for sale in sales],
            [sorted({sale.at, *(event.at for event in sale.events)}) for sale in sales],
            {"created_at": placed, "processed_at": placed},
            lambda record, at: self._order_node(self.world.sales[record], at),
        )

    def _customer_timeline(self, accounts: Sequence[Account]) -> Timeline:
        return Timeline(
            [gid("Customer", account.key) for account in accounts],
            [self._changes_of(position) for position in range(len(accounts))],
            {"created_at": [account.created_at for account in accounts]},
            self._customer_node,
        )

    def _changes_of(self, position: int) -> list[int]:
        moments = {profile.since for profile in self.world.accounts[position].profiles}
        for sale_position in self._sales_of[position]:
            sale = self.world.sales[sale_position]
            moments.add(sale.at)
            moments.update(event.at for event in sale.events)
        return sorted(moments)

    def _product_node(self, product: Product) -> Node:
        created = instant(product.created_at)
        return {
            "__typename": "Product",
            "id": gid("Product", product.key),
            "title": product.title,
            "productType": product.category,
            "vendor": self.world.name,
            "status": "ACTIVE",
            "createdAt": created,
            "updatedAt": created,
            "tags": [],
        }

    def _order_node(self, sale: Sale, at: int) -> Node:
        currency = sale.currency
        happened = [event for event in sale.events if event.at <= at]
        refunds = [event for event in happened if event.kind == "refunded"]
        refunded = sum((event.amount for event in refunds), Decimal(0))
        cancelled = next((event for event in happened if event.kind == "cancelled"), None)
        placed = instant(sale.at)
        account = None if sale.account is None else self.world.accounts[sale.account]
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
            "currencyCode": currency,
            "displayFinancialStatus": financial_status(sale, [event.kind for event in happened], refunded),
            **sums(sale, refunded, is_cancelled=cancelled is not None),
            "customAttributes": [{"key": key, "value": value} for key, value in sale.attributes.items()],
            "discountCodes": [sale.discount_code] if sale.discount_code else [],
            "refunds": [
                self._refund_node(sale, number, event.at, event.amount) for number, event in enumerate(refunds)
            ],
            "metafields": {},
            "_customer": None if account is None else gid("Customer", account.key),
            "_lines": self._line_nodes(sale),
        }

    def _line_nodes(self, sale: Sale) -> list[Node]:
        return [
            {
                "__typename": "LineItem",
                "id": gid("LineItem", f"{sale.key}-{number}"),
                "sku": line.sku,
                "title": line.title,
                "quantity": line.quantity,
                "originalUnitPriceSet": bag(line.unit_price, sale.currency),
                "discountedTotalSet": bag(line.unit_price * line.quantity, sale.currency),
                "product": self._product_of.get(line.sku),
            }
            for number, line in enumerate(sale.lines, start=1)
        ]

    def _refund_node(self, sale: Sale, number: int, at: int, value: Decimal) -> Node:
        return {
            "__typename": "Refund",
            "id": gid("Refund", f"{sale.key}-{number + 1}"),
            "createdAt": instant(at),
            "totalRefundedSet": bag(value, sale.currency),
        }

    def _customer_node(self, position: int, at: int) -> Node:
        account = self.world.accounts[position]
        profile = account.profiles[bisect_right(account.profiles, at, key=lambda known: known.since) - 1]
        sales = [sale for p in self._sales_of[position] if (sale := self.world.sales[p]).at <= at]
        return {
            "__typename": "Customer",
            "id": gid("Customer", account.key),
            "createdAt": instant(account.created_at),
            "updatedAt": instant(at),
            "firstName": profile.given_name,
            "lastName": profile.family_name,
            "locale": "ja" if self.world.currency == "JPY" else "en",
            "state": "ENABLED",
            "tags": list(profile.tags),
            "numberOfOrders": str(len(sales)),
            "amountSpent": money(spent(sales, at), self.world.currency),
            "defaultEmailAddress": email_node(profile),
            "defaultPhoneNumber": {"phoneNumber": profile.phone} if profile.phone else None,
            "defaultAddress": address_node(account.key, profile),
            "metafields": metafields(account.key, profile),
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


def spent(sales: Sequence[Sale], at: int) -> Decimal:
    """Add what an account has paid up to a moment, less refunds, without test and cancelled orders."""
    total = Decimal(0)
    for sale in sales:
        happened = [event for event in sale.events if event.at <= at]
        if sale.is_test or any(event.kind == "cancelled" for event in happened):
            continue
        total += sale.total - sum((event.amount for event in happened if event.kind == "refunded"), Decimal(0))
    return total


def email_node(profile: Profile) -> Node | None:
    """Write an e-mail address with what its owner said to marketing."""
    if not profile.email:
        return None
    state = {True: "SUBSCRIBED", False: "UNSUBSCRIBED", None: "NOT_SUBSCRIBED"}[profile.consents_to_email]
    return {"emailAddress": profile.email, "marketingState": state}


def address_node(key: str, profile: Profile) -> Node | None:
    """Write the default address, which repeats the name and the phone."""
    address = profile.address
    if address is None:
        return None
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", key),
        "firstName": profile.given_name,
        "lastName": profile.family_name,
        "zip": address.postal_code,
        "provinceCode": address.prefecture_code,
        "province": address.prefecture,
        "city": address.city,
        "address1": address.line1,
        "address2": address.line2,
        "phone": profile.phone,
        "countryCodeV2": "JP",
    }


def metafields(key: str, profile: Profile) -> dict[tuple[str, str], Node]:
    """Write what the shop keeps beside the vendor's own fields."""
    values: dict[tuple[str, str], Any] = {
        ("kizuna", "family_name_kana"): profile.family_name_kana,
        ("kizuna", "given_name_kana"): profile.given_name_kana,
        ("facts", "birth_date"): profile.birth_date,
    }
    return {
        (namespace, name): {
            "__typename": "Metafield",
            "id": gid("Metafield", f"{key}-{namespace}-{name}"),
            "namespace": namespace,
            "key": name,
            "type": "date" if name == "birth_date" else "single_line_text_field",
            "value": value,
        }
        for (namespace, name), value in values.items()
        if value
    }
