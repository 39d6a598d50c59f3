"""SendGrid's exchanges against its OpenAPI files, and its event webhook against the events of its logs API."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from tests.contract.openapi_contract import check_openapi, load_spec, matches
from tests.contract.refusal import ContractError
from tests.contract.vendors.sendgrid_overlays import overlaid

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

FILES = ("tsg_suppressions_v3.json", "tsg_mc_contacts_v3.json", "tsg_stats_v3.json", "tsg_webhooks_v3.json")
# Links to exported files lead to another host; what lies there is told in
# https://github.com/sendgrid/sendgrid-csharp/issues/1024: a contact a line, with `contact_id` instead of `id`.
FILE_PREFIX = "/contact-exports/"
EVENT_SCHEMAS = {
    "processed": "ProcessedEvent",
    "dropped": "DroppedEvent",
    "delivered": "DeliveredEvent",
    "deferred": "DeferredEvent",
    "bounce": "BounceEvent",
    "open": "OpenEvent",
    "click": "ClickEvent",
    "spamreport": "SpamReportEvent",
    "unsubscribe": "UnsubscribeEvent",
    "group_unsubscribe": "GroupUnsubscribeEvent",
    "group_resubscribe": "GroupResubscribeEvent",
}
# The logs name the day of an unsubscribe and how far a delivery got; the webhook's own page does not have these.
# https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
ONLY_IN_LOGS = {"date"}


def check(shared: Path, path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check one exchange."""
    if path.startswith(FILE_PREFIX):
        check_file(response)
        return
    for name in FILES:
        known, openapi = load_spec(shared / "specs" / "sendgrid" / name, overlaid)
        if matches(known, path):
            check_openapi(openapi, "https://api.sendgrid.com", path, request, response)
            if response.status_code < 300 and "x-ratelimit-reset" not in response.headers:
                message = f"{path}: no X-RateLimit headers"
                raise ContractError(message)
            return
    message = f"no published path matches {request.method} {path}"
    raise ContractError(message)


def check_file(response: httpx.Response) -> None:
    """Check a file of exported contacts."""
    if response.status_code == 200:
        for line in gzip.decompress(response.content).splitlines():
            contact = json.loads(line)
            if not {"contact_id", "email", "created_at", "updated_at"} <= set(contact) or "id" in contact:
                message = f"an exported contact has the fields {sorted(contact)}"
                raise ContractError(message)


@lru_cache(maxsize=1)
def event_validators(shared: Path) -> dict[str, Draft202012Validator]:
    """Read what each kind of event looks like."""
    spec = json.loads((shared / "specs" / "sendgrid" / "tsg_logs_v3.json").read_text(encoding="utf-8"))
    schemas = spec["components"]["schemas"]
    for schema in schemas.values():
        schema["required"] = [name for name in schema.get("required", []) if name not in ONLY_IN_LOGS]
    return {
        kind: Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}})
        for kind, name in EVENT_SCHEMAS.items()
    }


def check_event(shared: Path, event: dict[str, Any]) -> None:
    """Check one event of the event webhook."""
    problems = [error.message for error in event_validators(shared)[event["event"]].iter_errors(event)]
    if problems:
        message = f"sendgrid event {event['event']}: {'; '.join(problems)[:300]}"
        raise ContractError(message)
