"""What the published Intercom specification leaves out or leaves open, added from the vendor's pages."""

from __future__ import annotations

import copy
from typing import Any

Spec = dict[str, Any]

# "Rate Limiting": every answer says how much of the ten seconds' share is left and until when.
# https://developers.intercom.com/docs/references/rest-api/errors/rate-limiting
LIMIT_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")

# "Error codes": every operation may answer these, in the one shape of errors.
# https://developers.intercom.com/docs/references/rest-api/errors/error-codes
EVERYWHERE = ("400", "401", "404", "429")

# The dates of 2.x are epoch seconds, as "Date format" says; `format: date-time` beside `type: integer` checks nothing.
# Fields that every record has; the specification leaves all optional, its examples never do without.
ALWAYS = {
    "contact": ["type", "id", "external_id", "role", "email", "created_at", "updated_at"],
    "contact_list": ["type", "data", "total_count", "pages"],
    "conversation_list": ["type", "conversations", "total_count", "pages"],
    "conversation_list_item": ["type", "id", "created_at", "updated_at", "state", "contacts", "source"],
    "conversation": ["type", "id", "created_at", "updated_at", "state", "contacts", "source", "conversation_parts"],
    "conversation_parts": ["type", "conversation_parts", "total_count"],
    "conversation_part": ["type", "id", "part_type", "created_at", "updated_at", "author"],
    "conversation_rating": ["rating", "created_at", "updated_at"],
    "cursor_pages": ["type", "page", "per_page", "total_pages"],
    "tag": ["type", "id", "name"],
    "segment": ["type", "id", "name", "person_type"],
}

# Null until it happens: the examples of the conversation's statistics and rating show so.
# https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/conversation
NULL_UNTIL_IT_HAPPENS = {"conversation_statistics": None, "conversation_rating": ("remark",)}
# "Nullable" stands beside references to these, where OpenAPI 3.0 ignores it.
NULLABLE = ("ai_agent", "company", "reference", "email_message_metadata")

# The examples of these are paths, while the format says that they are whole addresses.
ARE_PATHS = ("contact_notes", "contact_companies", "contact_tags", "contact_subscription_types")

# An invented field would otherwise pass unseen.
CLOSED = ("contact", "conversation", "conversation_list_item", "conversation_part")


def overlaid(spec: Spec) -> Spec:
    """Add what the vendor's pages say to a loaded specification."""
    fuller = copy.deepcopy(spec)
    for operations in fuller["paths"].values():
        add_errors(operations)
    schemas = fuller["components"]["schemas"]
    for name, fields in ALWAYS.items():
        schemas[name]["required"] = sorted({*schemas[name].get("required", []), *fields})
    for name, nullable in NULL_UNTIL_IT_HAPPENS.items():
        for field, schema in schemas[name]["properties"].items():
            if nullable is None or field in nullable:
                schema["nullable"] = True
    for name in NULLABLE:
        schemas[name]["nullable"] = True
    for name in CLOSED:
        schemas[name]["additionalProperties"] = False
    let_addresses_be_paths(schemas)
    return fuller


def let_addresses_be_paths(schemas: Spec) -> None:
    """Take the paths that the examples show for the addresses of a contact's other records."""
    for name in ARE_PATHS:
        schemas[name]["properties"]["url"]["format"] = "uri-reference"


def add_errors(operations: Spec) -> None:
    """Let the operations of a path answer the errors that all may answer."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}
    for operation in operations.values():
        for code in EVERYWHERE if isinstance(operation, dict) and "responses" in operation else ():
            operation["responses"].setdefault(code, {"description": "Error", "content": content})
