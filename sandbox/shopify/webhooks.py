"""What Shopify sends by itself: orders that come and change, and all that vanishes, signed with the app's secret.

Headers as in shopify.dev, webhooks: the signature is the base64 HMAC-SHA256 of the body. The ids of `customers/merge`
are global ones, those of the other topics plain numbers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from sandbox.shopify.departures import find_departures
from sandbox.shopify.values import amount, gid, instant
from sandbox.webhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.records import Sale, World
    from sandbox.setting import Setting

SHOP = "sandbox.myshopify.com"
Told = tuple[int, str, dict[str, Any]]


def webhooks(setting: Setting, since: int, until: int) -> Iterator[Webhook]:
    """Give what is sent for what happens in (since, until], in order of time."""
    told = [*tell_orders(setting.world, since, until), *tell_departures(setting.world, since, until)]
    for at, topic, body in sorted(told, key=lambda one: (one[0], one[1], str(one[2]))):
        yield sign(setting, at, topic, orjson.dumps(body))


def sign(setting: Setting, at: int, topic: str, body: bytes) -> Webhook:
    """Write a request with the vendor's headers."""
    digest = hmac.new(setting.webhook_secret.encode(), body, hashlib.sha256).digest()
    content = hashlib.sha256(body).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-SHA256": base64.b64encode(digest).decode(),
        "X-Shopify-Shop-Domain": SHOP,
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": str(uuid5(NAMESPACE_URL, f"shopify/webhook/{topic}/{at}/{content}")),
        "X-Shopify-Event-Id": str(uuid5(NAMESPACE_URL, f"shopify/event/{at}/{content}")),
        "X-Shopify-Triggered-At": instant(at).replace("Z", ".000000000Z"),
    }
    return Webhook("shopify", at, body, headers)


def tell_orders(world: World, since: int, until: int) -> Iterator[Told]:
    """Tell of orders placed and changed."""
    for sale in world.sales:
        if since < sale.at <= until:
            yield sale.at, "orders/create", order_body(world, sale, sale.at)
        for at in {event.at for event in sale.events}:
            if since < at <= until:
                yield at, "orders/updated", order_body(world, sale, at)


def order_body(world: World, sale: Sale, at: int) -> dict[str, Any]:
    """Write the part of an order that tells which it is; readers ask for the rest."""
    account = None if sale.account is None else world.accounts[sale.account].key
    return {
        "id": number_of(sale.key),
        "admin_graphql_api_id": gid("Order", sale.key),
        "name": sale.name,
        "test": sale.is_test,
        "created_at": instant(sale.at),
        "updated_at": instant(at),
        "currency": sale.currency,
        "total_price": amount(sale.total),
        "customer": None if account is None else {"id": number_of(account)},
    }


def tell_departures(world: World, since: int, until: int) -> Iterator[Told]:
    """Tell of all that vanishes."""
    departures = find_departures(world)
    keys = [account.key for account in world.accounts]
    told: list[Told] = [
        (at, "customers/merge", merge_body(keys[gone], keys[kept])) for gone, (at, kept) in departures.merged.items()
    ]
    told += [(at, "customers/delete", {"id": number_of(keys[a])}) for a, at in departures.deleted_accounts.items()]
    told += [(at, "customers/redact", redact_body(keys[a])) for a, at in departures.redacted_accounts.items()]
    told += [(at, "orders/delete", {"id": number_of(world.sales[s].key)}) for s, at in departures.deleted_sales.items()]
    yield from (one for one in told if since < one[0] <= until)


def merge_body(gone: str, kept: str) -> dict[str, Any]:
    """Write which customer is left of two."""
    return {
        "admin_graphql_api_customer_kept_id": gid("Customer", kept),
        "admin_graphql_api_customer_deleted_id": gid("Customer", gone),
        "admin_graphql_api_job_id": None,
        "status": "success",
        "errors": [],
    }


def redact_body(key: str) -> dict[str, Any]:
    """Write whom to forget."""
    return {"shop_id": 1, "shop_domain": SHOP, "customer": {"id": number_of(key)}, "orders_to_redact": []}


def number_of(key: str) -> int | str:
    """Write a key as the number it is in bodies; keys of replayed histories may be words."""
    return int(key) if key.isdigit() else key
