"""LINE's exchanges against its OpenAPI files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openapi_core.testing import MockRequest

from tests.contract.openapi_contract import check_openapi, load_spec, matches
from tests.contract.refusal import ContractError
from tests.contract.vendors.line_overlays import overlaid

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

# What the shop itself lists is no vendor's.
OWN = "/shop/"
FILES = ("messaging-api.yml", "manage-audience.yml", "insight.yml")


def check(shared: Path, path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check one exchange."""
    if path.startswith(OWN):
        return
    for name in FILES:
        known, openapi = load_spec(shared / "specs" / "line" / name, overlaid)
        if matches(known, path):
            check_openapi(openapi, "https://api.line.me", path, request, response)
            return
    message = f"no published path matches {request.method} {path}"
    raise ContractError(message)


def check_webhook(shared: Path, body: bytes) -> None:
    """Check the body of a webhook, every event in it."""
    _, openapi = load_spec(shared / "specs" / "line" / "webhook.yml", overlaid)
    asked = MockRequest("https://example.com", "post", "/callback", data=body, content_type="application/json")
    try:
        openapi.validate_request(asked)
    except Exception as problem:
        cause = problem.__cause__ or problem
        details = "; ".join(str(error)[:200] for error in getattr(cause, "schema_errors", ())) or str(cause)[:300]
        message = f"webhook: {details}"
        raise ContractError(message) from problem
