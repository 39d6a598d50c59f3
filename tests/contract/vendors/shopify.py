"""Shopify's exchanges against its Admin schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.graphql_contract import check_graphql, whole_schema
from tests.contract.refusal import ContractError

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


def check(shared: Path, path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check one exchange; the address of a bulk operation's file is all that its reader needs."""
    if path.startswith("/bulk/"):
        if "X-Shopify-Access-Token" in request.headers and request.url.host != "sandbox":
            message = "the token is sent to where files are kept"
            raise ContractError(message)
        return
    check_graphql(whole_schema(shared / "specs" / "shopify" / "admin_2026-10.nodesc.graphql"), request, response)
