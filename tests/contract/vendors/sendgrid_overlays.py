"""What the published SendGrid specifications leave out, each addition with its source.

The files themselves are never changed: an overlay is a function from a loaded specification to a fuller one.
"""

from __future__ import annotations

import copy
from typing import Any

Spec = dict[str, Any]

# One shape for all errors; 429 above the rate limit, `field` null where no field is at fault.
# https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors and …/rate-limits
ERROR = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": ["string", "null"]}, "message": {"type": "string"}},
            },
        }
    },
}
EVERYWHERE = ("400", "401", "403", "404", "429")

# The example answers of the reference always have these fields, which the specification leaves optional.
# https://www.twilio.com/docs/sendgrid/api-reference/bounces-api/retrieve-all-bounces and the page of each list
ALWAYS_LISTED = {
    "/v3/suppression/bounces": ["created", "email", "reason", "status"],
    "/v3/suppression/invalid_emails": ["created", "email", "reason"],
    "/v3/asm/groups": ["id", "name", "description", "is_default", "unsubscribes"],
}

# "The id that is returned" is what one polls with, and `urls` what a ready job is for; `contact_count` is in the
# example. https://www.twilio.com/docs/sendgrid/api-reference/contacts/export-contacts and …/export-contacts-status
EXPORTS = "/v3/marketing/contacts/exports"

# What the token may do stands in a file that is not among ours.
# https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions/retrieve-a-list-of-scopes-for-which-this-user-has-access
SCOPES = {
    "type": "object",
    "required": ["scopes"],
    "properties": {"scopes": {"type": "array", "items": {"type": "string"}}},
}


def overlaid(spec: Spec) -> Spec:
    """Add what the reference pages say to a loaded specification."""
    fuller = copy.deepcopy(spec)
    if "/v3/stats" in fuller["paths"]:
        fuller["paths"]["/v3/scopes"] = {"get": {"operationId": "ListScopes", "responses": {"200": json_of(SCOPES)}}}
    for path, operations in fuller["paths"].items():
        for operation in operations.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"].update({code: json_of(ERROR) for code in EVERYWHERE})
        if path in ALWAYS_LISTED:
            listed = operations["get"]["responses"]["200"]["content"]["application/json"]
            listed["schema"]["items"] = {"allOf": [listed["schema"]["items"], {"required": ALWAYS_LISTED[path]}]}
    if EXPORTS in fuller["paths"]:
        require(fuller["paths"][EXPORTS]["post"]["responses"]["202"], {"required": ["id"]})
        ready = {"properties": {"status": {"const": "ready"}}}
        whole = {"required": ["urls", "contact_count", "completed_at"]}
        failed = {"if": {"properties": {"status": {"const": "failure"}}}, "then": {"required": ["message"]}}
        job = fuller["paths"][EXPORTS + "/{id}"]["get"]["responses"]["200"]
        require(job, {"if": ready, "then": whole, "allOf": [failed]})
    return fuller


def json_of(schema: Spec) -> Spec:
    """Write an answer that is JSON."""
    return {"description": "Error", "content": {"application/json": {"schema": schema}}}


def require(response: Spec, rule: Spec) -> None:
    """Ask more of an answer."""
    content = response["content"]["application/json"]
    content["schema"] = {"allOf": [content["schema"], rule]}
