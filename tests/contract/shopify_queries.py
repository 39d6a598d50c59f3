"""The queries that tests ask the sandbox's Shopify: the fields that the project reads, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kizuna.sources.shopify import CUSTOMER, MONEY, ORDER, ORDER_LINE, PRODUCT

if TYPE_CHECKING:
    import httpx

PATH = "/shopify/admin/api/2026-10/graphql.json"


def page_query(kind: str, selection: str) -> str:
    """Write a page of a connection."""
    return f"""
        query ($first: Int!, $after: String, $query: String) {{
          {kind}(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
            nodes {{ {selection} }} pageInfo {{ hasNextPage endCursor }}
          }}
        }}"""


CUSTOMERS = page_query("customers", CUSTOMER)
LINES = f"lineItems(first: 10) {{ nodes {{ {ORDER_LINE} }} pageInfo {{ hasNextPage endCursor }} }}"
ORDERS = page_query("orders", f"{ORDER} {LINES}")
PRODUCTS = page_query("products", PRODUCT)


def ask(client: httpx.Client, query: str, **variables: Any) -> dict[str, Any]:
    """Send a query and give the whole answer."""
    answered: dict[str, Any] = client.post(PATH, json={"query": query, "variables": variables}).json()
    return answered


__all__ = ["CUSTOMERS", "MONEY", "ORDERS", "PATH", "PRODUCTS", "ask", "page_query"]
