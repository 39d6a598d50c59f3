"""Intercom's exchanges against its OpenAPI file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.openapi_contract import check_openapi, load_spec, matches
from tests.contract.refusal import ContractError
from tests.contract.vendors.intercom_overlays import LIMIT_HEADERS, overlaid

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


def check(shared: Path, path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check one exchange."""
    known, openapi = load_spec(shared / "specs" / "intercom" / "api.intercom.io-2.15.yaml", overlaid)
    if not matches(known, path):
        message = f"no published path matches {request.method} {path}"
        raise ContractError(message)
    check_openapi(openapi, "https://api.intercom.io", path, request, response)
    missing = [header for header in LIMIT_HEADERS if header not in response.headers]
    # A rate limit that the sandbox commits as a fault has no header, as an answer of a gateway in between.
    if missing and response.status_code != 429:
        message = f"{request.method} {path} → {response.status_code}: no header {missing[0]}"
        raise ContractError(message)
