"""LINE's exchanges against its OpenAPI files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.openapi_contract import check_openapi, load_spec, matches
from tests.contract.refusal import ContractError
from tests.contract.vendors.line_overlays import overlaid

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

FILES = ("messaging-api.yml", "manage-audience.yml", "insight.yml")


def check(shared: Path, path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check one exchange."""
    for name in FILES:
        known, openapi = load_spec(shared / "specs" / "line" / name, overlaid)
        if matches(known, path):
            check_openapi(openapi, "https://api.line.me", path, request, response)
            return
    message = f"no published path matches {request.method} {path}"
    raise ContractError(message)
