"""Shopify's exchanges against its Admin schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.graphql_contract import check_graphql, whole_schema

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


def check(shared: Path, _path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check one exchange."""
    check_graphql(whole_schema(shared / "specs" / "shopify" / "admin_2026-10.nodesc.graphql"), request, response)
