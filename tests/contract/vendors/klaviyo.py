"""Klaviyo's exchanges against its OpenAPI files, and the headers of its limits against its guide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.openapi_contract import check_openapi, load_spec, matches
from tests.contract.refusal import ContractError
from tests.contract.vendors.klaviyo_overlays import overlaid

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

FILES = ("profiles.json", "events.json", "metrics.json", "lists.json", "segments.json")
REVISION = "2026-07-15"


def check(shared: Path, path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check one exchange."""
    path = path.rstrip("/")
    check_headers(path, request, response)
    for name in FILES:
        known, openapi = load_spec(shared / "specs" / "klaviyo" / name, overlaid)
        if matches(known, path):
            check_openapi(openapi, "https://a.klaviyo.com", path, request, response)
            return
    message = f"no published path matches {request.method} {path}"
    raise ContractError(message)


def check_headers(path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check the revision that was asked for, and the headers that tell how often one may ask.

    Refusals carry Retry-After instead of the others.
    https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling
    """
    if response.status_code < 300 and request.headers.get("revision") != REVISION:
        message = f"{path}: asked with revision {request.headers.get('revision')}, the specification is of {REVISION}"
        raise ContractError(message)
    is_refusal = response.status_code == 429
    if ("retry-after" in response.headers, "ratelimit-remaining" in response.headers) != (is_refusal, not is_refusal):
        message = f"{path} → {response.status_code}: the headers are not those of the guide"
        raise ContractError(message)
