"""A world as the records of a shop: what it has in the vendor's words, at any moment."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.records import Profile
from sandbox.shopify.checkouts import checkout_gid, checkout_node, leave_checkouts
from sandbox.shopify.contracts import contract_gid, contract_node, make_contracts
from sandbox.shopify.departures import find_departures
from sandbox.shopify.orders import order_node
from sandbox.shopify.timeline import Node, Timeline, View
from sandbox.shopify.values import amount, gid, instant, money

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.records import Product, Sale, World


class Storefront:
    """The shop's kinds of records as timelines; each is made when it is first asked for."""

    def __init__(self, world: World) -> None:
        """Index who bought what; records themselves are written only when a page shows them."""
        self.world = world
        self._product_nodes = [self._product_node(product) for product in world.products]
        self._product_of = {p.sku: node for p, node in zip(world.products, self._product_nodes, strict=True)}
        self._sales_of: list[list[int]] = [[] for _ in world.accounts]
        for position, sale in enumerate(world.sales):
            if sale.account is not None:
                self._sales_of[sale.account].append(position)
        firsts = {account.truth: position for position, account in reversed(list(enumerate(world.accounts)))}
        self._logins = set(firsts.values())
        self._departures = find_departures(world)
        for gone, (_, kept) in self._departures.merged.items():
            self._sales_of[kept] = sorted({*self._sales_of[kept], *self._sales_of[gone]})
        self._makers: dict[str, Callable[[], Timeline]] = {
            "abandonedCheckouts": self._checkout_timeline,
            "customers": self._customer_timeline,
            "orders": self._order_timeline,
            "products": self._product_timeline,
            "subscriptionContracts": self._contract_timeline,
        }
        self._timelines: dict[str, Timeline] = {}
        self._views: dict[str, tuple[int, View]] = {}

    def view(self, kind: str, now: int) -> View:
        """Show the records of a kind at a moment; the last view is kept, as the clock mostly stands."""
        known = self._views.get(kind)
        if known is None or known[0] != now:
            if kind not in self._timelines:
                self._timelines[kind] = self._makers[kind]()
            known = self._views[kind] = (now, self._timelines[kind].view(now))
        return known[1]

    def _product_timeline(self) -> Timeline:
        created = [product.created_at for product in self.world.products]
        return Timeline(
            [gid("Product", product.key) for product in self.world.products],
            [[at] for at in created],
            {"created_at": created},
            lambda record, _at: self._product_nodes[record],
        )

    def _order_timeline(self) -> Timeline:
        sales = self.world.sales
        placed = [sale.at for sale in sales]
        return Timeline(
            [gid("Order", sale.key) for sale in sales],
            [self._changes_of_order(sale) for sale in sales],
            {"created_at": placed, "processed_at": placed},
            self._order_node,
            self._departures.deleted_sales,
        )

    def _customer_timeline(self) -> Timeline:
        accounts = self.world.accounts
        return Timeline(
            [gid("Customer", account.key) for account in accounts],
            [self._changes_of(position) for position in range(len(accounts))],
            {"created_at": [account.created_at for account in accounts]},
            self._customer_node,
            self._departures.ends_of_accounts(),
        )

    def _checkout_timeline(self) -> Timeline:
        checkouts = leave_checkouts(self.world)
        return Timeline(
            [checkout_gid(position) for position in range(len(checkouts))],
            [checkout.changes for checkout in checkouts],
            {"created_at": [checkout.created_at for checkout in checkouts]},
            lambda record, at: checkout_node(self.world, record, checkouts[record], at, self._product_of),
        )

    def _contract_timeline(self) -> Timeline:
        contracts = make_contracts(self.world)
        return Timeline(
            [contract_gid(position) for position in range(len(contracts))],
            [contract.changes for contract in contracts],
            {"created_at": [contract.created_at for contract in contracts]},
            lambda record, at: contract_node(self.world, record, contracts[record], at, self._product_of),
        )

    def _changes_of_order(self, sale: Sale) -> list[int]:
        moments = {sale.at, *(event.at for event in sale.events)}
        merge = None if sale.account is None else self._departures.merged.get(sale.account)
        if merge is not None and merge[0] > sale.at:
            moments.add(merge[0])
        return sorted(moments)

    def _changes_of(self, position: int) -> list[int]:
        moments = {profile.since for profile in self.world.accounts[position].profiles}
        redacted = self._departures.redacted_accounts.get(position)
        moments |= set() if redacted is None else {redacted}
        for sale_position in self._sales_of[position]:
            sale = self.world.sales[sale_position]
            changes = {*self._changes_of_order(sale), self._departures.deleted_sales.get(sale_position, sale.at)}
            moments |= {at for at in changes if self._is_owner(position, sale, at)}
        return sorted(moments)

    def _is_owner(self, position: int, sale: Sale, at: int) -> bool:
        return sale.account is not None and self._departures.owner(sale.account, at) == position

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
            "_variants": variant_nodes(product),
        }

    def _order_node(self, position: int, at: int) -> Node:
        sale = self.world.sales[position]
        if sale.account is None:
            return order_node(sale, at, self._product_of, None, None)
        account = self._departures.owner(sale.account, at)
        own = [other for other in self._sales_of[account] if not self.world.sales[other].is_test]
        rank = own.index(position) + 1 if position in own else None
        return order_node(sale, at, self._product_of, gid("Customer", self.world.accounts[account].key), rank)

    def _sales_at(self, position: int, at: int) -> list[Sale]:
        """Give an account's orders at a moment: its own, those of accounts merged into it, none that is deleted."""
        placed = [p for p in self._sales_of[position] if self.world.sales[p].at <= at]
        there = [p for p in placed if self._departures.deleted_sales.get(p, at + 1) > at]
        return [sale for p in there if self._is_owner(position, sale := self.world.sales[p], at)]

    def _customer_node(self, position: int, at: int) -> Node:
        account = self.world.accounts[position]
        profile = account.profiles[bisect_right(account.profiles, at, key=lambda known: known.since) - 1]
        if at >= self._departures.redacted_accounts.get(position, at + 1):
            profile = Profile(since=at)
        sales = self._sales_at(position, at)
        return {
            "__typename": "Customer",
            "id": gid("Customer", account.key),
            "createdAt": instant(account.created_at),
            "updatedAt": instant(at),
            "firstName": profile.given_name,
            "lastName": profile.family_name,
            "locale": "ja" if self.world.currency == "JPY" else "en",
            # Who checks out with a second address leaves a customer behind that nobody logs into.
            "state": "ENABLED" if account.truth is None or position in self._logins else "DISABLED",
            "tags": list(profile.tags),
            "numberOfOrders": str(len(sales)),
            "amountSpent": money(spent(sales, at), self.world.currency),
            "defaultEmailAddress": email_node(profile),
            "defaultPhoneNumber": {"phoneNumber": profile.phone} if profile.phone else None,
            "defaultAddress": address_node(account.key, profile),
            "metafields": metafields(account.key, profile),
        }


def variant_nodes(product: Product) -> list[Node]:
    """Write what a product is sold as: one thing, and for hair care a refill as well."""
    titles = ["本体", "詰め替え用"] if product.category == "ヘアケア" else ["Default Title"]
    created = instant(product.created_at)
    return [
        {
            "__typename": "ProductVariant",
            "id": gid("ProductVariant", f"{product.key}{number}"),
            "title": title,
            "sku": product.sku if number == 1 else f"{product.sku}-R",
            "barcode": None,
            "price": amount(product.price),
            "compareAtPrice": None,
            "position": number,
            "createdAt": created,
            "updatedAt": created,
            "selectedOptions": [{"name": "Title" if len(titles) == 1 else "形態", "value": title}],
        }
        for number, title in enumerate(titles, start=1)
    ]


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
