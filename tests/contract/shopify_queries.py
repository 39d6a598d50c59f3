"""The queries that tests ask the sandbox's Shopify: the fields that the project reads, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kizuna.shopify_admin.streams import ShopifyStream
from kizuna.sources.shopify import SOURCE

if TYPE_CHECKING:
    import httpx

PATH = "/shopify/admin/api/2026-10/graphql.json"


STREAMS = {stream.name: stream for stream in SOURCE.streams if isinstance(stream, ShopifyStream)}


def page_query(stream: ShopifyStream) -> str:
    """Write a page of a stream's connection, with a search that may be left out."""
    return stream.page_query().replace("$window: String!", "$query: String").replace("query: $window", "query: $query")


CUSTOMERS, ORDERS, PRODUCTS = (page_query(STREAMS[name]) for name in ("customers", "orders", "products"))


def ask(client: httpx.Client, query: str, **variables: Any) -> dict[str, Any]:
    """Send a query and give the whole answer."""
    answered: dict[str, Any] = client.post(PATH, json={"query": query, "variables": variables}).json()
    return answered


__all__ = ["CUSTOMERS", "ORDERS", "PATH", "PRODUCTS", "STREAMS", "ask", "page_query"]
